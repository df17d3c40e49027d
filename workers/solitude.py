"""Suspects work alone: when a worker dies, every photo that it held is suspected of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition


@dataclass
class Solitude:
    """One for all threads of a worker; `_changed` guards the rest. Who wants to be alone goes before who does not."""

    _changed: Condition = field(default_factory=Condition)
    _at_work: int = 0
    _wanting_to_be_alone: int = 0
    _is_alone: bool = False

    @contextmanager
    def among_others(self) -> Iterator[None]:
        """Wait until nobody is alone, or wants to be."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone and not self._wanting_to_be_alone)
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody is at work, and keep it so."""
        with self._changed:
            self._wanting_to_be_alone += 1
            self._changed.wait_for(lambda: not self._is_alone and not self._at_work)
            self._wanting_to_be_alone -= 1
            self._is_alone = True
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()
