"""`dispatcher`: the process of a fleet that sends and looks after, and needs no models for it."""

from cli.fleet_processes import open_parts
from workers.dispatcher.dispatcher import run_dispatcher


def dispatch() -> None:
    """Run the dispatcher until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: settings or files do not allow it.
    """
    with open_parts() as (parts, _):
        run_dispatcher(parts)
