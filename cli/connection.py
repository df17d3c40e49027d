"""Which server a command talks to: a running one when there is one, else its own for as long as the command takes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from cli.client import ApiClient
from cli.data_directory import HeldDirectory, hold_data_directory, read_server_note
from cli.loading import loading
from cli.needs import Needs
from cli.whereabouts import Whereabouts, find_whereabouts
from facefleet.errors import DataDirectoryInUse, ServerUnavailable

#: Longer than a server takes to load its models, or a short command to end.
_WAIT_FOR_HOLDER_S = 60.0
_LOOK_AGAIN_S = 0.05


@contextmanager
def connect(needs: Needs = Needs.LEDGER) -> Iterator[ApiClient]:
    """Find a server, or be one until the block ends.

    In this order: `FACEFLEET_SERVER`; the server of the process that holds the data directory; a server of our own.

    Args:
        needs: what a server of our own has to have.

    Raises:
        ServerUnavailable: the server that was named does not answer.
        DataDirectoryInUse: another process holds the data directory and serves nothing.
    """
    whereabouts = find_whereabouts()
    if whereabouts.server:
        client = ApiClient(whereabouts.server, whereabouts.api_key)
        client.check()
        yield client
        return
    with ExitStack() as stack:
        found = _find_or_hold(whereabouts, stack)
        if isinstance(found, HeldDirectory):
            with loading():
                from cli.embedded import serve_embedded  # noqa: PLC0415  a running server makes all of it unnecessary

            found = stack.enter_context(serve_embedded(found, needs))
        yield found


def _find_or_hold(whereabouts: Whereabouts, stack: ExitStack) -> ApiClient | HeldDirectory:
    """Take the data directory, or reach the server of its holder, which may be about to start or to end."""
    give_up_at = time.monotonic() + _WAIT_FOR_HOLDER_S
    while True:
        try:
            return stack.enter_context(hold_data_directory(whereabouts.data_dir))
        except DataDirectoryInUse:
            with suppress(ServerUnavailable):
                if note := read_server_note(whereabouts.data_dir):
                    client = ApiClient(note.url, whereabouts.api_key or note.key)
                    client.check()
                    return client
            if time.monotonic() > give_up_at:
                raise
        time.sleep(_LOOK_AGAIN_S)
