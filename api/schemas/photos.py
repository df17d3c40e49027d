"""Photos on the wire."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from facefleet.records import Photo, PhotoState


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
        )


class PhotoList(BaseModel):
    """A page of photos."""

    photos: list[PhotoView]
    next: UUID | None = Field(description="`after` of the next page; null on the last.")


class Retried(BaseModel):
    """How many dead photos are tried again."""

    retried: int


class Rebuilt(BaseModel):
    """What was missing in the gallery, and what did not belong there."""

    indexed_again: int = Field(description="Photos that are indexed again, because faces of theirs were missing.")
    photos_removed: int = Field(description="Photos whose faces were removed, because the ledger has none of them.")
