"""CAP 1.2 (OASIS, July 2010) as ordered enums and frozen values: the lingua franca of alerts.

Reads and writes nothing. Times are aware and keep the offset they came with; positions are geo's.
May import geo.coordinates only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from geo.coordinates import Position


class _Ordered(StrEnum):
    """A CAP word list, written here from the least to the most; `Unknown` is below every statement."""

    @property
    def order(self) -> int:
        """Place in the list, 0 = Unknown."""
        return list(type(self)).index(self)

    @classmethod
    def most(cls, values: "tuple[Self, ...]") -> Self:
        """The highest of the values; Unknown for none."""
        return max(values, key=lambda value: value.order, default=next(iter(cls)))


class Status(StrEnum):
    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MsgType(StrEnum):
    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Category(StrEnum):
    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class ResponseType(StrEnum):
    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


class Urgency(_Ordered):
    UNKNOWN = "Unknown"
    PAST = "Past"
    FUTURE = "Future"
    EXPECTED = "Expected"
    IMMEDIATE = "Immediate"


class Severity(_Ordered):
    UNKNOWN = "Unknown"
    MINOR = "Minor"
    MODERATE = "Moderate"
    SEVERE = "Severe"
    EXTREME = "Extreme"


class Certainty(_Ordered):
    UNKNOWN = "Unknown"
    UNLIKELY = "Unlikely"
    POSSIBLE = "Possible"
    LIKELY = "Likely"
    OBSERVED = "Observed"


DEFAULT_LANGUAGE = "en-US"
"""What an info block without a language is in, says section 3.2.2. Often it is not."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What names one message: sender, identifier and sent (section 3.2.1)."""

    sender: str
    identifier: str
    sent: datetime

    @property
    def key(self) -> str:
        """The same text for the same instant in any offset: two triples are one message iff keys are equal.

        Fractions of a second are dropped: issuers write them in `sent` and leave them out of `references`.
        """
        return f"{self.sender},{self.identifier},{self.sent.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


@dataclass(frozen=True, slots=True)
class Circle:
    """Radius in kilometres, as CAP has it. 0 is a point."""

    centre: Position
    radius_km: float


@dataclass(frozen=True, slots=True)
class Area:
    """Polygons (closed rings of 4 positions or more, additive), circles and codes of one place."""

    area_desc: str
    polygons: tuple[tuple[Position, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()
    altitude: str | None = None
    ceiling: str | None = None
    dropped: int = 0  # polygons and circles that were sent and could not be read


@dataclass(frozen=True, slots=True)
class Resource:
    """A file beside the text. Inline content (derefUri) is not kept."""

    resource_desc: str
    mime_type: str | None = None
    size: str | None = None
    uri: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """One info block: one language, or one part of the message."""

    event: str
    language: str | None = None
    categories: tuple[Category, ...] = ()
    response_types: tuple[ResponseType, ...] = ()
    urgency: Urgency = Urgency.UNKNOWN
    severity: Severity = Severity.UNKNOWN
    certainty: Certainty = Certainty.UNKNOWN
    audience: str | None = None
    event_codes: tuple[tuple[str, str], ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One CAP message. `notes` says what the reader repaired or did not know (alerts.feed.note)."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    msg_type: MsgType
    scope: Scope
    source: str | None = None
    restriction: str | None = None
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
    signed: bool = False  # a signature is present; nobody has verified it
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name of this message, as references to it come out (`Reference.key`)."""
        return Reference(self.sender, self.identifier, self.sent).key
