"""A smaller `make demo-pack-eval`: the bundled pack on people it never saw, through InsightFace and through Facefleet.

The people are a development set: the test set is for `make demo-pack-eval` alone.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from demo.evaluation.measure import DEVELOPMENT_SETS, DrawnPhoto, Measures, evaluation_photos, measure_recognizer
from demo.evaluation.recognizer import Recognizer, facefleet_recognizer, insightface_recognizer
from demo.pack_facts import read_pack_facts

#: InsightFace's use of scikit-image.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(scope="module")
def photos() -> list[DrawnPhoto]:
    return list(evaluation_photos(40, DEVELOPMENT_SETS[0]))


def open_recognizer(name: str, pack: Path) -> AbstractContextManager[Recognizer]:
    if name == "facefleet":
        return facefleet_recognizer(pack)
    return nullcontext(insightface_recognizer(pack, read_pack_facts(pack).detection_threshold))


@pytest.fixture(scope="module", params=["insightface", "facefleet"])
def measures(request: pytest.FixtureRequest, demo_pack: Path, photos: list[DrawnPhoto]) -> Iterator[Measures]:
    with open_recognizer(request.param, demo_pack) as recognize:
        yield measure_recognizer(recognize, photos)


def test_faces_are_found(measures: Measures) -> None:
    found = measures.detection
    # The bars of 200 photos, less two faces of the 140 that are here.
    assert found.faces == 140
    assert found.recall >= 0.98
    assert found.precision >= 0.975
    assert found.landmark_error <= 0.06


def test_people_are_told_apart(measures: Measures) -> None:
    # The bars of 200 photos, less one odd face: up to 8 of the 360 pairs of one person, and its neighbour's rank.
    assert measures.larger_people.true_accept_rate >= 0.95
    assert measures.people.rank_1 >= 0.98
    # Most people have three to five faces here, and fewer than five make no group.
    assert measures.people.grouping_f1 >= 0.85
