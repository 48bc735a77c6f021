"""Tables of the crossing. Derived from zones and whereabouts, so without foreign keys to persons; erased by name."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.database import Base

Instant = DateTime(timezone=True)
SITUATION = ["situation.registering_state", "situation.event_id"]
CAUSES = "'message','declaration','move','confirmation','expiry','correction','merge','clock','everything'"


class Crossing(Base):
    """One run of the crossing statement. A message version or declaration is crossed once per State: work is
    found by the absence of this row, never by a high-water mark.
    """

    __tablename__ = "crossing"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    crossing_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(String(12))
    cause_id: Mapped[uuid.UUID | None] = mapped_column()
    event_id: Mapped[uuid.UUID | None] = mapped_column()
    at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))

    __table_args__ = (
        CheckConstraint(f"cause in ({CAUSES})", name="cause"),
        Index(
            "uq_crossing_cause",
            "registering_state",
            "cause",
            "cause_id",
            unique=True,
            postgresql_where=text("cause_id is not null"),
        ),
        Index("ix_crossing_event", "registering_state", "event_id"),
    )


class Exposure(Base):
    """A person in an event: open while `ended_at` is null, at most one open per person and event.

    `presence` inside or possible (*unknown* is kept per country, see ExposureCountry). Each severity names the
    zone (or declared area) and message it rests on; a severity that no source states counts as the
    deployment's `severity_if_unknown`. `began_at`, `ended_at` are domain time; `recorded_at` is when we computed.
    """

    __tablename__ = "exposure"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    episode: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    presence: Mapped[str] = mapped_column(String(8))
    severity_inside: Mapped[int | None] = mapped_column(SmallInteger)
    severity_possible: Mapped[int | None] = mapped_column(SmallInteger)
    zone_inside: Mapped[uuid.UUID | None] = mapped_column()
    zone_possible: Mapped[uuid.UUID | None] = mapped_column()
    location_inside: Mapped[uuid.UUID | None] = mapped_column()
    location_possible: Mapped[uuid.UUID | None] = mapped_column()
    cell: Mapped[int] = mapped_column(BigInteger)
    country: Mapped[str] = mapped_column(String(3))
    keeper_post_id: Mapped[uuid.UUID] = mapped_column()
    serving_post_id: Mapped[uuid.UUID | None] = mapped_column()
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    crossing_id: Mapped[uuid.UUID] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("presence in ('inside','possible')", name="presence"),
        CheckConstraint("(presence = 'inside') = (severity_inside is not null)", name="severity_inside"),
        CheckConstraint("presence = 'inside' or severity_possible is not null", name="severity_possible"),
        Index(
            "uq_exposure_one_open",
            "registering_state",
            "event_id",
            "migrant_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_exposure_migrant", "registering_state", "migrant_id"),
        Index("ix_exposure_cell", "registering_state", "event_id", "cell"),
        {"postgresql_partition_by": "HASH (event_id)"},
    )


class ExposureChange(Base):
    """What a crossing changed for one person: before and after, and why."""

    __tablename__ = "exposure_change"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    crossing_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    change: Mapped[str] = mapped_column(String(8))
    cause: Mapped[str] = mapped_column(String(12))
    presence_before: Mapped[str | None] = mapped_column(String(8))
    presence_after: Mapped[str | None] = mapped_column(String(8))
    severity_before: Mapped[int | None] = mapped_column(SmallInteger)
    severity_after: Mapped[int | None] = mapped_column(SmallInteger)
    keeper_post_id: Mapped[uuid.UUID] = mapped_column()
    serving_post_id: Mapped[uuid.UUID | None] = mapped_column()
    at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("change in ('entered','left','raised','lowered','firmed','loosened')", name="change"),
        CheckConstraint(f"cause in ({CAUSES})", name="cause"),
        Index("ix_exposure_change_migrant", "registering_state", "migrant_id"),
    )


class ExposureCountry(Base):
    """An event concerns a country: those of whom only the country is known are *unknown* to it, and coarse
    country-wide zones leave everybody there *possible*. One row per event, country and State; persons are read
    from the whereabouts when a list, a case or an answer needs them.
    """

    __tablename__ = "exposure_country"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(3), primary_key=True)
    whole_country: Mapped[bool] = mapped_column()
    severity: Mapped[int | None] = mapped_column(SmallInteger)
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    crossing_id: Mapped[uuid.UUID] = mapped_column()

    __table_args__ = (ForeignKeyConstraint(["registering_state", "event_id"], SITUATION),)


class ClockTick(Base):
    """Until when the clock's own changes (a check-in grows old, a trip begins, a zone expires) were crossed."""

    __tablename__ = "clock_tick"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    ticked_to: Mapped[datetime] = mapped_column(Instant)


class PopulationEstimate(Base):
    """How many nationals are believed to be in a country, by whom and when: the denominator of coverage."""

    __tablename__ = "population_estimate"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    estimate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(3))
    low: Mapped[int] = mapped_column(Integer)
    best: Mapped[int] = mapped_column(Integer)
    high: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date] = mapped_column(Date)

    __table_args__ = (CheckConstraint("low <= best and best <= high", name="range"),)
