"""Photos on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.faces import FaceView
from facefleet.records import Photo, PhotoState

TAKEN_AT = "When it was taken, by the camera's own clock, without a time zone; null: not known."
_THUMBNAIL = "A link to a small picture of it that expires; with `links=true`. `&size=screen` makes it larger."
_LINK = "A link to the photo as it is stored that expires; with `links=true`."


class ReceivedPhoto(BaseModel):
    """One photo that was sent."""

    photo: str = Field(examples=["IMG_0042.jpg"])
    size_bytes: int


class PhotosReceived(BaseModel):
    """Photos that are stored and wait to be indexed."""

    job_id: UUID
    photos: list[ReceivedPhoto]


class PhotoView(BaseModel):
    """One photo and what became of it."""

    photo_id: UUID
    photo: str = Field(
        examples=["2024/IMG_0042.jpg"], description="Its path in the source, or the name it was sent with."
    )
    state: PhotoState
    reason: str | None = Field(examples=["photo_undecodable"], description="Why it is dead, for machines.")
    detail: str | None = Field(description="Why it is dead, for a person.")
    faces: int | None
    width: int | None
    height: int | None
    size_bytes: int
    taken_at: datetime | None = Field(description=TAKEN_AT)
    thumbnail: str | None = Field(default=None, description=_THUMBNAIL)
    link: str | None = Field(default=None, description=_LINK)

    @classmethod
    def of(cls, photo: Photo) -> Self:
        """Show a photo's row."""
        return cls(
            photo_id=photo.id,
            photo=photo.name,
            state=photo.state,
            reason=photo.reason,
            detail=photo.detail,
            faces=photo.face_count,
            width=photo.width_px,
            height=photo.height_px,
            size_bytes=photo.size_bytes,
            taken_at=photo.taken_at,
        )


class PhotoList(BaseModel):
    """A page of photos."""

    photos: list[PhotoView]
    next: UUID | None = Field(description="`after` of the next page; null on the last.")


class PhotoWithFaces(BaseModel):
    """A photo and who is in it."""

    photo: PhotoView
    faces: list[FaceView] = Field(description="In the order in which they were found, best detection first.")


class PhotoToSend(BaseModel):
    """A photo that a client has."""

    model_config = ConfigDict(extra="forbid")

    photo: str = Field(min_length=1, max_length=16_384, description="The name it would be sent with.")
    size_bytes: int = Field(ge=0, le=2**53)


class PhotosToSend(BaseModel):
    """Photos that a client is about to send."""

    model_config = ConfigDict(extra="forbid")

    photos: list[PhotoToSend] = Field(max_length=1000)


class KnownPhotos(BaseModel):
    """Which of them the album has."""

    known: list[bool] = Field(description="One for each photo, in their order.")


class WantedPhotos(BaseModel):
    """Photos to download."""

    model_config = ConfigDict(extra="forbid")

    photo_ids: list[UUID] = Field(min_length=1, max_length=1500)


class Retried(BaseModel):
    """How many dead photos are tried again."""

    retried: int


class Rebuilt(BaseModel):
    """What was missing in the gallery, and what did not belong there."""

    indexed_again: int = Field(description="Photos that are indexed again, because faces of theirs were missing.")
    photos_removed: int = Field(description="Photos whose faces were removed, because the ledger has none of them.")
