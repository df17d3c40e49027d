"""Whether a broker answers, asked without a client library: who only wants to know need not bring Celery."""

import socket
from urllib.parse import urlsplit

from facefleet.errors import BrokerUnavailable

_TIMEOUT_S = 2.0
_REDIS_PORT = 6379


def check_broker(broker_url: str) -> None:
    """Return when Redis answers, be it only that it wants a password.

    Args:
        broker_url: other brokers than `redis:` are not asked: one is in this process, and SQS is AWS's to watch.

    Raises:
        BrokerUnavailable: nobody answers, or something that is no Redis.
    """
    parts = urlsplit(broker_url)
    if parts.scheme != "redis":
        return
    address = parts.hostname or "localhost", parts.port or _REDIS_PORT
    try:
        with socket.create_connection(address, _TIMEOUT_S) as connection:
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as error:
        raise BrokerUnavailable(f"the broker at {address[0]}:{address[1]} cannot be reached: {error}") from error
    if not answer.startswith((b"+", b"-")):
        raise BrokerUnavailable(f"what answers at {address[0]}:{address[1]} is no Redis")
