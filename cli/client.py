"""The client as commands use it."""

from cli.http_exchange import PlainTransport
from facefleet.client import Client


class ApiClient(Client):
    """Over plain sockets: loading httpx takes longer than a search on a running server."""

    def __init__(self, url: str, key: str = "", *, outlives_us: bool = True) -> None:
        """Talk to a server.

        Args:
            url: `http://host:port`, maybe with a path.
            key: an API key; empty: none is shown.
            outlives_us: whether the server goes on when the command ends.
        """
        super().__init__(url, key, transport=PlainTransport(url))
        self.outlives_us = outlives_us
