"""Bucket notifications on a real queue."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from facefleet.errors import BrokerUnavailable, ConfigurationError, LedgerUnavailable
from facefleet.ledger.engine import Ledger
from facefleet.ledger.ingest import Ingest
from facefleet.records import ObjectEvent
from facefleet.settings import Settings
from tests.fixtures.processes import free_port, wait_until
from tests.fixtures.s3 import S3Client
from tests.fixtures.sqs import SqsClient, count_messages
from tests.integration.events.conftest import MODEL_VERSION, RULES, created, notification, versions
from tests.integration.workers.conftest import Bench, bench  # noqa: F401  a fixture
from workers.celery_app import create_celery_app
from workers.dispatcher.dispatcher import dispatcher_in_threads
from workers.dispatcher.s3_events import S3EventPoller
from workers.sqs import connect_sqs


def poller_of(ledger: Ledger, endpoint: str, queue_url: str) -> S3EventPoller:
    client = connect_sqs(Settings(sqs_endpoint_url=endpoint))
    return S3EventPoller(ledger, client, queue_url, RULES, MODEL_VERSION, Event())


@pytest.fixture
def poller(ledger: Ledger, s3_endpoint: str, events_queue_url: str) -> S3EventPoller:
    return poller_of(ledger, s3_endpoint, events_queue_url)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
class TestOnSqlite:
    """What does not depend on the database."""

    def test_messages_are_entered_and_then_deleted(
        self, ledger: Ledger, poller: S3EventPoller, sqs_client: SqsClient, events_queue_url: str
    ) -> None:
        for number in range(12):
            body = notification(created(f"albums/party/{number}.jpg", 1))
            sqs_client.send_message(QueueUrl=events_queue_url, MessageBody=body)
        sqs_client.send_message(QueueUrl=events_queue_url, MessageBody="garbage")
        sqs_client.send_message(QueueUrl=events_queue_url, MessageBody=json.dumps({"Event": "s3:TestEvent"}))
        while count_messages(sqs_client, events_queue_url):
            assert poller.step()
        assert len(versions(ledger, "party")) == 12
        assert [dead.body for dead in ledger.ingest.list_dead(10)] == ["garbage"]

    def test_what_the_ledger_refuses_stays_in_the_queue(
        self,
        ledger: Ledger,
        poller: S3EventPoller,
        sqs_client: SqsClient,
        events_queue_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*_: object) -> int:
            raise LedgerUnavailable("down")

        sqs_client.send_message(QueueUrl=events_queue_url, MessageBody=notification(created("albums/party/a.jpg", 1)))
        with monkeypatch.context() as patch:
            patch.setattr(type(ledger.ingest), "apply", refuse)
            with pytest.raises(LedgerUnavailable):
                poller.step()
        assert count_messages(sqs_client, events_queue_url) == 1

    def test_a_message_that_fails_in_an_unforeseen_way_holds_up_no_other(
        self,
        ledger: Ledger,
        poller: S3EventPoller,
        sqs_client: SqsClient,
        events_queue_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        apply = ledger.ingest.apply

        def fail_on_b(events: Sequence[ObjectEvent], *rest: Any) -> int:  # noqa: ANN401  as `apply` has it
            if events[0].uri.endswith("b.jpg"):
                raise ZeroDivisionError("defect")
            return apply(events, *rest)

        monkeypatch.setattr(Ingest, "apply", staticmethod(fail_on_b))
        for name in "abc":
            body = notification(created(f"albums/party/{name}.jpg", 1))
            sqs_client.send_message(QueueUrl=events_queue_url, MessageBody=body)
        while len(ledger.albums.list_summaries()) == 0 or len(versions(ledger, "party")) < 2:
            assert poller.step()
        assert set(versions(ledger, "party")) == {"a.jpg v1", "c.jpg v1"}
        assert count_messages(sqs_client, events_queue_url) == 1

    def test_a_queue_that_is_away_is_waited_for(self, ledger: Ledger) -> None:
        away = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(BrokerUnavailable):
            poller_of(ledger, away, f"{away}/1/events").step()


def test_a_queue_without_buckets_is_refused(bench: Bench) -> None:  # noqa: F811  the fixture of that name
    settings = bench.parts.settings.model_copy(update={"s3_events_queue_url": "http://queue"})
    app = create_celery_app(settings)
    with (
        pytest.raises(ConfigurationError, match="S3_EVENTS_BUCKETS"),
        dispatcher_in_threads(app, replace(bench.parts, settings=settings)),
    ):
        pass


def test_a_bucket_that_notifies_is_followed_and_a_long_poll_does_not_hold_the_end_up(
    bench: Bench,  # noqa: F811  the fixture of that name
    s3_client: S3Client,
    s3_endpoint: str,
    s3_bucket: str,
    sqs_client: SqsClient,
    events_queue_url: str,
) -> None:
    asked = sqs_client.get_queue_attributes(QueueUrl=events_queue_url, AttributeNames=["QueueArn"])
    told = {"QueueArn": asked["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    s3_client.put_bucket_notification_configuration(
        Bucket=s3_bucket, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    followed = {
        "s3_events_queue_url": events_queue_url,
        "s3_events_buckets": s3_bucket,
        "sqs_endpoint_url": s3_endpoint,
        "broker_url": "memory://localhost",
    }
    settings = bench.parts.settings.model_copy(update=followed)
    parts = replace(bench.parts, settings=settings)
    ledger = bench.parts.ledger
    with dispatcher_in_threads(create_celery_app(settings), parts):
        s3_client.put_object(Bucket=s3_bucket, Key="albums/party/day 1/ü+.jpg", Body=b"1 a")
        wait_until(lambda: [album.album.name for album in ledger.albums.list_summaries()] == ["party"], "it is seen")
        assert set(versions(ledger, "party").values()) == {"pending"}
        s3_client.delete_object(Bucket=s3_bucket, Key="albums/party/day 1/ü+.jpg")
        wait_until(lambda: versions(ledger, "party") == {}, "it is gone")
        began = time.monotonic()
    assert time.monotonic() - began < 8
    assert count_messages(sqs_client, events_queue_url) == 0
    assert ledger.ingest.list_dead(10) == []
