"""Bucket notifications on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from facefleet.records import DeadEvent


class EventsTaken(BaseModel):
    """What became of one notification."""

    events: int = Field(description="Events that were followed.")
    rejected: int = Field(description="Events that ended in `/v1/ingest/dead`.")
    new_photos: int = Field(description="Photos that wait because of it.")


class DeadEventView(BaseModel):
    """A notification, or a part of one, that says nothing usable."""

    id: UUID
    received_at: datetime
    reason: str = Field(examples=["unknown_bucket"], description="A stable word for machines.")
    detail: str = Field(description="A sentence for a person.")
    body: str = Field(description="What was sent, cut to 16,384 characters.")

    @classmethod
    def of(cls, event: DeadEvent) -> Self:
        """Show a rejected event."""
        return cls(
            id=event.id, received_at=event.received_at, reason=event.reason, detail=event.detail, body=event.body
        )


class DeadEventList(BaseModel):
    """One page of rejected events, newest first."""

    events: list[DeadEventView]
    next: UUID | None = Field(description="`after` of the next page; null on the last one.")
