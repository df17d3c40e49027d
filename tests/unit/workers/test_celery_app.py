import pytest
from pydantic import ValidationError

from facefleet.settings import Settings
from workers.celery_app import consumed_queues, create_celery_app


@pytest.mark.parametrize(
    ("broker_url", "prefetch", "remote_control"),
    [
        ("memory://", 0, False),
        ("redis://127.0.0.1:6379/0", 1, True),
        ("rediss://127.0.0.1:6379/0", 1, True),
        ("sqs://", 1, False),
    ],
)
def test_each_broker_gets_its_settings(broker_url: str, prefetch: int, remote_control: bool) -> None:
    app = create_celery_app(Settings(broker_url=broker_url))
    assert app.conf.worker_prefetch_multiplier == prefetch
    assert app.conf.worker_enable_remote_control is remote_control
    assert not app.conf.worker_send_task_events
    assert app.conf.task_acks_late
    assert app.conf.accept_content == ["json"]
    assert app.conf.worker_cancel_long_running_tasks_on_connection_loss is False


def test_every_lane_has_a_queue_and_a_worker_consumes_its_own_in_order() -> None:
    settings = Settings(broker_url="redis://x", queue_prefix="acme-", worker_lanes="people,interactive")
    app = create_celery_app(settings)
    assert [queue.name for queue in app.conf.task_queues] == [
        "acme-index",
        "acme-interactive",
        "acme-people",
        "acme-maintenance",
    ]
    assert consumed_queues(settings) == ["acme-people", "acme-interactive"]
    assert consumed_queues(Settings()) == ["facefleet-interactive", "facefleet-index", "facefleet-people"]
    assert app.conf.broker_transport_options["queue_order_strategy"] == "priority"


@pytest.mark.parametrize("lanes", ["", "index,", "bulk", "index people"])
def test_a_lane_that_is_none_is_refused(lanes: str) -> None:
    with pytest.raises(ValidationError, match="worker_lanes"):
        Settings(worker_lanes=lanes)


def test_sqs_is_told_where_its_queues_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    app = create_celery_app(
        Settings(
            broker_url="sqs://", sqs_endpoint_url="http://localhost:9324", sqs_queue_url_base="http://localhost:9324/7/"
        )
    )
    options = app.conf.broker_transport_options
    assert app.conf.broker_url == "sqs://localhost:9324"
    assert (options["region"], options["is_secure"], options["wait_time_seconds"]) == ("eu-west-1", False, 20)
    assert options["predefined_queues"]["facefleet-people"] == {"url": "http://localhost:9324/7/facefleet-people"}
    plain = create_celery_app(Settings(broker_url="sqs://", sqs_region="us-west-2")).conf.broker_transport_options
    assert plain["region"] == "us-west-2"
    assert "predefined_queues" not in plain


def test_redis_gives_back_what_a_dead_worker_held() -> None:
    options = create_celery_app(Settings(broker_url="redis://x")).conf.broker_transport_options
    assert options["visibility_timeout"] == 300
    assert options["unacked_restore_interval"] == 5
