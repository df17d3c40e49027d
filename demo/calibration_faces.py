"""Photos of drawn people, one folder for each: what the bundled pack is calibrated with.

python -m demo.calibration_faces FOLDER && FACEFLEET_MODEL_PACK=demo facefleet calibrate FOLDER
"""

import sys
from pathlib import Path

import cv2

from demo.photo import PhotoPlan, draw_photo

PEOPLE, PHOTOS = 200, 6
#: Far from the seeds of training, of the evaluation and of the demo's album.
FIRST_PERSON = 9_000_000
PLAN = PhotoPlan(360, 360, 60, 170)


def draw_people(folder: Path, people: int = PEOPLE, photos: int = PHOTOS) -> None:
    """Draw every person several times; the same for everybody."""
    for person in range(FIRST_PERSON, FIRST_PERSON + people):
        place = folder / f"person-{person}"
        place.mkdir(parents=True, exist_ok=True)
        for photo in range(photos):
            image, _ = draw_photo(PLAN, [person], person * photos + photo)
            cv2.imwrite(str(place / f"{photo}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    draw_people(Path(sys.argv[1]))
