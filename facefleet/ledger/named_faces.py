"""Faces of people with names: what classifiers learn from."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from facefleet.ledger.database import Database
from facefleet.ledger.people_schema import clustering, face_spot, people_book, people_change, person
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.prediction_records import NamedFace
from facefleet.records import PhotoState

_ROOT = person.alias("root")


@dataclass(frozen=True)
class NamedFaces:
    """What there is to learn in a tenant. Hidden people are not learnt: nobody wants to hear of them."""

    database: Database

    def state(self, tenant: str) -> tuple[object, ...]:
        """Name what is known now, as something that becomes another when people or their faces do.

        Groupings are part of it: they move faces without a change of anybody's.
        """
        changes = sa.select(sa.func.count(), sa.func.max(people_change.c.number))
        changes = changes.where(people_change.c.tenant == tenant, people_change.c.undone_at.is_(None))
        made = sa.select(people_book.c.last_change).where(people_book.c.tenant == tenant)
        grouped = sa.select(sa.func.max(clustering.c.finished_at)).join(album, album.c.id == clustering.c.album_id)
        faces = _select_named(tenant).with_only_columns(sa.func.count())
        with self.database.reading() as connection:
            last_grouping = connection.execute(grouped.where(album.c.tenant == tenant)).scalar()
            made_so_far = connection.execute(made).scalar()
            return (*connection.execute(changes).one(), made_so_far, last_grouping, connection.scalar(faces))

    def choose(self, tenant: str, model_version: str, most: int) -> list[NamedFace]:
        """Choose faces to learn from: of each person those that humans confirmed, then the best.

        Args:
            tenant: whose people.
            model_version: templates of other versions cannot be compared.
            most: at most this many of all. Who has more faces than others loses them first.

        Returns:
            By person; of one person the most telling first.
        """
        rank = sa.func.row_number().over(
            partition_by=_ROOT.c.id, order_by=(face_spot.c.is_decided.desc(), face.c.overall.desc(), face.c.id)
        )
        columns = (face.c.id, face.c.album_id, _ROOT.c.id.label("person_id"), rank.label("rank"))
        is_learnt = sa.and_(photo.c.model_version == model_version, state_is(photo.c.state, PhotoState.INDEXED))
        named = _select_named(tenant).join(photo, photo.c.id == face.c.photo_id)
        named = named.join(album, album.c.id == face.c.album_id).where(is_learnt, album.c.deleting_since.is_(None))
        ranked = named.with_only_columns(*columns).subquery()
        best = sa.select(ranked).order_by(ranked.c.rank, ranked.c.person_id).limit(most)
        with self.database.reading() as connection:
            rows = sorted(connection.execute(best), key=lambda row: (row.person_id, row.rank))
            return [NamedFace(row.id, row.album_id, row.person_id) for row in rows]


def _select_named(tenant: str) -> sa.Select[Any]:
    """Join faces with named people; every part of it is found by an index."""
    is_named = sa.and_(_ROOT.c.name.is_not(None), _ROOT.c.hidden.is_(False), _ROOT.c.gone_at.is_(None))
    return (
        sa.select(face.c.id)
        .select_from(_ROOT)
        .join(person, person.c.root_id == _ROOT.c.id)
        .join(face_spot, face_spot.c.person_id == person.c.id)
        .join(face, face.c.id == face_spot.c.face_id)
        .where(_ROOT.c.tenant == tenant, is_named)
    )
