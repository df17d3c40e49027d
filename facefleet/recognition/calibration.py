"""What a cosine of one model pack means, measured on faces of people who are known, and where that is kept."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from facefleet.errors import ConfigurationError, InvalidRequest
from facefleet.face_records import Template
from facefleet.recognition.model_pack import ModelPack
from facefleet.recognition.similarity import FAR_OF_PERCENT, SimilarityCurve, curve_through, usual_curve

FILE_NAME = "calibration.json"
#: Cosines are counted in so many steps from -1 to 1.
_BINS = 20_000
#: So many pairs of strangers have to look that much alike before a share is measured and not extrapolated.
_LEAST_PAIRS = 10
#: Beyond what was measured, the cosine goes on as a straight line over the logarithm of the share, fitted from this
#: many times the rarest measured share on; but not from where strangers are common.
_TAIL_SPAN, _COMMON_FAR = 30.0, 0.2
#: With fewer pairs of strangers there is no tail.
_LEAST_STRANGER_PAIRS = 300
_LEAST_STEP = 1e-4
#: An extrapolated step takes at most this share of the room that is left before 1.
_MOST_OF_ROOM = 0.6
#: Different shares that a line needs.
_LEAST_TAIL = 3
_NOTHING_TO_FIT = "strangers look like one person to this pack, or the folders mix people: there is nothing to fit"


class Calibration(BaseModel):
    """`calibration.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_version: str
    #: Percentage -> cosine.
    cosines: dict[float, float]
    people: int
    faces: int
    #: Pairs of faces of two people, and of one.
    stranger_pairs: int
    same_pairs: int
    #: Rarer false matches than this were not seen often enough, and are extrapolated.
    measured_to_far: float
    #: Share of the pairs of one person at 80 or more, and at 99 or more.
    found_at_80: float
    found_at_99: float

    @property
    def note(self) -> str:
        """How far it can be believed."""
        return (
            f"80 is cosine {self.cosines[80.0]:.3f}, 99 is {self.cosines[99.0]:.3f}; {self.people} people, "
            f"{self.faces:,} faces; extrapolated below FAR {self.measured_to_far:.2g}"
        )

    @property
    def curve(self) -> SimilarityCurve:
        """The curve through what was measured."""
        return curve_through(self.cosines, self.note)


@dataclass(frozen=True)
class _Counts:
    """How many pairs have a cosine in each bin."""

    strangers: NDArray[np.int64]
    same: NDArray[np.int64]


def calibrate(model_version: str, people: Sequence[Sequence[Template]]) -> Calibration:
    """Measure how alike strangers look.

    Args:
        model_version: of the pack that made the templates.
        people: one or more templates of each person.

    Raises:
        InvalidRequest: too few people or faces to say anything, or strangers who look like one person.
    """
    counts = _count_pairs([np.stack(each) for each in people if each])
    stranger_pairs, same_pairs = int(counts.strangers.sum()), int(counts.same.sum())
    if stranger_pairs < _LEAST_STRANGER_PAIRS or not same_pairs:
        raise InvalidRequest(
            f"{stranger_pairs:,} pairs of faces of two people and {same_pairs:,} of one are too few to calibrate with: "
            "ten people with ten photos each are a beginning, a hundred are better"
        )
    measured_to = max(_LEAST_PAIRS / stranger_pairs, FAR_OF_PERCENT[-1][1])
    cosines = _find_cosines(counts.strangers, measured_to)
    return Calibration(
        model_version=model_version,
        cosines=cosines,
        people=sum(1 for each in people if each),
        faces=sum(len(each) for each in people),
        stranger_pairs=stranger_pairs,
        same_pairs=same_pairs,
        measured_to_far=measured_to,
        found_at_80=_share_from(counts.same, cosines[80.0]),
        found_at_99=_share_from(counts.same, cosines[99.0]),
    )


def load_curve(pack: ModelPack, data_dir: Path) -> SimilarityCurve:
    """Find the curve of a pack: this machine's own, the pack's, or a guess where there is neither.

    Raises:
        ConfigurationError: a file is there but cannot be used.
    """
    found = find_calibration(pack, data_dir)
    return found.curve if found else usual_curve(pack.similarity_threshold)


def find_calibration(pack: ModelPack, data_dir: Path) -> Calibration | None:
    """Read what was measured with these very model files; None where nothing was.

    Raises:
        ConfigurationError: a file is there but cannot be used.
    """
    for path in (_own_file(pack, data_dir), pack.directory / FILE_NAME):
        if not path.is_file():
            continue
        try:
            calibration = Calibration.model_validate_json(path.read_bytes())
            calibration.curve  # noqa: B018  one that falls is of no use
        except (ValidationError, ValueError, KeyError, OSError) as error:
            raise ConfigurationError(
                f"{path} cannot be used; delete it and run `facefleet calibrate` again: {error}"
            ) from error
        if calibration.model_version == pack.model_version:
            return calibration
    return None


def save_calibration(calibration: Calibration, pack: ModelPack, data_dir: Path) -> Path:
    """Keep a calibration beside the model files or, where these cannot be written, in the data directory.

    Returns:
        Where it is.

    Raises:
        ConfigurationError: neither place can be written.
    """
    own = _own_file(pack, data_dir)
    path = pack.directory / FILE_NAME
    if own.is_file() or not os.access(pack.directory, os.W_OK):
        path = own
    unfinished = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise ConfigurationError(f"the calibration cannot be written to {path}: {error.strerror}") from error
    return path


def _own_file(pack: ModelPack, data_dir: Path) -> Path:
    return data_dir / "calibrations" / f"{pack.model_version}.json"


def _count_pairs(people: Sequence[NDArray[np.float32]]) -> _Counts:
    """Compare every face with every later one, one person against all others at a time."""
    strangers, same = np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64)
    for number, mine in enumerate(people):
        own = (mine @ mine.T)[np.triu_indices(len(mine), 1)]
        same += _histogram(own)
        for others in people[number + 1 :]:
            strangers += _histogram((mine @ others.T).ravel())
    return _Counts(strangers, same)


def _histogram(cosines: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.histogram(np.clip(cosines, -1.0, 1.0), _BINS, (-1.0, 1.0))[0]


def _share_from(counts: NDArray[np.int64], cosine: float) -> float:
    first = math.ceil((cosine + 1.0) * _BINS / 2)
    return float(counts[first:].sum() / counts.sum())


def _find_cosines(strangers: NDArray[np.int64], measured_to_far: float) -> dict[float, float]:
    """Find the cosine that the promised share of strangers reaches, for each percentage."""
    edges = np.linspace(-1.0, 1.0, _BINS + 1)[:-1]
    shares = strangers[::-1].cumsum()[::-1] / strangers.sum()
    tail = (shares <= min(_COMMON_FAR, _TAIL_SPAN * measured_to_far)) & (shares >= measured_to_far)
    if len(np.unique(shares[tail])) < _LEAST_TAIL:
        raise InvalidRequest(_NOTHING_TO_FIT)
    slope, offset = np.polyfit(np.log10(shares[tail]), edges[tail], 1)
    found: dict[float, float] = {}
    last = -1.0
    for percent, far in FAR_OF_PERCENT:
        if far >= measured_to_far:
            cosine = float(edges[np.flatnonzero(shares >= far)[-1]])
        else:
            cosine = min(float(slope * math.log10(far) + offset), last + _MOST_OF_ROOM * (1.0 - last))
        last = max(cosine, last + _LEAST_STEP)
        found[percent] = last
    if last >= 1.0:
        raise InvalidRequest(_NOTHING_TO_FIT)
    return found
