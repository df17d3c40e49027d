"""What bucket notifications do to the ledger, in whatever order they come."""

from itertools import permutations
from threading import Thread

import pytest
import sqlalchemy as sa

from facefleet.errors import AlbumNotFound, InvalidRequest
from facefleet.ledger.clock import seconds_from_now
from facefleet.ledger.engine import Ledger
from facefleet.ledger.schema import ingest_dead, object_event
from facefleet.records import FinishedPhoto, PhotoState
from tests.integration.events.conftest import created, notification, removed, take_in, versions
from tests.integration.ledger.scene import recognized

KEY = "albums/party/a.jpg"


def index_everything(ledger: Ledger, album: str) -> None:
    waiting = ledger.photos.list(ledger.albums.get(album).id, PhotoState.PENDING, 100, None)
    for photo in waiting:
        leased = ledger.leases.claim([photo.id], 60)
        ledger.leases.finish([FinishedPhoto(each, recognized(1)) for each in leased])


def test_a_created_object_waits_in_an_album_that_is_made_for_it(ledger: Ledger) -> None:
    assert take_in(ledger, notification(created(KEY, 1), created("albums/trip/b.jpg", 1))) == 2
    assert versions(ledger, "party") == {"a.jpg v1": "pending"}
    assert versions(ledger, "trip") == {"b.jpg v1": "pending"}


def test_photos_of_one_album_share_one_job(ledger: Ledger) -> None:
    for number in range(3):
        take_in(ledger, notification(created(f"albums/party/{number}.jpg", 1)))
    album_id = ledger.albums.get("party").id
    with ledger.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT DISTINCT job_id FROM photo")).all()
        sources = connection.execute(sa.text("SELECT source FROM job")).scalars().all()
    assert (len(rows), sources) == (1, ["events:"])
    index_everything(ledger, "party")
    assert ledger.albums.summarize(album_id).indexed == 3


def test_the_same_message_twice_is_once(ledger: Ledger) -> None:
    assert take_in(ledger, notification(created(KEY, 1))) == 1
    index_everything(ledger, "party")
    assert take_in(ledger, notification(created(KEY, 1))) == 0
    assert versions(ledger, "party") == {"a.jpg v1": "indexed"}


def test_an_overwrite_supersedes_once_it_is_indexed(ledger: Ledger) -> None:
    take_in(ledger, notification(created(KEY, 1)))
    index_everything(ledger, "party")
    take_in(ledger, notification(created(KEY, 2, "v2")))
    assert versions(ledger, "party") == {"a.jpg v1": "indexed", "a.jpg v2": "pending"}
    index_everything(ledger, "party")
    assert versions(ledger, "party") == {"a.jpg v2": "indexed"}


def test_a_removed_object_takes_its_faces_along(ledger: Ledger) -> None:
    take_in(ledger, notification(created(KEY, 1)))
    index_everything(ledger, "party")
    take_in(ledger, notification(removed(KEY, 2)))
    album_id = ledger.albums.get("party").id
    assert versions(ledger, "party") == {}
    assert ledger.faces.list(album_id, 10, None) == []
    assert [uri for _, _, uri in ledger.leases.superseded(10)] == ["s3://photos/albums/party/a.jpg"]


def test_a_photo_in_work_is_refused_once_its_object_is_gone(ledger: Ledger) -> None:
    take_in(ledger, notification(created(KEY, 1)))
    [photo] = ledger.photos.list(ledger.albums.get("party").id, None, 10, None)
    leased = ledger.leases.claim([photo.id], 60)
    take_in(ledger, notification(removed(KEY, 2)))
    assert ledger.leases.finish([FinishedPhoto(leased[0], recognized(1))]) == set()


HISTORY = [created(KEY, 9, "v1"), removed(KEY, 0x10), created(KEY, 0xFF, "v2"), created(KEY, 0x100, "v3")]


@pytest.mark.parametrize("order", list(permutations(range(4)))[1::3])
def test_the_last_event_wins_in_any_order(ledger: Ledger, order: tuple[int, ...]) -> None:
    for number in order:
        take_in(ledger, notification(HISTORY[number]))
        take_in(ledger, notification(HISTORY[number]))
    index_everything(ledger, "party")
    assert versions(ledger, "party") == {"a.jpg v3": "indexed"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_removal_wins_over_older_creations(ledger: Ledger, order: tuple[int, ...]) -> None:
    history = [created(KEY, 9), created(KEY, 0x10, "v2"), removed(KEY, 0x11)]
    ledger.albums.ensure("party")
    for number in order:
        take_in(ledger, notification(history[number]))
    assert versions(ledger, "party") == {}


def test_one_message_with_several_events_of_one_object_is_ordered_too(ledger: Ledger) -> None:
    take_in(ledger, notification(created(KEY, 3, "v3"), created(KEY, 1), removed(KEY, 2)))
    index_everything(ledger, "party")
    assert versions(ledger, "party") == {"a.jpg v3": "indexed"}


def test_a_removal_makes_no_album(ledger: Ledger) -> None:
    take_in(ledger, notification(removed(KEY, 2)))
    with pytest.raises(AlbumNotFound):
        ledger.albums.get("party")
    assert take_in(ledger, notification(created(KEY, 1))) == 0


def test_content_that_comes_back_is_indexed_again(ledger: Ledger) -> None:
    for number, event in enumerate((created(KEY, 1), removed(KEY, 2), created(KEY, 3))):
        take_in(ledger, notification(event))
        index_everything(ledger, "party")
        assert len(versions(ledger, "party")) == (number != 1)


def test_pollers_at_once_do_not_hinder_each_other(ledger: Ledger) -> None:
    keys = [f"albums/party/{number}.jpg" for number in range(12)]
    failures: list[BaseException] = []

    def poll(turn: int) -> None:
        try:
            mine = keys if turn % 2 else keys[::-1]
            for sequencer in range(3):
                take_in(ledger, notification(*(created(key, sequencer + 1, f"v{sequencer}") for key in mine)))
        except BaseException as error:  # noqa: BLE001  shown by the assertion
            failures.append(error)

    threads = [Thread(target=poll, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    index_everything(ledger, "party")
    assert versions(ledger, "party") == {f"{number}.jpg v2": "indexed" for number in range(12)}


def test_garbage_is_shown_newest_first_in_pages(ledger: Ledger) -> None:
    for number in range(5):
        take_in(ledger, f"garbage {number}")
        take_in(ledger, f"garbage {number}")
        with ledger.database.writing() as connection:
            connection.execute(ingest_dead.update().values(received_at=ingest_dead.c.received_at, reason="not_json"))
            older = ingest_dead.update().where(ingest_dead.c.body == f"garbage {number}")
            connection.execute(older.values(received_at=seconds_from_now(number - 10)))
    first = ledger.ingest.list_dead(3)
    rest = ledger.ingest.list_dead(3, first[-1].id)
    assert [event.body for event in first + rest] == [f"garbage {number}" for number in (4, 3, 2, 1, 0)]
    assert {event.reason for event in first} == {"not_json"}
    with pytest.raises(InvalidRequest):
        ledger.ingest.list_dead(3, ledger.albums.ensure("x").id)


def test_what_is_unusable_and_what_is_not_is_one_transaction(ledger: Ledger) -> None:
    take_in(ledger, notification(created(KEY, 1), bucket="strange"))
    [dead] = ledger.ingest.list_dead(10)
    assert (dead.reason, "strange" in dead.detail, "albums/party" in dead.body) == ("unknown_bucket", True, True)


def test_old_orders_and_garbage_are_forgotten(ledger: Ledger) -> None:
    take_in(ledger, notification(created(KEY, 5)))
    take_in(ledger, "garbage")
    ledger.ingest.forget_old()
    assert len(ledger.ingest.list_dead(10)) == 1
    with ledger.database.writing() as connection:
        connection.execute(object_event.update().values(seen_at=seconds_from_now(-15 * 86_400)))
        connection.execute(ingest_dead.update().values(received_at=seconds_from_now(-15 * 86_400)))
    ledger.ingest.forget_old()
    assert ledger.ingest.list_dead(10) == []
    with ledger.database.reading() as connection:
        assert connection.execute(sa.select(object_event)).all() == []
