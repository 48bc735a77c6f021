"""The integer cell: one sortable key per position, and the ranges of keys that cover an area. Pure.

The key is the 56-bit Morton code of the Web-Mercator tile at zoom 28 (x in the even bits, y in the odd bits, y
growing southwards): a tile of any zoom is one range of keys. Latitudes beyond MERCATOR_LAT fall into the first and
last row of tiles, whose bounds therefore reach the poles. `geo.functions` holds the same key in SQL.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import GEOSException, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.coordinates import checked_lat, checked_lon
from geo.rings import polygonal, union

LEVEL: Final = 28
"""Zoom of the key's tiles: about 15 cm at the equator."""

MERCATOR_LAT: Final = 85.0511287798066
"""Where the square Web-Mercator map ends, degrees."""

MARGIN_DEG: Final = 1e-6
"""Pieces of a cover reach this far over their cell, degrees: 1,000 times BOUNDARY_DEG of geo.areas."""

MAX_CELLS: Final = 256
MAX_LEVEL: Final = 24

_SIDE: Final = 1 << LEVEL
_SPREADS: Final = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)

Bounds = tuple[float, float, float, float]


# --- the key ------------------------------------------------------------------


def cell_of(lon: float, lat: float) -> int:
    """The key of a position in degrees, 0 <= key < 2**56. Raises CoordinateError."""
    x = math.floor((checked_lon(lon) + 180.0) / 360.0 * _SIDE)
    y = math.floor((1.0 - math.asinh(math.tan(math.radians(checked_lat(lat)))) / math.pi) / 2.0 * _SIDE)
    return interleave(min(x, _SIDE - 1), min(max(y, 0), _SIDE - 1))


def cell_of_array(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """`cell_of` for arrays of degrees. Raises ValueError if a value is not finite or out of range."""
    if not (np.all(np.abs(lon) <= 180.0) and np.all(np.abs(lat) <= 90.0)):
        raise ValueError("longitudes or latitudes out of range")
    turned = np.where(lon == 180.0, -180.0, lon)
    x = np.floor((turned + 180.0) / 360.0 * _SIDE)
    y = np.floor((1.0 - np.arcsinh(np.tan(np.radians(lat))) / math.pi) / 2.0 * _SIDE)
    low, high = np.uint64(0), np.uint64(1)
    bits = [_spread_array(np.clip(axis, 0, _SIDE - 1).astype(np.uint64)) for axis in (x, y)]
    return ((bits[0] << low) | (bits[1] << high)).astype(np.int64)


def interleave(x: int, y: int) -> int:
    """The Morton code of tile (x, y) of any zoom."""
    return _spread(x) | _spread(y) << 1


def tile_of_prefix(prefix: int) -> tuple[int, int]:
    """(x, y) of a Morton code: the inverse of `interleave`."""
    return _gather(prefix), _gather(prefix >> 1)


def prefix_of_cell(cell: int, zoom: int) -> int:
    """The Morton code, at `zoom`, of the tile that holds a key."""
    return cell >> 2 * (LEVEL - zoom)


def tile_of_cell(cell: int, zoom: int) -> tuple[int, int]:
    """(x, y) of the tile at `zoom` that holds a key."""
    return tile_of_prefix(prefix_of_cell(cell, zoom))


def cell_range(prefix: int, zoom: int) -> tuple[int, int]:
    """Lowest and highest key (both inclusive) of the tile with this Morton code at `zoom`."""
    shift = 2 * (LEVEL - zoom)
    return prefix << shift, ((prefix + 1) << shift) - 1


def cell_bounds(prefix: int, zoom: int) -> Bounds:
    """(west, south, east, north) in degrees of a tile by Morton code; rows at the edge reach the poles."""
    x, y = tile_of_prefix(prefix)
    side = 1 << zoom
    west, east = x / side * 360.0 - 180.0, (x + 1) / side * 360.0 - 180.0
    north = 90.0 if y == 0 else _row_lat(y, side)
    south = -90.0 if y == side - 1 else _row_lat(y + 1, side)
    return west, south, east, north


def _row_lat(y: int, side: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * y / side))))


def _spread(value: int) -> int:
    for shift, mask in _SPREADS:
        value = (value | value << shift) & mask
    return value


def _gather(value: int) -> int:
    value &= 0x5555555555555555
    for shift, mask in ((1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF)):
        value = (value | value >> shift) & mask
    value = (value | value >> 8) & 0x0000FFFF0000FFFF
    return (value | value >> 16) & 0x00000000FFFFFFFF


def _spread_array(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, mask in _SPREADS:
        value = (value | value << np.uint64(shift)) & np.uint64(mask)
    return value


# --- covers -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoverCell:
    """A range of keys, both ends inclusive. `piece` None: every position of the range is in the area.

    Otherwise `piece` is the area clipped to a little more than the cell: a position of the range is in the area
    iff it is within BOUNDARY_DEG of the piece (planar degrees; images across the antimeridian are in the piece).
    """

    lo: int
    hi: int
    piece: BaseGeometry | None


@dataclass(frozen=True, slots=True)
class _Node:
    """A quadtree cell that the area touches, the area clipped to it, and the piece's size."""

    prefix: int
    zoom: int
    piece: BaseGeometry
    area: float
    vertices: int

    @property
    def cost(self) -> float:
        """What testing the positions of this cell costs: its part of the map times the work of one test."""
        return (self.vertices + 64) * 4.0**-self.zoom


_Entry = tuple[float, int, int, _Node]


def cover(area: BaseGeometry, *, max_cells: int = MAX_CELLS, max_level: int = MAX_LEVEL) -> list[CoverCell]:
    """Disjoint ranges of keys, ascending, that hold every position of the area (see CoverCell for the test).

    `area` is a valid Polygon or MultiPolygon within [-180, 180] x [-90, 90] (geo.areas.normalise). Small areas
    get fewer than `max_cells`; at least 4 cells may be needed whatever the budget. Raises ValueError.
    """
    whole = _with_images(_checked(area))
    if whole.is_empty:
        return []
    budget = min(max_cells, _wanted_cells(area))
    inside: list[_Node] = []
    leaves: list[_Node] = []
    heap: list[_Entry] = []
    for node in _start(whole, max_level):
        _place(node, inside, heap)
    while heap and len(inside) + len(leaves) + len(heap) + 3 <= budget:
        node = heappop(heap)[-1]
        if node.zoom >= max_level:
            leaves.append(node)
            continue
        for child in _split(node, whole):
            _place(child, inside, heap)
    leaves.extend(entry[-1] for entry in heap)
    cells = [_cell(node, None) for node in inside]
    cells += [_cell(node, node.piece) for node in leaves]
    return sorted(cells, key=lambda cell: cell.lo)


def merge(cells: list[CoverCell]) -> list[CoverCell]:
    """The cover with neighbouring wholly-inside ranges joined: fewer ranges, which are then no single tiles."""
    merged: list[CoverCell] = []
    for cell in cells:
        last = merged[-1] if merged else None
        if last and last.piece is None and cell.piece is None and last.hi + 1 == cell.lo:
            merged[-1] = CoverCell(last.lo, cell.hi, None)
        else:
            merged.append(cell)
    return merged


def find(cells: list[CoverCell], key: int) -> CoverCell | None:
    """The cell of an ascending cover that holds a key."""
    low, high = 0, len(cells)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if cells[middle].hi < key else (low, middle)
    return cells[low] if low < len(cells) and cells[low].lo <= key else None


def _checked(area: BaseGeometry) -> BaseGeometry:
    if not isinstance(area, Polygon | MultiPolygon):
        raise ValueError(f"not an area: {area.geom_type}")
    if not area.is_empty:
        west, south, east, north = area.bounds
        if not (west >= -180.0 and south >= -90.0 and east <= 180.0 and north <= 90.0):
            raise ValueError("the area is not within [-180, 180] x [-90, 90]")
    return area


def _wanted_cells(area: BaseGeometry) -> int:
    """More cells for many vertices (short pieces) and for a wide area (fewer people in edge cells)."""
    west, south, east, north = area.bounds
    extent_deg = max(east - west, north - south)
    return 40 + int(shapely.get_num_coordinates(area)) // 6 + int(40.0 * max(0.0, extent_deg - 0.25))


def _with_images(area: BaseGeometry) -> BaseGeometry:
    """The area with the strip of its image that lies within a margin beyond -180 or 180."""
    if area.is_empty:
        return area
    west, _, east, _ = area.bounds
    strips: list[BaseGeometry] = []
    if east >= 180.0 - MARGIN_DEG:
        strips.append(_strip(area, -360.0))
    if west <= -180.0 + MARGIN_DEG:
        strips.append(_strip(area, 360.0))
    return union([area, *strips]) if strips else area


def _strip(area: BaseGeometry, shift: float) -> BaseGeometry:
    """The part of the area along one side of the antimeridian, seen from the other side."""
    side = -math.copysign(180.0, shift)
    inner = side - math.copysign(MARGIN_DEG, side)
    strip = shapely.intersection(area, shapely.box(min(side, inner), -90.0, max(side, inner), 90.0))
    return shapely.transform(strip, lambda points: points + np.array([shift, 0.0]))


def _start(area: BaseGeometry, max_level: int) -> Iterator[_Node]:
    """The smallest one to four cells of one zoom that hold all the area."""
    west, south, east, north = area.bounds
    corners = [_tile(west, north, -MARGIN_DEG), _tile(east, south, MARGIN_DEG)]
    (x0, y0), (x1, y1) = corners
    zoom = LEVEL
    while zoom > 0 and (x1 - x0 > 1 or y1 - y0 > 1 or zoom > max_level):
        x0, y0, x1, y1, zoom = x0 >> 1, y0 >> 1, x1 >> 1, y1 >> 1, zoom - 1
    prefixes = [interleave(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]
    if len(prefixes) == 1:
        yield _node(prefixes[0], zoom, area)
    else:
        yield from _cut(area, area, prefixes, zoom)


def _tile(lon: float, lat: float, margin: float) -> tuple[int, int]:
    """The tile at LEVEL of a corner of a box, moved outwards by the margin and clamped into the world."""
    lon = min(max(lon + margin, -180.0), math.nextafter(180.0, 0.0))
    lat = min(max(lat - margin, -90.0), 90.0)
    return tile_of_cell(cell_of(lon, lat), LEVEL)


def _split(node: _Node, whole: BaseGeometry) -> list[_Node]:
    children = [node.prefix << 2 | quarter for quarter in range(4)]
    return _cut(node.piece, whole, children, node.zoom + 1)


def _cut(piece: BaseGeometry, whole: BaseGeometry, prefixes: list[int], zoom: int) -> list[_Node]:
    """The nodes of `prefixes` that the piece touches. Clipping by rectangle is quick, but GEOS may throw, or give
    an invalid polygon or the wrong side of a ring: if one is invalid or the areas do not add up, the exact overlay
    with the whole area is asked instead."""
    boxes = [_expanded(cell_bounds(prefix, zoom)) for prefix in prefixes]
    try:
        pieces = [shapely.clip_by_rect(piece, *box) for box in boxes]
    except GEOSException:
        pieces = []
    nodes = [_node(prefix, zoom, part) for prefix, part in zip(prefixes, pieces, strict=False)]
    if not _adds_up(piece, nodes, boxes):
        nodes = [_overlaid(whole, prefix, zoom, box) for prefix, box in zip(prefixes, boxes, strict=True)]
    return [node for node in nodes if node.vertices]


def _node(prefix: int, zoom: int, piece: BaseGeometry) -> _Node:
    return _Node(prefix, zoom, piece, float(shapely.area(piece)), int(shapely.get_num_coordinates(piece)))


def _adds_up(piece: BaseGeometry, nodes: list[_Node], boxes: list[Bounds]) -> bool:
    """Whether the clipped parts are valid polygons whose areas sum to the piece's, but for the boxes' overlap."""
    if len(nodes) < len(boxes) or any(node.vertices and node.area <= 0.0 for node in nodes):
        return False
    if not np.all(shapely.is_valid([node.piece for node in nodes])):
        return False
    west, south, east, north = piece.bounds
    whole = shapely.area(piece)
    sides = list(zip(*boxes, strict=True))
    hull = (max(sides[2]) - min(sides[0])) * (max(sides[3]) - min(sides[1]))
    overlap = sum((b[2] - b[0]) * (b[3] - b[1]) for b in boxes) - hull
    rounding = 1e-9 * whole + 1e-13 * (east - west + north - south)
    total = sum(node.area for node in nodes)
    return bool(whole - rounding <= total <= whole + overlap + 1e-12 * hull + rounding)


def _overlaid(whole: BaseGeometry, prefix: int, zoom: int, box: Bounds) -> _Node:
    """The node by exact overlay; with the unclipped area (which is as right, only larger) if that fails too."""
    try:
        part = polygonal(shapely.intersection(whole, shapely.box(*box)))
    except GEOSException:
        part = MultiPolygon()
    if not part.is_empty and part.is_valid:
        return _node(prefix, zoom, part)
    core = shapely.box(*cell_bounds(prefix, zoom))
    return _node(prefix, zoom, whole if shapely.dwithin(whole, core, MARGIN_DEG / 2.0) else MultiPolygon())


def _place(node: _Node, inside: list[_Node], heap: list[_Entry]) -> None:
    if _is_inside(node):
        inside.append(node)
    else:
        heappush(heap, (-node.cost, node.zoom, node.prefix, node))


def _is_inside(node: _Node) -> bool:
    west, south, east, north = bounds = cell_bounds(node.prefix, node.zoom)
    if node.area < (east - west) * (north - south) * (1.0 - 1e-12):
        return False
    return bool(shapely.covers(node.piece, shapely.box(*bounds)))


def _expanded(bounds: Bounds) -> Bounds:
    west, south, east, north = bounds
    return west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG


def _cell(node: _Node, piece: BaseGeometry | None) -> CoverCell:
    return CoverCell(*cell_range(node.prefix, node.zoom), piece)
