"""Payloads of our own making, in the form of the real ones: enough for a fresh clone to test every rule alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.feed import GeometryBasis, MessageKind, MessageStatus, ParsedMessage, ParsedZone, ZoneKind
from alerts.feeds.usgs import UsgsFeed
from geo.areas import circle
from geo.coordinates import Position

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECORDED = Path(__file__).parents[2].parent / "shared" / "feeds"
MISSING = "the recorded payloads (../shared/feeds) are not here"

SITE = "https://earthquake.usgs.gov"
FEED = UsgsFeed(url=f"{SITE}/earthquakes/feed/v1.0/summary/4.5_day.geojson")

SQUARE = "10,20 10,21 11,21 11,20 10,20"


# --- CAP ----------------------------------------------------------------------------------------------------


def area(inner: str = f"<polygon>{SQUARE}</polygon>", desc: str = "Bay") -> str:
    return f"<area><areaDesc>{desc}</areaDesc>{inner}</area>"


def info(areas: str | None = None, **fields: str | None) -> str:
    """An info block; a field may be given as its inner XML, None leaves it out."""
    table: dict[str, str | None] = {
        "language": "en-GB",
        "category": "Met",
        "event": "Flood",
        "responseType": None,
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "effective": "2026-11-23T11:00:00+00:00",
        "expires": "2026-11-23T18:00:00+00:00",
        "headline": "Flood in the bay",
        "description": "Water rises.",
        "instruction": "Go up.",
        **fields,
    }
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in table.items() if text is not None)
    return f"<info>{inner}{area() if areas is None else areas}</info>"


def cap(
    *infos: str,
    namespace: str = "urn:oasis:names:tc:emergency:cap:1.2",
    head: str = '<?xml version="1.0" encoding="UTF-8"?>',
    **fields: str | None,
) -> bytes:
    """A CAP message. Without infos it has one; `infos=("",)` has none."""
    table: dict[str, str | None] = {
        "identifier": "flood-1",
        "sender": "water@example.org",
        "sent": "2026-11-23T11:00:00+00:00",
        "status": "Actual",
        "msgType": "Alert",
        "source": None,
        "scope": "Public",
        "note": None,
        "references": None,
        "incidents": None,
        **fields,
    }
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in table.items() if text is not None)
    blocks = "".join(infos) if infos else info()
    return f'{head}<alert xmlns="{namespace}">{inner}{blocks}</alert>'.encode()


# --- USGS ---------------------------------------------------------------------------------------------------


def ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def feature(name: str = "us1000abcd", **properties: Any) -> dict[str, Any]:
    """A feature of a summary; with `products` a detail."""
    table = {
        "mag": 6.4,
        "place": "12 km N of Somewhere",
        "time": ms(NOW - timedelta(hours=2)),
        "updated": ms(NOW - timedelta(hours=1)),
        "tz": None,
        "url": f"{SITE}/earthquakes/eventpage/{name}",
        "detail": f"{SITE}/earthquakes/feed/v1.0/detail/{name}.geojson",
        "mmi": None,
        "alert": None,
        "status": "automatic",
        "tsunami": 0,
        "ids": f",{name},at00zz,",
        "type": "earthquake",
        "title": "M 6.4 - 12 km N of Somewhere",
        **properties,
    }
    point = {"type": "Point", "coordinates": [20.5, 10.5, 12.0]}
    return {"type": "Feature", "properties": table, "geometry": point, "id": name}


def shakemap(weight: int = 100, **changes: Any) -> dict[str, Any]:
    """A ShakeMap product with a map of 10 x 10 degrees round the epicentre."""
    folder = f"{SITE}/product/shakemap/us1000abcd/us/{weight}/download"
    product = {
        "status": "UPDATE",
        "preferredWeight": weight,
        "updateTime": ms(NOW),
        "properties": {
            "event-type": "ACTUAL",
            "maxmmi": "8.3",
            "minimum-longitude": "15.5",
            "minimum-latitude": "5.5",
            "maximum-longitude": "25.5",
            "maximum-latitude": "15.5",
        },
        "contents": {f"download/{file}": {"url": f"{folder}/{file}"} for file in ("cont_mi.json", "cont_mmi.json")},
    }
    return {**product, **changes}


def ring(half_deg: float) -> list[list[float]]:
    """A closed square round the epicentre."""
    w, s, e, n = 20.5 - half_deg, 10.5 - half_deg, 20.5 + half_deg, 10.5 + half_deg
    return [[w, s], [e, s], [e, n], [w, n], [w, s]]


def contours(*levels: tuple[float, float]) -> dict[str, Any]:
    """Contours of (level, half side in degrees)."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"value": level, "units": "mmi"},
                "geometry": {"type": "MultiLineString", "coordinates": [ring(half)]},
            }
            for level, half in levels
        ],
    }


USUAL_CONTOURS = ((4.0, 4.0), (5.0, 3.0), (5.5, 2.5), (6.0, 2.0), (7.0, 1.0), (8.0, 0.5))


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "metadata": {"title": "test"}, "features": list(features)}


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- messages -----------------------------------------------------------------------------------------------

AREA = circle(Position(10.5, 20.5), 50_000)


def zone(**changes: Any) -> ParsedZone:
    table: dict[str, Any] = {
        "kind": ZoneKind.WARNED,
        "area": AREA,
        "basis": GeometryBasis.NATIVE,
        "valid_from": NOW - timedelta(hours=1),
        "valid_until": NOW + timedelta(hours=6),
        "severity": 3,
    }
    return ParsedZone(**{**table, **changes})


def message(**changes: Any) -> ParsedMessage:
    """A warning that the gate accepts at NOW."""
    table: dict[str, Any] = {
        "feed": "test",
        "series": "s",
        "native_id": "water@example.org,flood-1,2026-11-23T11:00:00+00:00",
        "native_version": "1",
        "sender": "water@example.org",
        "sent_at": NOW - timedelta(hours=1),
        "kind": MessageKind.ALERT,
        "status": MessageStatus.ACTUAL,
        "title": "Flood",
        "valid_from": NOW - timedelta(hours=1),
        "valid_until": NOW + timedelta(hours=6),
        "zones": (zone(),),
    }
    return ParsedMessage(**{**table, **changes})
