"""The gallery of a fleet: a Qdrant server or cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final
from uuid import UUID

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from facefleet.errors import ConfigurationError, GalleryNotPrepared, GalleryUnavailable
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
from facefleet.records import GalleryMatch, GalleryPoint

#: Follows the first model version that was prepared, for people and tools; the project itself names its collections.
ALIAS = "faces"
_COLLECTION_PREFIX = "faces_"
_TIMEOUT_S = 30
#: Every search is within an album, so graphs are built for albums only (payload_m), of more than 10 MB of templates;
#: faces of smaller ones are compared one by one. Vectors are searched as bytes, which stay in memory; three times as
#: many as are wanted are compared again with all their digits.
_HNSW: Final = models.HnswConfigDiff(m=0, payload_m=32, ef_construct=128, full_scan_threshold=10_000)
_QUANTIZATION: Final = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
)
_SEARCH: Final = models.SearchParams(
    hnsw_ef=1024, quantization=models.QuantizationSearchParams(rescore=True, oversampling=3.0)
)
_INDEXES: Final[dict[str, models.UuidIndexParams | models.KeywordIndexParams]] = {
    ALBUM_KEY: models.UuidIndexParams(type=models.UuidIndexType.UUID, is_tenant=True),
    PHOTO_KEY: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
}


def connect_qdrant(url: str, api_key: str) -> QdrantClient:
    """Make a client; nothing is sent yet.

    Args:
        url: of the server, e.g. http://127.0.0.1:6333.
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
    return QdrantClient(url=url, api_key=api_key or None, timeout=_TIMEOUT_S, check_compatibility=False)


class QdrantServerGallery:
    """One collection `faces_<model_version>` per model version. The client is shared by all threads."""

    def __init__(self, client: QdrantClient) -> None:
        """Use a client.

        Args:
            client: closed by `close`.
        """
        self._client = client

    def prepare(self, model_version: str, dimensions: int) -> None:
        """Create the version's collection, if it is missing. See `Gallery.prepare`."""
        collection = _collection_of(model_version)
        with _client_errors(model_version):
            if not self._client.collection_exists(collection):
                self._create(collection, dimensions)
            vectors = self._client.get_collection(collection).config.params.vectors
            if not isinstance(vectors, models.VectorParams) or vectors.size != dimensions:
                raise ConfigurationError(
                    f"the gallery's {collection} does not hold templates of {dimensions} dimensions"
                )
            for key, index in _INDEXES.items():
                self._client.create_payload_index(collection, key, index, wait=True)
            if not any(alias.alias_name == ALIAS for alias in self._client.get_aliases().aliases):
                naming = models.CreateAlias(collection_name=collection, alias_name=ALIAS)
                self._client.update_collection_aliases([models.CreateAliasOperation(create_alias=naming)])

    def upsert(self, model_version: str, points: Sequence[GalleryPoint]) -> None:
        """Write points durably. See `Gallery.upsert`."""
        for batch in batches(points, UPSERT_BATCH):
            rows = [_to_row(point) for point in batch]
            with _client_errors(model_version):
                self._client.upsert(_collection_of(model_version), rows, wait=True)

    def search(
        self, model_version: str, album_id: UUID, template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        """Compare with the faces of the album. See `Gallery.search`."""
        with _client_errors(model_version):
            found = self._client.query_points(
                _collection_of(model_version),
                query=template.tolist(),
                query_filter=_album_filter(album_id),
                limit=limit,
                score_threshold=score_threshold(min_similarity),
                with_payload=[PHOTO_KEY],
                search_params=_SEARCH,
            )
        return [GalleryMatch(UUID(str(hit.id)), _photo_of(hit.payload), hit.score) for hit in found.points]

    def templates(self, model_version: str, album_id: UUID, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        """Read templates by face. See `Gallery.templates`."""
        found = {}
        for batch in batches(face_ids, PAGE_POINTS):
            with _client_errors(model_version):
                rows, _ = self._client.scroll(
                    _collection_of(model_version),
                    scroll_filter=_album_filter(album_id, _is_one_of(batch)),
                    limit=len(batch),
                    with_payload=False,
                    with_vectors=True,
                )
            found.update({UUID(str(row.id)): normalize(row.vector) for row in rows})
        return found

    def delete_faces(self, album_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Remove the points of these faces. See `Gallery.delete_faces`."""
        for batch in batches(face_ids, DELETE_BATCH):
            self._delete(_album_filter(album_id, _is_one_of(batch)))

    def delete_photos(self, album_id: UUID, photo_ids: Sequence[UUID]) -> None:
        """Remove the points of these photos. See `Gallery.delete_photos`."""
        for batch in batches(photo_ids, DELETE_BATCH):
            photos = models.MatchAny(any=[str(photo_id) for photo_id in batch])
            self._delete(_album_filter(album_id, models.FieldCondition(key=PHOTO_KEY, match=photos)))

    def delete_album(self, album_id: UUID) -> None:
        """Remove the points of the album. See `Gallery.delete_album`."""
        self._delete(_album_filter(album_id))

    def count(self, model_version: str, album_id: UUID | None = None) -> int:
        """Count points exactly. See `Gallery.count`."""
        chosen = None if album_id is None else _album_filter(album_id)
        with _client_errors(model_version):
            return self._client.count(_collection_of(model_version), count_filter=chosen, exact=True).count

    def points(self, model_version: str, album_id: UUID) -> Iterator[GalleryPoint]:
        """Walk an album. See `Gallery.points`."""
        return walk_pages(lambda start: self._page(model_version, album_id, start))

    def check(self) -> None:
        """Return when the server answers. See `Gallery.check`."""
        with _client_errors():
            self._client.get_collections()

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _create(self, collection: str, dimensions: int) -> None:
        vectors = models.VectorParams(size=dimensions, distance=models.Distance.COSINE, on_disk=True)
        try:
            self._client.create_collection(collection, vectors, hnsw_config=_HNSW, quantization_config=_QUANTIZATION)
        except (UnexpectedResponse, ValueError):
            # Two processes start at once: whoever comes second finds the first one's.
            if not self._client.collection_exists(collection):
                raise

    def _page(self, model_version: str, album_id: UUID, start: UUID | None) -> Page:
        with _client_errors(model_version):
            rows, following = self._client.scroll(
                _collection_of(model_version),
                scroll_filter=_album_filter(album_id),
                limit=PAGE_POINTS,
                offset=None if start is None else str(start),
                with_payload=[PHOTO_KEY],
                with_vectors=True,
            )
        points = [
            GalleryPoint(UUID(str(row.id)), album_id, _photo_of(row.payload), normalize(row.vector)) for row in rows
        ]
        return points, None if following is None else UUID(str(following))

    def _delete(self, condition: models.Filter) -> None:
        with _client_errors():
            for collection in self._client.get_collections().collections:
                if collection.name.startswith(_COLLECTION_PREFIX):
                    self._client.delete(collection.name, models.FilterSelector(filter=condition), wait=True)


@contextmanager
def _client_errors(model_version: str = "") -> Iterator[None]:
    """Translate what qdrant-client raises: from a server, from the network, and (ValueError) from its local mode."""
    try:
        yield
    except UnexpectedResponse as error:
        raise _translate_response(error, model_version) from error
    except (ApiException, QdrantException, httpx.HTTPError, ValueError, RuntimeError, OSError) as error:
        raise GalleryUnavailable(f"the Qdrant server does not answer: {_sentence(error)}") from error


def _translate_response(error: UnexpectedResponse, model_version: str) -> ConfigurationError | GalleryUnavailable:
    if error.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ConfigurationError("the Qdrant server refuses the API key (FACEFLEET_QDRANT_API_KEY)")
    if error.status_code == HTTPStatus.BAD_REQUEST and b"imension" in error.content:
        return ConfigurationError(f"templates of model {model_version} do not fit the gallery: {error.content!r}")
    if error.status_code == HTTPStatus.NOT_FOUND:
        return GalleryNotPrepared(f"the gallery is not prepared for templates of model {model_version}")
    return GalleryUnavailable(f"the Qdrant server answered {error.status_code} {error.reason_phrase}")


def _sentence(error: Exception) -> str:
    return str(getattr(error, "source", error)) or type(error).__name__


def _collection_of(model_version: str) -> str:
    return f"{_COLLECTION_PREFIX}{model_version}"


def _album_filter(album_id: UUID, *conditions: models.Condition) -> models.Filter:
    """Every read and delete of an album passes here."""
    album = models.FieldCondition(key=ALBUM_KEY, match=models.MatchValue(value=str(album_id)))
    return models.Filter(must=[album, *conditions])


def _is_one_of(face_ids: Sequence[UUID]) -> models.HasIdCondition:
    return models.HasIdCondition(has_id=[str(face_id) for face_id in face_ids])


def _to_row(point: GalleryPoint) -> models.PointStruct:
    payload = {ALBUM_KEY: str(point.album_id), PHOTO_KEY: str(point.photo_id)}
    return models.PointStruct(id=str(point.face_id), vector=point.template.tolist(), payload=payload)


def _photo_of(payload: models.Payload | None) -> UUID:
    return UUID((payload or {})[PHOTO_KEY])
