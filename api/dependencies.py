"""What routes are handed: the services of the process, the album of the path, the image of the body."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Event
from typing import Annotated, TypeAlias
from uuid import UUID

from anyio import to_thread
from fastapi import BackgroundTasks, Depends, Path, Query, Request

from api.credentials import Admission
from api.permissions import needed_scopes
from api.reach import Reach
from api.schemas.albums import AlbumName
from api.search_queue import SearchQueue
from facefleet.errors import Overloaded, RecognizerUnavailable
from facefleet.gallery.protocol import Gallery
from facefleet.identity.caller import EVERYBODY, NOBODY, Caller
from facefleet.ledger.engine import Ledger
from facefleet.metrics import Metrics
from facefleet.photo_store import PhotoStores
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD
from facefleet.recognition.recognizer import Recognizer
from facefleet.recognition.similarity import SimilarityCurve, usual_curve
from facefleet.records import Album
from facefleet.settings import Settings


@dataclass(frozen=True)
class Services:
    """Everything that the API works with. Built and closed by who starts the process; safe in several threads."""

    settings: Settings
    ledger: Ledger
    gallery: Gallery
    stores: PhotoStores
    metrics: Metrics
    #: None in a server that only takes photos in and hands results out.
    recognizer: Recognizer | None
    #: Photos are accepted for this model version; empty: none are, because the model pack is not known.
    model_version: str
    #: Whether only this machine can reach the server.
    on_loopback: bool
    #: False when photos would wait for ever: no worker runs in this process, and its broker reaches no other.
    has_fleet: bool = True
    #: What a cosine of this model version means; a guess where nobody calibrated the pack.
    similarity: SimilarityCurve = field(default_factory=lambda: usual_curve(USUAL_SIMILARITY_THRESHOLD))
    #: Whether a request has to show a key; what signs and derives for it is `settings.master_secret`.
    keys_are_on: bool = False
    #: Opens everything, until the process ends: for who started it.
    own_key: str = field(default_factory=lambda: token_hex(32))
    #: Set by who stops the server, before it waits for requests in flight: clients that follow a job are let go.
    stopping: Event = field(default_factory=Event)

    @property
    def folder_sources_allowed(self) -> bool:
        """Whether a client may have folders of this machine indexed."""
        chosen = self.settings.folder_sources
        return self.on_loopback if chosen is None else chosen


async def get_services(request: Request) -> Services:
    """Hand out what `create_app` was given."""
    services: Services = request.app.state.services
    return services


ServicesDep: TypeAlias = Annotated[Services, Depends(get_services)]


async def get_caller(request: Request, later: BackgroundTasks) -> Caller:
    """Say who sent a request, and refuse what they may not do. `create_app` asks this of every route.

    Raises:
        NotAuthenticated: no key, or none that counts.
        NotPermitted: the key does not have the scope that the route needs.
        RateLimited: the key is used too often.
    """
    needed = needed_scopes(request.method, request.scope["route"].path)
    if not needed:
        return NOBODY
    admission: Admission = request.app.state.admission
    if not admission.keys_are_on:
        return EVERYBODY
    caller, use_is_news = await to_thread.run_sync(admission.admit, request)
    if use_is_news:
        later.add_task(admission.note_use, caller.key_id)
    caller.require(*needed)
    return caller


CallerDep: TypeAlias = Annotated[Caller, Depends(get_caller)]


async def get_whole_tenant(caller: CallerDep) -> str:
    """Say on whose behalf a request acts that tells of every album.

    Raises:
        NotPermitted: the key is limited to some albums.
    """
    caller.require_whole_tenant()
    return caller.tenant


async def get_reach(services: ServicesDep, caller: CallerDep) -> Reach:
    """Hand out the albums and jobs that the caller sees."""
    return Reach(services.ledger, caller)


WholeTenantDep: TypeAlias = Annotated[str, Depends(get_whole_tenant)]
ReachDep: TypeAlias = Annotated[Reach, Depends(get_reach)]


def find_album(album: Annotated[AlbumName, Path(description="The album's name.")], reach: ReachDep) -> Album:
    """Find the album that the path names.

    Raises:
        AlbumNotFound: the caller sees none of that name, or it is being deleted.
    """
    return reach.album(album)


AlbumDep: TypeAlias = Annotated[Album, Depends(find_album)]


PageLimit: TypeAlias = Annotated[int, Query(ge=1, le=1000, description="At most this many.")]
PageAfter: TypeAlias = Annotated[UUID | None, Query(description="`next` of the page before.")]


async def get_recognizer(services: ServicesDep) -> Recognizer:
    """Hand out the recognizer.

    Raises:
        RecognizerUnavailable: the server runs without one.
    """
    if services.recognizer is None:
        raise RecognizerUnavailable("this server was started without a model pack; it cannot look at images")
    return services.recognizer


async def require_model_version(services: ServicesDep) -> None:
    """Refuse photos that no worker would know what to do with.

    Raises:
        RecognizerUnavailable: the server runs without a model pack.
    """
    if not services.model_version:
        raise RecognizerUnavailable("this server was started without a model pack; it cannot take photos in")


RecognizerDep: TypeAlias = Annotated[Recognizer, Depends(get_recognizer)]


async def get_searches(request: Request) -> SearchQueue:
    """Hand out the line that searches stand in."""
    searches: SearchQueue = request.app.state.searches
    return searches


SearchesDep: TypeAlias = Annotated[SearchQueue, Depends(get_searches)]


async def stands_in_line() -> None:
    """Mark a route as a search, which `SearchGate` sends away when it would wait for too long."""


async def admit_upload(request: Request) -> AsyncIterator[None]:
    """Hold one of the places for uploads while the request lasts: each holds a thread, files and bytes.

    Nobody waits for one: another queue would only make callers wait longer for the same answer.

    Raises:
        Overloaded: all places are taken.
    """
    places: Semaphore = request.app.state.upload_places
    if places.locked():
        raise Overloaded("as many uploads as this server takes are in work already; come back soon")
    async with places:
        yield
