"""Opening a ledger: the database, its tables brought up to date, and the parts that work on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from facefleet.errors import ConfigurationError
from facefleet.ledger.album_entries import AlbumEntries
from facefleet.ledger.album_rows import AlbumRows
from facefleet.ledger.albums import Albums
from facefleet.ledger.appearances import Appearances
from facefleet.ledger.audit import Audit
from facefleet.ledger.callbacks import Callbacks
from facefleet.ledger.client_tokens import ClientTokens
from facefleet.ledger.clusterings import Clusterings
from facefleet.ledger.database import Database, begin_in_sqlite, connect, translated_errors
from facefleet.ledger.erasures import Erasures
from facefleet.ledger.faces import Faces
from facefleet.ledger.finishing import Finishing
from facefleet.ledger.found_faces import FoundFaces
from facefleet.ledger.groupings import Groupings
from facefleet.ledger.images import Images
from facefleet.ledger.ingest import Ingest
from facefleet.ledger.jobs import Jobs
from facefleet.ledger.keys import Keys
from facefleet.ledger.leases import Leases
from facefleet.ledger.model_switches import ModelSwitches
from facefleet.ledger.named_faces import NamedFaces
from facefleet.ledger.people import People
from facefleet.ledger.people_book import PeopleBook
from facefleet.ledger.photos import Photos
from facefleet.ledger.prediction_outbox import PredictionOutbox
from facefleet.ledger.predictions import Predictions
from facefleet.ledger.repairs import Repairs
from facefleet.ledger.retention import Retention
from facefleet.ledger.shelf import Shelf
from facefleet.ledger.shelf_leavings import ShelfLeavings
from facefleet.ledger.tags import Tags
from facefleet.ledger.tenants import Tenants
from facefleet.ledger.unkept import Unkept
from facefleet.ledger.users import Users

#: Any number that no other user of the same PostgreSQL database locks.
_MIGRATION_LOCK = 0xFACEF1EE7
_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Ledger:
    """The truth: one SQL row per photo.

    Safe to call from several threads. Every method may raise `LedgerUnavailable`.
    """

    database: Database
    albums: Albums
    jobs: Jobs
    photos: Photos
    leases: Leases
    faces: Faces
    found_faces: FoundFaces
    ingest: Ingest
    repairs: Repairs
    images: Images
    users: Users
    tags: Tags
    client_tokens: ClientTokens
    callbacks: Callbacks
    people: People
    appearances: Appearances
    people_book: PeopleBook
    clusterings: Clusterings
    groupings: Groupings
    named_faces: NamedFaces
    predictions: Predictions
    prediction_outbox: PredictionOutbox
    keys: Keys
    audit: Audit
    album_rows: AlbumRows
    album_entries: AlbumEntries
    shelf: Shelf
    shelf_leavings: ShelfLeavings
    model_switches: ModelSwitches
    tenants: Tenants
    retention: Retention
    erasures: Erasures
    unkept: Unkept

    def check(self) -> None:
        """Return when the database answers.

        Raises:
            LedgerUnavailable: it does not.
        """
        with self.database.reading() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        """Close the connections that are not in use."""
        self.database.engine.dispose()


def open_ledger(url: str, audit_key: bytes = b"") -> Ledger:
    """Connect and bring the tables up to date; processes that start at once take turns.

    Args:
        url: `sqlite:///path` (created when missing) or `postgresql://user@host/database`.
        audit_key: keys the hashes of the audit log; every process of a fleet has the same.

    Raises:
        ConfigurationError: the URL is of no use, or a newer Facefleet has written the database.
        LedgerUnavailable: the database cannot be reached.
    """
    database = connect(url)
    try:
        migrate(database)
    except BaseException:
        database.engine.dispose()
        raise
    audit = Audit(database, audit_key)
    return Ledger(
        database,
        albums=Albums(database, audit),
        jobs=Jobs(database),
        photos=Photos(database),
        leases=Leases(database, Finishing(database)),
        faces=Faces(database),
        found_faces=FoundFaces(database),
        ingest=Ingest(database),
        repairs=Repairs(database),
        images=Images(database),
        users=Users(database),
        tags=Tags(database),
        client_tokens=ClientTokens(database),
        callbacks=Callbacks(database),
        people=People(database),
        appearances=Appearances(database),
        people_book=PeopleBook(database),
        clusterings=Clusterings(database),
        groupings=Groupings(database),
        named_faces=NamedFaces(database),
        predictions=Predictions(database),
        prediction_outbox=PredictionOutbox(database),
        keys=Keys(database, audit),
        audit=audit,
        album_rows=AlbumRows(database),
        album_entries=AlbumEntries(database),
        shelf=Shelf(database),
        shelf_leavings=ShelfLeavings(database),
        model_switches=ModelSwitches(database, audit),
        tenants=Tenants(database),
        retention=Retention(database, audit),
        erasures=Erasures(database, audit),
        unkept=Unkept(database),
    )


def migrate(database: Database) -> None:
    """Run the migrations that this database has not seen, all of them or none."""
    if _is_current(database):
        return
    # Alembic takes longer to import than everything else here together, and almost every start can do without.
    import alembic.command  # noqa: PLC0415
    import alembic.config  # noqa: PLC0415
    import alembic.util  # noqa: PLC0415

    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with translated_errors(), database.write_turn, _migrating(database.writer) as connection:
        config.attributes["connection"] = connection
        try:
            alembic.command.upgrade(config, "head")
        except alembic.util.CommandError as error:
            raise ConfigurationError(f"the ledger was written by a newer Facefleet: {error}") from error


def _is_current(database: Database) -> bool:
    """Whether the newest migration was the last one run; the files are named after their revisions."""
    newest = max(path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    with translated_errors(), database.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == newest)


@contextmanager
def _migrating(writer: sa.Engine) -> Iterator[sa.Connection]:
    """Lend a connection whose transaction nobody else migrates beside."""
    with writer.connect() as connection, connection.begin():
        begin_in_sqlite(connection, "BEGIN EXCLUSIVE")
        if writer.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        yield connection
