"""The faces of an album on their way into a grouping, and what came of it on its way back."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.ledger.clock import utc_now
from facefleet.ledger.clusterings import ClusteringLease, is_held
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.jobs import hold_album
from facefleet.ledger.people_history import hold_book
from facefleet.ledger.people_schema import (
    clustering,
    face_spot,
    not_person,
    people_change,
    people_change_spot,
    person,
    unseen_photo,
)
from facefleet.ledger.persons import forget_dissolved
from facefleet.ledger.schema import face, photo, state_is
from facefleet.ledger.spots import FACE_PLACE, fetch_in_chunks, relink, spot_row
from facefleet.people.matching import GroupedFace, KnownPeople, match_clusters, place_joined
from facefleet.records import PhotoState

_IS_INDEXED = state_is(photo.c.state, PhotoState.INDEXED)
_FACES = (
    sa.select(face.c.id, face.c.photo_id, face.c.overall, face_spot.c.id.label("spot_id"))
    .add_columns(face_spot.c.person_id, face_spot.c.is_decided)
    .join(photo, photo.c.id == face.c.photo_id)
    .outerjoin(face_spot, face_spot.c.face_id == face.c.id)
    .where(_IS_INDEXED)
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Photos that a run looks at for the first time, with their stamps."""

    stamps: Mapping[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which faces are together."""

    #: {face id: number of its cluster, or -1}; faces that are not named are left as they are.
    labels: Mapping[UUID, int]
    #: Of new faces that joined: which label stands for whom; None: all faces were grouped anew.
    owners: Mapping[int, UUID] | None = None
    #: What grouping anew learnt, for faces that come later: JSON.
    limits: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Grouped:
    """What a run found."""

    model_version: str
    grouping: Grouping
    unseen: Unseen
    seconds: float


@dataclass(frozen=True)
class Groupings:
    """What a run reads and writes. Between the two, humans may decide more: what is written is matched with that."""

    database: Database

    def unseen(self, album_id: UUID) -> Unseen:
        """List the album's photos whose faces no run has looked at."""
        mine = sa.select(unseen_photo.c.photo_id, unseen_photo.c.stamp).where(unseen_photo.c.album_id == album_id)
        with self.database.reading() as connection:
            return Unseen({row.photo_id: row.stamp for row in connection.execute(mine)})

    def model_version(self, album_id: UUID) -> str | None:
        """Name the model version that most of the album's faces are of; None when it has no face."""
        faces = sa.func.sum(photo.c.face_count)
        versions = sa.select(photo.c.model_version).where(photo.c.album_id == album_id, _IS_INDEXED)
        versions = versions.group_by(photo.c.model_version).having(faces > 0)
        with self.database.reading() as connection:
            most = versions.order_by(faces.desc(), photo.c.model_version).limit(1)
            return connection.execute(most).scalar_one_or_none()

    def find_again(self, lease: ClusteringLease, model_version: str, photo_ids: Collection[UUID]) -> int:
        """Let decisions find their faces again after photos were indexed anew.

        Args:
            lease: nothing happens when the album is no longer the caller's.
            model_version: faces of this version are looked at.
            photo_ids: the photos.

        Returns:
            How many spots have another face now, or none.
        """
        sources = sa.select(photo.c.source_id).where(photo.c.album_id == lease.album_id)
        with self.database.writing() as connection:
            hold_book(connection, lease.tenant)
            if not _hold(connection, lease):
                return 0
            source_ids = {row.source_id for row in fetch_in_chunks(connection, sources, photo.c.id, photo_ids)}
            return relink(connection, model_version, source_ids)

    def faces(
        self, album_id: UUID, model_version: str, photo_ids: Collection[UUID] | None = None
    ) -> Sequence[sa.Row[Any]]:
        """Read the faces of an album, or of some of its photos: ids, quality, and whose they are."""
        with self.database.reading() as connection:
            return _read_faces(connection, album_id, model_version, photo_ids)

    def faces_named(self, album_id: UUID, face_ids: Collection[UUID]) -> Sequence[sa.Row[Any]]:
        """Read these faces of an album as `faces` does."""
        with self.database.reading() as connection:
            return fetch_in_chunks(connection, _FACES.where(face.c.album_id == album_id), face.c.id, face_ids)

    def sample(self, album_id: UUID, person_ids: Collection[UUID], most: int) -> list[UUID]:
        """Name some faces of each of these people (before merges) in an album, always the same."""
        rank = sa.func.row_number().over(partition_by=face_spot.c.person_id, order_by=face_spot.c.face_id)
        mine = sa.select(face_spot.c.person_id, face_spot.c.face_id, rank.label("rank")).where(
            face_spot.c.album_id == album_id, face_spot.c.face_id.is_not(None)
        )
        ranked = mine.where(face_spot.c.person_id.in_(sa.bindparam("people", expanding=True))).subquery()
        some = sa.select(ranked.c.face_id).where(ranked.c.rank <= most)
        ids = sorted(person_ids)
        with self.database.reading() as connection:
            pages = ({"people": ids[start : start + CHUNK]} for start in range(0, len(ids), CHUNK))
            return [face_id for page in pages for face_id in connection.execute(some, page).scalars()]

    def known_people(self, tenant: str, album_id: UUID) -> KnownPeople:
        """Read who there is, and what was decided about the album's faces."""
        with self.database.reading() as connection:
            return _read_people(connection, tenant, album_id)

    def settle(self, lease: ClusteringLease, grouped: Grouped) -> bool:
        """Write what a run found, matched with what humans decided up to now; returns whether the album was ours.

        Raises:
            AlbumNotFound: the album is gone.
        """
        with self.database.writing() as connection:
            hold_album(connection, lease.album_id)
            hold_book(connection, lease.tenant)
            if not _hold(connection, lease):
                return False
            labels, is_anew = grouped.grouping.labels, grouped.grouping.owners is None
            photo_ids = None if is_anew else _photos_of(connection, labels)
            rows = _read_faces(connection, lease.album_id, grouped.model_version, photo_ids)
            _write_people(connection, lease, grouped, [row for row in rows if row.id in labels or photo_ids])
            if is_anew:
                _forget_deleted(connection, lease.album_id)
                forget_dissolved(connection, lease.tenant)
            _strike_out(connection, grouped.unseen)
            _finish(connection, lease, grouped)
        return True


def _hold(connection: sa.Connection, lease: ClusteringLease) -> bool:
    mine = sa.select(clustering.c.album_id).where(*is_held(lease)).with_for_update()
    return connection.execute(mine).one_or_none() is not None


def _read_faces(
    connection: sa.Connection, album_id: UUID, model_version: str, photo_ids: Collection[UUID] | None
) -> Sequence[sa.Row[Any]]:
    mine = _FACES.where(face.c.album_id == album_id, photo.c.model_version == model_version)
    if photo_ids is None:
        return connection.execute(mine.order_by(face.c.id)).all()
    return fetch_in_chunks(connection, mine, face.c.photo_id, photo_ids)


def _photos_of(connection: sa.Connection, face_ids: Collection[UUID]) -> set[UUID]:
    photos = sa.select(face.c.photo_id)
    return {row.photo_id for row in fetch_in_chunks(connection, photos, face.c.id, face_ids)}


def _read_people(connection: sa.Connection, tenant: str, album_id: UUID) -> KnownPeople:
    root = person.alias("root")
    said_of = sa.or_(person.c.name.is_not(None), person.c.hidden, person.c.cover_spot_id.is_not(None))
    present = sa.select(person.c.id, person.c.root_id, said_of.label("is_held"))
    present = present.join(root, root.c.id == person.c.root_id).order_by(person.c.created_at, person.c.id)
    rows = connection.execute(present.where(person.c.tenant == tenant, root.c.gone_at.is_(None))).all()
    root_of = {row.id: row.root_id for row in rows}
    changes = sa.select(people_change.c.person_id, people_change.c.other_id)
    stands = changes.where(people_change.c.tenant == tenant, people_change.c.undone_at.is_(None))
    touched = {each for row in connection.execute(stands) for each in row if each}
    touched |= {row.id for row in rows if row.is_held}
    touched |= {root_of[each] for each in touched if each in root_of}
    said = sa.select(face_spot.c.face_id, not_person.c.person_id).join(
        face_spot, face_spot.c.id == not_person.c.spot_id
    )
    forbidden: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for row in connection.execute(said.where(face_spot.c.album_id == album_id, face_spot.c.face_id.is_not(None))):
        forbidden[row.face_id].add(root_of.get(row.person_id, row.person_id))
    held = {each for each, root_id in root_of.items() if each in touched or root_id in touched}
    return KnownPeople(held, root_of, forbidden)


def _write_people(
    connection: sa.Connection, lease: ClusteringLease, grouped: Grouped, rows: Sequence[sa.Row[Any]]
) -> None:
    new_ids: list[UUID] = []

    def new_person() -> UUID:
        new_ids.append(uuid4())
        return new_ids[-1]

    people = _read_people(connection, lease.tenant, lease.album_id)
    faces = [
        GroupedFace(row.id, row.photo_id, grouped.grouping.labels.get(row.id, -1), row.person_id, bool(row.is_decided))
        for row in rows
    ]
    owners = grouped.grouping.owners
    if owners is None:
        chosen = match_clusters(faces, people, new_person)
    else:
        chosen = place_joined(faces, owners, people, new_person)
    used = set(chosen.values())
    new_people = [
        {"id": each, "root_id": each, "tenant": lease.tenant, "hidden": False} for each in new_ids if each in used
    ]
    if new_people:
        connection.execute(person.insert(), new_people)
    _write_spots(connection, [(row, chosen[row.id]) for row in rows if row.person_id != chosen[row.id]])


def _write_spots(connection: sa.Connection, changed: Sequence[tuple[sa.Row[Any], UUID | None]]) -> None:
    known = [{"id_": row.spot_id, "person_id_": person_id} for row, person_id in changed if row.spot_id]
    if known:
        give = face_spot.update().where(face_spot.c.id == sa.bindparam("id_"), face_spot.c.is_decided.is_(False))
        connection.execute(give.values(person_id=sa.bindparam("person_id_")), known)
    new = {row.id: person_id for row, person_id in changed if not row.spot_id}
    places = sa.select(*FACE_PLACE).join(photo, photo.c.id == face.c.photo_id)
    if rows := [spot_row(row, uuid4(), new[row.id]) for row in fetch_in_chunks(connection, places, face.c.id, new)]:
        connection.execute(face_spot.insert(), rows)


def _forget_deleted(connection: sa.Connection, album_id: UUID) -> None:
    """Forget where faces of deleted photos were, unless a human said something about them: the photo may come back."""
    present = state_is(photo.c.state, *(state for state in PhotoState if state != PhotoState.DELETED))
    there = sa.select(photo.c.id).where(photo.c.source_id == face_spot.c.source_id, present).exists()
    said = sa.or_(
        sa.select(not_person.c.spot_id).where(not_person.c.spot_id == face_spot.c.id).exists(),
        sa.select(people_change_spot.c.spot_id).where(people_change_spot.c.spot_id == face_spot.c.id).exists(),
    )
    gone = sa.and_(face_spot.c.album_id == album_id, face_spot.c.is_decided.is_(False), ~there, ~said)
    connection.execute(face_spot.delete().where(gone))


def _strike_out(connection: sa.Connection, unseen: Unseen) -> None:
    """Forget that photos were new; those that were indexed again meanwhile have another stamp and stay."""
    pairs = sorted(unseen.stamps.items())
    for start in range(0, len(pairs), CHUNK):
        some = pairs[start : start + CHUNK]
        key = sa.tuple_(unseen_photo.c.photo_id, unseen_photo.c.stamp)
        connection.execute(unseen_photo.delete().where(key.in_(some)))


def _finish(connection: sa.Connection, lease: ClusteringLease, grouped: Grouped) -> None:
    """Give the album back, count, and keep a wish that came up meanwhile."""
    in_album = face.c.album_id == lease.album_id
    total = sa.select(sa.func.count()).select_from(face).where(in_album).scalar_subquery()
    theirs = sa.select(face.c.id).join(face_spot, face_spot.c.face_id == face.c.id)
    theirs = theirs.join(person, person.c.id == face_spot.c.person_id).where(face_spot.c.album_id == lease.album_id)
    clusters = theirs.with_only_columns(sa.func.count(sa.distinct(person.c.root_id))).scalar_subquery()
    somebodys = theirs.with_only_columns(sa.func.count()).scalar_subquery()
    ended: dict[str, Any] = {
        "wanted_at": sa.case((clustering.c.wanted_at == lease.wanted_at, sa.null()), else_=clustering.c.wanted_at),
        "lease_token": None,
        "lease_until": None,
        "attempt": 0,
        "detail": None,
        "finished_at": utc_now(),
        "seconds": grouped.seconds,
        "total_faces": total,
        "clusters": clusters,
        "noise_faces": total - somebodys,
    }
    if grouped.grouping.owners is None:
        ended["limits"] = grouped.grouping.limits
    connection.execute(clustering.update().where(*is_held(lease)).values(**ended))
