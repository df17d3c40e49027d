"""The ASGI application."""

import secrets
from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from anyio import to_thread
from fastapi import Depends, FastAPI

from api.body_limit import BodyLimit
from api.credentials import Admission
from api.dependencies import Services, get_caller
from api.error_responses import install_error_responses
from api.observing import RequestObserver
from api.routes import (
    album_people,
    albums,
    cluster_door,
    compat,
    events,
    faces,
    health,
    jobs,
    people,
    photo_links,
    photos,
    predictions,
    processing,
    rekognition,
    search,
    session,
    system,
    web,
)
from api.search_gate import SearchGate
from api.search_queue import SearchQueue
from api.security_in_openapi import DescribedApi
from api.trusted_hosts import TrustedHosts
from facefleet.errors import FacefleetError
from facefleet.identity.derivation import derive_signing_key
from facefleet.identity.opening import open_rate_limits
from facefleet.pictures import PictureCache

log = structlog.stdlib.get_logger(__name__)

#: Threads for requests that are not searches, so that these never wait for a full house of searches.
_OTHER_REQUEST_THREADS = 40

_ROUTES = (
    albums,
    photos,
    jobs,
    search,
    faces,
    album_people,
    people,
    predictions,
    events,
    health,
    session,
    system,
    photo_links,
    rekognition,
    compat,
    cluster_door,
    processing,
    web,
)

_DESCRIPTION = """Index photo albums by face and find a person in them.

Boxes are `[x, y, width, height]` in pixels of the upright photo; `box_fraction` is the same over its width and height.
Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems: `type` is a stable word, `detail` a sentence.
A 503 and a 429 carry `Retry-After`.

Where keys are on, a request shows one as `Authorization: Bearer KEY` or `X-Api-Key: KEY`; the key has one of the scopes
that `x-scopes` names.
"""


def create_app(services: Services) -> FastAPI:
    """Build the API around services that the caller opened and will close."""
    app = DescribedApi(
        title="Facefleet",
        version=version("facefleet"),
        description=_DESCRIPTION,
        lifespan=_prepare_to_serve,
        dependencies=[Depends(get_caller)],
    )
    app.state.services = services
    master_secret = services.settings.master_secret.get_secret_value() or secrets.token_hex(32)
    app.state.admission = Admission(
        services.ledger,
        open_rate_limits(services.settings),
        services.keys_are_on,
        services.own_key,
        master_secret,
    )
    app.state.searches = SearchQueue(services.settings)
    app.state.upload_places = Semaphore(services.settings.max_uploads)
    app.state.picture_places = Semaphore(services.settings.max_pictures)
    app.state.pictures = PictureCache(services.settings.picture_cache_bytes)
    link_secret = services.settings.link_secret.get_secret_value().encode()
    app.state.link_key = link_secret or derive_signing_key(master_secret, "link")
    install_error_responses(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(TrustedHosts, services=services)
    routes = [route for module in _ROUTES for route in module.router.routes] + compat.searches.routes
    app.add_middleware(SearchGate, searches=app.state.searches, routes=routes)
    app.add_middleware(RequestObserver, requests=services.metrics.requests)
    for module in _ROUTES:
        app.include_router(module.router)
    app.include_router(compat.searches)
    app.mount("/web", web.PageFiles(), "web")
    return app


@asynccontextmanager
async def _prepare_to_serve(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    await to_thread.run_sync(_prepare_gallery, services)
    to_thread.current_default_thread_limiter().total_tokens = (
        services.settings.resolved_search_threads + _OTHER_REQUEST_THREADS
    )
    yield
    app.state.admission.limits.close()


def _prepare_gallery(services: Services) -> None:
    """Let searches find nothing, instead of failing, before the first worker has ever run."""
    if services.recognizer is None:
        return
    try:
        services.gallery.prepare(services.recognizer.model_version, services.recognizer.dimensions)
    except FacefleetError as error:
        log.warning("gallery not prepared; searches fail until a worker has done it", error=str(error))
