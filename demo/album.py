"""A labelled album of drawn people, and selfies of the same people that are not in it."""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from demo.brush import RgbImage
from demo.camera import expose
from demo.identity import draw_identity
from demo.photo import LabelledFace, PhotoPlan, draw_photo
from demo.portrait import Box, Landmarks, Place, draw_portrait
from demo.scenery import paint_scene
from demo.shot import draw_shot

#: Sets the choice of who is in which photo, and selfies, apart from everything else that is drawn from a seed.
CAST_STREAM, SELFIE_STREAM = 29, 31
ALBUM_PLAN = PhotoPlan(width=1280, height=960, min_face_px=70, max_face_px=420)
#: How many people a photo has, and how often.
CAST_SIZES = tuple(range(9))
CAST_WEIGHTS = (0.08, 0.2, 0.2, 0.16, 0.12, 0.09, 0.06, 0.05, 0.04)
JPEG_QUALITY = 92
NAMES = (
    "Ada", "Bruno", "Chidi", "Dalia", "Emil", "Farah", "Goran", "Hana", "Imani", "Jonas", "Keiko", "Luca", "Mina",
    "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zora",
)  # fmt: skip


@dataclass(frozen=True)
class AlbumFace:
    """One face of an album's truth."""

    person: str
    #: Left, top, width, height in pixels of the written photo.
    box: Box
    #: (5, 2) float32, pixels.
    landmarks: Landmarks


@dataclass(frozen=True)
class AlbumTruth:
    """Who is where in an album."""

    #: Faces by the photo's file name.
    photos: dict[str, list[AlbumFace]]
    #: The seed of each person's looks, by name: what `draw_selfie` needs.
    person_seeds: dict[str, int]


def draw_album(out_dir: Path, *, photos: int, people: int, seed: int, processes: int = 1) -> AlbumTruth:
    """Write `photo-00000.jpg` ... and `truth.json`; the same seed writes the same album.

    Args:
        out_dir: made when it does not exist.
        photos: how many to draw, 0 to 8 people in each.
        people: how many different people the album is about.
        seed: of everything in the album.
        processes: drawing costs about a tenth of a second a photo; more processes share it.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    person_seeds = {person_name(number): seed * 1_000 + number for number in range(people)}
    names = {person_seed: name for name, person_seed in person_seeds.items()}
    tasks = [
        _PhotoTask(out_dir / f"photo-{index:05d}.jpg", cast, seed * 1_000_003 + index)
        for index, cast in enumerate(_casts(photos, list(names), seed))
    ]
    truth = {task.path.name: [_named(face, names) for face in faces] for task, faces in _drawn(tasks, processes)}
    album = AlbumTruth(truth, person_seeds)
    (out_dir / "truth.json").write_text(_to_json(album), encoding="utf-8")
    return album


def draw_selfie(person_seed: int, shot_seed: int, *, width: int = 720, height: int = 960) -> RgbImage:
    """One person of an album (`AlbumTruth.person_seeds`), large, in a picture that is not in the album.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    rng = np.random.default_rng([SELFIE_STREAM, person_seed, shot_seed])
    image = paint_scene(rng, height, width)
    place = Place(width * rng.uniform(0.42, 0.58), height * rng.uniform(0.42, 0.5), height * rng.uniform(0.38, 0.46))
    draw_portrait(image, draw_identity(person_seed), draw_shot(rng, liveliness=0.7), place)
    return expose(image, rng)


def write_jpeg(path: Path, image: RgbImage) -> None:
    """Write (H, W, 3) uint8 RGB."""
    # Not image[..., ::-1]: encoding a view takes five times as long.
    swapped = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", swapped, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())


def person_name(number: int) -> str:
    """A first name for the person of this number, never given twice."""
    round_, index = divmod(number, len(NAMES))
    return NAMES[index] if round_ == 0 else f"{NAMES[index]} {round_ + 1}"


@dataclass(frozen=True)
class _PhotoTask:
    path: Path
    cast: list[int]
    seed: int


def _casts(photos: int, person_seeds: list[int], seed: int) -> list[list[int]]:
    """Who is in each photo; everybody comes about equally often."""
    rng = np.random.default_rng([CAST_STREAM, seed])
    sizes = rng.choice(CAST_SIZES, size=photos, p=CAST_WEIGHTS)
    return [[int(one) for one in rng.permutation(person_seeds)[:size]] for size in sizes]


def _drawn(tasks: list[_PhotoTask], processes: int) -> Iterator[tuple[_PhotoTask, list[LabelledFace]]]:
    if processes == 1:
        yield from zip(tasks, map(_draw_task, tasks), strict=True)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from zip(tasks, pool.map(_draw_task, tasks, chunksize=8), strict=True)


def _draw_task(task: _PhotoTask) -> list[LabelledFace]:
    image, faces = draw_photo(ALBUM_PLAN, task.cast, task.seed)
    write_jpeg(task.path, image)
    return faces


def _named(face: LabelledFace, names: dict[int, str]) -> AlbumFace:
    return AlbumFace(names[face.person_seed], face.box, face.landmarks)


def _to_json(album: AlbumTruth) -> str:
    photos = {
        name: [
            {
                "person": face.person,
                "box": [round(value) for value in face.box],
                "landmarks": [[round(float(x), 1), round(float(y), 1)] for x, y in face.landmarks],
            }
            for face in faces
        ]
        for name, faces in album.photos.items()
    }
    return json.dumps({"photos": photos, "person_seeds": album.person_seeds}, indent=1)
