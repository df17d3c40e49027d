import urllib.request
from contextlib import closing

import pytest

from facefleet.errors import ConfigurationError
from facefleet.metrics import Metrics
from facefleet.records import Backlog
from facefleet.settings import Settings
from tests.fixtures.processes import free_port
from workers.metrics_server import serve_metrics


def shown(backlog: Backlog) -> dict[str, float]:
    metrics = Metrics()
    metrics.show_backlog(backlog)
    lines = metrics.exposition().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_the_interactive_lane_goes_first() -> None:
    seen = shown(Backlog(interactive_photos=10, index_photos=590, oldest_s=7.5, finished_per_minute=120))
    assert seen['facefleet_backlog_photos{lane="interactive"}'] == 10
    assert seen['facefleet_backlog_photos{lane="index"}'] == 590
    assert seen['facefleet_backlog_seconds{lane="interactive"}'] == 5
    assert seen['facefleet_backlog_seconds{lane="index"}'] == 300
    assert seen["facefleet_oldest_waiting_photo_seconds"] == 7.5


@pytest.mark.parametrize(("photos", "expected_s"), [(0, 0.0), (1, float("inf"))])
def test_without_a_rate_only_an_empty_lane_has_an_end(photos: int, expected_s: float) -> None:
    seen = shown(Backlog(interactive_photos=0, index_photos=photos, oldest_s=0, finished_per_minute=0))
    assert seen['facefleet_backlog_seconds{lane="index"}'] == expected_s


def test_metrics_are_served_and_a_port_that_is_taken_is_said_so() -> None:
    port = free_port()
    settings = Settings(metrics_port=port)
    metrics = Metrics()
    metrics.faces.inc(3)
    with serve_metrics(settings, metrics):
        with closing(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)) as answer:
            assert b"facefleet_faces_total 3.0" in answer.read()
        with pytest.raises(ConfigurationError, match=str(port)), serve_metrics(settings, metrics):
            pass
