"""How far an indexing run is, asked again and again until it ends."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.client import ApiClient
from facefleet.client.answers import Job
from facefleet.errors import InvalidRequest, JobNotFound

#: A run with nothing to do has ended before a person sees it: asked soon, and then ever later up to the longest rest.
_FIRST_REST_S, _LONGEST_REST_S = 0.02, 0.2
_LISTING = "listing"


@dataclass(frozen=True, slots=True)
class DeadPhoto:
    """A photo that could not be indexed."""

    photo: str
    #: Why, for a person.
    detail: str


@dataclass(frozen=True, slots=True)
class SentPhotos:
    """What became of photos that were to be indexed: jobs that do it, and photos that never reached the server."""

    job_ids: tuple[str, ...]
    unsent: tuple[DeadPhoto, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexRun:
    """The counts of one run, which is one job, or one for each batch of photos that was sent."""

    #: Of the first job; None when no photo was sent.
    job_id: str | None
    #: Whether photos are still being found.
    listing: bool
    photos: int
    indexed: int
    dead: int
    waiting: int
    faces: int
    #: By the server's clock for one job, else since the first photo was sent.
    seconds: float

    @property
    def photos_per_second(self) -> float:
        """Finished photos over the run's seconds."""
        return round((self.indexed + self.dead) / self.seconds, 3) if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None while nobody can tell."""
        if self.listing or not self.photos_per_second:
            return None
        return self.waiting / self.photos_per_second


def follow_jobs(client: ApiClient, job_ids: Sequence[str], started_at_s: float) -> Iterator[IndexRun]:
    """Give the counts several times a second; the last are those of the end.

    Args:
        client: the server that knows the jobs.
        job_ids: of one run.
        started_at_s: when the run began, on `time.monotonic`.

    Raises:
        InvalidRequest: the source could not be listed, or the album was deleted.
        ServerUnavailable: the server is gone; another can be asked for the same jobs.
    """
    jobs: dict[str, Job] = {}
    rest_s = _FIRST_REST_S
    while True:
        for job_id in job_ids:
            if job_id not in jobs or not jobs[job_id].has_ended:
                jobs[job_id] = _ask_for(client, job_id)
        for job in jobs.values():
            if job.state == "failed":
                raise InvalidRequest(f"{job.source} cannot be indexed: {job.detail}")
        yield sum_up(list(jobs.values()), time.monotonic() - started_at_s)
        if all(job.has_ended for job in jobs.values()):
            return
        time.sleep(rest_s)
        rest_s = min(2 * rest_s, _LONGEST_REST_S)


def _ask_for(client: ApiClient, job_id: str) -> Job:
    try:
        return client.job(job_id)
    except JobNotFound as error:  # jobs go with their albums only
        raise InvalidRequest("the album was deleted before all of its photos were indexed") from error


def sum_up(jobs: Sequence[Job], elapsed_s: float) -> IndexRun:
    """Make one run of its jobs."""
    return IndexRun(
        job_id=jobs[0].job_id if jobs else None,
        listing=any(job.state == _LISTING for job in jobs),
        photos=sum(job.photos for job in jobs),
        indexed=sum(job.indexed for job in jobs),
        dead=sum(job.dead for job in jobs),
        waiting=sum(job.waiting for job in jobs),
        faces=sum(job.faces for job in jobs),
        seconds=jobs[0].seconds if len(jobs) == 1 else round(elapsed_s, 3),
    )
