"""Rings that cross the antimeridian or go round a pole, made into polygons within [-180, 180]. Pure shapely.

A ring is a list of positions straight in longitude and latitude between them. An edge over more than 180 degrees
of longitude is read as going the short way round; see `unwrap` for the one exception.
"""

import math
from collections.abc import Callable, Iterable
from functools import reduce

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import GeometryCollection, GEOSException, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.coordinates import CoordinateError

FloatArray = NDArray[np.float64]


def polygonal(geometry: BaseGeometry) -> MultiPolygon:
    """The polygons with an area inside any geometry, in two dimensions; points and lines are left out."""
    parts = shapely.get_parts(shapely.get_parts(shapely.force_2d(geometry)))
    return MultiPolygon([part for part in parts if isinstance(part, Polygon) and part.area > 0.0])


def union(parts: Iterable[BaseGeometry]) -> MultiPolygon:
    """The union of valid geometries, polygons only."""
    kept = [part for part in parts if not part.is_empty]
    return polygonal(kept[0] if len(kept) == 1 else shapely.union_all(kept))


def made_valid(geometry: BaseGeometry) -> MultiPolygon:
    """A valid MultiPolygon of the same area: shells and holes mended, collapsed rings dropped."""
    if isinstance(geometry, Polygon | MultiPolygon):
        return polygonal(geometry) if geometry.is_valid else _mended(geometry)
    if isinstance(geometry, GeometryCollection):
        return union([made_valid(part) for part in geometry.geoms])
    return MultiPolygon()


def even_odd(geometry: BaseGeometry) -> MultiPolygon:
    """A valid MultiPolygon: inside is where a ray to infinity crosses the rings an odd number of times."""
    if geometry.is_valid:
        return polygonal(geometry)
    return polygonal(shapely.make_valid(geometry, method="linework"))


def _mended(geometry: BaseGeometry) -> MultiPolygon:
    flat = shapely.force_2d(geometry)
    try:
        mended = polygonal(shapely.make_valid(flat, method="structure", keep_collapsed=False))
    except GEOSException:
        mended = MultiPolygon()
    if not mended.is_valid or (mended.is_empty and flat.area > 0.0):
        return even_odd(flat)
    return mended


def has_jump(ring: FloatArray) -> bool:
    """Whether some edge of the ring spans more than 180 degrees of longitude."""
    return bool(np.any(np.abs(np.diff(ring[:, 0])) > 180.0))


def unwrap(ring: FloatArray) -> FloatArray:
    """The closed ring with longitudes made continuous: each edge over more than 180 degrees goes the short way.

    An edge of exactly 360 degrees (-180 to 180) is kept as written (the side of a band round the earth), unless
    another edge crosses the antimeridian or the short way gives a closed ring with an area (a polygon written
    with vertices on both sides of the seam).
    """
    steps = np.diff(ring[:, 0])
    whole = np.abs(steps) == 360.0
    short = short_way(ring)
    only_whole = np.any(whole) and not np.any((np.abs(steps) > 180.0) & ~whole)
    if only_whole and (_winding(short) != 0 or Polygon(short).area == 0.0):
        return ring
    return short


def short_way(path: FloatArray) -> FloatArray:
    """The line or ring with longitudes made continuous: every edge goes the short way (180 and -180 are one)."""
    steps = np.diff(path[:, 0])
    return _continued(path, steps - 360.0 * np.round(steps / 360.0))


def ring_region(path: FloatArray, *, pole: float | None = None) -> MultiPolygon:
    """What a closed ring of continuous longitudes encloses, within [-180, 180]; one round the earth encloses its
    nearer pole, or the given one (-90 or 90). Raises CoordinateError for a ring that goes round more than once.
    """
    turns = _winding(path)
    if abs(turns) > 1:
        raise CoordinateError("a ring goes round the earth more than once")
    if turns:
        path = _closed_over(path, _nearer_pole(path) if pole is None else pole)
    return wrapped(made_valid(Polygon(path)))


def polygon_region(polygon: Polygon, *, reading: Callable[[FloatArray], FloatArray] = unwrap) -> MultiPolygon:
    """A polygon whose rings may cross the antimeridian or go round a pole, within [-180, 180].

    `reading` makes a ring's longitudes continuous: `unwrap`, or `short_way` for data stitched at +-180. Of two
    rings round the earth the polygon is what lies between them.
    """
    paths = [reading(shapely.get_coordinates(ring)) for ring in (polygon.exterior, *polygon.interiors)]
    round_earth = [path for path in paths if _winding(path)]
    if len(round_earth) < 2:
        shell, *holes = [ring_region(path) for path in paths]
    else:
        pole = _nearer_pole(np.vstack(round_earth))
        caps = [ring_region(path, pole=pole) for path in round_earth]
        shell = reduce(lambda left, right: polygonal(left.symmetric_difference(right)), caps)
        holes = [ring_region(path) for path in paths if not _winding(path)]
    return polygonal(shell.difference(union(holes))) if holes else shell


def wrapped(geometry: BaseGeometry) -> MultiPolygon:
    """Valid polygons at any longitude, cut at the antimeridian and moved by whole turns into [-180, 180]."""
    if geometry.is_empty:
        return MultiPolygon()
    west, south, east, north = geometry.bounds
    if west >= -180.0 and east <= 180.0:
        return polygonal(geometry)
    turns = range(math.floor((west + 180.0) / 360.0), math.ceil((east - 180.0) / 360.0) + 1)
    parts = [_window(geometry, turn, south, north) for turn in turns]
    return on_earth(union(parts))


def on_earth(area: MultiPolygon) -> MultiPolygon:
    """The area with coordinates that rounding put a hair outside the world moved back to its edge."""
    if area.is_empty:
        return area
    west, south, east, north = area.bounds
    if west >= -180.0 and east <= 180.0 and south >= -90.0 and north <= 90.0:
        return area
    low, high = np.array([-180.0, -90.0]), np.array([180.0, 90.0])
    return made_valid(shapely.transform(area, lambda points: np.clip(points, low, high)))


def _window(geometry: BaseGeometry, turn: int, south: float, north: float) -> BaseGeometry:
    shift = 360.0 * turn
    window = shapely.box(shift - 180.0, south - 1.0, shift + 180.0, north + 1.0)
    part = polygonal(shapely.intersection(geometry, window))
    return shapely.transform(part, lambda points: points - np.array([shift, 0.0]))


def _continued(ring: FloatArray, steps: FloatArray) -> FloatArray:
    """Longitudes summed from the first; a vertex keeps its own digits where it did not move."""
    path = ring.copy()
    drift = np.concatenate(([0.0], np.cumsum(steps - np.diff(ring[:, 0]))))
    path[:, 0] += 360.0 * np.round(drift / 360.0)
    return path


def _winding(path: FloatArray) -> int:
    return round(float(path[-1, 0] - path[0, 0]) / 360.0)


def _nearer_pole(path: FloatArray) -> float:
    return 90.0 if float(np.mean(path[:, 1])) >= 0.0 else -90.0


def _closed_over(path: FloatArray, pole: float) -> FloatArray:
    return np.vstack((path, [[path[-1, 0], pole], [path[0, 0], pole], path[0]]))
