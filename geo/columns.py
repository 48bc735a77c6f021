"""Column types of the earth: SRID 4326 everywhere, no implicit spatial index.

A spatial index is an explicit `Index(..., postgresql_using="gist")`, because under row-level security only
leakproof operators reach an index and most person-side tables are read by `cell` instead. Each column takes a type
of its own: GeoAlchemy2 keeps a column's nullability in the type.
"""

from geoalchemy2 import Geometry

SRID = 4326


def point() -> Geometry:
    """A position."""
    return Geometry("POINT", srid=SRID, spatial_index=False)


def area() -> Geometry:
    """A valid multipolygon, split at the antimeridian."""
    return Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)


def any_shape() -> Geometry:
    """Point, line or area."""
    return Geometry("GEOMETRY", srid=SRID, spatial_index=False)
