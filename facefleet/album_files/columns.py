"""What is in an album file: one manifest and five tables. docs/album-files.md says it to people; a test compares."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

#: A reader refuses files of a later one.
FORMAT_VERSION: Final = 1
FORMAT_NAME: Final = "facefleet-album"
MANIFEST: Final = "manifest.json"
#: Ten float32: x and y of five points.
LANDMARK_BYTES: Final = 40
TEMPLATE: Final = "template"


class Kind(Enum):
    """What a column holds. No lists and nothing nested: what a row takes in memory is known from its column."""

    UUID = "UUID as text"
    TEXT = "text"
    INTEGER = "int64"
    NUMBER = "float64"
    TRUTH = "boolean"
    LANDMARKS = "10 float32, little-endian"
    TEMPLATE = "float32, little-endian, as many as `dimensions` of the manifest says"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and whether a row may leave it empty."""

    kind: Kind
    nullable: bool = False


_BOX: Final = {side: Column(Kind.NUMBER) for side in "xywh"}
QUALITY: Final = ("overall", "size_px", "sharpness", "brightness", "yaw_deg", "pitch_deg", "roll_deg")

#: Tables by name, in the order in which they are written and read. The first three are sorted by `photo`.
TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "photos": {
        "photo": Column(Kind.UUID),
        "name": Column(Kind.TEXT),
        #: Where it lies, or `uploads:` and its place in the album's uploads.
        "uri": Column(Kind.TEXT),
        "version": Column(Kind.TEXT),
        "size_bytes": Column(Kind.INTEGER),
        "width_px": Column(Kind.INTEGER),
        "height_px": Column(Kind.INTEGER),
        #: ISO 8601, by the camera's own clock, without a time zone.
        "taken_at": Column(Kind.TEXT, nullable=True),
        #: Numbers of faces that were deleted, separated by spaces: indexing again must not bring them back.
        "dropped": Column(Kind.TEXT, nullable=True),
    },
    "faces": {
        "photo": Column(Kind.UUID),
        "number": Column(Kind.INTEGER),
        **_BOX,
        "landmarks": Column(Kind.LANDMARKS),
        "detection_score": Column(Kind.NUMBER),
        **{field: Column(Kind.NUMBER) for field in QUALITY},
        TEMPLATE: Column(Kind.TEMPLATE),
    },
    #: Where somebody's face is: what decisions hold on to.
    "spots": {
        "photo": Column(Kind.UUID),
        "spot": Column(Kind.UUID),
        **_BOX,
        "person": Column(Kind.UUID, nullable=True),
        "is_decided": Column(Kind.TRUTH),
    },
    "not_people": {"spot": Column(Kind.UUID), "person": Column(Kind.UUID)},
    "people": {
        "person": Column(Kind.UUID),
        "name": Column(Kind.TEXT, nullable=True),
        "hidden": Column(Kind.TRUTH),
        "merged_into": Column(Kind.UUID, nullable=True),
        "cover_spot": Column(Kind.UUID, nullable=True),
        #: Whether a human had a hand in it.
        "is_held": Column(Kind.TRUTH),
    },
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file says about itself."""

    album: str
    model_version: str
    #: Length of its templates.
    dimensions: int
    #: ISO 8601, UTC.
    exported_at: str
    #: Rows by table.
    rows: Mapping[str, int]
