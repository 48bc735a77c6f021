"""Keeping what a feed said: one immutable row per version, its event, its zones and their covers. Idempotent.

What is stored never depends on the order of arrival: after each message the whole series is put in order again
(`alerts.lifecycle`). Knows no person; the caller opens and commits the transaction.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Uuid, any_, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Session

from alerts.feed import FIRM_KINDS, MARKER_KINDS, SERIES_SCHEMES, MessageKind, ParsedMessage, ParsedZone, Rejected
from alerts.gate import Policy, judge
from alerts.lifecycle import EndReason, VersionFact, derive
from alerts.models import (
    Event,
    EventAlias,
    Message,
    MessageSource,
    MessageText,
    Quarantine,
    RawDocument,
    Zone,
    ZoneCountry,
)
from geo.columns import SRID
from geo.covers import cover_columns
from geo.database import read_statement

CountriesTouching = Callable[[BaseGeometry], Iterable[str]]
"""Area -> ISO 3166-1 alpha-3 of the countries that it touches."""


class Outcome(StrEnum):
    """What became of an item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Stored:
    """What became of a message, and where it went."""

    outcome: Outcome
    message_id: uuid.UUID
    event_id: uuid.UUID
    verdict: str


def is_known(session: Session, feed: str, native_id: str, native_version: str) -> bool:
    """Whether this version is stored already."""
    return _find_version(session, feed, native_id, native_version) is not None


def keep_raw(session: Session, url: str, body: bytes, content_type: str | None, *, now: datetime) -> bytes:
    """Keep the bytes as received, once; their SHA-256."""
    digest = hashlib.sha256(body).digest()
    session.execute(
        insert(RawDocument)
        .values(sha256=digest, url=url, content_type=content_type, body=body, received_at=now)
        .on_conflict_do_nothing()
    )
    return digest


def store_rejected(session: Session, feed: str, rejected: Rejected, *, new_id: uuid.UUID, now: datetime) -> None:
    """Put an unreadable item into quarantine with its reason, once per item and reason."""
    raw = bytes.fromhex(rejected.raw_sha256)
    kept = session.execute(select(RawDocument.sha256).where(RawDocument.sha256 == raw)).scalar_one_or_none()
    session.execute(
        insert(Quarantine)
        .values(
            quarantine_id=new_id,
            feed=feed,
            item=rejected.item or rejected.raw_sha256,
            reason_code=rejected.reason_code,
            detail=rejected.detail,
            raw_sha256=kept,
            seen_at=now,
        )
        .on_conflict_do_nothing()
    )


def store_message(
    session: Session,
    message: ParsedMessage,
    raw: Sequence[bytes],
    *,
    policy: Policy,
    countries_touching: CountriesTouching,
    make_id: Callable[[], uuid.UUID],
    now: datetime,
) -> Stored:
    """Store one version with its event and zones, and put its series in order again.

    Of two pollers that store at the same moment one waits: the lock ends with the transaction.
    """
    session.execute(text("select pg_advisory_xact_lock(hashtext('micic.alerts.store'))"))
    known = _find_version(session, message.feed, message.native_id, message.native_version)
    if known is not None:
        return Stored(Outcome.UNCHANGED, known.message_id, known.event_id, known.verdict)
    relatives = _find_relatives(session, message)
    event = _find_event(session, message, relatives) or _make_event(session, message, make_id(), now)
    series = _unite_series(session, message, relatives)
    verdict = judge(message, policy, now, accepted_event_at=_accepted_event_at(relatives))
    row = _message_row(message, make_id(), event.event_id, series, now)
    row.verdict = verdict.outcome
    row.verdict_reasons = list(verdict.reasons)
    session.add(row)
    session.flush()
    _add_aliases(session, message, event.event_id)
    _add_texts(session, message, row.message_id)
    session.add_all(MessageSource(message_id=row.message_id, raw_sha256=digest) for digest in dict.fromkeys(raw))
    for zone in message.zones:
        _add_zone(session, zone, row, make_id(), countries_touching)
    session.flush()
    order_series(session, message.feed, series)
    for touched in list_series_events(session, message.feed, series):
        _tell_event(session, touched)
    outcome = Outcome.UPDATED if relatives else Outcome.CREATED
    return Stored(outcome, row.message_id, event.event_id, row.verdict)


def order_series(session: Session, feed: str, series: str) -> None:
    """Derive anew which versions of a series are in force, from what is stored and nothing else. A version that
    the gate held or rejected neither speaks nor silences another.
    """
    rows = session.execute(
        select(Message).where(Message.feed == feed, Message.series == series, Message.verdict == "accepted")
    ).scalars()
    for message_id, end in ends_of(rows).items():
        ended = {"ended_at": end.at, "ended_by": end.by}
        session.execute(update(Message).where(Message.message_id == message_id).values(**ended))
        session.execute(update(Zone).where(Zone.message_id == message_id).values(**ended))


@dataclass(frozen=True)
class End:
    """When and by what a version ends; both None while nothing but its own expiry ends it."""

    at: datetime | None = None
    by: EndReason | None = None


def ends_of(versions: Iterable[Message]) -> dict[uuid.UUID, End]:
    """message_id -> its end, from the versions of one series that count (`alerts.lifecycle`)."""
    facts = [
        VersionFact(
            message_id=row.message_id,
            native_id=row.native_id,
            native_version=row.native_version,
            sent_at=row.sent_at,
            received_at=row.received_at,
            kind=MessageKind(row.kind),
            references=tuple(row.references),
            valid_until=row.valid_until,
            partial=row.partial is not None,
        )
        for row in versions
    ]
    ends: dict[uuid.UUID, End] = {}
    for message_id, in_force in derive(facts).items():
        expires = in_force.reason in (None, EndReason.EXPIRED)  # then `valid_until` says it all
        ends[message_id] = End() if expires else End(in_force.until_at, in_force.reason)
    return ends


def list_series_events(session: Session, feed: str, series: str) -> list[Event]:
    """The events that the messages of a series tell of: more than one, when a cancel names alerts of several."""
    return list(
        session.execute(
            select(Event)
            .where(Event.event_id.in_(select(Message.event_id).where(Message.feed == feed, Message.series == series)))
            .order_by(Event.recorded_at, Event.event_id)
        ).scalars()
    )


def _find_version(session: Session, feed: str, native_id: str, native_version: str) -> Message | None:
    return session.execute(
        select(Message).where(
            Message.feed == feed, Message.native_id == native_id, Message.native_version == native_version
        )
    ).scalar_one_or_none()


def _find_relatives(session: Session, message: ParsedMessage) -> list[Message]:
    """Stored versions of the same series: by its name, by an alias that names a series, by a reference in either
    direction (an update may come before its alert).
    """
    aliases = [alias for scheme, alias in message.aliases if scheme in SERIES_SCHEMES]
    events = select(EventAlias.event_id).where(EventAlias.scheme.in_(SERIES_SCHEMES), EventAlias.alias.in_(aliases))
    return list(
        session.execute(
            select(Message).where(
                Message.feed == message.feed,
                or_(
                    Message.series == message.series,
                    Message.native_id.in_([message.native_id, *message.references]),
                    Message.references.contains(literal([message.native_id], JSONB)),
                    Message.event_id.in_(events),
                ),
            )
        ).scalars()
    )


def _find_event(session: Session, message: ParsedMessage, relatives: Sequence[Message]) -> Event | None:
    if relatives:
        return session.get(Event, min(relatives, key=lambda row: row.received_at).event_id)
    named = [EventAlias.alias == alias for _, alias in message.aliases]
    if not named:
        return None
    ids = session.execute(select(EventAlias.event_id, EventAlias.scheme, EventAlias.alias).where(or_(*named))).all()
    wanted = set(message.aliases)
    found = next((event_id for event_id, scheme, alias in ids if (scheme, alias) in wanted), None)
    return None if found is None else session.get(Event, found)


def _make_event(session: Session, message: ParsedMessage, event_id: uuid.UUID, now: datetime) -> Event:
    event = Event(
        event_id=event_id,
        title=message.title,
        hazards=[list(hazard) for hazard in message.hazards],
        began_at=message.event_at or message.valid_from,
        position=_position(message),
        lifecycle="active",
        recorded_at=now,
    )
    session.add(event)
    session.flush()
    return event


def _position(message: ParsedMessage) -> object:
    points = (zone.area for zone in message.zones if isinstance(zone.area, Point))
    point = next(points, None)
    return None if point is None else from_shape(point, srid=SRID)


def _unite_series(session: Session, message: ParsedMessage, relatives: Sequence[Message]) -> str:
    """One name for the series, the oldest; relatives that were taken for another series join it."""
    if not relatives:
        return message.series
    series = min(relatives, key=lambda row: (row.received_at, row.series)).series
    strays = [row.message_id for row in relatives if row.series != series]
    if strays:
        session.execute(
            update(Message).where(Message.message_id == any_(literal(strays, ARRAY(Uuid)))).values(series=series)
        )
    return series


def _message_row(
    message: ParsedMessage, message_id: uuid.UUID, event_id: uuid.UUID, series: str, now: datetime
) -> Message:
    return Message(
        message_id=message_id,
        feed=message.feed,
        series=series,
        native_id=message.native_id,
        native_version=message.native_version,
        event_id=event_id,
        sender=message.sender,
        kind=message.kind,
        status=message.status,
        test_suspected=message.test_suspected,
        partial=message.partial,
        title=message.title,
        severity=message.severity,
        native_severity=message.native_severity,
        references=list(message.references),
        leftover=list(message.leftover),
        content_sha256=_content_hash(message),
        sent_at=message.sent_at,
        event_at=message.event_at,
        valid_from=message.valid_from,
        valid_until=message.valid_until,
        received_at=now,
    )


def _content_hash(message: ParsedMessage) -> bytes:
    return hashlib.sha256(repr(message).encode()).digest()


def _add_aliases(session: Session, message: ParsedMessage, event_id: uuid.UUID) -> None:
    names = {*message.aliases, (message.feed, message.native_id)}
    session.execute(
        insert(EventAlias).on_conflict_do_nothing(),
        [{"scheme": scheme, "alias": alias, "event_id": event_id} for scheme, alias in sorted(names)],
    )


def _add_texts(session: Session, message: ParsedMessage, message_id: uuid.UUID) -> None:
    session.add_all(
        MessageText(
            message_id=message_id,
            position=number,
            language=said.language,
            language_guessed=said.language_guessed,
            headline=said.headline,
            description=said.description,
            instruction=said.instruction,
        )
        for number, said in enumerate(message.texts)
    )


def _add_zone(
    session: Session, zone: ParsedZone, row: Message, zone_id: uuid.UUID, countries_touching: CountriesTouching
) -> None:
    low, high = zone.band or (None, None)
    session.add(
        Zone(
            zone_id=zone_id,
            message_id=row.message_id,
            event_id=row.event_id,
            kind=zone.kind,
            firm=zone.kind in FIRM_KINDS,
            basis=zone.basis,
            geometry=None if zone.area is None else from_shape(zone.area, srid=SRID),
            severity=zone.severity,
            native_severity=zone.native_severity,
            band_min=low,
            band_max=high,
            band_unit=zone.band_unit,
            label=zone.label,
            valid_from=zone.valid_from,
            valid_until=zone.valid_until,
        )
    )
    session.flush()
    if zone.kind in MARKER_KINDS:
        return
    countries = set(zone.country_codes)
    if isinstance(zone.area, Polygon | MultiPolygon) and not zone.area.is_empty:
        _add_cover(session, zone_id, zone.area)
        countries |= set(countries_touching(zone.area))
    session.add_all(ZoneCountry(zone_id=zone_id, country=country) for country in sorted(countries))


def _add_cover(session: Session, zone_id: uuid.UUID, area: Polygon | MultiPolygon) -> None:
    whole = area if isinstance(area, MultiPolygon) else MultiPolygon([area])
    statement = text(read_statement("alerts", "insert_cover.sql"))
    session.execute(statement, {"zone_id": zone_id, **vars(cover_columns(whole))})


def _accepted_event_at(relatives: Sequence[Message]) -> datetime | None:
    """The event time of the first accepted version of the series."""
    times = [(row.received_at, row.event_at) for row in relatives if row.verdict == "accepted" and row.event_at]
    return min(times)[1] if times else None


def _tell_event(session: Session, event: Event) -> None:
    """The event takes its title and state from the latest accepted version that nothing has ended; when there is
    none, from the last one.
    """
    session.expire_all()
    rows = (
        session.execute(
            select(Message)
            .where(Message.event_id == event.event_id, Message.verdict == "accepted")
            .order_by(Message.sent_at.desc(), Message.native_version.desc())
        )
        .scalars()
        .all()
    )
    if not rows:
        event.lifecycle = "unknown"
        return
    alive = [row for row in rows if row.ended_at is None]
    latest = (alive or rows)[0]
    event.title = latest.title
    event.evidence_message_id = latest.message_id
    if alive:
        event.lifecycle = "active" if len(rows) == 1 else "updated"
    else:
        endings = {row.ended_by for row in rows}
        event.lifecycle = "cancelled" if "cancelled" in endings else "ended"
    session.flush()
