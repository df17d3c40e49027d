from threading import Event

from facefleet.errors import GalleryUnavailable
from facefleet.records import PhotoRef
from workers.dispatcher.lister import pages
from workers.dispatcher.loop import repeat


class CountedRest(Event):
    """Counts rests instead of resting."""

    def __init__(self) -> None:
        super().__init__()
        self.rests_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.rests_s.append(timeout or 0)
        return self.is_set()


def test_step_is_called_again_at_once_while_there_is_more() -> None:
    stopping, answers = CountedRest(), [True, True, False]

    def step() -> bool:
        more = answers.pop(0)
        if not answers:
            stopping.set()
        return more

    repeat(step, 7, stopping)
    assert stopping.rests_s == [7]


def test_failures_are_outlived() -> None:
    stopping, failures = CountedRest(), [GalleryUnavailable("down"), ValueError("defect")]

    def step() -> bool:
        if failures:
            raise failures.pop(0)
        stopping.set()
        return False

    repeat(step, 7, stopping)
    assert stopping.rests_s == [2, 2, 7]


def test_listing_is_cut_into_pages() -> None:
    refs = [PhotoRef(f"file:///{n}", str(n), "1", 1) for n in range(1001)]
    cut = list(pages(iter(refs)))
    assert [len(page) for page in cut] == [500, 500, 1]
    assert [ref for page in cut for ref in page] == refs
