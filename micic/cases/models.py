"""Tables of the three histories of a person in an event. Append-only; one never overwrites another."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from geo.database import Base
from micic.registry.models import migrant_key

Instant = DateTime(timezone=True)
TRUSTS = "trust in ('authenticated','token','known_address','unknown')"


class ContactEntry(Base):
    """That somebody was, or could not be, reached."""

    __tablename__ = "contact_entry"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    entry_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column()
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    state: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(60))
    trust: Mapped[str] = mapped_column(String(14))
    source_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        migrant_key(),
        CheckConstraint("state in ('attempted','handed_over','delivered','failed','answered')", name="state"),
        CheckConstraint(TRUSTS, name="trust"),
        Index("ix_contact_entry_migrant", "registering_state", "event_id", "migrant_id"),
    )


class WelfareEntry(Base):
    """How somebody is, as told by themselves or others. "Safe" takes nobody off an evacuation list."""

    __tablename__ = "welfare_entry"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    entry_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column()
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    state: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(60))
    trust: Mapped[str] = mapped_column(String(14))
    source_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        migrant_key(),
        CheckConstraint("state in ('safe','need','sought','found','injured','dead')", name="state"),
        CheckConstraint(TRUSTS, name="trust"),
        Index("ix_welfare_entry_migrant", "registering_state", "event_id", "migrant_id"),
    )


class MovementEntry(Base):
    """Where somebody is on the way out."""

    __tablename__ = "movement_entry"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    entry_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column()
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    state: Mapped[str] = mapped_column(String(14))
    source: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(60))
    trust: Mapped[str] = mapped_column(String(14))
    source_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        migrant_key(),
        CheckConstraint(
            "state in ('called_forward','staged','boarded','no_show','denied','departed','at_hub','admitted',"
            "'onward','home','handed_over')",
            name="state",
        ),
        CheckConstraint(TRUSTS, name="trust"),
        Index("ix_movement_entry_migrant", "registering_state", "event_id", "migrant_id"),
    )
