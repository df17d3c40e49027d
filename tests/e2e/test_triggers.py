"""Photos that land in a bucket index themselves: S3 notification, SQS, dispatcher, Redis, worker, each on its wire."""

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from demo.album import draw_album
from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.ledger.schema import photo
from tests.fixtures.processes import Processes, clean_environment, free_port, wait_until
from tests.fixtures.s3 import S3Client
from tests.fixtures.sqs import SqsClient, count_messages

PHOTOS = 6
TIMED_UPLOADS = {"redis": 50, "sqs": 15}
#: The promise is 30 s; on a machine that does nothing else it is below one second.
MEDIAN_BOUND_S = 5.0


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    directory = tmp_path_factory.mktemp("album")
    draw_album(directory, photos=PHOTOS, people=4, seed=12)
    return [path.read_bytes() for path in sorted(directory.glob("*.jpg"))]


@pytest.fixture
def ledger(fresh_postgres_url: str) -> Iterator[Ledger]:
    with closing(open_ledger(fresh_postgres_url)) as opened:
        yield opened


@pytest.fixture
def notified_bucket(s3_client: S3Client, s3_bucket: str, sqs_client: SqsClient, events_queue_url: str) -> str:
    """A bucket that sends its notifications to the queue."""
    asked = sqs_client.get_queue_attributes(QueueUrl=events_queue_url, AttributeNames=["QueueArn"])
    told = {"QueueArn": asked["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    s3_client.put_bucket_notification_configuration(
        Bucket=s3_bucket, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    return s3_bucket


@pytest.fixture(params=["redis", "sqs"])
def broker_settings(request: pytest.FixtureRequest, queue_prefix: str) -> dict[str, str]:
    """Each broker in turn; the dispatcher creates the queues in SQS."""
    if request.param == "redis":
        return {"broker_url": str(request.getfixturevalue("redis_url"))}
    return {"broker_url": "sqs://", "sqs_create_queues": "true", "queue_prefix": queue_prefix}


@pytest.fixture
def fleet_settings(
    broker_settings: dict[str, str],
    fresh_postgres_url: str,
    s3_endpoint: str,
    notified_bucket: str,
    events_queue_url: str,
    tmp_path: Path,
) -> dict[str, str]:
    return {
        "data_dir": str(tmp_path / "fleet"),
        "model_pack": "demo",
        "ledger_url": fresh_postgres_url,
        "s3_endpoint_url": s3_endpoint,
        "sqs_endpoint_url": s3_endpoint,
        "s3_events_queue_url": events_queue_url,
        "s3_events_buckets": notified_bucket,
        "cpu_threads": "1",
        **broker_settings,
    }


def get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return ""


def names_and_states(ledger: Ledger) -> dict[str, str]:
    [summary] = ledger.albums.list_summaries() or [None]
    page = ledger.photos.list(summary.album.id, None, 1000, None) if summary else []
    return {f"{each.name.rpartition('/')[2]} {each.version}": str(each.state) for each in page}


def measure_claims(ledger: Ledger, uploads: int, upload: Callable[[str], object]) -> list[float]:
    """Upload one after the other; seconds from the upload's end to the moment a worker has claimed the photo."""
    latencies_s = []
    arrivals = random.Random(1)
    for number in range(uploads):
        time.sleep(arrivals.uniform(0, 0.5))  # at no fixed distance from the relay's rounds
        name = f"albums/timed/{number}.jpg"
        upload(name)
        began = time.monotonic()
        claimed = sa.select(photo.c.id).where(photo.c.name == name, photo.c.attempt > 0)
        while True:
            with ledger.database.reading() as connection:
                if connection.execute(claimed).first():
                    break
            assert time.monotonic() - began < 30, f"{name} was not claimed"
            time.sleep(0.01)
        latencies_s.append(time.monotonic() - began)
    return latencies_s


def test_a_bucket_indexes_itself(
    processes: Processes,
    fleet_settings: dict[str, str],
    ledger: Ledger,
    s3_client: S3Client,
    sqs_client: SqsClient,
    drawn: list[bytes],
) -> None:
    bucket, events_queue_url = fleet_settings["s3_events_buckets"], fleet_settings["s3_events_queue_url"]
    ports = {name: free_port() for name in ("api", "dispatcher", "worker")}
    api = f"http://127.0.0.1:{ports['api']}"
    processes.start("api", "--port", str(ports["api"]), env=clean_environment(**fleet_settings))
    for name in ("dispatcher", "worker"):
        env = clean_environment(**fleet_settings, metrics_port=str(ports[name]))
        processes.start(name, env=env)
    wait_until(lambda: '"ready":true' in get(f"{api}/readyz"), "the api is ready")

    def put(key: str, data: bytes) -> str:
        return str(s3_client.put_object(Bucket=bucket, Key=key, Body=data)["ETag"]).strip('"')

    etags = [put(f"albums/party/day 1/{number}.jpg", data) for number, data in enumerate(drawn)]
    expected = {f"{number}.jpg {etag}": "indexed" for number, etag in enumerate(etags)}
    wait_until(lambda: names_and_states(ledger) == expected, "all photos are indexed")

    s3_client.delete_object(Bucket=bucket, Key="albums/party/day 1/0.jpg")
    expected.pop(f"0.jpg {etags[0]}")
    expected.pop(f"1.jpg {etags[1]}")
    expected[f"1.jpg {put('albums/party/day 1/1.jpg', drawn[0])}"] = "indexed"
    wait_until(lambda: names_and_states(ledger) == expected, "one photo is gone, another one replaced")
    wait_until(lambda: not ledger.leases.superseded(1), "their points are purged")
    faces = json.loads(get(f"{api}/v1/albums/party/faces?limit=1000"))["faces"]
    assert faces
    assert not any(each["photo"].endswith("/0.jpg") for each in faces)

    sqs_client.send_message(QueueUrl=events_queue_url, MessageBody="garbage")
    put("elsewhere/7.jpg", b"of no album")
    wait_until(lambda: count_messages(sqs_client, events_queue_url) == 0, "every message is taken in")
    assert [each["body"] for each in json.loads(get(f"{api}/v1/ingest/dead"))["events"]] == ["garbage"]

    broker = fleet_settings["broker_url"].partition(":")[0]
    latencies_s = measure_claims(ledger, TIMED_UPLOADS[broker], lambda key: put(key, drawn[2]))
    median_s, p99_s = np.percentile(latencies_s, (50, 99))
    print(f"upload to claimed over {broker}: p50 {median_s:.2f} s, p99 {p99_s:.2f} s, most {max(latencies_s):.2f} s")
    assert median_s < MEDIAN_BOUND_S
    assert_metrics(ports)

    for process in processes.running:
        assert process.poll() is None, processes.logs()
    began = time.monotonic()
    processes.stop_all()
    assert [process.returncode for process in processes.running] == [0, 0, 0], processes.logs()
    assert time.monotonic() - began < 20  # nothing waits for the end of a long poll


def assert_metrics(ports: dict[str, int]) -> None:
    of_worker = get(f"http://127.0.0.1:{ports['worker']}/metrics")
    stages = {
        stage: _value(of_worker, f'facefleet_stage_duration_seconds_count{{stage="{stage}"}}') for stage in STAGES
    }
    assert all(count >= PHOTOS for count in stages.values()), stages
    assert _value(of_worker, 'facefleet_photos_total{outcome="indexed",reason=""}') >= PHOTOS
    of_dispatcher = get(f"http://127.0.0.1:{ports['dispatcher']}/metrics")
    for name in ("facefleet_backlog_photos", "facefleet_backlog_seconds"):
        assert f'{name}{{lane="interactive"}}' in of_dispatcher
    for text in (of_worker, of_dispatcher, get(f"http://127.0.0.1:{ports['api']}/metrics")):
        assert "facefleet_model_info{" in text


STAGES = ("claim", "read", "decode", "detect", "align", "embed", "upsert", "finish")


def _value(exposition: str, name: str) -> float:
    values: list[Any] = [line.rpartition(" ")[2] for line in exposition.splitlines() if line.startswith(name + " ")]
    return float(values[0]) if values else 0.0
