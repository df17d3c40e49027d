"""A data directory that holds albums of many faces, without photos: what a search has to go through."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto, Template
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.ledger.engine import open_ledger
from facefleet.records import FinishedPhoto, PhotoRef, photo_id_of
from facefleet.settings import Settings
from workers.indexing import points_of

#: The one that is searched.
ALBUM = "crowd-0"
ALBUMS = tuple(f"crowd-{number}" for number in range(10))
_FACES_PER_PHOTO = 20
_PHOTOS_AT_ONCE = 250
_QUALITY = Quality(0.5, 60, 100, 120, 0, 0, 0)


def random_templates(faces: int, dimensions: int, seed: int) -> Iterator[Template]:
    """People of five faces each: (D,) float32 of length 1, of one person with a cosine of about 0.6."""
    random = np.random.default_rng(seed)
    person = np.zeros(dimensions, np.float32)
    for number in range(faces):
        if number % 5 == 0:
            person = _unit(random.standard_normal(dimensions).astype(np.float32))
        noise = _unit(random.standard_normal(dimensions).astype(np.float32))
        yield _unit(person + np.float32(0.8) * noise)


def _unit(vector: Template) -> Template:
    return vector / np.linalg.norm(vector)


def fill_crowd(data_dir: Path, model_version: str, dimensions: int, faces: int) -> None:
    """Write ten albums into ledger and embedded gallery, as workers would have.

    Args:
        data_dir: made when missing.
        model_version: of the templates.
        dimensions: of a template.
        faces: in all albums together.
    """
    settings = Settings(data_dir=data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    templates = random_templates(faces, dimensions, seed=1)
    with (
        closing(open_ledger(settings.resolved_ledger_url)) as ledger,
        closing(EdgeGallery(data_dir / "gallery")) as gallery,
    ):
        gallery.prepare(model_version, dimensions)
        for name in ALBUMS:
            job = ledger.jobs.create(ledger.albums.ensure(name).id, "file:///crowd")
            photos = faces // _FACES_PER_PHOTO // len(ALBUMS)
            for start in range(0, photos, _PHOTOS_AT_ONCE):
                files = [f"{n:06}.jpg" for n in range(start, min(start + _PHOTOS_AT_ONCE, photos))]
                refs = [PhotoRef(f"file:///crowd/{each}", each, "v", 1) for each in files]
                ledger.jobs.add_photos(job.id, model_version, refs)
                ids = [photo_id_of(job.album_id, each.uri, each.version, model_version) for each in refs]
                finished = [FinishedPhoto(each, _photo_of(templates)) for each in ledger.leases.claim(ids, 60)]
                gallery.upsert(model_version, [point for each in finished for point in points_of(each)])
                ledger.leases.finish(finished)
            ledger.jobs.finish_listing(job.id)


def _photo_of(templates: Iterator[Template]) -> RecognizedPhoto:
    faces = [
        RecognizedFace(
            Detection(Box(100.0 * n, 50, 60, 80), np.zeros((5, 2), np.float32), 0.8), next(templates), _QUALITY
        )
        for n in range(_FACES_PER_PHOTO)
    ]
    return RecognizedPhoto(4000, 3000, tuple(faces))
