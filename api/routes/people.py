"""People of a tenant, in all of its albums: who they are, what is said about them, and the history of that."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, status
from pydantic import BaseModel, Field

from api.bodies import require_json
from api.dependencies import CallerDep, PageAfter, PageLimit, ReachDep, ServicesDep, WholeTenantDep
from api.photo_links import Links
from api.problems_in_openapi import problems
from api.routes.album_people import PeopleQuery
from api.schemas.albums import AlbumName
from api.schemas.people import (
    CompanionList,
    CompanionView,
    PersonFaceList,
    PersonFaceView,
    PersonList,
    PersonPhotoList,
    PersonPhotoView,
    PersonView,
)
from api.schemas.people_changes import (
    ChangeList,
    ChangeView,
    ChosenFaces,
    MergedPeople,
    NewPerson,
    PersonEdit,
    PersonName,
    PurgedPerson,
    UndoRequest,
)
from facefleet.ledger.people import Scope
from facefleet.purging import purge_person

router = APIRouter(prefix="/v1/people", tags=["people"])
_JSON = [Depends(require_json)]

PersonId = Annotated[UUID, Path(description="The person's id.")]


class NamedPeopleQuery(PeopleQuery):
    """Which people of a tenant are listed."""

    name: PersonName | None = Field(default=None, description="Only people of exactly this name.")


class InAlbum(BaseModel):
    """A page of what a person has, in one album or in all."""

    album: AlbumName | None = Field(default=None, description="Only in this album.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most this many.")
    after: UUID | None = Field(default=None, description="`next` of the page before.")
    links: bool = Field(default=False, description="Whether pictures are linked to.")

    def scope(self, tenant: str, reach: ReachDep) -> Scope:
        """Say of which faces is spoken."""
        return Scope(tenant, reach.album(self.album).id if self.album else None, with_hidden=True)


class PhotoQuery(InAlbum):
    """Which photos of a person are listed."""

    with_: list[UUID] = Field(default=[], alias="with", max_length=20, description="Only photos with all of these.")


@router.get("", responses=problems(422))
def list_people(
    request: Request, services: ServicesDep, tenant: WholeTenantDep, wanted: Annotated[NamedPeopleQuery, Query()]
) -> PersonList:
    """List who is in any album, those with most faces first, and who has a name only."""
    scope = Scope(tenant, with_hidden=wanted.hidden, name=wanted.name)
    found = services.ledger.people.page(scope, wanted.limit + 1, wanted.after)
    links, page = wanted.links_of(request), found[: wanted.limit]
    more = page[-1].id if len(found) > wanted.limit else None
    return PersonList(people=[PersonView.of(person, links) for person in page], next=more)


@router.get("/history", responses=problems(422))
def list_all_changes(
    services: ServicesDep, tenant: WholeTenantDep, limit: PageLimit = 100, after: PageAfter = None
) -> ChangeList:
    """List what humans changed about people, newest first."""
    return _show_history(services, tenant, None, limit, after)


@router.get("/{person}", responses=problems(404))
def get_person(request: Request, person: PersonId, services: ServicesDep, tenant: WholeTenantDep) -> PersonView:
    """Show somebody."""
    return PersonView.of(services.ledger.people.get(tenant, person), Links.of(request))


@router.patch("/{person}", dependencies=_JSON, responses=problems(404, 415, 422))
def edit_person(person: PersonId, wanted: PersonEdit, services: ServicesDep, tenant: WholeTenantDep) -> PersonView:
    """Name, hide or show a person, or choose the face that shows it."""
    fields = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    services.ledger.people_book.edit(tenant, person, **fields)
    return PersonView.of(services.ledger.people.get(tenant, person), None)


@router.delete("/{person}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
def delete_person(person: PersonId, services: ServicesDep, tenant: WholeTenantDep) -> None:
    """Forget a person; its faces stay in their albums, as nobody's. Can be undone."""
    services.ledger.people_book.delete(tenant, person)


@router.post("/{person}/purge", responses=problems(404, 503))
def purge_person_for_good(
    request: Request, person: PersonId, services: ServicesDep, caller: CallerDep, tenant: WholeTenantDep
) -> PurgedPerson:
    """Delete a person for good: faces, templates, name, history. Their photos stay, and do not bring them back.

    This cannot be undone. `DELETE` lets go of the name only, and can.
    """
    stores = (services.ledger, services.gallery, services.stores)
    erased = purge_person(*stores, tenant, person, who=caller.who)
    request.app.state.pictures.forget(erased.face_ids)
    return PurgedPerson(faces=len(erased.face_ids), photos=erased.photos)


@router.post("/{person}/merge", dependencies=_JSON, responses=problems(404, 415, 422))
def merge_people(person: PersonId, wanted: MergedPeople, services: ServicesDep, tenant: WholeTenantDep) -> PersonView:
    """Say that others are this person; a nameless one takes the first name that one of them has."""
    services.ledger.people_book.merge(tenant, person, wanted.people)
    return PersonView.of(services.ledger.people.get(tenant, person), None)


@router.post(
    "/{person}/split", status_code=status.HTTP_201_CREATED, dependencies=_JSON, responses=problems(404, 415, 422)
)
def split_person(person: PersonId, wanted: NewPerson, services: ServicesDep, tenant: WholeTenantDep) -> PersonView:
    """Make a new person of some of this one's faces."""
    new_id = services.ledger.people_book.split(tenant, person, wanted.face_ids, wanted.name)
    return PersonView.of(services.ledger.people.get(tenant, new_id), None)


@router.post("/{person}/faces", dependencies=_JSON, responses=problems(404, 415, 422))
def move_faces(person: PersonId, wanted: ChosenFaces, services: ServicesDep, tenant: WholeTenantDep) -> PersonView:
    """Say that faces are this person's, whoever had them."""
    services.ledger.people_book.move(tenant, person, wanted.face_ids)
    return PersonView.of(services.ledger.people.get(tenant, person), None)


@router.post(
    "/{person}/not",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=_JSON,
    responses=problems(404, 415, 422),
)
def reject_faces(person: PersonId, wanted: ChosenFaces, services: ServicesDep, tenant: WholeTenantDep) -> None:
    """Say that faces are not this person's: no grouping gives them back."""
    services.ledger.people_book.reject(tenant, person, wanted.face_ids)


@router.get("/{person}/faces", responses=problems(404, 422))
def list_faces_of_person(
    request: Request,
    person: PersonId,
    reach: ReachDep,
    tenant: WholeTenantDep,
    wanted: Annotated[InAlbum, Query()],
) -> PersonFaceList:
    """List a person's faces."""
    scope = wanted.scope(tenant, reach)
    found = reach.ledger.appearances.faces(scope, person, wanted.limit + 1, wanted.after)
    links, page = Links.of(request) if wanted.links else None, found[: wanted.limit]
    more = page[-1].face.id if len(found) > wanted.limit else None
    return PersonFaceList(faces=[PersonFaceView.of(face, links) for face in page], next=more)


@router.get("/{person}/photos", responses=problems(404, 422))
def list_photos_of_person(
    request: Request,
    person: PersonId,
    reach: ReachDep,
    tenant: WholeTenantDep,
    wanted: Annotated[PhotoQuery, Query()],
) -> PersonPhotoList:
    """List the photos of a person as time went by; with others: those on which all of them are together."""
    scope, everybody = wanted.scope(tenant, reach), [person, *wanted.with_]
    found = reach.ledger.appearances.photos(scope, everybody, wanted.limit + 1, wanted.after)
    links, page = Links.of(request) if wanted.links else None, found[: wanted.limit]
    more = page[-1].photo_id if len(found) > wanted.limit else None
    return PersonPhotoList(photos=[PersonPhotoView.of(photo, links) for photo in page], next=more)


@router.get("/{person}/companions", responses=problems(404, 422))
def list_companions(
    person: PersonId, services: ServicesDep, tenant: WholeTenantDep, limit: PageLimit = 100
) -> CompanionList:
    """List who is on the same photos, most often first."""
    found = services.ledger.appearances.companions(tenant, person, limit)
    return CompanionList(people=[CompanionView.of(each) for each in found])


@router.get("/{person}/history", responses=problems(404, 422))
def list_changes_of_person(
    person: PersonId,
    services: ServicesDep,
    tenant: WholeTenantDep,
    limit: PageLimit = 100,
    after: PageAfter = None,
) -> ChangeList:
    """List what humans changed about a person and all who were merged into it, newest first."""
    return _show_history(services, tenant, person, limit, after)


@router.post("/{person}/undo", dependencies=_JSON, responses=problems(404, 409, 415, 422))
def undo_change(person: PersonId, wanted: UndoRequest, services: ServicesDep, tenant: WholeTenantDep) -> ChangeView:
    """Undo a change of a person: the named one, or the newest that is not undone. Also of one that is gone."""
    return ChangeView.of(services.ledger.people_book.undo(tenant, person, wanted.change_id))


def _show_history(
    services: ServicesDep, tenant: str, person_id: UUID | None, limit: int, after: UUID | None
) -> ChangeList:
    found = services.ledger.people.history(tenant, person_id, limit + 1, after)
    page = found[:limit]
    more = page[-1].id if len(found) > limit else None
    return ChangeList(changes=[ChangeView.of(change) for change in page], next=more)
