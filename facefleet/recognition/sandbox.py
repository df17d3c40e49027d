"""Decoding in child processes: what kills or hangs a decoder costs one photo, not its neighbours nor the worker.

The children end themselves when a photo takes too long or too much memory (`sandbox_child`), so nothing here has to
watch them: a closed socket says it all.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from facefleet.errors import PhotoTooLarge, PhotoUndecodable, RecognizerUnavailable
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoders import StoredPhoto, check_bytes
from facefleet.recognition.decoding import DecodedPhoto, decode_photo, turn_upright
from facefleet.recognition.exif import Exif
from facefleet.recognition.sandbox_blocks import BlockPool, PixelBlock
from facefleet.recognition.sandbox_process import ChildDied, ChildProcess, ChildStuck, ForkServer
from facefleet.recognition.sandbox_wire import WALL_TIMES, BlockLayout, ChildOptions, DecodeReply, DecodeRequest
from facefleet.settings import Settings

#: Replaced after so many photos: what a decoder leaks stays small, and a fork costs milliseconds.
_PHOTOS_PER_CHILD = 1000
_TRIES = 2
_REFUSALS = {error.reason: error for error in (PhotoTooLarge, PhotoUndecodable)}


class PhotoDecoder(Protocol):
    """Turns photo bytes into upright pixels. Thread-safe."""

    def decode(
        self, photo_bytes: bytes, *, min_side_px: int | None = None, urgent: bool = False
    ) -> AbstractContextManager[DecodedPhoto]:
        """Decode a photo as `decode_photo` does; the image may only be looked at inside the block.

        Args:
            photo_bytes: the file.
            min_side_px: a JPEG may be reduced as long as its longer side keeps this many pixels; None: never.
            urgent: a search: does not wait for bulk work.

        Raises:
            PhotoTooLarge: more bytes or pixels than the limits allow.
            PhotoUndecodable: not a photo, damaged, or more than a decoder survives.
            Overloaded: the machine has no room for another process, or for the photo's pixels.
            RecognizerUnavailable: the decoder is closed.
        """

    def prepare(self) -> None:
        """Wait until decoding is possible."""

    def close(self) -> None:
        """End what was started."""


def open_decoder(settings: Settings, server: ForkServer | None = None) -> PhotoDecoder:
    """Choose where photos are decoded. Returns at once: processes come up while the models are loaded.

    Args:
        settings: the limits, and how many processes.
        server: what children are forked from, where it was started already; it is the decoder's from now on.
    """
    limits = DecodeLimits(settings.max_photo_bytes, settings.max_photo_pixels)
    processes = settings.resolved_decode_processes
    if not processes:
        return LocalDecoder(limits)
    return DecodeSandbox(limits, processes=processes, timeout_s=settings.decode_timeout_s, server=server)


@dataclass(frozen=True, slots=True)
class LocalDecoder:
    """Decodes in the caller's thread: no process to start, and no protection from what a photo does to a decoder."""

    limits: DecodeLimits

    def decode(
        self, photo_bytes: bytes, *, min_side_px: int | None = None, urgent: bool = False
    ) -> AbstractContextManager[DecodedPhoto]:
        """Decode now."""
        del urgent  # nobody waits here
        return nullcontext(decode_photo(photo_bytes, self.limits, min_side_px=min_side_px))

    def prepare(self) -> None:
        """Nothing has to come up."""

    def close(self) -> None:
        """Nothing has to end."""


@dataclass(slots=True)
class _Seat:
    """The right to have one photo decoded, with the child that does it, once there is one."""

    #: For searches.
    urgent: bool
    child: ChildProcess | None = None


class DecodeSandbox:
    """Decodes in child processes, which share blocks of memory with this one. Linux only.

    `_free` owns the seats that nobody sits on, warm ones last; a seat that was taken belongs to its caller. Searches
    and bulk work have seats of their own, so that a search never waits for bulk work, and children that do bulk work
    leave the processor to those of searches and to the models, which searches wait for, too.
    """

    def __init__(
        self, limits: DecodeLimits, *, processes: int, timeout_s: float, server: ForkServer | None = None
    ) -> None:
        """Start the process that children are forked from; the first photos fork them.

        Args:
            limits: checked on the header of every photo.
            processes: photos of bulk work that are decoded at once, and about as many of searches beside them.
            timeout_s: of the processor's time for one photo; `WALL_TIMES` as many on the clock.
            server: that process, where it was started already with the same limits.
        """
        self._limits = limits
        self._timeout_s = timeout_s
        self._layout = BlockLayout.for_limits(limits)
        self._blocks = BlockPool(self._layout, kept_blocks=processes + 1)
        self._free = {urgent: [_Seat(urgent) for _ in range(processes + urgent)] for urgent in (False, True)}
        self._freed = threading.Condition()
        self._closed = False
        self.server = server or ForkServer(ChildOptions(-1, limits.max_bytes, limits.max_pixels, timeout_s))

    @contextmanager
    def decode(
        self, photo_bytes: bytes, *, min_side_px: int | None = None, urgent: bool = False
    ) -> Iterator[DecodedPhoto]:
        """Decode in a child; a photo that kills it is tried once more in a fresh one."""
        check_bytes(photo_bytes, self._limits)
        block, used_bytes = self._blocks.take(), len(photo_bytes)
        try:
            block.write_photo(photo_bytes)
            request = DecodeRequest(block.number, len(photo_bytes), min_side_px)
            stored = self._view(block, self._ask(request, block, urgent=urgent))
            used_bytes += stored.pixels.size
            yield turn_upright(stored)
        except ChildStuck as error:
            block.in_doubt = True
            raise self._too_slow() from error
        finally:
            self._blocks.give_back(block, used_bytes)

    def prepare(self) -> None:
        """Wait until a first child is up."""
        with self._sit(urgent=True) as seat:
            self._child_of(seat)

    def close(self) -> None:
        """End every process, whatever it is at, and free the blocks."""
        with self._freed:
            self._closed = True
            for seat in chain.from_iterable(self._free.values()):
                _vacate(seat)
            self._freed.notify_all()
        self.server.close()
        self._blocks.close()

    @contextmanager
    def _sit(self, *, urgent: bool) -> Iterator[_Seat]:
        with self._freed:
            self._freed.wait_for(lambda: self._free[urgent] or self._closed)
            if self._closed:
                raise RecognizerUnavailable("The recognizer is shutting down.")
            seat = self._free[urgent].pop()
        try:
            yield seat
        finally:
            self._stand_up(seat)

    def _stand_up(self, seat: _Seat) -> None:
        with self._freed:
            if self._closed:
                _vacate(seat)
            free = self._free[seat.urgent]
            free.insert(len(free) if seat.child else 0, seat)
            self._freed.notify_all()

    def _child_of(self, seat: _Seat) -> ChildProcess:
        if seat.child and seat.child.photos >= _PHOTOS_PER_CHILD:
            _vacate(seat)
        if not seat.child:
            child = self.server.fork_child(urgent=seat.urgent)
            try:
                child.wait_until_ready()
            except BaseException:
                child.close()
                raise
            seat.child = child
        return seat.child

    def _ask(self, request: DecodeRequest, block: PixelBlock, *, urgent: bool) -> DecodeReply:
        with self._sit(urgent=urgent) as seat:
            for _ in range(_TRIES):
                child, began_s = self._child_of(seat), time.monotonic()
                try:
                    return child.ask(request, block, WALL_TIMES * self._timeout_s)
                except ChildStuck:
                    _vacate(seat)
                    raise
                except ChildDied:
                    _vacate(seat)
                if time.monotonic() - began_s >= self._timeout_s:
                    raise self._too_slow()
        if self._closed:
            raise RecognizerUnavailable("The recognizer is shutting down.")
        raise PhotoUndecodable("The decoder crashed on it.")

    def _view(self, block: PixelBlock, reply: DecodeReply) -> StoredPhoto:
        if reply.reason:
            raise _REFUSALS.get(reply.reason, PhotoUndecodable)(reply.sentence)
        if not 0 < reply.height * reply.width * 3 <= self._layout.pixels_bytes:
            raise PhotoUndecodable("The decoder answered a size that cannot be.")
        pixels = block.view_pixels(reply.height, reply.width)
        exif = Exif(reply.orientation, reply.parse_taken_at())
        return StoredPhoto(pixels, exif, reply.photo_width_px, reply.photo_height_px)

    def _too_slow(self) -> PhotoUndecodable:
        return PhotoUndecodable(f"It took longer than {self._timeout_s:g} s to decode (FACEFLEET_DECODE_TIMEOUT_S).")


def _vacate(seat: _Seat) -> None:
    if seat.child:
        seat.child.close()
    seat.child = None
