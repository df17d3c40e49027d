"""An album into a file."""

import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

import numpy as np

from facefleet.album_files.columns import FORMAT_NAME, FORMAT_VERSION, MANIFEST, QUALITY, TABLES, Manifest
from facefleet.album_files.parquet import Row, write_table
from facefleet.errors import GalleryNotPrepared, GalleryUnavailable, InvalidRequest
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.album_rows import AlbumSnapshot
from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.engine import Ledger
from facefleet.records import Album

#: What the place of an uploaded photo begins with: it lies below the album's own folder, wherever that is.
UPLOADS = "uploads:"


@dataclass(frozen=True)
class AlbumExporter:
    """Writes albums into files. Reads ledger and gallery, changes neither but for the audit log."""

    ledger: Ledger
    gallery: Gallery
    #: URI of the folder of the album's uploads, with a slash at its end.
    upload_prefix: str
    #: For the audit log.
    who: str

    def export(self, album: Album, path: Path) -> Manifest:
        """Write an album as it is now; the file is there when all of it is, readable by its owner only.

        Args:
            album: photos that are indexed with the model version of most of its faces are written.
            path: where nothing is yet.

        Raises:
            InvalidRequest: there is nothing to export, or the file cannot be written.
            TransientError: ledger or gallery is down, or a face has no template in the gallery (yet).
        """
        if path.exists():
            raise InvalidRequest(f"{path} is there already: nothing is written over it")
        version = self.ledger.groupings.model_version(album.id)
        if version is None:
            raise InvalidRequest(f"{album.name} has no faces (yet): there is nothing to export")
        draft = path.with_name(f"{path.name}.part")
        try:
            draft.touch(mode=0o600, exist_ok=False)
            try:
                manifest = self._write(album, version, draft)
                entry = AuditEntry(self.who, album.tenant, "album_exported", str(album.id), manifest.rows)
                self.ledger.audit.append(entry)
                draft.rename(path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be written: {error.strerror}") from error
        return manifest

    def _write(self, album: Album, version: str, draft: Path) -> Manifest:
        known = self.ledger.groupings.known_people(album.tenant, album.id)
        rows_of: dict[str, int] = {}
        with self.ledger.album_rows.snapshot(album.id, version) as snapshot, ZipFile(draft, "w", ZIP_STORED) as archive:
            dimensions, people = self._count_dimensions(snapshot), snapshot.people()
            pages = {
                "photos": self._photos(snapshot),
                "faces": self._faces(snapshot),
                "spots": _spots(snapshot, {row.id for row in people}),
                "not_people": _not_people(snapshot),
                "people": iter([_people(people, known.held)]),
            }
            for table in TABLES:
                with archive.open(f"{table}.parquet", "w", force_zip64=True) as member:
                    write_table(member, table, dimensions, _counted(pages[table], table, rows_of))
            now = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = Manifest(album.name, version, dimensions, now, rows_of)
            head = {"format": FORMAT_NAME, "version": FORMAT_VERSION}
            archive.writestr(MANIFEST, json.dumps(head | asdict(manifest), indent=2) + "\n")
        return manifest

    def _count_dimensions(self, snapshot: AlbumSnapshot) -> int:
        face_id = snapshot.a_face()
        if face_id is None:
            raise InvalidRequest("the album has no faces (any more): there is nothing to export")
        return len(self._templates(snapshot, [face_id])[face_id])

    def _photos(self, snapshot: AlbumSnapshot) -> Iterator[Sequence[Row]]:
        for page in snapshot.photos():
            dropped = snapshot.dropped([row.id for row in page])
            yield [
                {
                    "photo": str(row.id),
                    "name": row.name,
                    "uri": self._place(row.store_uri),
                    "version": row.version,
                    "size_bytes": row.size_bytes,
                    "width_px": row.width_px,
                    "height_px": row.height_px,
                    "taken_at": row.taken_at.isoformat() if row.taken_at else None,
                    "dropped": " ".join(map(str, dropped[row.id])) if row.id in dropped else None,
                }
                for row in page
            ]

    def _place(self, uri: str) -> str:
        return UPLOADS + uri.removeprefix(self.upload_prefix) if uri.startswith(self.upload_prefix) else uri

    def _faces(self, snapshot: AlbumSnapshot) -> Iterator[Sequence[Row]]:
        for page in snapshot.faces():
            templates = self._templates(snapshot, [row.id for row in page])
            yield [
                {
                    "photo": str(row.photo_id),
                    "number": row.number,
                    **{side: getattr(row, side) for side in "xywh"},
                    "landmarks": np.array(row.landmarks, "<f4").tobytes(),
                    "detection_score": row.detection_score,
                    **{field: getattr(row, field) for field in QUALITY},
                    "template": templates[row.id].astype("<f4").tobytes(),
                }
                for row in page
            ]

    def _templates(self, snapshot: AlbumSnapshot, face_ids: Sequence[UUID]) -> dict[UUID, Any]:
        try:
            found = self.gallery.templates(snapshot.model_version, snapshot.album_id, face_ids)
        except GalleryNotPrepared:  # wiped
            found = {}
        if missing := len(set(face_ids) - found.keys()):
            raise GalleryUnavailable(
                f"{missing} faces have no template in the gallery (any more); `facefleet rebuild` brings them back"
            )
        return found


def _spots(snapshot: AlbumSnapshot, people: AbstractSet[UUID]) -> Iterator[Sequence[Row]]:
    for page in snapshot.spots():
        yield [
            {
                "photo": str(row.photo_id),
                "spot": str(row.id),
                **{side: getattr(row, side) for side in "xywh"},
                "person": str(row.person_id) if row.person_id in people else None,
                "is_decided": row.is_decided and row.person_id in people,
            }
            for row in page
        ]


def _not_people(snapshot: AlbumSnapshot) -> Iterator[Sequence[Row]]:
    for page in snapshot.not_people():
        yield [{"spot": str(row.spot_id), "person": str(row.person_id)} for row in page]


def _people(people: Sequence[Any], held: AbstractSet[UUID]) -> Sequence[Row]:
    return [
        {
            "person": str(row.id),
            "name": row.name,
            "hidden": row.hidden,
            "merged_into": None if row.root_id == row.id else str(row.root_id),
            "cover_spot": None if row.cover_spot_id is None else str(row.cover_spot_id),
            "is_held": row.id in held,
        }
        for row in people
    ]


def _counted(pages: Iterator[Sequence[Row]], table: str, rows_of: dict[str, int]) -> Iterator[Sequence[Row]]:
    rows_of[table] = 0
    for page in pages:
        rows_of[table] += len(page)
        yield page
