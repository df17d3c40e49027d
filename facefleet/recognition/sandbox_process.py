"""The parent's handles of the decode sandbox's processes: the one that forks, and its children."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from facefleet.errors import Overloaded, RecognizerUnavailable
from facefleet.recognition.sandbox_wire import (
    FOR_BULK,
    FOR_SEARCHES,
    MESSAGE_BYTES,
    PLANTED_DECODER,
    READY,
    ChildOptions,
    DecodeReply,
    DecodeRequest,
    pack_message,
    unpack_reply,
)

if TYPE_CHECKING:
    from facefleet.recognition.sandbox_blocks import PixelBlock

#: -S -P: neither `site` nor the working directory; the modules come from where this process has them.
_COMMAND = ("-S", "-P", "-c", "from facefleet.recognition.sandbox_child import main; main()")
#: All that is handed on of the environment: children need no credentials. One thread: forking allows no others.
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", PLANTED_DECODER)
_VARIABLES = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
#: A machine under full load imports the decoders in seconds.
_START_TIMEOUT_S = 60.0
#: A child ends itself in time; this is for one that the kernel does not run, such as a stopped one.
_GRACE_S = 5.0


class ChildDied(Exception):
    """The child ended in the middle of a photo."""


class ChildStuck(Exception):
    """The child neither answers nor ends, so its block must not be used again."""


class ChildProcess:
    """A process that decodes one photo after another. Belongs to one caller at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._known_blocks: set[int] = set()
        self._ready = False
        #: Photos it was asked to decode.
        self.photos = 0

    def wait_until_ready(self) -> None:
        """Wait for its first word.

        Raises:
            Overloaded: it did not come up, for which no photo is to blame.
        """
        if self._ready:
            return
        self._connection.settimeout(_START_TIMEOUT_S)
        with suppress(OSError):
            self._ready = self._connection.recv(len(READY)) == READY
        if not self._ready:
            raise Overloaded("The machine has no room for a process that decodes photos.")

    def ask(self, request: DecodeRequest, block: "PixelBlock", timeout_s: float) -> DecodeReply:
        """Have the photo in a block decoded.

        Raises:
            ChildDied: it ended instead of answering, or answered nonsense.
            ChildStuck: it did neither in time.
        """
        self.photos += 1
        try:
            self._connection.settimeout(timeout_s + _GRACE_S)
            self._send(pack_message(request), block)
            return unpack_reply(self._connection.recv(MESSAGE_BYTES))
        except TimeoutError as error:
            raise ChildStuck from error
        except (OSError, ValueError) as error:
            raise ChildDied from error

    def _send(self, message: bytes, block: "PixelBlock") -> None:
        if block.number in self._known_blocks:
            self._connection.send(message)
        else:
            socket.send_fds(self._connection, [message], [block.descriptor])
            self._known_blocks.add(block.number)

    def close(self) -> None:
        """Let it end when it has answered."""
        self._connection.close()


class ForkServer:
    """The process that has imported the decoders and forks children. Its lock owns the process and its sockets."""

    def __init__(self, options: ChildOptions) -> None:
        """Start it; children can be asked for at once, they wait until it is up.

        Args:
            options: `control_fd` is filled in here.
        """
        self._options = options
        self._lock = threading.Lock()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # whoever asks for a child tries again, and is told
            self._start()

    def fork_child(self, *, urgent: bool) -> ChildProcess:
        """Fork a child; when the server has died, start it again first.

        Args:
            urgent: it decodes for searches; another one leaves the processor to these.

        Raises:
            Overloaded: the machine has no room for another process.
            RecognizerUnavailable: it is closed.
        """
        ours, theirs = _connect_pair()
        try:
            with theirs, self._lock:
                self._restart_if_dead()
                socket.send_fds(self._control, [FOR_SEARCHES if urgent else FOR_BULK], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise Overloaded(f"No process to decode photos in can be started: {error}") from error
        except RecognizerUnavailable:
            ours.close()
            raise
        return ChildProcess(ours)

    def close(self) -> None:
        """End it and every child, whatever they are at."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._end()

    @property
    def pid(self) -> int:
        """Process id, 0 while there is none; its children are in its process group."""
        return self._process.pid if self._process else 0

    def _restart_if_dead(self) -> None:
        if self._closed:
            raise RecognizerUnavailable("The recognizer is shutting down.")
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._start()

    def _start(self) -> None:
        control, theirs = _connect_pair()
        with theirs, ExitStack() as undo:
            undo.enter_context(control)
            options = replace(self._options, control_fd=theirs.fileno())
            self._process = subprocess.Popen(  # noqa: S603  this interpreter and our own module
                [sys.executable, *_COMMAND, pack_message(options).decode()],
                stdin=subprocess.PIPE,  # never written to: its end tells the children that this process is gone
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_child_environment(),
                start_new_session=True,
            )
            self._control = control
            undo.pop_all()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._control.close()
        if process.poll() is None:  # else its number may be another's by now, and closing its input ends the children
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin:
            process.stdin.close()


def _connect_pair() -> tuple[socket.socket, socket.socket]:
    """Connect two sockets that block, as the other process expects of its own.

    Celery sets a timeout for every new socket of the process while it shuts down, which makes them non-blocking.
    """
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for each in pair:
        each.settimeout(None)
    return pair


def _child_environment() -> dict[str, str]:
    ours = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(ours), *(entry or os.getcwd() for entry in sys.path)])  # noqa: PTH109  as sys.path has it
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | _VARIABLES | {"PYTHONPATH": paths}
