"""The service itself on the wire: problems and readiness."""

from typing import Self

from pydantic import BaseModel, Field

from facefleet.identity.caller import Caller, Scope


class ProblemView(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["album_not_found"], description="A stable word for machines.")
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no album named 'wedding'."], description="A sentence for a person.")
    instance: str = Field(examples=["/v1/albums/wedding"])


class Check(BaseModel):
    """One dependency."""

    ok: bool
    detail: str


class Readiness(BaseModel):
    """Whether this process can serve, and what it lacks."""

    ready: bool
    checks: dict[str, Check]


class ModelPackView(BaseModel):
    """What faces are found and compared with."""

    name: str
    version: str
    licence: str
    runtime: str
    drawn_people: bool = Field(description="Whether it knows drawn people only.")
    calibration: str = Field(description="What its similarities mean, in a sentence.")


class WorkView(BaseModel):
    """What the fleet has to do, and how fast it goes."""

    waiting: int = Field(description="Photos that are pending or leased.")
    leased: int = Field(description="Photos that a worker has taken.")
    finished_per_minute: int
    oldest_s: float = Field(description="How long the photo that waits longest has been due.")


class LimitsView(BaseModel):
    """What a client should know before it sends or asks for much."""

    max_photo_bytes: int
    max_upload_bytes: int
    max_upload_photos: int
    max_probe_bytes: int
    max_download_photos: int


class SystemView(BaseModel):
    """The server and its fleet, for an operator."""

    version: str
    embedded: bool = Field(description="Whether all of it runs in one process.")
    has_fleet: bool = Field(description="Whether anybody would index photos.")
    folder_sources: bool = Field(description="Whether folders of the server may be indexed.")
    model: ModelPackView | None
    work: WorkView
    limits: LimitsView
    flower_url: str
    grafana_url: str


class SessionView(BaseModel):
    """Who calls, and what they may do."""

    keys: bool = Field(description="Whether this server asks for keys at all.")
    tenant: str
    scopes: list[Scope]
    albums: list[str] | None = Field(description="The only albums that the key sees; null: all of its tenant.")
    key_id: str = Field(description="Of the key; empty where keys are off.")

    @classmethod
    def of(cls, caller: Caller, *, keys_are_on: bool) -> Self:
        """Show a caller."""
        return cls(
            keys=keys_are_on,
            tenant=caller.tenant,
            scopes=[scope for scope in Scope if caller.may(scope)],
            albums=None if caller.albums is None else sorted(caller.albums),
            key_id=caller.key_id,
        )
