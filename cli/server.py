"""A server that stays: what `up` and `api` have in common."""

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from secrets import token_hex
from threading import Thread

from api.dependencies import Services
from cli.composition import load_settings, open_services
from cli.data_directory import HeldDirectory, hold_data_directory
from cli.http_server import listen, serve_http, url_of
from cli.output import say
from facefleet.errors import ConfigurationError, DataDirectoryInUse
from facefleet.gallery.edge_server import serve_gallery
from facefleet.gallery.opening import gallery_socket
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.logs import configure_logging
from facefleet.settings import Settings


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers."""

    url: str
    services: Services


@contextmanager
def open_server(host: str, port: int, *, brings_fleet: bool) -> Iterator[RunningServer]:
    """Hold the data directory, load the models and answer requests until the block ends.

    Args:
        host: address to listen on.
        port: 0 for any that is free.
        brings_fleet: whether the caller runs the fleet in this process.

    Raises:
        DataDirectoryInUse: another process holds the data directory.
        ConfigurationError: the port is taken, a setting is wrong, the model pack is missing.
        TransientError: a dependency is down.
    """
    settings = load_settings()
    configure_logging(settings)
    with ExitStack() as stack:
        held = _hold_if_needed(settings, stack)
        listener = stack.enter_context(closing(listen(host, port)))
        on_loopback = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
        keys_are_on = _decide_on_keys(settings, host, on_loopback=on_loopback)
        has_fleet = brings_fleet or not settings.broker_url.startswith("memory:")
        services = stack.enter_context(
            open_services(
                settings, recognizes=True, on_loopback=on_loopback, keys_are_on=keys_are_on, has_fleet=has_fleet
            )
        )
        if isinstance(services.gallery, EdgeGallery):
            stack.enter_context(closing(serve_gallery(services.gallery, gallery_socket(settings))))
        stack.enter_context(serve_http(services, listener))
        if services.recognizer:  # beside the first requests, so that no later one waits for it
            Thread(target=services.recognizer.warm_up, name="warm-up", daemon=True).start()
        if held:
            held.publish(url_of(listener), services.own_key)
            stack.callback(held.withdraw)
        yield RunningServer(url_of(listener), services)


def _decide_on_keys(settings: Settings, host: str, *, on_loopback: bool) -> bool:
    """Ask for keys when they can be made, and do without only where nobody else is.

    Raises:
        ConfigurationError: others could reach the server, and nothing would keep them out.
    """
    if settings.master_secret.get_secret_value():
        return True
    if on_loopback and settings.is_embedded:
        return False
    what = "the API of a fleet" if on_loopback else f"a server on {host}"
    raise ConfigurationError(
        f"{what} asks for API keys, and none can be made yet: set FACEFLEET_MASTER_SECRET to random characters, the "
        f"same for every API process, e.g. to {token_hex(32)}; then `facefleet keys create` makes a key"
    )


def _hold_if_needed(settings: Settings, stack: ExitStack) -> HeldDirectory | None:
    """Several servers may share a data directory in which none of them keeps faces; the first one is found there."""
    try:
        return stack.enter_context(hold_data_directory(settings.data_dir))
    except DataDirectoryInUse:
        if settings.qdrant_url:
            return None
        raise


def introduce(server: RunningServer) -> None:
    """Say where the server is and what it works with."""
    settings, recognizer = server.services.settings, server.services.recognizer
    say(f"Facefleet: {server.url} is its web page, {server.url}/docs describes its API.")
    if recognizer:
        drawn = ", which knows drawn people only: for real photos set FACEFLEET_MODEL_PACK"
        say(f"Model pack: {recognizer.pack.name}{drawn if recognizer.pack.drawn_people else ''}.")
    if server.services.keys_are_on and not server.services.ledger.keys.list():
        say("It asks for an API key, and there is none yet: `facefleet keys create` makes one, with the same settings.")
    say(f"Data directory: {settings.data_dir}. Ctrl-C ends the server.")
