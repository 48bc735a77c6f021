"""Areas: repaired, cut at the antimeridian, widened by metres. Not the key (geo.cells), not tables. Pure shapely.

An area is a valid MultiPolygon within [-180, 180] x [-90, 90] whose edges are straight in longitude and latitude.
The boundary counts as in: a position is in an area iff it is within BOUNDARY_DEG of it.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.azimuthal import Plane, lonlat_step_deg, plane_step_m, stretch
from geo.coordinates import EARTH_RADIUS_M, CoordinateError, Position
from geo.rings import even_odd, has_jump, made_valid, on_earth, polygon_region, polygonal, union, wrapped

FloatArray = NDArray[np.float64]

BOUNDARY_DEG: Final = 1e-9
"""Width of the boundary that counts as in, degrees (0.1 mm): far above rounding, far below any accuracy."""

RADIUS_CLASSES_M: Final[dict[int, float]] = {1: 50.0, 2: 500.0, 3: 5_000.0, 4: 25_000.0, 5: 100_000.0}
"""Radius class code -> metres. Code 0 is the exact area, code 6 the country (no radius)."""

EXACT_CLASS: Final = 0
COUNTRY_CLASS: Final = 6

POLAR_DEG: Final = 88.0
"""A widened area that reaches this latitude takes everything from there to the pole."""

_CAP_DEG: Final = 89.0
_REACH_RAD: Final = 0.3
_LARGEST_RADIUS_M: Final = 2_000_000.0


# --- repair -------------------------------------------------------------------


def repair(geometry: BaseGeometry) -> MultiPolygon:
    """The valid MultiPolygon of the same area; collapsed rings, points and lines are dropped (may be empty)."""
    return made_valid(geometry)


def split_antimeridian(geometry: BaseGeometry) -> MultiPolygon:
    """Polygons written across the antimeridian, round a pole, or with longitudes beyond 180, cut into
    [-180, 180]. See geo.rings for how long edges are read. Raises CoordinateError."""
    return on_earth(union([polygon_region(part) for part in _raw_polygons(geometry)]))


def normalise(geometry: BaseGeometry) -> MultiPolygon:
    """Any polygonal geometry as an area: finite, repaired, cut at the antimeridian; empty if nothing has an area.

    Raises CoordinateError for NaN, infinity, a latitude beyond 90 (mostly swapped axes) or a longitude beyond 540.
    """
    check_coordinates(geometry)
    if _stays_in_place(geometry):
        return on_earth(made_valid(geometry))
    return split_antimeridian(geometry)


def check_coordinates(geometry: BaseGeometry) -> None:
    """Raises CoordinateError unless every coordinate is finite, |lat| <= 90 and |lon| <= 540."""
    points = shapely.get_coordinates(geometry)
    if not np.all(np.isfinite(points)):
        raise CoordinateError("a coordinate is not finite")
    if np.any(np.abs(points[:, 1]) > 90.0 + BOUNDARY_DEG):
        raise CoordinateError("a latitude is beyond 90 degrees (axes swapped?)")
    if np.any(np.abs(points[:, 0]) > 540.0):
        raise CoordinateError("a longitude is beyond 540 degrees")


def has_long_edge(geometry: BaseGeometry) -> bool:
    """Whether an edge spans more than 180 degrees of longitude: its reading is a guess, show it to a person."""
    return any(has_jump(ring) for part in _raw_polygons(geometry) for ring in _rings(part))


def contains(area: BaseGeometry, position: Position) -> bool:
    """Whether the position is in the area; the boundary, and its image across the antimeridian, count as in."""
    return bool(contains_array(area, np.array([position.lon]), np.array([position.lat]))[0])


def contains_array(area: BaseGeometry, lon: FloatArray, lat: FloatArray) -> NDArray[np.bool_]:
    """`contains` for arrays of degrees (-180 <= lon <= 180)."""
    shapely.prepare(area)
    inside = np.asarray(shapely.dwithin(area, shapely.points(lon, lat), BOUNDARY_DEG), dtype=np.bool_)
    for shift, seam in ((360.0, lon <= -180.0 + BOUNDARY_DEG), (-360.0, lon >= 180.0 - BOUNDARY_DEG)):
        if np.any(seam):
            images = shapely.points(lon[seam] + shift, lat[seam])
            inside[seam] |= shapely.dwithin(area, images, BOUNDARY_DEG)
    return inside


def _raw_polygons(geometry: BaseGeometry) -> Iterator[Polygon]:
    for part in shapely.get_parts(shapely.get_parts(shapely.force_2d(geometry))):
        if isinstance(part, Polygon) and not part.is_empty:
            yield part


def _rings(polygon: Polygon) -> Iterator[FloatArray]:
    yield shapely.get_coordinates(polygon.exterior)
    yield from (shapely.get_coordinates(ring) for ring in polygon.interiors)


def _stays_in_place(geometry: BaseGeometry) -> bool:
    lon = shapely.get_coordinates(geometry)[:, 0]
    if np.any(np.abs(lon) > 180.0):
        return False
    # steps between parts are looked at too: they only cost the slower way round
    return not np.any(np.abs(np.diff(lon)) > 180.0)


# --- metres -------------------------------------------------------------------


def circle(position: Position, radius_m: float) -> MultiPolygon:
    """The disc of a radius in metres, as an area that contains it and exceeds it by at most 0.5 % + 3 m.

    What reaches POLAR_DEG takes all longitudes from there; above 2,000 km it is a box in longitude and latitude.
    Raises ValueError unless 0 < radius_m < infinity.
    """
    return widen(Point(position.lon, position.lat), radius_m)


def widen(area: BaseGeometry, radius_m: float) -> MultiPolygon:
    """Every point within `radius_m` (great circle) of the area, and at most about 5 % + 10 m more.

    Points and lines within [-180, 180] may be given as well as areas. Never loses a point: all tolerances are
    added to the radius. Beyond POLAR_DEG it may take all longitudes. Radii above 2,000 km give boxes.
    Raises ValueError unless 0 < radius_m < infinity.
    """
    if not 0.0 < radius_m < math.inf:
        raise ValueError(f"radius_m must be positive and finite: {radius_m!r}")
    if area.is_empty:
        return MultiPolygon()
    if radius_m > _LARGEST_RADIUS_M:
        return _boxes(area, math.degrees(radius_m / EARTH_RADIUS_M))
    if isinstance(area, Point):
        return on_earth(union(_widened(area, radius_m)))
    parts: list[BaseGeometry] = list(_polar_bands(area, math.degrees(radius_m / EARTH_RADIUS_M)))
    for piece in _pieces(_between_caps(area)):
        parts.extend(_widened(piece, radius_m))
    return on_earth(union(parts))


def _between_caps(area: BaseGeometry) -> BaseGeometry:
    _, south, _, north = area.bounds
    if south >= -_CAP_DEG and north <= _CAP_DEG:
        return area
    return shapely.intersection(area, shapely.box(-180.0, -_CAP_DEG, 180.0, _CAP_DEG))


def _polar_bands(area: BaseGeometry, radius_deg: float) -> Iterator[Polygon]:
    _, south, _, north = area.bounds
    edge = min(POLAR_DEG, _CAP_DEG - radius_deg)
    if north > _CAP_DEG:
        yield _polar_band(edge, 1.0)
    if south < -_CAP_DEG:
        yield _polar_band(edge, -1.0)


def _polar_band(edge: float, sign: float) -> Polygon:
    """Everything poleward of a latitude, north (sign 1) or south (sign -1)."""
    return shapely.box(-180.0, edge, 180.0, 90.0) if sign > 0.0 else shapely.box(-180.0, -90.0, 180.0, -edge)


def _boxes(area: BaseGeometry, radius_deg: float) -> MultiPolygon:
    """For radii of a good part of the earth: the box of each part, grown by the radius."""
    return on_earth(union([_grown_box(part.bounds, radius_deg) for part in shapely.get_parts(area)]))


def _grown_box(bounds: tuple[float, float, float, float], radius_deg: float) -> MultiPolygon:
    west, south, east, north = bounds
    south, north = south - radius_deg, north + radius_deg
    widest = max(abs(bounds[1]), abs(bounds[3]))
    ratio = math.sin(math.radians(min(radius_deg, 90.0))) / max(math.cos(math.radians(widest)), 1e-12)
    if ratio >= 1.0 or south <= -90.0 or north >= 90.0:
        return polygonal(shapely.box(-180.0, max(south, -90.0), 180.0, min(north, 90.0)))
    reach = min(math.degrees(math.asin(ratio)) * (1.0 + 1e-12) + BOUNDARY_DEG, 180.0)
    west, east = west - reach, min(east + reach, west - reach + 360.0)
    return wrapped(shapely.box(west, south, east, north))


def _centre(bounds: tuple[float, float, float, float]) -> tuple[Plane, float]:
    """The better plane for the box, and the angle in radians that reaches all of the box from its centre."""
    west, south, east, north = bounds
    plane = Plane(lat=(south + north) / 2.0, lon=(west + east) / 2.0)
    reach, to_pole = math.pi, math.pi
    if east - west <= 120.0:
        sides = np.linspace(south, north, 9)
        corners = plane.forward(np.column_stack((np.full(9, east), sides)))
        reach = float(np.hypot(*corners.T).max()) / EARTH_RADIUS_M
    if south * north > 0.0:
        to_pole = math.radians(90.0 - min(abs(south), abs(north)))
    if to_pole < reach:
        return Plane(lat=math.copysign(90.0, north), lon=0.0), to_pole
    return plane, reach


def _pieces(area: BaseGeometry) -> Iterator[BaseGeometry]:
    """The area cut until each piece lies within _REACH_RAD of the centre of its box."""
    stack = [area]
    while stack:
        piece = stack.pop()
        if piece.is_empty:
            continue
        if _centre(piece.bounds)[1] <= _REACH_RAD:
            yield piece
        else:
            stack.extend(_halves(piece))


def _halves(piece: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    west, south, east, north = piece.bounds
    middle_lon, middle_lat = (west + east) / 2.0, (south + north) / 2.0
    if (east - west) * math.cos(math.radians(middle_lat)) >= north - south:
        first, second = (west, south, middle_lon, north), (middle_lon, south, east, north)
    else:
        first, second = (west, south, east, middle_lat), (west, middle_lat, east, north)
    return shapely.intersection(piece, shapely.box(*first)), shapely.intersection(piece, shapely.box(*second))


def _widened(piece: BaseGeometry, radius_m: float) -> Iterator[MultiPolygon]:
    """One piece widened in its own plane. `slack` covers the straight edges between densified vertices on
    the way in and out, `simplify_m` the simplifying before and after; all are added to the radius first."""
    plane, _ = _centre(piece.bounds)
    is_point = isinstance(piece, Point)
    slack_m = 0.4 + 0.001 * radius_m
    simplify_m = 0.0 if is_point else 4.0 * slack_m
    dense = shapely.segmentize(piece, lonlat_step_deg(slack_m))
    flat = shapely.transform(dense, plane.forward)
    reach = float(np.hypot(*shapely.get_coordinates(flat).T).max())
    if not is_point:
        flat = shapely.simplify(flat, simplify_m, preserve_topology=True)
    wanted = radius_m + 2.0 * slack_m + 2.0 * simplify_m
    longest = 1.0 if is_point else stretch((reach + 1.1 * wanted) / EARTH_RADIUS_M)
    disc = _grown(flat, wanted * longest, quad_segs=16 if is_point else 8)
    yield from _from_plane(disc, plane, slack_m, simplify_m)


def _grown(flat: BaseGeometry, length_m: float, quad_segs: int) -> BaseGeometry:
    """All of the plane within a length, at least. A rough outline is grown a little and smoothed first: a buffer
    much wider than the outline's steps takes seconds, two small ones do not."""
    vertices = int(shapely.get_num_coordinates(flat))
    if vertices > 300 and length_m > flat.length / vertices:
        part = length_m / 4.0
        smooth_m = 0.004 * part
        flat = _simplified(_grown(flat, part, quad_segs), smooth_m)
        length_m += smooth_m - part
    # the corners of a buffer's arcs lie on the circle, their sides within it: hence the longer radius
    return shapely.buffer(flat, length_m / math.cos(math.pi / (4 * quad_segs)), quad_segs=quad_segs)


def _simplified(geometry: BaseGeometry, tolerance: float) -> BaseGeometry:
    quick = shapely.simplify(geometry, tolerance, preserve_topology=False)
    if quick.is_valid and not quick.is_empty:
        return quick
    return shapely.simplify(geometry, tolerance, preserve_topology=True)


def _from_plane(disc: BaseGeometry, plane: Plane, slack_m: float, simplify_m: float) -> Iterator[MultiPolygon]:
    """Polygons of the plane in longitude and latitude; what reaches POLAR_DEG becomes a band to the pole."""
    reach_m = float(np.hypot(*shapely.get_coordinates(disc).T).max())
    furthest = abs(plane.lat) + math.degrees(reach_m / EARTH_RADIUS_M)
    simplify_deg = math.degrees(simplify_m / EARTH_RADIUS_M)
    if furthest < POLAR_DEG:
        dense = shapely.segmentize(disc, plane_step_m(slack_m, furthest))
        lonlat = even_odd(shapely.transform(dense, plane.inverse))
        yield wrapped(even_odd(_simplified(lonlat, simplify_deg)))
        return
    for region in _from_polar_plane(disc, plane, slack_m):
        yield on_earth(even_odd(_simplified(region, simplify_deg)))


def _from_polar_plane(disc: BaseGeometry, plane: Plane, slack_m: float) -> Iterator[MultiPolygon]:
    """The same where rings may go round the pole."""
    sign = math.copysign(1.0, plane.lat)
    if disc.intersects(_parallel(plane, sign * (POLAR_DEG - 0.001))):
        yield wrapped(_polar_band(POLAR_DEG, sign))
    rest = shapely.difference(disc, _parallel(plane, sign * (POLAR_DEG + 0.5)))
    if rest.is_empty:
        return
    pole = Point(*plane.forward(np.array([(plane.lon, sign * 90.0)]))[0])
    # lengths in the plane are at most 1.2 times too long within 60 degrees of its centre
    furthest = 90.0 - math.degrees(float(rest.distance(pole)) / EARTH_RADIUS_M) / 1.2 if abs(plane.lat) > 30.0 else 90.0
    dense = shapely.segmentize(rest, plane_step_m(slack_m, min(furthest, POLAR_DEG + 0.5)))
    lonlat = shapely.transform(dense, plane.inverse)
    yield from (polygon_region(part) for part in _raw_polygons(lonlat))


def _parallel(plane: Plane, lat: float) -> Polygon:
    """The polar cap beyond a parallel, in the plane."""
    lon = np.arange(-180.0, 180.0)
    return Polygon(plane.forward(np.column_stack((lon, np.full(lon.shape, lat)))))
