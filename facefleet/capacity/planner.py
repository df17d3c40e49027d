"""The planner: how many workers an album takes, how long, and for how much, from simulated runs of that album."""

from dataclasses import dataclass, replace
from random import Random
from statistics import fmean

from facefleet.capacity.policies import deadline_policy
from facefleet.capacity.prices import Instance, Prices
from facefleet.capacity.scenario import Scenario, World, draw_album
from facefleet.capacity.simulation import RunResult, simulate

_HOURS_PER_MONTH = 730.0
#: A worker has a message for each of its threads, two more than it has processors.
_PHOTOS_PER_MESSAGE = 8


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is to be planned for."""

    photos: int
    deadline_s: float
    #: The machine of one worker, with its rate on the mean photo.
    instance: Instance
    boot_s: float = 150.0
    #: Workers that are always there.
    base_workers: int = 1
    albums_per_month: int = 100
    faces_per_photo: float = 3.0
    seeds: int = 200


@dataclass(frozen=True, slots=True)
class Money:
    """US dollars, at list prices."""

    #: The album's worker-seconds: those beyond the base at the spot price, the base at the on-demand price.
    album: float
    #: A month of the base workers, and the others for every album.
    month: float
    #: The same photos through Rekognition's IndexFaces, and their faces stored for a month.
    rekognition_album: float
    rekognition_month: float


@dataclass(frozen=True, slots=True)
class AlbumPlan:
    """What the simulated runs of one album came to."""

    #: Most workers at once, the base included: in the middle run and in the worst.
    workers: int
    workers_most: int
    #: Seconds from arrival to last photo: in the middle run, and in the one that 99% are faster than.
    seconds: float
    seconds_p99: float
    #: Share of the runs that missed the deadline.
    missed_share: float
    #: Mean paid worker-seconds of a run: beyond the base, and of the base until the album was done.
    elastic_worker_s: float
    base_worker_s: float
    runs: int
    usd: Money


def plan_album(request: PlanRequest, prices: Prices) -> AlbumPlan:
    """Simulate one album under the deadline rule, many times, and price it.

    Args:
        request: the album, the machine, and how many runs.
        prices: list prices.
    """
    scenario = replace(
        Scenario(),
        photos_per_s=request.instance.photos_per_s,
        photos_in_hand=(request.instance.vcpus + 2) * _PHOTOS_PER_MESSAGE,
        deadline_s=request.deadline_s,
        boot_s=request.boot_s,
        base_workers=request.base_workers,
        max_workers=1000,
    )
    runs = [_run_once(scenario, request.photos, seed) for seed in range(request.seeds)]
    seconds = sorted(run.durations_s[0] for run in runs)
    workers = sorted(run.most_workers for run in runs)
    elastic_worker_s = fmean(run.elastic_worker_s for run in runs)
    base_worker_s = fmean(seconds) * request.base_workers
    return AlbumPlan(
        workers=workers[len(runs) // 2],
        workers_most=workers[-1],
        seconds=seconds[len(runs) // 2],
        seconds_p99=seconds[min(int(0.99 * len(runs)), len(runs) - 1)],
        missed_share=sum(run.missed for run in runs) / len(runs),
        elastic_worker_s=elastic_worker_s,
        base_worker_s=base_worker_s,
        runs=len(runs),
        usd=_price(request, prices, elastic_worker_s, base_worker_s),
    )


def _run_once(scenario: Scenario, photos: int, seed: int) -> RunResult:
    album = draw_album(scenario, Random(f"{seed} albums"), arrives_at_s=0.0, photos=photos)
    return simulate(World(scenario, seed, (album,)), deadline_policy(scenario))


def _price(request: PlanRequest, prices: Prices, elastic_worker_s: float, base_worker_s: float) -> Money:
    usd_per_hour = request.instance.usd_per_hour
    elastic = elastic_worker_s / 3600 * usd_per_hour * prices.spot_share
    base_month = request.base_workers * _HOURS_PER_MONTH * usd_per_hour
    photos_per_month = request.photos * request.albums_per_month
    faces_usd = request.photos * request.faces_per_photo * prices.rekognition_usd_per_face_and_month
    return Money(
        album=elastic + base_worker_s / 3600 * usd_per_hour,
        month=base_month + elastic * request.albums_per_month,
        rekognition_album=prices.rekognition_usd(request.photos) + faces_usd,
        rekognition_month=prices.rekognition_usd(photos_per_month) + faces_usd * request.albums_per_month,
    )
