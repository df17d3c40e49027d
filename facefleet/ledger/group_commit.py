"""Threads that write at the same time share one transaction, and so one wait for the disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

from facefleet.errors import LedgerUnavailable

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Place(Generic[T]):
    """Somebody's place in the line."""

    item: T
    #: Set when it is written, or when it is this thread's turn to write.
    called: Event = field(default_factory=Event)
    is_written: bool = False
    error: BaseException | None = None


class GroupCommit(Generic[T]):
    """A line without a thread of its own: who is first writes for all who stand in it, then calls the next.

    `_line` and `_is_busy` are guarded by `_guard`.
    """

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        """Take what writes items in one transaction, in their order."""
        self._write = write
        self._guard = Lock()
        self._line: list[_Place[T]] = []
        self._is_busy = False

    @property
    def waiting(self) -> int:
        """Items in the line, but for those that are being written."""
        return len(self._line)

    @property
    def is_busy(self) -> bool:
        """Whether somebody writes."""
        return self._is_busy

    def submit(self, item: T, patience_s: float) -> None:
        """Write an item; it is committed when this returns.

        Args:
            item: what `write` is given among others.
            patience_s: how long to wait for others before giving up.

        Raises:
            LedgerUnavailable: others took too long. The item is not written, unless they were just at it.
            BaseException: what `write` raised; nothing of that transaction is written.
        """
        place = _Place(item)
        with self._guard:
            self._line.append(place)
            leads, self._is_busy = not self._is_busy, True
        try:
            is_called = leads or place.called.wait(patience_s)
        except BaseException:
            if not self._leave(place) and not place.is_written:
                self._end_turn(place)
            raise
        if not is_called and self._leave(place):
            raise LedgerUnavailable("the ledger's database is busy: somebody else writes to it for too long")
        if not place.is_written:
            self._serve()
        if place.error is not None:
            raise place.error

    def _leave(self, place: _Place[T]) -> bool:
        """Step out of the line, unless called just now."""
        with self._guard:
            if place.called.is_set():
                return False
            if place in self._line:
                self._line.remove(place)
            return True

    def _serve(self) -> None:
        with self._guard:
            batch, self._line = self._line, []
        error: BaseException | None = None
        try:
            self._write([place.item for place in batch])
        except BaseException as refused:  # noqa: BLE001  each of them raises it
            error = refused
        for place in batch:
            place.is_written, place.error = True, error
            place.called.set()
        self._end_turn()

    def _end_turn(self, unwritten: _Place[T] | None = None) -> None:
        """Call who is next; `unwritten` was called, but was interrupted before it began."""
        with self._guard:
            self._line = [each for each in self._line if each is not unwritten]
            self._is_busy = bool(self._line)
            if self._line:
                self._line[0].called.set()
