"""Amazon SQS, or a server that speaks it: the client, its errors, and the queues of the fleet."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from facefleet.errors import BrokerUnavailable, ConfigurationError
from facefleet.settings import Settings

#: boto3 ships no types.
SqsClient: TypeAlias = Any

#: SQS answers a long poll within 20 seconds; botocore's own timeout has to be longer.
LONG_POLL_S: Final = 20
_READ_TIMEOUT_S = LONG_POLL_S + 10
_CONNECT_TIMEOUT_S = 5

#: How long a message stays hidden from other workers; the ledger's leases decide who owns its photos.
VISIBILITY_TIMEOUT_S: Final = 300
#: Deliveries after which a message is put aside. Its photos are not lost: the ledger sends them again.
_MAX_RECEIVES = 5
#: As long as SQS keeps messages at all.
_RETENTION_S = 14 * 24 * 3600


def region_of(settings: Settings) -> str:
    """Name the region, as AWS' own tools find it."""
    named = (settings.sqs_region, os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION"))
    return next((name for name in named if name), "us-east-1")


def connect_sqs(settings: Settings) -> SqsClient:
    """Make a client; nothing is connected yet.

    Raises:
        ConfigurationError: the endpoint is no URL.
    """
    # A second to import, which nobody without SQS is to pay.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=_CONNECT_TIMEOUT_S, read_timeout=_READ_TIMEOUT_S, retries={"mode": "standard"})
    endpoint_url = settings.sqs_endpoint_url or None
    try:
        return boto3.session.Session().client(
            "sqs", region_name=region_of(settings), endpoint_url=endpoint_url, config=config
        )
    except ValueError as error:
        raise ConfigurationError(f"not the URL of an SQS server: {endpoint_url!r} ({error})") from error


@contextmanager
def sqs_errors(queue: str) -> Iterator[None]:
    """Turn what boto3 raises into `BrokerUnavailable`: whatever it is, the ledger keeps the work meanwhile."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConfigurationError(f"there are no credentials for SQS: {error}") from error
    except (ClientError, BotoCoreError, OSError) as error:
        raise BrokerUnavailable(f"the queue {queue} cannot be used: {error}") from error


def ensure_queues(client: SqsClient, names: list[str], dead_letter_name: str) -> list[str]:
    """Create queues that are missing, and set those that exist to what the fleet needs. Twice is once.

    kombu sets no visibility timeout on queues that it is told of, and none of its settings reaches a dead-letter queue:
    both belong to the queue itself.

    Args:
        client: with the rights to create queues and set their attributes.
        names: of the queues.
        dead_letter_name: of the queue that gets messages which were delivered too often.

    Returns:
        The URLs of `names`, in their order.

    Raises:
        BrokerUnavailable: SQS cannot be reached, or refuses.
    """
    with sqs_errors(dead_letter_name):
        dead_url = _ensure_queue(client, dead_letter_name, {})
        wanted = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": wanted["Attributes"]["QueueArn"], "maxReceiveCount": _MAX_RECEIVES}
    attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT_S), "RedrivePolicy": json.dumps(redrive)}
    urls = []
    for name in names:
        with sqs_errors(name):
            urls.append(_ensure_queue(client, name, attributes))
    return urls


def _ensure_queue(client: SqsClient, name: str, attributes: dict[str, str]) -> str:
    """Create first, set afterwards: creating a queue that exists with other attributes is refused."""
    try:
        url: str = client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        url = client.create_queue(QueueName=name)["QueueUrl"]
    kept = {"MessageRetentionPeriod": str(_RETENTION_S)} | attributes
    client.set_queue_attributes(QueueUrl=url, Attributes=kept)
    return url
