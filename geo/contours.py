"""Areas at or above each level from contour lines (ShakeMap cont_mmi.json), which may end at the map's edge. Pure.

Every contour of a level is the border between below and above, so crossing one always changes sides: the rings of
one level, with open lines closed along the map's edge, taken even-odd, are the area above or its complement in the
map. Which of the two is decided by the other levels (a higher contour lies above, a lower one below), then by the
epicentre, then by size. Source of the format: USGS ShakeMap manual, products.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.areas import BOUNDARY_DEG, normalise
from geo.coordinates import CoordinateError, Position
from geo.rings import even_odd, polygonal, short_way, union

FloatArray = NDArray[np.float64]
Box = tuple[float, float, float, float]
Lines = LineString | MultiLineString | Sequence[LineString]

_EDGE_PART = 0.02
"""An open line that ends within this part of the map's diagonal from the edge is taken to end at the edge."""


def bands_from_contours(
    levels: Mapping[float, Lines], box: Box | None = None, epicentre: Position | None = None
) -> dict[float, MultiPolygon]:
    """For each level the area of the map where the value is at least the level; each holds the next higher one.

    `box` is the map's (west, south, east, north) in degrees, by default the lines' bounds; it and the lines may
    run past 180 or jump there. Nothing is said about places outside the map. A ring too small to have an area is
    dropped. Raises CoordinateError for coordinates that are not finite or an empty map.
    """
    paths = {level: _paths(lines) for level, lines in levels.items()}
    edge = _map_edge(paths, box)
    paths = {level: [_moved(path, edge) for path in found] for level, found in paths.items()}
    centre = _centre(edge, epicentre)
    above: BaseGeometry = MultiPolygon()
    bands: dict[float, MultiPolygon] = {}
    for level in sorted(levels, reverse=True):
        side = _side_above(level, paths, edge, centre)
        above = union([side, above])
        bands[level] = normalise(above)
    return dict(sorted(bands.items()))


def touches_edge(area: BaseGeometry, box: Box) -> bool:
    """Whether an area reaches the edge of the map: it may go on outside, where the map says nothing."""
    west, south, east, north = box
    edge = shapely.box(west, south, east + 360.0 if west > east else east, north).exterior
    images = [shapely.affinity.translate(edge, xoff=turn) for turn in (0.0, 360.0, -360.0)]
    return any(shapely.dwithin(area, image, BOUNDARY_DEG) for image in images)


def _paths(lines: Lines) -> list[FloatArray]:
    whole = MultiLineString([lines]) if isinstance(lines, LineString) else MultiLineString(lines)
    parts = list(whole.geoms)
    paths = [shapely.get_coordinates(part) for part in parts if not part.is_empty]
    if not all(np.all(np.isfinite(path)) for path in paths):
        raise CoordinateError("a contour has a coordinate that is not finite")
    continuous = [short_way(path) for path in paths]
    return [path for path in continuous if not _is_speck(path)]


def _is_speck(path: FloatArray) -> bool:
    """Whether a closed line has no area: a hill or hollow smaller than the file's digits."""
    return np.array_equal(path[0], path[-1]) and (len(path) < 4 or Polygon(path).area == 0.0)


def _map_edge(paths: Mapping[float, list[FloatArray]], box: Box | None) -> Box:
    if box is None:
        points = np.vstack([path for found in paths.values() for path in found] or [np.empty((0, 2))])
        if not len(points):
            raise CoordinateError("neither a map box nor contours")
        (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    else:
        west, south, east, north = box
    if west > east:
        east += 360.0
    if not (math.isfinite(west + south + east + north) and west < east and south < north):
        raise CoordinateError(f"not a map box: {box!r}")
    return float(west), float(south), float(east), float(north)


def _moved(path: FloatArray, edge: Box) -> FloatArray:
    """The path moved by whole turns to where it is nearest to the map."""
    middle = (float(path[:, 0].min()) + float(path[:, 0].max())) / 2.0
    turns = round((middle - (edge[0] + edge[2]) / 2.0) / 360.0)
    return path - np.array([360.0 * turns, 0.0]) if turns else path


def _centre(edge: Box, epicentre: Position | None) -> tuple[float, float] | None:
    """The epicentre, at the copy of it nearest to the map."""
    if epicentre is None:
        return None
    middle = (edge[0] + edge[2]) / 2.0
    return epicentre.lon + 360.0 * round((middle - epicentre.lon) / 360.0), epicentre.lat


# --- one level ----------------------------------------------------------------


def _side_above(
    level: float, paths: Mapping[float, list[FloatArray]], edge: Box, centre: tuple[float, float] | None
) -> MultiPolygon:
    one = _one_side(paths[level], edge)
    other = polygonal(shapely.difference(shapely.box(*edge), one))
    votes = _votes(one, level, paths)
    if votes == 0.0:
        return _side_by_itself(one, other, edge, centre)
    return one if votes > 0.0 else other


def _one_side(paths: list[FloatArray], edge: Box) -> MultiPolygon:
    """The even-odd area of the rings and of the open lines closed along the edge."""
    rings = [_closed(path, edge) for path in paths]
    odd: BaseGeometry = MultiPolygon()
    for ring in rings:
        if len(ring) >= 4:
            odd = shapely.symmetric_difference(odd, even_odd(Polygon(ring)))
    return polygonal(shapely.intersection(odd, shapely.box(*edge)))


def _closed(path: FloatArray, edge: Box) -> FloatArray:
    """The path as a closed ring; an open one is led along the map's edge from its end to its start."""
    if np.array_equal(path[0], path[-1]):
        return path
    corners = np.array([(edge[0], edge[1]), (edge[2], edge[1]), (edge[2], edge[3]), (edge[0], edge[3])])
    around = shapely.LinearRing(corners)
    start, end = shapely.points(path[0]), shapely.points(path[-1])
    tolerance = _EDGE_PART * math.hypot(edge[2] - edge[0], edge[3] - edge[1])
    if max(around.distance(start), around.distance(end)) > tolerance:
        return np.vstack((path, path[:1]))
    first, last = around.project(start), around.project(end)
    legs = [around.project(shapely.points(corner)) for corner in corners]
    passed = sorted((leg - last) % around.length for leg in legs)
    stop = (first - last) % around.length
    walk = [last, *((last + leg) % around.length for leg in passed if leg < stop), first]
    return np.vstack((path, [around.interpolate(leg).coords[0] for leg in walk], path[:1]))


def _votes(side: MultiPolygon, level: float, paths: Mapping[float, list[FloatArray]]) -> float:
    """Length of the neighbouring contours that speak for `side` being above, less what speaks against."""
    votes = 0.0
    higher = min((other for other in paths if other > level and paths[other]), default=None)
    lower = max((other for other in paths if other < level and paths[other]), default=None)
    shapely.prepare(side)
    for neighbour, sign in ((higher, 1.0), (lower, -1.0)):
        for path in paths[neighbour] if neighbour is not None else []:
            middles = (path[:-1] + path[1:]) / 2.0
            lengths = np.hypot(*np.diff(path, axis=0).T)
            inside = shapely.contains_xy(side, middles[:, 0], middles[:, 1])
            votes += sign * float(np.sum(np.where(inside, lengths, -lengths)))
    return votes


def _side_by_itself(
    one: MultiPolygon, other: MultiPolygon, edge: Box, centre: tuple[float, float] | None
) -> MultiPolygon:
    """Without other levels: the side nearer to the epicentre, else what stays off the edge, else all the map."""
    if centre is not None and not one.is_empty and not other.is_empty:
        point = shapely.Point(centre)
        return one if one.distance(point) < other.distance(point) else other
    if not touches_edge(one, edge):
        return one
    return union([one, other]) if touches_edge(other, edge) else other
