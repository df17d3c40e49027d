"""Albums: create, list, show, delete."""

from fastapi import APIRouter, Depends, status

from api.bodies import require_json
from api.dependencies import AlbumDep, CallerDep, ReachDep, ServicesDep
from api.problems_in_openapi import problems
from api.schemas.albums import AlbumChange, AlbumList, AlbumView, NewAlbum
from facefleet.purging import purge_album

router = APIRouter(prefix="/v1/albums", tags=["albums"])


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(require_json)],
    responses=problems(409, 415, 422),
)
def create_album(new: NewAlbum, services: ServicesDep, reach: ReachDep) -> AlbumView:
    """Create an album: a set of photos in which faces are searched together."""
    album = reach.create_album(new.name)
    if new.forget_after_days is not None:
        services.ledger.retention.set(album.id, new.forget_after_days, reach.caller.who)
    return AlbumView.of(services.ledger.albums.summarize(album.id))


@router.get("")
def list_albums(reach: ReachDep) -> AlbumList:
    """List all albums with their counts."""
    return AlbumList(albums=[AlbumView.of(summary) for summary in reach.summaries()])


@router.get("/{album}", responses=problems(404))
def get_album(album: AlbumDep, services: ServicesDep) -> AlbumView:
    """Show one album with its counts."""
    return AlbumView.of(services.ledger.albums.summarize(album.id))


@router.patch("/{album}", dependencies=[Depends(require_json)], responses=problems(404, 415, 422))
def change_album(album: AlbumDep, change: AlbumChange, services: ServicesDep, caller: CallerDep) -> AlbumView:
    """Say after how many days without a search an album is deleted; they are counted from now on."""
    services.ledger.retention.set(album.id, change.forget_after_days, caller.who)
    return AlbumView.of(services.ledger.albums.summarize(album.id))


@router.delete("/{album}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
def delete_album(album: AlbumDep, services: ServicesDep, caller: CallerDep) -> None:
    """Delete an album with its faces and the photos that were sent to it; photos indexed where they lie stay there."""
    parts = (services.ledger, services.gallery, services.stores, services.settings)
    purge_album(*parts, album, who=caller.who)
