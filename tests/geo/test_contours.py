"""Bands from contour lines: rings, lines that end at the map's edge, several maxima, an epicentre off the map.

The fields are distances to random sites, whose level sets are known exactly: buffers of the sites.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPoint
from shapely.affinity import translate
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geo.contours import bands_from_contours, touches_edge
from geo.coordinates import CoordinateError, Position
from geo.rings import polygonal, wrapped

BOX = (10.0, 20.0, 20.0, 28.0)


def field(seed: int, sites: int, levels: int) -> dict[float, BaseGeometry]:
    """Level -> the area at or above it: discs round sites (some off the map) that shrink as the level rises."""
    rng = np.random.default_rng(seed)
    points = MultiPoint(np.column_stack((rng.uniform(8.0, 22.0, sites), rng.uniform(18.0, 30.0, sites))))
    reach = np.sort(rng.uniform(0.3, 6.0, levels))[::-1]
    return {4.0 + 0.5 * index: shapely.buffer(points, radius) for index, radius in enumerate(reach)}


def lines_of(area: BaseGeometry, box: tuple[float, float, float, float] = BOX) -> MultiLineString:
    """The contour as ShakeMap writes it: rings inside the map closed, the others cut at its edge."""
    frame = shapely.box(*box)
    border = shapely.boundary(polygonal(area))
    parts: list[LineString] = []
    for ring in shapely.get_parts(border):
        inside = shapely.intersection(ring, frame) if not shapely.covers(frame, ring) else ring
        merged = shapely.line_merge(inside)
        parts += [part for part in shapely.get_parts(merged) if isinstance(part, LineString) and part.length > 0]
    return MultiLineString(parts)


def difference(left: BaseGeometry, right: BaseGeometry) -> float:
    return float(shapely.symmetric_difference(left, right).area)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 7), st.integers(2, 7))
def test_bands_are_the_level_sets(seed: int, sites: int, count: int) -> None:
    exact = field(seed, sites, count)
    levels = {level: lines_of(area) for level, area in exact.items()}
    bands = bands_from_contours(levels, BOX)
    drawn = [level for level in exact if not levels[level].is_empty]
    for level in drawn[1:-1]:  # the first and the last have a neighbour on one side only
        assert difference(bands[level], shapely.intersection(exact[level], shapely.box(*BOX))) < 1e-6
    values = list(bands.values())
    for lower, higher in pairwise(values):
        assert shapely.difference(higher, lower).area < 1e-9
    assert all(area.is_valid for area in values)


def test_two_maxima_and_a_hollow() -> None:
    hollow = shapely.difference(shapely.Point(15, 24).buffer(3.0), shapely.Point(15, 24).buffer(1.0))
    peaks = shapely.union(shapely.Point(13, 24).buffer(0.4), shapely.Point(17, 24).buffer(0.4))
    levels = {5.0: lines_of(hollow), 6.0: lines_of(peaks)}
    bands = bands_from_contours(levels, BOX, Position(lat=24.0, lon=15.0))
    assert difference(bands[5.0], hollow) < 1e-9
    assert difference(bands[6.0], peaks) < 1e-9


def test_one_open_line_goes_to_the_side_of_the_epicentre() -> None:
    line = LineString([(14.0, 20.0), (14.5, 24.0), (14.0, 28.0)])
    west_side = bands_from_contours({6.0: line}, BOX, Position(lat=24.0, lon=9.0))[6.0]
    east_side = bands_from_contours({6.0: line}, BOX, Position(lat=24.0, lon=16.0))[6.0]
    assert west_side.bounds[0] == 10.0
    assert east_side.bounds[2] == 20.0
    assert west_side.area + east_side.area == pytest.approx(80.0)
    assert bands_from_contours({6.0: line}, BOX)[6.0].area == pytest.approx(80.0)  # no evidence: all of the map


def test_one_ring_without_an_epicentre_is_a_peak() -> None:
    ring = LineString([(12, 22), (14, 22), (14, 24), (12, 24), (12, 22)])
    assert bands_from_contours({6.0: ring}, BOX)[6.0].area == pytest.approx(4.0)


def test_lines_that_stop_short_of_the_edge_are_led_to_it() -> None:
    line = LineString([(10.05, 23.0), (12.0, 24.0), (10.02, 25.0)])
    higher = LineString([(10.3, 23.9), (10.6, 23.9), (10.6, 24.1), (10.3, 24.1), (10.3, 23.9)])
    area = bands_from_contours({5.0: [line], 5.5: [higher]}, BOX)[5.0]
    assert 1.9 < area.area < 2.3
    assert touches_edge(area, BOX)


def test_a_line_that_ends_inside_the_map_is_closed_on_itself() -> None:
    broken = LineString([(12, 22), (14, 22), (14, 24), (12, 24)])
    peak = LineString([(13, 23), (13.1, 23), (13.1, 23.1), (13, 23)])
    area = bands_from_contours({5.0: [broken], 5.5: [peak]}, BOX)[5.0]
    assert area.area == pytest.approx(4.0)
    assert not touches_edge(area, BOX)


def test_specks_without_an_area_are_dropped() -> None:
    specks = MultiLineString([[(12, 22), (12, 22)], [(13, 23), (13.1, 23), (13, 23)]])
    ring = LineString([(12, 24), (14, 24), (14, 26), (12, 26), (12, 24)])
    bands = bands_from_contours({6.0: [*specks.geoms], 5.5: [ring, *specks.geoms]}, BOX)
    assert bands[6.0].is_empty
    assert bands[5.5].area == pytest.approx(4.0)


def test_a_level_without_lines_above_it_all_is_the_whole_map() -> None:
    speck = LineString([(12, 22), (12, 22)])
    ring = LineString([(12, 24), (14, 24), (14, 26), (12, 26), (12, 24)])
    bands = bands_from_contours({3.0: [speck], 5.5: [ring]}, BOX)
    assert bands[3.0].area == pytest.approx(80.0)


@pytest.mark.parametrize("shift", [164.0, -196.0])
def test_a_map_across_the_antimeridian(shift: float) -> None:
    exact = field(5, 3, 4)
    here = bands_from_contours({level: lines_of(area) for level, area in exact.items()}, BOX)
    moved = {}
    for level, area in exact.items():
        lines = [shapely.get_coordinates(line) + np.array([shift, 0.0]) for line in lines_of(area).geoms]
        turned = [np.column_stack(((line[:, 0] + 180.0) % 360.0 - 180.0, line[:, 1])) for line in lines]
        moved[level] = [LineString(line) for line in turned]
    box = (174.0, 20.0, -176.0, 28.0)
    there = bands_from_contours(moved, box, Position(lat=24.0, lon=179.0))
    for level, area in here.items():
        assert difference(there[level], wrapped(translate(area, xoff=164.0))) < 1e-6
        assert touches_edge(there[level], box) == touches_edge(area, BOX)


@pytest.mark.parametrize("box", [(10.0, 28.0, 20.0, 20.0), (10.0, 20.0, 10.0, 28.0), (10.0, float("nan"), 20.0, 28.0)])
def test_refuses_what_is_no_map(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(CoordinateError):
        bands_from_contours({5.0: LineString([(12, 22), (14, 24)])}, box)
    with pytest.raises(CoordinateError):
        bands_from_contours({})


RECORDED = sorted(Path(__file__).parents[1].glob("**/shakemap-cont_mmi-*.json"))


@pytest.mark.skipif(not RECORDED, reason="no recorded ShakeMap contours among the test data")
def test_recorded_shakemap() -> None:
    recorded = json.loads(RECORDED[0].read_text(encoding="utf-8"))
    levels: dict[float, Any] = {f["properties"]["value"]: shape(f["geometry"]) for f in recorded["features"]}
    centre = Position(lat=recorded["metadata"]["latitude"], lon=recorded["metadata"]["longitude"])
    bands = bands_from_contours(levels, tuple(recorded["bbox"]), centre)
    areas = [area.area for area in bands.values()]
    assert areas == sorted(areas, reverse=True)
    assert all(shapely.dwithin(area, shapely.Point(centre.lon, centre.lat), 0.1) for area in bands.values())
