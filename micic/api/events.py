"""Events as a State sees them: figures, changes, versions, zones, people, and what waits for a decision."""

import json
import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import Response

from geo.geojson import GeoJSONError, area_from_geojson
from micic.api.conditions import conditional, require_match, versioned
from micic.api.cursors import after_severity, read_severity
from micic.api.idempotency import OnlyOnce
from micic.api.schemas import Act, DeclareArea, OpenSituation
from micic.door import Now, Transaction, Who
from micic.errors import Invalid, NotFound
from micic.geography import countries_touching
from micic.reports import queries
from micic.reports.figures import Figures, Version, sum_of
from micic.watch.service import AreaDraft, declare_area, end_area, open_situation

router = APIRouter(tags=["events"])
Page = Annotated[int, Query(ge=1, le=queries.PAGE)]


@router.get("/events")
def read_events(session: Transaction, principal: Who, now: Now) -> dict[str, Any]:
    """The State's situations, worst first; with the freshness of the feeds, without which silence means nothing."""
    return {
        "at": now,
        "events": queries.list_events(session, principal, now=now),
        "feeds": queries.list_feeds(session, now=now),
    }


@router.post("/events", status_code=201)
def create_event(session: Transaction, principal: Who, now: Now, once: OnlyOnce, body: OpenSituation) -> Response:
    """Open a situation that no feed knows of."""

    def act() -> Act:
        situation = open_situation(session, principal, body.title, now=now)
        return Act(id=situation.event_id, at=now, status="open")

    return once.run(body, act, status=201)


@router.get("/events/{event_id}")
def read_event(session: Transaction, principal: Who, now: Now, event_id: uuid.UUID) -> Response:
    """One event whole: the line, the figures, zones in force and the versions of its alert. The ETag is the
    situation's version, for If-Match.
    """
    event = queries.get_event(session, principal, event_id, now=now)
    whole = {
        "event": event,
        "figures": queries.get_figures(session, principal, event_id, now=now),
        "zones": queries.list_zones(session, principal, event_id, now=now),
        "versions": queries.list_versions(session, principal, event_id),
    }
    return versioned(whole, f'"{event.version}"')


@router.get("/events/{event_id}/figures", response_model=Figures)
def read_figures(request: Request, session: Transaction, principal: Who, now: Now, event_id: uuid.UUID) -> Response:
    """Counts by presence with coverage, age of the locations and time (RULES 6)."""
    queries.get_event(session, principal, event_id, now=now)
    figures = queries.get_figures(session, principal, event_id, now=now)
    return conditional(request, _json(figures), "application/json")


@router.get("/events/{event_id}/changes")
def read_changes(
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    since: datetime | None = None,
    version: uuid.UUID | None = None,
) -> dict[str, Any]:
    """Who entered, left, was raised, lowered, firmed or loosened, and why: in all, since an instant, or since a
    version of the alert (`version`: the id of its message) was crossed.
    """
    queries.get_event(session, principal, event_id, now=now)
    if version is not None:
        since = _crossed_at(queries.list_versions(session, principal, event_id), version)
    if since is not None and since.tzinfo is None:
        raise Invalid("Times need a zone: 2026-11-23T14:10:00Z.", field="since")
    changes = queries.list_changes(session, principal, event_id, since=since)
    return {"at": now, "since": since, "sum": sum_of(changes), "changes": changes}


def _crossed_at(versions: list[Version], message_id: uuid.UUID) -> datetime:
    for version in versions:
        if version.step_id == message_id and version.crossed_at is not None:
            return version.crossed_at
    raise NotFound("That version was not crossed, or is not of this event.")


@router.get("/events/{event_id}/people")
def read_people(
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    presence: Literal["inside", "possible"] | None = None,
    answer: Literal["safe", "need_help", "silent"] | None = None,
    cursor: str | None = None,
    limit: Page = queries.PAGE,
) -> dict[str, Any]:
    """People by name, most severe first. Audited as one read of the event's people."""
    people = queries.list_people(
        session, principal, event_id, now=now, presence=presence, answer=answer, after=read_severity(cursor), size=limit
    )
    last = people[-1] if len(people) == limit else None
    return {"at": now, "people": people, "next": after_severity(last.severity, last.migrant_id) if last else None}


@router.get("/events/{event_id}/waiting")
def read_waiting(session: Transaction, principal: Who, now: Now, event_id: uuid.UUID) -> dict[str, Any]:
    """What people must decide now: doubtful alerts, lists to release, messages to approve."""
    queries.get_event(session, principal, event_id, now=now)
    waiting = queries.list_waiting(session, principal, now=now, event_id=event_id)
    return {"at": now, "count": waiting.count, "waiting": waiting}


@router.post("/events/{event_id}/areas", status_code=201)
def create_area(
    request: Request,
    session: Transaction,
    principal: Who,
    now: Now,
    once: OnlyOnce,
    event_id: uuid.UUID,
    body: DeclareArea,
) -> Response:
    """Declare an area; the worker crosses it at once. It ends only by a person's act."""
    event = queries.get_event(session, principal, event_id, now=now)
    require_match(request, f'"{event.version}"')

    def act() -> Act:
        draft = _draft(body)
        area = declare_area(session, principal, event_id, draft, now=now)
        return Act(id=area.area_id, at=now, status="declared")

    return once.run(body, act, status=201)


def _draft(body: DeclareArea) -> AreaDraft:
    try:
        geometry = area_from_geojson(body.geometry)
    except GeoJSONError as error:
        raise Invalid(f"The area is not GeoJSON that can be used: {error}.", field="geometry") from error
    return AreaDraft(body.label, body.reason, geometry, body.severity, tuple(countries_touching(geometry)))


@router.post("/events/{event_id}/areas/{area_id}/end")
def finish_area(
    session: Transaction, principal: Who, now: Now, once: OnlyOnce, event_id: uuid.UUID, area_id: uuid.UUID
) -> Response:
    """End a declared area."""

    def act() -> Act:
        end_area(session, principal, area_id, now=now)
        return Act(id=area_id, at=now, status="ended")

    return once.run(None, act)


def _json(value: Any) -> bytes:
    return json.dumps(jsonable_encoder(value), ensure_ascii=False, separators=(",", ":")).encode()
