"""`/metrics` of the processes that answer nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from facefleet.errors import ConfigurationError
from facefleet.metrics import Metrics
from facefleet.settings import Settings


@contextmanager
def serve_metrics(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """Serve the metrics of this process while the block lasts, in a thread of its own; not at all on port 0.

    Raises:
        ConfigurationError: the port is taken, or the address is none of this machine.
    """
    if not settings.metrics_port:
        yield
        return
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry=metrics.registry)
    except OSError as error:
        place = f"{settings.metrics_host}:{settings.metrics_port}"
        raise ConfigurationError(f"metrics cannot be served on {place}: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
