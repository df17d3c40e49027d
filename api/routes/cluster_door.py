"""`POST /cluster`: group an album's faces and wait for the clusters, as other face services do."""

import time
from collections.abc import Iterator
from typing import Literal

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends

from api.bodies import require_json
from api.dependencies import ReachDep, Services, ServicesDep
from api.problems_in_openapi import problems
from api.routes.album_people import require_fleet
from api.schemas.cluster_door import ClusterAnswer, ClusterRequest, ClusterView
from facefleet.ledger.people import Scope
from facefleet.people_records import Clustering, ClusteringState, Person
from facefleet.records import Album

router = APIRouter(tags=["compatibility"])

_ASK_AGAIN_S = 0.1
_PAGE = 1000
_UNFINISHED = {ClusteringState.WAITING, ClusteringState.RUNNING}
_STATUS: dict[ClusteringState, Literal["completed", "failed"]] = {
    ClusteringState.DONE: "completed",
    ClusteringState.FAILED: "failed",
}


@router.post("/cluster", dependencies=[Depends(require_json)], responses=problems(404, 409, 415, 422))
async def cluster(wanted: ClusterRequest, services: ServicesDep, reach: ReachDep) -> ClusterAnswer:
    """Group all faces of an album anew and answer with its clusters, or with `running` when that takes long."""
    album = await to_thread.run_sync(reach.album, wanted.event_id)
    require_fleet(services)
    began = time.monotonic()
    await to_thread.run_sync(services.ledger.clusterings.want, album.id)
    shown = await _wait(services, album, began + services.settings.cluster_wait_s)
    clusters = await to_thread.run_sync(lambda: list(_list_clusters(services, album)))
    return ClusterAnswer(
        job_id=wanted.job_id,
        event_id=wanted.event_id,
        total_faces=shown.total_faces or 0,
        clusters_created=len(clusters),
        noise_faces=shown.noise_faces or 0,
        clusters=clusters,
        processing_time_seconds=round(time.monotonic() - began, 3),
        status=_STATUS.get(shown.state, "running"),
    )


async def _wait(services: Services, album: Album, until: float) -> Clustering:
    def look() -> Clustering:
        return services.ledger.clusterings.show(album.id, services.settings.max_crashes)

    while (shown := await to_thread.run_sync(look)).state in _UNFINISHED:
        if time.monotonic() > until or services.stopping.is_set():
            break
        await anyio.sleep(_ASK_AGAIN_S)
    return shown


def _list_clusters(services: Services, album: Album) -> Iterator[ClusterView]:
    qualities = services.ledger.people.mean_qualities(album.id)
    people = _walk_people(services, Scope(album.tenant, album.id, with_hidden=True))
    for label, person in enumerate(people):
        yield ClusterView(
            cluster_label=label,
            face_count=person.faces,
            representative_face_id=person.cover.face.id if person.cover else None,
            avg_quality=round(qualities.get(person.id, 0.0), 4),
        )


def _walk_people(services: Services, scope: Scope) -> Iterator[Person]:
    after = None
    while page := services.ledger.people.page(scope, _PAGE, after):
        yield from page
        after = page[-1].id
