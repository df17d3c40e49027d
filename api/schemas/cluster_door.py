"""`POST /cluster` on the wire."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.albums import AlbumName


class ClusterRequest(BaseModel):
    """Which faces to group."""

    model_config = ConfigDict(extra="forbid")

    job_id: str = Field(min_length=1, max_length=255, description="The caller's own; comes back as it is.")
    event_id: AlbumName = Field(description="The album's name.")


class ClusterView(BaseModel):
    """One person of the album."""

    cluster_label: int = Field(description="0 has most faces.")
    face_count: int
    representative_face_id: UUID | None = Field(description="Null while its photo is being indexed again.")
    avg_quality: float = Field(description="0-1.")


class ClusterAnswer(BaseModel):
    """The clusters of an album."""

    job_id: str
    event_id: str
    total_faces: int
    clusters_created: int
    noise_faces: int = Field(description="Faces that belong to none.")
    clusters: list[ClusterView]
    processing_time_seconds: float
    status: Literal["completed", "running", "failed"] = Field(
        description="running: the clusters are those of before; ask again, or GET /v1/albums/{album}/people/cluster."
    )
