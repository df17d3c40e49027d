"""What no file at hand does to a decoder, planted: a photo that ends with a poison makes the decoder misbehave.

A poison stands after the end of a JPEG, where it changes no pixel. Children of the sandbox decode with this module when
FACEFLEET_TEST_DECODER names it.
"""

import ctypes
import os
import re
import signal
import time
from itertools import count

import numpy as np

from facefleet.recognition import decoders
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoders import StoredPhoto

_calls = count(1)


def _segfault() -> None:
    ctypes.string_at(0)


def _loop_with_the_gil() -> None:
    re.match(r"(a+)+$", "a" * 60 + "b")


def _allocate_4_gb() -> None:
    np.ones(4 * 1024**3, np.uint8)


def _ignore_that_memory_is_out() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
    libc.memset(libc.malloc(4 * 1024**3), 1, 4 * 1024**3)


def _raise() -> None:
    raise RuntimeError("a defect of the decoder")


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


POISONS = {
    b"poison: segfault": _segfault,
    b"poison: abort": os.abort,
    b"poison: exit": lambda: os._exit(0),
    b"poison: loop": _loop_with_the_gil,
    b"poison: sleep": lambda: time.sleep(3600),
    b"poison: allocation": _allocate_4_gb,
    b"poison: malloc": _ignore_that_memory_is_out,
    b"poison: defect": _raise,
    b"poison: stop": _stop,
}
#: Waits for two seconds without the processor, as on a machine where many want it, and decodes.
WAITS = b"waits"
#: Kills only a child that has decoded before.
KILLS_USED_CHILD = b"poison: used child"


def read_stored_photo(photo_bytes: bytes, limits: DecodeLimits, **options: object) -> StoredPhoto:
    calls = next(_calls)
    for poison, act in POISONS.items():
        if photo_bytes.endswith(poison):
            act()
    if photo_bytes.endswith(WAITS):
        time.sleep(2)
    if photo_bytes.endswith(KILLS_USED_CHILD) and calls > 1:
        os.abort()
    return decoders.read_stored_photo(photo_bytes, limits, **options)
