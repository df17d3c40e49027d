"""People of an album: who is in it, and the grouping of its faces."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status
from pydantic import BaseModel, Field

from api.bodies import require_json
from api.dependencies import AlbumDep, ReachDep, Services, ServicesDep
from api.error_responses import NoFleet
from api.photo_links import Links
from api.problems_in_openapi import problems
from api.schemas.people import (
    AlbumPeople,
    ClusteringView,
    PersonFaceList,
    PersonFaceView,
    PersonView,
    PhotoFaceView,
    PhotoPeople,
)
from api.schemas.people_changes import (
    NewPerson,
)
from facefleet.errors import FaceNotFound
from facefleet.ledger.people import Scope
from facefleet.records import Album

router = APIRouter(prefix="/v1", tags=["people"])


class PeopleQuery(BaseModel):
    """Which people are listed, and how."""

    hidden: bool = Field(default=False, description="Whether hidden people are listed too.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most this many.")
    after: UUID | None = Field(default=None, description="`next` of the page before.")
    links: bool = Field(default=False, description="Whether faces carry signed links to their pictures.")

    def links_of(self, request: Request) -> Links | None:
        """Make links, if they were asked for."""
        return Links.of(request) if self.links else None


@router.get("/albums/{album}/people", responses=problems(404, 422))
def list_people_of_album(
    request: Request, album: AlbumDep, services: ServicesDep, wanted: Annotated[PeopleQuery, Query()]
) -> AlbumPeople:
    """List who is in the album, those with most faces first, and whether that is up to date."""
    scope = Scope(album.tenant, album.id, with_hidden=wanted.hidden)
    found = services.ledger.people.page(scope, wanted.limit + 1, wanted.after)
    links, page = wanted.links_of(request), found[: wanted.limit]
    return AlbumPeople(
        people=[PersonView.of(person, links) for person in page],
        next=page[-1].id if len(found) > wanted.limit else None,
        clustering=show_clustering(services, album),
    )


@router.post(
    "/albums/{album}/people",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(require_json)],
    responses=problems(404, 415, 422),
)
def create_person(album: AlbumDep, wanted: NewPerson, services: ServicesDep) -> PersonView:
    """Make a new person of faces of the album, whoever they were."""
    found = services.ledger.faces.get_many(wanted.face_ids)
    for face_id in wanted.face_ids:
        if face_id not in found or found[face_id].album_id != album.id:
            raise FaceNotFound(f"there is no face {face_id} in this album (any more)")
    person_id = services.ledger.people_book.create(album.tenant, wanted.face_ids, wanted.name)
    return PersonView.of(services.ledger.people.get(album.tenant, person_id), None)


@router.get("/albums/{album}/people/cluster", responses=problems(404))
def get_clustering(album: AlbumDep, services: ServicesDep) -> ClusteringView:
    """Show how far the grouping of the album's faces into people is."""
    return show_clustering(services, album)


@router.post("/albums/{album}/people/cluster", status_code=status.HTTP_202_ACCEPTED, responses=problems(404, 409))
def cluster_album(album: AlbumDep, services: ServicesDep) -> ClusteringView:
    """Group all faces of the album anew. What humans decided stays; new photos join by themselves without this."""
    require_fleet(services)
    services.ledger.clusterings.want(album.id)
    return show_clustering(services, album)


@router.get("/albums/{album}/people/faces", responses=problems(404, 422))
def list_faces_of_people(
    request: Request, album: AlbumDep, services: ServicesDep, wanted: Annotated[PeopleQuery, Query()]
) -> PersonFaceList:
    """List every face of the album that is somebody's; those of nobody are left out."""
    scope = Scope(album.tenant, album.id, with_hidden=wanted.hidden)
    found = services.ledger.appearances.faces(scope, None, wanted.limit + 1, wanted.after)
    links, page = wanted.links_of(request), found[: wanted.limit]
    return PersonFaceList(
        faces=[PersonFaceView.of(face, links) for face in page],
        next=page[-1].face.id if len(found) > wanted.limit else None,
    )


@router.get("/photos/{photo}/people", responses=problems(404, 422))
def list_people_of_photo(photo: UUID, reach: ReachDep) -> PhotoPeople:
    """List the faces of a photo, and whose they are."""
    faces = reach.ledger.appearances.on_photo(reach.caller.tenant, reach.photo(photo).id)
    return PhotoPeople(faces=[PhotoFaceView.of(face) for face in faces])


def show_clustering(services: Services, album: Album) -> ClusteringView:
    """Show how far the grouping of an album is."""
    return ClusteringView.of(services.ledger.clusterings.show(album.id, services.settings.max_crashes))


def require_fleet(services: Services) -> None:
    """Return when somebody would do the work.

    Raises:
        NoFleet: the server runs alone.
    """
    if not services.has_fleet:
        raise NoFleet(
            "no worker would ever group these faces: the server runs alone, and FACEFLEET_BROKER_URL names no broker "
            "that workers can reach; set it for all processes of the fleet, or run `facefleet up` instead"
        )
