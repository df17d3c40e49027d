"""What both Qdrant adapters need to know: payload keys, batch sizes, and how the engine compares."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar
from uuid import UUID

import numpy as np

from facefleet.face_records import Template
from facefleet.records import GalleryPoint

ALBUM_KEY = "album_id"
PHOTO_KEY = "photo_id"

#: Points in one upsert: 500 templates of 512 floats are 1 MB, written in some 15 ms.
UPSERT_BATCH = 500
#: Points in one page of a walk.
PAGE_POINTS = 1000
#: Photo ids in one delete filter.
DELETE_BATCH = 1000

#: Points, and the id the next page starts with (None: this was the last).
Page: TypeAlias = tuple[list[GalleryPoint], UUID | None]

_Item = TypeVar("_Item")


def batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """Cut a sequence into runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def score_threshold(min_similarity: float) -> float:
    """Turn an inclusive threshold into the engine's, which is exclusive and compares float32."""
    return float(np.nextafter(np.float32(min_similarity), np.float32(-2)))


def walk_pages(fetch_page: Callable[[UUID | None], Page]) -> Iterator[GalleryPoint]:
    """Yield the points of every page; only one page is in memory."""
    points, start = fetch_page(None)
    yield from points
    while start is not None:
        points, start = fetch_page(start)
        yield from points


def normalize(vector: object) -> Template:
    """Give a stored vector as (D,) float32 with norm 1: the engine normalises within a few float32 steps.

    Args:
        vector: a list of floats as the engine returns it.
    """
    template = np.asarray(vector, np.float32)
    return template / np.float32(np.linalg.norm(template))
