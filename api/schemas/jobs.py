"""Indexing runs on the wire."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from facefleet.records import JobProgress, JobState


class IndexRequest(BaseModel):
    """Photos to index where they lie."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        min_length=1,
        max_length=4096,
        examples=["s3://bucket/prefix"],
        description="`s3://bucket/prefix`, or a folder of the server (`/absolute/path` or `file:///absolute/path`).",
    )


class IndexStarted(BaseModel):
    """The job that lists the source and indexes its photos."""

    job_id: UUID
    album: str
    source: str


class JobView(BaseModel):
    """One indexing run and how far it is."""

    job_id: UUID
    album: str
    source: str
    state: JobState
    detail: str | None = Field(description="Why it failed.")
    photos: int
    indexed: int
    dead: int
    waiting: int
    faces: int
    seconds: float
    photos_per_second: float
    seconds_left: float | None = Field(description="Null while it is not known.")

    @classmethod
    def of(cls, progress: JobProgress) -> Self:
        """Show a job's progress."""
        job = progress.job
        rate = progress.photos_per_second
        return cls(
            job_id=job.id,
            album=job.album_name,
            source=job.source,
            state=job.state,
            detail=job.detail,
            photos=progress.photos,
            indexed=progress.indexed,
            dead=progress.dead,
            waiting=progress.waiting,
            faces=progress.faces,
            seconds=round(progress.seconds, 3),
            photos_per_second=round(rate, 3),
            seconds_left=_seconds_left(progress, rate),
        )


def _seconds_left(progress: JobProgress, rate: float) -> float | None:
    if progress.job.state in {JobState.DONE, JobState.FAILED}:
        return 0.0
    if progress.job.state is JobState.LISTING or rate == 0:
        return None
    return round(progress.waiting / rate, 1)
