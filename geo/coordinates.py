"""One position on the earth (WGS 84, degrees) and the one distance. Pure; imports nothing of the project."""

import math
from dataclasses import dataclass
from typing import Final, Self

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the earth (IUGG), metres: the sphere of every distance in this project."""


class CoordinateError(ValueError):
    """A coordinate that is not a number, not finite, or off the earth."""


def checked_lat(value: float) -> float:
    """A latitude in degrees, -90..90. Raises CoordinateError (a value beyond 90 is often swapped axes)."""
    if not math.isfinite(value) or not -90.0 <= value <= 90.0:
        raise CoordinateError(f"latitude out of range: {value!r}")
    return value + 0.0


def checked_lon(value: float) -> float:
    """A longitude in degrees, -180 <= lon < 180 (180 is given back as -180). Raises CoordinateError."""
    if not math.isfinite(value) or not -180.0 <= value <= 180.0:
        raise CoordinateError(f"longitude out of range: {value!r}")
    return -180.0 if value == 180.0 else value + 0.0


@dataclass(frozen=True, slots=True)
class Position:
    """A point in degrees: lat -90..90, lon -180..180 with 180 stored as -180. Latitude first, as in CAP."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lat", checked_lat(_number(self.lat)))
        object.__setattr__(self, "lon", checked_lon(_number(self.lon)))

    @classmethod
    def from_cap(cls, text: str) -> Self:
        """Read "lat,lon" (CAP 1.2 polygon and circle text, WGS 84). Raises CoordinateError."""
        parts = text.strip().split(",")
        if len(parts) != 2:
            raise CoordinateError(f"not a lat,lon pair: {text[:60]!r}")
        return cls(lat=parse_degrees(parts[0]), lon=parse_degrees(parts[1]))

    def rounded(self, digits: int) -> "Position":
        """The position with both values rounded to `digits` decimals (5 is about 1 m, 2 about 1 km)."""
        return Position(lat=round(self.lat, digits), lon=round(self.lon, digits))

    def to_cap(self) -> str:
        """The position as CAP writes it: "lat,lon"."""
        return f"{self.lat!r},{self.lon!r}"


def parse_degrees(text: str) -> float:
    """One decimal number in ASCII digits, no exponent, NaN or underscore. Raises CoordinateError."""
    plain = text.strip()
    if not plain.isascii() or not plain.lstrip("+-").replace(".", "", 1).isdigit():
        raise CoordinateError(f"not a decimal number: {text[:40]!r}")
    try:
        return float(plain)
    except ValueError as error:
        raise CoordinateError(f"not a decimal number: {text[:40]!r}") from error


def distance_m(a: Position, b: Position) -> float:
    """Great-circle distance in metres (haversine on the sphere of EARTH_RADIUS_M): the one distance.

    Within 0.6 % of the WGS 84 ellipsoid. Source: R. W. Sinnott, "Virtues of the Haversine", 1984.
    """
    half_lat = math.sin(math.radians(b.lat - a.lat) / 2.0)
    half_lon = math.sin(math.radians(b.lon - a.lon) / 2.0)
    cosines = math.cos(math.radians(a.lat)) * math.cos(math.radians(b.lat))
    chord = half_lat * half_lat + cosines * half_lon * half_lon
    return 2.0 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def destination(start: Position, bearing_deg: float, length_m: float) -> Position:
    """The position reached from `start` along a great circle: bearing clockwise from north, length in metres."""
    angle, course = length_m / EARTH_RADIUS_M, math.radians(bearing_deg)
    lat, lon = math.radians(start.lat), math.radians(start.lon)
    up = math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(course)
    out = math.cos(lat) * math.cos(angle) - math.sin(lat) * math.sin(angle) * math.cos(course)
    side = math.sin(angle) * math.sin(course)
    new_lat = math.degrees(math.atan2(up, math.hypot(out, side)))
    new_lon = math.degrees(lon + math.atan2(side, out))
    return Position(lat=max(-90.0, min(90.0, new_lat)), lon=(new_lon + 540.0) % 360.0 - 180.0)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CoordinateError(f"not a number: {type(value).__name__}")
    try:
        return float(value)
    except OverflowError as error:
        raise CoordinateError("number too large") from error
