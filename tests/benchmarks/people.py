"""Invented people for the benchmarks: clustered in towns, drawn from a seed, put straight into `whereabouts`.

Bench data only: no names, no households but for the people of goals that need them. Positions are degrees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

Floats = NDArray[np.float64]

REGIONS = 40
TOWNS = 20_000
SECOND_CANDIDATE = 0.05  # with a trip that nothing has shown yet: two soft candidates
COUNTRY_ONLY = 0.03
CLASS_WEIGHTS = {1: 0.47, 2: 0.35, 3: 0.12, 4: 0.04, 5: 0.02}  # radius class -> part of the candidates
CHUNK = 100_000

STAGING = """
create temporary table staged (number int8 not null, lon float8 not null, lat float8 not null, region int2 not null,
                               radius_class int2 not null, kind int2 not null, days_old int4 not null)
"""

# kind: 0 a confirmed residence, 1 a residence beside a trip, 2 the trip, 3 only the country is known.
FILL = """
insert into whereabouts (registering_state, migrant_id, location_id, from_at, until_at, firm, source, observed_at,
                         position, cell, radius_class, country, keeper_post_id, serving_post_id)
select {state}, md5('person ' || s.number)::uuid, md5('place ' || s.number || ' ' || kind)::uuid,
       {now}::timestamptz - make_interval(days => days_old),
       case kind when 2 then {now}::timestamptz + interval '9 days'
                 else {now}::timestamptz + make_interval(days => 180 - days_old) end,
       kind = 0, (array['residence','residence','trip_leg','jurisdiction'])[kind + 1],
       {now}::timestamptz - make_interval(days => days_old),
       case when kind < 3 then st_setsrid(st_makepoint(lon, lat), 4326) end,
       case when kind < 3 then geo_cell(lon, lat) end,
       case when kind < 3 then radius_class else 6 end,
       'X' || chr(65 + region / 26) || chr(65 + region % 26), p.post_id, p.post_id
  from staged s
  join bench_post p on p.number = s.region % {posts}
 order by 11, 10
"""


@dataclass(frozen=True)
class People:
    """Where everybody is: one row per candidate."""

    number: NDArray[np.int64]
    lon: Floats
    lat: Floats
    region: NDArray[np.int64]
    radius_class: NDArray[np.int64]
    kind: NDArray[np.int64]
    centres: Floats  # (lon, lat) of the regions, the most peopled first
    towns: Floats  # (lon, lat) of the towns, the largest first

    @property
    def known(self) -> NDArray[np.bool_]:
        """The candidates with a position."""
        return self.kind < 3


def make_people(count: int, seed: int = 20260301) -> People:
    """`count` people in TOWNS towns of REGIONS regions; sizes of towns fall off as in the world."""
    rng = np.random.default_rng(seed)
    centres = np.column_stack([rng.uniform(-150, 150, REGIONS), rng.uniform(-40, 60, REGIONS)])
    region = rng.choice(REGIONS, TOWNS, p=_falling(REGIONS, 0.7))
    towns = centres[region] + rng.normal(0, 2.5, (TOWNS, 2))
    town = rng.choice(TOWNS, count, p=_falling(TOWNS, 0.6))
    spread = rng.lognormal(np.log(0.05), 0.6, TOWNS)[town]
    home = towns[town] + rng.normal(0, 1, (count, 2)) * spread[:, None]
    kind = np.where(rng.random(count) < COUNTRY_ONLY, 3, 0)
    away = np.flatnonzero((kind == 0) & (rng.random(count) < SECOND_CANDIDATE))
    kind[away] = 1
    trip_town = rng.choice(TOWNS, len(away), p=_falling(TOWNS, 0.6))
    trip = towns[trip_town] + rng.normal(0, 0.05, (len(away), 2))
    places = np.vstack([home, trip])
    return People(
        number=np.concatenate([np.arange(count), away]),
        lon=places[:, 0],
        lat=np.clip(places[:, 1], -84, 84),
        region=np.concatenate([region[town], region[trip_town]]),
        radius_class=rng.choice(list(CLASS_WEIGHTS), len(places), p=list(CLASS_WEIGHTS.values())),
        kind=np.concatenate([kind, np.full(len(away), 2)]),
        centres=centres,
        towns=towns,
    )


def _falling(count: int, power: float) -> Floats:
    weights = 1.0 / np.arange(1, count + 1) ** power
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def load_people(connection: psycopg.Connection[Any], people: People, state: str, posts: int, now: str) -> int:
    """Fill `whereabouts`, ordered by (radius class, cell), its indexes made afterwards; how many rows.

    The connection is the superuser's: under row-level security PostgreSQL refuses COPY.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(STAGING)
        with cursor.copy("copy staged from stdin (format binary)") as copy:
            for chunk in _binary_rows(people):
                copy.write(chunk)
        indexes = _drop_indexes(cursor)
        cursor.execute(sql.SQL(FILL).format(state=sql.Literal(state), now=sql.Literal(now), posts=sql.Literal(posts)))
        loaded = cursor.rowcount
        for statement in indexes:
            cursor.execute(statement.encode())
        cursor.execute("drop table staged")
    connection.execute("vacuum analyze whereabouts")
    return loaded


def _binary_rows(people: People) -> Iterator[bytes]:
    """The rows in PostgreSQL's binary COPY format, a chunk at a time."""
    columns: list[tuple[str, str, NDArray[np.generic]]] = [
        ("number", ">i8", people.number),
        ("lon", ">f8", people.lon),
        ("lat", ">f8", people.lat),
        ("region", ">i2", people.region),
        ("radius_class", ">i2", people.radius_class),
        ("kind", ">i2", people.kind),
        ("days_old", ">i4", people.number % 170),
    ]
    fields = [("fields", ">i2")]
    for name, code, _ in columns:
        fields += [(f"{name}_bytes", ">i4"), (name, code)]
    rows = np.zeros(len(people.number), dtype=np.dtype(fields))
    rows["fields"] = len(columns)
    for name, code, values in columns:
        rows[f"{name}_bytes"] = np.dtype(code).itemsize
        rows[name] = values
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK].tobytes()
    yield b"\xff\xff"


def _drop_indexes(cursor: psycopg.Cursor[Any]) -> list[str]:
    """Drop all indexes of `whereabouts`; the statements that make them again, alike."""
    cursor.execute(
        "select indexrelid::regclass::text, pg_get_indexdef(indexrelid), conname, pg_get_constraintdef(c.oid)"
        "  from pg_index left join pg_constraint c on c.conindid = indexrelid"
        " where indrelid = 'whereabouts'::regclass"
    )
    again = []
    for name, definition, constraint, constraint_definition in cursor.fetchall():
        if constraint:
            cursor.execute(sql.SQL("alter table whereabouts drop constraint {}").format(sql.Identifier(constraint)))
            again.append(f'alter table whereabouts add constraint "{constraint}" {constraint_definition}')
        else:
            cursor.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
            again.append(definition)
    return again
