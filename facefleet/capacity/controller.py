"""The deadline rule over time: it remembers whom it asked for, and measures how fast workers are."""

from collections import deque
from dataclasses import dataclass, field
from math import exp

from facefleet.capacity.deadline_rule import AlbumLoad, DeadlineTerms, FleetState, workers_wanted

#: After how many worker-seconds a measurement of the rate has faded, and how many the first estimate is worth: long
#: enough to see several cameras of an album, or the rule chases each of them.
_MEMORY_WORKER_S = 1200.0
_FIRST_ESTIMATE_WORKER_S = 300.0
#: A worker is let go when it was not needed for this long: the next album may need it, and starting one costs more.
_HOLD_S = 60.0
#: A worker that is late is expected within this time.
_LATE_S = 15.0


@dataclass(frozen=True, slots=True)
class FleetView:
    """What can be seen of a fleet at one moment."""

    now_s: float
    albums: tuple[AlbumLoad, ...]
    #: Workers with photos in hand.
    running: int
    #: Since the first view.
    photos_done: int

    @property
    def backlog_photos(self) -> int:
        """Photos pending and leased."""
        return sum(album.photos for album in self.albums)


@dataclass
class RateMeter:
    """Photos a second of one worker: a mean over worker-seconds in which old ones fade."""

    #: The first estimate: from the last jobs, or the planner.
    photos_per_s: float
    _photos: float = field(init=False)
    _worker_s: float = field(init=False, default=_FIRST_ESTIMATE_WORKER_S)

    def __post_init__(self) -> None:
        self._photos = self.photos_per_s * self._worker_s

    def add(self, photos: int, worker_s: float) -> None:
        """Count what was done in some worker-seconds of work."""
        if worker_s <= 0:
            return
        kept = exp(-worker_s / _MEMORY_WORKER_S)
        self._photos = self._photos * kept + photos
        self._worker_s = self._worker_s * kept + worker_s
        self.photos_per_s = max(self._photos, 1.0) / self._worker_s


@dataclass
class DeadlineController:
    """Asks the deadline rule at every tick. One owner, one thread."""

    terms: DeadlineTerms
    rate: RateMeter
    #: When each worker that was asked for, and is not seen yet, should start.
    _starts_at_s: list[float] = field(default_factory=list)
    #: What was needed in the last moments.
    _needed: deque[tuple[float, int]] = field(default_factory=deque)
    _last: FleetView | None = None

    def decide(self, view: FleetView) -> int:
        """Say how many workers should exist, from what is seen now."""
        self._measure(view)
        self._expect(view)
        starting_s = tuple(max(start - view.now_s, _LATE_S) for start in self._starts_at_s)
        fleet = FleetState(view.running, starting_s)
        needed = workers_wanted(view.albums, self.rate.photos_per_s, fleet, self.terms)
        wanted = self._hold(view.now_s, needed)
        change = wanted - fleet.workers
        if change > 0:
            self._starts_at_s += [view.now_s + self.terms.start_s] * change
        elif change < 0:
            self._starts_at_s = self._starts_at_s[:change]
        self._last = view
        return wanted

    def _hold(self, now_s: float, needed: int) -> int:
        self._needed.append((now_s, needed))
        while self._needed[0][0] < now_s - _HOLD_S:
            self._needed.popleft()
        return max(workers for _, workers in self._needed)

    def _measure(self, view: FleetView) -> None:
        last = self._last
        if last and last.backlog_photos and view.backlog_photos:
            workers = (last.running + view.running) / 2
            self.rate.add(view.photos_done - last.photos_done, workers * (view.now_s - last.now_s))

    def _expect(self, view: FleetView) -> None:
        """Take workers that have started off the list; those that vanished are being replaced from now on."""
        change = view.running - (self._last.running if self._last else view.running)
        if change > 0:
            self._starts_at_s = self._starts_at_s[change:]
