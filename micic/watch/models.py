"""Tables of a State's own view of what is happening."""

import uuid
from datetime import datetime

from geoalchemy2 import WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from geo.columns import any_shape, area
from geo.database import Base

Instant = DateTime(timezone=True)


class Situation(Base):
    """An event as one State sees it. Everything about persons and an event hangs on this row, and a crossing
    locks it. An event that only this State knows (an area it declared) has no public event.
    """

    __tablename__ = "situation"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    public_event_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("event.event_id"))
    title: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(Instant)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    mode: Mapped[str] = mapped_column(String(8), server_default=text("'live'"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))

    __table_args__ = (
        CheckConstraint("mode in ('live','exercise')", name="mode"),
        CheckConstraint("public_event_id is null or public_event_id = event_id", name="public_event"),
    )


class AlertDecision(Base):
    """A State's word on a doubtful alert. The latest decision counts; none is ever changed."""

    __tablename__ = "alert_decision"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    decision_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"))
    decision: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[uuid.UUID] = mapped_column()
    decided_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("decision in ('accepted','rejected')", name="decision"),
        Index("ix_alert_decision_registering_state_message_id", "registering_state", "message_id"),
    )


class AlertStanding(Base):
    """How the versions of a series stand for a State that decided on one of them: who counts, and until when. Without
    a row a message stands as the gate and the lifecycle say. Read through the view `zone_of_state`.
    """

    __tablename__ = "alert_standing"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"), primary_key=True)
    accepted: Mapped[bool] = mapped_column()
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(String(20))


class DeclaredArea(Base):
    """An area that a crisis cell drew or named. Firm; it ends only by a person's act."""

    __tablename__ = "declared_area"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    area_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column()
    label: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    geometry: Mapped[WKBElement] = mapped_column(area())
    severity: Mapped[int] = mapped_column(SmallInteger)
    declared_by: Mapped[uuid.UUID] = mapped_column()
    declared_at: Mapped[datetime] = mapped_column(Instant)
    ended_by: Mapped[uuid.UUID | None] = mapped_column()
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("severity between 0 and 4", name="severity"),
        ForeignKeyConstraint(["registering_state", "event_id"], ["situation.registering_state", "situation.event_id"]),
    )


class DeclaredCell(Base):
    """The cover of a declared area: as `zone_cell`, under the tenant."""

    __tablename__ = "declared_cell"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    area_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    radius_class: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    cell_from: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cell_to: Mapped[int] = mapped_column(BigInteger)
    piece: Mapped[WKBElement | None] = mapped_column(any_shape())

    __table_args__ = (
        CheckConstraint("cell_from <= cell_to", name="range"),
        ForeignKeyConstraint(
            ["registering_state", "area_id"],
            ["declared_area.registering_state", "declared_area.area_id"],
            ondelete="CASCADE",
        ),
        Index("ix_declared_cell_stab", "registering_state", "radius_class", "cell_from", "cell_to"),
    )


class DeclaredCountry(Base):
    """The countries that a declared area concerns."""

    __tablename__ = "declared_country"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    area_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(3), primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "area_id"],
            ["declared_area.registering_state", "declared_area.area_id"],
            ondelete="CASCADE",
        ),
    )
