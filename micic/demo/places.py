"""Where the people of the demo world live: towns of the gazetteer by their population, and spots around them.

Knows no person and no table. The hosts and shares are chosen so that the crisis of `micic.demo.crisis` finds people.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import pycountry
import shapely
from shapely.geometry.base import BaseGeometry

import micic
from geo.coordinates import Position, destination
from geo.places import load_countries, load_places
from micic.demo.chance import Chance, Weighted

BORDERS = Path(micic.__file__).parent / "web" / "vendor" / "world-atlas" / "countries-50m.json"

# State -> share of its people in each host State (ISO 3166-1 alpha-3). In BGR neither has a post.
HOSTS: dict[str, Weighted[str]] = {
    "PHL": Weighted(
        {"TUR": 0.23, "SAU": 0.22, "ARE": 0.21, "ITA": 0.15, "GRC": 0.11, "ESP": 0.03, "FRA": 0.03, "CYP": 0.015,
         "BGR": 0.005}
    ),
    "MAR": Weighted(
        {"FRA": 0.25, "ESP": 0.22, "TUR": 0.22, "ITA": 0.18, "ARE": 0.05, "SAU": 0.04, "GRC": 0.025, "CYP": 0.01,
         "BGR": 0.005}
    ),
}  # fmt: skip

# west, south, east, north: the shores of the Sea of Marmara with Istanbul, Bursa, Kocaeli and Tekirdag
STRICKEN = (26.0, 39.9, 31.0, 41.6)
STRICKEN_WEIGHT = 2.5  # foreigners gather there more than inhabitants do
SMALLEST_TOWN = 15_000
FARTHEST = 2.5  # standard deviations: nobody lives further out


class Precision(StrEnum):
    """How well a spot is known: a pin on the map, an address, the town, or the country alone."""

    PIN = "pin"
    ADDRESS = "address"
    TOWN = "town"
    COUNTRY = "country"


PIN_M, ADDRESS_M = 50.0, 500.0


@dataclass(frozen=True, slots=True)
class Town:
    """A place of the gazetteer; `country` is ISO 3166-1 alpha-3."""

    name: str
    position: Position
    country: str
    population: int

    @property
    def spread_m(self) -> float:
        """The standard deviation of its people around its centre, in metres."""
        return min(10_000.0, 800.0 + 2.4 * math.sqrt(self.population))

    @property
    def radius_m(self) -> float:
        """The circle round the centre that holds them: what a location is accurate to when only the town is known."""
        return FARTHEST * self.spread_m

    @property
    def is_stricken(self) -> bool:
        """Whether it lies where the demo's earthquake will strike."""
        west, south, east, north = STRICKEN
        at = self.position
        return self.country == "TUR" and west <= at.lon <= east and south <= at.lat <= north


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as it was told: without a position only the country is known. `accuracy_m` in metres."""

    town: Town
    position: Position | None
    accuracy_m: float | None


def _by_people(towns: Iterable[Town]) -> Weighted[Town]:
    return Weighted({town: town.population * (STRICKEN_WEIGHT if town.is_stricken else 1.0) for town in towns})


class Atlas:
    """The towns and the land of some countries."""

    def __init__(self, borders: Path, countries: Iterable[str]) -> None:
        wanted = {_alpha_2(code): code for code in countries}
        towns = [
            Town(place.name, place.position, wanted[place.country], place.population)
            for place in load_places(SMALLEST_TOWN)
            if place.country in wanted
        ]
        self._by_country = {code: _by_people(t for t in towns if t.country == code) for code in wanted.values()}
        self._stricken = _by_people(town for town in towns if town.is_stricken)
        self._land = {code: _land(borders, alpha_2) for alpha_2, code in wanted.items()}

    def town(self, chance: Chance, country: str) -> Town:
        """A town of a country (alpha-3), the large ones more often."""
        return chance.pick(self._by_country[country])

    def stricken_town(self, chance: Chance) -> Town:
        """A town where the earthquake will strike."""
        return chance.pick(self._stricken)

    def spot(self, chance: Chance, town: Town, precision: Precision) -> Spot:
        """A spot in or around a town, told as precisely as that."""
        match precision:
            case Precision.PIN:
                return Spot(town, self.near(chance, town), PIN_M)
            case Precision.ADDRESS:
                return Spot(town, self.near(chance, town), ADDRESS_M)
            case Precision.TOWN:
                return Spot(town, town.position, town.radius_m)
            case Precision.COUNTRY:
                return Spot(town, None, None)

    def near(self, chance: Chance, town: Town) -> Position:
        """A position scattered round the centre, on the land of the town's country."""
        land = self._land[town.country]
        for _ in range(6):
            found = scatter(chance, town.position, town.spread_m)
            if shapely.contains_xy(land, found.lon, found.lat):
                return found
        return scatter(chance, town.position, 150.0)  # a harbour or an islet that the drawn coast leaves out


def scatter(chance: Chance, centre: Position, spread_m: float) -> Position:
    """A position with normal errors of `spread_m` metres east and north, at most FARTHEST times as far."""
    length = spread_m * math.sqrt(-2.0 * math.log(1.0 - chance.random() * (1.0 - math.exp(-(FARTHEST**2) / 2.0))))
    return destination(centre, chance.uniform(0.0, 360.0), length).rounded(6)


@lru_cache(maxsize=2)
def load_atlas(borders: Path = BORDERS) -> Atlas:
    """The atlas of all hosts, read once (about a second). Raises OSError without the file of borders."""
    return Atlas(borders, sorted({country for hosts in HOSTS.values() for country in hosts.things}))


def _alpha_2(alpha_3: str) -> str:
    country = pycountry.countries.get(alpha_3=alpha_3)
    assert country is not None
    return str(country.alpha_2)


@lru_cache(maxsize=1)
def _areas(borders: Path) -> dict[str, BaseGeometry]:
    areas: dict[str, list[BaseGeometry]] = {}
    for country in load_countries(borders):
        if country.code:
            areas.setdefault(country.code, []).append(country.area)
    return {code: shapely.union_all(parts) for code, parts in areas.items()}


def _land(borders: Path, alpha_2: str) -> BaseGeometry:
    land = _areas(borders)[alpha_2]
    shapely.prepare(land)
    return land
