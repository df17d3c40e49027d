"""What stays the same between two pictures of one drawn person.

Lengths are in head units: the origin lies between the temples, the crown is near y = -1, the chin near y = 1.
"""

from dataclasses import dataclass

import numpy as np

from demo.fashion import (
    BEARD_WEIGHTS,
    GLASSES_WEIGHTS,
    HAIRSTYLE_WEIGHTS,
    HEADWEAR_WEIGHTS,
    Beard,
    Glasses,
    Hairstyle,
    Headwear,
)
from demo.palette import (
    CLOTH_COLOURS,
    EYE_COLOURS,
    HAIR_COLOURS,
    HAIR_WEIGHTS,
    SKIN_TONES,
    WEAR_COLOURS,
    Colour,
    Light,
    mix,
    pick,
)

#: Sets identities apart from everything else that is drawn from a seed.
IDENTITY_STREAM = 7


@dataclass(frozen=True)
class HeadShape:
    """Outline of the head."""

    half_width: float
    #: Width of the jaw and of the chin, as shares of the half width.
    jaw: float
    chin: float
    jaw_y: float
    chin_y: float
    ear: float


@dataclass(frozen=True)
class Eyes:
    """Both eyes and brows."""

    #: Distance of each eye's centre from the middle of the face.
    x: float
    y: float
    half_width: float
    #: Height of the wide-open eye over its width.
    roundness: float
    #: Radians; positive lifts the outer corner.
    tilt: float
    iris: float
    iris_colour: Colour
    lash: float
    brow_gap: float
    brow_thickness: float
    brow_length: float
    brow_tilt: float
    brow_arch: float
    brow_colour: Colour


@dataclass(frozen=True)
class Nose:
    """The nose; its tip lies `length` below the eyes."""

    length: float
    half_width: float
    #: 0 round, 1 broad, 2 pointed.
    shape: int
    #: 0 pale .. 1 rosy.
    rosiness: float


@dataclass(frozen=True)
class Mouth:
    """The mouth at rest."""

    y: float
    half_width: float
    upper_lip: float
    lower_lip: float
    lip_colour: Colour


@dataclass(frozen=True)
class Hair:
    """The hair of the head."""

    style: Hairstyle
    colour: Colour
    hairline_y: float
    length: float
    volume: float
    #: Where the parting lies, radians from the middle of the face.
    part: float
    seed: int


@dataclass(frozen=True)
class Marks:
    """What a skin carries."""

    #: Count of freckles, 0 for most people.
    freckles: int
    blush: float
    wrinkles: bool
    #: (x, y) of a mole.
    mole: tuple[float, float] | None
    seed: int


@dataclass(frozen=True)
class Wear:
    """What a person is never seen without."""

    glasses: Glasses
    glasses_colour: Colour
    glasses_size: float
    rim: float
    headwear: Headwear
    headwear_colour: Colour
    earring_colour: Colour | None


@dataclass(frozen=True)
class Identity:
    """One drawn person."""

    skin: Colour
    head: HeadShape
    eyes: Eyes
    nose: Nose
    mouth: Mouth
    hair: Hair
    beard: Beard
    beard_colour: Colour
    marks: Marks
    wear: Wear


def draw_identity(person_seed: int) -> Identity:
    """The person of a seed: the same seed gives the same person for ever."""
    rng = np.random.default_rng([IDENTITY_STREAM, person_seed])
    skin = pick(rng, SKIN_TONES)
    hair = _hair(rng)
    return Identity(
        skin=skin,
        head=_head_shape(rng),
        eyes=_eyes(rng, hair.colour),
        nose=Nose(rng.uniform(0.29, 0.42), rng.uniform(0.13, 0.20), int(rng.integers(3)), rng.uniform(0.1, 0.9)),
        mouth=_mouth(rng, skin),
        hair=hair,
        beard=list(Beard)[_index(rng, BEARD_WEIGHTS)],
        # Never quite the colour of the hair, or the two read as one mask.
        beard_colour=mix(Light(rng.uniform(0.8, 1.1), 0.04).tint(hair.colour), skin, rng.uniform(0.06, 0.2)),
        marks=_marks(rng),
        wear=_wear(rng),
    )


def _head_shape(rng: np.random.Generator) -> HeadShape:
    return HeadShape(
        half_width=rng.uniform(0.70, 0.90),
        jaw=rng.uniform(0.70, 0.95),
        chin=rng.uniform(0.30, 0.62),
        jaw_y=rng.uniform(0.48, 0.66),
        chin_y=rng.uniform(0.95, 1.07),
        ear=rng.uniform(0.13, 0.23),
    )


def _eyes(rng: np.random.Generator, hair_colour: Colour) -> Eyes:
    return Eyes(
        x=rng.uniform(0.31, 0.41),
        y=rng.uniform(-0.14, 0.04),
        half_width=rng.uniform(0.14, 0.20),
        roundness=rng.uniform(0.55, 0.95),
        tilt=rng.uniform(-0.2, 0.22),
        iris=rng.uniform(0.54, 0.72),
        iris_colour=pick(rng, EYE_COLOURS),
        lash=rng.uniform(0.022, 0.05),
        brow_gap=rng.uniform(0.08, 0.17),
        brow_thickness=rng.uniform(0.03, 0.085),
        brow_length=rng.uniform(0.85, 1.35),
        brow_tilt=rng.uniform(-0.3, 0.3),
        brow_arch=rng.uniform(0.0, 0.07),
        brow_colour=Light(rng.uniform(0.55, 0.85), 0.0).tint(hair_colour),
    )


def _mouth(rng: np.random.Generator, skin: Colour) -> Mouth:
    lipstick: Colour = (rng.uniform(150, 205), rng.uniform(40, 80), rng.uniform(60, 100))
    natural = mix(Light(0.84, 0.16).tint(skin), (168, 70, 70), 0.5)
    return Mouth(
        y=rng.uniform(0.51, 0.63),
        half_width=rng.uniform(0.24, 0.37),
        upper_lip=rng.uniform(0.03, 0.07),
        lower_lip=rng.uniform(0.04, 0.095),
        lip_colour=lipstick if rng.random() < 0.3 else natural,
    )


def _hair(rng: np.random.Generator) -> Hair:
    return Hair(
        style=list(Hairstyle)[_index(rng, HAIRSTYLE_WEIGHTS)],
        colour=pick(rng, HAIR_COLOURS, HAIR_WEIGHTS),
        hairline_y=rng.uniform(-0.70, -0.48),
        length=rng.uniform(0.75, 1.4),
        volume=rng.uniform(0.06, 0.22),
        part=rng.uniform(0.15, 0.6) * rng.choice([-1.0, 1.0]),
        seed=int(rng.integers(1 << 30)),
    )


def _marks(rng: np.random.Generator) -> Marks:
    return Marks(
        freckles=int(rng.integers(10, 24)) if rng.random() < 0.2 else 0,
        blush=rng.uniform(0.15, 0.45) if rng.random() < 0.6 else 0.0,
        wrinkles=bool(rng.random() < 0.15),
        mole=(rng.uniform(-0.5, 0.5), rng.uniform(0.2, 0.75)) if rng.random() < 0.2 else None,
        seed=int(rng.integers(1 << 30)),
    )


def _wear(rng: np.random.Generator) -> Wear:
    return Wear(
        glasses=list(Glasses)[_index(rng, GLASSES_WEIGHTS)],
        glasses_colour=pick(rng, WEAR_COLOURS),
        glasses_size=rng.uniform(0.23, 0.30),
        rim=rng.uniform(0.025, 0.05),
        headwear=list(Headwear)[_index(rng, HEADWEAR_WEIGHTS)],
        headwear_colour=pick(rng, CLOTH_COLOURS),
        earring_colour=pick(rng, WEAR_COLOURS) if rng.random() < 0.25 else None,
    )


def _index(rng: np.random.Generator, weights: tuple[int, ...]) -> int:
    return int(rng.choice(len(weights), p=np.array(weights, float) / sum(weights)))
