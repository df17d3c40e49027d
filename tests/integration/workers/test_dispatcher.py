from collections.abc import Iterator
from pathlib import Path
from threading import Event
from unittest.mock import MagicMock
from uuid import UUID

import pytest
from celery import Celery
from kombu.exceptions import BatchPublishError

from facefleet.errors import BrokerUnavailable, PhotoStoreUnavailable
from facefleet.ledger.schema import photo
from facefleet.records import JobState, PhotoRef, photo_id_of
from facefleet.settings import Settings
from tests.fixtures.processes import free_port, wait_until
from tests.integration.workers.conftest import MODEL_VERSION, Bench
from workers.celery_app import create_celery_app
from workers.dispatcher.lister import Lister
from workers.dispatcher.relay import Relay
from workers.dispatcher.sweeper import Sweeper
from workers.embedded import embedded_fleet


class RecordingApp:
    """Takes messages down instead of sending them."""

    def __init__(self) -> None:
        self.messages: list[list[UUID]] = []
        #: The queue of each message.
        self.queues: list[str] = []
        self.producer_or_acquire = MagicMock()

    def send_task(self, _name: str, kwargs: dict[str, object], queue: str, **_: object) -> None:
        ids = kwargs["photo_ids"]
        assert isinstance(ids, list)
        self.messages.append([UUID(each) for each in ids])
        self.queues.append(queue)


def relay(bench: Bench, app: object, **settings: int) -> Relay:
    chosen = bench.parts.settings.model_copy(update=settings)
    return Relay(bench.parts.ledger, app, chosen)  # type: ignore[arg-type]  the one method that is used


def test_the_lister_turns_a_source_into_rows(bench: Bench) -> None:
    bench.write(a=b"1", b=b"2")
    parts = bench.parts
    album_id = parts.ledger.albums.ensure("party").id
    job = parts.ledger.jobs.create(album_id, bench.folder.as_uri())
    lister = Lister(parts.ledger, parts.stores, parts.settings, MODEL_VERSION, Event())
    assert lister.step()
    assert not lister.step()
    assert bench.states(album_id) == {"a.jpg": "pending", "b.jpg": "pending"}
    assert parts.ledger.jobs.progress(job.id).job.state == "running"


def test_a_source_that_cannot_be_listed_fails_its_job(bench: Bench) -> None:
    parts = bench.parts
    album_id = parts.ledger.albums.ensure("party").id
    job = parts.ledger.jobs.create(album_id, (bench.folder / "absent").as_uri())
    Lister(parts.ledger, parts.stores, parts.settings, MODEL_VERSION, Event()).step()
    failed = parts.ledger.jobs.get(job.id)
    assert failed.state == "failed"
    assert "absent" in (failed.detail or "")


def test_a_listing_goes_on_with_the_next_process(bench: Bench) -> None:
    bench.write(a=b"1", b=b"2")
    parts, ending = bench.parts, Event()
    ending.set()
    album_id = parts.ledger.albums.ensure("party").id
    job = parts.ledger.jobs.create(album_id, bench.folder.as_uri())
    Lister(parts.ledger, parts.stores, parts.settings, MODEL_VERSION, ending).step()
    assert parts.ledger.jobs.get(job.id).state == JobState.LISTING
    assert Lister(parts.ledger, parts.stores, parts.settings, MODEL_VERSION, Event()).step()
    assert parts.ledger.jobs.progress(job.id).photos == 2
    assert parts.ledger.jobs.get(job.id).state == JobState.RUNNING


def test_a_source_that_is_down_is_listed_later_and_says_why(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: str) -> Iterator[PhotoRef]:
        raise PhotoStoreUnavailable("the bucket does not answer")

    parts = bench.parts
    album_id = parts.ledger.albums.ensure("party").id
    job = parts.ledger.jobs.create(album_id, bench.folder.as_uri())
    monkeypatch.setattr(parts.stores, "list_photos", refuse)
    with pytest.raises(PhotoStoreUnavailable):
        Lister(parts.ledger, parts.stores, parts.settings, MODEL_VERSION, Event()).step()
    assert parts.ledger.jobs.get(job.id).detail == "the bucket does not answer"
    assert parts.ledger.jobs.get(job.id).state == JobState.LISTING


def test_the_relay_keeps_a_bounded_runway(bench: Bench) -> None:
    bench.write(**{f"p{number}": b"1" for number in range(10)})
    bench.list_into("party")
    app = RecordingApp()
    fill = relay(bench, app, runway_photos=5, photos_per_message=2)
    fill.step()
    fill.step()
    assert [len(message) for message in app.messages] == [2, 2, 1]
    bench.parts.ledger.leases.claim(app.messages[0], 60)
    fill.step()
    assert len(app.messages) == 4


def test_a_small_album_does_not_wait_behind_a_large_one(bench: Bench) -> None:
    bench.write(**{f"p{number}": b"1" for number in range(40)})
    bench.list_into("large")
    for path in bench.folder.glob("p[1-9]*.jpg"):
        path.unlink()
    small_id, _ = bench.list_into("small")
    app = RecordingApp()
    relay(bench, app, runway_photos=16).step()
    sent = {each for message in app.messages for each in message}
    assert set(bench.photo_ids(small_id)) <= sent


def test_small_albums_and_small_uploads_take_the_interactive_lane(bench: Bench) -> None:
    bench.write(**{f"p{number}": b"1" for number in range(30)})
    large_id, _ = bench.list_into("large")
    for path in bench.folder.glob("p[1-9]*.jpg"):
        path.unlink()
    small_id, _ = bench.list_into("small")
    ledger = bench.parts.ledger
    upload = ledger.jobs.create(large_id, "uploads:", JobState.RUNNING)
    ref = PhotoRef("file:///one.jpg", "one.jpg", "v1", 1)
    ledger.jobs.add_photos(upload.id, MODEL_VERSION, [ref], urgent=True)
    app = RecordingApp()
    relay(bench, app, runway_photos=100, interactive_photos=5).step()
    uploaded = photo_id_of(large_id, ref.uri, ref.version, MODEL_VERSION)
    lanes = {photo_id: queue for queue, ids in zip(app.queues, app.messages, strict=True) for photo_id in ids}
    assert (app.messages[0], app.queues[0]) == ([uploaded], "facefleet-interactive")
    assert {lanes.pop(photo_id) for photo_id in (uploaded, *bench.photo_ids(small_id))} == {"facefleet-interactive"}
    assert set(lanes.values()) == {"facefleet-index"}
    assert sum(len(ids) for ids in app.messages) == 32


def test_an_upload_finds_room_in_a_full_runway_and_goes_first_once(bench: Bench) -> None:
    bench.write(**{f"p{number}": b"1" for number in range(30)})
    large_id, _ = bench.list_into("large")
    app = RecordingApp()
    fill = relay(bench, app, runway_photos=8)
    fill.step()
    ledger = bench.parts.ledger
    upload = ledger.jobs.create(large_id, "uploads:", JobState.RUNNING)
    ref = PhotoRef("file:///one.jpg", "one.jpg", "v1", 1)
    ledger.jobs.add_photos(upload.id, MODEL_VERSION, [ref], urgent=True)
    fill.step()
    fill.step()
    assert [len(message) for message in app.messages] == [8, 1]


def test_a_broker_that_is_down_marks_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.write(one=b"1")
    bench.list_into("party")
    url = f"redis://127.0.0.1:{free_port()}/0"
    app: Celery = create_celery_app(Settings(broker_url=url, data_dir=tmp_path))
    with pytest.raises(BrokerUnavailable):
        relay(bench, app).step()
    assert bench.parts.ledger.leases.runway(60) == 0


def test_messages_that_may_not_have_arrived_are_sent_again(bench: Bench) -> None:
    bench.write(one=b"1")
    bench.list_into("party")
    app = RecordingApp()
    batch = app.producer_or_acquire.return_value.__enter__.return_value.batch.return_value
    batch.__exit__.side_effect = [BatchPublishError("delivery is uncertain"), None]
    with pytest.raises(BrokerUnavailable):
        relay(bench, app).step()
    assert bench.parts.ledger.leases.runway(60) == 0
    relay(bench, app).step()
    assert app.messages[0] == app.messages[1]
    assert bench.parts.ledger.leases.runway(60) == 1


def test_a_lease_that_ran_out_comes_back(bench: Bench) -> None:
    bench.write(one=b"1 a")
    album_id, _ = bench.list_into("party")
    ids = bench.photo_ids(album_id)
    assert bench.parts.ledger.leases.claim(ids, 3600)
    with bench.parts.ledger.database.writing() as connection:
        connection.execute(photo.update().values(lease_until=photo.c.next_attempt_at))
    Sweeper(bench.parts.ledger, bench.parts.settings, bench.parts.metrics).step()
    assert bench.states(album_id) == {"one.jpg": "pending"}
    bench.indexer.index(ids)
    assert bench.states(album_id) == {"one.jpg": "indexed"}


def test_embedded_fleets_follow_one_another(bench: Bench) -> None:
    bench.write(**{f"p{number}": b"1 %d" % number for number in range(50)}, broken=b"text")
    ledger = bench.parts.ledger
    for name in ("first", "second"):
        album_id = ledger.albums.ensure(name).id
        job = ledger.jobs.create(album_id, bench.folder.as_uri())
        with embedded_fleet(bench.parts):
            wait_until(lambda job=job: ledger.jobs.progress(job.id).job.state == "done", f"the {name} job is done")
        progress = ledger.jobs.progress(job.id)
        assert (progress.photos, progress.indexed, progress.dead, progress.faces) == (51, 50, 1, 50)
        assert bench.parts.gallery.count(MODEL_VERSION, album_id) == 50


def test_an_embedded_fleet_goes_on_at_once_where_a_killed_one_ended(bench: Bench) -> None:
    bench.write(**{f"p{number}": b"1 %d" % number for number in range(12)})
    album_id, job_id = bench.list_into("party")
    leases, ids = bench.parts.ledger.leases, bench.photo_ids(album_id)
    leases.mark_dispatched(ids)
    assert len(leases.claim(ids[:4], 3600)) == 4
    with embedded_fleet(bench.parts):
        wait_until(lambda: bench.parts.ledger.jobs.progress(job_id).waiting == 0, "the job is done", within_s=40)
    assert bench.parts.ledger.jobs.progress(job_id).indexed == 12
