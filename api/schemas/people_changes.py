"""What is said about people, and the history of it, on the wire."""

from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from facefleet.names import NAME_MAX_CHARS, is_name
from facefleet.people_records import Change, ChangeKind


def _check_person_name(name: str) -> str:
    """Refuse what the ledger refuses too.

    Raises:
        ValueError: why nobody has this name.
    """
    if not is_name(name.strip()):
        raise ValueError("a person's name has printable characters")
    return name.strip()


PersonName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=NAME_MAX_CHARS, examples=["Anna"]), AfterValidator(_check_person_name)
]
FaceIds: TypeAlias = Annotated[list[UUID], Field(min_length=1, max_length=1000)]


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


class PurgedPerson(BaseModel):
    """What the purge of a person removed."""

    faces: int = Field(description="Faces of indexed photos.")
    photos: int = Field(description="How many photos they were on; they stay where they are.")


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
    next: UUID | None = Field(description="`after` of the next page; null on the last.")
