"""Repair, the antimeridian and the poles, and what counts as in."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from geo.areas import contains, has_long_edge, normalise, repair, split_antimeridian
from geo.coordinates import CoordinateError, Position
from tests.geo.shapes import areas


def check_area(area: BaseGeometry) -> None:
    assert isinstance(area, MultiPolygon)
    assert area.is_valid
    if not area.is_empty:
        west, south, east, north = area.bounds
        assert west >= -180.0
        assert east <= 180.0
        assert south >= -90.0
        assert north <= 90.0
        assert all(part.area > 0.0 for part in area.geoms)


# --- repair -------------------------------------------------------------------


def test_a_bow_tie_becomes_two_triangles() -> None:
    area = repair(Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
    check_area(area)
    assert area.area == pytest.approx(2.0)


def test_collapsed_rings_are_dropped() -> None:
    flat = Polygon([(0, 0), (1, 1), (2, 2), (0, 0)])
    assert repair(flat).is_empty
    kept = normalise(MultiPolygon([flat, box(5, 5, 6, 6)]))
    assert kept.area == pytest.approx(1.0)


def test_overlapping_parts_are_joined() -> None:
    area = normalise(MultiPolygon([box(0, 0, 2, 2), box(1, 1, 3, 3)]))
    check_area(area)
    assert area.area == pytest.approx(7.0)
    collection = normalise(GeometryCollection([box(0, 0, 2, 2), box(1, 1, 3, 3), Point(9, 9)]))
    assert collection.area == pytest.approx(7.0)


@pytest.mark.parametrize("empty", [Point(1, 1), LineString([(0, 0), (1, 1)]), Polygon(), GeometryCollection()])
def test_what_has_no_area_is_empty(empty: BaseGeometry) -> None:
    assert normalise(empty).is_empty


def test_heights_are_dropped() -> None:
    assert not normalise(Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)])).has_z


def test_a_self_touching_ring_and_a_hole_outside() -> None:
    spectacles = Polygon([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)])
    check_area(normalise(spectacles))
    odd = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(5, 5), (6, 5), (6, 6)]])
    check_area(normalise(odd))


@pytest.mark.parametrize(
    "ring",
    [
        [(0, 0), (1, math.nan), (1, 1)],
        [(0, 0), (math.inf, 0), (1, 1)],
        [(0, 0), (0, 91), (1, 1)],
        [(0, 0), (600, 0), (1, 1)],
        [(38.5, -120.1), (38.6, -120.1), (38.6, -120.3)],
    ],
)
def test_refuses_what_is_off_the_earth(ring: list[tuple[float, float]]) -> None:
    with np.errstate(invalid="ignore"):
        polygon = Polygon(ring)
    with pytest.raises(CoordinateError):
        normalise(polygon)


@given(st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=3, max_size=12))
def test_any_ring_on_a_small_grid_is_repaired(ring: list[tuple[int, int]]) -> None:
    check_area(normalise(Polygon(ring)))


@given(areas)
def test_an_area_stays_as_it_is(area: MultiPolygon) -> None:
    again = normalise(area)
    check_area(again)
    assert shapely.symmetric_difference(again, area).area == pytest.approx(0.0, abs=1e-9)


# --- the antimeridian ---------------------------------------------------------

FIJI = [(177.0, -19.0), (-178.0, -19.0), (-178.0, -15.0), (177.0, -15.0)]


@pytest.mark.parametrize(
    "ring",
    [
        FIJI,
        FIJI[::-1],
        [(177.0, -19.0), (182.0, -19.0), (182.0, -15.0), (177.0, -15.0)],
        [(-183.0, -19.0), (-178.0, -19.0), (-178.0, -15.0), (-183.0, -15.0)],
        [(177, -19), (180, -19), (-180, -19), (-178, -19), (-178, -15), (-180, -15), (180, -15), (177, -15)],
    ],
)
def test_five_ways_to_write_an_area_across_the_seam(ring: list[tuple[float, float]]) -> None:
    area = normalise(Polygon(ring))
    check_area(area)
    expected = shapely.union(box(177, -19, 180, -15), box(-180, -19, -178, -15))
    assert shapely.symmetric_difference(area, expected).area < 1e-12
    for lon in (177.0, 179.9, 180.0, -180.0, -178.0):
        assert contains(area, Position(lat=-17.0, lon=lon))
    assert not contains(area, Position(lat=-17.0, lon=0.0))


def test_a_hole_across_the_seam() -> None:
    hole = [(179.0, -18.0), (-179.0, -18.0), (-179.0, -16.0), (179.0, -16.0)]
    area = normalise(Polygon(FIJI, [hole]))
    assert area.area == pytest.approx(20.0 - 4.0)
    assert not contains(area, Position(lat=-17.0, lon=180.0))


def test_a_world_box_is_read_as_written() -> None:
    assert normalise(box(-180, -90, 180, 90)).area == pytest.approx(64_800.0)
    assert normalise(box(-180, -10, 180, 20)).area == pytest.approx(10_800.0)
    uneven = Polygon([(-180, 0), (180, 0), (180, 10), (0, 20), (-180, 10)])
    assert normalise(uneven).area == pytest.approx(uneven.area)


def test_a_ring_round_a_pole_takes_the_pole() -> None:
    ring = [(lon, -65.0) for lon in range(-180, 180, 20)]
    area = normalise(Polygon(ring))
    check_area(area)
    assert area.area == pytest.approx(360.0 * 25.0)
    assert contains(area, Position(lat=-90.0, lon=12.0))
    north = normalise(Polygon([(lon, 70.0) for lon in range(0, 360, 30)]))
    assert contains(north, Position(lat=90.0, lon=-12.0))


def test_two_rings_round_the_earth_are_a_band() -> None:
    upper = [(lon, 60.0) for lon in range(-180, 180, 20)]
    lower = [(lon, 40.0) for lon in range(-180, 180, 20)]
    assert normalise(Polygon(upper, [lower])).area == pytest.approx(360.0 * 20.0)


def test_a_ring_that_goes_round_twice_is_refused() -> None:
    ring = [(lon % 360 - 180, 60.0 + lon / 100.0) for lon in range(0, 720, 30)]
    with pytest.raises(CoordinateError):
        normalise(Polygon(ring))


def test_long_edges_are_told() -> None:
    assert has_long_edge(Polygon(FIJI))
    assert has_long_edge(box(-170, 0, 170, 10))
    assert not has_long_edge(box(-80, 0, 80, 10))
    assert not has_long_edge(box(177, 0, 182, 10))


@given(areas, st.floats(min_value=-170.0, max_value=170.0))
def test_an_area_moved_across_the_seam_keeps_its_size(area: MultiPolygon, shift: float) -> None:
    moved = shapely.transform(area, lambda points: points + np.array([shift, 0.0]))
    split = split_antimeridian(MultiPolygon([part for part in moved.geoms if not has_long_edge(part)]))
    check_area(split)
    short = sum(part.area for part in moved.geoms if not has_long_edge(part))
    assert split.area == pytest.approx(short, rel=1e-6, abs=1e-12)


# --- the boundary -------------------------------------------------------------


def test_the_boundary_counts_as_in() -> None:
    area = Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(4, 4), (6, 4), (6, 6), (4, 6)]])
    for lon, lat in ((0, 0), (10, 10), (5, 0), (10, 3.3), (4, 5), (6, 6), (10 + 5e-10, 5)):
        assert contains(area, Position(lat=lat, lon=lon))
    for lon, lat in ((5, 5), (10 + 2e-9, 5), (-1e-8, 0)):
        assert not contains(area, Position(lat=lat, lon=lon))


def test_a_slanted_edge_holds_its_points() -> None:
    area = Polygon([(0.1, 0.2), (33.3, 7.7), (11.1, 29.9)])
    for part in range(1, 100):
        point = area.exterior.interpolate(part / 100.0, normalized=True)
        assert contains(area, Position(lat=point.y, lon=point.x))
