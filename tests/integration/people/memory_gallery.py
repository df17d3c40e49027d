"""A gallery in memory, for tests that need many of them."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from facefleet.face_records import Template
from facefleet.records import GalleryMatch, GalleryPoint


class MemoryGallery:
    """As `facefleet.gallery.protocol.Gallery`, compared with everything."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, UUID], GalleryPoint] = {}

    def prepare(self, model_version: str, dimensions: int) -> None: ...

    def upsert(self, model_version: str, points: Sequence[GalleryPoint]) -> None:
        self.stored |= {(model_version, point.face_id): point for point in points}

    def search(
        self, model_version: str, album_id: UUID, template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        found = [
            GalleryMatch(point.face_id, point.photo_id, float(point.template @ template))
            for point in self.points(model_version, album_id)
        ]
        near = [match for match in found if match.similarity >= min_similarity]
        return sorted(near, key=lambda match: -match.similarity)[:limit]

    def templates(self, model_version: str, album_id: UUID, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        wanted = set(face_ids)
        points = self.points(model_version, album_id)
        return {point.face_id: point.template for point in points if point.face_id in wanted}

    def points(self, model_version: str, album_id: UUID) -> Iterator[GalleryPoint]:
        mine = [each for (version, _), each in self.stored.items() if version == model_version]
        return iter([point for point in mine if point.album_id == album_id])

    def delete_album(self, album_id: UUID) -> None:
        self.stored = {key: point for key, point in self.stored.items() if point.album_id != album_id}

    def delete_photos(self, album_id: UUID, photo_ids: Sequence[UUID]) -> None:
        gone = set(photo_ids)
        self.stored = {
            key: point for key, point in self.stored.items() if point.album_id != album_id or point.photo_id not in gone
        }

    def delete_faces(self, album_id: UUID, face_ids: Sequence[UUID]) -> None:
        gone = set(face_ids)
        self.stored = {
            key: point for key, point in self.stored.items() if point.album_id != album_id or point.face_id not in gone
        }

    def count(self, model_version: str, album_id: UUID | None = None) -> int:
        return sum(
            version == model_version and album_id in {None, point.album_id}
            for (version, _), point in self.stored.items()
        )

    def check(self) -> None: ...

    def close(self) -> None: ...
