"""The embedded gallery as seen from the processes that do not own it."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from uuid import UUID

from facefleet.errors import GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery import edge_wire
from facefleet.gallery.points import DELETE_BATCH, PAGE_POINTS, UPSERT_BATCH, Page, batches, walk_pages
from facefleet.gallery.unix_http import UnixHttpClient
from facefleet.records import GalleryMatch, GalleryPoint


class EdgeClientGallery:
    """Talks to the `GalleryServer` on a Unix socket. The connections are shared by all threads.

    An owner that restarts costs the calls that were under way a `GalleryUnavailable`; the next call connects again.
    """

    def __init__(self, socket_path: Path, timeout_s: float = 30) -> None:
        """Connect on the first call.

        Args:
            socket_path: where the owner serves; it need not be there yet.
            timeout_s: how long an answer may take.
        """
        self._socket_path = socket_path
        self._http = UnixHttpClient(socket_path, timeout_s)

    def prepare(self, model_version: str, dimensions: int) -> None:
        """Have the version's shard created, if it is missing. See `Gallery.prepare`."""
        self._call("prepare", edge_wire.encode({"model_version": model_version, "dimensions": dimensions}))

    def upsert(self, model_version: str, points: Sequence[GalleryPoint]) -> None:
        """Write points durably. See `Gallery.upsert`."""
        for batch in batches(points, UPSERT_BATCH):
            self._call("upsert", edge_wire.encode_points({"model_version": model_version}, batch))

    def search(
        self, model_version: str, album_id: UUID, template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        """Compare with every face of the album. See `Gallery.search`."""
        bounds = {"limit": limit, "min_similarity": min_similarity}
        header = {"model_version": model_version, "album_id": str(album_id), **bounds}
        return edge_wire.decode_matches(self._call("search", edge_wire.encode(header, [template])))

    def templates(self, model_version: str, album_id: UUID, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        """Read templates by face. See `Gallery.templates`."""
        found = {}
        for batch in batches(face_ids, PAGE_POINTS):
            header = {
                "model_version": model_version,
                "album_id": str(album_id),
                "face_ids": [str(id_) for id_ in batch],
            }
            found.update(edge_wire.decode_templates(self._call("templates", edge_wire.encode(header))))
        return found

    def delete_faces(self, album_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Remove the points of these faces. See `Gallery.delete_faces`."""
        for batch in batches(face_ids, DELETE_BATCH):
            header = {"album_id": str(album_id), "face_ids": [str(face_id) for face_id in batch]}
            self._call("delete_faces", edge_wire.encode(header))

    def delete_photos(self, album_id: UUID, photo_ids: Sequence[UUID]) -> None:
        """Remove the points of these photos. See `Gallery.delete_photos`."""
        for batch in batches(photo_ids, DELETE_BATCH):
            header = {"album_id": str(album_id), "photo_ids": [str(photo_id) for photo_id in batch]}
            self._call("delete_photos", edge_wire.encode(header))

    def delete_album(self, album_id: UUID) -> None:
        """Remove the points of the album. See `Gallery.delete_album`."""
        self._call("delete_album", edge_wire.encode({"album_id": str(album_id)}))

    def count(self, model_version: str, album_id: UUID | None = None) -> int:
        """Count points exactly. See `Gallery.count`."""
        header = {"model_version": model_version, "album_id": None if album_id is None else str(album_id)}
        answer, _ = edge_wire.decode(self._call("count", edge_wire.encode(header)))
        return int(answer["count"])

    def points(self, model_version: str, album_id: UUID) -> Iterator[GalleryPoint]:
        """Walk an album. See `Gallery.points`."""
        return walk_pages(lambda start: self._page(model_version, album_id, start))

    def check(self) -> None:
        """Return when the owner answers. See `Gallery.check`."""
        self._call("check", edge_wire.encode({}))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _page(self, model_version: str, album_id: UUID, start: UUID | None) -> Page:
        bounds = {"album_id": str(album_id), "start": None if start is None else str(start)}
        return edge_wire.decode_page(self._call("page", edge_wire.encode({"model_version": model_version, **bounds})))

    def _call(self, method: str, body: bytes) -> bytes:
        try:
            status, answer = self._http.post(f"/{method}", body)
        except (OSError, HTTPException) as error:
            raise GalleryUnavailable(f"nobody answers for the gallery at {self._socket_path}: {error}") from error
        if status != HTTPStatus.OK:
            raise edge_wire.decode_error(answer)
        return answer
