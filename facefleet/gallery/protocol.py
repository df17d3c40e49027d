"""What a vector store has to do.

Adapters: `qdrant_edge` (embedded), `edge_client` (the same engine, owned by another process of this host) and
`qdrant_server`. One contract suite (`tests/integration/gallery/test_gallery_contract.py`) runs on all of them.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from facefleet.face_records import Template
from facefleet.records import GalleryMatch, GalleryPoint


class Gallery(Protocol):
    """Templates by model version and album. Derived data: everything in it can be rebuilt from ledger and photos.

    Safe to call from several threads. Every method raises `GalleryUnavailable` when the store cannot be reached.
    """

    def prepare(self, model_version: str, dimensions: int) -> None:
        """Create what templates of this version need, if it is missing.

        Args:
            model_version: hexadecimal hash of the model pack.
            dimensions: length of its templates.

        Raises:
            ConfigurationError: the version exists with another dimension.
        """

    def upsert(self, model_version: str, points: Sequence[GalleryPoint]) -> None:
        """Write points durably; a point with the same face id is replaced. Returns when a search can see them."""

    def search(
        self, model_version: str, album_id: UUID, template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        """Find the nearest faces of one album, best first.

        Args:
            model_version: only templates of this version are compared.
            album_id: only faces of this album are looked at.
            template: (D,) float32, L2 norm 1.
            limit: at most this many matches.
            min_similarity: smallest cosine similarity, inclusive.
        """

    def templates(self, model_version: str, album_id: UUID, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        """Read the templates of faces of one album (float32, L2 norm 1); those that it does not have are left out."""

    def delete_faces(self, album_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Remove the points of these faces from an album, of every model version."""

    def delete_photos(self, album_id: UUID, photo_ids: Sequence[UUID]) -> None:
        """Remove every point of these photos, of every model version."""

    def delete_album(self, album_id: UUID) -> None:
        """Remove every point of the album, of every model version."""

    def count(self, model_version: str, album_id: UUID | None = None) -> int:
        """Count the points of an album, or of all, exactly."""

    def points(self, model_version: str, album_id: UUID) -> Iterator[GalleryPoint]:
        """Walk all points of an album with their templates (float32, L2 norm 1), in pages, in no order."""

    def check(self) -> None:
        """Return when the store answers; raise `GalleryUnavailable` when it does not."""

    def close(self) -> None:
        """Release files and connections; the gallery is unusable afterwards."""
