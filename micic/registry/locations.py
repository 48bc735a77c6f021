"""Hearing where somebody is: locations are appended, never overwritten, and each one asks for a new crossing."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from geoalchemy2.shape import from_shape
from shapely.geometry import Point
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.columns import SRID
from geo.coordinates import Position
from geo.database import read_statement
from micic.audit.service import record
from micic.errors import Conflict, Invalid, NotFound
from micic.identifiers import new_id
from micic.registry.location_models import Location, Recross
from micic.registry.models import Migrant
from micic.registry.whereabouts import COUNTRY_CLASS, radius_class
from micic.security.principal import Permission, Principal, require

# RULES 1: what a source is accurate to when nobody says.
DEFAULT_ACCURACY_M = {
    "check_in": 1_000.0,
    "officer": 1_000.0,
    "third_party": 5_000.0,
    "detention": 500.0,
    "vessel": 25_000.0,
    "flight": 100_000.0,
    "trip_leg": 500.0,
    "residence": 500.0,
}
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class LocationDraft:
    """A claim about where somebody is. Without a position only the country is known."""

    source: str
    country: str
    position: Position | None = None
    accuracy_m: float | None = None
    observed_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    stay_id: uuid.UUID | None = None


def append_location(
    session: Session,
    principal: Principal,
    migrant_id: uuid.UUID,
    draft: LocationDraft,
    *,
    now: datetime,
    cause: str = "move",
) -> Location:
    """Add a claim and ask for the person to be crossed anew. `observed_at` is capped at receipt.

    Raises NotPermitted, NotFound (or not visible), Invalid with the field.
    """
    require(principal, Permission.RECORD_NEWS)
    if session.get(Migrant, (principal.state, migrant_id)) is None:
        raise NotFound
    location = make_location(session, principal.state, migrant_id, draft, now=now)
    session.add(location)
    request_crossing(session, principal.state, migrant_id, cause, now=now)
    record(
        session,
        principal.state,
        principal.actor,
        "location.append",
        now=now,
        purpose=principal.purpose or None,
        subject_kind="migrant",
        subject_id=migrant_id,
        details={"source": draft.source},
    )
    session.flush()
    return location


def make_location(
    session: Session, state: str, migrant_id: uuid.UUID, draft: LocationDraft, *, now: datetime
) -> Location:
    """The row for a claim, with its radius class and serving post. Raises Invalid."""
    observed_at = min(draft.observed_at or now, now)
    if draft.observed_at is not None and draft.observed_at > now + CLOCK_SKEW:
        raise Invalid("The time of the observation lies in the future.", field="observed_at")
    if draft.source not in (*DEFAULT_ACCURACY_M, "jurisdiction"):
        raise Invalid(f"Unknown source of a location: {draft.source}.", field="source")
    valid_from = draft.valid_from or observed_at
    if draft.valid_until is not None and draft.valid_until <= valid_from:
        raise Invalid("The stay ends before it begins.", field="valid_until")
    position, accuracy_m = draft.position, draft.accuracy_m
    if position is not None and accuracy_m is None:
        accuracy_m = DEFAULT_ACCURACY_M.get(draft.source)
    name = COUNTRY_CLASS if position is None else radius_class(accuracy_m)
    if name == COUNTRY_CLASS:
        position = None
    return Location(
        registering_state=state,
        location_id=new_id(),
        migrant_id=migrant_id,
        stay_id=draft.stay_id,
        source=draft.source,
        position=None if position is None else from_shape(Point(position.lon, position.lat), srid=SRID),
        accuracy_m=accuracy_m,
        radius_class=name,
        country=draft.country,
        serving_post_id=find_serving_post(session, state, draft.country, position),
        observed_at=observed_at,
        valid_from=valid_from,
        valid_until=draft.valid_until,
        recorded_at=now,
    )


def retract_location(session: Session, principal: Principal, location_id: uuid.UUID, *, now: datetime) -> Location:
    """Take a claim back: it was wrong. The row stays. Raises NotPermitted, NotFound, Conflict."""
    require(principal, Permission.RECORD_NEWS)
    location = session.execute(
        select(Location).where(Location.registering_state == principal.state, Location.location_id == location_id)
    ).scalar_one_or_none()
    if location is None:
        raise NotFound
    if location.retracted_at is not None:
        raise Conflict("This location was retracted before.")
    location.retracted_at = now
    request_crossing(session, principal.state, location.migrant_id, "correction", now=now)
    record(
        session,
        principal.state,
        principal.actor,
        "location.retract",
        now=now,
        purpose=principal.purpose or None,
        subject_kind="migrant",
        subject_id=location.migrant_id,
    )
    session.flush()
    return location


def request_crossing(session: Session, state: str, migrant_id: uuid.UUID, cause: str, *, now: datetime) -> None:
    """Ask the worker, in this transaction, to derive and cross this person anew."""
    session.add(
        Recross(registering_state=state, recross_id=new_id(), migrant_id=migrant_id, cause=cause, requested_at=now)
    )


def find_serving_post(session: Session, state: str, country: str, position: Position | None) -> uuid.UUID | None:
    """The post of `state` whose jurisdiction holds the place; None where the State has none."""
    return session.execute(
        text(read_statement(__package__, "serving.sql")),
        {
            "state": state,
            "country": country,
            "lon": None if position is None else position.lon,
            "lat": None if position is None else position.lat,
        },
    ).scalar_one_or_none()
