"""People on the wire."""

from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.photo_links import Links
from api.schemas.faces import Rectangle, fraction, rectangle
from facefleet.people_records import (
    Change,
    ChangeKind,
    Clustering,
    ClusteringState,
    Companion,
    Person,
    PersonFace,
    PersonPhoto,
    PhotoFace,
)


def _check_person_name(name: str) -> str:
    """Refuse what the ledger refuses too.

    Raises:
        ValueError: why nobody has this name.
    """
    if not name.strip() or not name.strip().isprintable():
        raise ValueError("a person's name has printable characters")
    return name.strip()


PersonName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=255, examples=["Anna"]), AfterValidator(_check_person_name)
]
FaceIds: TypeAlias = Annotated[list[UUID], Field(min_length=1, max_length=1000)]
_NEXT = "`after` of the next page; null on the last."


class PersonFaceView(BaseModel):
    """A face that is somebody's."""

    person_id: UUID
    face_id: UUID
    photo: str
    photo_id: UUID
    album: str
    box: Rectangle
    box_fraction: Rectangle
    quality: float = Field(description="0-1.")
    confirmed: bool = Field(description="Whether a human said so.")
    crop: str | None = Field(default=None, description="A link to a picture of the face; with `links=true`.")

    @classmethod
    def of(cls, mine: PersonFace, links: Links | None) -> Self:
        """Show a face; None as `links`: without a link."""
        face = mine.face
        return cls(
            person_id=mine.person_id,
            face_id=face.id,
            photo=face.photo_name,
            photo_id=face.photo_id,
            album=mine.album_name,
            box=rectangle(face.box),
            box_fraction=fraction(face.box, face.photo_width_px, face.photo_height_px),
            quality=round(face.quality.overall, 4),
            confirmed=mine.confirmed,
            crop=links.to_crop(face.id) if links else None,
        )


class PersonView(BaseModel):
    """Somebody."""

    person_id: UUID
    name: str | None
    hidden: bool
    faces: int = Field(description="In the album that was asked for, or in all albums.")
    photos: int
    cover: PersonFaceView | None = Field(description="The face that shows the person; null: none is indexed now.")
    created_at: datetime

    @classmethod
    def of(cls, person: Person, links: Links | None) -> Self:
        """Show a person."""
        return cls(
            person_id=person.id,
            name=person.name,
            hidden=person.hidden,
            faces=person.faces,
            photos=person.photos,
            cover=PersonFaceView.of(person.cover, links) if person.cover else None,
            created_at=person.created_at,
        )


class PersonList(BaseModel):
    """A page of people, those with most faces first."""

    people: list[PersonView]
    next: UUID | None = Field(description=_NEXT)


class ClusteringView(BaseModel):
    """How far the grouping of an album's faces into people is."""

    state: ClusteringState
    detail: str | None = Field(description="What went wrong last.")
    new_photos: int = Field(description="Photos whose faces were not looked at yet.")
    finished_at: datetime | None = Field(description="When the last run ended well; null before the first.")
    seconds: float | None
    total_faces: int | None
    clusters: int | None
    noise_faces: int | None = Field(description="Faces that are nobody's.")

    @classmethod
    def of(cls, clustering: Clustering) -> Self:
        """Show a grouping."""
        fields = {name: getattr(clustering, name) for name in Clustering.__dataclass_fields__}
        return cls(**fields)


class AlbumPeople(PersonList):
    """A page of an album's people, and whether they are up to date."""

    clustering: ClusteringView


class PersonFaceList(BaseModel):
    """A page of faces that are somebody's."""

    faces: list[PersonFaceView]
    next: UUID | None = Field(description=_NEXT)


class PersonPhotoView(BaseModel):
    """A photo with the person on it."""

    photo_id: UUID
    photo: str
    album: str
    face_ids: list[UUID] = Field(description="The person's faces on it.")
    thumbnail: str | None = Field(default=None, description="A link to a small picture; with `links=true`.")
    link: str | None = Field(default=None, description="A link to the photo; with `links=true`.")

    @classmethod
    def of(cls, photo: PersonPhoto, links: Links | None) -> Self:
        """Show a photo."""
        return cls(
            photo_id=photo.photo_id,
            photo=photo.name,
            album=photo.album_name,
            face_ids=list(photo.face_ids),
            thumbnail=links.to_thumbnail(photo.photo_id) if links else None,
            link=links.to_photo(photo.photo_id) if links else None,
        )


class PersonPhotoList(BaseModel):
    """A page of photos, by name."""

    photos: list[PersonPhotoView]
    next: UUID | None = Field(description=_NEXT)


class CompanionView(BaseModel):
    """Somebody who is on the same photos."""

    person_id: UUID
    name: str | None
    hidden: bool
    photos: int = Field(description="How many photos show both.")

    @classmethod
    def of(cls, companion: Companion) -> Self:
        """Show a companion."""
        return cls(person_id=companion.person_id, name=companion.name, hidden=companion.hidden, photos=companion.photos)


class CompanionList(BaseModel):
    """Who is on the same photos, most often first."""

    people: list[CompanionView]


class PhotoFaceView(BaseModel):
    """A face of a photo, and whose it is."""

    face_id: UUID
    box: Rectangle
    box_fraction: Rectangle
    quality: float
    person_id: UUID | None = Field(description="Null: nobody's.")
    name: str | None
    confirmed: bool

    @classmethod
    def of(cls, found: PhotoFace) -> Self:
        """Show a face."""
        face = found.face
        return cls(
            face_id=face.id,
            box=rectangle(face.box),
            box_fraction=fraction(face.box, face.photo_width_px, face.photo_height_px),
            quality=round(face.quality.overall, 4),
            person_id=found.person_id,
            name=found.name,
            confirmed=found.confirmed,
        )


class PhotoPeople(BaseModel):
    """The faces of a photo, and whose they are."""

    faces: list[PhotoFaceView]


class NewPerson(BaseModel):
    """A person to make of faces."""

    model_config = ConfigDict(extra="forbid")

    face_ids: FaceIds
    name: PersonName | None = None


class PersonEdit(BaseModel):
    """What to change about a person; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: PersonName | None = Field(default=None, description="Null: no name.")
    hidden: bool = False
    cover_face_id: UUID | None = Field(default=None, description="One of the person's faces; null: the best one.")


class ChosenFaces(BaseModel):
    """Faces that something is said about."""

    model_config = ConfigDict(extra="forbid")

    face_ids: FaceIds


class MergedPeople(BaseModel):
    """Who is the same person."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class UndoRequest(BaseModel):
    """Which change to undo."""

    model_config = ConfigDict(extra="forbid")

    change_id: UUID | None = Field(default=None, description="Null: the newest that is not undone.")


class ChangeView(BaseModel):
    """One row of history."""

    change_id: UUID
    number: int = Field(description="Counts the changes, from 1.")
    kind: ChangeKind
    person_id: UUID
    other_id: UUID | None = Field(description="The second person of a merge or a split.")
    faces: int = Field(description="How many faces it moved.")
    before: dict[str, Any] = Field(description="What fields of the person were.")
    after: dict[str, Any]
    made_at: datetime
    undone_at: datetime | None

    @classmethod
    def of(cls, change: Change) -> Self:
        """Show a change, with the fields that mean something to a person."""
        fields = {key.partition(".")[2]: values for key, values in change.fields.items()}
        shown = {name: values for name, values in fields.items() if name in {"name", "hidden"}}
        return cls(
            change_id=change.id,
            number=change.number,
            kind=change.kind,
            person_id=change.person_id,
            other_id=change.other_id,
            faces=change.faces,
            before={name: values[0] for name, values in shown.items()},
            after={name: values[1] for name, values in shown.items()},
            made_at=change.made_at,
            undone_at=change.undone_at,
        )


class ChangeList(BaseModel):
    """A page of history, newest first."""

    changes: list[ChangeView]
    next: UUID | None = Field(description=_NEXT)
