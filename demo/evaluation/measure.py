"""A recognizer against drawn photos of people that no model was trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo.brush import RgbImage
from demo.evaluation.detection_measures import (
    DetectionMeasures,
    PhotoResult,
    face_size_px,
    match_faces,
    measure_detection,
)
from demo.evaluation.people_measures import PeopleMeasures, measure_people
from demo.evaluation.recognizer import Recognizer
from demo.photo import LabelledFace, PhotoPlan, draw_photo

PEOPLE = 25
MOST_FACES = 8
#: People are told apart on faces from this size (square root of the box's area, pixels).
PEOPLE_FACE_PX = 24.0
#: Width and height of the photos, in turn: at most 640, so that a detector at 640 sees their pixels as they are.
PHOTO_SIZES = ((640, 480), (640, 640), (480, 640), (400, 640))
FACE_PX = (16.0, 300.0)
#: Seeds of the people and photos that were looked at while developing, and of those that were not.
DEVELOPMENT_SET, TEST_SET = 3, 4


@dataclass(frozen=True)
class Measures:
    """All figures of one evaluation."""

    detection: DetectionMeasures
    #: Faces from `PEOPLE_FACE_PX`, and all that were found.
    people: PeopleMeasures
    all_people: PeopleMeasures


@dataclass(frozen=True)
class Bar:
    """One line of the table."""

    name: str
    value: float
    must: float
    aim: float
    lower_is_better: bool = False

    @property
    def met(self) -> bool:
        """Whether the must is reached."""
        return self.value <= self.must if self.lower_is_better else self.value >= self.must


def measure_recognizer(recognize: Recognizer, *, photos: int = 200, people_set: int = TEST_SET) -> Measures:
    """Run a recognizer over drawn photos and compare what it found with what was drawn."""
    results = [match_faces(truth, recognize(image)) for image, truth in evaluation_photos(photos, people_set)]
    return Measures(measure_detection(results), _people(results, PEOPLE_FACE_PX), _people(results, 0.0))


def evaluation_photos(photos: int, people_set: int) -> Iterator[tuple[RgbImage, list[LabelledFace]]]:
    """The photos of one set, with 0 to 8 of its 25 people each."""
    rng = np.random.default_rng([37, people_set])
    people = people_set * 1_000_000 + np.arange(PEOPLE)
    for index in range(photos):
        cast = [int(one) for one in rng.permutation(people)[: rng.integers(0, MOST_FACES + 1)]]
        width, height = PHOTO_SIZES[index % len(PHOTO_SIZES)]
        yield draw_photo(PhotoPlan(width, height, *FACE_PX), cast, people_set * 1_000_000 + index)


def _people(results: list[PhotoResult], smallest_px: float) -> PeopleMeasures:
    matches = [match for result in results for match in result.matches]
    found = [(one.truth, one.found) for one in matches if one.found and face_size_px(one.truth) >= smallest_px]
    embeddings = np.array([face.embedding for _, face in found], np.float64)
    return measure_people(embeddings, np.array([truth.person_seed for truth, _ in found], np.int64))


def bars(measures: Measures) -> list[Bar]:
    """The figures with what they must and should reach."""
    detection, people = measures.detection, measures.people
    return [
        Bar("recall (IoU 0.5)", detection.recall, 0.995, 0.999),
        Bar("precision (IoU 0.5)", detection.precision, 0.99, 0.999),
        Bar(
            "landmark error / eye distance, faces >= 40 px", detection.landmark_error, 0.06, 0.04, lower_is_better=True
        ),
        Bar("TAR at FAR 1e-3, faces >= 24 px", people.true_accept_rate, 0.97, 0.99),
        Bar("rank-1, faces >= 24 px", people.rank_1, 0.993, 0.998),
        Bar("people, BCubed F1 (average link), faces >= 24 px", people.grouping_f1, 0.96, 0.98),
    ]


def table(measures: Measures) -> str:
    """A Markdown table of the figures."""
    lines = ["| | measured | must | aim |", "|---|---|---|---|"]
    lines += [f"| {bar.name} | {bar.value:.4f} | {bar.must} | {bar.aim} |" for bar in bars(measures)]
    every = measures.all_people
    notes = (
        f"{measures.detection.faces} faces; {measures.people.faces} found from {PEOPLE_FACE_PX:.0f} px, "
        f"similarity at FAR 1e-3: {measures.people.similarity_threshold:.3f}.\n"
        f"Without the limit of {PEOPLE_FACE_PX:.0f} px ({every.faces} faces): TAR {every.true_accept_rate:.4f}, "
        f"rank-1 {every.rank_1:.4f}, BCubed F1 {every.grouping_f1:.4f}."
    )
    return "\n".join([*lines, "", notes])
