"""Tables of sending: rules and templates approved by two, campaigns, the outbox, and the answers."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.database import Base

Instant = DateTime(timezone=True)
MODE = "mode in ('live','exercise')"


class MessageTemplate(Base):
    """A text that may be sent, one row per language. Never changed: a new wording is a new template."""

    __tablename__ = "message_template"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    template_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(String(35), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)


class MessageRule(Base):
    """A standing rule: who is informed, at once, when an event reaches them. Approved beforehand by another
    person than its author. Only *inform*: a message that asks people to move is never automatic.
    """

    __tablename__ = "message_rule"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    rule_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    template_id: Mapped[uuid.UUID] = mapped_column()
    act: Mapped[str] = mapped_column(String(10), server_default=text("'inform'"))
    min_severity_inside: Mapped[int] = mapped_column(SmallInteger)
    min_severity_possible: Mapped[int | None] = mapped_column(SmallInteger)
    channel: Mapped[str] = mapped_column(String(10), server_default=text("'email'"))
    expires_after_s: Mapped[int] = mapped_column(Integer, server_default=text("86400"))
    max_recipients: Mapped[int] = mapped_column(Integer, server_default=text("50000"))
    proposed_by: Mapped[uuid.UUID] = mapped_column()
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    approved_by: Mapped[uuid.UUID | None] = mapped_column()
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("act = 'inform'", name="inform_only"),
        CheckConstraint("approved_by is null or approved_by <> proposed_by", name="four_eyes"),
    )


class Campaign(Base):
    """One approved text for one audience. A rule makes one campaign per event and crossing."""

    __tablename__ = "campaign"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    campaign_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    mode: Mapped[str] = mapped_column(String(8))
    event_id: Mapped[uuid.UUID] = mapped_column()
    rule_id: Mapped[uuid.UUID | None] = mapped_column()
    crossing_id: Mapped[uuid.UUID | None] = mapped_column()
    template_id: Mapped[uuid.UUID] = mapped_column()
    status: Mapped[str] = mapped_column(String(16))
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    drafted_at: Mapped[datetime] = mapped_column(Instant)
    drafted_by: Mapped[uuid.UUID | None] = mapped_column()
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    approved_by: Mapped[uuid.UUID | None] = mapped_column()
    recipients: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    unreachable: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (
        UniqueConstraint("registering_state", "campaign_id", "mode"),
        UniqueConstraint("registering_state", "rule_id", "event_id", "crossing_id"),
        CheckConstraint(MODE, name="mode"),
        CheckConstraint(
            "status in ('draft','pending_approval','approved','sending','paused','stopped','done')", name="status"
        ),
        CheckConstraint("drafted_by is null or approved_by is null or approved_by <> drafted_by", name="four_eyes"),
        ForeignKeyConstraint(["registering_state", "event_id"], ["situation.registering_state", "situation.event_id"]),
    )


class Notification(Base):
    """The outbox: one message to one person by one channel. Address and text are encrypted with the person's
    key. Unique per campaign, person, channel and revision: the guard against sending twice.
    """

    __tablename__ = "notification"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    notification_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[uuid.UUID] = mapped_column()
    mode: Mapped[str] = mapped_column(String(8))
    event_id: Mapped[uuid.UUID] = mapped_column()
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    household_id: Mapped[uuid.UUID] = mapped_column()
    channel: Mapped[str] = mapped_column(String(10))
    revision: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    contact_point_id: Mapped[uuid.UUID] = mapped_column()
    language: Mapped[str] = mapped_column(String(35))
    status: Mapped[str] = mapped_column(String(20), server_default=text("'created'"))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    keeper_post_id: Mapped[uuid.UUID] = mapped_column()
    serving_post_id: Mapped[uuid.UUID | None] = mapped_column()
    run_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    handed_over_at: Mapped[datetime | None] = mapped_column(Instant)
    provider_reference: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (
        UniqueConstraint("registering_state", "campaign_id", "migrant_id", "channel", "revision"),
        ForeignKeyConstraint(
            ["registering_state", "campaign_id", "mode"],
            ["campaign.registering_state", "campaign.campaign_id", "campaign.mode"],
        ),
        CheckConstraint(MODE, name="mode"),
        CheckConstraint(
            "status in ('created','sending','sent','delivered','uncertain','temporary_failure',"
            "'permanent_failure','expired','stopped')",
            name="status",
        ),
        Index(
            "ix_notification_due",
            "registering_state",
            "run_at",
            "notification_id",
            postgresql_where=text("status in ('created','sending','uncertain','temporary_failure')"),
        ),
        Index("ix_notification_event", "registering_state", "event_id"),
        Index("ix_notification_migrant", "registering_state", "migrant_id"),
    )


class DeliveryAttempt(Base):
    """One try to hand a notification over, written before the line is dialled and completed after."""

    __tablename__ = "delivery_attempt"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    notification_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(20))
    detail: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "notification_id"],
            ["notification.registering_state", "notification.notification_id"],
            ondelete="CASCADE",
        ),
    )


class AnswerLink(Base):
    """A check-in link: only the hash of its token is kept. The public role reads the one row whose hash it
    shows, and nothing in it names a person.
    """

    __tablename__ = "answer_link"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    notification_id: Mapped[uuid.UUID] = mapped_column()
    event_title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(35))
    household_size: Mapped[int] = mapped_column(SmallInteger)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "notification_id"],
            ["notification.registering_state", "notification.notification_id"],
            ondelete="CASCADE",
        ),
        Index("ix_answer_link_notification", "registering_state", "notification_id"),
    )


class Reply(Base):
    """An answer as it came in. The public role may only insert it; the worker takes it up."""

    __tablename__ = "reply"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    reply_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    submission_key: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(String(10))
    covers: Mapped[str] = mapped_column(String(10))
    needs: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    reference: Mapped[str] = mapped_column(String(12))
    received_at: Mapped[datetime] = mapped_column(Instant)
    taken_up_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        UniqueConstraint("registering_state", "token_hash", "submission_key"),
        CheckConstraint("answer in ('safe','need_help')", name="answer"),
        CheckConstraint("covers in ('me','household')", name="covers"),
        CheckConstraint("array_length(needs, 1) is null or array_length(needs, 1) <= 12", name="needs"),
        Index("ix_reply_waiting", "registering_state", "received_at", postgresql_where=text("taken_up_at is null")),
    )
