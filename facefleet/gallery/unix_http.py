"""HTTP to a server on a Unix socket, with connections that are kept and shared by all threads.

httpx can do this too, but leaves the socket of a refused connection open until it is collected.
"""

import socket
from collections import deque
from http.client import HTTPConnection
from pathlib import Path


class UnixHttpClient:
    """A pool of connections. Idle ones lie in `_idle`, whose append and pop are atomic; a busy one has one thread."""

    def __init__(self, socket_path: Path, timeout_s: float) -> None:
        """Connect on the first call.

        Args:
            socket_path: where the server listens.
            timeout_s: for connecting, and between two pieces of an answer.
        """
        self._socket_path = socket_path
        self._timeout_s = timeout_s
        self._idle: deque[_UnixConnection] = deque()
        self._closed = False

    def post(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Send a body and wait for the answer.

        Returns:
            The status and the answer's body.

        Raises:
            OSError: there is no server, it hung up, or the time is over.
            http.client.HTTPException: the answer broke off or is none.
        """
        connection = self._take()
        try:
            connection.request("POST", target, body)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if self._closed:
            self.close()
        return answer.status, content

    def close(self) -> None:
        """Close the idle connections; a busy one is closed when its call returns."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> "_UnixConnection":
        if self._closed:
            raise OSError("the connection was closed on this side")
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.close()
        return _UnixConnection(self._socket_path, self._timeout_s)


class _UnixConnection(HTTPConnection):
    def __init__(self, socket_path: Path, timeout_s: float) -> None:
        super().__init__("gallery", timeout=timeout_s)
        self._socket_path = socket_path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(self._timeout_s)
            sock.connect(str(self._socket_path))
        except BaseException:
            sock.close()
            raise
        self.sock = sock

    def is_usable(self) -> bool:
        """Tell whether the other side still holds the idle connection: nothing is to be read then, not even an end."""
        if self.sock is None:
            return False
        self.sock.settimeout(0)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            self.sock.settimeout(self._timeout_s)
            return True
        except OSError:
            return False
        return False
