"""Positions and the one distance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coordinates import CoordinateError, Position, destination, distance_m

lats = st.floats(min_value=-90.0, max_value=90.0)
lons = st.floats(min_value=-180.0, max_value=180.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 90.0000001, -91, True, None, "1", 10**400])
def test_refuses_a_latitude_that_is_none(bad: object) -> None:
    with pytest.raises(CoordinateError):
        Position(lat=bad, lon=0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [math.nan, math.inf, 180.0000001, -181.0])
def test_refuses_a_longitude_that_is_none(bad: float) -> None:
    with pytest.raises(CoordinateError):
        Position(lat=0.0, lon=bad)


def test_180_is_stored_as_minus_180() -> None:
    assert Position(lat=1, lon=180.0) == Position(lat=1.0, lon=-180)
    assert Position(lat=0, lon=179.99999).rounded(3).lon == -180.0
    assert math.copysign(1.0, Position(lat=-0.0, lon=-0.0).lat) == 1.0


@given(lats, lons)
def test_cap_text_round_trip(lat: float, lon: float) -> None:
    position = Position(lat=lat, lon=lon)
    text = f"{position.lat:.12f},{position.lon:.12f}"
    assert Position.from_cap(text) == position.rounded(12)


def test_cap_is_latitude_first() -> None:
    assert Position.from_cap(" 38.47,-120.14 ") == Position(lat=38.47, lon=-120.14)
    assert Position.from_cap("+38,.5").lon == 0.5


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,2,3", "1;2", "91,0", "0,181", "nan,0", "1e1,0", "1_0,0", "١,٢", "0x1,2", "1,", "--1,2", "1 2,3"],
)
def test_refuses_text_that_is_no_cap_position(text: str) -> None:
    with pytest.raises(CoordinateError):
        Position.from_cap(text)


def test_known_distances() -> None:
    quarter = math.pi / 2.0 * 6_371_008.8
    assert distance_m(Position(0, 0), Position(0, 90)) == pytest.approx(quarter, rel=1e-12)
    assert distance_m(Position(90, 0), Position(-90, 120)) == pytest.approx(2.0 * quarter, rel=1e-12)
    assert distance_m(Position(0, 179.5), Position(0, -179.5)) == pytest.approx(quarter / 90.0, rel=1e-12)
    assert distance_m(Position(90, 10), Position(90, -170)) == pytest.approx(0.0, abs=1e-6)


@given(lats, lons, lats, lons)
def test_distance_is_symmetric_and_bounded(lat1: float, lon1: float, lat2: float, lon2: float) -> None:
    here, there = Position(lat1, lon1), Position(lat2, lon2)
    assert distance_m(here, there) == pytest.approx(distance_m(there, here), rel=1e-12, abs=1e-6)
    assert 0.0 <= distance_m(here, there) <= math.pi * 6_371_008.9


@given(lats, lons, st.floats(min_value=0.0, max_value=360.0), st.floats(min_value=0.01, max_value=1e7))
def test_destination_lies_at_the_distance(lat: float, lon: float, bearing: float, length: float) -> None:
    start = Position(lat, lon)
    assert distance_m(start, destination(start, bearing, length)) == pytest.approx(length, rel=1e-6, abs=1e-6)
