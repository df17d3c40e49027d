"""`worker` and `dispatcher`: they take no options, so that they start without Typer, a fifteenth of a start."""

from collections.abc import Callable

from cli.loading import loading


def start_worker() -> int:
    """Run a worker; returns the exit status. See `cli.worker_process`."""
    with loading():
        from cli.worker_process import work  # noqa: PLC0415  takes a second that other commands do not have

    return work()


def start_dispatcher() -> int:
    """Run the dispatcher; returns the exit status. See `cli.dispatcher_process`."""
    with loading():
        from cli.dispatcher_process import dispatch  # noqa: PLC0415  takes a second that other commands do not have

    dispatch()
    return 0


FLEET_COMMANDS: dict[str, Callable[[], int]] = {"worker": start_worker, "dispatcher": start_dispatcher}
