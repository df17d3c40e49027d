"""People are grouped in a process of their own, of low priority: the searches of this one do not wait for it."""

import os
import subprocess
import sys
from contextlib import closing
from queue import SimpleQueue
from threading import Lock, Thread
from typing import BinaryIO, cast
from uuid import UUID

import structlog

from facefleet.gallery.opening import open_gallery
from facefleet.ledger.engine import open_ledger
from facefleet.logs import configure_logging
from facefleet.people.grouping import AlbumGrouper
from facefleet.people.model_rules import ModelRules
from facefleet.settings import Settings

#: About a tenth of the processor beside somebody who wants it; all of it otherwise.
_NICENESS = 10
_TRIES = 2
COMMAND = (sys.executable, "-P", "-c", "from workers.grouper_process import main; main()")

log = structlog.stdlib.get_logger(__name__)


def main() -> None:
    """Group the albums whose ids come on standard input, and answer each with a line, until the input ends."""
    os.nice(_NICENESS)
    settings = Settings()
    configure_logging(settings)
    with (
        closing(open_ledger(settings.resolved_ledger_url)) as ledger,
        closing(open_gallery(settings, owner=False)) as gallery,
    ):
        grouper = AlbumGrouper(ledger, gallery, ModelRules.at_hand(settings).of, settings.lease_s)
        for line in sys.stdin:
            grouper.group(UUID(line.strip()))
            try:
                os.write(sys.stdout.fileno(), b"done\n")
            except BrokenPipeError:  # who asked was killed meanwhile; the album is done all the same
                return


class GrouperProcess:
    """Groups albums one after the other. Its thread owns the child; `_guard` the right to start and to end it.

    What was asked for and not begun when it ends, or was under way, is still due in the ledger.
    """

    def __init__(self, settings: Settings) -> None:
        """Start nothing yet: the first album does.

        Args:
            settings: of this process; the other one reads the same environment.
        """
        self._environment = os.environ | {"FACEFLEET_DATA_DIR": str(settings.data_dir.absolute())}
        self._asked: SimpleQueue[UUID | None] = SimpleQueue()
        self._guard = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._thread = Thread(target=self._work, name="grouper-process", daemon=True)
        self._thread.start()

    def group(self, album_id: UUID) -> None:
        """Have an album grouped when its turn comes; returns at once."""
        self._asked.put(album_id)

    def close(self) -> None:
        """End the process, whatever it is at."""
        with self._guard:
            self._closed = True
            if self._child:
                self._child.terminate()
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while album_id := self._asked.get():
            # Asked again when it has ended, perhaps long ago; the album that ended it is leased, and left alone.
            for _ in range(_TRIES):
                child = self._start_if_gone()
                if child is None or _ask(child, album_id):
                    break
                self._bury(child)
        if self._child:
            self._bury(self._child)

    def _start_if_gone(self) -> "subprocess.Popen[bytes] | None":
        """Give the living child; None: there is to be none any more, or the machine has no room for one."""
        with self._guard:
            if self._closed:
                return None
            try:
                self._child = self._child or self._start()
            except OSError as error:  # the album is due as before, and asked for again
                log.warning("no process to group people in can be started", error=str(error))
            return self._child

    def _start(self) -> "subprocess.Popen[bytes]":
        # In a session of its own: a terminal's Ctrl-C is for the parent, which ends it.
        return subprocess.Popen(  # noqa: S603  nobody else's words
            COMMAND,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # what a child that has ended did not read is not written once more
            start_new_session=True,
        )

    def _bury(self, child: "subprocess.Popen[bytes]") -> None:
        with self._guard:
            self._child = None
        with child:
            child.terminate()
        if not self._closed:
            log.warning("the process that groups people has ended", status=child.returncode)


def _ask(child: "subprocess.Popen[bytes]", album_id: UUID) -> bool:
    """Have it group an album; False: it has ended instead."""
    asked, answers = cast("BinaryIO", child.stdin), cast("BinaryIO", child.stdout)
    try:
        asked.write(f"{album_id}\n".encode())
    except OSError:
        return False
    return bool(answers.readline())
