"""Blocks of shared memory: no one cuts them short, bursts leave no memory behind, and nothing in doubt comes back."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from facefleet.errors import Overloaded
from facefleet.recognition import sandbox_blocks
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.sandbox_blocks import BlockPool, PixelBlock
from facefleet.recognition.sandbox_wire import BlockLayout, DecodeReply, pack_message, unpack_reply

LAYOUT = BlockLayout.for_limits(DecodeLimits(max_bytes=100_000, max_pixels=1_000_000))


@pytest.fixture
def pool() -> Iterator[BlockPool]:
    with closing(BlockPool(LAYOUT, kept_blocks=1)) as opened:
        yield opened


def held_bytes(block: PixelBlock) -> int:
    return os.fstat(block.descriptor).st_blocks * 512


def count_memfds() -> int:
    links = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum("facefleet-pixels" in link for link in links)


def fill(block: PixelBlock) -> None:
    block.view_pixels(500, 1000)[:] = 7


def test_a_block_takes_memory_only_where_it_is_touched(pool: BlockPool) -> None:
    block = pool.take()
    assert held_bytes(block) == 0
    block.write_photo(b"photo")
    assert held_bytes(block) == os.sysconf("SC_PAGE_SIZE")
    pool.give_back(block, 5)


def test_a_block_can_be_neither_cut_nor_grown(pool: BlockPool) -> None:
    block = pool.take()
    for size_bytes in (0, LAYOUT.total_bytes * 2):
        with pytest.raises(PermissionError):
            os.ftruncate(block.descriptor, size_bytes)
    pool.give_back(block, 0)


def test_a_block_is_used_again_with_its_memory(pool: BlockPool) -> None:
    block = pool.take()
    fill(block)
    pool.give_back(block, 1_500_000)
    assert pool.take() is block
    assert held_bytes(block) >= 1_500_000
    pool.give_back(block, 1_500_000)


def test_what_a_burst_or_a_huge_photo_took_goes_back(pool: BlockPool, monkeypatch: pytest.MonkeyPatch) -> None:
    burst = [pool.take() for _ in range(4)]
    for block in burst:
        fill(block)
        pool.give_back(block, 1_500_000)
    assert sum(map(held_bytes, burst)) < 2_000_000
    monkeypatch.setattr(sandbox_blocks, "_KEPT_BYTES", 1_000_000)
    huge = pool.take()
    fill(huge)
    pool.give_back(huge, 1_500_000)
    assert sum(map(held_bytes, burst)) == 0
    assert {pool.take() for _ in burst} == set(burst)


def test_a_block_in_doubt_never_comes_back(pool: BlockPool) -> None:
    block = pool.take()
    block.in_doubt = True
    pool.give_back(block, 0)
    assert pool.take() is not block


@pytest.mark.parametrize(
    "lie",
    [
        b"", b"{", b"[]", b"null", b"1", b'{"unknown": 1}', b'{"height": 0, "width": 1}', b'{"height": "1"}',
        b'{"reason": 5}', b'{"reason": ["photo_undecodable"]}', b"\xff\xfe", b'{"height": 1e400, "width": 1}',
    ],
)  # fmt: skip
def test_no_answer_of_a_child_is_believed(lie: bytes) -> None:
    with pytest.raises(ValueError, match="not an answer"):
        unpack_reply(lie)


def test_answers_arrive_as_they_were_sent() -> None:
    for reply in (DecodeReply(3, 4, 6, 8, 6), DecodeReply(reason="photo_undecodable", sentence="It is no photo.")):
        assert unpack_reply(pack_message(reply)) == reply
        assert json.loads(pack_message(reply))["height"] == reply.height


def test_pixels_are_seen_where_they_lie(pool: BlockPool) -> None:
    block = pool.take()
    first = block.view_pixels(2, 3)
    first[:] = np.arange(18).reshape(2, 3, 3)
    assert np.shares_memory(first, block.view_pixels(1, 1))
    pool.give_back(block, 0)


def test_a_machine_without_room_for_a_block_is_no_fault_of_a_photo(
    pool: BlockPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    before = count_memfds()
    monkeypatch.setattr(sandbox_blocks.mmap, "mmap", refuse)
    with pytest.raises(Overloaded, match="Cannot allocate memory"):
        pool.take()
    assert count_memfds() == before
