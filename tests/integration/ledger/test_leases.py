"""Who works on which photo, and what came of it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from facefleet.ledger.schema import photo
from facefleet.records import FailedPhoto, FinishedPhoto, PhotoState, SweepResult, photo_id_of
from tests.integration.ledger.scene import LEASE_S, Scene, recognized, ref_of, wait_until


def test_a_claim_counts_before_the_work(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    (leased,) = scene.claim([photo_id])
    assert (leased.id, leased.album_id, leased.name, leased.attempt) == (photo_id, scene.album.id, "a.jpg", 1)
    assert (leased.store_uri, leased.version, leased.model_version) == ("file:///photos/a.jpg", "v1", "m1")
    found = scene.find(photo_id)
    assert (found.state, found.attempt) == (PhotoState.LEASED, 1)


def test_a_claimed_photo_is_not_claimed_again(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    assert len(scene.claim(photo_ids)) == 2
    assert scene.claim(photo_ids) == []
    assert scene.claim(photo_ids[:1]) == []
    assert scene.claim([uuid4()]) == []
    assert scene.claim([]) == []


def test_every_photo_of_a_claim_has_its_own_token(scene: Scene) -> None:
    leased = scene.claim(scene.add("a.jpg", "b.jpg", "c.jpg"))
    assert len({each.lease_token for each in leased}) == 3


def test_eight_threads_claim_each_photo_once(scene: Scene) -> None:
    photo_ids = scene.add(*(f"{number}.jpg" for number in range(40)))

    def claim_all(first: int) -> list[object]:
        order = photo_ids[first:] + photo_ids[:first]
        return [each.id for start in range(0, 40, 8) for each in scene.claim(order[start : start + 8])]

    with ThreadPoolExecutor(8) as threads:
        claimed = [photo_id for ids in threads.map(claim_all, range(0, 40, 5)) for photo_id in ids]
    assert sorted(claimed, key=str) == sorted(photo_ids, key=str)


def test_finish_records_the_faces(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    leased = scene.claim(photo_ids)
    results = [FinishedPhoto(leased[0], recognized(2, 640, 480)), FinishedPhoto(leased[1], recognized(0, 64, 48))]
    assert scene.ledger.leases.finish(results) == set(photo_ids)
    with_faces, without = (scene.find(photo_id) for photo_id in photo_ids)
    assert (with_faces.state, with_faces.face_count, with_faces.width_px, with_faces.height_px) == (
        PhotoState.INDEXED,
        2,
        640,
        480,
    )
    assert (without.state, without.face_count, without.width_px) == (PhotoState.INDEXED, 0, 64)
    assert scene.ledger.faces.count(scene.album.id) == 2


def test_finish_of_nothing_is_nothing(scene: Scene) -> None:
    assert scene.ledger.leases.finish([]) == set()
    assert scene.ledger.leases.bury([]) == set()
    assert scene.ledger.leases.renew([], LEASE_S) == set()


def test_a_zombie_cannot_finish_bury_renew_or_release(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    (zombie,) = scene.claim([photo_id])
    scene.expire([photo_id])
    (owner,) = scene.claim([photo_id])
    leases = scene.ledger.leases
    assert leases.finish([FinishedPhoto(zombie, recognized(5))]) == set()
    assert leases.bury([FailedPhoto(zombie, "bad", "bad")]) == set()
    assert leases.renew([zombie], LEASE_S) == set()
    assert not leases.replace(zombie, "v2", 5)
    leases.release(zombie, 0, burn_attempt=False)
    assert scene.find(photo_id).state == PhotoState.LEASED
    assert leases.finish([FinishedPhoto(owner, recognized(1))]) == {photo_id}
    assert leases.finish([FinishedPhoto(owner, recognized(3))]) == set()
    assert len(scene.ledger.faces.list(scene.album.id, 10, None)) == 1


def test_one_zombie_does_not_spoil_its_neighbours(scene: Scene) -> None:
    first, second = scene.claim(scene.add("a.jpg", "b.jpg"))
    swapped = replace(first, lease_token=second.lease_token)
    assert scene.ledger.leases.finish([FinishedPhoto(swapped, recognized(1))]) == set()
    results = [FinishedPhoto(replace(first, lease_token=uuid4()), recognized(1)), FinishedPhoto(second, recognized(1))]
    assert scene.ledger.leases.finish(results) == {second.id}


def test_of_two_finishes_of_one_photo_in_one_transaction_the_owners_counts(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    (zombie,) = scene.claim([photo_id])
    scene.expire([photo_id])
    (owner,) = scene.claim([photo_id])
    both = [FinishedPhoto(zombie, recognized(3)), FinishedPhoto(owner, recognized(1))]
    assert scene.ledger.leases.finish(both) == {photo_id}
    assert len(scene.ledger.faces.of_photo(photo_id)) == 1


def test_threads_that_finish_together_share_a_transaction_but_not_a_defect(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    first, good, bad, beside = scene.claim(photo_ids)
    (face,) = recognized(1).faces
    no_number = replace(recognized(1), faces=(replace(face, quality=replace(face.quality, overall=float("nan"))),))
    leases, database = scene.ledger.leases, scene.ledger.database
    with ThreadPoolExecutor(3) as pool:
        with database.writing() as connection:
            connection.execute(photo.update().where(photo.c.id == first.id).values(attempt=7))
            waiting = pool.submit(leases.finish, [FinishedPhoto(first, recognized(1))])
            wait_until(lambda: leases.finishing.line.is_busy)
            together = [
                pool.submit(leases.finish, [FinishedPhoto(good, recognized(2))]),
                pool.submit(leases.finish, [FinishedPhoto(bad, no_number), FinishedPhoto(beside, recognized(1))]),
            ]
            wait_until(lambda: leases.finishing.line.waiting == len(together))
        assert waiting.result() == {first.id}
        assert together[0].result() == {good.id}
        with pytest.raises(sa.exc.DBAPIError):
            together[1].result()
    assert scene.find(good.id).face_count == 2
    assert scene.find(beside.id).state == PhotoState.INDEXED
    assert scene.find(bad.id).state == PhotoState.LEASED


def test_a_lease_that_ran_out_is_claimed_alone_and_counts_as_a_crash(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    scene.ledger.leases.claim(photo_ids, 0.001)
    assert scene.claim(photo_ids) == []
    wait_until(lambda: bool(scene.claim(photo_ids[:1])))
    assert (scene.find(photo_ids[0]).attempt, scene.find(photo_ids[0]).crash_count) == (2, 1)


def test_a_renewed_lease_does_not_run_out(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    leased = scene.claim(photo_ids)
    scene.expire(photo_ids)
    assert scene.ledger.leases.renew(leased[:1], LEASE_S) == {photo_ids[0]}
    assert scene.ledger.leases.sweep(3) == SweepResult(requeued=1, dead=0)
    assert [scene.find(photo_id).state for photo_id in photo_ids] == [PhotoState.LEASED, PhotoState.PENDING]


def test_bury_keeps_a_reason_that_a_person_understands(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    (leased,) = scene.claim([photo_id])
    detail = "\0 cannot read \udcff" + "x" * 5000
    assert scene.ledger.leases.bury([FailedPhoto(leased, "photo_undecodable", detail)]) == {photo_id}
    found = scene.find(photo_id)
    assert (found.state, found.reason) == (PhotoState.DEAD, "photo_undecodable")
    assert found.detail is not None
    assert found.detail.startswith(" cannot read ?x")
    assert scene.claim([photo_id]) == []


def test_release_waits_and_gives_the_attempt_back(scene: Scene) -> None:
    kept, burnt = scene.claim(scene.add("a.jpg", "b.jpg"))
    scene.ledger.leases.mark_dispatched([kept.id, burnt.id])
    scene.ledger.leases.release(kept, 0, burn_attempt=False)
    scene.ledger.leases.release(burnt, 0, burn_attempt=True)
    assert (scene.find(kept.id).attempt, scene.find(burnt.id).attempt) == (0, 1)
    assert {each.attempt for each in scene.claim([kept.id, burnt.id])} == {1, 2}


def test_a_released_photo_is_claimed_only_when_its_delay_is_over(scene: Scene) -> None:
    (leased,) = scene.claim(scene.add("a.jpg"))
    scene.ledger.leases.release(leased, 3600, burn_attempt=True)
    assert scene.claim([leased.id]) == []
    assert scene.ledger.leases.waiting(10, 60) == []
    scene.set([leased.id], next_attempt_at=scene.now())
    assert len(scene.claim([leased.id])) == 1


def test_a_photo_that_kills_workers_dies_after_max_crashes(scene: Scene) -> None:
    (photo_id,) = scene.add("poison.jpg")
    swept = []
    for _ in range(3):
        scene.claim([photo_id])
        scene.expire([photo_id])
        swept.append(scene.ledger.leases.sweep(max_crashes=3))
    assert swept == [SweepResult(1, 0), SweepResult(1, 0), SweepResult(0, 1)]
    found = scene.find(photo_id)
    assert (found.state, found.reason, found.crash_count) == (PhotoState.DEAD, "crashed_worker", 3)
    assert found.detail == "workers died 3 times while they held it"
    assert scene.ledger.leases.sweep(3) == SweepResult(0, 0)


def test_a_photo_that_killed_a_worker_is_not_claimed_with_neighbours(scene: Scene) -> None:
    photo_ids = scene.add("poison.jpg", "good.jpg")
    scene.claim(photo_ids[:1])
    scene.expire(photo_ids[:1])
    scene.ledger.leases.sweep(3)
    assert [each.id for each in scene.claim(photo_ids)] == photo_ids[1:]
    assert [each.id for each in scene.claim(photo_ids[:1])] == photo_ids[:1]


def test_replace_enters_the_version_that_is_there_now(scene: Scene) -> None:
    (old_id,) = scene.add("a.jpg")
    (leased,) = scene.claim([old_id])
    assert scene.ledger.leases.replace(leased, "v2", 7)
    new_id = photo_id_of(scene.album.id, ref_of("a.jpg").uri, "v2", "m1")
    new = scene.find(new_id)
    assert (new.state, new.name, new.size_bytes) == (PhotoState.PENDING, "a.jpg", 7)
    assert scene.find(old_id).state == PhotoState.DELETED
    assert scene.ledger.jobs.progress(scene.job.id).photos == 1
    assert not scene.ledger.leases.replace(leased, "v2", 7)
