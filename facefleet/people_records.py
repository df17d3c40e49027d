"""What is said about people: frozen dataclasses that ledger, workers and API share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from facefleet.records import Face


class ChangeKind(StrEnum):
    """What a human did to people."""

    NAME = "name"
    HIDE = "hide"
    COVER = "cover"
    MERGE = "merge"
    SPLIT = "split"
    CREATE = "create"
    MOVE = "move"
    NOT = "not"
    DELETE = "delete"


class ClusteringState(StrEnum):
    """`none -> waiting -> running -> done | failed`, and `waiting` again when photos come."""

    NONE = "none"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PersonFace:
    """A face that is somebody's."""

    #: Who it is after all merges.
    person_id: UUID
    face: Face
    album_name: str
    #: Whether a human said so.
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with what there is of them in one album or in all of a tenant."""

    id: UUID
    name: str | None
    hidden: bool
    created_at: datetime
    faces: int
    photos: int
    #: The face that shows the person: the chosen one, else the best. None: there is no face (now).
    cover: PersonFace | None


@dataclass(frozen=True, slots=True)
class PhotoFace:
    """A face of a photo, and whose it is."""

    face: Face
    #: None: nobody's.
    person_id: UUID | None
    name: str | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class PersonPhoto:
    """A photo with a person on it."""

    photo_id: UUID
    name: str
    album_name: str
    #: The person's faces on it; more than one only if a human said so.
    face_ids: tuple[UUID, ...]
    #: By the camera's own clock, without a time zone; None: not known.
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Companion:
    """Somebody who is on the same photos."""

    person_id: UUID
    name: str | None
    hidden: bool
    #: How many photos show both.
    photos: int


@dataclass(frozen=True, slots=True)
class Change:
    """One row of history."""

    id: UUID
    #: Counts a tenant's changes from 1.
    number: int
    kind: ChangeKind
    person_id: UUID
    #: The second person of a merge or a split.
    other_id: UUID | None
    #: {person id.field: [before, after]}.
    fields: dict[str, Any]
    #: How many faces it moved.
    faces: int
    made_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clustering:
    """How far the grouping of an album's faces into people is."""

    state: ClusteringState
    #: What went wrong last, for a person.
    detail: str | None
    #: Photos with faces that no run has looked at.
    new_photos: int
    #: Of the last run that ended well; None before the first.
    finished_at: datetime | None
    seconds: float | None
    total_faces: int | None
    clusters: int | None
    noise_faces: int | None


@dataclass(frozen=True, slots=True)
class Unseen:
    """Photos that a run looks at for the first time, with their stamps."""

    stamps: Mapping[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which faces are together."""

    #: {face id: number of its cluster, or -1}; faces that are not named are left as they are.
    labels: Mapping[UUID, int]
    #: Of new faces that joined: which label stands for whom; None: all faces were grouped anew.
    owners: Mapping[int, UUID] | None = None
    #: What grouping anew learnt, for faces that come later: JSON.
    limits: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Grouped:
    """What a run found."""

    model_version: str
    grouping: Grouping
    unseen: Unseen
    seconds: float
