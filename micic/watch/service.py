"""A State's own acts on what is happening: declaring an area, ending it, deciding on a doubtful alert."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from alerts.gate import area_km2
from alerts.models import Message
from geo.areas import normalise
from geo.columns import SRID
from geo.covers import cover_columns
from geo.database import read_statement
from micic.audit.service import record
from micic.errors import Conflict, Invalid, NotFound
from micic.identifiers import new_id
from micic.security.principal import Permission, Principal, require
from micic.watch.models import AlertDecision, DeclaredArea, DeclaredCountry, Situation
from micic.watch.standing import order_for_state

MAX_AREA_KM2 = 17_500_000.0
"""A declared area may be a whole country; larger ones are a slip of the hand (TRUST R24)."""


@dataclass(frozen=True)
class AreaDraft:
    """An area that a crisis cell wants to declare. `geometry` in degrees lon, lat; `severity` 0 to 4."""

    label: str
    reason: str
    geometry: BaseGeometry
    severity: int
    countries: tuple[str, ...]


def open_situation(session: Session, principal: Principal, title: str, *, now: datetime) -> Situation:
    """A situation that only this State knows. Raises NotPermitted, Invalid."""
    require(principal, Permission.DECLARE_AREA)
    if not title.strip():
        raise Invalid("Give the situation a title.", field="title")
    situation = Situation(
        registering_state=principal.state, event_id=new_id(), title=title.strip(), began_at=now, opened_at=now
    )
    session.add(situation)
    _note(session, principal, "situation.open", "situation", situation.event_id, now)
    session.flush()
    return situation


def declare_area(
    session: Session, principal: Principal, event_id: uuid.UUID, draft: AreaDraft, *, now: datetime
) -> DeclaredArea:
    """Declare an area within a situation; the worker crosses it. Raises NotPermitted, NotFound, Invalid."""
    require(principal, Permission.DECLARE_AREA)
    situation = session.get(Situation, (principal.state, event_id))
    if situation is None or situation.closed_at is not None:
        raise NotFound("There is no open situation with this id.")
    geometry = _checked(draft)
    area = DeclaredArea(
        registering_state=principal.state,
        area_id=new_id(),
        event_id=event_id,
        label=draft.label.strip(),
        reason=draft.reason.strip(),
        geometry=from_shape(geometry, srid=SRID),
        severity=draft.severity,
        declared_by=principal.staff_id or uuid.UUID(int=0),
        declared_at=now,
    )
    session.add(area)
    session.flush()
    session.execute(
        text(read_statement(__package__, "insert_cover.sql")),
        {"state": principal.state, "area_id": area.area_id, **vars(cover_columns(geometry))},
    )
    session.add_all(
        DeclaredCountry(registering_state=principal.state, area_id=area.area_id, country=country)
        for country in sorted(set(draft.countries))
    )
    _note(session, principal, "area.declare", "declared_area", area.area_id, now)
    session.flush()
    return area


def end_area(session: Session, principal: Principal, area_id: uuid.UUID, *, now: datetime) -> DeclaredArea:
    """End a declared area: the only way it ends. Raises NotPermitted, NotFound, Conflict."""
    require(principal, Permission.DECLARE_AREA)
    area = session.execute(
        select(DeclaredArea)
        .where(DeclaredArea.registering_state == principal.state, DeclaredArea.area_id == area_id)
        .with_for_update()
    ).scalar_one_or_none()
    if area is None:
        raise NotFound
    if area.ended_at is not None:
        raise Conflict("This area was ended before.")
    area.ended_at, area.ended_by = now, principal.staff_id
    _note(session, principal, "area.end", "declared_area", area_id, now)
    session.flush()
    return area


def decide_alert(
    session: Session, principal: Principal, message_id: uuid.UUID, decision: str, reason: str, *, now: datetime
) -> AlertDecision:
    """Accept or reject an alert for this State. Raises NotPermitted, NotFound, Invalid."""
    require(principal, Permission.DECIDE_ALERT)
    if decision not in ("accepted", "rejected"):
        raise Invalid("Decide `accepted` or `rejected`.", field="decision")
    if not reason.strip():
        raise Invalid("Say why: the reason stays in the record.", field="reason")
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound
    if decision == "accepted" and message.status != "actual":
        raise Invalid("An exercise or test message cannot be accepted as real.", field="decision")
    row = AlertDecision(
        registering_state=principal.state,
        decision_id=new_id(),
        message_id=message_id,
        decision=decision,
        reason=reason.strip(),
        decided_by=principal.staff_id or uuid.UUID(int=0),
        decided_at=now,
    )
    session.add(row)
    session.flush()
    order_for_state(session, principal.state, message)
    _note(session, principal, f"alert.{decision}", "message", message_id, now)
    session.flush()
    return row


def _checked(draft: AreaDraft) -> MultiPolygon:
    if not draft.label.strip():
        raise Invalid("Give the area a name that people on the ground know.", field="label")
    if not draft.reason.strip():
        raise Invalid("Say why the area is declared.", field="reason")
    if draft.severity not in range(5):
        raise Invalid("Severity is 0 to 4.", field="severity")
    geometry = normalise(draft.geometry)
    if geometry.is_empty:
        raise Invalid("The area is empty: draw at least a triangle.", field="geometry")
    if area_km2(geometry) > MAX_AREA_KM2:
        raise Invalid("The area is larger than the largest country: declare the parts that matter.", field="geometry")
    return geometry


def _note(session: Session, principal: Principal, action: str, kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    record(
        session,
        principal.state,
        principal.actor,
        action,
        now=now,
        purpose=principal.purpose or None,
        subject_kind=kind,
        subject_id=subject_id,
    )
