"""A fleet that indexes simulated albums, event by event, under a policy that says how many workers it wants."""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from facefleet.capacity.controller import FleetView
from facefleet.capacity.deadline_rule import AlbumLoad
from facefleet.capacity.scenario import AlbumDraw, WorkerDraw, World

Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Policy:
    """Who decides about the number of workers, and how well informed."""

    name: str
    decide: Callable[[FleetView], int]
    #: How often it looks.
    every_s: float
    #: From what it sees to the change of the fleet: stale metrics, and the autoscaler's own polling.
    delay_s: float


@dataclass(frozen=True, slots=True)
class RunResult:
    """One simulated run."""

    albums: int
    missed: int
    #: Seconds from arrival to last photo, per album.
    durations_s: tuple[float, ...]
    #: Paid seconds of workers beyond the base, from the request for the machine to its end.
    elastic_worker_s: float
    #: The base workers' seconds, until the last album was done.
    base_worker_s: float
    launches: int
    #: (seconds, workers that exist, backlog in photos) at every look of the policy.
    timeline: tuple[tuple[float, int, int], ...]


@dataclass(eq=False, slots=True)
class _Album:
    draw: AlbumDraw
    waiting: deque[tuple[int, float]]
    left: int
    done_at_s: float = -1.0


@dataclass(eq=False, slots=True)
class _Worker:
    draw: WorkerDraw
    launched_at_s: float
    process: simpy.Process | None = None
    running: bool = False
    busy: bool = False
    #: Takes no more work: retired, or under notice.
    leaving: bool = False


@dataclass
class Simulation:
    """One run. Everything happens in simpy's single thread of events."""

    world: World
    policy: Policy
    env: simpy.Environment = field(default_factory=simpy.Environment)
    #: Albums with photos waiting, the next to be served first.
    turns: deque[_Album] = field(default_factory=deque)
    active: list[_Album] = field(default_factory=list)
    finished: list[_Album] = field(default_factory=list)
    workers: list[_Worker] = field(default_factory=list)
    photos_done: int = 0
    elastic_worker_s: float = 0.0
    launches: int = 0
    timeline: list[tuple[float, int, int]] = field(default_factory=list)

    def run(self) -> RunResult:
        """Simulate until every album is done."""
        scenario = self.world.scenario
        self._draws = self.world.workers()
        self._wake = self.env.event()
        for _ in range(scenario.base_workers):
            self._launch(WorkerDraw(0.0, scenario.photos_per_s, float("inf"), sudden=False))
        self._base = set(self.workers)
        self.env.process(self._arrive())
        over = self.env.process(self._control())
        self.env.run(over)
        end_s = max((album.done_at_s for album in self.finished), default=0.0)
        self._charge(self.workers)
        durations = tuple(each.done_at_s - each.draw.arrives_at_s for each in self.finished)
        return RunResult(
            albums=len(self.finished),
            missed=sum(duration > scenario.deadline_s for duration in durations),
            durations_s=durations,
            elastic_worker_s=self.elastic_worker_s,
            base_worker_s=end_s * scenario.base_workers,
            launches=self.launches,
            timeline=tuple(self.timeline),
        )

    def _arrive(self) -> Process:
        for draw in self.world.albums:
            yield self.env.timeout(draw.arrives_at_s - self.env.now)
            album = _Album(draw, deque(draw.pieces), draw.photos)
            self.active.append(album)
            self._offer(album)

    def _offer(self, album: _Album) -> None:
        if album not in self.turns:
            self.turns.append(album)
        self._wake.succeed()
        self._wake = self.env.event()

    def _take(self) -> tuple[_Album, tuple[int, float]] | None:
        """Take the next piece of the album whose turn it is, as the relay sends them."""
        if not self.turns:
            return None
        album = self.turns.popleft()
        piece = album.waiting.popleft()
        if album.waiting:
            self.turns.append(album)
        return album, piece

    def _live(self, worker: _Worker) -> Process:
        """Boot, then work on piece after piece until told to leave."""
        taken = None
        try:
            yield self.env.timeout(worker.draw.start_s)
            worker.running = True
            if worker.draw.life_s < float("inf"):
                self.env.process(self._lose(worker))
            while not worker.leaving:
                taken = self._take()
                if taken is None:
                    yield self._wake
                    continue
                worker.busy = True
                yield self.env.timeout(taken[1][1] / worker.draw.photos_per_s)
                worker.busy = False
                self._finish(*taken)
                taken = None
        except simpy.Interrupt:
            if taken is not None:
                self.env.process(self._return(*taken))
        self._end(worker)

    def _finish(self, album: _Album, piece: tuple[int, float]) -> None:
        album.left -= piece[0]
        self.photos_done += piece[0]
        if album.left == 0:
            album.done_at_s = self.env.now
            self.active.remove(album)
            self.finished.append(album)

    def _return(self, album: _Album, piece: tuple[int, float]) -> Process:
        yield self.env.timeout(self.world.scenario.lease_s)
        album.waiting.append(piece)
        self._offer(album)

    def _lose(self, worker: _Worker) -> Process:
        """Lose a spot machine, as its draw says."""
        yield self.env.timeout(worker.draw.life_s)
        if worker in self.workers and not worker.leaving:
            if worker.draw.sudden:
                self._stop(worker)
            else:
                yield self.env.timeout(self.world.scenario.notice_s)
                self._retire(worker)

    def _retire(self, worker: _Worker) -> None:
        """Let a worker go: at once when it has nothing in hand, else after the piece."""
        if worker.leaving or worker not in self.workers:
            return
        worker.leaving = True
        if not worker.busy:
            self._stop(worker)

    def _stop(self, worker: _Worker) -> None:
        if worker.process is not None and worker.process.is_alive:
            worker.process.interrupt()

    def _end(self, worker: _Worker) -> None:
        if worker in self.workers:
            self.workers.remove(worker)
            self._charge([worker])

    def _charge(self, workers: list[_Worker]) -> None:
        self.elastic_worker_s += sum(self.env.now - each.launched_at_s for each in workers if each not in self._base)

    def _launch(self, draw: WorkerDraw) -> None:
        worker = _Worker(draw, self.env.now)
        self.workers.append(worker)
        worker.process = self.env.process(self._live(worker))

    def _control(self) -> Process:
        """Let the policy look at the fleet, until everything is done."""
        total = len(self.world.albums)
        while len(self.finished) < total:
            view = self._look()
            self.timeline.append((view.now_s, len(self.workers), view.backlog_photos))
            wanted = self.policy.decide(view)
            self.env.process(self._apply_later(wanted))
            yield self.env.timeout(self.policy.every_s)

    def _look(self) -> FleetView:
        deadline_s, now_s = self.world.scenario.deadline_s, self.env.now
        loads = tuple(AlbumLoad(each.left, each.draw.arrives_at_s + deadline_s - now_s) for each in self.active)
        return FleetView(now_s, loads, sum(each.busy for each in self.workers), self.photos_done)

    def _apply_later(self, wanted: int) -> Process:
        yield self.env.timeout(self.policy.delay_s)
        staying = [each for each in self.workers if not each.leaving]
        for _ in range(wanted - len(staying)):
            self.launches += 1
            self._launch(next(self._draws))
        surplus = [each for each in staying if each not in self._base]
        # Those that are furthest from working go first, as Kubernetes chooses.
        surplus.sort(key=lambda each: (each.busy, each.running, -each.launched_at_s))
        for worker in surplus[: max(len(staying) - wanted, 0)]:
            self._retire(worker)


def simulate(world: World, policy: Policy) -> RunResult:
    """Run one world under one policy.

    Args:
        world: drawn with `draw_world`.
        policy: a fresh one; policies remember.
    """
    return Simulation(world, policy).run()
