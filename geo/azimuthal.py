"""The azimuthal equidistant plane: metres round a centre on the sphere of `geo.coordinates`. Pure numpy.

Lengths in the plane are never shorter than on the sphere, and longer by at most `stretch`.
Formulas: J. P. Snyder, "Map Projections: A Working Manual", USGS PP 1395, 1987, pages 195-197.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.coordinates import EARTH_RADIUS_M

FloatArray = NDArray[np.float64]

BEND: Final = 1.35
"""Bound of the second derivative (in earth radii) of a line straight in lon/lat, drawn in a plane of <= 0.4 rad."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that touches the sphere at (lat, lon), degrees. x points east and y north, in metres."""

    lat: float
    lon: float

    def forward(self, lonlat: FloatArray) -> FloatArray:
        """(n, 2) degrees -> (n, 2) metres. Exact to nanometres near the centre; undefined at the antipode."""
        lat0 = math.radians(self.lat)
        lat = np.radians(lonlat[:, 1])
        turn = np.radians(lonlat[:, 0] - self.lon)
        x = np.cos(lat) * np.sin(turn)
        half = np.sin(turn / 2.0)
        y = np.sin(lat - lat0) + 2.0 * math.sin(lat0) * np.cos(lat) * half * half
        up = np.cos(lat - lat0) - 2.0 * math.cos(lat0) * np.cos(lat) * half * half
        sine = np.hypot(x, y)
        angle = np.arctan2(sine, up)
        scale = EARTH_RADIUS_M * np.divide(angle, sine, out=np.ones_like(angle), where=sine > 0.0)
        return np.column_stack((x * scale, y * scale))

    def inverse(self, xy: FloatArray) -> FloatArray:
        """(n, 2) metres -> (n, 2) degrees; longitudes within 180 degrees of the centre's, not wrapped."""
        sin0, cos0 = math.sin(math.radians(self.lat)), math.cos(math.radians(self.lat))
        reach = np.hypot(xy[:, 0], xy[:, 1])
        angle = reach / EARTH_RADIUS_M
        unit = np.divide(np.sin(angle), reach, out=np.zeros_like(reach), where=reach > 0.0)
        east, north = xy[:, 0] * unit, xy[:, 1] * unit
        out = cos0 * np.cos(angle) - sin0 * north
        lat = np.arctan2(sin0 * np.cos(angle) + cos0 * north, np.hypot(east, out))
        return np.column_stack((self.lon + np.degrees(np.arctan2(east, out)), np.degrees(lat)))


def stretch(reach_rad: float) -> float:
    """How much longer than on the sphere a length in the plane can be within `reach_rad` of the centre."""
    return reach_rad / math.sin(reach_rad) if reach_rad > 1e-9 else 1.0


def lonlat_step_deg(tolerance_m: float) -> float:
    """Length of a lon/lat-straight edge, degrees, that leaves its chord in the plane by at most the tolerance."""
    return math.degrees(math.sqrt(8.0 * tolerance_m / (BEND * EARTH_RADIUS_M)))


def plane_step_m(tolerance_m: float, max_lat: float) -> float:
    """Length of a plane-straight edge, metres, that leaves the lon/lat-straight one by at most the tolerance."""
    bend = 1.5 * math.tan(math.radians(min(abs(max_lat), 89.0))) + 0.4
    return math.sqrt(8.0 * EARTH_RADIUS_M * tolerance_m / bend)
