"""Where things are, for the pages: towns that label the map and the nearest town of a cell."""

import json
from functools import cache

from geo.coordinates import Position
from geo.places import Gazetteer, load_places

LABELLED_FROM = 50_000  # inhabitants of the smallest town that the map names


@cache
def _gazetteer() -> Gazetteer:
    return Gazetteer(load_places())


def nearest_town(lat: float, lon: float) -> str:
    """The nearest town of the gazetteer with its distance: `Gölcük, 7 km`; empty without a gazetteer."""
    found = _gazetteer().nearest(Position(lat=lat, lon=lon))
    if found is None:
        return ""
    place, away_m = found
    return place.name if away_m < 1000 else f"{place.name}, {away_m / 1000:.0f} km"


@cache
def town_labels() -> bytes:
    """The towns that the map names, largest first: GeoJSON points with name and population."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(place.position.lon, 3), round(place.position.lat, 3)]},
            "properties": {"name": place.name, "population": place.population},
        }
        for place in _gazetteer().places
        if place.population >= LABELLED_FROM
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
