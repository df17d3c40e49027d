"""The simulated world: albums, photos, machines. Everything that is left to chance is drawn here, from one seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import sqrt
from random import Random
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class PhotoKind:
    """One stratum of the photo mix."""

    share: float
    #: Work of one photo, in photos of 12 megapixels.
    cost: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the fleet has to live with. The defaults are the scenario that the project's bars are measured in."""

    #: Albums arrive for this long, at random; the run ends when all of them are done.
    arrivals_s: float = 3600.0
    albums_per_hour: float = 20.0
    #: Sizes are log-normal, cut off at both ends.
    median_photos: float = 5000.0
    photos_sigma: float = 0.7
    min_photos: int = 200
    max_photos: int = 10_000
    #: 12, 24, 2 and 45 megapixels; costs are scaled so that the mean photo costs one.
    photo_mix: tuple[PhotoKind, ...] = (
        PhotoKind(0.6, 1.0),
        PhotoKind(0.2, 1.7),
        PhotoKind(0.15, 0.35),
        PhotoKind(0.05, 3.0),
    )
    #: One camera after the other: photos in a row are alike, and dearer or cheaper than the mean by this much.
    section_photos: int = 1000
    section_sigma: float = 0.2
    #: Photos that are worked on twice: messages delivered again after a lease ran out.
    duplicate_share: float = 0.005

    #: One worker on the mean photo.
    photos_per_s: float = 20.0
    #: Between workers: neighbours on the same host.
    worker_sigma: float = 0.1
    #: What one worker has claimed at a time: threads times photos of a message.
    photos_in_hand: int = 80
    #: One message in so many goes to the album whose turn it is, the others to the album that is due first.
    turn_every: int = 5
    deadline_s: float = 600.0
    #: Workers that are always there, on demand, never lost.
    base_workers: int = 1
    max_workers: int = 20
    #: From asking for a machine to a running container, log-normal; then the models are loaded.
    boot_s: float = 150.0
    boot_sigma: float = 0.2
    load_s: float = 10.0
    #: Share of spot machines lost in an hour, most with notice; the rest dies with photos in hand.
    spot_losses_per_hour: float = 0.05
    sudden_share: float = 0.1
    notice_s: float = 120.0
    #: Photos of a worker that died come back after lease and sweep.
    lease_s: float = 135.0


class Piece(NamedTuple):
    """What a worker takes at once."""

    photos: int
    #: In mean photos.
    work: float


@dataclass(frozen=True, slots=True)
class AlbumDraw:
    """One album as it will arrive."""

    arrives_at_s: float
    photos: int
    pieces: tuple[Piece, ...]

    @property
    def work(self) -> float:
        """Everything, in mean photos."""
        return sum(piece.work for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class WorkerDraw:
    """One machine as it will be."""

    start_s: float
    photos_per_s: float
    #: From its start to its loss, were it kept that long.
    life_s: float
    #: Whether it is lost without notice.
    sudden: bool


@dataclass(frozen=True)
class World:
    """One draw of a scenario; every policy meets the same one."""

    scenario: Scenario
    seed: int
    albums: tuple[AlbumDraw, ...]

    def workers(self) -> Iterator[WorkerDraw]:
        """Draw machines in the order in which they are asked for, without end."""
        scenario, random = self.scenario, Random(f"{self.seed} workers")
        losses_per_s = scenario.spot_losses_per_hour / 3600
        for _ in count():
            yield WorkerDraw(
                start_s=random.lognormvariate(0, scenario.boot_sigma) * scenario.boot_s + scenario.load_s,
                photos_per_s=max(random.gauss(1, scenario.worker_sigma), 0.3) * scenario.photos_per_s,
                life_s=random.expovariate(losses_per_s) if losses_per_s else float("inf"),
                sudden=random.random() < scenario.sudden_share,
            )


def draw_world(scenario: Scenario, seed: int) -> World:
    """Draw the albums of one run; the same seed gives the same world."""
    random = Random(f"{seed} albums")
    arrivals_per_s = scenario.albums_per_hour / 3600
    albums, now_s = [], random.expovariate(arrivals_per_s)
    while now_s < scenario.arrivals_s:
        albums.append(draw_album(scenario, random, now_s))
        now_s += random.expovariate(arrivals_per_s)
    return World(scenario, seed, tuple(albums))


def draw_album(scenario: Scenario, random: Random, arrives_at_s: float, photos: int | None = None) -> AlbumDraw:
    """Draw one album, of a size of its own unless `photos` gives it."""
    if photos is None:
        size = random.lognormvariate(0, scenario.photos_sigma) * scenario.median_photos
        photos = round(min(max(size, scenario.min_photos), scenario.max_photos))
    return AlbumDraw(arrives_at_s, photos, tuple(_draw_pieces(scenario, random, photos)))


def _draw_pieces(scenario: Scenario, random: Random, photos: int) -> Iterator[Piece]:
    deviation = _relative_deviation(scenario.photo_mix)
    section_cost, section_left = 1.0, 0
    while photos > 0:
        if section_left <= 0:
            section_cost, section_left = random.lognormvariate(0, scenario.section_sigma), scenario.section_photos
        taken = min(scenario.photos_in_hand, photos)
        cost = section_cost * max(random.gauss(1, deviation / sqrt(taken)), 0.1)
        repeats = 2 if random.random() < scenario.duplicate_share else 1
        yield Piece(taken, taken * cost * repeats)
        photos, section_left = photos - taken, section_left - taken


def _relative_deviation(mix: tuple[PhotoKind, ...]) -> float:
    mean = sum(kind.share * kind.cost for kind in mix)
    return sqrt(sum(kind.share * (kind.cost / mean - 1) ** 2 for kind in mix))
