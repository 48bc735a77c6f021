"""One moved person against all zones in force: each cell of the quadtree above them, against whole-zone GiST."""

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import shapely
from sqlalchemy import text

from geo.cells import LEVEL, CoverCell
from geo.covers import cover_classes
from micic.exposure.service import cross_persons
from micic.identifiers import new_id
from tests.benchmarks import statements
from tests.benchmarks.goals import Goal, Wanted, judge
from tests.benchmarks.ground import NOW, STATE, Ground
from tests.benchmarks.timing import Clock, Side, take_turns
from tests.benchmarks.zones import zones_in_force

ZOOM = 7  # tiles of 2.8125 degrees: a zone moved by whole tiles has its cover moved by whole tiles
COPIES = 100
STEP_DEG = 360.0 / 2**ZOOM
X_BITS = sum(1 << 2 * bit for bit in range(LEVEL))
Y_BITS = X_BITS << 1

# The bits of x lie apart; with the bits of y set the carry runs through them.
MOVED_CELL = f"(((({{0}} | {Y_BITS}) + s.step) & {X_BITS}) | ({{0}} & {Y_BITS}))"

COPY_ZONES = """
insert into event (event_id, title, began_at, recorded_at) select event_id, 'in force', {now}, {now} from copied;
insert into message (message_id, feed, series, native_id, native_version, event_id, sender, kind, status, title,
                     verdict, content_sha256, sent_at, valid_from, received_at)
select message_id, 'bench', message_id, message_id, '1', event_id, 'bench', 'alert', 'actual', 'in force',
       'accepted', '', {now}, {now}, {now}
  from copied;
insert into zone (zone_id, message_id, event_id, kind, firm, basis, geometry, severity, valid_from)
select zone_id, message_id, event_id, 'warned', true, 'native', st_translate(geometry, copy * {step}, 0), 3, {now}
  from copied join base_zone using (number);
insert into zone_cell (zone_id, radius_class, cell_from, cell_to, piece)
select zone_id, radius_class, {lo}, {lo} + cell_to - cell_from, st_translate(piece, copy * {step}, 0)
  from copied
  join base_cell using (number)
 cross join lateral (select sum((copy >> bit & 1)::bigint << 2 * bit)::bigint << {shift} as step
                       from generate_series(0, 7) as bit) s
 order by 1, 2, 3;
analyze event, message, zone, zone_cell
"""

IN_FORCE = """
  join message m on m.message_id = z.message_id and m.verdict = 'accepted'
 where w.registering_state = :state and w.migrant_id = any(:migrants) and z.firm
   and w.from_at <= :at and coalesce(w.until_at > :at, true)
   and z.valid_from <= :at and coalesce(z.valid_until > :at, true) and coalesce(z.ended_at > :at, true)
"""
WHOLE = f"""
select count(*) from whereabouts w join zone z on st_intersects(z.geometry, w.position) {IN_FORCE}
   and w.firm and w.radius_class <= 4
"""
METRES = f"""
select count(*)
  from whereabouts w
  join zone z on z.geometry && st_expand(w.position,
                    (array[50, 500, 5000, 25000, 100000])[w.radius_class] / 110000.0 / cos(radians(st_y(w.position))))
  {IN_FORCE}
   and st_dwithin(z.geometry::geography, w.position::geography,
                  (array[50, 500, 5000, 25000, 100000])[w.radius_class])
"""


INTERSECTS = "ST_Intersects, whole zones + GiST"
METRIC = "ST_DWithin(geography), bounded + GiST"
REASON_LOT = (
    "a person here lies in one or two zones, of some thousand vertices at most; the goal's figure had longer ones, and"
    " only reading those is dear"
)
REASON_ONE = f"two thirds of the time plan the statement, which a lot shares; {REASON_LOT}"


def measure_moved(ground: Ground) -> Iterator[Goal]:
    """Lots of persons, one after the other, as their moves come in."""
    with ground.connect() as connection:
        count = _put_in_force(connection, every=10 if ground.quick else 1)
    persons = _persons(ground, 10 if ground.quick else 100)
    name = f"moved person, {count:,} zones in force"
    inside = statements.pairs_inside("pairs_by_person.sql")
    both = statements.pairs_of_both("pairs_by_person.sql")
    for what, lot, statement, baseline, naive, wanted, reason in (
        ("inside, one at a time", 1, inside, INTERSECTS, WHOLE, Wanted(at_least=25), REASON_ONE),
        (f"inside, {len(persons)} in a lot", len(persons), inside, INTERSECTS, WHOLE, Wanted(at_least=25), REASON_LOT),
        ("inside and possible, one at a time", 1, both, METRIC, METRES, None, ""),
    ):
        samples = take_turns(
            {
                "ours": _looked_up(ground, statement, persons, lot),
                "naive": _looked_up(ground, naive, persons, lot),
            },
            rounds=ground.rounds(5),
            budget_s=15.0,
        )
        ours, theirs = samples["ours"], samples["naive"]
        yield judge(
            "moved",
            f"{name}: {what}",
            baseline,
            ours,
            theirs,
            scale=ground.scale,
            wanted=wanted,
            agree=theirs.is_cut or ground.is_close(ours.found, theirs.found, by=0.002 if wanted else 0.15),
            reason=reason,
        )
    yield _written(ground, name, persons)


def _written(ground: Ground, name: str, persons: list[uuid.UUID]) -> Goal:
    """The statement whole, a person at a time and all in one lot."""

    def one_by_one(clock: Clock) -> object:
        with ground.session() as session, clock.measure():
            return sum(_changed(cross_persons(session, STATE, [person], "move", now=NOW)) for person in persons)

    def in_a_lot(clock: Clock) -> object:
        with ground.session() as session, clock.measure():
            return _changed(cross_persons(session, STATE, persons, "move", now=NOW))

    samples = take_turns(
        {"lot": in_a_lot, "each": one_by_one}, rounds=ground.rounds(3), between=ground.clear_exposures, budget_s=15.0
    )
    return judge(
        "moved",
        f"{name}: {len(persons)} written in one lot",
        "the same, one statement a person",
        samples["lot"],
        samples["each"],
        scale=ground.scale,
        agree=samples["lot"].found == samples["each"].found,
    )


def _changed(result: object) -> int:
    return int(getattr(result, "changed", 0))


def _looked_up(ground: Ground, statement: str, persons: list[uuid.UUID], lot: int) -> Side:
    def run(clock: Clock) -> object:
        found = 0
        with ground.session() as session:
            for start in range(0, len(persons), lot):
                values = statements.parameters(migrants=persons[start : start + lot])
                with clock.measure():
                    found += session.execute(text(statement), values).scalar() or 0
        return found

    return run


def _persons(ground: Ground, count: int) -> list[uuid.UUID]:
    with ground.session() as session:
        rows = session.execute(
            text(
                "select migrant_id from whereabouts where registering_state = :state and cell is not null"
                " order by md5(migrant_id::text) limit :count"
            ),
            {"state": STATE, "count": count},
        )
        return list(rows.scalars())


def _put_in_force(connection: psycopg.Connection[Any], *, every: int) -> int:
    """A hundred zones (or every so many of them), each in a hundred copies a tile apart, their covers moved along."""
    areas = zones_in_force()[::every]
    connection.execute("create temporary table base_zone (number int, geometry geometry)")
    connection.execute(
        "create temporary table base_cell (number int, radius_class int2, cell_from int8, cell_to int8, piece geometry)"
    )
    _copy(connection, "base_zone", ((number, _wkb(area)) for number, (area, _) in enumerate(areas)))
    _copy(
        connection,
        "base_cell",
        (
            (number, code, low, high, _wkb(cell.piece))
            for number, (area, max_cells) in enumerate(areas)
            for code, cells in cover_classes(area, max_cells=max_cells).items()
            for cell in cells
            for low, high in _tiles(cell)
        ),
    )
    connection.execute(
        "create temporary table copied (number int, copy int, zone_id uuid, message_id uuid, event_id uuid)"
    )
    _copy(
        connection,
        "copied",
        ((number, copy, new_id(), new_id(), new_id()) for number in range(len(areas)) for copy in range(COPIES)),
    )
    statement = COPY_ZONES.format(
        now=f"timestamptz '{NOW.isoformat()}'",
        step=STEP_DEG,
        lo=MOVED_CELL.format("cell_from"),
        shift=2 * (LEVEL - ZOOM),
    )
    for part in statement.split(";\n"):
        connection.execute(part.encode())
    return len(areas) * COPIES


def _tiles(cell: CoverCell) -> Iterator[tuple[int, int]]:
    """The range of a cell; of one larger than a tile, whose copies would not be cells, the ranges of its tiles."""
    size = min(cell.hi - cell.lo + 1, 4 ** (LEVEL - ZOOM))
    for low in range(cell.lo, cell.hi + 1, size):
        yield low, low + size - 1


def _copy(connection: psycopg.Connection[Any], table: str, rows: Iterator[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _wkb(geometry: object) -> str | None:
    if geometry is None:
        return None
    return str(shapely.to_wkb(shapely.set_srid(np.asarray(geometry), 4326), hex=True, include_srid=True))
