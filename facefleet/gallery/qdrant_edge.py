"""The embedded gallery: Qdrant's engine inside the process that owns the data directory."""

import json
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import qdrant_edge as edge

from facefleet.errors import ConfigurationError, FacefleetError, GalleryNotPrepared, GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery.directory_lock import lock_directory
from facefleet.gallery.edge_erasing import erase_log, erase_points, is_marked, mark_erased, unmark
from facefleet.gallery.edge_index import ALBUM_INDEX, SEARCH_INDEXED
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

#: The engine ships stubs only, nothing that mypy could follow.
_Engine: TypeAlias = Any

_VERSION_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_UNFINISHED = ".creating-"


@dataclass(frozen=True, slots=True)
class _Shard:
    engine: _Engine
    dimensions: int
    #: Whether `edge_index` was here; faces that came later are compared one by one.
    indexed: bool


class EdgeGallery:
    """One engine shard per model version in `directory/<model_version>/`.

    The process owns the directory through an exclusive lock on `directory/.lock`. The engine holds the GIL from the
    beginning to the end of every call, so no other thread of the process runs meanwhile: 2 ms for a search among
    10,000 faces, 16 among 100,000. `_preparing` only guards the creation of shards, and the table of shards is never
    changed otherwise. Search is exact until `edge_index` was here: `optimize()` and `flush()` take seconds and are not
    called while anybody waits. Every upsert is in the write-ahead log when it returns, so it outlives a
    killed process.
    """

    def __init__(self, directory: Path, *, reserve_bytes: int = 0) -> None:
        """Take the directory and open every version in it.

        Args:
            directory: made when missing.
            reserve_bytes: nothing is written while the disk has less free than this.

        Raises:
            DataDirectoryInUse: another process owns it.
            ConfigurationError: it cannot be written, or what is in it cannot be read.
            GalleryUnavailable: its disk is nearly full; opening writes, too.
        """
        self._directory = directory
        self._reserve_bytes = reserve_bytes
        self._lock_file = lock_directory(directory)
        self._preparing = threading.Lock()
        try:
            self._require_room()
            self._shards = _open_shards(directory)
        except BaseException:
            self._lock_file.close()
            raise

    def prepare(self, model_version: str, dimensions: int) -> None:
        """Create the version's shard, if it is missing. See `Gallery.prepare`."""
        with self._preparing:
            self.check()
            if model_version not in self._shards:
                self._shards[model_version] = _create_shard(self._directory, model_version, dimensions)
        _require_dimensions(self._shards[model_version], model_version, dimensions)

    def upsert(self, model_version: str, points: Sequence[GalleryPoint]) -> None:
        """Write points durably. See `Gallery.upsert`."""
        shard = self._shard(model_version)
        for batch in batches(points, UPSERT_BATCH):
            for point in batch:
                _require_dimensions(shard, model_version, len(point.template))
            self._require_room()
            with _engine_errors():
                shard.engine.update(edge.UpdateOperation.upsert_points([_to_engine(point) for point in batch]))

    def search(
        self, model_version: str, album_id: UUID, template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        """Compare with the faces of the album. See `Gallery.search`."""
        shard = self._shard(model_version)
        _require_dimensions(shard, model_version, len(template))
        request = edge.QueryRequest(
            query=edge.Query.Nearest(template.tolist()),
            filter=_album_filter(album_id),
            limit=limit,
            score_threshold=score_threshold(min_similarity),
            with_payload=[PHOTO_KEY],
            params=SEARCH_INDEXED if shard.indexed else edge.SearchParams(exact=True),
        )
        with _engine_errors():
            found = shard.engine.query(request)
        return [GalleryMatch(hit.id, UUID(hit.payload[PHOTO_KEY]), hit.score) for hit in found]

    def templates(self, model_version: str, album_id: UUID, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        """Read templates by face. See `Gallery.templates`."""
        shard, found = self._shard(model_version), {}
        for batch in batches(face_ids, PAGE_POINTS):
            wanted = _album_filter(album_id, edge.HasIdCondition(set(batch)))
            with _engine_errors():
                records, _ = shard.engine.scroll(edge.ScrollRequest(limit=len(batch), filter=wanted, with_vector=True))
            found.update({record.id: normalize(record.vector) for record in records})
        return found

    def delete_faces(self, album_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Remove the points of these faces. See `Gallery.delete_faces`."""
        for batch in batches(face_ids, DELETE_BATCH):
            self._delete(_album_filter(album_id, edge.HasIdCondition(set(batch))))

    def delete_photos(self, album_id: UUID, photo_ids: Sequence[UUID]) -> None:
        """Remove the points of these photos. See `Gallery.delete_photos`."""
        for batch in batches(photo_ids, DELETE_BATCH):
            photos = edge.MatchAny([str(photo_id) for photo_id in batch])
            self._delete(_album_filter(album_id, edge.FieldCondition(PHOTO_KEY, match=photos)))

    def delete_album(self, album_id: UUID) -> None:
        """Remove the points of the album. See `Gallery.delete_album`."""
        self._delete(_album_filter(album_id))

    def count(self, model_version: str, album_id: UUID | None = None) -> int:
        """Count points exactly. See `Gallery.count`."""
        chosen = None if album_id is None else _album_filter(album_id)
        with _engine_errors():
            return int(self._shard(model_version).engine.count(edge.CountRequest(exact=True, filter=chosen)))

    def page(self, model_version: str, album_id: UUID, start: UUID | None) -> Page:
        """Read one page of an album's points.

        Args:
            model_version: whose templates.
            album_id: whose points.
            start: what the page before returned; None for the first.

        Returns:
            The points, and the start of the next page or None.
        """
        request = edge.ScrollRequest(
            offset=start, limit=PAGE_POINTS, filter=_album_filter(album_id), with_payload=[PHOTO_KEY], with_vector=True
        )
        with _engine_errors():
            records, following = self._shard(model_version).engine.scroll(request)
        return [_from_engine(record, album_id) for record in records], following

    def points(self, model_version: str, album_id: UUID) -> Iterator[GalleryPoint]:
        """Walk an album. See `Gallery.points`."""
        return walk_pages(lambda start: self.page(model_version, album_id, start))

    def check(self) -> None:
        """Return while the directory is open and has room. See `Gallery.check`."""
        if self._lock_file.closed:
            raise GalleryUnavailable("the gallery is closed")
        self._require_room()

    def close(self) -> None:
        """Settle the write-ahead log (this holds the GIL: 0.3 s for 40,000 faces) and let go of the directory."""
        with self._preparing:
            if self._lock_file.closed:
                return
            for shard in self._shards.values():
                shard.engine.close()
            self._lock_file.close()

    def _shard(self, model_version: str) -> _Shard:
        try:
            return self._shards[model_version]
        except KeyError:
            raise GalleryNotPrepared(f"the gallery is not prepared for templates of model {model_version}") from None

    def _require_room(self) -> None:
        """Refuse in time: the engine writes to mapped files, and a full disk kills the process with SIGBUS."""
        free_bytes = shutil.disk_usage(self._directory).free
        if free_bytes < self._reserve_bytes:
            raise GalleryUnavailable(
                f"the disk under {self._directory} has {free_bytes:,} bytes free; the gallery keeps "
                f"{self._reserve_bytes:,} in reserve (FACEFLEET_GALLERY_RESERVE_BYTES)"
            )

    def _delete(self, condition: _Engine) -> None:
        self._require_room()
        mark_erased(self._directory)
        for shard in tuple(self._shards.values()):
            with _engine_errors():
                erase_points(shard.engine, condition, shard.dimensions)


def _open_shards(directory: Path) -> dict[str, _Shard]:
    for leftover in directory.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)
    shards = {path.name: _open_shard(path) for path in sorted(directory.iterdir()) if path.is_dir()}
    if is_marked(directory):
        for shard in shards.values():
            with _engine_errors():
                erase_log(shard.engine)
        unmark(directory)
    return shards


def _open_shard(path: Path) -> _Shard:
    try:
        dimensions = json.loads((path / "edge_config.json").read_text())["vectors"][""]["size"]
        # A thread for each segment: others only look for work, for a fifth of a search.
        threads = max(1, sum(each.is_dir() for each in (path / "segments").iterdir()))
        engine = edge.EdgeShard.load(str(path), _configure(dimensions, max_search_threads=threads))
        engine.flush()  # what a killed process left in the log is settled here, before anybody waits
    except Exception as error:
        raise ConfigurationError(
            f"the gallery in {path} cannot be opened ({error}); it can be moved away and indexed again"
        ) from error
    return _Shard(engine, dimensions, indexed=engine.info().indexed_vectors_count > 0)


def _create_shard(directory: Path, model_version: str, dimensions: int) -> _Shard:
    if not _VERSION_NAME.fullmatch(model_version):
        raise ConfigurationError(f"not a model version: {model_version!r}")
    unfinished = directory / f"{_UNFINISHED}{uuid4().hex}"
    with _engine_errors():
        engine = edge.EdgeShard.create(str(unfinished), _configure(dimensions))
        engine.update(edge.UpdateOperation.create_field_index(ALBUM_KEY, ALBUM_INDEX))
        engine.update(edge.UpdateOperation.create_field_index(PHOTO_KEY, edge.PayloadSchemaType.Keyword))
        engine.close()
        # A version's directory is whole or absent, whenever the process dies.
        return _open_shard(unfinished.rename(directory / model_version))


def _configure(dimensions: int, max_search_threads: int | None = None) -> _Engine:
    vectors = edge.EdgeVectorParams(size=dimensions, distance=edge.Distance.Cosine)
    return edge.EdgeConfig(vectors=vectors, max_search_threads=max_search_threads)


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except FacefleetError:
        raise
    except Exception as error:  # the engine raises nothing more specific
        raise GalleryUnavailable(f"the embedded gallery does not answer: {error}") from error


def _require_dimensions(shard: _Shard, model_version: str, dimensions: int) -> None:
    if shard.dimensions != dimensions:
        raise ConfigurationError(
            f"templates of model {model_version} have {shard.dimensions} dimensions in the gallery, not {dimensions}"
        )


def _album_filter(album_id: UUID, *conditions: _Engine) -> _Engine:
    """Every read and delete of an album passes here."""
    album = edge.FieldCondition(ALBUM_KEY, match=edge.MatchValue(str(album_id)))
    return edge.Filter(must=[album, *conditions])


def _to_engine(point: GalleryPoint) -> _Engine:
    payload = {ALBUM_KEY: str(point.album_id), PHOTO_KEY: str(point.photo_id)}
    return edge.Point(point.face_id, point.template.tolist(), payload)


def _from_engine(record: _Engine, album_id: UUID) -> GalleryPoint:
    return GalleryPoint(record.id, album_id, UUID(record.payload[PHOTO_KEY]), normalize(record.vector))
