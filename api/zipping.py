"""Photos as one zip file that is written while it is sent: nothing of it is kept."""

import io
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from facefleet.errors import FacefleetError
from facefleet.photo_store import PhotoStores
from facefleet.records import Photo

_LEFT_OUT = "left-out.txt"


class _Outbox(io.RawIOBase):
    """Collects what a zip file writes until it is taken. Not seekable, so that nothing is ever written twice."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        """Say so."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # no buffer protocol in 3.11
        """Keep until taken."""
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """Hand out what was written since the last time."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


def zip_photos(stores: PhotoStores, photos: Sequence[Photo], max_photo_bytes: int) -> Iterator[bytes]:
    """Write photos into a zip, one in memory at a time; uncompressed, as photos are compressed already.

    Args:
        stores: where they are.
        photos: put into the folders of their names.
        max_photo_bytes: a larger one is left out.

    Yields:
        The file's bytes. A photo that cannot be read is named, with the reason, in `left-out.txt` at its end.
    """
    outbox, left_out = _Outbox(), []
    names = _name_members(photos)
    with ZipFile(outbox, "w", ZIP_STORED) as archive:
        for photo, name in zip(photos, names, strict=True):
            try:
                data = stores.read(photo.store_uri, photo.version, max_photo_bytes)
            except FacefleetError as error:
                left_out.append(f"{photo.name}: {error}")
                continue
            archive.writestr(ZipInfo(name), data)
            yield outbox.take()
        if left_out:
            archive.writestr(_LEFT_OUT, "\n".join(left_out) + "\n")
    yield outbox.take()


def _name_members(photos: Sequence[Photo]) -> list[str]:
    """Give every photo a relative path of its own, which no unpacker takes out of its folder."""
    taken = {_LEFT_OUT}
    names = []
    for photo in photos:
        parts = [part for part in PurePosixPath(photo.name.replace("\\", "/")).parts if part.strip("./ ")]
        path = PurePosixPath(*(part.replace(":", "_") for part in parts or ["photo"]))
        name, number = path, 1
        while str(name).casefold() in taken:
            number += 1
            name = path.with_name(f"{path.stem} ({number}){path.suffix}")
        taken.add(str(name).casefold())
        names.append(str(name))
    return names
