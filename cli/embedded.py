"""A server of the command's own: the same API, and the same fleet, inside this process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cli.client import ApiClient
from cli.composition import load_settings, open_fleet, open_grouper, open_lister, open_services
from cli.data_directory import HeldDirectory
from cli.http_server import listen, serve_http, url_of
from cli.needs import Needs
from facefleet.logs import configure_logging
from facefleet.settings import Settings

#: Who works beside the server.
_OPENERS = {Needs.LISTER: open_lister, Needs.PEOPLE: open_grouper, Needs.FLEET: open_fleet}


@contextmanager
def serve_embedded(held: HeldDirectory, needs: Needs) -> Iterator[ApiClient]:
    """Serve until the block ends; it asks for a key that only the command, and who may read the directory, has.

    Only a server with a fleet is made known: the others are gone in a moment.

    Args:
        held: the data directory.
        needs: what the command asks of the server.
    """
    settings = load_settings()
    # The terminal belongs to the command: what goes well is not logged.
    configure_logging(settings, level="warning" if settings.log_level == "info" else None)
    with ExitStack() as stack:
        listener = stack.enter_context(listen("127.0.0.1", 0))
        recognizes = needs in {Needs.RECOGNIZER, Needs.FLEET}
        services = stack.enter_context(
            open_services(settings, recognizes=recognizes, on_loopback=True, keys_are_on=True)
        )
        if needs in _OPENERS and not _has_fleet_elsewhere(settings):
            stack.enter_context(_OPENERS[needs](services))
        stack.enter_context(serve_http(services, listener))
        if needs is Needs.FLEET:
            held.publish(url_of(listener), services.own_key)
            stack.callback(held.withdraw)
        # A key of this ledger says whose albums are meant; one that is meant for another server says nothing here.
        key = settings.api_key.get_secret_value() if settings.master_secret.get_secret_value() else ""
        yield ApiClient(url_of(listener), key or services.own_key, outlives_us=False)


def _has_fleet_elsewhere(settings: Settings) -> bool:
    """A broker that other processes can reach means that workers of their own do the work."""
    return not settings.broker_url.startswith("memory:")
