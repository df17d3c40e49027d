"""Photo bytes to upright RGB pixels, in this process; `sandbox` does the same in others."""

from dataclasses import dataclass
from datetime import datetime

from facefleet.face_records import RgbImage
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoders import StoredPhoto, read_stored_photo
from facefleet.recognition.orientation import TURNS, Turn

#: Up to 6 times the detector's input, what reduced pixels save (a sixth of a photo of 12 megapixels) is not worth
#: templates that differ from those of the full photo, and photos with small faces would be decoded twice.
_KEPT_SIDE_PX = 4000
#: A face whose shorter side is this fills the 112 pixels of the embedder's input, which shows more than its box (99% of
#: 172 faces of an album, all of 39 of real photos).
_FILLING_FACE_PX = 90
#: Where only large faces are kept, this is still enough for the detector.
_LEAST_KEPT_SIDE_PX = 1000


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """An upright photo, possibly at a half, a quarter or an eighth of its size."""

    #: A view of the stored pixels, turned.
    image: RgbImage
    #: Size of the upright photo in full.
    width_px: int
    height_px: int
    #: When it was taken, by the camera's own clock; None: not known.
    taken_at: datetime | None = None

    @property
    def scale(self) -> float:
        """Pixels of `image` for one pixel of the photo: 1, or about 1/2, 1/4, 1/8."""
        return float(max(self.image.shape[:2]) / max(self.width_px, self.height_px))


def decode_photo(photo_bytes: bytes, limits: DecodeLimits, *, min_side_px: int | None = None) -> DecodedPhoto:
    """Decode a photo upright.

    Args:
        photo_bytes: a JPEG, PNG, WebP, AVIF, HEIC, GIF or BMP file; of an animation, the first frame is taken.
        limits: checked before any pixel is decoded.
        min_side_px: a JPEG may be reduced as long as its longer side keeps this many pixels; None: never.

    Raises:
        PhotoTooLarge: more bytes or pixels than the limits allow.
        PhotoUndecodable: not a photo, a format that is not read, or damaged.
    """
    return turn_upright(read_stored_photo(photo_bytes, limits, min_side_px=min_side_px))


def kept_side_px(min_face_px: float) -> int:
    """Choose the longer side that a JPEG keeps when it is decoded for recognition.

    Args:
        min_face_px: shorter side of the smallest face that is kept. From 180 on, 12 megapixels at half their size still
            have all pixels that the embedder looks at, and from 360 on at a quarter.
    """
    spare = max(min_face_px / _FILLING_FACE_PX, 1.0)
    return max(int(_KEPT_SIDE_PX / spare), _LEAST_KEPT_SIDE_PX)


def turn_upright(stored: StoredPhoto) -> DecodedPhoto:
    """Apply the EXIF orientation; the pixels stay where they are."""
    turn, width_px, height_px = TURNS.get(stored.exif.orientation, Turn()), stored.width_px, stored.height_px
    if turn.transposed:
        width_px, height_px = height_px, width_px
    return DecodedPhoto(turn.apply(stored.pixels), width_px, height_px, stored.exif.taken_at)
