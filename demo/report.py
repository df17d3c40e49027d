"""The demo's report: one HTML file that needs nothing else."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

import cv2
import numpy as np

from demo.brush import RgbImage

_THUMB_WIDTH_PX = 420
_SELFIE_WIDTH_PX = 300
_JPEG_QUALITY = 82

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class FoundPhoto:
    """One photo that a selfie found."""

    path: Path
    #: Left, top, width, height in pixels of the photo.
    box: Rectangle
    similarity_percent: float
    #: Whether the person really is in that box.
    right: bool


@dataclass(frozen=True)
class SelfieResult:
    """One selfie and what it found."""

    person: str
    selfie: RgbImage
    found: Sequence[FoundPhoto]
    #: Photos of the album that show the person.
    expected: int


@dataclass(frozen=True)
class AlbumFigures:
    """What indexing said."""

    photos: int
    faces: int
    dead: int
    seconds: float
    photos_per_second: float


def write_report(path: Path, figures: AlbumFigures, selfies: Sequence[SelfieResult]) -> None:
    """Write the report.

    Args:
        path: the HTML file.
        figures: of the indexing run.
        selfies: in the order to show.
    """
    template = Template(resources.files("demo").joinpath("report.html").read_text(encoding="utf-8"))
    page = template.substitute(
        photos=f"{figures.photos:,}",
        faces=f"{figures.faces:,}",
        dead=f"{figures.dead:,}",
        seconds=f"{figures.seconds:.1f}",
        rate=f"{figures.photos_per_second:.1f}",
        sections="\n".join(_section(result) for result in selfies),
    )
    path.write_text(page, encoding="utf-8")


def _section(result: SelfieResult) -> str:
    right = sum(photo.right for photo in result.found)
    wrong = len(result.found) - right
    verdict = f"{right} of {result.expected} photos found" + (
        f", {wrong} of somebody else" if wrong else ", none wrong"
    )
    return _SECTION.substitute(
        person=html.escape(result.person),
        selfie=_data_uri(_scaled(result.selfie, _SELFIE_WIDTH_PX)),
        verdict=verdict,
        photos="\n".join(_figure(photo, result.person) for photo in result.found),
    )


def _figure(photo: FoundPhoto, person: str) -> str:
    image = np.asarray(cv2.imread(str(photo.path), cv2.IMREAD_COLOR_RGB), np.uint8)
    height, width = image.shape[:2]
    x, y, w, h = photo.box
    return _FIGURE.substitute(
        image=_data_uri(_scaled(image, _THUMB_WIDTH_PX)),
        alt=html.escape(f"{photo.path.name}, {person} outlined"),
        place=f"left:{x / width:.2%};top:{y / height:.2%};width:{w / width:.2%};height:{h / height:.2%}",
        kind="right" if photo.right else "wrong",
        name=html.escape(photo.path.name),
        similarity=f"{photo.similarity_percent:.0f} %",
    )


def _scaled(image: RgbImage, width_px: int) -> RgbImage:
    height, width = image.shape[:2]
    scaled = cv2.resize(image, (width_px, round(height * width_px / width)), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, np.uint8)


def _data_uri(image: RgbImage) -> str:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


_FIGURE = Template(
    """<figure class="$kind"><div><img src="$image" alt="$alt"><i style="$place"></i></div>
<figcaption>$name <span>$similarity</span></figcaption></figure>"""
)

_SECTION = Template(
    """<section><aside><img src="$selfie" alt="Selfie of $person"><h2>$person</h2>
<p class="verdict">$verdict</p></aside>
<div class="grid">
$photos
</div></section>"""
)
