"""The selects behind the figures: named SQL, run under the caller's context, which decides what is counted."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from geo.cells import LEVEL, cell_bounds
from geo.database import read_statement
from micic.audit.service import record
from micic.cases.queries import NEWS
from micic.errors import NotFound
from micic.exposure.models import ExposureCountry
from micic.posts.models import ConsularPost
from micic.reports.figures import (
    PRESENCES,
    Age,
    CampaignRow,
    CellRow,
    Change,
    Coverage,
    EventRow,
    FeedHealth,
    Figures,
    Group,
    HeldAlert,
    ListRow,
    PersonRow,
    SeverityCount,
    Version,
    Waiting,
    ZoneRow,
    estimate_inside,
    is_dark,
)
from micic.security.principal import Permission, Principal, require

PAGE = 100
CELL_ZOOM = 9  # about 78 km at the equator: a table of tens of rows, not of thousands
MANY = 200


def _rows(session: Session, statement: str, parameters: Mapping[str, Any]) -> list[RowMapping]:
    words = read_statement(__package__, statement).replace("{news}", NEWS)
    return list(session.execute(text(words), parameters).mappings())


def list_events(
    session: Session, principal: Principal, *, now: datetime, event_id: uuid.UUID | None = None
) -> list[EventRow]:
    """The State's situations, worst first."""
    require(principal, Permission.READ_SITUATION)
    rows = _rows(session, "events.sql", {"state": principal.state, "now": now, "event": event_id})
    return [EventRow(**row) for row in rows]


def get_event(session: Session, principal: Principal, event_id: uuid.UUID, *, now: datetime) -> EventRow:
    """One situation. Raises NotFound, also for an event that does not concern this State."""
    found = list_events(session, principal, now=now, event_id=event_id)
    if not found:
        raise NotFound("There is no such event, or it does not concern your posts.")
    return found[0]


def get_figures(session: Session, principal: Principal, event_id: uuid.UUID, *, now: datetime) -> Figures:
    """Everything that is counted of one event, with its time, age and coverage."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "event": event_id, "now": now}
    counted = _rows(session, "figures.sql", asked)
    groups = {row["presence"]: _group(row) for row in counted if row["presence"] is not None}
    total = next((_group(row) for row in counted if row["presence"] is None), Group())
    inside = groups.get("inside", Group()).persons
    ages = _rows(session, "age.sql", asked)
    coverage = tuple(
        Coverage(**row) for row in _rows(session, "coverage.sql", {**asked, "posts": list(principal.posts)})
    )
    return Figures(
        event_id=event_id,
        at=now,
        groups={presence: groups.get(presence, Group()) for presence in PRESENCES},
        total=total,
        by_severity=tuple(SeverityCount(**row) for row in _rows(session, "severity.sql", asked)),
        age=next((_age(row) for row in ages if row["is_total"] and row["persons"]), None),
        age_by_post=tuple(_age(row) for row in ages if not row["is_total"]),
        coverage=coverage,
        estimate=estimate_inside(inside, coverage),
    )


def _group(row: RowMapping) -> Group:
    return Group(**{name: value for name, value in row.items() if name != "presence"})


def _age(row: RowMapping) -> Age:
    median_s, p90_s = float(row["median_s"]), float(row["p90_s"])
    return Age(median_s, p90_s, row["persons"], row["older_than_a_day"], row["post_name"])


def list_changes(
    session: Session, principal: Principal, event_id: uuid.UUID, *, since: datetime | None = None
) -> list[Change]:
    """What changed for the event's people since an instant (None: ever), newest first."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "event": event_id, "since": since}
    return [Change(**row) for row in _rows(session, "changes.sql", asked)]


def list_versions(session: Session, principal: Principal, event_id: uuid.UUID) -> list[Version]:
    """The event's life, oldest first."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "event": event_id}
    return [Version(**row) for row in _rows(session, "versions.sql", asked)]


def list_zones(session: Session, principal: Principal, event_id: uuid.UUID, *, now: datetime) -> list[ZoneRow]:
    """The zones in force, worst first."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "event": event_id, "now": now}
    return [ZoneRow(**row) for row in _rows(session, "zones.sql", asked)]


def find_bounds(
    session: Session, principal: Principal, event_id: uuid.UUID, *, now: datetime
) -> tuple[float, float, float, float] | None:
    """(west, south, east, north) of the zones in force, degrees; None when nothing is drawn."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "event": event_id, "now": now}
    row = _rows(session, "bounds.sql", asked)[0]
    return None if row["west"] is None else (row["west"], row["south"], row["east"], row["north"])


def list_unknown_countries(session: Session, principal: Principal, event_id: uuid.UUID) -> list[str]:
    """The countries that the event concerns, ISO 3166-1 alpha-3: where people are whose place is not known."""
    require(principal, Permission.READ_SITUATION)
    query = select(ExposureCountry.country).where(
        ExposureCountry.registering_state == principal.state,
        ExposureCountry.event_id == event_id,
        ExposureCountry.ended_at.is_(None),
    )
    return sorted(session.execute(query).scalars())


def list_cells(session: Session, principal: Principal, event_id: uuid.UUID, *, size: int = 25) -> list[CellRow]:
    """The map cells with most people, as a table."""
    require(principal, Permission.READ_SITUATION)
    shift = 2 * (LEVEL - CELL_ZOOM)
    asked = {"state": principal.state, "event": event_id, "shift": shift, "size": size}
    return [_cell(row) for row in _rows(session, "cells.sql", asked)]


def _cell(row: RowMapping) -> CellRow:
    west, south, east, north = cell_bounds(row["prefix"], CELL_ZOOM)
    counts = {name: row[name] for name in ("persons", "inside", "possible", "severity")}
    return CellRow(lat=(south + north) / 2, lon=(west + east) / 2, **counts)


def list_people(
    session: Session,
    principal: Principal,
    event_id: uuid.UUID,
    *,
    now: datetime,
    presence: str | None = None,
    answer: str | None = None,
    after: tuple[int, uuid.UUID] | None = None,
    size: int = PAGE,
) -> list[PersonRow]:
    """One page of the event's people by name. The read of the set is one audit row that names the event.

    Raises NotPermitted, PurposeMissing, NotFound.
    """
    require(principal, Permission.READ_PERSONS)
    get_event(session, principal, event_id, now=now)
    asked = {
        "state": principal.state,
        "event": event_id,
        "presence": presence,
        "answer": answer,
        "after_severity": after[0] if after else None,
        "after_id": after[1] if after else None,
        "size": min(size, PAGE),
    }
    people = [PersonRow(**row) for row in _rows(session, "people.sql", asked)]
    record(
        session,
        principal.state,
        principal.actor,
        "people_read",
        now=now,
        purpose=principal.purpose,
        subject_kind="event",
        subject_id=event_id,
        details={"persons": len(people), "presence": presence, "answer": answer},
    )
    return people


def list_campaigns(session: Session, principal: Principal, event_id: uuid.UUID) -> list[CampaignRow]:
    """The event's messages, newest first."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "event": event_id}
    return [CampaignRow(**row) for row in _rows(session, "campaigns.sql", asked)]


def list_lists(
    session: Session,
    principal: Principal,
    *,
    event_id: uuid.UUID | None = None,
    list_id: uuid.UUID | None = None,
    after: tuple[datetime, uuid.UUID] | None = None,
    size: int = MANY,
) -> list[ListRow]:
    """Versions of lists of the reader's posts, newest first. Counts only; reading lines is micic.lists' act."""
    require(principal, Permission.READ_SITUATION)
    asked = {
        "state": principal.state,
        "event": event_id,
        "list": list_id,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
        "size": min(size, MANY),
    }
    return [ListRow(**row) for row in _rows(session, "lists.sql", asked)]


def get_list(session: Session, principal: Principal, list_id: uuid.UUID) -> ListRow:
    """One list without its lines. Raises NotFound."""
    found = list_lists(session, principal, list_id=list_id)
    if not found:
        raise NotFound("There is no such list, or it belongs to a post that is not yours.")
    return found[0]


def list_held_alerts(
    session: Session, principal: Principal, *, now: datetime, event_id: uuid.UUID | None = None
) -> list[HeldAlert]:
    """Alerts that wait for this State's word."""
    require(principal, Permission.READ_SITUATION)
    asked = {"state": principal.state, "now": now, "event": event_id, "size": MANY}
    return [HeldAlert(**row) for row in _rows(session, "held.sql", asked)]


def get_held_alert(session: Session, principal: Principal, message_id: uuid.UUID, *, now: datetime) -> HeldAlert:
    """One alert that waits. Raises NotFound, also when it has been decided meanwhile."""
    for alert in list_held_alerts(session, principal, now=now):
        if alert.message_id == message_id:
            return alert
    raise NotFound("This alert no longer waits: it was decided, replaced or has expired.")


def list_waiting(session: Session, principal: Principal, *, now: datetime, event_id: uuid.UUID | None) -> Waiting:
    """What people must decide: doubtful alerts everywhere, and the event's lists and messages."""
    alerts = tuple(list_held_alerts(session, principal, now=now))
    if event_id is None:
        return Waiting(alerts, (), ())
    lists = list_lists(session, principal, event_id=event_id)
    campaigns = list_campaigns(session, principal, event_id)
    return Waiting(
        alerts,
        tuple(row for row in lists if row.is_latest and row.status == "frozen" and row.line_count),
        tuple(row for row in campaigns if row.status == "pending_approval"),
    )


def list_feeds(session: Session, *, now: datetime) -> list[FeedHealth]:
    """How fresh each feed is."""
    return [
        replace(FeedHealth(**row), is_dark=row["enabled"] and is_dark(row["succeeded_at"], row["cadence_s"], now))
        for row in _rows(session, "feeds.sql", {})
    ]


def list_posts(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str, str, float, float]]:
    """Every post of the State: id, name, kind, lon, lat."""
    position = ConsularPost.position
    query = (
        select(ConsularPost.post_id, ConsularPost.name, ConsularPost.kind, position.ST_X().label("x"), position.ST_Y())
        .where(ConsularPost.registering_state == principal.state)
        .order_by(ConsularPost.name)
    )
    return [tuple(row) for row in session.execute(query)]
