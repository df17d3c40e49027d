"""The API on a socket, served from a thread: one way for `up`, `api` and commands that run without a server."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from api.dependencies import Services
from api.main import create_app
from facefleet.errors import ConfigurationError

_START_TIMEOUT_S = 30.0
#: Requests in flight, and clients that follow a job, may take this long at the end.
_DRAIN_S = 5
_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Open the socket that clients connect to.

    Args:
        host: name or address of this machine, IPv4 or IPv6.
        port: 0 for any that is free.

    Raises:
        ConfigurationError: the port is taken, or the address is not of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"the address {host} cannot be used: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --host and --port"
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL by which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  it is compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


@contextmanager
def serve_http(services: Services, listener: socket.socket) -> Iterator[None]:
    """Answer requests for as long as the block lasts; those in flight are finished on leaving.

    Raises:
        ConfigurationError: the server did not start.
    """
    config = uvicorn.Config(create_app(services), log_config=None, access_log=False, timeout_graceful_shutdown=_DRAIN_S)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="http-server", daemon=True)
    thread.start()
    try:
        _wait_for_start(server, thread)
        yield
    finally:
        services.stopping.set()
        server.should_exit = True
        thread.join()


def _wait_for_start(server: uvicorn.Server, thread: Thread) -> None:
    give_up_at = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > give_up_at:
            raise ConfigurationError("the server did not start; the log above says why")
        time.sleep(0.005)
