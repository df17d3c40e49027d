import contextlib
import signal
from collections.abc import Iterator

import pytest

from cli.termination import Termination, wait_for_interrupt


@pytest.fixture
def handler() -> Iterator[Termination]:
    installed = Termination()
    before = signal.signal(signal.SIGTERM, installed)
    yield installed
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("handler")
def test_sigterm_interrupts_what_runs() -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("handler")
def test_a_sigterm_that_python_dropped_while_starting_still_ends_the_wait() -> None:
    # As Python drops it when the signal comes within the callback of a weak reference.
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    wait_for_interrupt()
