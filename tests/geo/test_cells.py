"""The key: round trips, bounds, order, and the twin for arrays."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.cells import (
    LEVEL,
    MERCATOR_LAT,
    cell_bounds,
    cell_of,
    cell_of_array,
    cell_range,
    interleave,
    prefix_of_cell,
    tile_of_cell,
    tile_of_prefix,
)
from geo.coordinates import CoordinateError

lats = st.floats(min_value=-90.0, max_value=90.0)
lons = st.floats(min_value=-180.0, max_value=180.0)
zooms = st.integers(min_value=0, max_value=LEVEL)
sides = st.integers(min_value=0, max_value=(1 << LEVEL) - 1)


@given(sides, sides)
def test_tile_round_trip(x: int, y: int) -> None:
    key = interleave(x, y)
    assert 0 <= key < 1 << 56
    assert tile_of_prefix(key) == (x, y)
    assert tile_of_cell(key, LEVEL) == (x, y)
    assert tile_of_cell(key, 3) == (x >> 25, y >> 25)


@given(lons, lats, zooms)
def test_a_position_is_within_the_bounds_of_its_tile(lon: float, lat: float, zoom: int) -> None:
    key = cell_of(lon, lat)
    west, south, east, north = cell_bounds(prefix_of_cell(key, zoom), zoom)
    seen = -180.0 if lon == 180.0 else lon
    hair = 1e-12
    assert west - hair <= seen <= east + hair
    assert south - hair <= lat <= north + hair


@given(lons, lats, zooms)
def test_a_tile_is_one_range_of_keys(lon: float, lat: float, zoom: int) -> None:
    key = cell_of(lon, lat)
    low, high = cell_range(prefix_of_cell(key, zoom), zoom)
    assert low <= key <= high
    assert high - low + 1 == 4 ** (LEVEL - zoom)
    assert high < 1 << 56


def test_known_tiles() -> None:
    # by the formula of the web map's tiles: x = (lon + 180) / 360 * 2^z
    assert tile_of_cell(cell_of(8.5, 50.8), 10) == (536, 343)
    assert tile_of_cell(cell_of(-0.0001, 0.0001), 1) == (0, 0)
    assert tile_of_cell(cell_of(0.0, -0.0001), 1) == (1, 1)
    assert cell_bounds(0, 0) == (-180.0, -90.0, 180.0, 90.0)
    assert cell_bounds(1, 1)[:2] == (0.0, 0.0)


def test_the_seam_and_the_poles() -> None:
    assert cell_of(180.0, 10.0) == cell_of(-180.0, 10.0)
    assert cell_of(math.nextafter(180.0, 0.0), 0.0) == interleave((1 << LEVEL) - 1, 1 << (LEVEL - 1))
    for lon in (-180.0, -7.0, 0.0, 179.0):
        assert tile_of_cell(cell_of(lon, 90.0), LEVEL)[1] == 0
        assert tile_of_cell(cell_of(lon, MERCATOR_LAT + 1e-6), LEVEL)[1] == 0
        assert tile_of_cell(cell_of(lon, -90.0), LEVEL)[1] == (1 << LEVEL) - 1


@pytest.mark.parametrize(("lon", "lat"), [(181.0, 0.0), (0.0, 90.1), (math.nan, 0.0), (0.0, math.inf)])
def test_refuses_what_is_off_the_earth(lon: float, lat: float) -> None:
    with pytest.raises(CoordinateError):
        cell_of(lon, lat)
    with pytest.raises(ValueError, match="out of range"):
        cell_of_array(np.array([lon]), np.array([lat]))


def test_the_array_twin_agrees() -> None:
    rng = np.random.default_rng(20)
    lon = np.concatenate((rng.uniform(-180, 180, 5000), [180.0, -180.0, 0.0, 0.0]))
    lat = np.concatenate((rng.uniform(-90, 90, 5000), [0.0, 85.06, 90.0, -90.0]))
    keys = cell_of_array(lon, lat)
    assert keys.dtype == np.int64
    one_by_one = np.array([cell_of(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)])
    # numpy's own sine may differ by the last bit: then the neighbour tile, and only at the very edge
    assert np.count_nonzero(keys != one_by_one) <= 2


def test_cells_on_tile_corners_belong_to_one_tile() -> None:
    for zoom in (1, 5, 12, 20):
        for prefix in (0, 7 % 4**zoom, 4**zoom - 1):
            west, south, east, north = cell_bounds(prefix, zoom)
            key = cell_of(west, min(north, 85.0))
            assert abs(tile_of_cell(key, zoom)[0] - tile_of_prefix(prefix)[0]) <= 1
            assert west < east
            assert south < north
