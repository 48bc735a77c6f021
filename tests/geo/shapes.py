"""Random areas and the positions worth asking about, for the property tests of geo. Seeded: a failure repeats."""

from typing import Any

import numpy as np
import shapely
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.areas import BOUNDARY_DEG, normalise
from geo.cells import CoverCell, cell_bounds, cell_of_array, find

FloatArray = NDArray[np.float64]

CENTRES = [
    (0.0, 0.0),
    (11.25, 40.0),
    (179.9999, -17.0),
    (-180.0, 66.0),
    (180.0, -45.0),
    (25.0, 85.0511287798066),
    (-70.0, 87.5),
    (10.0, 89.99),
    (100.0, -89.0),
    (30.0, -84.9),
]


def star(rng: np.random.Generator, lon: float, lat: float, size: float, vertices: int) -> FloatArray:
    """A ring round a centre at uneven distances (simple, seldom convex), degrees."""
    angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, vertices))
    reach = size * rng.uniform(0.3, 1.0, vertices)
    ring = np.column_stack((lon + reach * np.cos(angles), lat + 0.7 * reach * np.sin(angles)))
    return np.clip(ring, (-500.0, -90.0), (500.0, 90.0))


def on_tile_lines(ring: FloatArray, zoom: int) -> FloatArray:
    """The ring with its longitudes moved to edges of tiles, so that its sides run along cell boundaries."""
    side = 360.0 / 2.0**zoom
    return np.column_stack((np.round(ring[:, 0] / side) * side, ring[:, 1]))


def random_area(seed: int) -> MultiPolygon:
    """One of many kinds of area: blobs with holes, several parts, boxes on tile lines, slivers; anywhere."""
    rng = np.random.default_rng(seed)
    if rng.random() < 0.6:
        lon, lat = CENTRES[rng.integers(len(CENTRES))]
    else:
        lon, lat = rng.uniform(-180.0, 180.0), float(np.degrees(np.arcsin(rng.uniform(-1.0, 1.0))))
    size = float(10.0 ** rng.uniform(-4.5, 1.6))
    parts: list[BaseGeometry] = []
    for _ in range(int(rng.integers(1, 4))):
        where = lon + rng.normal() * size, float(np.clip(lat + rng.normal() * size / 2.0, -90.0, 90.0))
        ring = star(rng, *where, size, int(rng.integers(3, 40)))
        if rng.random() < 0.3:
            ring = on_tile_lines(ring, int(rng.integers(3, 14)))
        shape: BaseGeometry = normalise(Polygon(ring))
        if rng.random() < 0.5:
            shape = shapely.difference(shape, normalise(Polygon(star(rng, *where, size / 4.0, 6))))
        if rng.random() < 0.2:
            width, height = size * rng.uniform(0.0, 1.0, 2) ** 4 + 1e-7
            low = float(np.clip(where[1], -90.0, 90.0 - height))
            shape = normalise(shapely.box(where[0], low, where[0] + width, low + height))
        parts.append(shape)
    return normalise(shapely.union_all(parts))


areas = st.integers(min_value=0, max_value=2**48).map(random_area).filter(lambda area: not area.is_empty)


def interesting_points(area: BaseGeometry, rng: np.random.Generator, cells: list[CoverCell]) -> FloatArray:
    """Vertices, points on edges, hairs beside them, corners of cells, the seam, the poles, and random ones."""
    vertices = shapely.get_coordinates(area)
    vertices = vertices[rng.integers(len(vertices), size=60)]
    along = points_on_boundary(area, rng.uniform(0.0, 1.0, 60))
    hairs = [vertices + rng.normal(size=vertices.shape) * scale for scale in (3e-10, 5e-9, 5e-7, 5e-6)]
    corners = np.array([corner for cell in cells[:: max(1, len(cells) // 40)] for corner in _corners(cell)]).reshape(
        -1, 2
    )
    west, south, east, north = area.bounds
    free = np.column_stack((rng.uniform(west - 1e-3, east + 1e-3, 200), rng.uniform(south - 1e-3, north + 1e-3, 200)))
    seam = np.column_stack((np.full(20, -180.0), rng.uniform(south, north, 20)))
    near_seam = seam + np.column_stack((rng.uniform(0.0, 3e-9, 20), np.zeros(20)))
    other = np.column_stack((np.full(20, 180.0) - rng.uniform(0.0, 3e-9, 20), seam[:, 1]))
    poles = np.array([(0.0, 90.0), (west, 90.0), (0.0, -90.0), (east, -90.0)])
    points = np.vstack((vertices, along, *hairs, corners, free, seam, near_seam, other, poles))
    lon = (points[:, 0] + 180.0) % 360.0 - 180.0
    kept = np.where(np.abs(points[:, 0]) < 180.0, points[:, 0], lon)
    kept = np.where(kept == 180.0, -180.0, kept)
    return np.column_stack((kept, np.clip(points[:, 1], -90.0, 90.0)))


def points_on_boundary(area: BaseGeometry, parts: FloatArray) -> FloatArray:
    """The points at these parts (0 to 1) of the length of an area's boundary."""
    lines: Any = shapely.boundary(area)
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(lines, parts, normalized=True)))


def _corners(cell: CoverCell) -> list[tuple[float, float]]:
    zoom, span = 28, cell.hi - cell.lo + 1
    while span > 1:
        zoom, span = zoom - 1, span >> 2
    west, south, east, north = cell_bounds(cell.lo >> 2 * (28 - zoom), zoom)
    return [(west, south), (west, north), (east, north), ((west + east) / 2.0, south)]


def distance_deg(area: BaseGeometry, points: FloatArray) -> FloatArray:
    """Planar distance of each point to the area or to its images a turn away: the slow twin of `contains`."""
    images = [shapely.points(points + np.array([turn, 0.0])) for turn in (0.0, 360.0, -360.0)]
    turns = [np.asarray(shapely.distance(area, image), dtype=np.float64) for image in images]
    return np.minimum(np.minimum(turns[0], turns[1]), turns[2])


def held_by_cover(cells: list[CoverCell], points: FloatArray) -> NDArray[np.bool_]:
    """What a database would answer: the one range that holds the key, and its piece if it has one."""
    held = np.zeros(len(points), dtype=np.bool_)
    for index, key in enumerate(cell_of_array(points[:, 0], points[:, 1])):
        cell = find(cells, int(key))
        if cell is not None:
            point = shapely.points(points[index])
            held[index] = cell.piece is None or shapely.distance(cell.piece, point) <= BOUNDARY_DEG
    return held
