"""The whole fleet out of docker-compose.yml: an album lands in a bucket, and everything that is promised happens."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from demo.album import draw_album
from facefleet.ledger.engine import Ledger, open_ledger
from tests.e2e.claims import measure_claims
from tests.e2e.composed_fleet import ComposedFleet, read_sample
from tests.e2e.drawn_album import DrawnAlbum, all_faces, as_faces, assert_search
from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until
from tests.fixtures.s3 import S3Client
from tests.fixtures.sqs import SqsClient, count_messages
from tests.integration.events.conftest import created, notification
from workers.celery_app import LANES

#: More than one message, and more than what goes to the interactive lane (FACEFLEET_INTERACTIVE_PHOTOS).
PHOTOS = 24
JPEG = {"Content-Type": "image/jpeg"}
#: The bucket of the compose file.
BUCKET = "photos"
TIMED_UPLOADS = {"redis": 50, "sqs": 15}
#: On a machine that does nothing else it is below one second.
MEDIAN_BOUND_S = 5.0
STAGES = ("claim", "read", "decode", "detect", "align", "embed", "upsert", "finish")


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> DrawnAlbum:
    folder, home = tmp_path_factory.mktemp("album"), tmp_path_factory.mktemp("alone")
    truth = draw_album(folder, photos=PHOTOS, people=6, seed=11)
    alone = clean_environment(data_dir=str(home / "data"), model_pack="demo", cpu_threads="2")
    indexed = run_facefleet("index", str(folder), "--album", "party", "--json", env=alone, cwd=home)
    assert indexed.returncode == 0, indexed.stderr
    faces = run_facefleet("faces", "--album", "party", "--json", env=alone, cwd=home)
    return DrawnAlbum(folder, truth, as_faces(json.loads(faces.stdout)))


@pytest.fixture
def ledger(fresh_postgres_url: str) -> Iterator[Ledger]:
    with closing(open_ledger(fresh_postgres_url)) as opened:
        yield opened


@pytest.fixture(params=["redis", "sqs"])
def fleet(
    request: pytest.FixtureRequest,
    processes: Processes,
    fresh_postgres_url: str,
    s3_endpoint: str,
    queue_prefix: str,
    events_queue_url: str,
    tmp_path: Path,
) -> ComposedFleet:
    """Each broker in turn; the gallery is the one in the api's data directory."""
    broker_url = request.getfixturevalue("redis_url") if request.param == "redis" else "sqs://"
    # What infra/k8s/components/sqs adds for queues in AWS.
    extra = {"sqs_endpoint_url": s3_endpoint, "s3_events_queue_url": events_queue_url}
    if request.param == "sqs":
        extra |= {"sqs_create_queues": "true", "queue_prefix": queue_prefix}
    return ComposedFleet(processes, fresh_postgres_url, broker_url, s3_endpoint, tmp_path, extra)


@pytest.fixture
def bucket(fleet: ComposedFleet, s3_client: S3Client) -> Iterator[Callable[..., str]]:
    """Made by the compose file's own script; puts one object and returns its ETag."""
    fleet.make_bucket()

    def put(key: str, data: bytes) -> str:
        return str(s3_client.put_object(Bucket=BUCKET, Key=key, Body=data)["ETag"]).strip('"')

    yield put
    for each in s3_client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3_client.delete_object(Bucket=BUCKET, Key=each["Key"])
    s3_client.delete_bucket(Bucket=BUCKET)


def send_notifications(s3_client: S3Client, sqs_client: SqsClient, queue_url: str) -> None:
    asked = sqs_client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    told = {"QueueArn": asked["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    s3_client.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}
    )


def states(ledger: Ledger) -> dict[str, str]:
    """State of each version of each photo of the album."""
    [summary] = [each for each in ledger.albums.list_summaries() if each.album.name == "party"] or [None]
    page = ledger.photos.list(summary.album.id, None, 1000, None) if summary else []
    return {f"{each.name.rpartition('/')[2]} {each.version}": str(each.state) for each in page}


def test_an_album_in_a_bucket_is_indexed_shown_and_found(  # noqa: PLR0913, PLR0917  fixtures
    fleet: ComposedFleet,
    album: DrawnAlbum,
    ledger: Ledger,
    bucket: Callable[..., str],
    s3_client: S3Client,
    sqs_client: SqsClient,
    connect: Callable[[str, str], httpx.Client],
    tmp_path: Path,
) -> None:
    broker = fleet.broker_url.partition(":")[0]
    url = fleet.start("api")
    fleet.start("dispatcher")
    if broker == "redis":
        fleet.start("flower")
    fleet.wait_until_ready()
    assert httpx.get(f"{url}/v1/albums").status_code == 401
    api = connect(url, fleet.make_key(tmp_path))

    # Events: the first photo over the webhook, as versitygw calls it, the others over SQS, as AWS sends them.
    first, *others = album.photos()
    etags = {first.name: bucket(f"albums/party/day 1/{first.name}", first.read_bytes())}
    body = notification(created(f"albums/party/day+1/{first.name}", 1, etags[first.name]))
    assert fleet.call_webhook(body) == {"events": 1, "rejected": 0, "new_photos": 1}
    send_notifications(s3_client, sqs_client, fleet.extra["s3_events_queue_url"])
    etags |= {path.name: bucket(f"albums/party/day 1/{path.name}", path.read_bytes()) for path in others}
    expected = {f"{name} {etag}": "pending" for name, etag in etags.items()}
    wait_until(lambda: states(ledger) == expected, "every event became a photo")
    wait_until(lambda: fleet.backlog() == PHOTOS, "the dispatcher shows the backlog")
    if broker == "redis":
        wait_until(lambda: sum(fleet.queue_depths().values()) > 0, "Flower shows messages that wait")

    # Indexing: the same faces as one process finds.
    fleet.start("worker")
    fleet.start("worker")
    expected = dict.fromkeys(expected, "indexed")
    wait_until(lambda: states(ledger) == expected, "all photos are indexed")
    assert as_faces(all_faces(api, "party")) == album.faces
    assert len(album.faces) > PHOTOS / 2
    assert_search(api, album, tmp_path)
    if broker == "redis":
        assert_flower(fleet, api, first.read_bytes())
        assert_listing_by_command(api, album, tmp_path)

    assert_changes_are_followed(api, ledger, bucket, s3_client, expected)
    assert_garbage_is_kept(api, fleet, bucket, sqs_client)
    latencies_s = measure_claims(ledger, TIMED_UPLOADS[broker], lambda key: bucket(key, first.read_bytes()))
    median_s, p99_s = np.percentile(latencies_s, (50, 99))
    print(f"upload to claimed over {broker}: p50 {median_s:.2f} s, p99 {p99_s:.2f} s, most {max(latencies_s):.2f} s")
    assert median_s < MEDIAN_BOUND_S
    assert_metrics(fleet)
    assert_clean_end(fleet.processes)


def assert_flower(fleet: ComposedFleet, api: httpx.Client, photo: bytes) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        fleet.ask_flower("/api/tasks", "wrong")
    album_id = api.post("/v1/albums", json={"name": "shown"}).raise_for_status().json()["id"]

    def done() -> set[str]:
        tasks = fleet.ask_flower("/api/tasks").values()
        return {each["name"] for each in tasks if each["state"] == "SUCCESS" and album_id in (each["kwargs"] or "")}

    def is_shown() -> bool:
        # Flower asks workers for their events every few seconds; it does not know what they did before.
        one_more = api.post(f"/v1/albums/shown/photos?name={uuid4()}.jpg", content=photo, headers=JPEG)
        return bool(one_more.raise_for_status()) and "facefleet.index_photos" in done()

    wait_until(is_shown, "Flower shows the tasks and their album", every_s=1)
    empty = dict.fromkeys(LANES, 0)
    wait_until(lambda: fleet.queue_depths() == empty, "Flower shows every queue, and nothing in it")


def assert_listing_by_command(api: httpx.Client, album: DrawnAlbum, tmp_path: Path) -> None:
    """The same photos by a job, into another album."""
    key = api.headers["X-Api-Key"]
    caller = clean_environment(server=str(api.base_url), api_key=key, data_dir=str(tmp_path / "caller"))
    done = run_facefleet(
        "index", f"s3://{BUCKET}/albums/party/", "--album", "again", "--json", env=caller, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["indexed"] == PHOTOS
    assert as_faces(all_faces(api, "again")) == album.faces


def assert_changes_are_followed(
    api: httpx.Client, ledger: Ledger, put: Callable[..., str], s3_client: S3Client, expected: dict[str, str]
) -> None:
    gone, replaced, *_ = sorted(expected)
    key = f"albums/party/day 1/{gone.partition(' ')[0]}"
    content = s3_client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3_client.delete_object(Bucket=BUCKET, Key=key)
    name = replaced.partition(" ")[0]
    etag = put(f"albums/party/day 1/{name}", content)
    kept = set(expected) - {gone, replaced}
    now = dict.fromkeys([*kept, f"{name} {etag}"], "indexed")
    wait_until(lambda: states(ledger) == now, "one photo is gone, another one replaced")
    wait_until(lambda: not ledger.leases.superseded(1), "their points are purged")
    shown = {each["photo"].rpartition("/")[2] for each in all_faces(api, "party")}
    assert gone.partition(" ")[0] not in shown


def assert_garbage_is_kept(
    api: httpx.Client, fleet: ComposedFleet, put: Callable[..., str], sqs_client: SqsClient
) -> None:
    queue_url = fleet.extra["s3_events_queue_url"]
    sqs_client.send_message(QueueUrl=queue_url, MessageBody="garbage")
    put("elsewhere/7.jpg", b"of no album")
    wait_until(lambda: count_messages(sqs_client, queue_url) == 0, "every message is taken in")
    dead = api.get("/v1/ingest/dead", timeout=10).raise_for_status().json()
    assert [each["body"] for each in dead["events"]] == ["garbage"]


def assert_metrics(fleet: ComposedFleet) -> None:
    of_workers = fleet.metrics("worker")
    for stage in STAGES:
        sample = f'facefleet_stage_duration_seconds_count{{stage="{stage}"}}'
        assert read_sample(of_workers, sample) >= PHOTOS / 8, stage
    assert read_sample(of_workers, 'facefleet_photos_total{outcome="indexed",reason=""}') >= PHOTOS
    of_api, of_dispatcher = fleet.metrics("api"), fleet.metrics("dispatcher")
    assert read_sample(of_api, "facefleet_search_duration_seconds_count") >= 1
    assert read_sample(of_dispatcher, "facefleet_workers_wanted") >= 1
    for text in (of_workers, of_dispatcher, of_api):
        assert "facefleet_model_info{" in text


def assert_clean_end(processes: Processes) -> None:
    for process in processes.running:
        assert process.poll() is None, processes.logs()
    began = time.monotonic()
    processes.stop_all()
    assert {process.returncode for process in processes.running} == {0}, processes.logs()
    assert time.monotonic() - began < 20  # nothing waits for the end of a long poll
