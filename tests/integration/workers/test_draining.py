import time
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from facefleet.errors import GalleryNotPrepared, PhotoStoreUnavailable
from facefleet.records import GalleryPoint, LeasedPhoto, PhotoState
from tests.integration.workers.conftest import MODEL_VERSION, Bench
from workers.draining import release
from workers.lease_keeper import heartbeat

PHOTOS = {f"p{number}": b"1 x" for number in range(6)}


def claimable(bench: Bench, album_id: UUID) -> list[LeasedPhoto]:
    ids = [photo.id for photo in bench.parts.ledger.photos.list(album_id, PhotoState.PENDING, 99, None)]
    return bench.parts.ledger.leases.claim(ids, 60)


def test_asked_to_end_the_photo_at_hand_is_finished_and_the_rest_given_back(bench: Bench) -> None:
    bench.write(**PHOTOS)
    album_id, _ = bench.list_into("party")
    bench.recognizer.before = lambda _: bench.indexer.stopping.set()
    bench.indexer.index(bench.photo_ids(album_id))
    assert sorted(bench.states(album_id).values()) == ["indexed"] + 5 * ["pending"]
    given_back = claimable(bench, album_id)
    assert len(given_back) == 5
    assert {photo.attempt for photo in given_back} == {1}


def test_a_message_that_comes_too_late_is_sent_again_at_once(bench: Bench) -> None:
    bench.write(**PHOTOS)
    album_id, _ = bench.list_into("party")
    leases, ids = bench.parts.ledger.leases, bench.photo_ids(album_id)
    leases.mark_dispatched(ids)
    assert leases.waiting(100, 60) == []
    bench.indexer.stopping.set()
    bench.indexer.index(ids)
    assert sum(len(message) for _, message in leases.waiting(100, 60)) == len(PHOTOS)


def test_released_photos_belong_to_whoever_comes_next(bench: Bench) -> None:
    bench.write(**PHOTOS)
    album_id, _ = bench.list_into("party")
    taken = claimable(bench, album_id)
    release(bench.parts.ledger.leases, taken)
    assert {photo.attempt for photo in claimable(bench, album_id)} == {1}


@pytest.mark.parametrize("beats", [True, False])
def test_a_photo_that_takes_longer_than_its_lease_is_kept_by_heartbeats(bench: Bench, beats: bool) -> None:
    bench.write(slow=b"1 x")
    album_id, _ = bench.list_into("party")
    ledger, keeper = bench.parts.ledger, bench.indexer.guards.keeper
    keeper.lease_s = 0.3
    [leased] = ledger.leases.claim(bench.photo_ids(album_id), 0.3)

    def outlast_the_lease() -> None:
        """The lease is what passes here: there is no other condition to wait for."""
        time.sleep(0.9)
        ledger.leases.sweep(3)

    with keeper.hold([leased]):
        if beats:
            with heartbeat(keeper):
                outlast_the_lease()
        else:
            outlast_the_lease()
    assert bench.states(album_id) == {"slow.jpg": "leased" if beats else "pending"}


def failing(error: Exception) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise error

    return refuse


def test_a_store_that_is_down_is_asked_five_times_and_not_for_every_photo(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write(**{f"p{number}": b"1 x" for number in range(26)})
    album_id, _ = bench.list_into("party")
    asked: list[str] = []

    def refuse(_stores: object, uri: str, *_: object) -> bytes:
        asked.append(uri)
        raise PhotoStoreUnavailable("down")

    monkeypatch.setattr(type(bench.parts.stores), "read", refuse)
    bench.indexer.index(bench.photo_ids(album_id))
    assert len(asked) == 5
    waiting = bench.parts.ledger.photos.list(album_id, PhotoState.PENDING, 99, None)
    assert len(waiting) == 26
    assert {photo.attempt for photo in waiting} == {0}


def test_a_gallery_that_comes_back_empty_is_prepared_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(**PHOTOS)
    album_id, _ = bench.list_into("party")
    prepared: list[str] = []
    gallery, write = bench.parts.gallery, bench.parts.gallery.upsert

    def upsert_into_what_was_prepared(version: str, points: Sequence[GalleryPoint]) -> None:
        if not prepared:
            raise GalleryNotPrepared("empty")
        write(version, points)

    monkeypatch.setattr(gallery, "prepare", lambda version, _dimensions: prepared.append(version))
    monkeypatch.setattr(gallery, "upsert", upsert_into_what_was_prepared)
    breaker = bench.indexer.guards.breakers.gallery
    bench.indexer.index(bench.photo_ids(album_id))
    assert prepared == [MODEL_VERSION]
    assert set(bench.states(album_id).values()) == {"indexed"}
    assert not breaker.is_open
