"""Blocks of memory that the decode sandbox shares with its children: a photo's bytes go in, its pixels come back."""

import fcntl
import mmap
import os
import threading
from itertools import count

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import Overloaded
from facefleet.recognition.sandbox_wire import BlockLayout

#: Nothing and nobody can cut a block short under its readers, which would end them.
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
#: A free block keeps the memory of up to 26 megapixels for the next photo; touching fresh pages costs a tenth of
#: decoding.
_KEPT_BYTES = 80 * 1024**2


class PixelBlock:
    """One block. Anonymous (memfd): it has no name to be left behind and no share in the limits of /dev/shm."""

    def __init__(self, number: int, layout: BlockLayout) -> None:
        self.number = number
        self._layout = layout
        self.descriptor = os.memfd_create("facefleet-pixels", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.descriptor, layout.total_bytes)
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
            self._memory = mmap.mmap(self.descriptor, layout.total_bytes)
        except OSError:
            os.close(self.descriptor)
            raise
        #: A child that was given up may still write to it.
        self.in_doubt = False

    def write_photo(self, photo_bytes: bytes) -> None:
        """Put a photo's bytes where a child reads them."""
        start = self._layout.pixels_bytes
        self._memory[start : start + len(photo_bytes)] = photo_bytes

    def view_pixels(self, height: int, width: int) -> NDArray[np.uint8]:
        """Look at decoded pixels where they lie, (height, width, 3) uint8; they last until the block is reused."""
        return np.frombuffer(self._memory, np.uint8, height * width * 3).reshape(height, width, 3)

    def give_memory_back(self) -> None:
        """Return the pages to the kernel; the block stays usable and every child's mapping of it valid."""
        self._memory.madvise(mmap.MADV_REMOVE)

    def close(self) -> None:
        """Close the file. The memory goes with the last array that looks at it."""
        os.close(self.descriptor)


class BlockPool:
    """As many blocks as photos are looked at at once; free ones are used again. Its lock owns the lists."""

    def __init__(self, layout: BlockLayout, kept_blocks: int) -> None:
        """Begin empty.

        Args:
            layout: of every block.
            kept_blocks: free blocks that keep their memory; the others, left by a burst, only their place.
        """
        self._layout = layout
        self._kept_blocks = kept_blocks
        self._lock = threading.Lock()
        self._numbers = count()
        self._warm: list[PixelBlock] = []
        self._empty: list[PixelBlock] = []
        self._closed = False

    def take(self) -> PixelBlock:
        """Hand out the block that was used last, or a new one.

        Raises:
            Overloaded: the machine has no memory or no descriptor for another one, for which no photo is to blame.
        """
        with self._lock:
            free = self._warm or self._empty
            if free:
                return free.pop()
            try:
                return PixelBlock(next(self._numbers), self._layout)
            except OSError as error:
                raise Overloaded(f"No memory to decode photos in can be had: {error}") from error

    def give_back(self, block: PixelBlock, used_bytes: int) -> None:
        """Take a block back for others.

        Args:
            block: nobody looks at it any more.
            used_bytes: about how much memory it holds.
        """
        with self._lock:
            if self._closed or block.in_doubt:
                block.give_memory_back()
                block.close()
            elif used_bytes <= _KEPT_BYTES and len(self._warm) < self._kept_blocks:
                self._warm.append(block)
            else:
                block.give_memory_back()
                self._empty.append(block)

    def close(self) -> None:
        """Free everything; blocks that are out are freed when they come back."""
        with self._lock:
            self._closed = True
            for block in self._warm + self._empty:
                block.close()
            self._warm, self._empty = [], []
