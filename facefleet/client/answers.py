"""What a server answers, as typed tuples: they load in a millisecond. Ids and moments are texts, as in the API.

What a newer server says beyond them is left out. `docs/api.md` and `docs/openapi.json` say what each value means.
"""

from typing import Any, NamedTuple, TypeAlias, TypeVar

from facefleet.errors import FacefleetError

#: x, y, width, height.
Rectangle: TypeAlias = list[float]

_Answer = TypeVar("_Answer", bound=tuple[Any, ...])


class Album(NamedTuple):
    """An album with its counts."""

    id: str
    name: str
    created_at: str
    photos: int
    indexed: int
    dead: int
    faces: int
    forget_after_days: int | None = None


class Photo(NamedTuple):
    """A photo and what became of it."""

    photo_id: str
    photo: str
    state: str
    reason: str | None
    detail: str | None
    faces: int | None
    width: int | None = None
    height: int | None = None
    size_bytes: int = 0
    taken_at: str | None = None


class Quality(NamedTuple):
    """How usable a face is."""

    overall: float
    size_px: float
    sharpness: float
    brightness: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


class Face(NamedTuple):
    """A face of an indexed photo."""

    photo: str
    photo_id: str
    face_id: str
    box: Rectangle
    box_fraction: Rectangle
    landmarks: list[list[float]]
    detection_score: float
    quality: Quality


class ProbeFace(NamedTuple):
    """A face of an image that was searched with."""

    box: Rectangle
    box_fraction: Rectangle
    landmarks: list[list[float]]
    detection_score: float
    quality: Quality


class Candidate(NamedTuple):
    """A face that looks like the one that was searched with."""

    photo: str
    photo_id: str
    face_id: str
    #: Cosine, -1 to 1.
    similarity: float
    #: 0-100, calibrated.
    similarity_percent: float
    box: Rectangle
    box_fraction: Rectangle
    width: int
    height: int
    #: With `links=True`: signed, and only for a while.
    link: str | None = None
    thumbnail: str | None = None
    crop: str | None = None


class Found(NamedTuple):
    """A face of the image with its own candidates, best first."""

    probe_face: ProbeFace
    candidates: list[Candidate]


class SearchAnswer(NamedTuple):
    """What a search found."""

    width: int
    height: int
    faces: list[Found]
    #: Why nothing was found, when it is not that nobody looks like that.
    notice: str | None


class Detected(NamedTuple):
    """The faces of an image."""

    width: int
    height: int
    faces: list[ProbeFace]


class Job(NamedTuple):
    """How far an indexing run is."""

    job_id: str
    album: str
    source: str
    #: `listing`, `running`, `done` or `failed`.
    state: str
    detail: str | None
    photos: int
    indexed: int
    dead: int
    waiting: int
    faces: int
    seconds: float
    photos_per_second: float
    seconds_left: float | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in {"done", "failed"}


class Rebuilt(NamedTuple):
    """What a comparison of gallery and ledger led to."""

    indexed_again: int
    photos_removed: int


def read_answer(kind: type[_Answer], answer: dict[str, Any]) -> _Answer:
    """Take what a kind of answer has out of a JSON object; what has a default may be missing.

    Raises:
        FacefleetError: something else is missing.
    """
    names, defaults = _fields_of(kind)
    missing = [name for name in names if name not in answer and name not in defaults]
    if missing:
        raise FacefleetError(f"the server's answer has no {', '.join(missing)}; is it older than this client?")
    return kind(**{name: answer[name] if name in answer else defaults[name] for name in names})


def _fields_of(kind: Any) -> tuple[tuple[str, ...], dict[str, Any]]:  # noqa: ANN401  mypy knows no bound for NamedTuples
    return kind._fields, kind._field_defaults


def read_face(answer: dict[str, Any]) -> Face:
    """Read a face of an album."""
    return read_answer(Face, answer)._replace(quality=read_answer(Quality, answer["quality"]))


def read_probe_face(answer: dict[str, Any]) -> ProbeFace:
    """Read a face of an image."""
    return read_answer(ProbeFace, answer)._replace(quality=read_answer(Quality, answer["quality"]))


def read_search(answer: dict[str, Any]) -> SearchAnswer:
    """Read what a search found."""
    faces = [
        Found(read_probe_face(each["probe_face"]), [read_answer(Candidate, one) for one in each["candidates"]])
        for each in answer["faces"]
    ]
    return read_answer(SearchAnswer, answer)._replace(faces=faces)
