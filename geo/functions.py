"""SQL twins of the key (geo.cells) and of the one distance (geo.coordinates), for the first migration. Text only.

Both are single expressions without tables, so that PostgreSQL inlines them; they equal the Python functions up to
the last bit of floating point at the edge of a cell. Longitudes beyond 180 wrap; NaN and infinity raise an error.
"""

from typing import Final

from geo.coordinates import EARTH_RADIUS_M

_LAT_LIMIT: Final = 85.0511287798065
"""A hair inside geo.cells.MERCATOR_LAT: latitudes beyond it fall into the first or last row by being moved here."""

_X: Final = "floor((lon + 180.0::float8) / 360.0::float8 * 268435456.0::float8)::bigint"
# the nearer of lat and the limits, by arithmetic: least() and greatest() would forbid inlining a strict function
_LAT: Final = f"((abs(lat + {_LAT_LIMIT}::float8) - abs(lat - {_LAT_LIMIT}::float8)) / 2.0::float8)"
_Y: Final = f"floor((1.0::float8 - asinh(tan(radians({_LAT}))) / pi()) / 2.0::float8 * 268435456.0::float8)::bigint"
_CHUNK_BITS: Final = 7


def _spread(value: int) -> int:
    """The bits of a small number with a zero between each."""
    return sum((value >> bit & 1) << 2 * bit for bit in range(_CHUNK_BITS))


def _interleaved() -> str:
    """Morton code by a table of 128 spread numbers: four lookups an axis."""
    table = "'{" + ",".join(str(_spread(value)) for value in range(1 << _CHUNK_BITS)) + "}'::bigint[]"
    terms = []
    for axis, lift in ((_X, 0), (_Y, 1)):
        for shift in range(0, 28, _CHUNK_BITS):
            index = f"((({axis} >> {shift}) & 127) + 1)::int"
            terms.append(f"(({table})[{index}] << {2 * shift + lift})")
    return "\n    | ".join(terms)


CELL_SQL: Final = f"""
create or replace function geo_cell(lon double precision, lat double precision) returns bigint
language sql immutable strict parallel safe
as $function$
  select {_interleaved()}
$function$
"""
"""geo_cell(lon, lat) -> the 56-bit key of geo.cells.cell_of."""

DISTANCE_SQL: Final = f"""
create or replace function geo_distance_m(
  lon1 double precision, lat1 double precision, lon2 double precision, lat2 double precision
) returns double precision
language sql immutable strict parallel safe
as $function$
  select {2.0 * EARTH_RADIUS_M!r}::float8 * asin(least(1.0::float8, sqrt(
    sin(radians(lat2 - lat1) / 2.0::float8) ^ 2.0::float8
    + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2.0::float8) ^ 2.0::float8)))
$function$
"""
"""geo_distance_m(lon1, lat1, lon2, lat2) -> metres, as geo.coordinates.distance_m."""

FUNCTIONS_SQL: Final = [CELL_SQL, DISTANCE_SQL]
"""The statements of the migration, in order; each may be run again."""
