"""shapely <-> GeoJSON (RFC 7946): longitude first, WGS 84 only, right-hand rule on output. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import shapely
from shapely import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from shapely.geometry.base import BaseGeometry

from geo.areas import normalise
from geo.coordinates import CoordinateError, Position

MAX_POSITIONS: Final = 500_000
"""Positions read from one object unless the caller says otherwise."""

_WGS84: Final = (
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "urn:ogc:def:crs:OGC::CRS84",
    "urn:ogc:def:crs:EPSG::4326",
    "EPSG:4326",
)

Pair = tuple[float, float]


class GeoJSONError(ValueError):
    """Text or an object that is not GeoJSON in WGS 84, with the reason."""


# --- write --------------------------------------------------------------------


def to_geojson(geometry: BaseGeometry, *, digits: int | None = None) -> dict[str, Any]:
    """A geometry as a GeoJSON object: outer rings anticlockwise, holes clockwise, two dimensions.

    `digits` rounds the coordinates (6 is about 0.1 m); the rounded area is not repaired. Raises GeoJSONError for
    NaN, infinity, or an empty geometry.
    """
    points = shapely.get_coordinates(geometry)
    if geometry.is_empty:
        raise GeoJSONError("an empty geometry has no place in GeoJSON")
    if not all(math.isfinite(value) for value in points.ravel()):
        raise GeoJSONError("a coordinate is not finite")
    plain = shapely.orient_polygons(shapely.force_2d(geometry))
    written: dict[str, Any] = json.loads(shapely.to_geojson(plain))
    return written if digits is None else _rounded(written, digits)


def position_to_geojson(position: Position) -> dict[str, Any]:
    """A position as a GeoJSON Point."""
    return {"type": "Point", "coordinates": [position.lon, position.lat]}


def dumps(value: Any) -> str:
    """Compact JSON text. Raises GeoJSONError for NaN or infinity, which JSON does not know."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    except ValueError as error:
        raise GeoJSONError(str(error)) from error


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return round(value, digits) + 0.0
    if isinstance(value, list):
        return [_rounded(item, digits) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item, digits) for key, item in value.items()}
    return value


# --- read ---------------------------------------------------------------------


def loads(text: str | bytes) -> Any:
    """JSON text as Python values. Raises GeoJSONError for bad JSON, NaN, Infinity or deep nesting."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise GeoJSONError(f"not JSON: {error}") from error


def from_geojson(value: Mapping[str, Any], *, max_positions: int = MAX_POSITIONS) -> BaseGeometry:
    """A GeoJSON Geometry, Feature or FeatureCollection as a shapely geometry in two dimensions, not repaired.

    A FeatureCollection gives a GeometryCollection of the features that have a geometry. Raises GeoJSONError.
    """
    try:
        return _Reader(max_positions).read(value)
    except (shapely.errors.ShapelyError, OverflowError, RecursionError) as error:
        raise GeoJSONError(str(error)) from error


def area_from_geojson(value: Mapping[str, Any], *, max_positions: int = MAX_POSITIONS) -> MultiPolygon:
    """The polygons of a GeoJSON object as one area (see geo.areas). Raises GeoJSONError if there are none."""
    try:
        area = normalise(from_geojson(value, max_positions=max_positions))
    except CoordinateError as error:
        raise GeoJSONError(str(error)) from error
    if area.is_empty:
        raise GeoJSONError("no polygon with an area")
    return area


def position_from_geojson(value: Mapping[str, Any]) -> Position:
    """A GeoJSON Point (or a Feature of one) as a Position. Raises GeoJSONError."""
    point = from_geojson(value, max_positions=1)
    if not isinstance(point, Point):
        raise GeoJSONError("not a Point")
    try:
        return Position(lat=point.y, lon=point.x)
    except CoordinateError as error:
        raise GeoJSONError(str(error)) from error


def _refuse_constant(name: str) -> NoReturn:
    raise GeoJSONError(f"{name} is not JSON")


class _Reader:
    """Reads one object and counts its positions."""

    def __init__(self, max_positions: int) -> None:
        self.left = max_positions

    def read(self, value: object) -> BaseGeometry:
        item = _mapping(value)
        _check_crs(item)
        kind = item.get("type")
        if kind == "FeatureCollection":
            features = [_mapping(feature) for feature in _list(item.get("features"))]
            return GeometryCollection([self.feature(f) for f in features if f.get("geometry") is not None])
        return self.feature(item) if kind == "Feature" else self.geometry(item, nested=False)

    def feature(self, item: Mapping[str, Any]) -> BaseGeometry:
        if item.get("type") != "Feature":
            raise GeoJSONError("not a Feature")
        return self.geometry(_mapping(item.get("geometry")), nested=False)

    def geometry(self, item: Mapping[str, Any], *, nested: bool) -> BaseGeometry:
        kind = item.get("type")
        if kind == "GeometryCollection":
            if nested:
                raise GeoJSONError("nested GeometryCollection")
            members = _list(item.get("geometries"))
            return GeometryCollection([self.geometry(_mapping(member), nested=True) for member in members])
        if "coordinates" not in item:
            raise GeoJSONError("no coordinates")
        return self.simple(str(kind), item["coordinates"])

    def simple(self, kind: str, coordinates: object) -> BaseGeometry:
        match kind:
            case "Point":
                return Point(self.position(coordinates))
            case "MultiPoint":
                return MultiPoint([self.position(pair) for pair in _list(coordinates)])
            case "LineString":
                return LineString(self.line(coordinates))
            case "MultiLineString":
                return MultiLineString([self.line(line) for line in _list(coordinates)])
            case "Polygon":
                return self.polygon(coordinates)
            case "MultiPolygon":
                return MultiPolygon([self.polygon(part) for part in _list(coordinates)])
        raise GeoJSONError(f"unknown type: {kind[:40]!r}")

    def position(self, value: object) -> Pair:
        self.left -= 1
        if self.left < 0:
            raise GeoJSONError("too many positions")
        numbers = _list(value)
        if not 2 <= len(numbers) <= 4:
            raise GeoJSONError("a position has two or three numbers")
        lon, lat = _number(numbers[0]), _number(numbers[1])
        if abs(lat) > 90.0 or abs(lon) > 540.0:
            raise GeoJSONError(f"position off the earth: {lon!r}, {lat!r} (axes swapped?)")
        return lon, lat

    def line(self, value: object) -> list[Pair]:
        pairs = [self.position(pair) for pair in _list(value)]
        if len(pairs) < 2:
            raise GeoJSONError("a line has two or more positions")
        return pairs

    def polygon(self, value: object) -> Polygon:
        rings = [self.ring(ring) for ring in _list(value)]
        return Polygon(rings[0], rings[1:]) if rings else Polygon()

    def ring(self, value: object) -> list[Pair]:
        pairs = self.line(value)
        if len(pairs) < 4 or pairs[0] != pairs[-1]:
            raise GeoJSONError("a ring has four or more positions, the last as the first")
        return pairs


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise GeoJSONError(f"not an object: {type(value).__name__}")
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise GeoJSONError(f"not an array: {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GeoJSONError(f"not a number: {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise GeoJSONError("not a finite number")
    return number


def _check_crs(item: Mapping[str, Any]) -> None:
    """The crs member is gone from RFC 7946; one that says anything but WGS 84 must not be ignored."""
    if item.get("crs") is None:
        return
    properties = _mapping(item["crs"]).get("properties")
    if not isinstance(properties, Mapping) or properties.get("name") not in _WGS84:
        raise GeoJSONError("only WGS 84 (CRS84) coordinates are read")
