"""Invented zones of a wanted share of the people and a wanted number of vertices: shields, coasts, flooded rivers."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiPolygon, Polygon

from geo.areas import normalise
from tests.benchmarks.people import People

Floats = NDArray[np.float64]
RIVERS = 16


@dataclass(frozen=True)
class Shape:
    """What a zone looks like: `ragged` 0 is a smooth shield, 1 has bays as deep as the radius."""

    name: str
    share: float
    vertices: int
    ragged: float = 0.1
    stretch: float = 1.0
    region: int = 0
    near_town: bool = True
    is_flood: bool = False


SHAKEMAP = Shape("ShakeMap 3,600 vertices, 1 %", 0.01, 3_600, 0.05, 1.6, region=1)
COUNTRY = Shape("country 7,700 vertices, 8.5 %", 0.085, 7_700, 0.15, 1.2, near_town=False)
FLOOD = Shape("flood 11,000 vertices, 0.3 %", 0.003, 11_000, region=2, is_flood=True)
TINY = Shape("CAP 150 vertices, 0.01 %", 0.0001, 150, region=5)
SHAPES = (SHAKEMAP, COUNTRY, FLOOD, TINY)


def make_zone(shape: Shape, people: People, *, grow: float = 1.0, move: float = 0.0) -> MultiPolygon:
    """A zone that holds `share * grow` of the people; `move` shifts it by a part of its width (its share then is
    another, a little).
    """
    area = _flood(shape, people, grow) if shape.is_flood else _shield(shape, people, grow)
    west, _, east, _ = area.bounds
    shift = move * (east - west) * (0.02 if shape.is_flood else 1.0)
    return normalise(shapely.transform(area, lambda points: points + np.array([shift, 0.0]))) if move else area


def _shield(shape: Shape, people: People, grow: float) -> MultiPolygon:
    """A point lies in a star-shaped zone iff its distance over the zone's radius in its direction is below the
    scale: the wanted share is a quantile of that, so the zone is right at once.
    """
    rng = np.random.default_rng(7)
    centre = _centre(shape, people)
    angles = np.linspace(-np.pi, np.pi, shape.vertices, endpoint=False)
    radii = _radii(rng, angles, shape.ragged)
    lon = (people.lon[people.known] - centre[0]) / shape.stretch
    lat = people.lat[people.known] - centre[1]
    reach = np.hypot(lon, lat) / np.interp(np.arctan2(lat, lon), angles, radii, period=2 * np.pi)
    scale = float(np.quantile(reach, shape.share * grow))
    x = centre[0] + np.cos(angles) * radii * scale * shape.stretch
    y = centre[1] + np.sin(angles) * radii * scale
    return normalise(Polygon(np.column_stack([x, np.clip(y, -85, 85)])))


def _flood(shape: Shape, people: People, grow: float) -> MultiPolygon:
    """Meandering rivers across a region, as wide as it takes: thin, far-flung, mostly empty in its own box."""
    rng = np.random.default_rng(13)
    steps = shape.vertices // RIVERS // 2
    middle = people.centres[shape.region]
    rivers = []
    for _ in range(RIVERS):
        course = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, steps))
        track = np.cumsum(np.column_stack([np.cos(course), np.sin(course)]) * 0.012, axis=0)
        rivers.append(LineString(middle + rng.normal(0, 1.2, 2) + track - track.mean(axis=0)))
    wanted = shape.share * grow * people.known.sum()
    west, south, east, north = shapely.total_bounds(rivers)
    near = people.known & (people.lon > west - 1) & (people.lon < east + 1)
    near &= (people.lat > south - 1) & (people.lat < north + 1)
    points = shapely.points(people.lon[near], people.lat[near])
    tree = shapely.STRtree([segment for river in rivers for segment in _segments(river)])
    _, distances = tree.query_nearest(points, return_distance=True, all_matches=False)
    width = float(np.sort(distances)[min(int(wanted), len(distances) - 1)])
    return normalise(shapely.union_all(shapely.buffer(rivers, width, quad_segs=1)))


def _segments(line: LineString) -> list[LineString]:
    points = shapely.get_coordinates(line)
    return [LineString(pair) for pair in np.stack([points[:-1], points[1:]], axis=1)]


def _centre(shape: Shape, people: People) -> Floats:
    """The middle of the region, or a little beside the town nearest to it."""
    middle = people.centres[shape.region]
    if not shape.near_town:
        return np.asarray(middle)
    nearest = np.argmin(np.hypot(*(people.towns - middle).T))
    return np.asarray(people.towns[nearest] + np.array([0.03, 0.02]))


def _radii(rng: np.random.Generator, angles: Floats, ragged: float) -> Floats:
    """A sum of waves, each shorter one smaller, as coasts and contours are."""
    waves = np.zeros_like(angles)
    for octave in range(1, 12):
        waves += np.sin(angles * 2**octave + rng.uniform(0, 2 * np.pi)) * 2.0 ** (-0.6 * octave)
    return np.asarray(np.exp(ragged * waves), dtype=np.float64)


@dataclass(frozen=True)
class Kind:
    """A part of the zones in force at a time: how many of a hundred, vertices, radius in degrees."""

    count: int
    vertices: tuple[int, int]
    radius: tuple[float, float]
    max_cells: int


# Mostly small warnings, some of a province, a few as wide as a country and as long-winded as its coast. The covers of
# the small ones are coarser than the product's, or loading them would take longer than all measurements.
IN_FORCE = (
    Kind(88, (8, 150), (0.1, 0.8), 12),
    Kind(9, (150, 3_000), (0.8, 3.0), 64),
    Kind(3, (5_000, 40_000), (4.0, 7.0), 256),
)


def zones_in_force() -> list[tuple[MultiPolygon, int]]:
    """A hundred zones at various latitudes round longitude -165, each with the number of cells for its covers."""
    rng = np.random.default_rng(11)
    made = []
    for kind in IN_FORCE:
        for _ in range(kind.count):
            angles = np.linspace(-np.pi, np.pi, int(rng.integers(*kind.vertices)), endpoint=False)
            radii = _radii(rng, angles, 0.12) * rng.uniform(*kind.radius)
            lon, lat = rng.uniform(-165.5, -164.5), rng.uniform(-40, 60)
            ring = np.column_stack([lon + np.cos(angles) * radii, lat + np.sin(angles) * radii])
            made.append((normalise(Polygon(ring)), kind.max_cells))
    return made
