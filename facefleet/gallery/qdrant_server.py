"""The gallery of a fleet: a Qdrant server or cluster."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from facefleet.errors import ConfigurationError, GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery.points import (
    ALBUM_KEY,
    DELETE_BATCH,
    PAGE_POINTS,
    PHOTO_KEY,
    UPSERT_BATCH,
    Page,
    batches,
    normalize,
    score_threshold,
    walk_pages,
)
from facefleet.gallery.qdrant_http import Json, answers_as_qdrant, ask_qdrant
from facefleet.records import GalleryMatch, GalleryPoint

#: Follows the first model version that was prepared, for people and tools; the project itself names its collections.
ALIAS = "faces"
_COLLECTION_PREFIX = "faces_"
#: Of a URL that names none, with TLS, too.
_PORT = 6333
_TIMEOUT_S = 30
#: Every search is within an album, so graphs are built for albums only (payload_m), of more than 10 MB of templates;
#: faces of smaller ones are compared one by one. Vectors are searched as bytes, which stay in memory; three times as
#: many as are wanted are compared again with all their digits.
_HNSW: Final = {"m": 0, "payload_m": 32, "ef_construct": 128, "full_scan_threshold": 10_000}
_QUANTIZATION: Final = {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
_SEARCH: Final = {"hnsw_ef": 1024, "quantization": {"rescore": True, "oversampling": 3.0}}
_INDEXES: Final = {ALBUM_KEY: {"type": "uuid", "is_tenant": True}, PHOTO_KEY: {"type": "keyword"}}


def connect_qdrant(url: str, api_key: str) -> httpx.Client:
    """Make a client; nothing is sent yet. It may be shared by threads.

    Args:
        url: of the server, e.g. http://127.0.0.1:6333; a path at its end begins that of every request.
        api_key: empty for none.

    Raises:
        ConfigurationError: the URL is none.
    """
    refusal = ConfigurationError(f"not the URL of a Qdrant server (http://host:6333): {url!r}")
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise refusal from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise refusal
    # httpx forgets a port that is the scheme's own.
    base_url = parts.copy_with(port=urlsplit(url).port or _PORT)
    return httpx.Client(base_url=base_url, headers={"api-key": api_key} if api_key else {}, timeout=_TIMEOUT_S)


class QdrantServerGallery:
    """One collection `faces_<model_version>` per model version. The client is shared by all threads."""

    def __init__(self, client: httpx.Client) -> None:
        """Use a client.

        Args:
            client: of `connect_qdrant`; closed by `close`.
        """
        self._client = client

    def prepare(self, model_version: str, dimensions: int) -> None:
        """Create the version's collection, if it is missing. See `Gallery.prepare`."""
        collection = _collection_of(model_version)
        if not self._exists(collection):
            self._create(collection, dimensions)
        with answers_as_qdrant():
            vectors = self._ask("GET", f"/collections/{collection}")["config"]["params"]["vectors"]
            if vectors.get("size") != dimensions:
                raise ConfigurationError(
                    f"the gallery's {collection} does not hold templates of {dimensions} dimensions"
                )
            for key, index in _INDEXES.items():
                wanted = {"field_name": key, "field_schema": index}
                self._ask("PUT", f"/collections/{collection}/index?wait=true", wanted)
            if not any(alias["alias_name"] == ALIAS for alias in self._ask("GET", "/aliases")["aliases"]):
                naming = {"create_alias": {"collection_name": collection, "alias_name": ALIAS}}
                self._ask("POST", "/collections/aliases", {"actions": [naming]})

    def upsert(self, model_version: str, points: Sequence[GalleryPoint]) -> None:
        """Write points durably. See `Gallery.upsert`."""
        target = f"/collections/{_collection_of(model_version)}/points?wait=true"
        for batch in batches(points, UPSERT_BATCH):
            rows = [_to_row(point) for point in batch]
            ask_qdrant(self._client, "PUT", target, {"points": rows}, model_version=model_version)

    def search(
        self, model_version: str, album_id: UUID, template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        """Compare with the faces of the album. See `Gallery.search`."""
        wanted = {
            "query": template.tolist(),
            "filter": _album_filter(album_id),
            "limit": limit,
            "score_threshold": score_threshold(min_similarity),
            "with_payload": [PHOTO_KEY],
            "params": _SEARCH,
        }
        with answers_as_qdrant():
            found = self._ask_points(model_version, "query", wanted)["points"]
            return [GalleryMatch(UUID(hit["id"]), _photo_of(hit), hit["score"]) for hit in found]

    def templates(self, model_version: str, album_id: UUID, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        """Read templates by face. See `Gallery.templates`."""
        found = {}
        for batch in batches(face_ids, PAGE_POINTS):
            chosen = _album_filter(album_id, _is_one_of(batch))
            wanted = {"filter": chosen, "limit": len(batch), "with_payload": False, "with_vector": True}
            with answers_as_qdrant():
                rows = self._ask_points(model_version, "scroll", wanted)["points"]
                found.update({UUID(row["id"]): normalize(row["vector"]) for row in rows})
        return found

    def delete_faces(self, album_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Remove the points of these faces. See `Gallery.delete_faces`."""
        for batch in batches(face_ids, DELETE_BATCH):
            self._delete(_album_filter(album_id, _is_one_of(batch)))

    def delete_photos(self, album_id: UUID, photo_ids: Sequence[UUID]) -> None:
        """Remove the points of these photos. See `Gallery.delete_photos`."""
        for batch in batches(photo_ids, DELETE_BATCH):
            photos = {"any": [str(photo_id) for photo_id in batch]}
            self._delete(_album_filter(album_id, {"key": PHOTO_KEY, "match": photos}))

    def delete_album(self, album_id: UUID) -> None:
        """Remove the points of the album. See `Gallery.delete_album`."""
        self._delete(_album_filter(album_id))

    def count(self, model_version: str, album_id: UUID | None = None) -> int:
        """Count points exactly. See `Gallery.count`."""
        wanted = {"exact": True} if album_id is None else {"exact": True, "filter": _album_filter(album_id)}
        with answers_as_qdrant():
            return int(self._ask_points(model_version, "count", wanted)["count"])

    def points(self, model_version: str, album_id: UUID) -> Iterator[GalleryPoint]:
        """Walk an album. See `Gallery.points`."""
        return walk_pages(lambda start: self._page(model_version, album_id, start))

    def check(self) -> None:
        """Return when the server answers. See `Gallery.check`."""
        self._ask("GET", "/collections")

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _ask(self, method: str, path: str, body: Json = None) -> Json:
        return ask_qdrant(self._client, method, path, body)

    def _ask_points(self, model_version: str, what: str, wanted: Json) -> Json:
        """Ask for some of the points of a version."""
        path = f"/collections/{_collection_of(model_version)}/points/{what}"
        return ask_qdrant(self._client, "POST", path, wanted, model_version=model_version)

    def _exists(self, collection: str) -> bool:
        with answers_as_qdrant():
            return bool(self._ask("GET", f"/collections/{collection}/exists")["exists"])

    def _create(self, collection: str, dimensions: int) -> None:
        vectors = {"size": dimensions, "distance": "Cosine", "on_disk": True}
        wanted = {"vectors": vectors, "hnsw_config": _HNSW, "quantization_config": _QUANTIZATION}
        try:
            self._ask("PUT", f"/collections/{collection}", wanted)
        except GalleryUnavailable:
            # Two processes start at once: whoever comes second finds the first one's.
            if not self._exists(collection):
                raise

    def _page(self, model_version: str, album_id: UUID, start: UUID | None) -> Page:
        wanted = {
            "filter": _album_filter(album_id),
            "limit": PAGE_POINTS,
            "offset": None if start is None else str(start),
            "with_payload": [PHOTO_KEY],
            "with_vector": True,
        }
        with answers_as_qdrant():
            page = self._ask_points(model_version, "scroll", wanted)
            following = page["next_page_offset"]
            points = [
                GalleryPoint(UUID(row["id"]), album_id, _photo_of(row), normalize(row["vector"]))
                for row in page["points"]
            ]
        return points, None if following is None else UUID(following)

    def _delete(self, condition: Json) -> None:
        with answers_as_qdrant():
            names = [each["name"] for each in self._ask("GET", "/collections")["collections"]]
        for name in names:
            if name.startswith(_COLLECTION_PREFIX):
                self._ask("POST", f"/collections/{name}/points/delete?wait=true", {"filter": condition})


def _collection_of(model_version: str) -> str:
    return f"{_COLLECTION_PREFIX}{model_version}"


def _album_filter(album_id: UUID, *conditions: Json) -> Json:
    """Every read and delete of an album passes here."""
    return {"must": [{"key": ALBUM_KEY, "match": {"value": str(album_id)}}, *conditions]}


def _is_one_of(face_ids: Sequence[UUID]) -> Json:
    return {"has_id": [str(face_id) for face_id in face_ids]}


def _to_row(point: GalleryPoint) -> Json:
    payload = {ALBUM_KEY: str(point.album_id), PHOTO_KEY: str(point.photo_id)}
    return {"id": str(point.face_id), "vector": point.template.tolist(), "payload": payload}


def _photo_of(row: Json) -> UUID:
    return UUID(row["payload"][PHOTO_KEY])
