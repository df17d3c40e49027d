"""The Celery application, built from settings. What each option is for stands beside it."""

from typing import Any

from celery import Celery

from facefleet.settings import Settings

#: The queue of ordinary indexing work.
INDEX_QUEUE = "facefleet-index"

_VISIBILITY_TIMEOUT_S = 300

#: Per broker scheme: transport options, and how many messages a worker thread may hold.
_TRANSPORTS: dict[str, tuple[dict[str, Any], int]] = {
    # kombu acknowledges between polls only, so one message at a time would mean two tasks a second.
    # The relay's runway bounds what is in flight instead.
    "memory": ({"polling_interval": 0.01}, 0),
    "redis": (
        {
            "visibility_timeout": _VISIBILITY_TIMEOUT_S,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 30,
            "health_check_interval": 25,
            "socket_keepalive": True,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
        },
        1,
    ),
    "sqs": ({"visibility_timeout": _VISIBILITY_TIMEOUT_S, "wait_time_seconds": 20, "polling_interval": 0}, 1),
}

_SAME_TRANSPORT = {"rediss": "redis", "redis+socket": "redis"}


def create_celery_app(settings: Settings, queue: str = INDEX_QUEUE) -> Celery:
    """Build the application that sends and receives messages.

    Args:
        settings: `broker_url` decides the transport.
        queue: the queue that is sent to and consumed from.
    """
    scheme = _SAME_TRANSPORT.get(named := settings.broker_url.partition(":")[0], named)
    transport_options, prefetch = _TRANSPORTS.get(scheme, ({}, 1))
    app = Celery("facefleet", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=queue,
        broker_transport_options=transport_options,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_prefetch_multiplier=prefetch,
        # A message is only a hint; still, one that a dying worker held comes back sooner than by the ledger.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        # True calls a method that the threads pool lacks, and ends the worker.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Outcomes live in the ledger; result backends leak.
        task_ignore_result=True,
        accept_content=["json"],
        task_serializer="json",
        task_publish_retry=False,
        # Flower shows tasks by these events; SQS has neither events nor remote control.
        worker_send_task_events=scheme == "redis",
        task_send_sent_event=scheme == "redis",
        worker_enable_remote_control=scheme == "redis",
        worker_hijack_root_logger=False,
    )
    return app
