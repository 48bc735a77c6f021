"""What every feed yields: messages with zones and texts, refusals, and wishes for further documents.

Values only: no network, no clock, no database, no parsing. May import the standard library and shapely.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shapely.geometry.base import BaseGeometry


class ZoneKind(StrEnum):
    """What a zone says about the people in it."""

    AFFECTED = "affected"
    WARNED = "warned"
    BAND = "band"
    DECLARED = "declared"
    FORECAST_CONE = "forecast_cone"
    TRACK = "track"
    POINT = "point"
    EPICENTRE = "epicentre"
    CENTROID = "centroid"
    DETECTION = "detection"
    REGION = "region"
    ADVISORY_REGION = "advisory_region"
    COUNTRY = "country"


FIRM_KINDS = frozenset({ZoneKind.AFFECTED, ZoneKind.WARNED, ZoneKind.BAND, ZoneKind.DECLARED})
"""Being in such a zone is being inside; all other kinds say "possible" at most."""

MARKER_KINDS = frozenset({ZoneKind.POINT, ZoneKind.EPICENTRE, ZoneKind.CENTROID})
"""Something to draw on the map, never a zone to look for people in."""


class GeometryBasis(StrEnum):
    """Where the geometry of a zone comes from."""

    NATIVE = "native"
    CIRCLE_BUFFERED = "circle_buffered"
    GEOCODE_RESOLVED = "geocode_resolved"
    PROSE = "prose"
    CENTROID = "centroid"
    COUNTRY = "country"
    NONE = "none"


class MessageKind(StrEnum):
    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"
    ALL_CLEAR = "all_clear"
    INFO = "info"
    ADVISORY = "advisory"
    ERROR = "error"


class MessageStatus(StrEnum):
    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"
    SYSTEM = "system"
    DRAFT = "draft"


class Evidence(StrEnum):
    """How the source of a feed knows what it says."""

    OFFICIAL = "official"  # the authority's own warning
    INSTRUMENT = "instrument"  # measured, or computed from measurements, by an agency
    DERIVED = "derived"  # an aggregator or a model on top of others
    MACHINE = "machine"  # machine-coded news: never an alert by itself


class ReasonCode(StrEnum):
    """Why a document or an item could not become a message."""

    NOT_JSON = "not-json"
    NOT_XML = "not-xml"
    NOT_CAP = "not-cap"
    ENVELOPE_NOT_SUPPORTED = "envelope-not-supported"
    DOCTYPE = "doctype"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    BAD_ENCODING = "bad-encoding"
    BAD_CHARACTER = "bad-character"
    BAD_STRUCTURE = "bad-structure"
    MISSING_FIELD = "missing-field"
    BAD_VALUE = "bad-value"
    BAD_TIME = "bad-time"
    NOT_FINITE = "not-finite"
    SCENARIO = "scenario"
    FOREIGN_URL = "foreign-url"
    SCOPE_NOT_PUBLIC = "scope-not-public"
    ACKNOWLEDGEMENT = "acknowledgement"
    CONTOURS_BROKEN = "contours-broken"
    UNKNOWN_DOCUMENT = "unknown-document"


class NoteCode(StrEnum):
    """First word of an entry of `ParsedMessage.leftover`: what was repaired, guessed, or not understood."""

    TIME_WITHOUT_ZONE = "time-without-zone"  # read as UTC
    BAD_TIME = "bad-time"  # an optional time that could not be read: taken as not given
    VALUE_UNKNOWN = "value-unknown"  # a word outside the standard's list
    FIELD_MISSING = "field-missing"
    FIELD_UNKNOWN = "field-unknown"
    NAMESPACE = "namespace"
    REFERENCE_UNREADABLE = "reference-unreadable"
    SELF_REFERENCE = "self-reference"
    GEOMETRY_REPAIRED = "geometry-repaired"
    GEOMETRY_DROPPED = "geometry-dropped"
    ENDED_SUSPECTED = "ended-suspected"  # the prose says that it is over, the codes do not
    PARTLY_CLEARED = "partly-cleared"
    SIGNATURE = "signature"  # present, not verified
    BY_RULE = "by-rule"  # something we added by a rule of ours
    FLAG = "flag"  # a sign of the source that we pass on and do not act on


def note(code: NoteCode, detail: str) -> str:
    """An entry of `leftover`."""
    return f"{code}: {detail[:300]}"


def note_code(entry: str) -> str:
    """The code of an entry made by `note`."""
    return entry.partition(":")[0]


@dataclass(frozen=True, slots=True)
class ParsedZone:
    """Where it is bad. `area` is lon/lat, valid, cut at the antimeridian; None = nobody knows where."""

    kind: ZoneKind
    area: BaseGeometry | None
    basis: GeometryBasis
    valid_from: datetime
    valid_until: datetime | None = None
    severity: int | None = None  # common 0-4 (alerts.severity); None = not stated
    native_severity: str | None = None  # "mmi:7", "cap:Severe"
    band: tuple[float, float | None] | None = None  # from, to (None = open); the area is "at or above from"
    band_unit: str | None = None
    label: str = ""
    country_codes: tuple[str, ...] = ()  # ISO 3166-1 alpha-3
    geocodes: tuple[tuple[str, str], ...] = ()  # (scheme, code), as sent


@dataclass(frozen=True, slots=True)
class ParsedText:
    """One language's text, as sent: plain or HTML, not sanitised."""

    language: str  # BCP 47
    headline: str = ""
    description: str = ""
    instruction: str = ""
    language_guessed: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """One version of one message. All times are aware UTC.

    `native_id` + `native_version` name it within the feed; `native_version` sorts as text in order of issue.
    `references` are `native_id`s. `aliases` are (scheme, id): those of a scheme in SERIES_SCHEMES name the
    same evolving alert as this one (join the series on any of them), all others only the same event.
    `partial` is None, or why zones are missing: keep the last good ones.
    """

    feed: str
    series: str
    native_id: str
    native_version: str
    sender: str
    sent_at: datetime
    kind: MessageKind
    status: MessageStatus
    title: str
    valid_from: datetime
    valid_until: datetime | None = None
    event_at: datetime | None = None
    test_suspected: str | None = None
    references: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    hazards: tuple[tuple[str, str], ...] = ()  # (scheme, code)
    severity: int | None = None
    native_severity: str | None = None
    texts: tuple[ParsedText, ...] = ()
    zones: tuple[ParsedZone, ...] = ()
    leftover: tuple[str, ...] = ()
    partial: str | None = None


SERIES_SCHEMES = frozenset({"usgs", "cap"})
"""Schemes of aliases that identify a series, and not only an event."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item (or, with `whole_document`, everything) that could not be read. Its neighbours live."""

    reason_code: ReasonCode
    detail: str
    raw_sha256: str
    item: str = ""
    whole_document: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A document that the parser wishes to see next; the poller fetches it and calls `parse` with `context`.

    `native_id` and `native_version`, when given, name the version that would come of it: a poller that knows
    that version need not fetch. `fallback` is what to store if the document cannot be had (fetch broken).
    """

    url: str
    kind: str
    context: object = None
    native_id: str | None = None
    native_version: str | None = None
    fallback: ParsedMessage | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One fetched document, as handed to a parser."""

    url: str
    kind: str
    body: bytes
    content_type: str | None = None
    context: object = None


Parsed = ParsedMessage | Rejected | FollowUp
Known = Callable[[str, str], bool]
"""(native_id, native_version) -> is this version already stored, and complete?"""


def wanted(parsed: Parsed, known: Known) -> bool:
    """False for a follow-up that would bring only what is known already."""
    if not isinstance(parsed, FollowUp) or parsed.native_id is None or parsed.native_version is None:
        return True
    return not known(parsed.native_id, parsed.native_version)


class Feed(Protocol):
    """A source: where to ask, how often, and how to read the answer. `parse` has no hands: no I/O, no clock.

    `floor` is the fewest items that a sound answer to `start()` holds: fewer is a broken feed, never quiet.
    """

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def cadence_s(self) -> int: ...
    @property
    def floor(self) -> int: ...
    @property
    def evidence(self) -> Evidence: ...

    def start(self) -> FollowUp: ...

    def parse(self, document: Document) -> Iterator[Parsed]: ...
