"""The composition root: settings become ledger, gallery, photo stores, recognizer and fleet here and nowhere else."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr, ValidationError

from cli.loading import loading
from cli.whereabouts import resolve_data_dir
from facefleet.errors import ConfigurationError
from facefleet.gallery.opening import open_gallery
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.metrics import Metrics
from facefleet.migration.current_model import require_current_model
from facefleet.photo_store import open_photo_stores
from facefleet.recognition.calibration import load_curve
from facefleet.recognition.model_pack import obtain_model_pack
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD
from facefleet.recognition.similarity import usual_curve
from facefleet.settings import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from api.dependencies import Services
    from facefleet.recognition.recognizer import Recognizer


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    Raises:
        ConfigurationError: a value is not acceptable; the sentence names it.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"FACEFLEET_{'_'.join(str(part) for part in each['loc']).upper()}: {each['msg']}{_show_input(each)}"
            for each in error.errors()
        )
        raise ConfigurationError(wrong) from error
    return settings.model_copy(update={"data_dir": resolve_data_dir(settings.data_dir)})


def _show_input(wrong: "ErrorDetails") -> str:
    """Show what was set, unless it is a secret."""
    field = Settings.model_fields.get(str(wrong["loc"][0])) if wrong["loc"] else None
    return "" if field is not None and field.annotation is SecretStr else f", not {wrong['input']!r}"


def open_own_ledger(settings: Settings) -> Ledger:
    """Open the ledger that the settings name.

    Raises:
        ConfigurationError: the URL is of no use, or a newer Facefleet has written the database.
        LedgerUnavailable: the database cannot be reached.
    """
    return open_ledger(settings.resolved_ledger_url, settings.audit_secret.get_secret_value().encode())


def open_own_gallery(settings: Settings, *, owner: bool) -> closing[Gallery]:
    """Open the gallery that the settings name, and close it when the block ends; see `open_gallery`."""
    with loading():  # what speaks to a Qdrant server is the largest of all that a process loads
        return closing(open_gallery(settings, owner=owner))


def open_operators_ledger(settings: Settings) -> Ledger:
    """Open the ledger for a command that works on it directly, beside a running server or without one.

    Raises:
        ConfigurationError: a server elsewhere has the ledger, or as for `open_own_ledger`.
        LedgerUnavailable: the database cannot be reached.
    """
    if settings.server and not settings.ledger_url:
        raise ConfigurationError(
            f"this is done where the ledger is, not over the network: run it on the machine of {settings.server}"
        )
    if not settings.ledger_url:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_own_ledger(settings)


@contextmanager
def open_services(
    settings: Settings, *, recognizes: bool, on_loopback: bool, keys_are_on: bool, has_fleet: bool = True
) -> "Iterator[Services]":
    """Open what the API works with, and close it when the block ends.

    Args:
        settings: those of this process, which owns the data directory.
        recognizes: whether to load the models; without them the API lists and deletes but cannot look at images.
        on_loopback: whether only this machine can reach the API.
        keys_are_on: whether requests have to show API keys.
        has_fleet: whether the caller, or somebody whom the broker reaches, indexes what the ledger holds.

    Raises:
        ConfigurationError: settings, files or machine do not allow it.
        TransientError: a dependency is down.
    """
    from api.dependencies import Services  # noqa: PLC0415  FastAPI, which workers and dispatcher do without

    with ExitStack() as stack:
        metrics = Metrics()
        recognizer = stack.enter_context(_open_recognizer(settings, metrics)) if recognizes else None
        ledger = stack.enter_context(closing(open_own_ledger(settings)))
        if recognizer:
            require_current_model(ledger, recognizer.model_version)
        gallery = stack.enter_context(open_own_gallery(settings, owner=True))
        yield Services(
            settings=settings,
            ledger=ledger,
            gallery=gallery,
            stores=open_photo_stores(settings),
            metrics=metrics,
            recognizer=recognizer,
            model_version=recognizer.model_version if recognizer else "",
            on_loopback=on_loopback,
            keys_are_on=keys_are_on,
            has_fleet=has_fleet,
            similarity=load_curve(recognizer.pack, settings.data_dir)
            if recognizer
            else usual_curve(USUAL_SIMILARITY_THRESHOLD),
        )


def _open_recognizer(settings: Settings, metrics: Metrics) -> "closing[Recognizer]":
    from facefleet.recognition.starting import load_recognizer  # noqa: PLC0415  OpenCV and more, as below

    return closing(load_recognizer(settings, metrics))


@contextmanager
def open_lister(services: "Services") -> Iterator[None]:
    """List sources, in this process, for as long as the block lasts; what is new in them waits for a fleet.

    Raises:
        ConfigurationError: there is no model pack, and so no version that photos would be indexed with.
    """
    from workers.dispatcher.lister import lister_in_thread  # noqa: PLC0415  as below

    settings = services.settings
    model_version = obtain_model_pack(settings).model_version
    require_current_model(services.ledger, model_version)
    with lister_in_thread(services.ledger, services.stores, settings, model_version):
        yield


@contextmanager
def open_grouper(services: "Services") -> Iterator[None]:
    """Group faces that the ledger knows into people, in this process, for as long as the block lasts.

    Nobody else does: what another process of this data directory had begun is begun again.
    """
    from facefleet.people.grouping import AlbumGrouper, grouper_in_thread  # noqa: PLC0415  as below
    from facefleet.people.model_rules import ModelRules  # noqa: PLC0415  as below

    settings = services.settings
    if not settings.ledger_url:
        services.ledger.clusterings.expire_all()
    grouper = AlbumGrouper(services.ledger, services.gallery, ModelRules.at_hand(settings).of, settings.lease_s)
    with grouper_in_thread(grouper, settings.max_crashes):
        yield


@contextmanager
def open_fleet(services: "Services", *, groups_apart: bool = False) -> Iterator[None]:
    """Index what the ledger holds, in this process, for as long as the block lasts.

    Args:
        services: with a recognizer.
        groups_apart: whether people are grouped in a process of its own; the gallery must be served to it.
    """
    from workers.embedded import embedded_fleet  # noqa: PLC0415  Celery takes a second that few commands need
    from workers.parts import FleetParts  # noqa: PLC0415  the same

    if services.recognizer is None:
        raise ConfigurationError("a fleet cannot work without a model pack")
    parts = FleetParts(
        settings=services.settings,
        ledger=services.ledger,
        gallery=services.gallery,
        stores=services.stores,
        metrics=services.metrics,
        model_version=services.model_version,
        recognizer=services.recognizer,
    )
    with embedded_fleet(parts, groups_apart=groups_apart):
        yield
