"""Reading ahead: while one photo of a message is recognized, the next one is on its way from S3."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Lock, Thread

from facefleet.photo_store.uris import scheme_of
from facefleet.records import LeasedPhoto

#: Reads a photo whole.
Read = Callable[[LeasedPhoto], bytes]


@dataclass
class ReadAhead:
    """One for all threads of a worker. `_lock` guards `ahead_bytes`.

    A thread reads at most one photo ahead. A folder is not read ahead: it answers faster than a thread starts.
    """

    #: Bytes that may be on their way, or wait to be recognized; what does not fit is read when its turn comes.
    budget_bytes: int = 0
    ahead_bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def over(self, photos: Sequence[LeasedPhoto], read_one: Read) -> Iterator[Read]:
        """Lend what reads these photos with `read_one`, each once and in their order."""
        followers = dict(zip((each.id for each in photos), photos[1:], strict=False))
        begun: dict[LeasedPhoto, Future[bytes]] = {}

        def read(photo: LeasedPhoto) -> bytes:
            ahead = begun.pop(photo, None)
            if ahead is None:
                data = read_one(photo)
            else:
                try:
                    data = ahead.result()
                finally:
                    self._release(photo)
            if (next_one := followers.get(photo.id)) is not None and self._reserve(next_one):
                begun[next_one] = _begin(next_one, read_one)
            return data

        try:
            yield read
        finally:
            for photo, ahead in begun.items():
                ahead.add_done_callback(partial(self._forget, photo))

    def _forget(self, photo: LeasedPhoto, _: Future[bytes]) -> None:
        self._release(photo)

    def _reserve(self, photo: LeasedPhoto) -> bool:
        if scheme_of(photo.store_uri) != "s3":
            return False
        with self._lock:
            if self.ahead_bytes + photo.size_bytes > self.budget_bytes:
                return False
            self.ahead_bytes += photo.size_bytes
            return True

    def _release(self, photo: LeasedPhoto) -> None:
        with self._lock:
            self.ahead_bytes -= photo.size_bytes


def _begin(photo: LeasedPhoto, read: Read) -> Future[bytes]:
    ahead: Future[bytes] = Future()

    def fetch() -> None:
        try:
            ahead.set_result(read(photo))
        except BaseException as error:  # noqa: BLE001  whose turn it is raises it
            ahead.set_exception(error)

    try:
        # Of its own and a daemon: a process that ends does not wait for a store that says nothing.
        Thread(target=fetch, name="read-ahead", daemon=True).start()
    except RuntimeError:  # the machine has no room for another thread, for which no photo is to blame
        fetch()
    return ahead
