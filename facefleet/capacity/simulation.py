"""A fleet that indexes simulated albums, event by event, under a policy that says how many workers it wants."""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

import simpy

from facefleet.capacity.controller import FleetView
from facefleet.capacity.deadline_rule import AlbumLoad
from facefleet.capacity.scenario import AlbumDraw, Piece, WorkerDraw, World

_Process: TypeAlias = Generator[simpy.Event, Any, None]


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

    #: Seconds from arrival to last photo, per album.
    durations_s: tuple[float, ...]
    missed: int
    #: Paid seconds of workers beyond the base, from the request for the machine to its end.
    elastic_worker_s: float
    launches: int
    #: Most workers that existed at once, the base included.
    most_workers: int
    #: (seconds, workers that exist, backlog in photos) at every look of the policy.
    timeline: tuple[tuple[float, int, int], ...]


@dataclass(eq=False, slots=True)
class _Album:
    draw: AlbumDraw
    waiting: deque[Piece]
    #: Photos not done.
    left: int


@dataclass(eq=False, slots=True)
class _Worker:
    draw: WorkerDraw
    launched_at_s: float
    is_base: bool
    process: simpy.Process | None = None
    running: bool = False
    busy: bool = False
    #: Takes no more work: retired, or under notice.
    leaving: bool = False
    gone: bool = False


class Simulation:
    """One run. Everything happens in simpy's single thread of events."""

    def __init__(self, world: World, policy: Policy) -> None:
        self._world = world
        self._policy = policy
        self._env = simpy.Environment()
        self._wake = self._env.event()
        #: Arrived and not done, in order of arrival, which is the order of their deadlines.
        self._albums: list[_Album] = []
        #: Albums with photos waiting, the one whose turn is next first.
        self._turns: deque[_Album] = deque()
        self._workers: list[_Worker] = []
        self._draws = world.workers()
        self._piece_numbers = count(1)
        self._photos_done = 0
        self._elastic_worker_s = 0.0
        self._launches = 0
        self._durations_s: list[float] = []
        self._timeline: list[tuple[float, int, int]] = []

    def run(self) -> RunResult:
        """Simulate until every album is done."""
        scenario = self._world.scenario
        for _ in range(scenario.base_workers):
            self._launch(WorkerDraw(0.0, scenario.photos_per_s, float("inf"), sudden=False), is_base=True)
        self._env.process(self._arrive())
        self._env.run(self._env.process(self._control()))
        for worker in self._workers:
            self._charge(worker)
        return RunResult(
            durations_s=tuple(self._durations_s),
            missed=sum(duration_s > scenario.deadline_s for duration_s in self._durations_s),
            elastic_worker_s=self._elastic_worker_s,
            launches=self._launches,
            most_workers=max((workers for _, workers, _ in self._timeline), default=scenario.base_workers),
            timeline=tuple(self._timeline),
        )

    def _arrive(self) -> _Process:
        for draw in self._world.albums:
            yield self._env.timeout(draw.arrives_at_s - self._env.now)
            album = _Album(draw, deque(draw.pieces), draw.photos)
            self._albums.append(album)
            self._offer(album)

    def _offer(self, album: _Album) -> None:
        if album not in self._turns:
            self._turns.append(album)
        self._wake.succeed()
        self._wake = self._env.event()

    def _take(self) -> tuple[_Album, Piece] | None:
        """Take the next piece, as the relay chooses: mostly of the album that is due first, now and then in turn."""
        if not self._turns:
            return None
        if next(self._piece_numbers) % self._world.scenario.turn_every == 0:
            album = self._turns[0]
            self._turns.rotate(-1)
        else:
            album = next(each for each in self._albums if each.waiting)
        piece = album.waiting.popleft()
        if not album.waiting:
            self._turns.remove(album)
        return album, piece

    def _live(self, worker: _Worker) -> _Process:
        """Boot, then work on piece after piece until told to leave."""
        taken = None
        try:
            yield self._env.timeout(worker.draw.start_s)
            worker.running = True
            if not worker.is_base:
                self._env.process(self._lose(worker))
            while not worker.leaving:
                taken = self._take()
                worker.busy = taken is not None
                if taken is None:
                    yield self._wake
                    continue
                yield self._env.timeout(taken[1].work / worker.draw.photos_per_s)
                self._finish(*taken)
                taken = None
        except simpy.Interrupt:
            if taken is not None:
                self._env.process(self._give_back(*taken))
        worker.gone = True
        self._workers.remove(worker)
        self._charge(worker)

    def _finish(self, album: _Album, piece: Piece) -> None:
        album.left -= piece.photos
        self._photos_done += piece.photos
        if album.left == 0:
            self._albums.remove(album)
            self._durations_s.append(self._env.now - album.draw.arrives_at_s)

    def _give_back(self, album: _Album, piece: Piece) -> _Process:
        """Bring back what a dead worker had in hand, once its lease has run out."""
        yield self._env.timeout(self._world.scenario.lease_s)
        album.waiting.append(piece)
        self._offer(album)

    def _lose(self, worker: _Worker) -> _Process:
        """Lose a spot machine, as its draw says."""
        yield self._env.timeout(worker.draw.life_s)
        if worker.draw.sudden:
            self._stop(worker)
        else:
            # Told two minutes ahead, it ends what it has in hand and leaves; its successor is asked for then.
            yield self._env.timeout(self._world.scenario.notice_s)
            self._retire(worker)

    def _retire(self, worker: _Worker) -> None:
        """Let a worker go: at once when it has nothing in hand, else after the piece."""
        worker.leaving = True
        if not worker.busy:
            self._stop(worker)

    def _stop(self, worker: _Worker) -> None:
        if worker.process is not None and not worker.gone:
            worker.gone = True
            worker.process.interrupt()

    def _charge(self, worker: _Worker) -> None:
        if not worker.is_base:
            self._elastic_worker_s += self._env.now - worker.launched_at_s

    def _launch(self, draw: WorkerDraw, *, is_base: bool) -> None:
        worker = _Worker(draw, self._env.now, is_base)
        self._workers.append(worker)
        worker.process = self._env.process(self._live(worker))

    def _control(self) -> _Process:
        """Let the policy look at the fleet, until everything is done."""
        while len(self._durations_s) < len(self._world.albums):
            view = self._look()
            self._timeline.append((view.now_s, len(self._workers), view.backlog_photos))
            self._env.process(self._apply_later(self._policy.decide(view)))
            yield self._env.timeout(self._policy.every_s)

    def _look(self) -> FleetView:
        now_s = self._env.now
        ends_s = self._world.scenario.deadline_s - now_s
        loads = tuple(AlbumLoad(each.left, each.draw.arrives_at_s + ends_s) for each in self._albums)
        return FleetView(now_s, loads, sum(each.busy for each in self._workers), self._photos_done)

    def _apply_later(self, wanted: int) -> _Process:
        yield self._env.timeout(self._policy.delay_s)
        staying = [each for each in self._workers if not each.leaving and not each.gone]
        for _ in range(wanted - len(staying)):
            self._launches += 1
            self._launch(next(self._draws), is_base=False)
        surplus = [each for each in staying if not each.is_base]
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
