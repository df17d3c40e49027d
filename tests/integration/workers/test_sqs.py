"""SQS as the broker: queues with a dead-letter queue, and a photo's way through them."""

import json

import pytest

from facefleet.errors import BrokerUnavailable
from facefleet.settings import Settings
from tests.fixtures.processes import free_port, wait_until
from tests.fixtures.sqs import SqsClient, count_messages
from tests.integration.workers.conftest import Bench
from workers.celery_app import LANES, create_celery_app, queue_name
from workers.dispatcher.dispatcher import create_queues
from workers.dispatcher.relay import Relay
from workers.parts import create_grouper, create_predictor
from workers.sqs import connect_sqs, ensure_queues
from workers.tasks import register_tasks
from workers.worker import worker_in_thread


def sqs_settings(endpoint: str, prefix: str, **changed: object) -> dict[str, object]:
    return {"broker_url": "sqs://", "sqs_endpoint_url": endpoint, "queue_prefix": prefix, **changed}


def test_queues_get_their_visibility_timeout_and_dead_letter_queue(
    s3_endpoint: str, sqs_client: SqsClient, queue_prefix: str
) -> None:
    settings = Settings(sqs_endpoint_url=s3_endpoint, queue_prefix=queue_prefix)
    # One exists already, as kombu would have made it.
    sqs_client.create_queue(QueueName=queue_name(settings, "index"), Attributes={"VisibilityTimeout": "7"})
    for _ in range(2):
        create_queues(settings)
    dead_url = sqs_client.get_queue_url(QueueName=f"{queue_prefix}dead")["QueueUrl"]
    dead = sqs_client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]
    for lane in LANES:
        url = sqs_client.get_queue_url(QueueName=queue_name(settings, lane))["QueueUrl"]
        found = sqs_client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert found["VisibilityTimeout"] == "300"
        redrive = {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 5}
        assert json.loads(found["RedrivePolicy"]) == redrive
    assert len(sqs_client.list_queues(QueueNamePrefix=queue_prefix)["QueueUrls"]) == len(LANES) + 1


def test_a_server_that_is_away_is_said_so(s3_credentials: None) -> None:  # noqa: ARG001  (wanted for its environment)
    client = connect_sqs(Settings(sqs_endpoint_url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(BrokerUnavailable):
        ensure_queues(client, ["a"], "dead")


@pytest.mark.filterwarnings(
    "ignore:(IOCTLFUNCTION|socket_all) is deprecated:DeprecationWarning"
)  # how kombu speaks to pycurl
@pytest.mark.parametrize("is_predefined", [True, False])
def test_photos_go_through_sqs(
    bench: Bench, s3_endpoint: str, sqs_client: SqsClient, queue_prefix: str, *, is_predefined: bool
) -> None:
    bench.write(**{f"p{number}": b"1 %d" % number for number in range(30)}, broken=b"text")
    album_id, job_id = bench.list_into("party")
    base = f"{s3_endpoint}/123456789012" if is_predefined else ""
    changed = sqs_settings(s3_endpoint, queue_prefix, sqs_queue_url_base=base, interactive_photos=0, cpu_threads=2)
    settings = bench.parts.settings.model_copy(update=changed)
    create_queues(settings)
    app = create_celery_app(settings)
    register_tasks(app, bench.indexer, create_grouper(bench.parts), create_predictor(bench.parts))
    Relay(bench.parts.ledger, app, settings).step()
    url = sqs_client.get_queue_url(QueueName=queue_name(settings, "index"))["QueueUrl"]
    assert count_messages(sqs_client, url) == 4
    progress = bench.parts.ledger.jobs.progress
    with worker_in_thread(app, settings):
        wait_until(lambda: progress(job_id).job.state == "done", "every photo is done")
        wait_until(lambda: count_messages(sqs_client, url) == 0, "every message is acknowledged")
    assert (progress(job_id).indexed, progress(job_id).dead) == (30, 1)
    assert set(bench.states(album_id).values()) == {"indexed", "dead"}
