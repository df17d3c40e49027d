"""What `doctor` looks at. Each check returns what it found and never raises for what a person can mend."""

import os
import re
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from itertools import islice
from urllib.parse import urlsplit

import sqlalchemy as sa

from cli.client import ApiClient
from cli.data_directory import read_server_note
from facefleet.environment import read_environment
from facefleet.errors import BrokerUnavailable, ConfigurationError, FacefleetError, PhotoStoreUnavailable
from facefleet.gallery.opening import open_gallery
from facefleet.ledger.database import connect
from facefleet.photo_store import open_photo_stores
from facefleet.recognition.model_pack import find_model_pack
from facefleet.recognition.runtimes import choose_runtime
from facefleet.settings import Settings

_LOW_SPACE_BYTES = 1_000_000_000
_CONNECT_TIMEOUT_S = 5
#: What docker-compose.yml alone reads: it takes its variables from the same `.env`.
_OF_COMPOSE = {"port", "tag"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    what: str
    ok: bool
    found: str
    #: What to do about it; empty when nothing is wrong or `found` says it.
    remedy: str


def examine(settings: Settings) -> list[Finding]:
    """Run every check, one after the other."""
    return [_run(check, settings) for check in _CHECKS]


def _run(check: "_Check", settings: Settings) -> Finding:
    try:
        return Finding(check.what, ok=True, found=check.look(settings), remedy="")
    except FacefleetError as error:
        return Finding(check.what, ok=False, found=str(error), remedy=check.remedy)


def find_packages(_settings: Settings) -> str:
    """Look for the packages that this one asks for."""
    wanted = [each for each in metadata.requires("facefleet") or [] if "extra ==" not in each]
    names = [match[0] for each in wanted if (match := re.match(r"[\w.-]+", each))]
    # Other distributions bring these too: onnxruntime-gpu (the check of the runtime says more), OpenCV's headless one.
    missing = [name for name in names if name not in {"onnxruntime", "opencv-python"} and not _is_installed(name)]
    if missing:
        raise ConfigurationError(f"not installed: {', '.join(missing)}")
    return f"Python {sys.version.split()[0]}, facefleet {metadata.version('facefleet')}, all packages it needs"


def find_settings(_settings: Settings) -> str:
    """Look which settings are made, and whether there are such: what nothing reads is passed over everywhere else."""
    made = sorted(set(read_environment()) - _OF_COMPOSE)
    if strangers := [_hint_at(name) for name in made if name not in Settings.model_fields]:
        raise ConfigurationError(f"nothing reads {', '.join(strangers)}")
    return ", ".join(map(_variable, made)) or "none is made: all are as in .env.example"


def _hint_at(stranger: str) -> str:
    meant = get_close_matches(stranger, Settings.model_fields, 1)
    return f"{_variable(stranger)} (is {_variable(meant[0])} meant?)" if meant else _variable(stranger)


def _variable(setting: str) -> str:
    return f"FACEFLEET_{setting.upper()}"


def find_data_directory(settings: Settings) -> str:
    """Look whether the data directory can be written and has room."""
    folder = settings.data_dir
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{folder} cannot be written by this user")
    free_bytes = shutil.disk_usage(existing).free
    free = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes < _LOW_SPACE_BYTES:
        raise ConfigurationError(f"{folder}: only {free}")
    return f"{folder}, {free}" if existing == folder else f"{folder} (made on first use), {free}"


def find_ledger(settings: Settings) -> str:
    """Ask the ledger's database for an answer, without making or changing anything."""
    url = sa.make_url(settings.resolved_ledger_url) if settings.ledger_url else None
    if url is None and not (settings.data_dir / "ledger.sqlite3").exists():
        return "SQLite in the data directory (made on first use)"
    database = connect(settings.resolved_ledger_url)
    try:
        with database.reading() as connection:
            connection.execute(sa.text("SELECT 1"))
    finally:
        database.engine.dispose()
    return "SQLite in the data directory" if url is None else str(url)


def find_broker(settings: Settings) -> str:
    """Connect to the broker."""
    if settings.broker_url.startswith("memory:"):
        return "inside the process: enough for `facefleet up` and for commands without a server"
    from kombu import Connection  # noqa: PLC0415  only fleets have one

    with Connection(settings.broker_url, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        shown = str(connection.as_uri())
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_CONNECT_TIMEOUT_S)
        except Exception as error:
            # Every transport has error classes of its own; to a person they all mean the same.
            raise BrokerUnavailable(f"{shown} does not answer: {error}") from error
    return shown


def find_gallery(settings: Settings) -> str:
    """Ask a Qdrant server for an answer; the embedded one is checked by the process that owns it."""
    if not settings.qdrant_url:
        return "embedded, in the data directory"
    with closing(open_gallery(settings, owner=False)) as gallery:
        gallery.check()
    return settings.qdrant_url


def find_s3(settings: Settings) -> str:
    """Reach the S3 endpoint, and list the uploads when they are kept there."""
    if settings.s3_endpoint_url:
        address = urlsplit(settings.s3_endpoint_url)
        port = address.port or {"https": 443}.get(address.scheme, 80)
        try:
            socket.create_connection((address.hostname or "", port), _CONNECT_TIMEOUT_S).close()
        except OSError as error:
            raise PhotoStoreUnavailable(f"{settings.s3_endpoint_url} does not answer: {error}") from error
    if settings.upload_url.startswith("s3:"):
        list(islice(open_photo_stores(settings).list_photos(settings.upload_url), 1))
    return settings.s3_endpoint_url or "AWS, when a source is s3://..."


def find_pack(settings: Settings) -> str:
    """Look for the model pack and check its hashes."""
    pack = find_model_pack(settings)
    kind = ", drawn people only" if pack.drawn_people else ""
    return f"{pack.name} in {pack.directory}, version {pack.model_version}{kind}. {pack.licence}"


def find_runtime(settings: Settings) -> str:
    """Choose what runs the models, as a worker would."""
    return choose_runtime(settings).description


def find_server(settings: Settings) -> str:
    """Look for the server that commands would use."""
    note = read_server_note(settings.data_dir)
    url = settings.server or (note.url if note else "")
    if not url:
        return "none is running: commands do their work themselves"
    ApiClient(url).check()
    return url


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Check:
    what: str
    look: Callable[[Settings], str]
    #: Said when it fails; empty where the error itself says what to do.
    remedy: str


_CHECKS = (
    _Check("Packages", find_packages, "run make setup, or install facefleet again"),
    _Check("Settings", find_settings, "write them as in .env.example, or take them away"),
    _Check("Data directory", find_data_directory, "free some space, or set FACEFLEET_DATA_DIR to another place"),
    _Check("Ledger", find_ledger, "start the database, or mend FACEFLEET_LEDGER_URL"),
    _Check("Broker", find_broker, "start the broker, or mend FACEFLEET_BROKER_URL"),
    _Check("Gallery", find_gallery, "start Qdrant, or mend FACEFLEET_QDRANT_URL and FACEFLEET_QDRANT_API_KEY"),
    _Check("S3", find_s3, "mend FACEFLEET_S3_ENDPOINT_URL, FACEFLEET_UPLOAD_URL and the AWS_... credentials"),
    _Check("Model pack", find_pack, ""),
    _Check("Model runtime", find_runtime, ""),
    _Check("Server", find_server, "start it with `facefleet up`, or unset FACEFLEET_SERVER"),
)
