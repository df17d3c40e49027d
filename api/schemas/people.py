"""People on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from api.photo_links import Links
from api.schemas.faces import Rectangle, fraction, rectangle
from api.schemas.photos import TAKEN_AT
from facefleet.people_records import (
    Clustering,
    ClusteringState,
    Companion,
    Person,
    PersonFace,
    PersonPhoto,
    PhotoFace,
)

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
    taken_at: datetime | None = Field(description=TAKEN_AT)
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
            taken_at=photo.taken_at,
            thumbnail=links.to_thumbnail(photo.photo_id) if links else None,
            link=links.to_photo(photo.photo_id) if links else None,
        )


class PersonPhotoList(BaseModel):
    """A page of photos, by when they were taken; those of which that is not known last, by name."""

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
