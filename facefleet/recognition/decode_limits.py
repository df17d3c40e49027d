"""What a photo may cost. Of its own, so that decoding processes are started before NumPy is loaded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Both are checked on the header."""

    max_bytes: int
    max_pixels: int
