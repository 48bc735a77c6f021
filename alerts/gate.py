"""Plausibility: a feed proposes, people (or two sources) dispose. One pure function, its thresholds as data.

Held = kept aside with its reasons until a person looks; rejected = no person could release it. The list of
conditions is TRUST section 6. Knows no feed module, no database, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from alerts.feed import (
    MARKER_KINDS,
    MessageKind,
    MessageStatus,
    NoteCode,
    ParsedMessage,
    ParsedZone,
    note_code,
)
from geo.coordinates import EARTH_RADIUS_M

ENDING = frozenset({MessageKind.CANCEL, MessageKind.ALL_CLEAR})
WARNING = frozenset({MessageKind.ALERT, MessageKind.UPDATE})


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    HELD = "held"
    REJECTED = "rejected"


class GateReason(StrEnum):
    """Why a message is not accepted by itself."""

    STATUS_EXERCISE = "status-exercise"
    STATUS_TEST = "status-test"
    STATUS_SYSTEM = "status-system"
    STATUS_DRAFT = "status-draft"
    TEST_SUSPECTED = "test-suspected"
    ERROR_MESSAGE = "error-message"
    ISSUER_UNKNOWN = "issuer-unknown"
    NO_REFERENCES = "no-references"
    FOREIGN_REFERENCE = "foreign-reference"
    NOT_CERTAIN = "not-certain"  # a repair or guess of the parser that a person must see
    SENT_IN_FUTURE = "sent-in-future"
    EVENT_IN_FUTURE = "event-in-future"
    EVENT_TOO_OLD = "event-too-old"
    SENT_TOO_OLD = "sent-too-old"
    ALREADY_EXPIRED = "already-expired"
    NO_EXPIRY = "no-expiry"
    EXPIRY_TOO_FAR = "expiry-too-far"
    TIMES_UNORDERED = "times-unordered"
    NO_GEOMETRY = "no-geometry"
    EMPTY_GEOMETRY = "empty-geometry"
    INVALID_GEOMETRY = "invalid-geometry"
    WHOLE_WORLD = "whole-world"
    AREA_TOO_LARGE = "area-too-large"
    TOO_COMPLEX = "too-complex"
    OUTSIDE_TERRITORY = "outside-territory"
    SWAPPED = "swapped"
    IMPLAUSIBLE_BAND = "implausible-band"
    # beyond release:
    TIME_WITHOUT_ZONE = "time-without-zone"
    NOT_FINITE = "not-finite"
    OFF_THE_EARTH = "off-the-earth"
    SEVERITY_OUT_OF_RANGE = "severity-out-of-range"


UNRELEASABLE = frozenset(
    {
        GateReason.TIME_WITHOUT_ZONE,
        GateReason.NOT_FINITE,
        GateReason.OFF_THE_EARTH,
        GateReason.SEVERITY_OUT_OF_RANGE,
    }
)
UNCERTAIN_NOTES = frozenset(
    {
        NoteCode.TIME_WITHOUT_ZONE,
        NoteCode.BAD_TIME,
        NoteCode.GEOMETRY_DROPPED,
        NoteCode.REFERENCE_UNREADABLE,
        NoteCode.ENDED_SUSPECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds of one feed, to be shown and changed by an operator."""

    issuers: frozenset[str] | None = None  # allow-list of senders; None = the feed's own address vouches
    territory: BaseGeometry | None = None  # where the issuers may warn; None = anywhere
    references_required: bool = True  # an Update or Cancel acts only through its references
    geometry_required: bool = True  # a warning with neither area nor country is held
    expiry_required: bool = True
    max_event_age: timedelta = timedelta(hours=72)
    max_future: timedelta = timedelta(minutes=5)
    max_expiry: timedelta = timedelta(days=7)
    max_area_km2: float = 10_000_000.0  # about Canada
    max_vertices: int = 250_000
    uncertain_notes: frozenset[NoteCode] = field(default=UNCERTAIN_NOTES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` are GateReason values, with ": detail" where there is one."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()


def judge(
    message: ParsedMessage, policy: Policy, now: datetime, *, accepted_event_at: datetime | None = None
) -> Verdict:
    """What to do with a message at `now` (aware).

    `accepted_event_at`: the event time of an accepted version of the same series. A later version is not too
    old, so long as it tells of the same time (within an hour).
    """
    fatal = tuple(_unreleasable(message))
    if fatal:
        return Verdict(Outcome.REJECTED, fatal)
    reasons = [*_nature(message, policy), *_identity(message, policy)]
    reasons += _times(message, policy, now, accepted_event_at)
    if message.kind in WARNING:
        reasons += _places(message, policy)
    return Verdict(Outcome.HELD if reasons else Outcome.ACCEPTED, tuple(dict.fromkeys(reasons)))


def _because(reason: GateReason, detail: object = "") -> str:
    return f"{reason}: {detail}" if detail else str(reason)


# --- beyond release -----------------------------------------------------------------------------------------


def _unreleasable(message: ParsedMessage) -> Iterator[str]:
    zones = message.zones
    times = [message.sent_at, message.valid_from, message.valid_until, message.event_at]
    times += [time for zone in zones for time in (zone.valid_from, zone.valid_until)]
    if any(time is not None and time.tzinfo is None for time in times):
        yield GateReason.TIME_WITHOUT_ZONE
    if any(not 0 <= level <= 4 for level in (message.severity, *(z.severity for z in zones)) if level is not None):
        yield GateReason.SEVERITY_OUT_OF_RANGE
    for area in (zone.area for zone in zones if zone.area is not None):
        points = shapely.get_coordinates(area)
        if not np.all(np.isfinite(points)):
            yield GateReason.NOT_FINITE
        elif np.any(np.abs(points) > np.array([180.0, 90.0])):
            yield GateReason.OFF_THE_EARTH


# --- what it is, and from whom ------------------------------------------------------------------------------

_STATUSES = {
    MessageStatus.EXERCISE: GateReason.STATUS_EXERCISE,
    MessageStatus.TEST: GateReason.STATUS_TEST,
    MessageStatus.SYSTEM: GateReason.STATUS_SYSTEM,
    MessageStatus.DRAFT: GateReason.STATUS_DRAFT,
}


def _nature(message: ParsedMessage, policy: Policy) -> Iterator[str]:
    if message.status in _STATUSES:
        yield _STATUSES[message.status]
    if message.test_suspected:
        yield _because(GateReason.TEST_SUSPECTED, message.test_suspected)
    if message.kind is MessageKind.ERROR:
        yield GateReason.ERROR_MESSAGE
    for entry in message.leftover:
        if note_code(entry) in policy.uncertain_notes:
            yield _because(GateReason.NOT_CERTAIN, entry)


def _identity(message: ParsedMessage, policy: Policy) -> Iterator[str]:
    if policy.issuers is not None and message.sender not in policy.issuers:
        yield _because(GateReason.ISSUER_UNKNOWN, message.sender)
    acts = message.kind in ENDING or message.kind is MessageKind.UPDATE
    if not (acts and policy.references_required):
        return
    if not message.references:
        yield GateReason.NO_REFERENCES
    for reference in message.references:
        if reference.partition(",")[0] != message.sender:
            yield _because(GateReason.FOREIGN_REFERENCE, reference)


# --- when ---------------------------------------------------------------------------------------------------


def _times(message: ParsedMessage, policy: Policy, now: datetime, accepted_event_at: datetime | None) -> Iterator[str]:
    if message.sent_at > now + policy.max_future:
        yield GateReason.SENT_IN_FUTURE
    if message.event_at is not None and message.event_at > now + policy.max_future:
        yield GateReason.EVENT_IN_FUTURE
    if message.kind not in WARNING:
        return
    if _too_old(message, policy, now, accepted_event_at):
        yield GateReason.EVENT_TOO_OLD
    if message.valid_until is None:
        if policy.expiry_required:
            yield GateReason.NO_EXPIRY
        if message.sent_at < now - policy.max_event_age:
            yield GateReason.SENT_TOO_OLD
    yield from _validity(message, policy, now)


def _too_old(message: ParsedMessage, policy: Policy, now: datetime, accepted_event_at: datetime | None) -> bool:
    if message.event_at is None or message.event_at >= now - policy.max_event_age:
        return False
    return accepted_event_at is None or abs(message.event_at - accepted_event_at) > timedelta(hours=1)


def _validity(message: ParsedMessage, policy: Policy, now: datetime) -> Iterator[str]:
    if message.valid_until is not None and message.valid_until <= now:
        yield GateReason.ALREADY_EXPIRED
    spans = [(message.valid_from, message.valid_until)]
    spans += [(zone.valid_from, zone.valid_until) for zone in message.zones]
    for begins, ends in spans:
        if ends is not None and ends <= begins:
            yield GateReason.TIMES_UNORDERED
        if ends is not None and ends > now + policy.max_expiry + policy.max_future:
            yield GateReason.EXPIRY_TOO_FAR


# --- where --------------------------------------------------------------------------------------------------

BAND_LIMITS = {"mmi": 12.0, "mag": 10.0, "kt": 250.0, "km/h": 460.0}


def _places(message: ParsedMessage, policy: Policy) -> Iterator[str]:
    zones = [zone for zone in message.zones if zone.kind not in MARKER_KINDS]
    if policy.geometry_required and not any(zone.area is not None or zone.country_codes for zone in zones):
        yield GateReason.NO_GEOMETRY
    for zone in zones:
        yield from _band(zone)
        if zone.area is not None:
            yield from _area(zone.area, policy)


def _band(zone: ParsedZone) -> Iterator[str]:
    limit = BAND_LIMITS.get(zone.band_unit or "")
    if zone.band is None or limit is None:
        return
    least, ceiling = zone.band
    if not 0.0 <= least <= limit or (ceiling is not None and not least < ceiling <= limit):
        yield _because(GateReason.IMPLAUSIBLE_BAND, f"{zone.band_unit} {least:g} to {ceiling}")


def _area(area: BaseGeometry, policy: Policy) -> Iterator[str]:
    if area.is_empty or area.area <= 0.0:
        yield GateReason.EMPTY_GEOMETRY
        return
    if shapely.get_num_coordinates(area) > policy.max_vertices:
        yield GateReason.TOO_COMPLEX
        return
    if not area.is_valid:
        yield GateReason.INVALID_GEOMETRY
    size_km2 = area_km2(area)
    if size_km2 > 250_000_000.0:  # half of the Earth
        yield GateReason.WHOLE_WORLD
    elif size_km2 > policy.max_area_km2:
        yield _because(GateReason.AREA_TOO_LARGE, f"{size_km2:.0f} km2")
    if policy.territory is not None and not area.intersects(policy.territory):
        yield GateReason.SWAPPED if _fits_swapped(area, policy.territory) else GateReason.OUTSIDE_TERRITORY


def _fits_swapped(area: BaseGeometry, territory: BaseGeometry) -> bool:
    return bool(shapely.transform(area, lambda points: points[:, ::-1]).intersects(territory))


def area_km2(area: BaseGeometry) -> float:
    """Size on the sphere: in the cylindrical equal-area plane, x = R lon, y = R sin lat."""
    radius_km = EARTH_RADIUS_M / 1000.0
    flat = shapely.transform(
        shapely.segmentize(area, 1.0),
        lambda points: radius_km * np.column_stack((np.radians(points[:, 0]), np.sin(np.radians(points[:, 1])))),
    )
    return float(flat.area)
