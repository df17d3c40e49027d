"""Indexing runs: start one over a source, follow it."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Path, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.bodies import require_json
from api.dependencies import AlbumDep, ReachDep, Services, ServicesDep
from api.error_responses import FolderSourcesOff, NoFleet, problem_of
from api.problems_in_openapi import problems
from api.schemas.jobs import IndexRequest, IndexStarted, JobView
from facefleet.errors import InvalidRequest, JobNotFound, TransientError
from facefleet.photo_store import source_uri
from facefleet.photo_store.uris import scheme_of
from facefleet.records import Album, JobState

_POLL_S = 0.5
_ENDED = {JobState.DONE, JobState.FAILED}
_FOLDER_SCHEMES = {"", "file"}

router = APIRouter(prefix="/v1", tags=["indexing"])


@router.post(
    "/albums/{album}/index",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(require_json)],
    responses=problems(403, 404, 409, 415, 422),
)
def index_source(album: AlbumDep, wanted: IndexRequest, services: ServicesDep) -> IndexStarted:
    """Index every photo of a bucket's prefix or a folder, where it lies; those that are indexed already are skipped."""
    if not services.has_fleet:
        raise NoFleet(
            "no worker would ever index this: the server runs alone, and FACEFLEET_BROKER_URL names no broker that "
            "workers can reach; set it for all processes of the fleet, or run `facefleet up` instead"
        )
    if scheme_of(wanted.source) in _FOLDER_SCHEMES:
        _check_folder(wanted.source, album, services)
    source = source_uri(wanted.source)
    job = services.ledger.jobs.create(album.id, source, JobState.LISTING)
    return IndexStarted(job_id=job.id, album=album.name, source=source)


def _check_folder(folder: str, album: Album, services: Services) -> None:
    """Refuse before the file system is touched: the answer must not tell which folders exist."""
    if not services.folder_sources_allowed:
        raise FolderSourcesOff(
            "this server does not index folders of its own machine (FACEFLEET_FOLDER_SOURCES): "
            f"send the photos to /v1/albums/{album.name}/photos instead"
        )
    if not folder.startswith(("/", "file:///")):
        raise InvalidRequest(f"the folder has to be an absolute path of the server's machine, not {folder!r}")


def find_job(job: Annotated[UUID, Path(description="The job's id.")], reach: ReachDep) -> JobView:
    """Find the job that the path names.

    Raises:
        JobNotFound: there is none.
    """
    return JobView.of(reach.job(job))


JobDep = Annotated[JobView, Depends(find_job)]


@router.get("/jobs/{job}", responses=problems(404))
async def get_job(job: JobDep) -> JobView:
    """Show how far a job is."""
    return job


@router.get("/jobs/{job}/events", response_class=EventSourceResponse, responses=problems(404))
async def follow_job(job: JobDep, services: ServicesDep, reach: ReachDep) -> AsyncIterator[ServerSentEvent]:
    """Follow a job: an event `progress` whenever it changed, `done` or `failed` at the end. Each carries the job.

    A stream that ends with neither was cut by the end of the server: ask again.
    """
    shown: JobView | None = None
    while job.state not in _ENDED:
        if services.stopping.is_set():
            return
        if job != shown:
            yield ServerSentEvent(event="progress", data=job)
            shown = job
        await anyio.sleep(_POLL_S)
        try:
            job = await to_thread.run_sync(find_job, job.job_id, reach)
        except TransientError:
            continue
        except JobNotFound:
            gone = JobNotFound("the album was deleted")
            yield ServerSentEvent(event="failed", data=problem_of(gone, f"/v1/jobs/{job.job_id}"))
            return
    yield ServerSentEvent(event=job.state.value, data=job)
