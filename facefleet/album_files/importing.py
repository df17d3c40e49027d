"""A file into an album: of this machine or another, of this model version or another."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from os.path import normpath
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from facefleet.album_files.checking import check_album_file
from facefleet.album_files.columns import TEMPLATE
from facefleet.album_files.exporting import UPLOADS
from facefleet.album_files.parquet import Row
from facefleet.album_files.reading import AlbumFile, open_album_file
from facefleet.errors import InvalidRequest
from facefleet.face_records import Box
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.album_entries import FiledPerson, FiledPhoto, FiledSpot
from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.engine import Ledger
from facefleet.photo_store.uris import file_uri, path_of_uri, s3_uri, scheme_of, split_s3_uri
from facefleet.records import Album, GalleryPoint, PhotoRef, face_id_of, photo_id_of

_UPLOADED: Final = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
#: Photos in one transaction; with their templates some megabytes.
_PAGE_PHOTOS: Final = 200
_NOT_A_FACE_COLUMN: Final = frozenset({"photo", TEMPLATE})


@dataclass(frozen=True, slots=True)
class Imported:
    """What came over."""

    album: str
    #: Whether the file's templates are of the model that this installation works with.
    same_model: bool
    #: New ones.
    photos: int
    #: Faces of new photos; 0 for another model: they are found again when the photos are indexed.
    faces: int
    people: int
    #: Places of faces with what was decided about them.
    spots: int
    #: Photos that were left out because faces were deleted from them, and another model cannot tell which.
    left_out: int


@dataclass(frozen=True)
class AlbumImporter:
    """Enters files into albums. What is there already stays, so the same file twice is the same as once."""

    ledger: Ledger
    gallery: Gallery
    #: What photos of this installation are indexed with.
    model_version: str
    #: URI of the folder of an album's uploads, with a slash at its end.
    upload_prefix: Callable[[Album], str]
    #: Below which uploads of all albums lie.
    upload_root: str
    #: For the audit log.
    who: str

    def import_file(self, path: Path, tenant: str, album_name: str | None) -> Imported:
        """Enter an album.

        Args:
            path: the file; it is read whole before anything is entered.
            tenant: whose album it becomes.
            album_name: under another name; None: the one in the file.

        Raises:
            AlbumFileRefused: it cannot be what it says it is.
            InvalidRequest: the album's name is not acceptable.
            TransientError: ledger or gallery is down; the same command goes on.
        """
        manifest = check_album_file(path)
        album = self.ledger.albums.ensure(album_name or manifest.album, tenant)
        entry = AuditEntry(self.who, tenant, "album_imported", str(album.id), dict(manifest.rows))
        self.ledger.audit.append(entry)
        with open_album_file(path) as file:
            return self._enter(file, album)

    def _enter(self, file: AlbumFile, album: Album) -> Imported:
        is_same = file.manifest.model_version == self.model_version
        if is_same:
            self.gallery.prepare(self.model_version, file.manifest.dimensions)
        job_id = self.ledger.album_entries.job(album.id)
        photos = faces = left_out = 0
        for page in _pages_of_photos(file, with_faces=is_same):
            if is_same:
                new = self._enter_indexed(job_id, album, page)
                photos, faces = photos + new[0], faces + new[1]
            else:
                whole = [photo for photo, _ in page if not photo["dropped"]]
                photos += self.ledger.jobs.add_photos(
                    job_id, self.model_version, [self._ref(album, photo) for photo in self._unknown(album, whole)]
                )
                left_out += len(page) - len(whole)
        people, spots = self._enter_people(file, album)
        return Imported(album.name, is_same, photos, faces, people, spots, left_out)

    def _enter_indexed(self, job_id: UUID, album: Album, page: Sequence[tuple[Row, Sequence[Row]]]) -> tuple[int, int]:
        """Points first, as a worker does: an indexed photo has its points in the gallery."""
        unknown = {photo["photo"] for photo in self._unknown(album, [photo for photo, _ in page])}
        new = [(photo, faces) for photo, faces in page if photo["photo"] in unknown]
        refs = [self._ref(album, photo) for photo, _ in new]
        points = []
        for ref, (_, faces) in zip(refs, new, strict=True):
            photo_id = photo_id_of(album.id, ref.uri, ref.version, self.model_version)
            points += [
                GalleryPoint(face_id_of(photo_id, face["number"]), album.id, photo_id, face[TEMPLATE]) for face in faces
            ]
        self.gallery.upsert(self.model_version, points)
        filed = [
            FiledPhoto(
                ref,
                photo["width_px"],
                photo["height_px"],
                datetime.fromisoformat(photo["taken_at"]) if photo["taken_at"] else None,
                [{name: value for name, value in face.items() if name not in _NOT_A_FACE_COLUMN} for face in faces],
                [int(number) for number in (photo["dropped"] or "").split()],
            )
            for ref, (photo, faces) in zip(refs, new, strict=True)
        ]
        return self.ledger.album_entries.enter_photos(job_id, album.id, self.model_version, filed), len(points)

    def _unknown(self, album: Album, photos: Sequence[Row]) -> list[Row]:
        """Leave out photos that the album has."""
        uris = {photo["photo"]: self._uri(album, photo) for photo in photos}
        unknown = self.ledger.album_entries.unknown(album.id, list(uris.values()))
        return [photo for photo in photos if uris[photo["photo"]] in unknown]

    def _ref(self, album: Album, photo: Row) -> PhotoRef:
        return PhotoRef(self._uri(album, photo), photo["name"], photo["version"], photo["size_bytes"])

    def _uri(self, album: Album, photo: Row) -> str:
        return self.place_of(album, photo["uri"])

    def place_of(self, album: Album, uri: str) -> str:
        """Say where a photo lies: where it lay, or among the album's uploads.

        A file could name anybody's upload, or take a way around. What is not plainly in a folder or bucket is put
        where nothing is, below the album's uploads.
        """
        prefix = self.upload_prefix(album)
        relative = uri.removeprefix(UPLOADS)
        if relative != uri and _UPLOADED.fullmatch(relative) and ".." not in relative.split("/"):
            return prefix + relative
        if _is_plain(uri) and not uri.startswith(self.upload_root):
            return uri
        return f"{prefix}{uuid5(album.id, uri)}/imported"

    def _enter_people(self, file: AlbumFile, album: Album) -> tuple[int, int]:
        filed = [
            FiledPerson(
                row["person"], row["name"], row["hidden"], row["merged_into"], row["cover_spot"], row["is_held"]
            )
            for page in file.pages("people")
            for row in page
        ]
        here = self.ledger.album_entries.enter_people(album.tenant, album.id, filed)
        denied: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for page in file.pages("not_people"):
            for row in page:
                if row["person"] in here:
                    denied[row["spot"]].append(here[row["person"]])
        photos = _walk_by_photo(file, "photos")
        spots, last, uri = 0, UUID(int=0), ""
        for page in file.pages("spots"):
            entries = []
            for row in page:
                if row["photo"] != last:
                    last = row["photo"]
                    uri = self._uri(album, next(photo for photo in photos if photo["photo"] == last))
                box = Box(*(row[side] for side in "xywh"))
                person_id = here.get(row["person"]) if row["person"] else None
                is_decided = row["is_decided"] and person_id is not None
                entries.append(FiledSpot(row["spot"], uri, box, person_id, is_decided, denied[row["spot"]]))
            spots += self.ledger.album_entries.enter_spots(album.id, album.tenant, self.model_version, entries)
        return len(filed), spots


def _is_plain(uri: str) -> bool:
    """Whether a place is written as a store would write it: the same one has one spelling."""
    try:
        if scheme_of(uri) == "s3":
            return s3_uri(*split_s3_uri(uri)) == uri
        return scheme_of(uri) == "file" and file_uri(Path(normpath(path_of_uri(uri)))) == uri
    except InvalidRequest:
        return False


def _pages_of_photos(file: AlbumFile, *, with_faces: bool) -> Iterator[list[tuple[Row, Sequence[Row]]]]:
    """Walk photos with their faces; both tables are sorted by photo."""
    groups = groupby(_walk_by_photo(file, "faces"), key=lambda row: row["photo"]) if with_faces else iter(())
    group = next(groups, None)
    page: list[tuple[Row, Sequence[Row]]] = []
    for photo in _walk_by_photo(file, "photos"):
        faces: Sequence[Any] = ()
        if group is not None and group[0] == photo["photo"]:
            faces = list(group[1])
            group = next(groups, None)
        page.append((photo, faces))
        if len(page) == _PAGE_PHOTOS:
            yield page
            page = []
    if page:
        yield page


def _walk_by_photo(file: AlbumFile, table: str) -> Iterator[Row]:
    for page in file.pages(table):
        yield from page
