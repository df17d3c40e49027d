"""The photos that benchmarks work on: composed from labelled faces where these lie beside the checkout, else drawn."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
SHARED = CHECKOUT.parent / "shared"
_SELFIE_PX = (1200, 1600)
#: Of the selfie's width that the pasted crop takes; the face itself takes two thirds of the crop.
_SELFIE_CROP = (0.45, 0.75)


def default_pack() -> Path:
    """The real pack where it is, else the bundled one."""
    real = SHARED / "models" / "scrfd500m-mbf128"
    return real if real.is_dir() else CHECKOUT / "demo" / "pack"


def prepare_album(directory: Path, photos: int) -> Path:
    """Make an album once: of 12 megapixels, with `truth.json`, where labelled faces are; else drawn."""
    album = directory / f"album-{photos}"
    if not album.is_dir():
        if SHARED.is_dir():
            tool = [sys.executable, str(SHARED / "tools" / "make_album.py"), str(SHARED / "faces"), str(album)]
            subprocess.run([*tool, "--photos", str(photos)], check=True, stdout=subprocess.DEVNULL)
        else:
            from demo.album import draw_album  # noqa: PLC0415  drawing is only needed where nothing else is

            draw_album(album, photos=photos, people=25, seed=1)
    return album


def read_truth(album: Path) -> dict[str, list[dict[str, object]]]:
    """Who is where in each photo of an album."""
    photos: dict[str, list[dict[str, object]]] = json.loads((album / "truth.json").read_text())["photos"]
    return photos


def make_selfies(album: Path, count: int) -> list[bytes]:
    """Compose JPEGs of 2 megapixels with one large face each; the first photos of the album where no faces lie."""
    if not SHARED.is_dir():
        return [path.read_bytes() for path in sorted(album.glob("*.jpg"))[:count]]
    random = np.random.default_rng(7)
    people = sorted((SHARED / "faces").iterdir())
    return [_compose_selfie(min(people[number % len(people)].iterdir()), random) for number in range(count)]


def _compose_selfie(crop: Path, random: np.random.Generator) -> bytes:
    width, height = _SELFIE_PX
    colours = random.integers(40, 215, (6, 5, 3), dtype=np.uint8)
    picture = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    picture += random.normal(0, 6, picture.shape)
    side = int(width * random.uniform(*_SELFIE_CROP))
    x, y = (int(random.integers(0, most - side)) for most in (width, height))
    picture[y : y + side, x : x + side] = cv2.resize(cv2.imread(str(crop)), (side, side), interpolation=cv2.INTER_CUBIC)
    encoded = cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return bytes(encoded.tobytes())
