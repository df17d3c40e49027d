"""EC2 tells a spot instance two minutes ahead that it will be taken away: the worker drains then."""

import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from threading import Event

import structlog

POLL_INTERVAL_S = 5.0
_TIMEOUT_S = 2.0
_TOKEN_LIFETIME_S = 60

log = structlog.stdlib.get_logger(__name__)


def read_spot_notice(metadata_url: str) -> str | None:
    """Ask the instance metadata service (version 2) whether this instance is to be interrupted.

    Args:
        metadata_url: `http://169.254.169.254` on EC2.

    Returns:
        The notice as EC2 words it, or None.

    Raises:
        OSError: the service does not answer.
    """
    head = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_LIFETIME_S)}
    token = _fetch(urllib.request.Request(f"{metadata_url}/latest/api/token", method="PUT", headers=head))  # noqa: S310  set by the operator
    asking = {"X-aws-ec2-metadata-token": token}
    notice = urllib.request.Request(f"{metadata_url}/latest/meta-data/spot/instance-action", headers=asking)  # noqa: S310  the same
    try:
        return _fetch(notice)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == HTTPStatus.NOT_FOUND:
            return None
        raise


def watch_for_spot_notice(metadata_url: str, stopping: Event, leave: Callable[[], None]) -> None:
    """Poll until there is a notice, then call `leave` once; or until `stopping`."""
    while not stopping.is_set():
        try:
            notice = read_spot_notice(metadata_url)
        except OSError as error:
            log.warning("the instance metadata service does not answer", error=str(error))
        else:
            if notice is not None:
                log.warning("this spot instance will be taken away; the worker drains", notice=notice)
                leave()
                return
        stopping.wait(POLL_INTERVAL_S)


def _fetch(request: urllib.request.Request) -> str:
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  the same
        return str(answer.read().decode())
