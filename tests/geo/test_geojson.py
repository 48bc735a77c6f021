"""GeoJSON in and out: RFC 7946, and everything that only looks like it."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LinearRing, LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.coordinates import Position
from geo.geojson import (
    GeoJSONError,
    area_from_geojson,
    dumps,
    from_geojson,
    loads,
    position_from_geojson,
    position_to_geojson,
    to_geojson,
)
from tests.geo.shapes import areas

SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]


@given(areas)
def test_an_area_round_trip(area: MultiPolygon) -> None:
    written = to_geojson(area)
    assert written["type"] == "MultiPolygon"
    for shell, *holes in written["coordinates"]:
        assert LinearRing(shell).is_ccw
        assert not any(LinearRing(hole).is_ccw for hole in holes)
    again = from_geojson(loads(dumps(written)))
    assert shapely.equals_exact(shapely.normalize(again), shapely.normalize(area), tolerance=0.0)


@pytest.mark.parametrize(
    "wkt",
    [
        "POINT (1 2)",
        "MULTIPOINT (1 2, 3 4)",
        "LINESTRING (0 0, 1 1)",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))",
    ],
)
def test_every_type_round_trip(wkt: str) -> None:
    geometry = shapely.from_wkt(wkt)
    assert from_geojson(to_geojson(geometry)).equals(geometry)


def test_longitude_comes_first() -> None:
    assert position_to_geojson(Position(lat=8.5, lon=-120.25)) == {"type": "Point", "coordinates": [-120.25, 8.5]}
    assert position_from_geojson({"type": "Point", "coordinates": [-120.25, 8.5, 3000]}) == Position(8.5, -120.25)
    assert to_geojson(Point(1.23456789, 2.0), digits=3)["coordinates"] == [1.235, 2.0]


def test_features_and_collections() -> None:
    feature = {"type": "Feature", "properties": None, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}
    nowhere: dict[str, Any] = {"type": "Feature", "properties": {}, "geometry": None}
    other = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[5, 5], [6, 5], [6, 6], [5, 5]]]}}
    assert area_from_geojson(feature).area == pytest.approx(4.0)
    collection = {"type": "FeatureCollection", "features": [feature, nowhere, other]}
    assert area_from_geojson(collection).area == pytest.approx(4.5)


def test_a_clockwise_area_across_the_seam_is_mended() -> None:
    ring = [[177, -19], [177, -15], [-178, -15], [-178, -19], [177, -19]]
    assert area_from_geojson({"type": "Polygon", "coordinates": [ring]}).area == pytest.approx(20.0)


@pytest.mark.parametrize("bad", [Point(math.inf, 0), LineString([(0, 0), (1, -math.inf)]), Point(), MultiPolygon()])
def test_never_writes_what_is_no_number(bad: BaseGeometry) -> None:
    with pytest.raises(GeoJSONError):
        to_geojson(bad)


def test_never_writes_nan() -> None:
    with pytest.raises(GeoJSONError):
        dumps({"value": math.nan})


def _polygon(ring: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


HOSTILE: list[Any] = [
    None,
    [],
    "Polygon",
    {},
    {"type": "Polygon"},
    {"type": "Polygon", "coordinates": None},
    {"type": "Polygon", "coordinates": []},
    {"type": "Polygon", "coordinates": [[]]},
    {"type": "polygon", "coordinates": [SQUARE]},
    {"type": ["Polygon"], "coordinates": [SQUARE]},
    {"type": "Polygon", "coordinates": {"0": SQUARE}},
    _polygon(SQUARE[:-1]),
    _polygon([[0, 0], [1, 1], [0, 0]]),
    _polygon([[0, 0], [1, 0], [1, 91], [0, 0]]),
    _polygon([[38.5, -120.1], [38.6, -120.1], [38.6, -120.3], [38.5, -120.1]]),
    _polygon([[0, 0], [1, 0], [700, 1], [0, 0]]),
    _polygon([["0", "0"], ["1", "0"], ["1", "1"], ["0", "0"]]),
    _polygon([[True, 0], [1, 0], [1, 1], [True, 0]]),
    _polygon([[None, 0], [1, 0], [1, 1], [None, 0]]),
    _polygon([[0], [1], [1], [0]]),
    _polygon([[0, 0, 0, 0, 0], [1, 0], [1, 1], [0, 0, 0, 0, 0]]),
    _polygon([[10**400, 0], [1, 0], [1, 1], [10**400, 0]]),
    _polygon([[math.nan, 0], [1, 0], [1, 1], [math.nan, 0]]),
    _polygon("abcd"),
    {"type": "Point", "coordinates": [1, 2]},
    {"type": "Feature", "geometry": None},
    {"type": "Feature", "geometry": {"type": "Feature", "geometry": _polygon(SQUARE)}},
    {"type": "FeatureCollection", "features": {}},
    {"type": "FeatureCollection", "features": [_polygon(SQUARE)]},
    {"type": "FeatureCollection", "features": []},
    {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
    {**_polygon(SQUARE), "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}},
    {**_polygon(SQUARE), "crs": {"type": "link"}},
    {**_polygon(SQUARE), "crs": "EPSG:3857"},
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_objects_are_refused(value: Any) -> None:
    with pytest.raises(GeoJSONError):
        area_from_geojson(value)


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"a": Infinity}', '{"a": -Infinity}', "[" * 100_000, b"\xff\xfe\x00", '{"a": 01}']
)
def test_hostile_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(GeoJSONError):
        loads(text)


def test_the_number_of_positions_is_limited() -> None:
    with pytest.raises(GeoJSONError, match="too many"):
        from_geojson(_polygon(SQUARE), max_positions=4)
    assert from_geojson(_polygon(SQUARE), max_positions=5).area == 4.0


def test_wgs84_may_be_named() -> None:
    named = {**_polygon(SQUARE), "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}}
    assert area_from_geojson(named).area == pytest.approx(4.0)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "Feature", "FeatureCollection", "X"])


@given(names, json_values, json_values, json_values)
def test_anything_is_read_or_refused(kind: str, coordinates: Any, geometry: Any, features: Any) -> None:
    value = {"type": kind, "coordinates": coordinates, "geometry": geometry, "features": features}
    with suppress(GeoJSONError):
        assert from_geojson(value) is not None


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=10))
def test_any_ring_is_an_area_or_refused(ring: list[tuple[int, int]]) -> None:
    value = json.loads(json.dumps(_polygon([*ring, ring[0]])))
    try:
        area = area_from_geojson(value)
    except GeoJSONError:
        assert Polygon(ring).buffer(0).area == 0.0
    else:
        assert area.is_valid
