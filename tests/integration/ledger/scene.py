"""An album with a job in a ledger, and short words for what happens to its photos."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto
from facefleet.ledger.clock import utc_now
from facefleet.ledger.engine import Ledger
from facefleet.ledger.schema import photo
from facefleet.records import Album, FailedPhoto, FinishedPhoto, Job, LeasedPhoto, Photo, PhotoRef, photo_id_of

LEASE_S = 60.0
REDISPATCH_AFTER_S = 60.0


def ref_of(name: str, version: str = "v1") -> PhotoRef:
    return PhotoRef(f"file:///photos/{name}", name, version, 1000)


def recognized(face_count: int, width_px: int = 400, height_px: int = 300) -> RecognizedPhoto:
    faces = tuple(
        RecognizedFace(
            Detection(Box(10.5 * number, 2, 30, 40), np.arange(10, dtype=np.float32).reshape(5, 2) + number, 0.9),
            np.zeros(4, dtype=np.float32),
            Quality(0.1, 30, 120.5, 99, -3, 2, 1),
        )
        for number in range(face_count)
    )
    return RecognizedPhoto(width_px, height_px, faces)


@dataclass(frozen=True)
class Scene:
    ledger: Ledger
    album: Album
    job: Job

    def add(self, *names: str, version: str = "v1", model_version: str = "m1") -> list[UUID]:
        """Enter photos later than whatever was entered before, by the database's clock."""
        before = self.now()
        wait_until(lambda: self.now() > before)
        refs = [ref_of(name, version) for name in names]
        self.ledger.jobs.add_photos(self.job.id, model_version, refs)
        return [photo_id_of(self.album.id, ref.uri, version, model_version) for ref in refs]

    def claim(self, photo_ids: Sequence[UUID]) -> list[LeasedPhoto]:
        leased = self.ledger.leases.claim(photo_ids, LEASE_S)
        return sorted(leased, key=lambda each: list(photo_ids).index(each.id))

    def index(self, photo_ids: Sequence[UUID], face_count: int = 1) -> set[UUID]:
        leased = self.claim(photo_ids)
        return self.ledger.leases.finish([FinishedPhoto(each, recognized(face_count)) for each in leased])

    def bury(self, photo_ids: Sequence[UUID]) -> set[UUID]:
        failures = [FailedPhoto(each, "photo_undecodable", "not a photo") for each in self.claim(photo_ids)]
        return self.ledger.leases.bury(failures)

    def find(self, photo_id: UUID) -> Photo:
        return self.ledger.photos.get_many([photo_id])[photo_id]

    def expire(self, photo_ids: Sequence[UUID]) -> None:
        """Let leases run out now."""
        self.set(photo_ids, lease_until=photo.c.listed_at)

    def set(self, photo_ids: Sequence[UUID], **values: object) -> None:
        with self.ledger.database.writing() as connection:
            connection.execute(photo.update().where(photo.c.id.in_(photo_ids)).values(**values))

    def now(self) -> object:
        with self.ledger.database.reading() as connection:
            return connection.execute(sa.select(utc_now())).scalar_one()


def wait_until(is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.001)
