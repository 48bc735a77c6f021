"""The product's real statements, cut short to be counted, and what people would write in their place.

Cut at the names of the statement's own parts: when those change, the benchmark fails instead of measuring a copy.
"""

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from sqlalchemy.orm import Session

from alerts.feed import GeometryBasis, MessageKind, MessageStatus, ParsedMessage, ParsedZone, ZoneKind
from alerts.gate import Policy
from alerts.models import Zone, ZoneCell
from alerts.store import store_message
from geo.areas import RADIUS_CLASSES_M
from geo.cells import cover
from geo.database import read_statement
from micic.exposure.service import DEFAULT_POLICY
from micic.identifiers import new_id
from tests.benchmarks.ground import NOW, STATE

EXPOSURE = "micic.exposure"
PERMISSIVE = Policy(
    references_required=False,
    expiry_required=False,
    max_expiry=timedelta(days=90),
    max_event_age=timedelta(days=90),
    max_area_km2=1e9,
)

# The conditions that make a candidate count as inside; the same for every baseline.
STANDS = """w.registering_state = :state and w.firm and w.radius_class <= 4
   and w.from_at <= :at and coalesce(w.until_at > :at, true)"""

WHOLE = f"""
select count(*) from baseline_whereabouts w
 where {STANDS} and st_intersects((select geometry from zone where zone_id = :zone), w.position)
"""

SUBDIVIDED = f"""
select count(*) from baseline_piece p join baseline_whereabouts w on st_intersects(p.geometry, w.position)
 where p.zone_id = :zone and {STANDS}
"""

# The naive way to the pairs, in the place of pairs_by_zone.sql: whole zones, inside only.
NAIVE_PAIRS = """
    select z.event_id, w.migrant_id, z.zone_id, w.location_id, z.severity, true as is_inside,
           greatest(z.valid_from, w.from_at) as began_at, w.cell, w.country, w.keeper_post_id, w.serving_post_id
      from zone_in_force z
      join zone g on g.zone_id = z.zone_id
      join baseline_whereabouts w on st_intersects(g.geometry, w.position)
     where w.registering_state = :state and w.from_at <= :at and coalesce(w.until_at > :at, true)
       and z.firm and w.firm and w.radius_class <= 4 and coalesce(w.observed_at >= z.stale_before, true)
       and (cast(:migrants as uuid[]) is null or w.migrant_id = any(:migrants))
"""

NAIVE_POSSIBLE = """
    union all
    select z.event_id, w.migrant_id, z.zone_id, w.location_id, z.severity, false,
           greatest(z.valid_from, w.from_at), w.cell, w.country, w.keeper_post_id, w.serving_post_id
      from zone_in_force z
     cross join ({near}) w
"""


@dataclass(frozen=True)
class Stored:
    """A zone in the database, with its event."""

    event_id: uuid.UUID
    message_id: uuid.UUID
    zone_id: uuid.UUID
    area: MultiPolygon


def store_zone(session: Session, area: MultiPolygon, name: str, *, version: int = 1, at: datetime = NOW) -> Stored:
    """A version of an alert with one firm zone, stored as a feed's would be, covers included."""
    message = ParsedMessage(
        feed="bench",
        series=name,
        native_id=name,
        native_version=f"{version:06d}",
        sender="bench",
        sent_at=at,
        kind=MessageKind.ALERT if version == 1 else MessageKind.UPDATE,
        status=MessageStatus.ACTUAL,
        title=name,
        valid_from=at,
        zones=(ParsedZone(ZoneKind.AFFECTED, area, GeometryBasis.NATIVE, at, None, 3),),
    )
    stored = store_message(
        session, message, (), policy=PERMISSIVE, countries_touching=lambda _: (), make_id=new_id, now=at
    )
    assert stored.verdict == "accepted", stored
    zone_id = session.query(Zone.zone_id).filter(Zone.message_id == stored.message_id).scalar()
    return Stored(stored.event_id, stored.message_id, zone_id, area)


def stage_cover(session: Session, zone: Stored) -> None:
    """Make the exact cover of a zone again and put it where it was, as storing does."""
    rows = [
        {
            "zone_id": zone.zone_id,
            "radius_class": 0,
            "cell_from": cell.lo,
            "cell_to": cell.hi,
            "piece": None if cell.piece is None else from_shape(cell.piece, srid=4326),
        }
        for cell in cover(zone.area)
    ]
    session.execute(ZoneCell.__table__.insert(), rows)  # type: ignore[attr-defined]


def parameters(
    event: uuid.UUID | None = None, migrants: Sequence[uuid.UUID] | None = None, at: datetime = NOW
) -> dict[str, Any]:
    """What the crossing's statement takes."""
    return {
        "state": STATE,
        "at": at,
        "recorded_at": at,
        "crossing_id": new_id(),
        "cause": "message",
        "event": event,
        "migrants": None if migrants is None else list(migrants),
        "severity_if_unknown": DEFAULT_POLICY.severity_if_unknown,
        "stale_after": DEFAULT_POLICY.stale_after,
    }


def crossing(pairs: str) -> str:
    """The whole statement with this way to the pairs: a file of the product's, or SQL."""
    way = read_statement(EXPOSURE, pairs) if pairs.endswith(".sql") else pairs
    return read_statement(EXPOSURE, "crossing.sql").replace("{pairs}", way)


def until(part: str, pairs: str, select: str) -> str:
    """The statement up to a part of it, and a select from what it has by then."""
    head, found, _ = crossing(pairs).partition(f"\n{part} as (")
    assert found, f"crossing.sql has no part {part}"
    return head.rstrip().rstrip(",") + "\n" + select


def pairs_inside(pairs: str = "pairs_by_zone.sql") -> str:
    """Counts the candidates inside."""
    return until("by_zone", pairs, "select count(*) from pair where is_inside")


def pairs_of_both(pairs: str = "pairs_by_zone.sql") -> str:
    """Counts the candidates whose disc touches the zone, those inside among them."""
    return until("by_zone", pairs, "select count(*) filter (where not is_inside), count(*) from pair")


def changes(pairs: str, *, inside_only: bool = False) -> str:
    """Counts what would change, and writes nothing."""
    statement = until("opened", pairs, "select change, count(*) from merged group by change order by change")
    if not inside_only:
        return statement
    assert "      from pair\n" in statement
    return statement.replace("      from pair\n", "      from pair\n     where is_inside\n")


def within_metres(zone: Stored) -> str:
    """Counts those whose disc touches a zone by `ST_DWithin(geography)`, bounded by boxes that an index can use."""
    return f"select count(*) from ({_near(zone)}) w"


def naive_pairs_of_both(zone: Stored) -> str:
    """The naive way to all pairs of one zone, those possibly inside by metres."""
    return NAIVE_PAIRS + NAIVE_POSSIBLE.format(near=_near(zone))


def _near(zone: Stored) -> str:
    _, south, _, north = zone.area.bounds
    classes = []
    for code, radius in RADIUS_CLASSES_M.items():
        dy = radius / 110_000.0
        widest = min(max(abs(south), abs(north)) + dy, 89.0)
        classes.append(f"({code}, {radius}::float8, {dy / math.cos(math.radians(widest))}::float8, {dy}::float8)")
    of_zone = f"from zone where zone_id = '{zone.zone_id}'"
    return f"""
select w.*
  from (values {", ".join(classes)}) k(class, radius_m, dx, dy)
  join baseline_whereabouts w
    on w.radius_class = k.class
   and w.position && st_expand((select st_envelope(geometry) {of_zone}), k.dx, k.dy)
 where w.registering_state = :state and w.from_at <= :at and coalesce(w.until_at > :at, true)
   and st_dwithin((select geometry::geography {of_zone}), w.position::geography, k.radius_m)
"""
