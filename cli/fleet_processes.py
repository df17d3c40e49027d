"""The two processes of a fleet that answer nobody: worker and dispatcher."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields

from cli.composition import load_settings, open_own_ledger
from facefleet.errors import ConfigurationError
from facefleet.gallery.opening import open_gallery
from facefleet.logs import configure_logging
from facefleet.metrics import Metrics
from facefleet.migration.current_model import require_current_model
from facefleet.photo_store import open_photo_stores
from facefleet.recognition.model_pack import find_model_pack
from facefleet.recognition.recognizer import load_recognizer
from workers.dispatcher.dispatcher import run_dispatcher
from workers.parts import DispatcherParts, FleetParts
from workers.worker import run_worker


def work() -> int:
    """Run a worker until SIGTERM or SIGINT.

    Returns:
        The exit status: 1 when the recognizer went out of service, so that a supervisor starts another worker.

    Raises:
        ConfigurationError: settings, files or machine do not allow it.
    """
    with _open_parts() as parts, closing(load_recognizer(parts.settings, parts.metrics)) as recognizer:
        shared = {field.name: getattr(parts, field.name) for field in fields(DispatcherParts)}
        return run_worker(FleetParts(**shared, recognizer=recognizer))


def dispatch() -> None:
    """Run the dispatcher until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: settings or files do not allow it.
    """
    with _open_parts() as parts:
        run_dispatcher(parts)


@contextmanager
def _open_parts() -> Iterator[DispatcherParts]:
    settings = load_settings()
    configure_logging(settings)
    if settings.broker_url.startswith("memory:"):
        raise ConfigurationError(
            "a fleet of several processes needs a broker that all of them reach: set FACEFLEET_BROKER_URL, e.g. to "
            "redis://localhost:6379/0, or run everything in one process with `facefleet up`"
        )
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(open_own_ledger(settings)))
        model_version = find_model_pack(settings).model_version
        require_current_model(ledger, model_version)
        yield DispatcherParts(
            settings=settings,
            ledger=ledger,
            gallery=stack.enter_context(closing(open_gallery(settings, owner=False))),
            stores=open_photo_stores(settings),
            metrics=Metrics(),
            model_version=model_version,
        )
