"""Ways to wear hair, beards, glasses and hats, and how often they are seen (relative weights, in the same order)."""

from enum import Enum


class Hairstyle(Enum):
    """How the hair is cut; `demo.hair` knows what each looks like."""

    BALD = "bald"
    SHORT = "short"
    SIDE_PART = "side part"
    QUIFF = "quiff"
    SPIKY = "spiky"
    RECEDING = "receding"
    CURLY = "curly"
    BOB = "bob"
    LONG = "long"
    WAVY = "wavy"
    FRINGE = "fringe"
    BUN = "bun"
    PONYTAIL = "ponytail"
    PIGTAILS = "pigtails"


HAIRSTYLE_WEIGHTS = (4, 12, 9, 7, 7, 5, 10, 9, 9, 7, 8, 6, 6, 5)


class Beard(Enum):
    """Hair on the lower face."""

    NONE = "none"
    STUBBLE = "stubble"
    FULL = "full"
    MOUSTACHE = "moustache"
    GOATEE = "goatee"


BEARD_WEIGHTS = (66, 9, 10, 7, 8)


class Glasses(Enum):
    """Shape of the rims."""

    NONE = "none"
    ROUND = "round"
    SQUARE = "square"
    OVAL = "oval"
    CAT_EYE = "cat-eye"


GLASSES_WEIGHTS = (60, 12, 12, 8, 8)


class Headwear(Enum):
    """What is worn on the head, in every picture."""

    NONE = "none"
    BEANIE = "beanie"
    CAP = "cap"
    HEADBAND = "headband"


HEADWEAR_WEIGHTS = (84, 6, 5, 5)
