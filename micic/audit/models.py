"""Tables of the audit: append-only by grants. They hold ids, never a name, a number or a place."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.database import Base


class AuditEntry(Base):
    """One act or one read. A read of a set is one row that names the frozen set or the event."""

    __tablename__ = "audit_entry"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    audit_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(60))
    purpose: Mapped[str | None] = mapped_column(Text)
    subject_kind: Mapped[str | None] = mapped_column(String(40))
    subject_id: Mapped[uuid.UUID | None] = mapped_column()
    post_id: Mapped[uuid.UUID | None] = mapped_column()
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))

    __table_args__ = (
        CheckConstraint("length(action) > 0", name="action"),
        Index("ix_audit_entry_registering_state_subject_id_at", "registering_state", "subject_id", "at"),
        Index("ix_audit_entry_registering_state_at", "registering_state", "at"),
    )


class IdempotencyKey(Base):
    """The stored reply to a POST, so that a repeated request gets the same answer. The body is encrypted."""

    __tablename__ = "idempotency_key"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    principal: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    route: Mapped[str] = mapped_column(Text)
    request_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column()
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
