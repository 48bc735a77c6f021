"""A cover holds exactly the positions of the area: the property that decides who is on a list."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shapely import GEOSException, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo import cells as cells_module
from geo.areas import BOUNDARY_DEG, contains, contains_array, normalise
from geo.cells import LEVEL, CoverCell, cell_bounds, cell_of, cover, find, merge
from geo.coordinates import Position
from tests.geo.shapes import areas, distance_deg, held_by_cover, interesting_points, random_area


def check_cover(area: BaseGeometry, cells: list[CoverCell], seed: int = 1) -> None:
    """Disjoint ranges, and the same answer as the planar distance to the whole area for every point asked."""
    assert all(cell.lo <= cell.hi for cell in cells)
    assert all(left.hi < right.lo for left, right in pairwise(cells))
    assert all(cell.piece is None or cell.piece.is_valid for cell in cells)
    points = interesting_points(area, np.random.default_rng(seed), cells)
    away = distance_deg(area, points)
    clear = np.abs(away - BOUNDARY_DEG) > 1e-12
    wrong = clear & (held_by_cover(cells, points) != (away <= BOUNDARY_DEG))
    assert not np.any(wrong), points[wrong][:5].tolist()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(areas, st.integers(min_value=0, max_value=2**32))
def test_cover_is_containment(area: MultiPolygon, seed: int) -> None:
    check_cover(area, cover(area), seed)


@pytest.mark.parametrize("seed", [323, 1330, 1572, 1800, 2088, 2997, 5587, 9242])
def test_areas_that_the_quick_clip_once_got_wrong(seed: int) -> None:
    area = random_area(seed)
    check_cover(area, cover(area))


@pytest.mark.full
def test_cover_is_containment_for_thousands_of_areas() -> None:
    for seed in range(4000):
        area = random_area(seed)
        if not area.is_empty:
            check_cover(area, cover(area), seed)


@given(areas)
def test_contains_is_distance(area: MultiPolygon) -> None:
    points = interesting_points(area, np.random.default_rng(3), [])
    away = distance_deg(area, points)
    clear = np.abs(away - BOUNDARY_DEG) > 1e-12
    held = contains_array(area, points[:, 0], points[:, 1])
    assert np.array_equal(held[clear], (away <= BOUNDARY_DEG)[clear])


@given(areas, st.integers(min_value=1, max_value=40), st.integers(min_value=2, max_value=12))
def test_any_budget_is_exact(area: MultiPolygon, max_cells: int, max_level: int) -> None:
    cells = cover(area, max_cells=max_cells, max_level=max_level)
    assert len(cells) <= max(4, max_cells)
    check_cover(area, cells)


@given(areas)
def test_merged_ranges_hold_the_same(area: MultiPolygon) -> None:
    cells = cover(area)
    merged = merge(cells)
    assert sum(cell.hi - cell.lo + 1 for cell in merged) == sum(cell.hi - cell.lo + 1 for cell in cells)
    check_cover(area, merged)


# --- chosen cases -------------------------------------------------------------

SHAPES: list[BaseGeometry] = [
    shapely.box(-180.0, -90.0, 180.0, 90.0),
    shapely.box(-180.0, -90.0, 180.0, -85.0),
    shapely.box(170.0, -10.0, 180.0, 10.0),
    shapely.box(-180.0, -10.0, -170.0, 10.0),
    shapely.box(0.0, 0.0, 90.0, 66.51326044311186),  # exactly two tiles
    shapely.box(*cell_bounds(0, 1)),
    shapely.box(10.0, 85.0511287798066, 20.0, 85.0511287798067),
    shapely.box(10.0, 89.0, 20.0, 90.0),
    shapely.box(5.0, 5.0, 5.0 + 1e-8, 5.0 + 1e-8),
    shapely.box(5.0, 5.0, 5.0 + 1e-8, 60.0),
    Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(0, 0), (5, 5), (5, 2)]]),
    normalise(Polygon([(170, -20), (-170, -20), (-170, 20), (170, 20)])),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape.bounds))
def test_chosen_shapes(shape: BaseGeometry) -> None:
    check_cover(shape, cover(shape))


@given(st.integers(min_value=0, max_value=18), st.integers(min_value=0), st.integers(min_value=0))
@example(1, 0, 0)
@example(0, 0, 0)
def test_an_area_that_is_a_tile(zoom: int, x: int, y: int) -> None:
    prefix = cells_module.interleave(x % (1 << zoom), y % (1 << zoom))
    area = shapely.box(*cell_bounds(prefix, zoom))
    cells = cover(area)
    check_cover(area, cells)
    for lon, lat in shapely.get_coordinates(area).tolist():
        assert held_by_cover(cells, np.array([(lon if lon < 180.0 else -180.0, lat)])).all()


def test_the_whole_world_is_one_range() -> None:
    assert merge(cover(shapely.box(-180.0, -90.0, 180.0, 90.0))) == [CoverCell(0, (1 << 2 * LEVEL) - 1, None)]


def test_the_seam_counts_from_both_sides() -> None:
    east_part = shapely.box(179.0, -1.0, 180.0, 1.0)
    cells = cover(east_part)
    assert held_by_cover(cells, np.array([(-180.0, 0.0), (-180.0, 1.0), (-180.0 + 5e-10, 0.5)])).all()
    assert not held_by_cover(cells, np.array([(-180.0 + 1e-8, 0.0), (-180.0, 1.00001)])).any()
    assert contains(east_part, Position(lat=0.0, lon=-180.0))


def test_small_areas_get_few_cells_and_wide_ones_many() -> None:
    assert len(cover(shapely.box(10.0, 10.0, 10.1, 10.1))) <= 40
    assert len(cover(Polygon([(0, 0), (30, 5), (10, 25)]))) > 200


def test_pieces_are_short() -> None:
    rng = np.random.default_rng(4)
    angles = np.linspace(0.0, 2.0 * np.pi, 3000, endpoint=False)
    reach = 2.0 + 0.3 * np.sin(7 * angles) + 0.01 * rng.normal(size=angles.size)
    area = normalise(Polygon(np.column_stack((20.0 + reach * np.cos(angles), 45.0 + reach * np.sin(angles)))))
    sizes = [shapely.get_num_coordinates(cell.piece) for cell in cover(area) if cell.piece is not None]
    assert np.mean(sizes) <= 64
    assert max(sizes) <= 128


def test_an_empty_area_has_no_cells() -> None:
    assert cover(MultiPolygon()) == []


@pytest.mark.parametrize(
    "bad", [shapely.Point(1, 1), shapely.LineString([(0, 0), (1, 1)]), shapely.box(170, 0, 190, 1)]
)
def test_refuses_what_is_no_area(bad: BaseGeometry) -> None:
    with pytest.raises(ValueError, match="area"):
        cover(bad)


# --- when GEOS fails ----------------------------------------------------------


def _throws(*_: Any) -> BaseGeometry:
    raise GEOSException("clip")


def _whole_box(_: BaseGeometry, west: float, south: float, east: float, north: float) -> BaseGeometry:
    return shapely.box(west, south, east, north)


def _nothing(*_: Any) -> BaseGeometry:
    return Polygon()


@pytest.mark.parametrize("failure", [_throws, _whole_box, _nothing])
@pytest.mark.parametrize("seed", [3, 11, 323])
def test_a_failing_clip_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, failure: Callable[..., BaseGeometry], seed: int
) -> None:
    area = random_area(seed)
    monkeypatch.setattr(shapely, "clip_by_rect", failure)
    check_cover(area, cover(area, max_cells=60))


def test_a_failing_overlay_keeps_the_whole_area(monkeypatch: pytest.MonkeyPatch) -> None:
    area = random_area(3)
    monkeypatch.setattr(shapely, "clip_by_rect", _throws)
    monkeypatch.setattr(shapely, "intersection", _throws)
    check_cover(area, cover(area, max_cells=30))


def test_find_outside_the_ranges() -> None:
    cells = cover(shapely.box(10.0, 10.0, 11.0, 11.0))
    assert find(cells, 0) is None
    assert find(cells, (1 << 56) - 1) is None
    assert find(cells, cell_of(10.5, 10.5)) is not None
    assert find([], 5) is None
