"""The map of one event as vector tiles: zones in force and exposed people by cell, under the reader's own context."""

import uuid
from datetime import datetime

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.responses import Response

from geo.tiles import STEPS_INTO_TILE, Tile, area_layer, cell_layer, tile_statement
from micic.api.conditions import conditional
from micic.door import Now, Transaction, Who
from micic.errors import NotFound
from micic.security.principal import Permission, Principal, require

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"

ZONES = """
select z.geometry, coalesce(z.severity, 3) as severity, z.severity is not null as stated, z.kind, z.firm, z.label,
       cast(z.zone_id as text) as zone_id
  from zone_of_state z
 where z.event_id = :event and z.geometry is not null
   and z.valid_from <= :now and coalesce(z.valid_until > :now, true) and coalesce(z.ended_at > :now, true)
   and z.accepted
union all
select a.geometry, a.severity, true, 'declared', true, a.label, cast(a.area_id as text)
  from declared_area a
 where a.registering_state = :state and a.event_id = :event
   and a.declared_at <= :now and coalesce(a.ended_at > :now, true)"""

EXPOSED = """
select cell >> :shift as prefix, count(*) as persons, count(*) filter (where presence = 'inside') as inside,
       count(*) filter (where presence = 'possible') as possible,
       max(coalesce(severity_inside, severity_possible)) as severity
  from exposure
 where registering_state = :state and event_id = :event and ended_at is null
   and cell between :cell_from and :cell_to
 group by 1"""

STATEMENT = text(
    tile_statement(
        area_layer("zones", ZONES, "r.severity, r.stated, r.kind, r.firm, r.label, r.zone_id"),
        cell_layer("exposed", EXPOSED, "inside, possible, severity", STEPS_INTO_TILE),
    )
)

router = APIRouter(tags=["map"])


def event_tile(session: Session, principal: Principal, event_id: uuid.UUID, tile: Tile, *, now: datetime) -> bytes:
    """The bytes of one tile. Raises NotPermitted."""
    require(principal, Permission.READ_SITUATION)
    parameters = {**tile.parameters(), "state": principal.state, "event": event_id, "now": now}
    return bytes(session.execute(STATEMENT, parameters).scalar_one())


@router.get("/events/{event_id}/tiles/{z}/{x}/{y}.mvt", response_class=Response)
def read_tile(
    request: Request,
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    z: int,
    x: int,
    y: int,
) -> Response:
    """Layers `zones` (severity, stated, kind, firm, label) and `exposed` (persons, inside, possible, severity)."""
    try:
        tile = Tile(z, x, y)
    except ValueError as error:
        raise NotFound(str(error)) from error
    return conditional(request, event_tile(session, principal, event_id, tile, now=now), MEDIA_TYPE)
