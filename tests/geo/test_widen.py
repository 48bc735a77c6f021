"""Widening by metres: nobody within the radius is lost, and little is added."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import LineString, MultiPolygon, Point
from shapely.geometry.base import BaseGeometry

from geo.areas import RADIUS_CLASSES_M, circle, contains, contains_array, normalise, widen
from geo.azimuthal import Plane, lonlat_step_deg, plane_step_m
from geo.cells import cover
from geo.coordinates import EARTH_RADIUS_M, Position, destination, distance_m
from geo.covers import cover_classes, radius_class, widened_areas
from tests.geo.shapes import areas, held_by_cover, points_on_boundary, random_area
from tests.geo.test_areas import check_area

FloatArray = NDArray[np.float64]

radii = st.one_of(
    st.sampled_from([*RADIUS_CLASSES_M.values(), 300_000.0]), st.floats(min_value=1.0, max_value=400_000.0)
)
lons = st.floats(min_value=-180.0, max_value=180.0)


def reached(start: FloatArray, bearing: FloatArray, length_m: FloatArray) -> FloatArray:
    """`destination` for arrays of (lon, lat)."""
    lat, lon, angle = np.radians(start[:, 1]), np.radians(start[:, 0]), length_m / EARTH_RADIUS_M
    up = np.sin(lat) * np.cos(angle) + np.cos(lat) * np.sin(angle) * np.cos(bearing)
    out = np.cos(lat) * np.cos(angle) - np.sin(lat) * np.sin(angle) * np.cos(bearing)
    side = np.sin(angle) * np.sin(bearing)
    turned = (np.degrees(lon + np.arctan2(side, out)) + 540.0) % 360.0 - 180.0
    return np.column_stack((turned, np.degrees(np.arctan2(up, np.hypot(out, side)))))


def points_within(area: BaseGeometry, radius_m: float, rng: np.random.Generator) -> FloatArray:
    """Positions at most the radius from the boundary of an area, half of them exactly at it."""
    start = np.vstack((points_on_boundary(area, rng.uniform(0.0, 1.0, 150)), shapely.get_coordinates(area)[:150]))
    start = start[rng.integers(len(start), size=400)]
    length = radius_m * np.where(rng.random(400) < 0.5, 1.0 - 1e-12, rng.random(400))
    return reached(start, rng.uniform(0.0, 2.0 * math.pi, 400), length)


def distance_to(area: BaseGeometry, lon: float, lat: float, within_m: float) -> float:
    """Metres from a position to an area, by a plane at the position: slow and exact to centimetres."""
    reach = math.degrees(within_m / EARTH_RADIUS_M) + 0.02
    wide = reach / math.cos(math.radians(min(abs(lat) + reach, 89.0)))
    windows = [shapely.box(lon - wide + turn, lat - reach, lon + wide + turn, lat + reach) for turn in (-360, 0, 360)]
    near = shapely.segmentize(shapely.union_all([shapely.intersection(area, window) for window in windows]), 0.01)
    flat = shapely.transform(near, Plane(lat=lat, lon=lon).forward)
    return float(shapely.distance(flat, Point(0.0, 0.0)))


def check_widened(area: MultiPolygon, radius_m: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wide = widen(area, radius_m)
    check_area(wide)
    near = points_within(area, radius_m, rng)
    lost = ~contains_array(wide, near[:, 0], near[:, 1])
    assert not np.any(lost), near[lost][:3].tolist()
    own = shapely.get_coordinates(area)
    assert contains_array(wide, own[:, 0], own[:, 1]).all()
    for lon, lat in points_on_boundary(wide, rng.uniform(0.0, 1.0, 4)).tolist():
        if abs(lat) < 80.0 and abs(lon) < 179.999:
            assert distance_to(area, lon, lat, 1.2 * radius_m + 20.0) <= 1.05 * radius_m + 10.0


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(areas, radii, st.integers(min_value=0, max_value=2**32))
def test_widened_loses_nobody_and_adds_little(area: MultiPolygon, radius_m: float, seed: int) -> None:
    check_widened(area, radius_m, seed)


@pytest.mark.full
def test_widened_loses_nobody_for_thousands_of_areas() -> None:
    rng = np.random.default_rng(8)
    for seed in range(3000):
        area = random_area(seed)
        if not area.is_empty:
            check_widened(area, float(10.0 ** rng.uniform(1.0, 5.5)), seed)


@pytest.mark.parametrize("radius_m", [50.0, 25_000.0, 100_000.0])
@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(-180.0, 60.0, 180.0, 89.0),
        shapely.box(-25.0, 34.0, 60.0, 72.0),
        shapely.box(-180.0, -90.0, 180.0, -60.0),
        shapely.box(20.0, 89.5, 21.0, 90.0),
        shapely.box(170.0, -50.0, 180.0, -40.0),
        shapely.box(0.0, 60.0, 179.0, 60.5),
    ],
    ids=lambda shape: str(shape.bounds) if isinstance(shape, BaseGeometry) else str(shape),
)
def test_continents_poles_and_the_seam(shape: BaseGeometry, radius_m: float) -> None:
    check_widened(normalise(shape), radius_m, 5)


@given(st.floats(min_value=-90.0, max_value=90.0), lons, st.floats(min_value=0.5, max_value=1_500_000.0))
def test_a_circle_holds_its_disc(lat: float, lon: float, radius_m: float) -> None:
    centre = Position(lat=lat, lon=lon)
    disc = circle(centre, radius_m)
    check_area(disc)
    for bearing in range(0, 360, 23):
        assert contains(disc, destination(centre, bearing, radius_m * (1.0 - 1e-12)))
        outside = destination(centre, bearing, radius_m * 1.005 + 3.0)
        if abs(outside.lat) < 88.0:
            assert not contains(disc, outside)


@given(st.floats(min_value=-90.0, max_value=90.0), lons, st.floats(min_value=2.0e6, max_value=2.1e7))
def test_a_circle_of_half_the_earth_still_holds_its_disc(lat: float, lon: float, radius_m: float) -> None:
    centre = Position(lat=lat, lon=lon)
    disc = circle(centre, radius_m)
    check_area(disc)
    half_way_round = math.pi * EARTH_RADIUS_M
    for bearing in range(0, 360, 31):
        assert contains(disc, destination(centre, bearing, min(radius_m, half_way_round) * 0.999999))


def test_lines_and_points_can_be_widened() -> None:
    track = LineString([(120.0, 10.0), (125.0, 15.0), (130.0, 15.0)])
    band = widen(track, 50_000.0)
    check_area(band)
    assert contains(band, destination(Position(lat=15.0, lon=127.5), 0.0, 49_900.0))
    assert not contains(band, destination(Position(lat=15.0, lon=127.5), 0.0, 53_000.0))


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_refuses_what_is_no_radius(bad: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        widen(shapely.box(0, 0, 1, 1), bad)


def test_nothing_widened_is_nothing() -> None:
    assert widen(MultiPolygon(), 50.0).is_empty


# --- the plane ----------------------------------------------------------------


@given(
    st.floats(min_value=-90.0, max_value=90.0),
    lons,
    st.floats(min_value=0.0, max_value=360.0),
    st.floats(min_value=0.001, max_value=3_000_000.0),
)
def test_the_plane_keeps_distance_from_its_centre(lat: float, lon: float, bearing: float, length: float) -> None:
    plane = Plane(lat=lat, lon=lon)
    there = destination(Position(lat=lat, lon=lon), bearing, length)
    flat = plane.forward(np.array([(there.lon, there.lat)]))
    assert float(np.hypot(*flat[0])) == pytest.approx(length, rel=1e-9, abs=1e-6)
    back = plane.inverse(flat)[0]
    again = Position(lat=float(back[1]), lon=(float(back[0]) + 540.0) % 360.0 - 180.0)
    assert distance_m(there, again) < 1e-5


@given(
    st.floats(min_value=-89.0, max_value=89.0),
    st.floats(min_value=0.0, max_value=360.0),
    st.floats(min_value=0.0, max_value=2.0 * math.pi),
    st.floats(min_value=0.0, max_value=1_850_000.0),
    st.sampled_from([1.0, 50.0]),
)
def test_densified_edges_stay_within_the_tolerance(
    lat: float, bearing: float, heading: float, away: float, tolerance: float
) -> None:
    """An edge of the allowed length leaves its chord in the plane by no more than the tolerance."""
    plane = Plane(lat=lat, lon=0.0)
    start = destination(Position(lat=lat, lon=0.0), bearing, away)
    step = lonlat_step_deg(tolerance)
    end = (start.lon + step * math.cos(heading), start.lat + step * math.sin(heading))
    if abs(end[1]) <= 89.0 and abs(start.lat) <= 89.0:
        edge = np.linspace((start.lon, start.lat), end, 33)
        flat = plane.forward(edge)
        away_m = shapely.distance(LineString(flat[[0, -1]]), shapely.points(flat))
        assert float(np.max(away_m)) <= tolerance


@given(
    st.floats(min_value=-70.0, max_value=70.0), st.floats(min_value=0.0, max_value=6.28), st.floats(0.0, 1_800_000.0)
)
def test_straight_edges_on_the_way_back_stay_within_the_tolerance(lat: float, heading: float, away: float) -> None:
    plane = Plane(lat=lat, lon=10.0)
    furthest = abs(lat) + math.degrees(1_900_000.0 / EARTH_RADIUS_M)
    step = plane_step_m(1.0, min(furthest, 88.5))
    for side in (0.0, 1.6, 3.2, 4.8):
        start = np.array([away * math.cos(side), away * math.sin(side)])
        flat = np.linspace(start, start + step * np.array([math.cos(heading), math.sin(heading)]), 33)
        lonlat = plane.inverse(flat)
        if np.abs(lonlat[:, 1]).max() < 88.5 and np.ptp(lonlat[:, 0]) < 180.0:
            straight = np.linspace(lonlat[0], lonlat[-1], 33)
            away_m = shapely.distance(LineString(plane.forward(straight)), shapely.points(flat))
            assert float(np.max(away_m)) <= 1.0


# --- the classes --------------------------------------------------------------


def test_covers_of_all_classes_grow() -> None:
    area = normalise(shapely.box(24.0, 12.0, 24.4, 12.3))
    covers = cover_classes(area)
    shapes = widened_areas(area)
    assert sorted(covers) == [0, 1, 2, 3, 4, 5]
    for code, radius in RADIUS_CLASSES_M.items():
        assert shapely.covers(shapes[code], shapes[code - 1])
        near = points_within(area, radius, np.random.default_rng(code))
        assert held_by_cover(covers[code], near).all()
    assert covers[0] == cover(area)


@pytest.mark.parametrize(
    ("accuracy_m", "code"), [(0.0, 1), (50.0, 1), (50.1, 2), (500.0, 2), (25_000.0, 4), (100_000.0, 5), (1e6, 6)]
)
def test_an_accuracy_is_rounded_up_to_its_class(accuracy_m: float, code: int) -> None:
    assert radius_class(accuracy_m) == code


@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_refuses_what_is_no_accuracy(bad: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        radius_class(bad)
