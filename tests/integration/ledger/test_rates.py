"""What the ledger tells about load and speed."""

from datetime import timedelta

import pytest

from facefleet.ledger.engine import Ledger
from facefleet.ledger.rates import measure_recent_rate, read_load
from facefleet.ledger.schema import job
from tests.integration.ledger.scene import Scene, ref_of, wait_until


def test_load_is_what_waits_by_album_and_what_was_finished_since(scene: Scene, ledger: Ledger) -> None:
    photo_ids = scene.add(*(f"{number}.jpg" for number in range(10)))
    scene.claim(photo_ids[:3])
    scene.index(photo_ids[3:5])
    other = ledger.jobs.create(ledger.albums.create("other").id, "file:///other")
    ledger.jobs.add_photos(other.id, "m1", [ref_of("a.jpg")])
    before = read_load(ledger.database, None)
    assert sorted((each.photos, each.leased) for each in before.albums) == [(1, 0), (8, 3)]
    assert all(0 <= each.waited_s < 60 for each in before.albums)
    assert (before.leased_photos, before.finished_photos) == (3, 0)

    wait_until(lambda: read_load(ledger.database, None).now > before.now)
    scene.index(photo_ids[5:9])
    wait_until(lambda: read_load(ledger.database, None).now > before.now + timedelta(milliseconds=2))
    after = read_load(ledger.database, before.now)
    assert (after.finished_photos, sum(each.photos for each in after.albums)) == (4, 5)


def test_new_photos_of_an_old_job_have_not_waited(scene: Scene, ledger: Ledger) -> None:
    old = timedelta(days=30)
    now = read_load(ledger.database, None).now
    with ledger.database.writing() as connection:
        connection.execute(job.update().values(created_at=now - old))
    photo_ids = scene.add("a.jpg", "b.jpg")
    assert read_load(ledger.database, None).albums[0].waited_s < 60
    scene.set(photo_ids[:1], next_attempt_at=read_load(ledger.database, None).now - old)
    assert read_load(ledger.database, None).albums[0].waited_s >= old.total_seconds()


def test_rate_is_that_of_the_long_jobs(scene: Scene, ledger_url: str) -> None:
    photo_ids = scene.add(*(f"{number}.jpg" for number in range(101)))
    assert measure_recent_rate(ledger_url) is None
    scene.index(photo_ids)
    load = read_load(scene.ledger.database, None)
    for number, photo_id in enumerate(photo_ids):
        scene.set([photo_id], finished_at=load.now - timedelta(seconds=number / 4))
    assert measure_recent_rate(ledger_url) == pytest.approx(4, rel=0.01)
