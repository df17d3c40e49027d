import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facefleet.people import neighbours
from facefleet.people.neighbours import find_nearest, find_neighbours
from tests.unit.people.faces import draw_album


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(neighbours, "_LEAST_GATHERED", 40)


@pytest.mark.parametrize(("count", "min_cosine"), [(1, -1.0), (3, 0.2), (5, -1.0), (100, 0.5), (4, 0.99)])
@pytest.mark.parametrize("faces", [0, 1, 2, 50])
def test_neighbours_are_the_nearest_of_either(faces: int, count: int, min_cosine: float) -> None:
    templates = draw_album(seed=3, count=faces).faces.templates
    cosines = templates @ templates.T
    np.fill_diagonal(cosines, -2)
    expected = set()
    for row in range(faces):
        best = np.argsort(-cosines[row])[:count]
        expected |= {(min(row, other), max(row, other)) for other in best if cosines[row, other] >= min_cosine}
    found = find_neighbours(templates, count, min_cosine)
    assert {tuple(pair) for pair in found.pairs.tolist()} == expected
    assert len(found) == len(expected)
    assert np.allclose(found.cosines, cosines[found.rows, found.others], atol=1e-6)


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 5), st.floats(-1, 1))
def test_nearest_come_in_order(asked: int, known: int, count: int, min_cosine: float) -> None:
    one, other = (draw_album(seed=n, count=n).faces.templates for n in (asked, known))
    found = find_nearest(one, other, count, min_cosine)
    cosines = one @ other.T
    for row in range(asked):
        mine = found.cosines[found.rows == row]
        expected = np.sort(cosines[row][cosines[row] >= np.float32(min_cosine)])[::-1][:count]
        assert np.allclose(mine, expected, atol=1e-6)
