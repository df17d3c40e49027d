"""What the decode sandbox and its children say to each other: JSON of a few numbers; bytes and pixels lie in blocks."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from facefleet.recognition.decode_limits import DecodeLimits

#: What a child says first: from now on whatever ends it is the photo's doing.
READY = b"ready"
#: What the process that forks is told of a new child.
FOR_SEARCHES, FOR_BULK = b"s", b"b"
MESSAGE_BYTES = 65_536
#: A photo may take so many times longer on the clock than of the processor's time: where many want that, a decoder that
#: waits for it is not to blame.
WALL_TIMES = 4
#: Environment variable, read by children only: a module with another `read_stored_photo`, through which tests plant
#: what no file at hand does to a decoder.
PLANTED_DECODER = "FACEFLEET_TEST_DECODER"
_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """The command line of the process that children are forked from."""

    control_fd: int
    max_bytes: int
    max_pixels: int
    timeout_s: float

    @property
    def limits(self) -> DecodeLimits:
        """What a photo may cost."""
        return DecodeLimits(self.max_bytes, self.max_pixels)


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """One photo, whose bytes lie in a block. A block's file travels with the first request that names it."""

    block: int
    size_bytes: int
    min_side_px: int | None


@dataclass(frozen=True, slots=True)
class DecodeReply:
    """Where the pixels lie is known; this is their shape. Or why there are none."""

    height: int = 0
    width: int = 0
    orientation: int = 1
    photo_width_px: int = 0
    photo_height_px: int = 0
    #: ISO 8601, by the camera's own clock; empty: not known.
    taken_at: str = ""
    #: `reason` and sentence of a PermanentError; empty: it went well.
    reason: str = ""
    sentence: str = ""

    def parse_taken_at(self) -> datetime | None:
        """Read when the photo was taken.

        Raises:
            ValueError: that is no moment.
        """
        return datetime.fromisoformat(self.taken_at).replace(tzinfo=None) if self.taken_at else None


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """How a block is divided: pixels first, then the photo's bytes. Sparse: only what is touched takes memory."""

    pixels_bytes: int
    photo_bytes: int

    @classmethod
    def for_limits(cls, limits: DecodeLimits) -> "BlockLayout":
        """Make room for the largest photo."""
        return cls(limits.max_pixels * _CHANNELS, limits.max_bytes)

    @property
    def total_bytes(self) -> int:
        """Length of the whole block."""
        return self.pixels_bytes + self.photo_bytes


def pack_message(message: ChildOptions | DecodeRequest | DecodeReply) -> bytes:
    """Render a message as JSON."""
    return json.dumps(asdict(message)).encode()


def unpack_reply(message: bytes) -> DecodeReply:
    """Read a child's answer and believe nothing of it.

    Raises:
        ValueError: not an answer; empty when the child is gone.
    """
    try:
        reply = DecodeReply(**json.loads(message))
        reply.parse_taken_at()
    except (TypeError, ValueError) as error:
        raise ValueError("not an answer") from error
    numbers = (reply.height, reply.width, reply.orientation, reply.photo_width_px, reply.photo_height_px)
    is_photo = all(isinstance(number, int) and number > 0 for number in numbers)
    if not (isinstance(reply.reason, str) and isinstance(reply.sentence, str) and (reply.reason or is_photo)):
        raise ValueError("not an answer: neither the size of a photo nor a reason")
    return reply
