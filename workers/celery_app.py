"""The Celery application, built from settings. What each option is for stands beside it."""

from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from celery import Celery
from kombu import Queue

from facefleet.settings import Settings
from workers.sqs import LONG_POLL_S, VISIBILITY_TIMEOUT_S, region_of

#: What the name of a queue ends with.
#: index: ordinary work. interactive: small albums and small uploads. people, maintenance: long work on whole albums.
Lane = Literal["index", "interactive", "people", "maintenance"]
LANES: tuple[Lane, ...] = get_args(Lane)

#: Per broker scheme: transport options, and how many messages a worker thread may hold.
_TRANSPORTS: dict[str, tuple[dict[str, Any], int]] = {
    # kombu acknowledges between polls only, so one message at a time would mean two tasks a second.
    # The relay's runway bounds what is in flight instead. To look a hundred times a second took 1% of a core.
    "memory": ({"polling_interval": 0.03}, 0),
    "redis": (
        {
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            # The lane that a worker names first is emptied first.
            "queue_order_strategy": "priority",
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
    # Every queue is polled by itself, in no order: a lane gets at least its share of the threads. Who wants more for a
    # lane starts workers for it alone. With an interval of 0, kombu asks without a pause whether a thread is free.
    "sqs": (
        {
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            "wait_time_seconds": LONG_POLL_S,
            "polling_interval": 0.02,
            "client-config": {"connect_timeout": 5, "read_timeout": LONG_POLL_S + 10},
        },
        1,
    ),
}

_SAME_TRANSPORT = {"rediss": "redis", "redis+socket": "redis"}


def queue_name(settings: Settings, lane: Lane) -> str:
    """Name the queue of a lane."""
    return settings.queue_prefix + lane


def consumed_queues(settings: Settings) -> list[str]:
    """Name the queues that a worker consumes, the one that goes first at the front."""
    return [settings.queue_prefix + lane for lane in settings.worker_lanes.split(",")]


def create_celery_app(settings: Settings) -> Celery:
    """Build the application that sends and receives messages.

    Args:
        settings: `broker_url` decides the transport.
    """
    scheme = _SAME_TRANSPORT.get(named := settings.broker_url.partition(":")[0], named)
    transport_options, prefetch = _TRANSPORTS.get(scheme, ({}, 1))
    if scheme == "sqs":
        transport_options = transport_options | _describe_sqs(settings)
    app = Celery("facefleet", broker=_broker_url(settings), set_as_current=False)
    app.conf.update(
        task_default_queue=queue_name(settings, "index"),
        task_queues=[Queue(queue_name(settings, lane)) for lane in LANES],
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
        # Flower shows tasks by events, and asks workers for them while it runs: nobody else pays for them.
        worker_send_task_events=False,
        # SQS has neither events nor remote control.
        worker_enable_remote_control=scheme == "redis",
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def _broker_url(settings: Settings) -> str:
    """Say where a server that speaks SQS is, in kombu's way: as the host of the broker's URL."""
    if settings.broker_url.startswith("sqs:") and settings.sqs_endpoint_url:
        return f"sqs://{urlsplit(settings.sqs_endpoint_url).netloc}"
    return settings.broker_url


def _describe_sqs(settings: Settings) -> dict[str, Any]:
    """Tell kombu where the queues are; with their URLs known it neither lists nor creates any."""
    options: dict[str, Any] = {"region": region_of(settings)}
    if settings.sqs_endpoint_url:
        options["is_secure"] = urlsplit(settings.sqs_endpoint_url).scheme == "https"
    if base := settings.sqs_queue_url_base.rstrip("/"):
        names = [queue_name(settings, lane) for lane in LANES]
        options["predefined_queues"] = {name: {"url": f"{base}/{name}"} for name in names}
    return options
