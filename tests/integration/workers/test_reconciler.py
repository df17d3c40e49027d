"""What events missed: objects that came and went unseen, and points that are not those of the ledger."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest

from facefleet.photo_store import open_photo_stores
from facefleet.records import GalleryPoint, PhotoRef
from tests.fixtures.processes import wait_until
from tests.fixtures.s3 import S3Client
from tests.integration.workers.conftest import MODEL_VERSION, Bench, recognized_face
from workers.celery_app import create_celery_app
from workers.dispatcher.dispatcher import dispatcher_in_threads
from workers.dispatcher.purger import Purger
from workers.dispatcher.reconciler import Reconciler


@pytest.fixture
def s3_bench(bench: Bench, s3_endpoint: str, s3_bucket: str) -> Bench:
    """The bench with S3 as its store."""
    changed = {"s3_endpoint_url": s3_endpoint, "reconcile_sources": f"s3://{s3_bucket}/"}
    settings = bench.parts.settings.model_copy(update=changed)
    parts = replace(bench.parts, settings=settings, stores=open_photo_stores(settings))
    return replace(bench, parts=parts, indexer=replace(bench.indexer, parts=parts))


@pytest.fixture
def put(s3_client: S3Client, s3_bucket: str) -> Iterator[object]:
    def put_object(key: str, data: bytes) -> None:
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=data)

    return put_object


def reconcile(bench: Bench) -> None:
    parts = bench.parts
    Reconciler(parts.ledger, parts.gallery, parts.stores, parts.settings, MODEL_VERSION, Event()).step()


def index_everything(bench: Bench) -> None:
    for summary in bench.parts.ledger.albums.list_summaries():
        bench.indexer.index(bench.photo_ids(summary.album.id))


def purge(bench: Bench) -> None:
    Purger(bench.parts.ledger, bench.parts.gallery, bench.parts.stores, bench.parts.settings).step()


def states(bench: Bench, album: str) -> dict[str, str]:
    return bench.states(bench.parts.ledger.albums.get(album).id)


def test_unseen_objects_are_found_and_vanished_ones_go(
    s3_bench: Bench, put: object, s3_client: S3Client, s3_bucket: str
) -> None:
    assert callable(put)
    for key in (
        "albums/a/1.jpg",
        "albums/a/2 ü.jpg",
        "albums/a b/1.jpg",
        "albums/z/1.jpg",
        "other/1.jpg",
        "albums/x.jpg",
    ):
        put(key, b"1 " + key.encode())
    reconcile(s3_bench)
    index_everything(s3_bench)
    assert states(s3_bench, "a") == {"albums/a/1.jpg": "indexed", "albums/a/2 ü.jpg": "indexed"}
    assert {each.album.name for each in s3_bench.parts.ledger.albums.list_summaries()} == {"a", "a b", "z"}

    for key in ("albums/a/2 ü.jpg", "albums/z/1.jpg"):
        s3_client.delete_object(Bucket=s3_bucket, Key=key)
    put("albums/a/1.jpg", b"2 replaced")
    for _ in range(2):
        reconcile(s3_bench)
        index_everything(s3_bench)
    assert states(s3_bench, "a") == {"albums/a/1.jpg": "indexed"}
    assert states(s3_bench, "a b") == {"albums/a b/1.jpg": "indexed"}
    assert states(s3_bench, "z") == {}
    purge(s3_bench)
    assert s3_bench.parts.gallery.count(MODEL_VERSION) == 3


def test_photos_of_other_folders_and_sources_are_left_alone(s3_bench: Bench, put: object, s3_bucket: str) -> None:
    assert callable(put)
    put("albums/a/1.jpg", b"1 a")
    ledger = s3_bench.parts.ledger
    for name, uri in (
        ("a", "file:///elsewhere.jpg"),
        ("a", f"s3://{s3_bucket}/other/1.jpg"),
        ("mine", f"s3://{s3_bucket}/albums/a/1.jpg"),
    ):
        job = ledger.jobs.create(ledger.albums.ensure(name).id, "file:///elsewhere")
        ledger.jobs.add_photos(job.id, MODEL_VERSION, [PhotoRef(uri, uri, "v1", 1)])
    reconcile(s3_bench)
    assert len(states(s3_bench, "a")) == 3
    assert len(states(s3_bench, "mine")) == 1


def test_an_empty_listing_deletes_nothing(s3_bench: Bench, put: object, s3_client: S3Client, s3_bucket: str) -> None:
    assert callable(put)
    put("albums/a/1.jpg", b"1 a")
    reconcile(s3_bench)
    s3_client.delete_object(Bucket=s3_bucket, Key="albums/a/1.jpg")
    reconcile(s3_bench)
    assert len(states(s3_bench, "a")) == 1


def test_what_was_entered_during_the_listing_stays(
    s3_bench: Bench, put: object, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(put)
    put("albums/a/1.jpg", b"1 a")
    ledger, stores = s3_bench.parts.ledger, s3_bench.parts.stores
    list_photos = stores.list_photos

    def list_while_another_one_comes(source: str) -> Iterator[PhotoRef]:
        yield from list_photos(source)
        late = f"s3://{s3_bucket}/albums/a/0.jpg"
        ledger.ingest.enter(ledger.albums.ensure("a").id, MODEL_VERSION, [PhotoRef(late, "late", "v1", 1)])

    monkeypatch.setattr(stores, "list_photos", list_while_another_one_comes)
    reconcile(s3_bench)
    assert set(states(s3_bench, "a")) == {"albums/a/1.jpg", "late"}


def test_points_are_brought_in_line_with_the_ledger(bench: Bench) -> None:
    bench.write(lost=b"2 l", partly=b"3 p", right=b"1 r", none=b"0", gone=b"1 g")
    album_id, _ = bench.list_into("party")
    bench.indexer.index(bench.photo_ids(album_id))
    parts = bench.parts
    ids = {photo.name: photo.id for photo in parts.ledger.photos.list(album_id, None, 10, None)}
    reconcile(bench)
    assert set(bench.states(album_id).values()) == {"indexed"}

    [lost, partly, gone] = [ids[f"{name}.jpg"] for name in ("lost", "partly", "gone")]
    kept = [point for point in parts.gallery.points(MODEL_VERSION, album_id) if point.photo_id == partly][:1]
    parts.gallery.delete_photos(album_id, [lost, partly])
    parts.gallery.upsert(MODEL_VERSION, kept)
    stranger = GalleryPoint(lost, album_id, album_id, recognized_face(1).template)
    parts.gallery.upsert(MODEL_VERSION, [stranger])
    with parts.ledger.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE photo SET state = 'deleted', purged_at = 1 WHERE id = '{gone.hex}'")
    reconcile(bench)
    states = bench.states(album_id)
    assert states == {"lost.jpg": "pending", "partly.jpg": "pending", "none.jpg": "indexed", "right.jpg": "indexed"}
    bench.indexer.index(bench.photo_ids(album_id))
    reconcile(bench)
    assert parts.gallery.count(MODEL_VERSION, album_id) == 6
    assert set(bench.states(album_id).values()) == {"indexed"}


def test_points_of_a_photo_in_work_are_left_alone(bench: Bench) -> None:
    bench.write(one=b"1 a")
    album_id, _ = bench.list_into("party")
    [leased] = bench.parts.ledger.leases.claim(bench.photo_ids(album_id), 60)
    point = GalleryPoint(leased.id, album_id, leased.id, recognized_face(1).template)
    bench.parts.gallery.upsert(MODEL_VERSION, [point])
    reconcile(bench)
    assert bench.parts.gallery.count(MODEL_VERSION, album_id) == 1


def test_the_dispatcher_reconciles_when_told_to(s3_bench: Bench, put: object) -> None:
    assert callable(put)
    put("albums/a/1.jpg", b"1 a")
    changed = {"reconcile_interval_s": 0.2, "broker_url": "memory://localhost"}
    settings = s3_bench.parts.settings.model_copy(update=changed)
    with dispatcher_in_threads(create_celery_app(settings), replace(s3_bench.parts, settings=settings)):
        ledger = s3_bench.parts.ledger
        wait_until(lambda: bool(ledger.albums.list_summaries() and states(s3_bench, "a")), "the photo is found")
