from itertools import pairwise

import numpy as np
import pytest

from facefleet.recognition.similarity import curve_through, usual_curve


@pytest.mark.parametrize("threshold", [-0.99, -0.3, 0.0, 0.3, 0.6, 0.99])
def test_a_guessed_curve_rises_everywhere_and_says_80_at_the_threshold(threshold: float) -> None:
    curve = usual_curve(threshold)
    percents = [curve.percent(cosine) for cosine in np.linspace(-1, 1, 500)]
    assert all(later > earlier for earlier, later in pairwise(percents))
    assert (percents[0], percents[-1]) == (0.0, 100.0)
    assert curve.percent(threshold) == pytest.approx(80, abs=0.6)
    assert "calibrate" in curve.note


def test_a_percentage_leads_back_to_its_cosine() -> None:
    curve = curve_through({80.0: 0.2, 99.0: 0.5}, "measured")
    for percent in (0, 3, 80, 90, 99, 99.9, 100):
        assert curve.percent(curve.cosine(percent)) == pytest.approx(percent)
    assert curve.percent(1.0000001) == 100


def test_a_curve_that_falls_is_refused() -> None:
    with pytest.raises(ValueError, match="increase"):
        curve_through({80.0: 0.5, 99.0: 0.2}, "measured")
