"""The situation page: one event as a crisis cell sees it. Gathers what the reports give; decides nothing."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from micic.door import Known, Now, Transaction, Who
from micic.reports import queries
from micic.reports.figures import CellRow, Change, EventRow, ListRow, Version, sum_of
from micic.security.principal import Permission, Principal
from micic.web.pages import country_number, go_to, render
from micic.web.places import nearest_town, town_labels

router = APIRouter()

A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class ChangeSum:
    """Changes of one kind and cause, added up."""

    change: str
    cause: str
    persons: int


@dataclass(frozen=True)
class ListFamily:
    """The versions of one list, newest first."""

    post_id: uuid.UUID
    post_name: str
    kind: str
    versions: tuple[ListRow, ...]

    @property
    def latest(self) -> ListRow:
        return self.versions[0]


@dataclass(frozen=True)
class TownCell:
    """A map cell with the name of the town nearest to its middle."""

    town: str
    cell: CellRow


def last_crossed(versions: Iterable[Version]) -> Version | None:
    """The newest version of the alert that was crossed."""
    crossed = [version for version in versions if version.crossed_at and version.cause == "message"]
    return crossed[-1] if crossed else None


def add_up(changes: list[Change]) -> list[ChangeSum]:
    """By kind and cause, most people first."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in changes:
        sums[row.change, row.cause] += row.persons
    return [ChangeSum(change, cause, persons) for (change, cause), persons in sums.most_common()]


def families(lists: list[ListRow]) -> list[ListFamily]:
    """Lists by post and kind, each newest version first; evacuation before assistance."""
    found: dict[tuple[bool, str, uuid.UUID], list[ListRow]] = {}
    for row in sorted(lists, key=lambda row: -row.version):
        found.setdefault((row.kind != "evacuation", row.post_name, row.post_id), []).append(row)
    return [
        ListFamily(post_id, post_name, rows[0].kind, tuple(rows))
        for (_, post_name, post_id), rows in sorted(found.items())
    ]


def permissions(principal: Principal) -> dict[str, bool]:
    """What the page may offer; the services check again."""
    return {permission.value: principal.may(permission) for permission in Permission}


def rail(session: Session, principal: Principal, now: datetime) -> dict[str, Any]:
    """What stands around every page of the crisis cell: events and the freshness of the feeds."""
    return {
        "events": queries.list_events(session, principal, now=now),
        "feeds": queries.list_feeds(session, now=now),
        "may": permissions(principal),
        "now": now,
    }


def situation(session: Session, principal: Principal, event: EventRow, now: datetime) -> dict[str, Any]:
    """Everything that the situation page shows."""
    event_id = event.event_id
    versions = queries.list_versions(session, principal, event_id)
    last = last_crossed(versions)
    since = last.crossed_at - A_MOMENT if last and last.crossed_at else None
    changes = queries.list_changes(session, principal, event_id, since=since)
    cells = queries.list_cells(session, principal, event_id)
    return {
        "event": event,
        "exercise": event.mode == "exercise",
        "figures": queries.get_figures(session, principal, event_id, now=now),
        "versions": versions,
        "last_version": last,
        "change_totals": sum_of(changes),
        "change_sums": add_up(changes),
        "zones": queries.list_zones(session, principal, event_id, now=now),
        "cells": [TownCell(nearest_town(cell.lat, cell.lon), cell) for cell in cells],
        "waiting": queries.list_waiting(session, principal, now=now, event_id=event_id),
        "families": families(queries.list_lists(session, principal, event_id=event_id)),
        "campaigns": queries.list_campaigns(session, principal, event_id),
    }


def map_data(session: Session, principal: Principal, event: EventRow, now: datetime) -> dict[str, Any]:
    """What the map's script is told; everything else it asks of the tiles."""
    countries = queries.list_unknown_countries(session, principal, event.event_id)
    return {
        "event": str(event.event_id),
        "tiles": f"/api/v1/events/{event.event_id}/tiles/{{z}}/{{x}}/{{y}}.mvt",
        "bounds": queries.find_bounds(session, principal, event.event_id, now=now),
        "concerned": [number for number in map(country_number, countries) if number],
        "posts": [
            {"name": name, "kind": kind, "lon": lon, "lat": lat}
            for _, name, kind, lon, lat in queries.list_posts(session, principal)
        ],
    }


@router.get("/")
def start(request: Request, session: Transaction, known: Known, principal: Who, now: Now) -> Response:
    """The worst event; without any, what that means and whether the feeds can be trusted."""
    around = rail(session, principal, now)
    if around["events"]:
        return go_to(f"/events/{around['events'][0].event_id}")
    return render(request, "situation/none.html", {**around, "event": None}, known=known)


@router.get("/events/{event_id}")
def show_event(
    request: Request, session: Transaction, known: Known, principal: Who, now: Now, event_id: uuid.UUID, wall: int = 0
) -> Response:
    """The situation page; `?wall=1` for the screen on the wall."""
    event = queries.get_event(session, principal, event_id, now=now)
    values = {
        **rail(session, principal, now),
        **situation(session, principal, event, now),
        "map_data": map_data(session, principal, event, now),
        "wall": bool(wall),
    }
    return render(request, "situation/page.html", values, known=known)


@router.get("/events/{event_id}/panel")
def show_panel(
    request: Request, session: Transaction, known: Known, principal: Who, now: Now, event_id: uuid.UUID
) -> Response:
    """The right-hand column alone, for the page that keeps itself fresh."""
    event = queries.get_event(session, principal, event_id, now=now)
    values = {"now": now, "may": permissions(principal), **situation(session, principal, event, now)}
    return render(request, "situation/panel.html", values, known=known)


@router.get("/map/towns.json")
def show_towns() -> Response:
    """Labels of the map. Public facts; kept by the browser."""
    return Response(
        town_labels(), media_type="application/geo+json", headers={"Cache-Control": "public, max-age=86400"}
    )
