"""Countries by ISO 3166-1 alpha-3, from the borders that the build placed beside the pages. May import geo only."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pycountry
from shapely.geometry.base import BaseGeometry

from geo.coordinates import Position
from geo.places import CountryIndex, load_countries

BORDERS = Path(__file__).parent / "web" / "vendor" / "world-atlas" / "countries-50m.json"
HIGH_SEAS = "XXZ"
"""International waters, as UN/LOCODE's XZ: a place farther than 25 km from every coast."""

USER_ASSIGNED = {"XK": "XKX"}


def alpha3(alpha2: str) -> str:
    """The three-letter code of a two-letter one. Raises KeyError for an unknown code."""
    if alpha2 in USER_ASSIGNED:
        return USER_ASSIGNED[alpha2]
    country = pycountry.countries.get(alpha_2=alpha2)
    if country is None:
        raise KeyError(alpha2)
    return str(country.alpha_3)


@cache
def _index() -> CountryIndex:
    return CountryIndex(load_countries(BORDERS))


def countries_touching(area: BaseGeometry) -> Sequence[str]:
    """The countries that an area touches, in alphabetical order."""
    return sorted({alpha3(code) for code in _index().countries_touching(area)})


def country_at(position: Position) -> str | None:
    """The country of a place, or of the nearest coast within 25 km."""
    code = _index().country_at(position)
    return None if code is None else alpha3(code)
