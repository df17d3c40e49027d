"""The service itself on the wire: problems and readiness."""

from pydantic import BaseModel, Field


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
