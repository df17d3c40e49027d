from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from facefleet.errors import GalleryUnavailable, PhotoStoreUnavailable, RecognizerUnavailable
from facefleet.photo_store import open_photo_stores
from facefleet.purging import purge_doomed
from facefleet.records import GalleryPoint, PhotoState, face_id_of
from tests.fixtures.processes import wait_until
from tests.fixtures.s3 import S3Client
from tests.integration.workers.conftest import MODEL_VERSION, Bench
from workers.dispatcher.purger import Purger
from workers.safeguards import create_safeguards


def raiser(error: Exception, when: bytes = b""):  # noqa: ANN201  a function of bytes
    def raise_it(data: bytes) -> None:
        if when in data:
            raise error

    return raise_it


def test_each_photo_succeeds_or_fails_alone(bench: Bench) -> None:
    bench.write(two=b"2 x", none=b"0", broken=b"text", empty=b"")
    (bench.folder / "nowhere.jpg").symlink_to(bench.folder / "absent")
    album_id, job_id = bench.list_into("party")
    bench.indexer.index(bench.photo_ids(album_id))
    assert bench.states(album_id) == {
        "broken.jpg": "dead",
        "empty.jpg": "dead",
        "none.jpg": "indexed",
        "nowhere.jpg": "dead",
        "two.jpg": "indexed",
    }
    progress = bench.parts.ledger.jobs.progress(job_id)
    assert (progress.job.state, progress.indexed, progress.dead, progress.faces) == ("done", 2, 3, 2)
    assert bench.parts.gallery.count(MODEL_VERSION, album_id) == 2
    dead = bench.parts.ledger.photos.list(album_id, PhotoState.DEAD, 10, None)
    assert {photo.reason for photo in dead} == {"photo_undecodable", "photo_not_found"}
    assert all(photo.detail for photo in dead)


def test_the_same_message_twice_has_one_effect(bench: Bench) -> None:
    bench.write(two=b"2 x")
    album_id, _ = bench.list_into("party")
    ids = bench.photo_ids(album_id)
    bench.indexer.index(ids)
    bench.indexer.index(ids)
    assert bench.parts.gallery.count(MODEL_VERSION, album_id) == 2
    assert bench.parts.ledger.faces.count(album_id) == 2
    assert bench.parts.ledger.photos.get_many(ids)[ids[0]].attempt == 1


@pytest.mark.parametrize("error", [PhotoStoreUnavailable("down"), RecognizerUnavailable("NaN")])
def test_a_dependency_that_is_down_burns_no_attempt(bench: Bench, error: Exception) -> None:
    bench.write(one=b"1 a", other=b"1 b")
    album_id, _ = bench.list_into("party")
    bench.recognizer.before = raiser(error, b"1 a")
    bench.indexer.index(bench.photo_ids(album_id))
    assert bench.states(album_id) == {"one.jpg": "pending", "other.jpg": "indexed"}
    assert {photo.attempt for photo in bench.parts.ledger.photos.list(album_id, PhotoState.PENDING, 9, None)} == {0}
    assert bench.retired.is_set() == isinstance(error, RecognizerUnavailable)


def test_an_unforeseen_failure_counts_and_ends(bench: Bench) -> None:
    bench.write(odd=b"1 a")
    album_id, _ = bench.list_into("party")
    bench.recognizer.before = raiser(ZeroDivisionError("defect"))

    def tried_again_is_dead() -> bool:
        bench.indexer.index(bench.photo_ids(album_id))
        return bench.states(album_id)["odd.jpg"] == "dead"

    wait_until(tried_again_is_dead, "the photo is dead")
    [photo] = bench.parts.ledger.photos.list(album_id, PhotoState.DEAD, 9, None)
    assert (photo.reason, photo.attempt) == ("attempts_exhausted", 2)
    assert "ZeroDivisionError" in (photo.detail or "")


def test_a_gallery_that_is_down_postpones_what_was_recognized(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(one=b"1 a", broken=b"text")
    album_id, _ = bench.list_into("party")

    def refuse(_version: str, _points: Sequence[GalleryPoint]) -> None:
        raise GalleryUnavailable("down")

    monkeypatch.setattr(bench.parts.gallery, "upsert", refuse)
    bench.indexer.index(bench.photo_ids(album_id))
    assert bench.states(album_id) == {"one.jpg": "pending", "broken.jpg": "dead"}


def test_a_photo_replaced_after_listing_is_indexed_as_it_is_now(bench: Bench) -> None:
    bench.write(one=b"1 a")
    album_id, job_id = bench.list_into("party")
    bench.write(one=b"3 abc")
    bench.indexer.index(bench.photo_ids(album_id))
    bench.indexer.index(bench.photo_ids(album_id))
    assert bench.states(album_id) == {"one.jpg": "indexed"}
    assert bench.parts.ledger.jobs.progress(job_id).faces == 3


def test_a_changed_photo_replaces_its_faces(bench: Bench) -> None:
    bench.write(one=b"2 a")
    album_id, _ = bench.list_into("party")
    bench.indexer.index(bench.photo_ids(album_id))
    bench.write(one=b"1 abc")
    bench.list_into("party")
    bench.indexer.index(bench.photo_ids(album_id))
    parts = bench.parts
    Purger(parts.ledger, parts.gallery, parts.stores, parts.settings).step()
    assert parts.ledger.faces.count(album_id) == 1
    assert parts.gallery.count(MODEL_VERSION, album_id) == 1


def test_an_album_deleted_during_the_work_keeps_no_point(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(one=b"2 a")
    album_id, _ = bench.list_into("party")
    upsert = bench.parts.gallery.upsert

    def delete_after_upsert(version: str, points: Sequence[GalleryPoint]) -> None:
        upsert(version, points)
        bench.parts.ledger.albums.begin_delete(album_id)
        bench.parts.ledger.albums.erase(album_id)

    monkeypatch.setattr(bench.parts.gallery, "upsert", delete_after_upsert)
    bench.indexer.index(bench.photo_ids(album_id))
    assert bench.parts.gallery.count(MODEL_VERSION) == 0


def test_who_lost_a_photo_leaves_no_point_of_a_face_that_was_deleted_meanwhile(bench: Bench) -> None:
    bench.write(one=b"2 a")
    album_id, _ = bench.list_into("party")
    ids, ledger, gallery = bench.photo_ids(album_id), bench.parts.ledger, bench.parts.gallery
    bench.indexer.index(ids)
    ledger.repairs.reindex(ids)
    deleted, kept = (face_id_of(ids[0], number) for number in range(2))
    another_worker = replace(bench.indexer, guards=create_safeguards(bench.parts))

    def lose_it(_: bytes) -> None:
        bench.recognizer.before = lambda _: None
        ledger.images.delete_faces(album_id, [deleted])
        ledger.leases.expire_all()
        ledger.leases.sweep(3)
        another_worker.index(ids)
        purge_doomed(ledger, gallery, bench.parts.stores)

    bench.recognizer.before = lose_it
    bench.indexer.index(ids)
    assert bench.states(album_id) == {"one.jpg": "indexed"}
    assert [point.face_id for point in gallery.points(MODEL_VERSION, album_id)] == [kept]


def test_photos_of_another_model_are_left_to_another_worker(bench: Bench) -> None:
    bench.write(one=b"1 a")
    album_id, _ = bench.list_into("party")
    bench.recognizer.model_version = "00000000000000bb"
    bench.indexer.index(bench.photo_ids(album_id))
    assert bench.states(album_id) == {"one.jpg": "pending"}
    assert not bench.retired.is_set()


def test_unknown_ids_are_ignored(bench: Bench) -> None:
    with capture_logs() as said:
        bench.indexer.index([UUID(int=1)])
    assert said == []


def test_s3_is_believed_when_it_refuses_a_photo_again(
    bench: Bench, s3_endpoint: str, s3_bucket: str, s3_client: S3Client
) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="1.jpg", Body=b"1 a")
    settings = bench.parts.settings.model_copy(update={"s3_endpoint_url": s3_endpoint, "max_refusals": 2})
    parts = replace(bench.parts, settings=settings, stores=open_photo_stores(settings))
    album_id, source = parts.ledger.albums.ensure("party").id, f"s3://{s3_bucket}/"
    job = parts.ledger.jobs.create(album_id, source)
    parts.ledger.jobs.add_photos(job.id, MODEL_VERSION, list(parts.stores.list_photos(source)))
    s3_client.delete_object(Bucket=s3_bucket, Key="1.jpg")
    indexer = replace(bench.indexer, parts=parts)
    seen = []
    for _ in range(2):
        wait_until(lambda: bool(parts.ledger.leases.waiting(9, 0)), "the photo is due")
        indexer.index(bench.photo_ids(album_id))
        seen += bench.states(album_id).values()
    assert seen == ["pending", "dead"]
    [dead] = parts.ledger.photos.list(album_id, PhotoState.DEAD, 9, None)
    assert (dead.reason, dead.attempt) == ("photo_not_found", 2)
