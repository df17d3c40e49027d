"""Jobs: what they saw, how far they are, and who lists."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from facefleet.errors import AlbumNotFound, JobNotFound
from facefleet.ledger.engine import Ledger
from facefleet.ledger.schema import job
from facefleet.records import JobState, PhotoState, photo_id_of
from tests.integration.ledger.scene import Scene, ref_of, wait_until


def test_a_job_is_found_by_id(scene: Scene) -> None:
    assert scene.ledger.jobs.get(scene.job.id) == scene.job
    assert (scene.job.album_name, scene.job.source, scene.job.state) == (
        "holiday",
        "file:///photos",
        JobState.LISTING,
    )


def test_unknown_jobs_and_albums_are_said_so(ledger: Ledger) -> None:
    for ask in (ledger.jobs.get, ledger.jobs.progress):
        with pytest.raises(JobNotFound):
            ask(uuid4())
    with pytest.raises(JobNotFound):
        ledger.jobs.add_photos(uuid4(), "m1", [ref_of("a.jpg")])
    with pytest.raises(AlbumNotFound):
        ledger.jobs.create(uuid4(), "file:///photos")


def test_progress_counts_what_became_of_the_photos(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    scene.index(photo_ids[:1], face_count=3)
    scene.bury(photo_ids[1:2])
    scene.claim(photo_ids[2:3])
    progress = scene.ledger.jobs.progress(scene.job.id)
    assert (progress.photos, progress.indexed, progress.dead, progress.waiting, progress.faces) == (4, 1, 1, 2, 3)
    assert progress.job.state == JobState.LISTING


def test_a_job_is_done_when_listing_ended_and_nothing_waits(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    scene.index(photo_ids[:1])
    jobs = scene.ledger.jobs
    jobs.finish_listing(scene.job.id)
    assert jobs.get(scene.job.id).state == jobs.progress(scene.job.id).job.state == JobState.RUNNING
    (leased,) = scene.claim(photo_ids[1:])
    assert jobs.get(scene.job.id).state == JobState.RUNNING
    scene.ledger.leases.release(leased, 0, burn_attempt=False)
    scene.index(photo_ids[1:])
    assert jobs.get(scene.job.id).state == jobs.progress(scene.job.id).job.state == JobState.DONE


def test_an_empty_source_is_done_at_once(scene: Scene) -> None:
    scene.ledger.jobs.finish_listing(scene.job.id)
    progress = scene.ledger.jobs.progress(scene.job.id)
    assert (progress.job.state, progress.photos, progress.photos_per_second) == (JobState.DONE, 0, 0)


def test_seconds_stop_with_the_last_photo(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    photo_ids = scene.add("a.jpg")
    first = jobs.progress(scene.job.id).seconds
    wait_until(lambda: jobs.progress(scene.job.id).seconds > first)
    scene.index(photo_ids)
    jobs.finish_listing(scene.job.id)
    ended = jobs.progress(scene.job.id).seconds
    before = scene.now()
    wait_until(lambda: scene.now() > before)
    assert jobs.progress(scene.job.id).seconds == ended > first


def test_indexing_twice_adds_nothing_and_reports_the_same(scene: Scene) -> None:
    refs = [ref_of(f"{number}.jpg") for number in range(2500)]
    jobs = scene.ledger.jobs
    assert jobs.add_photos(scene.job.id, "m1", refs) == 2500
    assert jobs.add_photos(scene.job.id, "m1", refs) == 0
    scene.index([photo_id_of(scene.album.id, refs[0].uri, "v1", "m1")], face_count=2)
    again = jobs.create(scene.album.id, "file:///photos")
    assert jobs.add_photos(again.id, "m1", refs) == 0
    progress = jobs.progress(again.id)
    assert (progress.photos, progress.indexed, progress.faces) == (2500, 1, 2)


def test_the_same_photo_twice_in_one_call_is_one(scene: Scene) -> None:
    assert scene.ledger.jobs.add_photos(scene.job.id, "m1", [ref_of("a.jpg"), ref_of("a.jpg")]) == 1
    assert scene.ledger.jobs.add_photos(scene.job.id, "m1", []) == 0


def test_two_listers_at_once_enter_every_photo_once(scene: Scene) -> None:
    refs = [ref_of(f"{number}.jpg") for number in range(400)]
    with ThreadPoolExecutor(4) as threads:
        orders = (refs, refs[::-1], refs[200:] + refs[:200], refs)
        added = threads.map(lambda order: scene.ledger.jobs.add_photos(scene.job.id, "m1", order), orders)
        assert sum(added) == 400


def test_dead_and_indexed_photos_stay_as_they_are(scene: Scene) -> None:
    indexed, dead = scene.add("a.jpg", "b.jpg")
    scene.index([indexed])
    scene.bury([dead])
    assert scene.ledger.jobs.add_photos(scene.job.id, "m1", [ref_of("a.jpg"), ref_of("b.jpg")]) == 0
    assert (scene.find(indexed).state, scene.find(dead).state) == (PhotoState.INDEXED, PhotoState.DEAD)


def test_a_photo_that_went_back_to_an_older_version_is_indexed_again(scene: Scene) -> None:
    (first,) = scene.add("a.jpg")
    scene.index([first])
    (second,) = scene.add("a.jpg", version="v2")
    scene.index([second])
    scene.add("a.jpg")
    assert (scene.find(first).state, scene.find(first).attempt) == (PhotoState.PENDING, 0)
    scene.index([first])
    assert (scene.find(first).state, scene.find(second).state) == (PhotoState.INDEXED, PhotoState.DELETED)


def test_a_photo_that_went_back_before_the_newer_one_was_indexed_stays(scene: Scene) -> None:
    (first,) = scene.add("a.jpg")
    scene.index([first])
    (second,) = scene.add("a.jpg", version="v2")
    (leased,) = scene.claim([second])
    scene.add("a.jpg")
    assert (scene.find(first).state, scene.find(second).state) == (PhotoState.INDEXED, PhotoState.DELETED)
    assert scene.ledger.leases.renew([leased], 60) == set()


def test_one_lister_at_a_time(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    assert jobs.claim_listing(60) == scene.job
    assert jobs.claim_listing(60) is None


def test_eight_listers_claim_eight_jobs_once_each(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    expected = {scene.job.id} | {jobs.create(scene.album.id, f"file:///{number}").id for number in range(7)}
    with ThreadPoolExecutor(8) as threads:
        claimed = []
        # Two that reach for the same oldest job leave one of them without; it comes back at its next round.
        while len(claimed) < 8:
            claimed += [each.id for each in threads.map(lambda _: jobs.claim_listing(60), range(8)) if each]
    assert sorted(claimed, key=str) == sorted(expected, key=str)
    assert jobs.claim_listing(60) is None


def test_a_listing_that_died_is_taken_over(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    jobs.claim_listing(0.001)
    wait_until(lambda: jobs.claim_listing(60) == scene.job)


def test_a_renewed_listing_is_not_taken_over(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    jobs.claim_listing(60)
    with scene.ledger.database.writing() as connection:
        connection.execute(job.update().values(listing_until=job.c.created_at))
    jobs.renew_listing(scene.job.id, 60)
    assert jobs.claim_listing(60) is None


def test_a_source_that_cannot_be_listed_fails_the_job(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    jobs.claim_listing(60)
    jobs.fail_listing(scene.job.id, "there is no such folder")
    failed = jobs.get(scene.job.id)
    assert (failed.state, failed.detail) == (JobState.FAILED, "there is no such folder")
    jobs.finish_listing(scene.job.id)
    assert jobs.get(scene.job.id).state == JobState.FAILED
    assert jobs.claim_listing(60) is None


def test_uploads_need_no_lister(scene: Scene) -> None:
    uploads = scene.ledger.jobs.create(scene.album.id, "uploads:", JobState.RUNNING)
    assert scene.ledger.jobs.get(uploads.id).state == JobState.DONE
    scene.ledger.jobs.add_photos(uploads.id, "m1", [ref_of("a.jpg")])
    assert scene.ledger.jobs.get(uploads.id).state == JobState.RUNNING
    assert scene.ledger.jobs.claim_listing(60) == scene.job
    assert scene.ledger.jobs.claim_listing(60) is None


def test_jobs_of_a_deleted_album_failed_and_say_so(scene: Scene) -> None:
    jobs = scene.ledger.jobs
    jobs.add_photos(scene.job.id, "m1", [ref_of("a.jpg")])
    jobs.finish_listing(scene.job.id)
    scene.ledger.albums.begin_delete(scene.album.id)
    progress = jobs.progress(scene.job.id)
    assert (progress.job.state, progress.job.detail) == (JobState.FAILED, "the album was deleted")
    assert (progress.photos, progress.waiting) == (0, 0)
