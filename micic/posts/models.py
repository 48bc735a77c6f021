"""Tables of States, consular posts, their jurisdictions and staff."""

import uuid
from datetime import datetime

from geoalchemy2 import WKBElement
from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from geo.columns import area, point
from geo.database import Base

Instant = DateTime(timezone=True)


class State(Base):
    """A State, by ISO 3166-1 alpha-3. Reference data."""

    __tablename__ = "state"

    code: Mapped[str] = mapped_column(String(3), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    is_registering: Mapped[bool] = mapped_column(server_default=text("false"))


class ConsularPost(Base):
    """An embassy or consulate of a registering State."""

    __tablename__ = "consular_post"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    post_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(3))
    position: Mapped[WKBElement] = mapped_column(point())
    time_zone: Mapped[str] = mapped_column(Text, server_default=text("'UTC'"))
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{en}'"))
    confirm_interval_days: Mapped[int] = mapped_column(server_default=text("180"))

    __table_args__ = (
        UniqueConstraint("registering_state", "name"),
        CheckConstraint("kind in ('capital','embassy','consulate_general','consulate','honorary')", name="kind"),
    )


class PostKey(Base):
    """The post's key, wrapped by the master key. Destroying the row makes the post's secrets unreadable."""

    __tablename__ = "post_key"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    post_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    master_key_id: Mapped[str] = mapped_column(String(20))

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            ondelete="CASCADE",
        ),
    )


class Jurisdiction(Base):
    """Where a post serves: a country, or a part of it. The smallest part that holds a place serves it."""

    __tablename__ = "jurisdiction"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    jurisdiction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    post_id: Mapped[uuid.UUID] = mapped_column()
    country: Mapped[str] = mapped_column(String(3))
    area: Mapped[WKBElement | None] = mapped_column(area())

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            ondelete="CASCADE",
        ),
        Index("ix_jurisdiction_registering_state_country", "registering_state", "country"),
    )


class Staff(Base):
    """Somebody who works for a registering State."""

    __tablename__ = "staff"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(80))
    display_name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(35), server_default=text("'en'"))
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    failed_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("registering_state", "login"),)


class StaffRole(Base):
    """What somebody may do at one post."""

    __tablename__ = "staff_role"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    post_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)

    __table_args__ = (
        CheckConstraint("role in ('officer','crisis_cell','approver','responder','auditor','operator')", name="role"),
        ForeignKeyConstraint(
            ["registering_state", "staff_id"], ["staff.registering_state", "staff.staff_id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["registering_state", "post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
            ondelete="CASCADE",
        ),
    )


class StaffSession(Base):
    """A sign-in that is open. Only the hash of its token is kept."""

    __tablename__ = "staff_session"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column()
    started_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        ForeignKeyConstraint(
            ["registering_state", "staff_id"], ["staff.registering_state", "staff.staff_id"], ondelete="CASCADE"
        ),
    )
