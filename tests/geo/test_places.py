"""Countries from the vendored borders, and the gazetteer. Skipped visibly until the borders have been fetched."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.areas import circle
from geo.coordinates import Position, distance_m
from geo.places import Country, CountryIndex, Gazetteer, PlacesError, load_countries, load_places

BORDERS = Path(__file__).parents[2] / "micic/web/vendor/world-atlas/countries-50m.json"
needs_borders = pytest.mark.skipif(not BORDERS.exists(), reason="micic/web/vendor has not been built")


@pytest.fixture(scope="module")
def countries() -> list[Country]:
    return load_countries(BORDERS)


@pytest.fixture(scope="module")
def index(countries: list[Country]) -> CountryIndex:
    return CountryIndex(countries)


@needs_borders
def test_every_country_is_valid_and_labelled_inside(countries: list[Country]) -> None:
    assert len(countries) > 230
    for country in countries:
        assert country.area.is_valid, country.name
        assert country.area.bounds[0] >= -180.0
        assert country.area.bounds[2] <= 180.0
        assert shapely.covers(country.area, shapely.Point(country.label.lon, country.label.lat)), country.name
    russia = next(country for country in countries if country.code == "RU")
    assert russia.area.bounds[0] == -180.0
    assert 2500.0 < russia.area.area < 3200.0


@needs_borders
def test_areas_without_a_number_are_named(countries: list[Country]) -> None:
    bare = {country.name: country.code for country in countries if not country.has_iso_number}
    assert bare["Kosovo"] == "XK"
    assert bare["N. Cyprus"] == "CY"
    assert bare["Somaliland"] == "SO"
    own = load_countries(BORDERS, codes={"Kosovo": None, "Somaliland": "XS"})
    assert {country.code for country in own if country.name in ("Kosovo", "Somaliland")} == {None, "XS"}


@needs_borders
@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (48.85, 2.35, "FR"),
        (41.9025, 12.4525, "VA"),
        (42.6, 20.9, "XK"),
        (35.3, 33.3, "CY"),
        (9.56, 44.06, "SO"),
        (-29.5, 28.3, "LS"),
        (66.0, 179.99, "RU"),
        (65.5, -175.0, "RU"),
        (71.2, -180.0, "RU"),
        (71.2, 180.0, "RU"),
        (-17.8, 178.0, "FJ"),
        (-16.8, -179.95, "FJ"),
        (-90.0, 0.0, "AQ"),
        (-85.0, -179.99, "AQ"),
        (-12.2, 96.83, "AU"),
        (36.75, 3.06, "DZ"),  # the quay
        (50.98, 1.6, "FR"),  # off Calais, at sea
        (0.0, -30.0, None),
        (-50.0, 0.0, None),
        (90.0, 0.0, None),
    ],
)
def test_country_at(index: CountryIndex, lat: float, lon: float, code: str | None) -> None:
    found = index.country_at(Position(lat=lat, lon=lon))
    assert found == code or (code == "VA" and found == "IT")  # smaller than the lines are drawn


@needs_borders
def test_the_array_twin_agrees_with_the_gazetteer(index: CountryIndex) -> None:
    places = [place for place in load_places() if place.population >= 500_000]
    lon = np.array([place.position.lon for place in places])
    lat = np.array([place.position.lat for place in places])
    codes = index.countries_at(lon, lat)
    assert codes[:20] == [index.country_at(place.position) for place in places[:20]]
    agree = sum(code == place.country for code, place in zip(codes, places, strict=True))
    assert agree / len(places) > 0.97


@needs_borders
def test_the_coast_reaches_25_km(index: CountryIndex) -> None:
    edge = Position(lat=38.0, lon=-9.6)  # about 36 km west of the nearest Portuguese coast
    assert index.country_at(edge) is None
    assert index.country_at(Position(lat=38.4, lon=-9.35)) == "PT"


@needs_borders
def test_countries_touching(index: CountryIndex, countries: list[Country]) -> None:
    assert index.countries_touching(circle(Position(lat=47.59, lon=7.59), 30_000.0)) == ["CH", "DE", "FR"]
    assert index.countries_touching(circle(Position(lat=-30.0, lon=-20.0), 100_000.0)) == []
    assert index.countries_touching(shapely.Polygon()) == []
    lesotho = next(country for country in countries if country.code == "LS")
    assert index.countries_touching(lesotho.area) == ["LS", "ZA"]
    assert "FJ" in index.countries_touching(shapely.box(-180.0, -17.0, -179.99, -16.0))


def test_a_small_topology(tmp_path: Path) -> None:
    """Two squares that share an arc, one walked backwards."""
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.5, 0.5], "translate": [10.0, 20.0]},
        "objects": {
            "countries": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "id": "008", "properties": {"name": "Left"}, "arcs": [[0, 1]]},
                    {"type": "MultiPolygon", "properties": {"name": "Right"}, "arcs": [[[-1, 2]]]},
                    {"type": None, "properties": {"name": "Nowhere"}},
                ],
            }
        },
        "arcs": [[[2, 0], [0, 4]], [[2, 4], [-2, 0], [0, -4], [2, 0]], [[2, 0], [2, 0], [0, 4], [-2, 0]]],
    }
    path = tmp_path / "small.json"
    path.write_text(json.dumps(topology), encoding="utf-8")
    left, right = load_countries(path, codes={"Right": "XX"})
    assert (left.code, left.area.bounds) == ("AL", (10.0, 20.0, 11.0, 22.0))
    assert (right.code, right.area.bounds) == ("XX", (11.0, 20.0, 12.0, 22.0))
    index = CountryIndex([left, right])
    assert index.country_at(Position(lat=21.0, lon=10.5)) == "AL"
    assert index.country_at(Position(lat=21.0, lon=12.2)) == "XX"
    assert index.country_at(Position(lat=21.0, lon=12.3)) is None
    assert index.countries_touching(shapely.box(10.9, 20, 11.1, 21)) == ["AL", "XX"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"arcs": 1, "transform": {}}', '{"type":"FeatureCollection"}'])
def test_refuses_another_format(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlacesError):
        load_countries(path)


def test_the_gazetteer() -> None:
    places = load_places(1_000_000)
    assert 300 < len(places) < 3000
    assert places[0].population == max(place.population for place in places)
    gazetteer = Gazetteer(places)
    found = gazetteer.nearest(Position(lat=14.6, lon=121.0))
    assert found is not None
    assert found[0].country == "PH"
    assert found[1] == distance_m(Position(lat=14.6, lon=121.0), found[0].position)
    assert gazetteer.named("manila", "PH")[0].name == "Manila"
    assert gazetteer.named("manila", "FR") == []
    assert Gazetteer([]).nearest(Position(0, 0)) is None
