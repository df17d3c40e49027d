from prometheus_client import generate_latest

from facefleet.ledger.rates import WaitingAlbum
from facefleet.records import PhotoRef
from tests.integration.workers.conftest import MODEL_VERSION, Bench
from workers.dispatcher.scaler import Scaler, count_workers


def wanted(bench: Bench) -> float:
    return next(each.samples[0].value for each in bench.parts.metrics.workers_wanted.collect())


def test_backlog_of_an_album_becomes_the_metric(bench: Bench) -> None:
    ledger = bench.parts.ledger
    settings = bench.parts.settings.model_copy(
        update={"worker_photos_per_s": 2.0, "album_deadline_s": 600.0, "worker_start_s": 100.0}
    )
    scaler = Scaler.of(ledger, settings, bench.parts.metrics)
    scaler.step()
    assert wanted(bench) == 1

    job = ledger.jobs.create(ledger.albums.create("large").id, "file:///large")
    refs = [PhotoRef(f"file:///large/{number}.jpg", f"{number}.jpg", "v1", 1) for number in range(4000)]
    ledger.jobs.add_photos(job.id, MODEL_VERSION, refs)
    scaler.step()
    # 4,000 photos at 2 a second in the 425 s that are left after a start of 100 s.
    assert wanted(bench) == 5
    assert b"facefleet_workers_wanted 5.0" in generate_latest(bench.parts.metrics.registry)


def test_workers_are_counted_by_what_they_hold(bench: Bench) -> None:
    chosen = {"worker_threads": 4, "photos_per_message": 16, "runway_photos": 512}
    settings = bench.parts.settings.model_copy(update=chosen)
    small = [WaitingAlbum(512 + leased, leased, 0.0) for leased in (0, 1, 32, 33, 320)]
    assert [count_workers([album], settings) for album in small] == [0, 1, 1, 2, 10]
    large = [WaitingAlbum(513 + leased, leased, 0.0) for leased in (0, 1, 64, 65, 640)]
    assert [count_workers([album], settings) for album in large] == [0, 1, 1, 2, 10]
    assert count_workers([*small, *large], settings) == 25
