"""What the USGS payloads say, as values: features, products, contours. Pure; knows nothing of messages."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shapely import LineString, MultiPolygon, box
from shapely.errors import ShapelyError

from alerts import severity
from alerts.feed import NoteCode, ReasonCode, note
from alerts.feeds import DocumentError, Json, check_values, find_test_word, is_tangled, missing, read_json
from geo.areas import normalise
from geo.contours import Box, bands_from_contours, touches_edge
from geo.coordinates import CoordinateError, Position


@dataclass(frozen=True, slots=True)
class Quake:
    """What summary and detail say of one version of an event; what the contours need to become a message."""

    id: str
    ids: tuple[str, ...]
    time: datetime
    updated: datetime
    updated_ms: int
    title: str
    place: str
    type: str
    deleted: bool
    position: Position | None = None
    magnitude: float | None = None
    mmi: float | None = None
    alert: str | None = None
    shakemap: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def version(self, complete: bool) -> str:
        """Sorts by time of change; the complete version of one change above the one without its contours."""
        return f"{self.updated_ms:015d}.{int(complete)}"

    @property
    def severity(self) -> int | None:
        """The higher of what PAGER and the strongest shaking say."""
        shaking = severity.from_number("mmi", self.mmi) if self.mmi is not None else None
        return severity.highest(severity.from_word("pager", self.alert or ""), shaking)

    @property
    def native_severity(self) -> str | None:
        for scheme, value in (("pager", self.alert), ("mmi", self.mmi), ("mag", self.magnitude)):
            if value is not None:
                return f"{scheme}:{value}"
        return None

    @property
    def hazards(self) -> tuple[tuple[str, str], ...]:
        own = ("usgs", self.type)
        return (own, ("glide", "EQ")) if self.type == "earthquake" else (own,)

    @property
    def test_sign(self) -> str | None:
        word = find_test_word((self.title, self.place, self.type, *self.shakemap.values()))
        return f"word {word}" if word else None


def read_quake(feature: Any) -> Quake:
    """A feature of a summary, or a detail. Raises DocumentError."""
    properties = member(as_table(feature), "properties", dict)
    check_values([feature.get("id"), feature.get("geometry"), _plain(properties)])
    if "/scenarios/" in (text_of(properties, "url") or "") or _is_scenario(products_of(feature)):
        raise DocumentError(ReasonCode.SCENARIO, text_of(properties, "url") or str(feature.get("id")))
    name = text_of(feature, "id") or missing("id")
    updated_ms = member(properties, "updated", int)
    deleted = (text_of(properties, "status") or "").lower() == "deleted"
    position = _position(feature.get("geometry"))
    if position is None and not deleted:
        missing("geometry")
    magnitude = number_of(properties.get("mag"))
    if magnitude is not None and not -5.0 <= magnitude <= 10.0:
        raise DocumentError(ReasonCode.BAD_VALUE, f"magnitude {magnitude}")
    place = text_of(properties, "place") or ""
    return Quake(
        id=name,
        ids=_ids(name, text_of(properties, "ids") or ""),
        time=_instant(member(properties, "time", int)),
        updated=_instant(updated_ms),
        updated_ms=updated_ms,
        title=text_of(properties, "title") or f"M {magnitude} - {place}",
        place=place,
        type=text_of(properties, "type") or "earthquake",
        deleted=deleted,
        position=position,
        magnitude=magnitude,
        mmi=number_of(properties.get("mmi")),
        alert=text_of(properties, "alert"),
        notes=tuple(_flags(properties)),
    )


def _flags(properties: Json) -> Iterator[str]:
    alert = text_of(properties, "alert")
    if alert and alert not in severity.WORDS["pager"]:
        yield note(NoteCode.VALUE_UNKNOWN, f"alert {alert}")
    if properties.get("tsunami") == 1:
        yield note(NoteCode.FLAG, "tsunami 1: a link to the tsunami centres, not a warning")
    if status := text_of(properties, "status"):
        yield note(NoteCode.FLAG, f"status {status.lower()}")


def _ids(preferred: str, aliases: str) -> tuple[str, ...]:
    """The preferred id first, then the others of ",a,b,"."""
    return tuple(dict.fromkeys([preferred, *(name for name in aliases.split(",") if name)]))


def _position(geometry: Any) -> Position | None:
    """[lon, lat, depth]."""
    if not isinstance(geometry, dict):
        return None
    try:
        lon, lat = geometry["coordinates"][:2]
        return Position(lat, lon)
    except (CoordinateError, KeyError, TypeError, ValueError) as error:
        raise DocumentError(ReasonCode.BAD_VALUE, f"coordinates: {error}") from error


def _instant(milliseconds: int) -> datetime:
    if not -2_208_988_800_000 <= milliseconds <= 7_258_118_400_000:
        raise DocumentError(ReasonCode.BAD_TIME, f"{milliseconds} ms is not within 1900 to 2200")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


# --- products -----------------------------------------------------------------------------------------------


def products_of(feature: Json) -> Json:
    products = member(feature, "properties", dict).get("products")
    return products if isinstance(products, dict) else {}


def _is_scenario(products: Json) -> bool:
    return any(kind.endswith("-scenario") for kind in products)


def preferred(products: Any) -> Json | None:
    """The product with the highest weight that is not deleted."""
    tables = [each for each in products if isinstance(each, dict)] if isinstance(products, list) else []
    alive = [each for each in tables if each.get("status") != "DELETE"]
    weigh = lambda each: (number_of(each.get("preferredWeight")) or 0, number_of(each.get("updateTime")) or 0)  # noqa: E731
    return max(alive, key=weigh, default=None)


def shakemap_properties(shakemap: Json) -> dict[str, str]:
    properties = shakemap.get("properties")
    check_values(properties)
    table = {k: v for k, v in properties.items() if isinstance(v, str)} if isinstance(properties, dict) else {}
    if table.get("event-type", "ACTUAL").upper() == "SCENARIO":
        raise DocumentError(ReasonCode.SCENARIO, "a ShakeMap of event-type SCENARIO")
    return table


def contour_url(shakemap: Json) -> str | None:
    """Newer maps have cont_mmi.json, older ones cont_mi.json. A product without files has a list."""
    contents = shakemap.get("contents")
    if not isinstance(contents, dict):
        return None
    files = (contents.get(f"download/{name}.json") for name in ("cont_mmi", "cont_mi"))
    return next((url for each in files if isinstance(each, dict) and (url := text_of(each, "url"))), None)


# --- contours -----------------------------------------------------------------------------------------------

LEVELS = tuple(least for least, _ in severity.STEPS["mmi"])
"""The intensities at which the severity changes: MMI 5, 6, 7, 8."""
LOWEST = 4.0  # contours below are read by nobody; this one helps to tell which side of the next is which
MAX_LINES = 2_000


def read_bands(body: bytes, quake: Quake) -> tuple[dict[float, MultiPolygon], bool]:
    """({5: area at or above MMI 5, ...}, does the lowest area reach the map's edge and perhaps go on beyond?).

    Raises DocumentError.
    """
    collection = as_table(read_json(body))
    check_values(collection)
    lines: dict[float, list[LineString]] = {}
    for feature in member(collection, "features", list):
        level, found = _contour(as_table(feature))
        if level >= LOWEST:
            lines.setdefault(level, []).extend(found)
    everything = [line for found in lines.values() for line in found]
    if len(everything) > MAX_LINES or is_tangled(everything):
        raise DocumentError(ReasonCode.TOO_LARGE, f"{len(everything)} contours, or contours that cross too often")
    try:
        frame = _frame(quake.shakemap, collection)
        found_bands = bands_from_contours(lines, frame, quake.position)
    except (ValueError, ShapelyError) as error:
        raise DocumentError(ReasonCode.BAD_VALUE, f"contours: {error}") from error
    bands = {
        level: _at_or_above(level, found_bands, frame)
        for level in LEVELS
        if any(least >= level for least in found_bands)
    }
    if (quake.mmi or 0.0) >= LEVELS[0] + 0.5 and all(area.is_empty for area in bands.values()):
        raise DocumentError(ReasonCode.BAD_STRUCTURE, f"no area of MMI 5, though the map reaches {quake.mmi}")
    return bands, LEVELS[0] in bands and touches_edge(bands[LEVELS[0]], frame)


def _at_or_above(level: float, bands: dict[float, MultiPolygon], frame: Box) -> MultiPolygon:
    """The area of the level; where a map lacks its contour, that of the next lower one or the whole map: more
    people than were shaken, never fewer."""
    if level in bands:
        return bands[level]
    lower = [least for least in bands if least < level]
    return bands[max(lower)] if lower else normalise(box(*frame))


def _contour(feature: Json) -> tuple[float, list[LineString]]:
    """(level, lines) of one feature."""
    level = number_of(member(feature, "properties", dict).get("value"))
    if level is None:
        missing("value of a contour")
    geometry = member(feature, "geometry", dict)
    coordinates = member(geometry, "coordinates", list)
    if geometry.get("type") not in ("LineString", "MultiLineString"):
        raise DocumentError(ReasonCode.BAD_STRUCTURE, f"a contour of type {geometry.get('type')}")
    lines = [coordinates] if geometry["type"] == "LineString" else coordinates
    try:
        return level, [LineString([_corner(*corner) for corner in line]) for line in lines if len(line) > 1]
    except (TypeError, ValueError) as error:
        raise DocumentError(ReasonCode.BAD_VALUE, f"contour {level:g}: {error}") from error


def _corner(lon: Any, lat: Any, *_: Any) -> tuple[float, float]:
    """Degrees; a map across the antimeridian may run past 180."""
    for value in (lon, lat):
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 540:
            raise ValueError(f"no coordinate: {value!r:.40}")
    return lon, lat


def _frame(properties: dict[str, str], collection: Json) -> Box:
    """West, south, east, north of the map: of the product, else of the file."""
    names = ("minimum-longitude", "minimum-latitude", "maximum-longitude", "maximum-latitude")
    for sides in ([properties.get(name) for name in names], collection.get("bbox")):
        numbers = [number_of(side) for side in sides] if isinstance(sides, list) else []
        match numbers:
            case [float(west), float(south), float(east), float(north)]:
                _corner(west, south)
                _corner(east, north)
                return west, south, east, north
    raise DocumentError(ReasonCode.MISSING_FIELD, "frame of the map")


# --- reading tables -----------------------------------------------------------------------------------------


def as_table(value: Any) -> Json:
    if not isinstance(value, dict):
        raise DocumentError(ReasonCode.BAD_STRUCTURE, f"{type(value).__name__} in place of a table")
    return value


def member(table: Json, name: str, kind: type) -> Any:
    value = table.get(name)
    if value is None:
        missing(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DocumentError(ReasonCode.BAD_STRUCTURE, f"{name} is a {type(value).__name__}")
    return value


def text_of(table: Json, name: str) -> str | None:
    value = table.get(name)
    return value.strip() if isinstance(value, str) and value.strip() else None


def number_of(value: Any) -> float | None:
    """A number, or its text as products have it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _plain(properties: Json) -> Json:
    """The properties without the products, which are checked when they are read."""
    return {name: value for name, value in properties.items() if name != "products"}
