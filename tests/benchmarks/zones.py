"""Invented zones of a wanted share of the people: star-shaped, of a wanted number of vertices, and their covers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from geo.areas import normalise
from tests.benchmarks.people import People

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """What a zone looks like: `ragged` 0 a smooth shield, 1 teeth as long as the radius; `stretch` 8 a river."""

    name: str
    share: float
    vertices: int
    ragged: float
    stretch: float = 1.0
    region: int = 0
    near_town: bool = True


SHAKEMAP = Shape("ShakeMap 3,600 vertices, 1 %", 0.01, 3_600, 0.05, 1.6, region=1)
COUNTRY = Shape("country 7,700 vertices, 8.5 %", 0.085, 7_700, 0.15, 1.2, near_town=False)
FLOOD = Shape("flood 11,000 vertices, 0.2 %", 0.002, 11_000, 0.6, 8.0, region=2)
TINY = Shape("CAP 150 vertices, 0.01 %", 0.0001, 150, 0.1, region=5)
SHAPES = (SHAKEMAP, COUNTRY, FLOOD, TINY)


def make_zone(shape: Shape, people: People, *, grow: float = 1.0, move: float = 0.0, seed: int = 7) -> MultiPolygon:
    """A zone in a region that holds `share * grow` of the people; `move` shifts it by a part of its radius.

    A point lies in a star-shaped zone iff its distance over the zone's radius in its direction is below the scale:
    the wanted share is a quantile of that, so the zone is right at once.
    """
    rng = np.random.default_rng(seed)
    centre = _centre(shape, people)
    angles = np.linspace(-np.pi, np.pi, shape.vertices, endpoint=False)
    radii = _radii(rng, angles, shape.ragged)
    lon, lat = people.lon[people.known] - centre[0], people.lat[people.known] - centre[1]
    lon = lon / shape.stretch
    direction = np.arctan2(lat, lon)
    reach = np.hypot(lon, lat) / np.interp(direction, angles, radii, period=2 * np.pi)
    scale = float(np.quantile(reach, shape.share * grow))
    x = centre[0] + (np.cos(angles) * radii + move) * scale * shape.stretch
    y = centre[1] + np.sin(angles) * radii * scale
    return normalise(Polygon(np.column_stack([x, np.clip(y, -85, 85)])))


def _centre(shape: Shape, people: People) -> Floats:
    """The middle of the region, or a little beside the town nearest to it."""
    middle = people.centres[shape.region]
    if not shape.near_town:
        return middle
    nearest = np.argmin(np.hypot(*(people.towns - middle).T))
    return np.asarray(people.towns[nearest] + np.array([0.03, 0.02]))


def _radii(rng: np.random.Generator, angles: Floats, ragged: float) -> Floats:
    """A sum of waves, each shorter one smaller, as coasts and contours are."""
    waves = np.zeros_like(angles)
    for octave in range(1, 12):
        waves += np.sin(angles * 2**octave + rng.uniform(0, 2 * np.pi)) * 2.0 ** (-0.6 * octave)
    return np.asarray(np.exp(ragged * waves), dtype=np.float64)


def small_zones(count: int, seed: int = 11) -> list[MultiPolygon]:
    """Warnings as they stand in force by the thousand: 8 to 60 vertices, 20 to 200 km, round (-170, lat)."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        angles = np.linspace(-np.pi, np.pi, int(rng.integers(8, 60)), endpoint=False)
        radii = _radii(rng, angles, 0.15) * rng.lognormal(np.log(0.35), 0.5)
        lon, lat = rng.uniform(-171, -169), rng.uniform(-35, 55)
        made.append(normalise(Polygon(np.column_stack([lon + np.cos(angles) * radii, lat + np.sin(angles) * radii]))))
    return made


def vertices(areas: Sequence[MultiPolygon]) -> int:
    """How many vertices all together."""
    return int(shapely.get_num_coordinates(list(areas)).sum())
