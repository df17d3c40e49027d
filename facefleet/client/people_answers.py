"""What a server answers about people, as `answers` does about everything else."""

from typing import Any, NamedTuple

from facefleet.client.answers import Rectangle, read_answer


class PersonFace(NamedTuple):
    """A face that is somebody's."""

    person_id: str
    face_id: str
    photo: str
    photo_id: str
    album: str
    box: Rectangle
    box_fraction: Rectangle
    #: 0-1.
    quality: float
    #: Whether a human said so.
    confirmed: bool
    #: With `links=True`: signed, and only for a while.
    crop: str | None = None


class Person(NamedTuple):
    """Somebody, with what there is of them in the album that was asked for, or in all."""

    person_id: str
    name: str | None
    hidden: bool
    faces: int
    photos: int
    #: The face that shows the person; None: none is indexed now.
    cover: PersonFace | None
    created_at: str


class PersonPhoto(NamedTuple):
    """A photo with a person on it."""

    photo_id: str
    photo: str
    album: str
    face_ids: list[str]
    taken_at: str | None = None
    thumbnail: str | None = None
    link: str | None = None


class PhotoFace(NamedTuple):
    """A face of a photo, and whose it is."""

    face_id: str
    box: Rectangle
    box_fraction: Rectangle
    quality: float
    #: None: nobody's.
    person_id: str | None
    name: str | None
    confirmed: bool


class Companion(NamedTuple):
    """Somebody who is on the same photos."""

    person_id: str
    name: str | None
    hidden: bool
    photos: int


class Change(NamedTuple):
    """One row of the history of people."""

    change_id: str
    number: int
    kind: str
    person_id: str
    other_id: str | None
    faces: int
    before: dict[str, Any]
    after: dict[str, Any]
    made_at: str
    undone_at: str | None


class Clustering(NamedTuple):
    """How far the grouping of an album's faces into people is."""

    #: `none`, `waiting`, `running`, `done` or `failed`.
    state: str
    detail: str | None
    new_photos: int
    finished_at: str | None
    seconds: float | None
    total_faces: int | None
    clusters: int | None
    noise_faces: int | None


class PurgedPerson(NamedTuple):
    """What the purge of a person removed."""

    faces: int
    #: That they were on; these stay.
    photos: int


class Prediction(NamedTuple):
    """What one classifier said about a face."""

    #: `fast`, `balanced` or `accurate`.
    classifier: str
    #: None: nobody whom it is sure enough of.
    person_id: str | None
    name: str | None
    #: 0-1.
    confidence: float
    latency_ms: float
    made_at: str


class PredictedFace(NamedTuple):
    """A face and who it is likely to be."""

    face_id: str
    box: Rectangle
    box_fraction: Rectangle
    predictions: list[Prediction]


class PhotoPredictions(NamedTuple):
    """Who is on a photo, as the classifiers see it."""

    photo_id: str
    photo: str
    #: `indexing`, `waiting`, `done`, `failed` or `none`.
    state: str
    faces: list[PredictedFace]


def read_person(answer: dict[str, Any]) -> Person:
    """Read a person."""
    cover = answer["cover"]
    return read_answer(Person, answer)._replace(cover=read_answer(PersonFace, cover) if cover else None)


def read_predictions(answer: dict[str, Any]) -> PhotoPredictions:
    """Read what was said about a photo."""
    faces = [
        read_answer(PredictedFace, each)._replace(
            predictions=[read_answer(Prediction, said) for said in each["predictions"]]
        )
        for each in answer["faces"]
    ]
    return read_answer(PhotoPredictions, answer)._replace(faces=faces)
