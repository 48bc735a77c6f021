"""Tables of what is happening: feeds, fetches, received versions, events and zones.

Shared reference data: no tenant, and never a pointer to a person. May import geo only.
"""

import uuid
from datetime import datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.columns import any_shape
from geo.database import Base

Instant = DateTime(timezone=True)


class Feed(Base):
    """A source of alerts, how often it is asked and how it answered last."""

    __tablename__ = "feed"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    cadence_s: Mapped[int] = mapped_column(Integer)
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    polled_at: Mapped[datetime | None] = mapped_column(Instant)
    succeeded_at: Mapped[datetime | None] = mapped_column(Instant)
    failures: Mapped[int] = mapped_column(server_default=text("0"))


class FeedFetch(Base):
    """One poll of one feed: what came, and what became of it."""

    __tablename__ = "feed_fetch"

    fetch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(ForeignKey("feed.name"))
    url: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(20))
    status: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(server_default=text("0"))
    updated: Mapped[int] = mapped_column(server_default=text("0"))
    unchanged: Mapped[int] = mapped_column(server_default=text("0"))
    rejected: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("outcome in ('ok','empty','unchanged','broken','partial')", name="outcome"),
        Index("ix_feed_fetch_feed_started_at", "feed", "started_at"),
    )


class RawDocument(Base):
    """The bytes as received, kept once by their SHA-256."""

    __tablename__ = "raw_document"

    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(Instant)


class Quarantine(Base):
    """A feed item that could not become a message, with its reason. Its neighbours live."""

    __tablename__ = "quarantine"

    quarantine_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(ForeignKey("feed.name"))
    item: Mapped[str] = mapped_column(Text)
    reason_code: Mapped[str] = mapped_column(String(60))
    detail: Mapped[str] = mapped_column(Text)
    raw_sha256: Mapped[bytes | None] = mapped_column(ForeignKey("raw_document.sha256"))
    seen_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("feed", "item", "reason_code"),)


class Event(Base):
    """The thing in the world that messages tell of."""

    __tablename__ = "event"

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    hazards: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    began_at: Mapped[datetime] = mapped_column(Instant)
    position: Mapped[WKBElement | None] = mapped_column(any_shape())
    lifecycle: Mapped[str] = mapped_column(String(20), server_default=text("'active'"))
    evidence_message_id: Mapped[uuid.UUID | None] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint(
            "lifecycle in ('expected','active','updated','downgraded','cancelled','ended','expired','withdrawn',"
            "'unknown')",
            name="lifecycle",
        ),
    )


class EventAlias(Base):
    """A name some source gives to an event. One name means one event."""

    __tablename__ = "event_alias"

    scheme: Mapped[str] = mapped_column(String(40), primary_key=True)
    alias: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"), index=True)


class Message(Base):
    """One received version, immutable but for the gate's verdict and its derived time in force."""

    __tablename__ = "message"

    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(ForeignKey("feed.name"))
    series: Mapped[str] = mapped_column(Text)
    native_id: Mapped[str] = mapped_column(Text)
    native_version: Mapped[str] = mapped_column(Text)
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))
    sender: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    test_suspected: Mapped[str | None] = mapped_column(Text)
    partial: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    severity: Mapped[int | None] = mapped_column(SmallInteger)
    native_severity: Mapped[str | None] = mapped_column(Text)
    references: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    leftover: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    verdict: Mapped[str] = mapped_column(String(20))
    verdict_reasons: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    content_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sent_at: Mapped[datetime] = mapped_column(Instant)
    event_at: Mapped[datetime | None] = mapped_column(Instant)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        UniqueConstraint("feed", "native_id", "native_version"),
        CheckConstraint("verdict in ('accepted','held','rejected')", name="verdict"),
        CheckConstraint("status in ('actual','exercise','test','system','draft')", name="status"),
        CheckConstraint("kind in ('alert','update','cancel','all_clear','info','advisory','error')", name="kind"),
        CheckConstraint("ended_by in ('superseded','cancelled','all_clear','expired')", name="ended_by"),
        Index("ix_message_event_id_sent_at", "event_id", "sent_at"),
        Index("ix_message_feed_series", "feed", "series"),
    )


class MessageSource(Base):
    """Which raw documents a message was read from."""

    __tablename__ = "message_source"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"), primary_key=True)
    raw_sha256: Mapped[bytes] = mapped_column(ForeignKey("raw_document.sha256"), primary_key=True)


class MessageText(Base):
    """What a message says, per language, in the order in which it was sent."""

    __tablename__ = "message_text"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    language: Mapped[str] = mapped_column(String(35))
    language_guessed: Mapped[bool] = mapped_column(server_default=text("false"))
    headline: Mapped[str] = mapped_column(Text, server_default=text("''"))
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    instruction: Mapped[str] = mapped_column(Text, server_default=text("''"))


class Zone(Base):
    """Where it is bad, according to one message. In force from `valid_from` until the earlier of
    `valid_until` (the source's expiry) and `ended_at` (superseded, cancelled: the lifecycle's derivation).
    """

    __tablename__ = "zone"

    zone_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"))
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))
    kind: Mapped[str] = mapped_column(String(20))
    firm: Mapped[bool] = mapped_column()
    basis: Mapped[str] = mapped_column(String(20))
    geometry: Mapped[WKBElement | None] = mapped_column(any_shape())
    severity: Mapped[int | None] = mapped_column(SmallInteger)
    native_severity: Mapped[str | None] = mapped_column(Text)
    band_min: Mapped[float | None] = mapped_column(Float)
    band_max: Mapped[float | None] = mapped_column(Float)
    band_unit: Mapped[str | None] = mapped_column(String(12))
    label: Mapped[str] = mapped_column(Text, server_default=text("''"))
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        CheckConstraint("severity between 0 and 4", name="severity"),
        Index("ix_zone_event_id", "event_id"),
        Index("ix_zone_message_id", "message_id"),
        Index("ix_zone_geometry", "geometry", postgresql_using="gist"),
    )


class ZoneCell(Base):
    """The cover of a zone: btree ranges of `cell`, once exact (radius_class 0) and once widened per class.

    `piece` is null where the whole cell lies in the zone; else the zone clipped to the cell.
    """

    __tablename__ = "zone_cell"

    zone_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("zone.zone_id", ondelete="CASCADE"), primary_key=True)
    radius_class: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    cell_from: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cell_to: Mapped[int] = mapped_column(BigInteger)
    piece: Mapped[WKBElement | None] = mapped_column(any_shape())

    __table_args__ = (
        CheckConstraint("cell_from <= cell_to", name="range"),
        Index("ix_zone_cell_radius_class_cell_from_cell_to", "radius_class", "cell_from", "cell_to"),
    )


class ZoneCountry(Base):
    """The countries that a zone concerns: for people of whom only the country is known."""

    __tablename__ = "zone_country"

    zone_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("zone.zone_id", ondelete="CASCADE"), primary_key=True)
    country: Mapped[str] = mapped_column(String(3), primary_key=True)
