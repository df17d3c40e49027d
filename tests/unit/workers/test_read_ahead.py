"""The next photo is on its way while one is recognized, within a budget."""

from collections.abc import Callable
from threading import Event, Thread
from uuid import uuid4

import pytest

from facefleet.errors import PhotoStoreUnavailable
from facefleet.records import LeasedPhoto
from tests.fixtures.processes import wait_until
from workers.read_ahead import ReadAhead


def leased(name: str, scheme: str = "s3://bucket", size_bytes: int = 10) -> LeasedPhoto:
    return LeasedPhoto(uuid4(), uuid4(), name, f"{scheme}/{name}", "v", "m", 1, uuid4(), size_bytes)


class Store:
    """Notes what was read."""

    def __init__(self, before: Callable[[LeasedPhoto], object] = lambda _: None) -> None:
        self.begun: list[str] = []
        self.before = before

    def read(self, photo: LeasedPhoto) -> bytes:
        self.begun.append(photo.name)
        self.before(photo)
        return photo.name.encode()


def test_the_next_photo_is_read_while_one_is_worked_on_and_each_once() -> None:
    store, photos = Store(), [leased(name) for name in "abc"]
    with ReadAhead(100).over(photos, store.read) as read:
        assert read(photos[0]) == b"a"
        wait_until(lambda: store.begun == ["a", "b"], "b is read ahead")
        assert [read(photo) for photo in photos[1:]] == [b"b", b"c"]
    assert store.begun == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("budget_bytes", "photo"), [(9, leased("b")), (0, leased("b")), (100, leased("b", "file:///photos"))]
)
def test_what_does_not_fit_the_budget_or_lies_in_a_folder_is_read_in_its_turn(
    budget_bytes: int, photo: LeasedPhoto
) -> None:
    store, first = Store(), leased("a")
    with ReadAhead(budget_bytes).over([first, photo], store.read) as read:
        read(first)
        assert store.begun == ["a"]
        assert read(photo) == b"b"


def test_threads_share_the_budget_and_get_it_back() -> None:
    let_go = Event()
    store = Store(lambda photo: photo.name == "b" and let_go.wait(10))
    ahead, photos, others = ReadAhead(10), [leased(name) for name in "ab"], [leased(name) for name in "cd"]
    with ahead.over(photos, store.read) as read, ahead.over(others, store.read) as read_others:
        read(photos[0])
        read_others(others[0])
        assert "d" not in store.begun
    # The first message was given up while its second photo was on its way.
    let_go.set()
    wait_until(lambda: ahead.ahead_bytes == 0, "the budget is free again")


def test_an_error_comes_when_it_is_the_photos_turn() -> None:
    def refuse(photo: LeasedPhoto) -> None:
        if photo.name == "b":
            raise PhotoStoreUnavailable("gone")

    store, photos = Store(refuse), [leased(name) for name in "abc"]
    ahead = ReadAhead(100)
    with ahead.over(photos, store.read) as read:
        assert read(photos[0]) == b"a"
        with pytest.raises(PhotoStoreUnavailable):
            read(photos[1])
        assert ahead.ahead_bytes == 0
        assert read(photos[2]) == b"c"


def test_a_machine_without_room_for_a_thread_reads_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    store, photos, ahead = Store(), [leased(name) for name in "ab"], ReadAhead(100)
    with ahead.over(photos, store.read) as read:
        assert [read(photo) for photo in photos] == [b"a", b"b"]
    assert ahead.ahead_bytes == 0
