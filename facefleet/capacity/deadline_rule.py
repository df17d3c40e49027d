"""The deadline rule: as many workers as it takes to finish every album in time, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

#: New workers get at least this long to be useful: a shorter window would ask for a crowd to do a minute's work.
_SHORTEST_WINDOW_S = 60.0
#: Kept back at the end of an album, for the last messages in hand and the age of what is seen.
_RESERVE_S = 15.0


@dataclass(frozen=True, slots=True)
class AlbumLoad:
    """What is left to do of one album."""

    #: Pending and leased.
    photos: int
    #: Until its deadline; negative when it is overdue.
    seconds_left: float


@dataclass(frozen=True, slots=True)
class FleetState:
    """The workers that the rule counts on."""

    #: Working now.
    running: int
    #: For each worker on its way: seconds until its first photo.
    starting_s: tuple[float, ...] = ()

    @property
    def workers(self) -> int:
        """Running and on their way."""
        return self.running + len(self.starting_s)


@dataclass(frozen=True, slots=True)
class DeadlineTerms:
    """What the rule is bound by."""

    #: From an album's arrival to its last photo.
    deadline_s: float = 600.0
    #: From asking for a worker to its first photo: detect, boot and load.
    start_s: float = 175.0
    #: Share of the time left that is planned with; the rest is for what goes wrong.
    planned_share: float = 0.9
    #: Every so many messages one goes to the album whose turn it is, the others to the album that is due first; 1: all
    #: albums take turns.
    turn_every: int = 5
    min_workers: int = 1
    max_workers: int = 20


def workers_wanted(albums: Sequence[AlbumLoad], photos_per_s: float, fleet: FleetState, terms: DeadlineTerms) -> int:
    """Say how many workers should exist now. To be asked again at every tick, with what is left then.

    For one album that has just arrived, N photos, W0 workers of r photos a second and a deadline of T seconds this is

        W0 + ceil((N - W0 r T') / (r (T' - start))),  T' = planned_share T

    less a few seconds of T'. Later T is what is left, so that the margin shrinks with what can still go wrong.
    With several albums, N is what has to be done until the i-th is done: all albums that are due before it, itself, and
    what the others get in their turns. The most demanding album decides. Workers on their way count from when they
    start; those that are not needed are let go.

    Args:
        albums: those with photos left, in any order.
        photos_per_s: what one worker does, all albums' photos mixed; positive.
        fleet: the workers that exist or were asked for.
        terms: deadline, start-up time and bounds.

    Returns:
        Between `terms.min_workers` and `terms.max_workers`.
    """
    demands = [
        (_photos_before(albums, each, terms.turn_every), terms.planned_share * each.seconds_left - _RESERVE_S)
        for each in albums
        if each.photos > 0
    ]
    extra = max((_extra_workers(demand, photos_per_s, fleet, terms) for demand in demands), default=0)
    # Nobody who is let go can be called back in time: the rest must be safe even if the photos to come are dearer.
    cautious = terms.planned_share * photos_per_s
    enough = max((_enough_workers(demand, cautious, fleet) for demand in demands), default=0)
    wanted = fleet.workers + extra if extra else enough
    return min(max(wanted, terms.min_workers), terms.max_workers)


def _photos_before(albums: Sequence[AlbumLoad], last: AlbumLoad, turn_every: int) -> float:
    """Count the photos that are done, of all albums, when `last` is."""
    first = sum(each.photos for each in albums if each.seconds_left <= last.seconds_left)
    turn = first / (turn_every - 1) / len(albums) if turn_every > 1 else last.photos
    return first + sum(min(each.photos, turn) for each in albums if each.seconds_left > last.seconds_left)


def _extra_workers(demand: tuple[float, float], photos_per_s: float, fleet: FleetState, terms: DeadlineTerms) -> int:
    photos, seconds = demand
    # What a new worker comes too late for is given the time in which it can help.
    seconds = max(seconds, terms.start_s + _SHORTEST_WINDOW_S)
    lacking = photos - photos_per_s * _worker_seconds(fleet, seconds)
    return max(ceil(lacking / (photos_per_s * (seconds - terms.start_s))), 0)


def _enough_workers(demand: tuple[float, float], photos_per_s: float, fleet: FleetState) -> int:
    """Count the workers that are enough for one demand; those on their way are counted after the running ones."""
    photos, seconds = demand
    lacking_s = photos / photos_per_s - fleet.running * max(seconds, 0.0)
    if lacking_s <= 0:
        return ceil(photos / photos_per_s / seconds)
    for number, start_s in enumerate(sorted(fleet.starting_s), fleet.running + 1):
        lacking_s -= max(seconds - start_s, 0.0)
        if lacking_s <= 0:
            return number
    return fleet.workers


def _worker_seconds(fleet: FleetState, seconds: float) -> float:
    return fleet.running * seconds + sum(max(seconds - start_s, 0.0) for start_s in fleet.starting_s)
