"""Which files are surely no photos, by their names. Everything else is tried, and says so when it is none."""

from mimetypes import MimeTypes
from pathlib import PurePosixPath
from typing import Final

#: Python's own table: what the system knows beside it would change the answer from machine to machine.
_TYPES: Final = MimeTypes(filenames=())
_OTHER_KINDS: Final = frozenset({"application", "audio", "font", "message", "text", "video"})
#: What Python's table does not know or, like .dll, calls application/octet-stream, which may be anything:
#: documents and data, what photo programs put beside photos, films and sound, archives, programs.
_OTHER_SUFFIX_LIST: Final = """
    .cfg .conf .db .docx .gpx .ini .jsonl .kml .lock .log .lrcat .md .odp .ods .odt .parquet .pptx .rst .rtf .sqlite
    .sqlite3 .sql .toml .url .xlsx .yaml .yml
    .aae .cos .dop .pp3 .xmp
    .3gp .avi .flac .flv .m2ts .m4a .m4v .mkv .mts .ogg .ogv .opus .wma .wmv
    .7z .crdownload .dmg .iso .part .rar .tmp .zst
    .a .dll .exe .go .java .lnk .o .obj .php .rb .rs .so .ts
"""
_OTHER_SUFFIXES: Final = frozenset(_OTHER_SUFFIX_LIST.split())


def may_be_photo(name: str) -> bool:
    """Tell whether a file of this name is worth trying: unknown endings and none are.

    Args:
        name: a path or key; only its ending counts.
    """
    if PurePosixPath(name).suffix.lower() in _OTHER_SUFFIXES:
        return False
    kind, packing = _TYPES.guess_type(PurePosixPath(name).name.replace(":", "_"))
    if kind is None or kind == "application/octet-stream":
        return packing is None
    return packing is None and kind.partition("/")[0] not in _OTHER_KINDS
