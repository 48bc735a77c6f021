"""One bare CAP message as a document: an Alert becomes a ParsedMessage.

Envelopes and indexes are other modules'. Pure. Maps words; decides nothing about trust (alerts.gate)
or time in force (alerts.lifecycle).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pycountry
import shapely
from shapely import Point, Polygon
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from alerts import cap, severity
from alerts.cap_xml import CapError, parse
from alerts.feed import (
    Document,
    Evidence,
    FollowUp,
    GeometryBasis,
    MessageKind,
    MessageStatus,
    NoteCode,
    Parsed,
    ParsedMessage,
    ParsedText,
    ParsedZone,
    ReasonCode,
    Rejected,
    ZoneKind,
    note,
)
from alerts.feeds import find_test_word, is_tangled, sha256
from geo.areas import circle, has_long_edge, normalise
from geo.coordinates import CoordinateError, Position

DOCUMENT = "alert"
MAX_RING = 60_000  # positions; the largest seen in any feed has 27,000


@dataclass(frozen=True, slots=True)
class CapSingleFeed:
    """An address that answers with one bare CAP message.

    `country_codes`: where its areas lie when they have no geometry (ISO 3166-1 alpha-3, the issuer's).
    """

    name: str
    url: str
    cadence_s: int = 60
    floor: int = 0
    evidence: Evidence = Evidence.OFFICIAL
    country_codes: tuple[str, ...] = ()

    def start(self) -> FollowUp:
        return FollowUp(self.url, DOCUMENT)

    def parse(self, document: Document) -> Iterator[Parsed]:
        raw_sha256 = sha256(document.body)
        try:
            alert = parse(document.body)
        except CapError as error:
            yield Rejected(error.reason, error.detail, raw_sha256, document.url, whole_document=True)
            return
        yield message_from_alert(alert, self.name, raw_sha256, self.country_codes)


def message_from_alert(
    alert: cap.Alert, feed: str, raw_sha256: str, country_codes: tuple[str, ...] = ()
) -> ParsedMessage | Rejected:
    """The message that an alert tells, or why there is none."""
    if alert.scope is not cap.Scope.PUBLIC:
        detail = f"scope {alert.scope} must never reach the public map"
        return Rejected(ReasonCode.SCOPE_NOT_PUBLIC, detail, raw_sha256, alert.key)
    if alert.msg_type is cap.MsgType.ACK:
        return Rejected(ReasonCode.ACKNOWLEDGEMENT, "acknowledges another message", raw_sha256, alert.key)
    notes = list(alert.notes)
    kind = _kind(alert, notes)
    references = _references(alert, notes)
    warns = kind in (MessageKind.ALERT, MessageKind.UPDATE)
    zones = _zones(alert, country_codes, notes) if warns else ()
    worst = cap.Severity.most(tuple(info.severity for info in alert.infos))
    if alert.signed:
        notes.append(note(NoteCode.SIGNATURE, "present, not verified"))
    return ParsedMessage(
        feed=feed,
        series=min(references, key=lambda key: key.rsplit(",", 1)[1], default=alert.key),
        native_id=alert.key,
        native_version=f"{alert.sent.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}",
        sender=alert.sender,
        sent_at=alert.sent.astimezone(UTC),
        kind=kind,
        status=MessageStatus(alert.status.value.lower()),
        title=_title(alert),
        valid_from=min((_begins(alert, info) for info in alert.infos), default=alert.sent.astimezone(UTC)),
        valid_until=_ends(alert.infos),
        event_at=_event_at(alert, notes),
        test_suspected=_test_sign(alert),
        references=references,
        aliases=_aliases(alert, references),
        hazards=_hazards(alert.infos),
        severity=severity.from_word("cap", worst),
        native_severity=f"cap:{worst}",
        texts=tuple(_text(info) for info in alert.infos),
        zones=zones,
        leftover=tuple(dict.fromkeys(notes)),
    )


# --- kind: an all-clear has at least five shapes ------------------------------------------------------------

_CANCELLATION = re.compile(
    r"\b(?:cancel(?:s|led|ed|lation)?|cancelación|cancelad[oa]|cancelamento|annulation|annulée?"
    r"|annullamento|aufhebung|entwarnung|peringatan dini berakhir|отмена)\b|解除",
    re.IGNORECASE,
)
"""In the *event* of an Update: this is its end ("Tsunami Cancellation")."""

_OVER = re.compile(
    r"\ball[ -]clear\b|\bcancellation\b|\bno longer in effect\b|\bdisregard\b"
    r"|\bhas (?:been (?:cancell?ed|lifted)|ended|expired)\b"
    r"|\bfaran är över\b|\bgäller inte längre\b|\bentwarnung\b|\bist aufgehoben\b"
    r"|\bfin de l['’]alerte\b|\bse cancela\b|\bha finalizado\b|\bfim do alerta\b|отбой|解除",
    re.IGNORECASE,
)
"""Prose that says it is over, in a message whose codes do not: never acted on, always shown to a person."""

_VTEC_ACTION = re.compile(r"/[OTEX]\.([A-Z]{3})\.[A-Z]{4}\.")
_VTEC_ENDS = frozenset({"CAN", "EXP", "UPG"})  # cancelled, expired, upgraded (the higher one has its own message)


def _kind(alert: cap.Alert, notes: list[str]) -> MessageKind:
    if alert.msg_type in (cap.MsgType.CANCEL, cap.MsgType.ERROR):
        return MessageKind(alert.msg_type.value.lower())
    cleared = [cap.ResponseType.ALL_CLEAR in info.response_types for info in alert.infos]
    if cleared and all(cleared):
        return MessageKind.ALL_CLEAR
    if any(cleared):
        notes.append(note(NoteCode.PARTLY_CLEARED, f"{sum(cleared)} of {len(cleared)} info blocks"))
    if _says_cancelled(alert):
        return MessageKind.CANCEL
    prose = (text for info in alert.infos for text in (info.event, info.headline, info.description))
    if over := next(filter(None, map(_OVER.search, filter(None, (alert.note, *prose)))), None):
        notes.append(note(NoteCode.ENDED_SUSPECTED, over.group(0)))
    return MessageKind(alert.msg_type.value.lower())


def _says_cancelled(alert: cap.Alert) -> bool:
    """An Update that cancels by its event's name, or any message whose VTEC codes all end."""
    by_name = [bool(_CANCELLATION.search(info.event)) for info in alert.infos]
    parameters = [value for info in alert.infos for name, value in info.parameters if name.endswith("VTEC")]
    actions = {action for value in parameters for action in _VTEC_ACTION.findall(value)}
    ends = bool(actions) and actions <= _VTEC_ENDS
    return ends or (alert.msg_type is cap.MsgType.UPDATE and bool(by_name) and all(by_name))


# --- identity -----------------------------------------------------------------------------------------------


def _references(alert: cap.Alert, notes: list[str]) -> tuple[str, ...]:
    keys = dict.fromkeys(reference.key for reference in alert.references)
    if alert.key in keys:
        notes.append(note(NoteCode.SELF_REFERENCE, alert.key))
    return tuple(key for key in keys if key != alert.key)


def _aliases(alert: cap.Alert, references: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The message and what it refers to are one series. An incident without a number ("Flood") names none."""
    named = [word for word in alert.incidents if len(word) >= 4 and any(c.isdigit() for c in word)]
    return (
        *(("cap", key) for key in (alert.key, *references)),
        *(("cap-incident", f"{alert.sender}:{word}") for word in named),
    )


# --- times --------------------------------------------------------------------------------------------------

_EVENT_TIMES = frozenset({"EventTime", "EventOriginTime"})


def _begins(alert: cap.Alert, info: cap.Info) -> datetime:
    return (info.onset or info.effective or alert.sent).astimezone(UTC)


def _ends(infos: Iterable[cap.Info]) -> datetime | None:
    """The last expiry; None if a block has none."""
    times = [info.expires for info in infos]
    return max((time.astimezone(UTC) for time in times if time), default=None) if all(times) else None


def _event_at(alert: cap.Alert, notes: list[str]) -> datetime | None:
    """When the thing happened, where the issuer has a parameter for it; without offset it is read as UTC."""
    for name, value in (pair for info in alert.infos for pair in info.parameters):
        if name in _EVENT_TIMES:
            try:
                time = datetime.fromisoformat(value)
                return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
            except (ValueError, OverflowError):
                notes.append(note(NoteCode.BAD_TIME, f"{name} {value}"))
    return None


# --- words --------------------------------------------------------------------------------------------------

_TEST_CODES = frozenset({"RWT", "RMT", "NPT", "DMO"})  # SAME: weekly, monthly, national test; demonstration


def _test_sign(alert: cap.Alert) -> str | None:
    """Whatever betrays a test, in any text of the message and in its codes."""
    for info in alert.infos:
        if found := next((value for _, value in info.event_codes if value in _TEST_CODES), None):
            return f"event code {found}"
    word = find_test_word(_all_texts(alert))
    return f"word {word}" if word else None


def _all_texts(alert: cap.Alert) -> Iterator[str | None]:
    yield from (alert.identifier, alert.sender, alert.source, alert.note, *alert.codes, *alert.incidents)
    for info in alert.infos:
        yield from (info.event, info.headline, info.description, info.instruction, info.audience)
        yield from (info.sender_name, info.web, info.contact)
        yield from (text for pair in (*info.parameters, *info.event_codes) for text in pair)
        yield from (area.area_desc for area in info.areas)
        yield from (resource.resource_desc for resource in info.resources)


def _title(alert: cap.Alert) -> str:
    texts = (text for info in alert.infos for text in (info.headline, info.event) if text)
    return next(texts, f"{alert.msg_type} {alert.identifier}")


def _text(info: cap.Info) -> ParsedText:
    return ParsedText(
        language=_language_tag(info.language or cap.DEFAULT_LANGUAGE),
        headline=info.headline or info.event,
        description=info.description or "",
        instruction=info.instruction or "",
        language_guessed=info.language is None,
    )


def _language_tag(tag: str) -> str:
    """In the customary case: "zh-tw" -> "zh-TW", "ZH-hant" -> "zh-Hant"."""
    first, *rest = tag.strip().replace("_", "-").split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest]
    return "-".join([first.lower(), *cased])[:35]


def _hazards(infos: Iterable[cap.Info]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for info in infos:
        found.update(dict.fromkeys(("cap-category", category.value) for category in info.categories))
        found.update(dict.fromkeys([("cap-event", info.event)] if info.event else []))
        found.update(dict.fromkeys(info.event_codes))
    return tuple(found)


# --- zones --------------------------------------------------------------------------------------------------


def _zones(alert: cap.Alert, country_codes: tuple[str, ...], notes: list[str]) -> tuple[ParsedZone, ...]:
    """One zone per info block and area; what several languages say of one place is said once."""
    seen: dict[tuple[object, ...], ParsedZone] = {}
    for info in alert.infos:
        if cap.ResponseType.ALL_CLEAR in info.response_types:
            continue
        for number, area in enumerate(info.areas):
            for zone in _area_zones(alert, info, area, country_codes, notes):
                seen.setdefault(_sameness(zone, number), zone)
    return tuple(seen.values())


def _sameness(zone: ParsedZone, number: int) -> tuple[object, ...]:
    """Without geometry and codes, areas of two languages are one if they have the same place in the block."""
    where: object = zone.area.wkb if zone.area is not None else zone.geocodes or number
    return (zone.kind, where, zone.severity, zone.valid_from, zone.valid_until)


def _area_zones(
    alert: cap.Alert, info: cap.Info, area: cap.Area, country_codes: tuple[str, ...], notes: list[str]
) -> Iterator[ParsedZone]:
    shape, whole = _shape(area, notes)
    places: list[tuple[ZoneKind, BaseGeometry | None, GeometryBasis]] = []
    if shape is not None:
        places.append((ZoneKind.WARNED, shape, GeometryBasis.NATIVE))
    if not whole:
        # what could not be read may be anywhere in the place: possible, never safe
        places.append((ZoneKind.REGION, None, GeometryBasis.NONE))
    markers = [Point(each.centre.lon, each.centre.lat) for each in area.circles if each.radius_km == 0]
    places += [(ZoneKind.POINT, marker, GeometryBasis.NATIVE) for marker in markers]
    for kind, geometry, basis in places:
        yield ParsedZone(
            kind=kind,
            area=geometry,
            basis=basis,
            valid_from=_begins(alert, info),
            valid_until=info.expires.astimezone(UTC) if info.expires else None,
            severity=severity.from_word("cap", info.severity),
            native_severity=f"cap:{info.severity}",
            label=area.area_desc,
            country_codes=_countries(area, country_codes) if geometry is None else (),
            geocodes=area.geocodes,
        )


def _shape(area: cap.Area, notes: list[str]) -> tuple[BaseGeometry | None, bool]:
    """(the union of the area's polygons and circles, which are additive; is that all of the area?)"""
    polygons = [_polygon(ring, notes) for ring in area.polygons]
    parts = [part for part in polygons if part is not None]
    parts += [circle(each.centre, each.radius_km * 1000) for each in area.circles if each.radius_km > 0]
    if len(parts) > 1 and is_tangled(shapely.get_parts([part.boundary for part in parts])):
        notes.append(note(NoteCode.GEOMETRY_DROPPED, f"{len(parts)} shapes cross each other too often"))
        return None, False
    whole = bool(parts) and None not in polygons and area.dropped == 0
    return (normalise(shapely.union_all(parts)) if len(parts) > 1 else next(iter(parts), None)), whole


def _polygon(ring: tuple[Position, ...], notes: list[str]) -> BaseGeometry | None:
    drawn = Polygon([(position.lon, position.lat) for position in ring])
    if len(ring) > MAX_RING or (not drawn.is_valid and is_tangled([drawn.exterior])):
        notes.append(note(NoteCode.GEOMETRY_DROPPED, f"polygon of {len(ring)} positions is too complex"))
        return None
    try:
        mended = normalise(drawn)
    except (CoordinateError, ShapelyError) as error:
        notes.append(note(NoteCode.GEOMETRY_DROPPED, f"polygon: {error}"))
        return None
    if mended.is_empty:
        notes.append(note(NoteCode.GEOMETRY_DROPPED, "polygon without an area"))
        return None
    if has_long_edge(drawn) or not drawn.is_valid:
        notes.append(note(NoteCode.GEOMETRY_REPAIRED, "polygon crosses itself or the antimeridian"))
    return mended


def _countries(area: cap.Area, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """From ISO codes of the area ("AU-NSW"), else the feed's."""
    codes = [code for scheme, code in area.geocodes if "iso" in scheme.lower()]
    countries = [pycountry.countries.get(alpha_2=code.partition("-")[0]) for code in codes]
    return tuple(dict.fromkeys(country.alpha_3 for country in countries if country)) or otherwise
