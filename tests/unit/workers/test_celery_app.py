import pytest

from facefleet.settings import Settings
from workers.celery_app import create_celery_app


@pytest.mark.parametrize(
    ("broker_url", "prefetch", "events"),
    [
        ("memory://", 0, False),
        ("redis://127.0.0.1:6379/0", 1, True),
        ("rediss://127.0.0.1:6379/0", 1, True),
        ("sqs://", 1, False),
    ],
)
def test_each_broker_gets_its_settings(broker_url: str, prefetch: int, events: bool) -> None:
    app = create_celery_app(Settings(broker_url=broker_url))
    assert app.conf.worker_prefetch_multiplier == prefetch
    assert app.conf.worker_send_task_events is events
    assert app.conf.task_acks_late
    assert app.conf.accept_content == ["json"]
    assert app.conf.worker_cancel_long_running_tasks_on_connection_loss is False


def test_redis_gives_back_what_a_dead_worker_held() -> None:
    options = create_celery_app(Settings(broker_url="redis://x")).conf.broker_transport_options
    assert options["visibility_timeout"] == 300
    assert options["unacked_restore_interval"] == 5
