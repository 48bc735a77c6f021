"""Tables of the lists. A list is never changed once frozen; releasing it is a second person's act."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
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

from geo.database import Base

Instant = DateTime(timezone=True)


class PersonList(Base):
    """One version of one post's assistance or evacuation list for one event.

    `sha256` covers the salted hashes of the lines in order, so that a list still verifies when a person on it
    has been erased. `frozen_by` null means that the system froze it after a crossing.
    """

    __tablename__ = "person_list"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    list_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column()
    post_id: Mapped[uuid.UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(10))
    mode: Mapped[str] = mapped_column(String(8), server_default=text("'live'"))
    version: Mapped[int] = mapped_column(Integer)
    previous_list_id: Mapped[uuid.UUID | None] = mapped_column()
    status: Mapped[str] = mapped_column(String(10))
    rule_set: Mapped[str] = mapped_column(String(20))
    line_count: Mapped[int] = mapped_column(Integer)
    household_count: Mapped[int] = mapped_column(Integer)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    as_of: Mapped[datetime] = mapped_column(Instant)
    frozen_at: Mapped[datetime] = mapped_column(Instant)
    frozen_by: Mapped[uuid.UUID | None] = mapped_column()
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    released_by: Mapped[uuid.UUID | None] = mapped_column()
    recipient_class: Mapped[str | None] = mapped_column(String(30))
    release_note: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("registering_state", "event_id", "post_id", "kind", "version"),
        UniqueConstraint("registering_state", "list_id", "mode"),
        CheckConstraint("kind in ('assistance','evacuation')", name="kind"),
        CheckConstraint("mode in ('live','exercise')", name="mode"),
        CheckConstraint("status in ('frozen','released','withdrawn')", name="status"),
        CheckConstraint("frozen_by is null or released_by is null or released_by <> frozen_by", name="four_eyes"),
        CheckConstraint(
            "(status = 'frozen') = (released_at is null) and (released_at is null) = (released_by is null)",
            name="release",
        ),
        ForeignKeyConstraint(["registering_state", "event_id"], ["situation.registering_state", "situation.event_id"]),
        ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
        ),
    )


class ListLine(Base):
    """One person on one list. What names the person is encrypted with the person's own key; no foreign key to
    the person, so that erasing them leaves a line that verifies and says nothing.
    """

    __tablename__ = "list_line"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    list_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    household_id: Mapped[uuid.UUID] = mapped_column()
    household_rank: Mapped[int] = mapped_column(Integer)
    tier: Mapped[int] = mapped_column(SmallInteger)
    presence: Mapped[str] = mapped_column(String(9))
    severity: Mapped[int | None] = mapped_column(SmallInteger)
    change: Mapped[str] = mapped_column(String(10))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    line_hash: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "list_id"], ["person_list.registering_state", "person_list.list_id"]
        ),
        CheckConstraint("presence in ('inside','possible','unknown','safe_area')", name="presence"),
        CheckConstraint("change in ('new','same','changed')", name="change"),
        Index("ix_list_line_migrant", "registering_state", "migrant_id"),
    )


class ListDeparture(Base):
    """Who stood on the previous version of a list and stands on this one no more, and why."""

    __tablename__ = "list_departure"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    list_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(String(20))

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "list_id"], ["person_list.registering_state", "person_list.list_id"]
        ),
        Index("ix_list_departure_migrant", "registering_state", "migrant_id"),
    )


class ListRun(Base):
    """That the lists of one post were brought up to one crossing, or looked at again without one. Work is found by
    the absence of this row, never by a high-water mark. A row without a post says that every post which the
    crossing reached has its lists. `news` counts what had been told of the people listed; it grows with each word.
    """

    __tablename__ = "list_run"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    crossing_id: Mapped[uuid.UUID | None] = mapped_column()
    event_id: Mapped[uuid.UUID | None] = mapped_column()
    post_id: Mapped[uuid.UUID | None] = mapped_column()
    news: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("(event_id is null) = (post_id is null)", name="post_of_event"),
        CheckConstraint("crossing_id is not null or post_id is not null", name="subject"),
        Index(
            "uq_list_run_crossing",
            "registering_state",
            "crossing_id",
            unique=True,
            postgresql_where=text("post_id is null"),
        ),
        Index(
            "uq_list_run_post",
            "registering_state",
            "crossing_id",
            "event_id",
            "post_id",
            unique=True,
            postgresql_where=text("crossing_id is not null and post_id is not null"),
        ),
        Index("ix_list_run_latest", "registering_state", "event_id", "post_id", "at"),
    )
