"""SIGTERM ends a command as Ctrl-C does: everything that is open is closed."""

import signal
from contextlib import suppress
from threading import Event
from types import FrameType


class Termination:
    """The handler of SIGTERM; remembers that it was asked, because Python drops what is raised in a weak callback."""

    def __init__(self) -> None:
        self.asked = Event()

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Interrupt the main thread."""
        self.asked.set()
        raise KeyboardInterrupt


def wait_for_interrupt() -> None:
    """Return at Ctrl-C or SIGTERM, also when SIGTERM came while the command was starting."""
    handler = signal.getsignal(signal.SIGTERM)
    asked = handler.asked if isinstance(handler, Termination) else Event()
    with suppress(KeyboardInterrupt):
        asked.wait()
