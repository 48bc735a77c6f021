"""Declaring an area without a map: a circle by its middle and radius, or GeoJSON; and ending one."""

import json
import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from shapely.geometry.base import BaseGeometry
from starlette.responses import Response

from geo.areas import circle
from geo.coordinates import CoordinateError, Position
from geo.geojson import GeoJSONError, area_from_geojson
from micic.door import Known, Now, Transaction, Who
from micic.errors import Invalid
from micic.geography import countries_touching
from micic.reports import queries
from micic.security.principal import Permission, require
from micic.watch.service import AreaDraft, declare_area, end_area
from micic.web.pages import go_to, render
from micic.web.signin import OurForm
from micic.web.situation import rail

router = APIRouter()

MAX_RADIUS_KM = 1000.0


@dataclass(frozen=True)
class Shape:
    """An area as it was typed: either a middle and a radius, or GeoJSON."""

    middle: str = ""
    radius_km: str = ""
    geojson: str = ""

    def geometry(self) -> BaseGeometry:
        """The area. Raises Invalid with the field that is at fault."""
        if self.geojson.strip():
            try:
                return area_from_geojson(json.loads(self.geojson))
            except (GeoJSONError, ValueError, RecursionError) as error:
                raise Invalid(f"This is not GeoJSON of an area: {error}.", field="geojson") from error
        try:
            middle = Position.from_cap(self.middle.replace(" ", ""))
        except CoordinateError as error:
            raise Invalid("Give the middle as latitude, longitude: 40.99, 28.85.", field="middle") from error
        return circle(middle, self._radius_m())

    def _radius_m(self) -> float:
        try:
            radius_km = float(self.radius_km)
        except ValueError as error:
            raise Invalid("Give the radius in kilometres.", field="radius_km") from error
        if not 0.0 < radius_km <= MAX_RADIUS_KM:
            raise Invalid("The radius is more than nothing and at most 1,000 km.", field="radius_km")
        return radius_km * 1000.0


@router.get("/events/{event_id}/areas/new")
def ask_area(
    request: Request, session: Transaction, known: Known, principal: Who, now: Now, event_id: uuid.UUID
) -> Response:
    """The form, and the areas that are in force."""
    require(principal, Permission.DECLARE_AREA)
    event = queries.get_event(session, principal, event_id, now=now)
    zones = queries.list_zones(session, principal, event_id, now=now)
    values = {
        **rail(session, principal, now),
        "event": event,
        "exercise": event.mode == "exercise",
        "own": [zone for zone in zones if zone.own],
    }
    return render(request, "areas/declare.html", values, known=known)


@router.post("/events/{event_id}/areas", dependencies=[OurForm])
def take_area(
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    label: Annotated[str, Form(max_length=200)],
    reason: Annotated[str, Form(max_length=2000)],
    severity: Annotated[int, Form(ge=0, le=4)],
    middle: Annotated[str, Form(max_length=60)] = "",
    radius_km: Annotated[str, Form(max_length=20)] = "",
    geojson: Annotated[str, Form(max_length=500_000)] = "",
) -> Response:
    """Declare; the worker crosses the area with the people at once."""
    geometry = Shape(middle, radius_km, geojson).geometry()
    draft = AreaDraft(label, reason, geometry, severity, tuple(countries_touching(geometry)))
    declare_area(session, principal, event_id, draft, now=now)
    return go_to(f"/events/{event_id}")


@router.post("/events/{event_id}/areas/{area_id}/end", dependencies=[OurForm])
def take_end(session: Transaction, principal: Who, now: Now, event_id: uuid.UUID, area_id: uuid.UUID) -> Response:
    """End an area: the only way it ends."""
    end_area(session, principal, area_id, now=now)
    return go_to(f"/events/{event_id}")
