"""Templates of people who do not exist, spread as a real pack spreads those of people who do."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import FaceSet, FloatArray, IntArray

#: Share of faces of people who are seen once: passers-by.
PASSERS_BY = 0.2
#: People with several faces: one for so many faces, Zipf-distributed: some have thousands, most a few.
FACES_PER_PERSON = 20
ZIPF_EXPONENT = 0.8
#: Relatives share a part of what identifies them.
FAMILY_SIZE, FAMILY_SHARE = 4, 0.2
FACES_PER_PHOTO = 3
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Spread:
    """How far faces of one person lie from each other."""

    #: Length of what differs between faces of one person, beside an identity of length 1: median, and how much that
    #: itself differs between faces (standard deviation of its logarithm).
    noise: float
    noise_variety: float


#: As `measure_spread` finds it for SCRFD-500M with a MobileFaceNet on an album of real people.
USUAL_SPREAD = Spread(noise=0.9, noise_variety=0.5)


def measure_spread(faces: FaceSet, people: IntArray) -> Spread:
    """Find the spread whose cosines between faces of one person have the same quantiles as these."""
    cosines = faces.templates @ faces.templates.T
    same = np.triu(people[:, None] == people[None], 1)
    wanted = np.quantile(cosines[same], QUANTILES)
    tries = [Spread(noise, variety) for noise in np.arange(0.2, 1.5, 0.05) for variety in np.arange(0.1, 0.8, 0.1)]
    rng = np.random.default_rng(0)
    return min(tries, key=lambda one: float(np.abs(np.quantile(_same_cosines(one, rng), QUANTILES) - wanted).sum()))


def _same_cosines(spread: Spread, rng: np.random.Generator) -> FloatArray:
    """What is left of an identity of length 1 in two noisy faces; noises are at right angles in many dimensions."""
    lengths = spread.noise * np.exp(spread.noise_variety * rng.normal(size=(4000, 2)))
    return np.asarray(1 / np.sqrt((1 + lengths**2).prod(axis=1)), np.float32)


def draw_faces(count: int, dimensions: int, spread: Spread, seed: int = 1) -> tuple[FaceSet, IntArray]:
    """`count` faces, and who they are; a photo never shows a person twice."""
    rng = np.random.default_rng(seed)
    people = _draw_people(count, rng)
    identities = _draw_identities(int(people.max()) + 1, dimensions, rng)
    lengths = spread.noise * np.exp(spread.noise_variety * rng.normal(size=count))
    templates = np.empty((count, dimensions), np.float32)
    for part in np.array_split(np.arange(count), count // 10_000 + 1):
        noise = _directions(len(part), dimensions, rng)
        templates[part] = identities[people[part]] + lengths[part, None] * noise
        templates[part] /= np.linalg.norm(templates[part], axis=1, keepdims=True)
    qualities = np.clip(0.9 - 0.3 * lengths / spread.noise, 0.02, 1.0).astype(np.float32)
    return FaceSet(templates, _draw_photos(people, rng), qualities), people


def _draw_people(count: int, rng: np.random.Generator) -> IntArray:
    known = max(count // FACES_PER_PERSON, 1)
    weights = np.arange(1, known + 1) ** -ZIPF_EXPONENT
    people = rng.choice(known, size=count, p=weights / weights.sum())
    passing = np.flatnonzero(rng.random(count) < PASSERS_BY)
    people[passing] = known + np.arange(len(passing))
    return people.astype(np.int64)


def _draw_identities(people: int, dimensions: int, rng: np.random.Generator) -> FloatArray:
    families = _directions(people // FAMILY_SIZE + 1, dimensions, rng)[
        rng.integers(0, people // FAMILY_SIZE + 1, people)
    ]
    own = _directions(people, dimensions, rng)
    identities = np.float32(np.sqrt(FAMILY_SHARE)) * families + np.float32(np.sqrt(1 - FAMILY_SHARE)) * own
    return np.asarray(identities / np.linalg.norm(identities, axis=1, keepdims=True), np.float32)


def _directions(count: int, dimensions: int, rng: np.random.Generator) -> FloatArray:
    drawn = rng.standard_normal((count, dimensions), np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def _draw_photos(people: IntArray, rng: np.random.Generator) -> IntArray:
    """Deal faces out; the second face of a person in a photo gets a photo of its own."""
    photos = rng.integers(0, max(len(people) // FACES_PER_PHOTO, 1), len(people))
    _, first = np.unique(photos * (int(people.max()) + 1) + people, return_index=True)
    again = np.setdiff1d(np.arange(len(people)), first)
    photos[again] = int(photos.max()) + 1 + np.arange(len(again))
    return photos.astype(np.int64)
