"""Deleting from the embedded engine so that no template stays in its files.

The engine only marks a deleted point: its bytes stay in the segment until that is rewritten, which never happens while
anybody is served (`optimize` holds the GIL), and in the write-ahead log until that moves on. So every point is
overwritten before it is deleted, which an appendable segment does in place; and when a gallery from which something was
deleted is opened the next time, before anybody waits, its log is filled until the old part of it is dropped. Segments
that `edge_index` made are not appendable: they keep deleted templates until it runs again. Random ids of albums and
photos stay in the payload's files.
"""

from pathlib import Path
from typing import Any, TypeAlias

import qdrant_edge as edge

from facefleet.gallery.points import ALBUM_KEY

#: The engine ships stubs only, nothing that mypy could follow.
_Engine: TypeAlias = Any

#: Points that are overwritten at once.
_PAGE = 500
#: A file of the log holds 32 MiB, and the engine keeps the last full one: this many entries of this size fill two.
_FILLING_ENTRIES = 9
_FILLING_BYTES = 8_000_000
#: Its presence says that something was deleted since the gallery was opened.
_MARK = ".erase-log"


def erase_points(engine: _Engine, condition: _Engine, dimensions: int) -> None:
    """Overwrite and delete every point that a filter matches.

    Whoever is killed in between leaves points that belong to no album, and so to nobody.

    Args:
        engine: a shard.
        condition: a filter.
        dimensions: of the shard's templates.
    """
    nothing = [1.0] + [0.0] * (dimensions - 1)
    while True:
        request = edge.ScrollRequest(limit=_PAGE, filter=condition, with_payload=False, with_vector=False)
        found, _ = engine.scroll(request)
        ids = [record.id for record in found]
        if ids:
            engine.update(edge.UpdateOperation.upsert_points([edge.Point(each, nothing, {}) for each in ids]))
            engine.update(edge.UpdateOperation.delete_points(ids))
        if len(ids) < _PAGE:
            return


def mark_erased(directory: Path) -> None:
    """Have the log erased when the gallery is opened again."""
    (directory / _MARK).touch()


def is_marked(directory: Path) -> bool:
    """Tell whether something was deleted since the gallery was opened."""
    return (directory / _MARK).exists()


def unmark(directory: Path) -> None:
    """Say that no log holds anything deleted."""
    (directory / _MARK).unlink(missing_ok=True)


def erase_log(engine: _Engine) -> None:
    """Fill a shard's log until what it held is dropped: half a second. Called while nobody waits.

    What it is filled with deletes the points of an album with an impossible name.
    """
    nobody = edge.FieldCondition(ALBUM_KEY, match=edge.MatchValue("-" * _FILLING_BYTES))
    for _ in range(_FILLING_ENTRIES):
        engine.update(edge.UpdateOperation.delete_points_by_filter(edge.Filter(must=[nobody])))
    engine.flush()
