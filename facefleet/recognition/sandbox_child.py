"""The other side of the decode sandbox: one process imports the decoders, and forks a child for whoever asks.

Forking instead of starting afresh: a child is there within milliseconds, and the imports are paid once. This process
has one thread, opens no photo and is in a session of its own, so that a terminal's Ctrl-C does not reach it.
"""

import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from importlib import import_module

import numpy as np

from facefleet.errors import PermanentError, PhotoUndecodable
from facefleet.recognition import decoders
from facefleet.recognition.decoders import StoredPhoto
from facefleet.recognition.sandbox_wire import (
    FOR_BULK,
    MESSAGE_BYTES,
    PLANTED_DECODER,
    READY,
    WALL_TIMES,
    BlockLayout,
    ChildOptions,
    DecodeReply,
    DecodeRequest,
    pack_message,
)

#: The worst that a legitimate photo needs beside its block: Pillow keeps three copies of a transparent PNG, 4 bytes a
#: pixel each, while it is laid on white, and one of 3 bytes; a progressive JPEG keeps 6 bytes of coefficients a pixel.
_BYTES_PER_PIXEL = 20
#: The interpreter, its modules, and stacks of decoders that start threads.
_BASE_MEMORY_BYTES = 512 * 1024**2

_LONGEST_SENTENCE = 1000
#: A third of the processor beside somebody who wants it, too; all of it otherwise.
_BULK_NICENESS = 5

_Read = Callable[..., StoredPhoto]


def main() -> None:
    """Serve until the parent closes its end or is gone."""
    options = ChildOptions(**json.loads(sys.argv[1]))
    _end_with_parent()
    read: _Read = import_module(os.environ.get(PLANTED_DECODER, decoders.__name__)).read_stored_photo
    _limit_process(options)
    with socket.socket(fileno=options.control_fd) as control:
        while True:
            purpose, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not descriptors:
                return
            _fork_child(control, descriptors[0], options, read, bulk=purpose == FOR_BULK)


def _end_with_parent() -> None:
    """Let the kernel end this process and its children once the parent's end of standard input is closed.

    A signal needs nobody to look: it ends a decoder in an endless loop too. PR_SET_PDEATHSIG would not do, because it
    tells of the end of the parent's *thread*. The signals that ask a whole group of processes to end are ignored: the
    parent finishes what is in flight.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stdin = sys.stdin.fileno()
    fcntl.fcntl(stdin, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(stdin, fcntl.F_SETFL, fcntl.fcntl(stdin, fcntl.F_GETFL) | os.O_ASYNC)


def _limit_process(options: ChildOptions) -> None:
    """Bound what children inherit: memory, no core dumps, no chatter of decoders on the parent's stderr."""
    memory_bytes = _memory_bytes(options)
    _lower_limit(resource.RLIMIT_DATA, memory_bytes)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: the kernel buries them
    warnings.simplefilter("ignore")
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())


def _lower_limit(which: int, value: int) -> None:
    """Set a soft limit, within the hard one that this process was born with."""
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _memory_bytes(options: ChildOptions) -> int:
    return _BASE_MEMORY_BYTES + _BYTES_PER_PIXEL * options.max_pixels


def _fork_child(control: socket.socket, descriptor: int, options: ChildOptions, read: _Read, *, bulk: bool) -> None:
    """Start one child on a socket; when that fails, the parent sees the socket closed before READY."""
    try:
        is_child = os.fork() == 0
    except OSError:
        is_child = False
    if not is_child:
        os.close(descriptor)
        return
    try:
        control.close()
        if bulk:
            os.nice(_BULK_NICENESS)
        _serve(socket.socket(fileno=descriptor), options, read)
    finally:
        os._exit(0)


def _serve(connection: socket.socket, options: ChildOptions, read: _Read) -> None:
    """Answer requests until the parent closes the socket; the blocks that were sent stay mapped."""
    layout = BlockLayout.for_limits(options.limits)
    blocks: dict[int, mmap.mmap] = {}
    connection.send(READY)
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 1)
        if not message:
            return
        request = DecodeRequest(**json.loads(message))
        for descriptor in descriptors:
            blocks[request.block] = mmap.mmap(descriptor, layout.total_bytes)
            os.close(descriptor)
        reply = _decode(request, blocks[request.block], options, read)
        connection.send(pack_message(reply))


def _decode(request: DecodeRequest, block: mmap.mmap, options: ChildOptions, read: _Read) -> DecodeReply:
    layout = BlockLayout.for_limits(options.limits)
    photo_bytes = block[layout.pixels_bytes : layout.pixels_bytes + request.size_bytes]
    room = np.frombuffer(block, np.uint8, layout.pixels_bytes)
    _set_alarms(options.timeout_s, WALL_TIMES * options.timeout_s)
    try:
        stored = read(photo_bytes, options.limits, min_side_px=request.min_side_px, room=room)
    except MemoryError:
        sentence = f"Decoding it takes more than {_memory_bytes(options) / 1e9:.1f} GB of memory."
        return DecodeReply(reason=PhotoUndecodable.reason, sentence=sentence)
    except PermanentError as error:
        return DecodeReply(reason=error.reason, sentence=str(error))
    except Exception as error:  # noqa: BLE001  whatever a decoder raises, this photo made it do so
        sentence = f"The decoder failed on it: {type(error).__name__}: {error}"
        return DecodeReply(reason=PhotoUndecodable.reason, sentence=sentence[:_LONGEST_SENTENCE])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return _hand_over(stored, room)


def _set_alarms(cpu_s: float, wall_s: float) -> None:
    """Have the kernel end this process when a photo takes too long; no decoder can hold these signals up."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, wall_s)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    # Should a decoder have a handler for the first signal: of this one the kernel kills.
    _lower_limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime + cpu_s) + 2)


def _hand_over(stored: StoredPhoto, room: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> DecodeReply:
    """Leave the pixels at the beginning of the block, where a JPEG already has them."""
    pixels = stored.pixels
    if not np.may_share_memory(pixels, room):
        np.copyto(room[: pixels.size].reshape(pixels.shape), pixels)
    height, width = pixels.shape[:2]
    exif, taken_at = stored.exif, stored.exif.taken_at
    return DecodeReply(
        height,
        width,
        exif.orientation,
        stored.width_px,
        stored.height_px,
        taken_at=taken_at.isoformat() if taken_at else "",
    )
