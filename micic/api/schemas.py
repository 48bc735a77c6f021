"""What the API reads. What it gives is the figures' own dataclasses."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and a lone surrogate is no text (TRUST section 10)."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("NUL and lone surrogates cannot be stored")
    return text


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
Prose = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_storable)]


class Body(BaseModel):
    """Unknown members are refused: a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SignIn(Body):
    state: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    login: Line
    password: Annotated[str, Field(min_length=1, max_length=200)]


class FreezeList(Body):
    post_id: uuid.UUID
    kind: Literal["assistance", "evacuation"]


class ReleaseList(Body):
    """`people` repeats the number of people on the list: who releases has seen it."""

    recipient_class: Annotated[str, Field(min_length=1, max_length=30), AfterValidator(_storable)]
    note: Prose
    people: Annotated[int, Field(ge=0)]


class DecideAlert(Body):
    decision: Literal["accepted", "rejected"]
    reason: Prose


class DeclareArea(Body):
    """`geometry`: a GeoJSON Polygon or MultiPolygon (RFC 7946)."""

    label: Line
    reason: Prose
    severity: Annotated[int, Field(ge=0, le=4)]
    geometry: dict[str, Any]


class ApproveCampaign(Body):
    """`recipients` repeats the number of addresses it goes to."""

    recipients: Annotated[int, Field(ge=0)]


class OpenSituation(Body):
    title: Line


class Session(BaseModel):
    """A session for a program: send `Authorization: Bearer <token>`."""

    token: str
    idle_s: int
    absolute_s: int


class Act(BaseModel):
    """What an act made or changed."""

    id: uuid.UUID
    at: datetime
    status: str
