"""What the two processes of a fleet that answer nobody have in common."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from cli.composition import load_settings, open_own_gallery, open_own_ledger
from facefleet.errors import ConfigurationError
from facefleet.logs import configure_logging
from facefleet.metrics import Metrics
from facefleet.migration.current_model import require_current_model
from facefleet.photo_store import open_photo_stores
from facefleet.recognition.model_pack import ModelPack, find_model_pack
from workers.dispatcher_parts import DispatcherParts


@contextmanager
def open_parts() -> Iterator[tuple[DispatcherParts, ModelPack]]:
    """Open what both work with, and close it when the block ends.

    Raises:
        ConfigurationError: settings or files do not allow it.
        LedgerUnavailable: the database cannot be reached.
    """
    settings = load_settings()
    configure_logging(settings)
    if settings.broker_url.startswith("memory:"):
        raise ConfigurationError(
            "a fleet of several processes needs a broker that all of them reach: set FACEFLEET_BROKER_URL, e.g. to "
            "redis://localhost:6379/0, or run everything in one process with `facefleet up`"
        )
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(open_own_ledger(settings)))
        pack = find_model_pack(settings)
        require_current_model(ledger, pack.model_version)
        parts = DispatcherParts(
            settings=settings,
            ledger=ledger,
            gallery=stack.enter_context(open_own_gallery(settings, owner=False)),
            stores=open_photo_stores(settings),
            metrics=Metrics(),
            model_version=pack.model_version,
        )
        yield parts, pack
