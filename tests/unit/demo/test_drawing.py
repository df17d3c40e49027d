"""Drawn people: the same for the same seed, and labelled where they were painted."""

import math
from dataclasses import replace

import numpy as np
import pytest

from demo.fashion import Beard, Glasses, Hairstyle, Headwear
from demo.identity import Identity, draw_identity
from demo.palette import Light
from demo.photo import PhotoPlan, clip_box, draw_photo
from demo.portrait import DrawnFace, Place, draw_portrait
from demo.shot import Shot, draw_shot

BACKDROP = (10, 200, 30)
PLAN = PhotoPlan(width=320, height=240, min_face_px=16, max_face_px=140)


def frontal_shot() -> Shot:
    shot = draw_shot(np.random.default_rng(5))
    return replace(
        shot, yaw=0.0, pitch=0.0, roll=0.0, smile=0.5, mouth_open=0.5, eyelid=0.0, gaze_x=0.0, gaze_y=0.0,
        light=Light(1.0, 0.0), light_contrast=0.0,
    )  # fmt: skip


def draw_on_backdrop(identity: Identity, shot: Shot, face_px: float = 160) -> tuple[np.ndarray, DrawnFace]:
    image = np.full((360, 360, 3), BACKDROP, np.uint8)
    return image, draw_portrait(image, identity, shot, Place(180, 170, face_px))


def test_same_seed_draws_the_same_photo() -> None:
    first, first_faces = draw_photo(PLAN, [1, 2, 3], photo_seed=7)
    again, again_faces = draw_photo(PLAN, [1, 2, 3], photo_seed=7)
    assert np.array_equal(first, again)
    assert [(face.person_seed, face.box) for face in first_faces] == [
        (face.person_seed, face.box) for face in again_faces
    ]


def test_other_seeds_draw_other_photos_and_people() -> None:
    first, _ = draw_photo(PLAN, [1], photo_seed=7)
    other, _ = draw_photo(PLAN, [1], photo_seed=8)
    assert not np.array_equal(first, other)
    assert len({draw_identity(seed) for seed in range(50)}) == 50


def test_a_person_does_not_depend_on_the_photo() -> None:
    shot = frontal_shot()
    first, _ = draw_on_backdrop(draw_identity(11), shot)
    draw_photo(PLAN, [1, 2, 3], photo_seed=9)
    again, _ = draw_on_backdrop(draw_identity(11), shot)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("photo_seed", range(8))
def test_labels_lie_inside_of_the_photo(photo_seed: int) -> None:
    image, faces = draw_photo(PLAN, list(range(photo_seed * 10, photo_seed * 10 + 6)), photo_seed)
    assert image.shape == (240, 320, 3)
    assert image.dtype == np.uint8
    for face in faces:
        left, top, width, height = face.box
        assert left >= 0
        assert top >= 0
        assert width > 5
        assert height > 5
        assert left + width <= PLAN.width
        assert top + height <= PLAN.height
        assert face.landmarks.shape == (5, 2)
        assert (face.landmarks >= 0).all()
        assert (face.landmarks <= [PLAN.width, PLAN.height]).all()


def test_photos_hold_faces_that_do_not_hide_each_other() -> None:
    counts = []
    for seed in range(6):
        _, faces = draw_photo(PLAN, list(range(8)), seed)
        counts.append(len(faces))
        boxes = [face.box for face in faces]
        for index, one in enumerate(boxes):
            for other in boxes[index + 1 :]:
                across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
                down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
                shared = max(0.0, across) * max(0.0, down)
                assert shared < 0.3 * min(one[2] * one[3], other[2] * other[3])
    assert max(counts) >= 5


def test_an_empty_cast_gives_a_photo_without_faces() -> None:
    image, faces = draw_photo(PLAN, [], photo_seed=1)
    assert faces == []
    assert image.std() > 1


@pytest.mark.parametrize("person", range(12))
def test_landmarks_are_in_insightface_order(person: int) -> None:
    rng = np.random.default_rng(person)
    shot = replace(draw_shot(rng), roll=rng.uniform(-0.3, 0.3))
    _, face = draw_on_backdrop(draw_identity(person), shot)
    upright = _turned_back(face.landmarks, shot.roll)
    left_eye, right_eye, nose, left_mouth, right_mouth = upright
    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1]) + 0.1 * np.ptp(upright[:, 1])
    left, top, width, height = face.box
    assert (face.landmarks > [left, top]).all()
    assert (face.landmarks < [left + width, top + height]).all()


def _turned_back(points: np.ndarray, roll: float) -> np.ndarray:
    cos, sin = math.cos(roll), math.sin(roll)
    return points @ np.array([[cos, -sin], [sin, cos]])


@pytest.mark.parametrize("person", range(10))
def test_eye_landmarks_lie_on_the_painted_eyes(person: int) -> None:
    identity = draw_identity(person)
    identity = replace(identity, eyes=replace(identity.eyes, iris_colour=(0.0, 0.0, 255.0), roundness=0.9))
    image, face = draw_on_backdrop(identity, frontal_shot())
    # The pupil is dark, and the painted iris around it blue: more blue than anything else in the picture.
    for x, y in face.landmarks[:2]:
        around = image[round(float(y)) - 10 : round(float(y)) + 11, round(float(x)) - 10 : round(float(x)) + 11].astype(
            int
        )
        blue = (around[..., 2] > 180) & (around[..., 0] < 80)
        rows, columns = np.nonzero(blue)
        assert len(rows) > 10
        assert abs(columns.mean() - 10) < 3
        assert abs(rows.mean() - 10) < 4


@pytest.mark.parametrize("person", range(10))
def test_box_matches_the_painted_skin(person: int) -> None:
    identity = draw_identity(person)
    # Nothing that hides skin.
    plain = replace(
        identity,
        skin=(255.0, 0.0, 255.0),
        head=replace(identity.head, ear=0.01),
        hair=replace(identity.hair, style=Hairstyle.BALD),
        beard=Beard.NONE,
        wear=replace(identity.wear, headwear=Headwear.NONE, glasses=Glasses.NONE, earring_colour=None),
        marks=replace(identity.marks, blush=0.0),
    )
    image, face = draw_on_backdrop(plain, frontal_shot())
    left, top, width, height = face.box
    # Skin as bright as the head itself; the neck lies in its shadow.
    skin = (image[..., 0] > 245) & (image[..., 1] < 12) & (image[..., 2] > 245)
    rows, columns = np.nonzero(skin)
    assert columns.min() == pytest.approx(left, abs=2)
    assert columns.max() == pytest.approx(left + width, abs=2)
    assert rows.max() == pytest.approx(top + height, abs=2)
    inside = skin[round(top) : round(top + height), round(left) : round(left + width)]
    assert inside.mean() > 0.5


def test_a_turned_head_moves_the_nose_towards_that_side() -> None:
    identity = draw_identity(3)
    noses = []
    for yaw in (-0.5, 0.0, 0.5):
        _, face = draw_on_backdrop(identity, replace(frontal_shot(), yaw=yaw))
        left, _, width, _ = face.box
        noses.append((face.landmarks[2, 0] - left) / width)
    assert noses[0] < noses[1] - 0.1 < noses[2] - 0.2


def test_a_small_face_looks_like_a_large_one() -> None:
    """The enlarged drawing of small faces is the same picture: labels scale with the face."""
    identity, shot = draw_identity(4), frontal_shot()
    _, large = draw_on_backdrop(identity, shot, face_px=160)
    _, small = draw_on_backdrop(identity, shot, face_px=40)
    centre = np.array([180, 170])
    assert (small.landmarks - centre) * 4 == pytest.approx(large.landmarks - centre, abs=0.1)
    assert small.box[2] * 4 == pytest.approx(large.box[2], abs=0.1)


def test_a_person_outside_of_the_photo_leaves_it_untouched_elsewhere() -> None:
    image = np.full((100, 100, 3), BACKDROP, np.uint8)
    draw_portrait(image, draw_identity(1), frontal_shot(), Place(2, 50, 30))
    assert (image[:, 70:] == BACKDROP).all()
    assert not (image[:, :10] == BACKDROP).all()


def test_light_never_turns_skin_green() -> None:
    for seed in range(200):
        shot, identity = draw_shot(np.random.default_rng(seed)), draw_identity(seed)
        red, green, blue = shot.light.tint(identity.skin)
        assert red > green > blue


def test_clip_box_keeps_what_lies_inside() -> None:
    assert clip_box((-5.0, 10.0, 20.0, 500.0), 100, 60) == (0.0, 10.0, 15.0, 50.0)
