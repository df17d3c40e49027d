"""What the relay sends and what the purger purges."""

from collections import Counter

import pytest
import sqlalchemy as sa

from facefleet.ledger.clock import seconds_from_now
from facefleet.ledger.engine import Ledger
from facefleet.ledger.message_sizes import MessageSizes
from facefleet.ledger.schema import urgent_photo
from facefleet.records import Backlog, PhotoState
from tests.integration.ledger.scene import REDISPATCH_AFTER_S, Scene, ref_of


def test_waiting_photos_come_as_messages(scene: Scene) -> None:
    photo_ids = scene.add(*(f"{number}.jpg" for number in range(20)))
    messages = scene.ledger.leases.waiting(100, REDISPATCH_AFTER_S)
    assert [len(ids) for _, ids in messages] == [8, 8, 4]
    assert {photo_id for _, ids in messages for photo_id in ids} == set(photo_ids)
    assert {album_id for album_id, _ in messages} == {scene.album.id}


def test_messages_are_large_while_plenty_of_the_album_waits(scene: Scene) -> None:
    scene.add(*(f"{number}.jpg" for number in range(50)))
    leases, sizes = scene.ledger.leases, MessageSizes(most=15, plenty=24)
    for expected in ([15, 10], [15, 10], [8, 8, 4]):
        # Less room than photos: what does not fit is counted all the same.
        messages = leases.waiting(25, REDISPATCH_AFTER_S, sizes)
        assert [len(ids) for _, ids in messages] == expected
        leases.mark_dispatched(messages[0][1])
    assert [len(ids) for _, ids in leases.waiting(9, REDISPATCH_AFTER_S, MessageSizes(most=3, plenty=0))] == [3, 3, 3]


def test_no_more_than_the_limit_comes(scene: Scene) -> None:
    scene.add(*(f"{number}.jpg" for number in range(20)))
    assert sum(len(ids) for _, ids in scene.ledger.leases.waiting(10, REDISPATCH_AFTER_S)) == 10
    assert scene.ledger.leases.waiting(0, REDISPATCH_AFTER_S) == []


def test_a_small_album_does_not_wait_behind_a_large_one(scene: Scene, ledger: Ledger) -> None:
    scene.add(*(f"{number}.jpg" for number in range(500)))
    small = ledger.albums.create("small")
    job = ledger.jobs.create(small.id, "file:///small")
    ledger.jobs.add_photos(job.id, "m1", [ref_of(f"{number}.jpg") for number in range(10)])
    messages = ledger.leases.waiting(400, REDISPATCH_AFTER_S, MessageSizes(5))
    assert sum(len(ids) for _, ids in messages) == 400
    # One message in five is of any album: none of the small one's among 80 has a chance of 0.0002.
    assert small.id in {album_id for album_id, _ in messages}


def test_most_messages_are_of_the_album_that_came_first(scene: Scene, ledger: Ledger) -> None:
    scene.add(*(f"{number}.jpg" for number in range(500)))
    later = ledger.albums.create("later")
    job = ledger.jobs.create(later.id, "file:///later")
    ledger.jobs.add_photos(job.id, "m1", [ref_of(f"{number}.jpg") for number in range(500)])
    messages = ledger.leases.waiting(400, REDISPATCH_AFTER_S, MessageSizes(5))
    count = Counter(album_id for album_id, _ in messages)
    assert count[scene.album.id] > 3 * count[later.id]


def test_albums_beyond_the_room_get_their_turns_too(scene: Scene, ledger: Ledger) -> None:
    scene.add(*(f"{number}.jpg" for number in range(9)))
    for number in range(12):
        job = ledger.jobs.create(ledger.albums.create(f"album {number}").id, "file:///later")
        ledger.jobs.add_photos(job.id, "m1", [ref_of(name) for name in ("a.jpg", "b.jpg", "c.jpg")])
    # Nothing is marked as sent: each time the choice is made anew.
    count = Counter(
        album_id for _ in range(60) for album_id, _ in ledger.leases.waiting(4, REDISPATCH_AFTER_S, MessageSizes(2))
    )
    assert len(count) > 5
    assert count[scene.album.id] > 60


def test_a_photo_that_lost_a_worker_comes_alone(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "poison.jpg", "b.jpg")
    scene.set(photo_ids[1:2], crash_count=1)
    messages = [set(ids) for _, ids in scene.ledger.leases.waiting(10, REDISPATCH_AFTER_S)]
    assert {photo_ids[1]} in messages
    assert {photo_ids[0], photo_ids[2]} in messages


def test_a_dispatched_photo_is_not_sent_again_until_it_is_stale(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    leases = scene.ledger.leases
    leases.mark_dispatched(photo_ids[:1])
    assert leases.waiting(10, REDISPATCH_AFTER_S) == [(scene.album.id, photo_ids[1:])]
    assert leases.runway(REDISPATCH_AFTER_S) == 1
    # As if the broker had lost it: it neither blocks the runway nor is forgotten.
    assert leases.runway(0) == 0
    assert len(leases.waiting(10, 0)[0][1]) == 2


def test_the_relay_is_told_when_nothing_is_to_be_sent(scene: Scene) -> None:
    leases = scene.ledger.leases
    assert not leases.has_unsent(REDISPATCH_AFTER_S)
    photo_ids = scene.add("a.jpg", "b.jpg")
    assert leases.has_unsent(REDISPATCH_AFTER_S)
    leases.mark_dispatched(photo_ids)
    assert not leases.has_unsent(REDISPATCH_AFTER_S)
    assert leases.has_unsent(0)
    scene.claim(photo_ids)
    assert not leases.has_unsent(0)


def test_a_claim_ends_the_runway_and_stays_in_the_backlog(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg", "c.jpg")
    leases = scene.ledger.leases
    leases.mark_dispatched(photo_ids)
    scene.claim(photo_ids[:2])
    leases.mark_dispatched(photo_ids[:1])
    assert (leases.runway(REDISPATCH_AFTER_S), leases.backlog()) == (1, 3)
    scene.index(photo_ids[2:])
    assert (leases.runway(REDISPATCH_AFTER_S), leases.backlog()) == (0, 2)


def test_a_swept_or_released_photo_is_sent_again_at_once(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    leases = scene.ledger.leases
    leases.mark_dispatched(photo_ids)
    swept, released = scene.claim(photo_ids)
    scene.expire([swept.id])
    leases.sweep(3)
    leases.release(released, 0, burn_attempt=False)
    assert {photo_id for _, ids in leases.waiting(10, REDISPATCH_AFTER_S) for photo_id in ids} == set(photo_ids)


def test_a_newer_version_supersedes_the_older_one(scene: Scene) -> None:
    (old_id,) = scene.add("a.jpg")
    scene.index([old_id], face_count=3)
    (new_id,) = scene.add("a.jpg", version="v2")
    assert scene.find(old_id).state == PhotoState.INDEXED
    scene.index([new_id], face_count=1)
    assert scene.find(old_id).state == PhotoState.DELETED
    assert [face.photo_id for face in scene.ledger.faces.list(scene.album.id, 10, None)] == [new_id]
    assert scene.ledger.leases.superseded(10) == [(scene.album.id, old_id, "file:///photos/a.jpg")]
    scene.ledger.leases.mark_purged([old_id])
    assert scene.ledger.leases.superseded(10) == []


def test_another_model_supersedes_too(scene: Scene) -> None:
    old_ids = scene.add("a.jpg", "b.jpg")
    scene.index(old_ids)
    new_ids = scene.add("a.jpg", "b.jpg", model_version="m2")
    scene.index(new_ids)
    assert {photo_id for _, photo_id, _ in scene.ledger.leases.superseded(10)} == set(old_ids)


def test_an_older_version_that_finishes_late_supersedes_nothing(scene: Scene) -> None:
    (old_id,) = scene.add("a.jpg")
    (new_id,) = scene.add("a.jpg", version="v2")
    scene.index([old_id])
    assert scene.find(new_id).state == PhotoState.PENDING
    scene.index([new_id])
    assert (scene.find(old_id).state, scene.find(new_id).state) == (PhotoState.DELETED, PhotoState.INDEXED)


def test_both_versions_in_one_message_leave_the_newer_one(scene: Scene) -> None:
    old_ids = scene.add("a.jpg")
    new_ids = scene.add("a.jpg", version="v2")
    scene.index(old_ids + new_ids)
    assert scene.ledger.faces.count(scene.album.id) == 1
    assert scene.find(old_ids[0]).state == PhotoState.DELETED


def test_an_older_version_in_work_is_refused_once_the_newer_one_is_in(scene: Scene) -> None:
    (old_id,) = scene.add("a.jpg")
    (zombie,) = scene.claim([old_id])
    scene.index(scene.add("a.jpg", version="v2"))
    assert scene.ledger.leases.renew([zombie], 60) == set()


def test_a_dead_version_supersedes_too(scene: Scene) -> None:
    (old_id,) = scene.add("a.jpg")
    scene.index([old_id])
    scene.bury(scene.add("a.jpg", version="broken"))
    assert scene.find(old_id).state == PhotoState.DELETED
    assert scene.ledger.faces.list(scene.album.id, 10, None) == []


@pytest.mark.parametrize("is_indexed_meanwhile", [True, False])
def test_a_photo_that_came_back_during_its_purge_is_indexed_once_more(
    scene: Scene, *, is_indexed_meanwhile: bool
) -> None:
    (old_id,) = scene.add("a.jpg")
    scene.index([old_id])
    scene.index(scene.add("a.jpg", version="v2"))
    # The purger reads the list and deletes points ... and the first version comes back before it says so.
    scene.add("a.jpg")
    scene.index([old_id]) if is_indexed_meanwhile else scene.claim([old_id])
    scene.ledger.leases.mark_purged([old_id])
    assert scene.find(old_id).state == PhotoState.PENDING
    assert scene.index([old_id]) == {old_id}


def test_the_backlog_is_told_by_lane_with_its_age_and_rate(scene: Scene, ledger: Ledger) -> None:
    assert ledger.leases.backlog_by_lane(3) == Backlog(0, 0, 0.0, 0)
    large = scene.add(*(f"{number}.jpg" for number in range(6)))
    small = ledger.albums.create("small")
    job = ledger.jobs.create(small.id, "file:///small")
    ledger.jobs.add_photos(job.id, "m1", [ref_of(f"{number}.jpg") for number in range(3)])
    scene.claim(large[:1])
    scene.index(large[1:2])
    scene.bury(large[2:3])
    scene.set(large[3:4], next_attempt_at=seconds_from_now(-500))
    scene.set(large[1:2], finished_at=seconds_from_now(-90))
    seen = ledger.leases.backlog_by_lane(3)
    assert (seen.interactive_photos, seen.index_photos, seen.finished_per_minute) == (3, 4, 1)
    assert 500 <= seen.oldest_s < 560
    assert ledger.leases.backlog_by_lane(4).interactive_photos == 7


def test_urgent_photos_come_first_and_once(scene: Scene, ledger: Ledger) -> None:
    scene.add(*(f"{number}.jpg" for number in range(5)))
    upload = ledger.jobs.create(scene.album.id, "uploads:")
    ledger.jobs.add_photos(upload.id, "m1", [ref_of("x.jpg"), ref_of("y.jpg")], urgent=True)
    [(album_id, photo_ids)] = ledger.leases.urgent(10)
    assert (album_id, {scene.find(each).name for each in photo_ids}) == (scene.album.id, {"x.jpg", "y.jpg"})
    assert [len(ids) for _, ids in ledger.leases.urgent(1)] == [1]
    ledger.leases.mark_dispatched(photo_ids)
    assert ledger.leases.urgent(10) == []
    ledger.jobs.add_photos(upload.id, "m1", [ref_of("x.jpg"), ref_of("y.jpg")], urgent=True)
    with ledger.database.reading() as connection:
        assert connection.execute(sa.select(urgent_photo)).all() == [], "those that went are in no hurry any more"
    assert ledger.leases.small_albums({scene.album.id}, 6) == set()
    assert ledger.leases.small_albums({scene.album.id}, 7) == {scene.album.id}
