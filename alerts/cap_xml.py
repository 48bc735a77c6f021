"""CAP XML into alerts.cap: reads liberally, says what it repaired. `write` is cap_writer's, given again here.

Trusts nothing: no DOCTYPE, no entities, no network, caps on size and depth. Pure: bytes in, values out.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from lxml import etree

from alerts.cap import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Info,
    MsgType,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)
from alerts.cap_writer import NAMESPACE, write
from alerts.feed import NoteCode, ReasonCode, note
from geo.coordinates import Position

__all__ = ["NAMESPACE", "CapError", "parse", "read_alert", "read_xml", "write"]

NAMESPACES = frozenset({NAMESPACE, "urn:oasis:names:tc:emergency:cap:1.1", "http://www.incident.com/cap/1.0"})
MAX_BYTES = 5_000_000  # with inline audio the largest seen is 460 kB, an envelope of 59 alerts 300 kB
ENVELOPES = frozenset({"feed", "rss", "RDF", "EDXLDistribution", "alerts", "entry"})
MAX_ELEMENTS = 100_000
MAX_AREAS = 5_000
MAX_SHAPES = 2_000  # polygons and circles of one message
MAX_REFERENCES = 1_000
MAX_RADIUS_KM = 20_038.0  # half way round the Earth

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?")
_OLD_WORDS = {"Very Likely": "Likely"}  # CAP 1.0

Element = etree._Element
Choice = TypeVar("Choice", bound=StrEnum)


class CapError(ValueError):
    """The document is no CAP message that can be read; `reason` is one of our codes."""

    def __init__(self, reason: ReasonCode, detail: str) -> None:
        self.reason = reason
        self.detail = detail[:500]
        super().__init__(f"{reason}: {self.detail}")


# --- the document -------------------------------------------------------------------------------------------


def parse(body: bytes) -> Alert:
    """A bare CAP message. Raises CapError; envelopes are refused by their root's name."""
    root = read_xml(body)
    name = local_name(root)
    if name in ENVELOPES:
        raise CapError(ReasonCode.ENVELOPE_NOT_SUPPORTED, f"root element {name}")
    if name != "alert":
        raise CapError(ReasonCode.NOT_CAP, f"root element {name}")
    return read_alert(root)


def read_xml(body: bytes) -> Element:
    """The root of a document, hardened: see the module. Raises CapError."""
    if len(body) > MAX_BYTES:
        raise CapError(ReasonCode.TOO_LARGE, f"{len(body)} bytes")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,  # keeps libxml2's own cap of 256 levels
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise CapError(_syntax_reason(str(error), body), str(error)) from error
    except (ValueError, LookupError) as error:
        raise CapError(ReasonCode.NOT_XML, str(error)) from error
    # resolve_entities=False alone would accept an entity attack and silently cut the alert's words
    if root.getroottree().docinfo.internalDTD is not None:
        raise CapError(ReasonCode.DOCTYPE, "a DOCTYPE is refused")
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise CapError(ReasonCode.TOO_LARGE, f"more than {MAX_ELEMENTS} elements")
    return root


def _syntax_reason(message: str, body: bytes) -> ReasonCode:
    if b"<!DOCTYPE" in body[:10_000]:
        return ReasonCode.DOCTYPE
    if "depth" in message:
        return ReasonCode.TOO_DEEP
    if "encod" in message.lower() or "bytes:" in message.lower():
        return ReasonCode.BAD_ENCODING
    return ReasonCode.NOT_XML


def local_name(element: Element) -> str:
    return etree.QName(element).localname


def read_alert(element: Element) -> Alert:
    """An `alert` element, wherever it stood. Raises CapError where nothing can be guessed."""
    return _Reader().alert(element)


# --- reading: words, times, numbers -------------------------------------------------------------------------


def read_time(text: str) -> tuple[datetime, bool]:
    """(aware time, was an offset given?). Without an offset the time is read as UTC. Raises ValueError."""
    found = _TIME.fullmatch(text.replace(" ", ""))
    if found is None:
        raise ValueError(f"no date and time: {text[:60]}")
    time = datetime.fromisoformat(found[1] + (found[2] or ""))
    if not 1900 <= time.year <= 2200:
        raise ValueError(f"no year to believe: {text[:60]}")
    return (time, True) if time.tzinfo else (time.replace(tzinfo=UTC), False)


def read_numbers(text: str) -> list[float]:
    """The numbers of a text of numbers, commas and spaces. Raises ValueError for anything else."""
    if re.fullmatch(r"[\s,]*", _NUMBER.sub("", text)) is None:
        raise ValueError(f"not only numbers: {text.strip()[:80]}")
    return [float(number) for number in _NUMBER.findall(text)]


def read_positions(text: str) -> tuple[Position, ...]:
    """ "lat,lon lat,lon ..." with the slips seen in the wild: plus signs, newlines, stray and missing commas.

    Raises ValueError, of which CoordinateError is one.
    """
    pairs = [pair.strip(",") for pair in text.split()]
    if any(pair.count(",") > 1 for pair in pairs):
        raise ValueError(f"more than two numbers in a pair: {text.strip()[:80]}")
    numbers = read_numbers(text)
    if len(numbers) % 2:
        raise ValueError(f"an odd count of numbers: {text.strip()[:80]}")
    return tuple(Position(lat, lon) for lat, lon in zip(numbers[::2], numbers[1::2], strict=True))


def _words(text: str) -> tuple[str, ...]:
    """Space-separated words; those with spaces are in double quotes."""
    return tuple(quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', text))


class _Reader:
    """Reads one alert and gathers the notes on it."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def say(self, code: NoteCode, detail: str) -> None:
        entry = note(code, detail)
        if entry not in self.notes and len(self.notes) < 50:
            self.notes.append(entry)

    def alert(self, element: Element) -> Alert:
        namespace = etree.QName(element).namespace
        if namespace not in NAMESPACES:
            self.say(NoteCode.NAMESPACE, str(namespace))
        fields = _Fields(self, element, _ALERT_FIELDS)
        sent, known = self.required_time(fields.required("sent"))
        if not known:
            self.say(NoteCode.TIME_WITHOUT_ZONE, "sent")
        infos = tuple(self.info(child) for child in fields.all("info"))
        references = self.references(fields.text("references") or "")
        _check_counts(infos, references)
        return Alert(
            identifier=fields.required("identifier"),
            sender=fields.required("sender"),
            sent=sent,
            status=self.required_choice(Status, fields.required("status"), "status"),
            msg_type=self.required_choice(MsgType, fields.required("msgType"), "msgType"),
            scope=self.required_choice(Scope, fields.required("scope"), "scope"),
            source=fields.text("source"),
            restriction=fields.text("restriction"),
            addresses=_words(fields.text("addresses") or ""),
            codes=fields.texts("code"),
            note=fields.text("note"),
            references=references,
            incidents=_words(fields.text("incidents") or ""),
            infos=infos,
            signed=bool(fields.all("Signature")),
            notes=tuple(self.notes),
        )

    def info(self, element: Element) -> Info:
        fields = _Fields(self, element, _INFO_FIELDS)
        if fields.text("event") is None:
            self.say(NoteCode.FIELD_MISSING, "event")
        return Info(
            event=_one_line(fields.text("event")) or "",
            language=fields.text("language"),
            categories=self.choices(Category, fields.texts("category"), Category.OTHER),
            response_types=self.choices(ResponseType, fields.texts("responseType"), ResponseType.NONE),
            urgency=self.choice(Urgency, fields.text("urgency"), Urgency.UNKNOWN),
            severity=self.choice(Severity, fields.text("severity"), Severity.UNKNOWN),
            certainty=self.choice(Certainty, fields.text("certainty"), Certainty.UNKNOWN),
            audience=fields.text("audience"),
            event_codes=self.pairs(fields.all("eventCode")),
            effective=self.time(fields, "effective"),
            onset=self.time(fields, "onset"),
            expires=self.time(fields, "expires"),
            sender_name=_one_line(fields.text("senderName")),
            headline=_one_line(fields.text("headline")),
            description=fields.text("description"),
            instruction=fields.text("instruction"),
            web=fields.text("web"),
            contact=fields.text("contact"),
            parameters=self.pairs(fields.all("parameter")),
            resources=tuple(self.resource(child) for child in fields.all("resource")),
            areas=tuple(self.area(child) for child in fields.all("area")),
        )

    def resource(self, element: Element) -> Resource:
        fields = _Fields(self, element, _RESOURCE_FIELDS)
        return Resource(
            resource_desc=fields.text("resourceDesc") or "",
            mime_type=fields.text("mimeType"),
            size=fields.text("size"),
            uri=fields.text("uri"),
            digest=fields.text("digest"),
        )

    def area(self, element: Element) -> Area:
        fields = _Fields(self, element, _AREA_FIELDS)
        rings = [self.ring(text) for text in fields.texts("polygon")]
        circles = [self.circle(text) for text in fields.texts("circle")]
        return Area(
            area_desc=_one_line(fields.text("areaDesc")) or "",
            polygons=tuple(ring for ring in rings if ring),
            circles=tuple(circle for circle in circles if circle),
            geocodes=self.pairs(fields.all("geocode")),
            altitude=fields.text("altitude"),
            ceiling=fields.text("ceiling"),
            dropped=rings.count(None) + circles.count(None),
        )

    def ring(self, text: str) -> tuple[Position, ...] | None:
        """A closed ring, or None with a note."""
        try:
            ring = read_positions(text)
        except ValueError as error:
            self.say(NoteCode.GEOMETRY_DROPPED, f"polygon: {error}")
            return None
        if ring and ring[0] != ring[-1]:
            self.say(NoteCode.GEOMETRY_REPAIRED, "polygon was not closed")
            ring = (*ring, ring[0])
        if len(ring) < 4:
            self.say(NoteCode.GEOMETRY_DROPPED, f"polygon of {len(ring)} positions")
            return None
        return ring

    def circle(self, text: str) -> Circle | None:
        try:
            lat, lon, radius_km = read_numbers(text)
            centre = Position(lat, lon)
        except ValueError as error:
            self.say(NoteCode.GEOMETRY_DROPPED, f"circle {text.strip()[:60]}: {error}")
            return None
        if not 0 <= radius_km <= MAX_RADIUS_KM:
            self.say(NoteCode.GEOMETRY_DROPPED, f"circle of {radius_km} km")
            return None
        return Circle(centre, radius_km)

    def references(self, text: str) -> tuple[Reference, ...]:
        """Triples; also those that an issuer glued together without the space between them."""
        parts = [part.strip() for part in text.split(",")]
        sender, found = parts[0], []
        for identifier, rest in zip(parts[1::2], parts[2::2], strict=False):
            time = _TIME.match(rest)
            if time is None or not sender or not identifier:
                break
            try:
                found.append(Reference(sender, identifier, read_time(time[0])[0]))
            except ValueError:
                break
            sender = rest[time.end() :].strip()
        if text.strip() and (sender or len(parts) != 2 * len(found) + 1):
            self.say(NoteCode.REFERENCE_UNREADABLE, text)
        return tuple(dict.fromkeys(found))

    def pairs(self, elements: list[Element]) -> tuple[tuple[str, str], ...]:
        """valueName and value; in CAP 1.0 the text "name=value"."""
        return tuple(pair for element in elements if (pair := self.pair(element)) != ("", ""))

    def pair(self, element: Element) -> tuple[str, str]:
        if not len(element):
            name, _, value = _text(element).partition("=")
            return name.strip(), value.strip()
        fields = _Fields(self, element, _PAIR_FIELDS)
        return fields.text("valueName") or "", fields.text("value") or ""

    def time(self, fields: "_Fields", name: str) -> datetime | None:
        text = fields.text(name)
        if text is None:
            return None
        try:
            time, known = read_time(text)
        except ValueError:
            self.say(NoteCode.BAD_TIME, f"{name} {text}")
            return None
        if not known:
            self.say(NoteCode.TIME_WITHOUT_ZONE, name)
        return time

    def required_time(self, text: str) -> tuple[datetime, bool]:
        try:
            return read_time(text)
        except ValueError as error:
            raise CapError(ReasonCode.BAD_TIME, f"sent: {error}") from error

    def required_choice(self, words: type[Choice], text: str, field: str) -> Choice:
        found = _find(words, text)
        if found is None:
            raise CapError(ReasonCode.BAD_VALUE, f"{field}: {text}")
        return found

    def choice(self, words: type[Choice], text: str | None, otherwise: Choice) -> Choice:
        found = _find(words, text or "")
        if found is None:
            self.say(NoteCode.VALUE_UNKNOWN, f"{words.__name__.lower()} {text or 'empty'}")
        return found or otherwise

    def choices(self, words: type[Choice], texts: Iterable[str], otherwise: Choice) -> tuple[Choice, ...]:
        return tuple(dict.fromkeys(self.choice(words, text, otherwise) for text in texts))


def _check_counts(infos: tuple[Info, ...], references: tuple[Reference, ...]) -> None:
    areas = [area for info in infos for area in info.areas]
    shapes = sum(len(area.polygons) + len(area.circles) for area in areas)
    if len(areas) > MAX_AREAS or shapes > MAX_SHAPES or len(references) > MAX_REFERENCES:
        detail = f"{len(areas)} areas, {shapes} polygons and circles, {len(references)} references"
        raise CapError(ReasonCode.TOO_LARGE, detail)


def _find(words: type[Choice], text: str) -> Choice | None:
    """The word of the list, whatever its case."""
    wanted = _OLD_WORDS.get(text, text).lower()
    return next((word for word in words if word.value.lower() == wanted), None)


def _text(element: Element) -> str:
    return "".join(str(part) for part in element.itertext()).strip()


def _one_line(text: str | None) -> str | None:
    return " ".join(text.split()) if text else None


_ALERT_FIELDS = (
    *("identifier", "sender", "password", "sent", "status", "msgType", "source", "scope", "restriction"),
    *("addresses", "code", "note", "references", "incidents", "info", "Signature"),
)
_INFO_FIELDS = (
    *("language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience"),
    *("eventCode", "effective", "onset", "expires", "senderName", "headline", "description", "instruction"),
    *("web", "contact", "parameter", "resource", "area"),
)
_RESOURCE_FIELDS = ("resourceDesc", "mimeType", "size", "uri", "derefUri", "digest")
_AREA_FIELDS = ("areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling")
_PAIR_FIELDS = ("valueName", "value")


class _Fields:
    """The children of an element by local name; those not in the standard are noted, not read."""

    def __init__(self, reader: _Reader, element: Element, known: tuple[str, ...]) -> None:
        self._children: dict[str, list[Element]] = {}
        for child in element:
            name = local_name(child)
            self._children.setdefault(name, []).append(child)
            if name not in known:
                reader.say(NoteCode.FIELD_UNKNOWN, f"{local_name(element)}/{name}")

    def all(self, name: str) -> list[Element]:
        return self._children.get(name, [])

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of the children of that name that are not empty."""
        return tuple(text for child in self.all(name) if (text := _text(child)))

    def text(self, name: str) -> str | None:
        """The first text of that name that is not empty."""
        return next(iter(self.texts(name)), None)

    def required(self, name: str) -> str:
        text = self.text(name)
        if text is None:
            raise CapError(ReasonCode.MISSING_FIELD, name)
        return text
