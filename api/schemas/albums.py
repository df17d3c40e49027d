"""Albums on the wire."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from facefleet.names import NAME_MAX_CHARS, is_album_name
from facefleet.records import AlbumSummary


def check_album_name(name: str) -> str:
    """Refuse what the ledger refuses too, before a path with it reaches the database.

    Raises:
        ValueError: why no album has this name.
    """
    if not is_album_name(name):
        raise ValueError("an album's name has printable characters without a slash, and is neither . nor ..")
    return name


AlbumName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=NAME_MAX_CHARS, examples=["wedding"]), AfterValidator(check_album_name)
]


RetentionDays: TypeAlias = Annotated[
    int | None,
    Field(ge=1, le=36_500, description="The album is deleted after so many days without a search; null: it is kept."),
]


class NewAlbum(BaseModel):
    """An album to create."""

    model_config = ConfigDict(extra="forbid")

    name: AlbumName
    forget_after_days: RetentionDays = None


class AlbumChange(BaseModel):
    """What is to be different about an album."""

    model_config = ConfigDict(extra="forbid")

    forget_after_days: RetentionDays


class AlbumView(BaseModel):
    """An album with its counts."""

    id: UUID
    name: str
    created_at: datetime
    photos: int = Field(description="Photos that are not deleted.")
    indexed: int
    dead: int
    faces: int
    forget_after_days: RetentionDays = None

    @classmethod
    def of(cls, summary: AlbumSummary) -> Self:
        """Show a summary."""
        album = summary.album
        return cls(
            id=album.id,
            name=album.name,
            created_at=album.created_at,
            photos=summary.photos,
            indexed=summary.indexed,
            dead=summary.dead,
            faces=summary.faces,
            forget_after_days=album.forget_after_days,
        )


class AlbumList(BaseModel):
    """All albums, by name."""

    albums: list[AlbumView]
