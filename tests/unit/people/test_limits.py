import numpy as np

from facefleet.people.face_set import FaceSet
from facefleet.people.limits import LinkLimits, learn_limits, near_limit
from facefleet.recognition.similarity import usual_curve

CURVE = usual_curve(0.3)


def strangers(alike: float, photos: int, people: int) -> tuple[FaceSet, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Every photo shows three people, who are the more alike the more they all share one direction."""
    rng = np.random.default_rng(0)
    person = np.concatenate([rng.permutation(people)[:3] for _ in range(photos)])
    identities = rng.normal(size=(people, 64)) + alike * rng.normal(size=64)
    templates = identities[person] + 0.3 * rng.normal(size=(len(person), 64))
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    faces = FaceSet(templates.astype(np.float32), np.repeat(np.arange(photos), 3), np.ones(len(person), np.float32))
    return faces, person


def test_people_who_look_alike_raise_the_limits() -> None:
    plain, alike = (learn_limits(*strangers(alike, 300, 10), CURVE) for alike in (0.0, 0.7))
    assert alike.merge > plain.merge + 0.1
    assert alike.stranger_mean > plain.stranger_mean + 0.1


def test_more_people_raise_the_limits() -> None:
    few, many = (learn_limits(*strangers(0.0, 300, people), CURVE) for people in (5, 100))
    assert many.merge > few.merge


def test_passers_by_make_attaching_stricter() -> None:
    faces, person = strangers(0.0, 300, 10)
    without, with_passers = (learn_limits(faces, np.where(person < known, person, -1), CURVE) for known in (10, 6))
    assert with_passers.attach > without.attach


def test_without_company_the_calibration_counts() -> None:
    faces, person = strangers(0.7, 300, 10)
    alone = FaceSet(faces.templates, np.arange(len(faces)), faces.qualities)
    limits = learn_limits(alone, person, CURVE)
    assert CURVE.cosine(60) <= limits.merge < CURVE.cosine(99)
    assert limits.stranger_mean == CURVE.cosine(10)


def test_chance_makes_small_groups_only() -> None:
    limits = LinkLimits(0.3, 0.2, 0.05, 0.0, 0.1, faces=10_000)
    wanted = limits.chance_cohesion(np.array([3, 4, 6, 12]))
    assert (np.diff(wanted) < 0).all()
    assert wanted[0] > 0.35
    assert wanted[3] < 0.2


def test_neighbours_of_a_large_album_have_to_be_nearer() -> None:
    limits = [near_limit(CURVE, 16, faces) for faces in (0, 500, 5_000, 100_000, 10_000_000)]
    assert limits == sorted(limits)
    assert limits[0] == CURVE.cosine(40)
    assert limits[-1] == CURVE.cosine(80)


def test_limits_are_outgrown_when_the_album_has_doubled() -> None:
    limits = LinkLimits(0.3, 0.2, 0.05, 0.0, 0.1, faces=100)
    assert not limits.are_outgrown(200)
    assert limits.are_outgrown(201)
