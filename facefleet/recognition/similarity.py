"""Cosine similarity as a percentage that means the same for every model pack: 80 is one false match in a thousand."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

#: What is promised: (percentage, share of pairs of strangers that look at least that much alike).
FAR_OF_PERCENT = ((10.0, 0.5), (40.0, 1e-1), (60.0, 1e-2), (80.0, 1e-3), (90.0, 1e-4), (99.0, 1e-5))
#: Where cosines of strangers with usual embedders lie, from 80 upwards: used for packs that nobody calibrated.
_USUAL_STEPS = {10.0: -0.28, 40.0: -0.18, 60.0: -0.08, 80.0: 0.0, 90.0: 0.07, 99.0: 0.14}


@dataclass(frozen=True, slots=True)
class SimilarityCurve:
    """A strictly increasing curve through points, straight between them."""

    #: (cosine, percentage), from (-1, 0) to (1, 100).
    points: tuple[tuple[float, float], ...]
    #: How far it can be believed, for a person.
    note: str

    def percent(self, cosine: float) -> float:
        """Turn a cosine into 0-100."""
        return _interpolate(cosine, self.points)

    def cosine(self, percent: float) -> float:
        """Turn 0-100 into a cosine: the inverse of `percent`."""
        return _interpolate(percent, tuple((y, x) for x, y in self.points))


def _interpolate(x: float, points: tuple[tuple[float, float], ...]) -> float:
    """Read a curve at `x`; beyond its ends it stays level. Some microseconds faster than NumPy's, for every match."""
    place = bisect_right(points, x, key=itemgetter(0))
    if place == 0:
        return points[0][1]
    if place == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[place - 1], points[place]
    return low + (high - low) * (x - left) / (right - left)


def curve_through(cosine_of_percent: dict[float, float], note: str) -> SimilarityCurve:
    """Complete measured points with both ends; cosines have to increase with the percentage.

    Raises:
        ValueError: they do not, or leave no room before 1.
    """
    points = [(-1.0, 0.0), *((cosine, percent) for percent, cosine in sorted(cosine_of_percent.items())), (1.0, 100.0)]
    cosines = [cosine for cosine, _ in points]
    if any(later <= earlier for earlier, later in pairwise(cosines)):
        raise ValueError(f"cosines do not increase: {cosines}")
    return SimilarityCurve(tuple(points), note)


def usual_curve(similarity_threshold: float) -> SimilarityCurve:
    """Guess the curve of a pack that nobody calibrated: 80 is its similarity threshold.

    Args:
        similarity_threshold: cosine below which the pack takes two faces for two people.
    """
    centre = min(max(similarity_threshold, -0.99), 0.99)
    room = min(1.0, (1.0 - abs(centre)) / 0.5)
    steps = {percent: centre + step * room for percent, step in _USUAL_STEPS.items()}
    return curve_through(steps, "not calibrated: a guess; run `facefleet calibrate FACES`")
