"""Tables of the registry: households, migrants, and what is known of each.

Every key leads with the tenant, `registering_state`. Phones, e-mails, document numbers and exact addresses are
encrypted with the person's own data key; positions stay plain, because the crossing must read them.
"""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
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
from sqlalchemy.orm import Mapped, mapped_column

from geo.database import Base

Instant = DateTime(timezone=True)
MIGRANT = ["migrant.registering_state", "migrant.migrant_id"]


def migrant_key() -> ForeignKeyConstraint:
    """What hangs on a person goes when the person is erased."""
    return ForeignKeyConstraint(["registering_state", "migrant_id"], MIGRANT, ondelete="CASCADE")


class Household(Base):
    """People who travel and are served together, whatever the nationality of each."""

    __tablename__ = "household"

    registering_state: Mapped[str] = mapped_column(ForeignKey("state.code"), primary_key=True)
    household_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    keeper_post_id: Mapped[uuid.UUID] = mapped_column()
    reference: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("registering_state", "reference"),
        ForeignKeyConstraint(
            ["registering_state", "keeper_post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
        ),
        Index("ix_household_keeper", "registering_state", "keeper_post_id"),
    )


class Migrant(Base):
    """A person on the record: a national abroad, a family member of any nationality, a stateless or entrusted
    person. There is no column for immigration status, and none may be added.
    """

    __tablename__ = "migrant"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    household_id: Mapped[uuid.UUID] = mapped_column()
    keeper_post_id: Mapped[uuid.UUID] = mapped_column()
    reference: Mapped[str] = mapped_column(String(12))
    category: Mapped[str] = mapped_column(String(10), server_default=text("'national'"))
    is_head: Mapped[bool] = mapped_column(server_default=text("false"))
    relation_to_head: Mapped[str] = mapped_column(String(20), server_default=text("'self'"))
    family_name: Mapped[str] = mapped_column(Text)
    given_names: Mapped[str] = mapped_column(Text)
    family_name_original: Mapped[str | None] = mapped_column(Text)
    given_names_original: Mapped[str | None] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    sex: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    born_on: Mapped[date | None] = mapped_column(Date)
    language: Mapped[str] = mapped_column(String(35), server_default=text("'en'"))
    record_origin: Mapped[str] = mapped_column(String(20))
    basis: Mapped[str] = mapped_column(String(20))
    family_disclosure: Mapped[str] = mapped_column(String(20), server_default=text("'relay'"))
    lives_apart: Mapped[bool] = mapped_column(server_default=text("false"))
    protected: Mapped[bool] = mapped_column(server_default=text("false"))
    state_of_record: Mapped[str] = mapped_column(String(12), server_default=text("'registered'"))
    confirmed_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))

    __table_args__ = (
        UniqueConstraint("registering_state", "reference"),
        ForeignKeyConstraint(
            ["registering_state", "household_id"],
            ["household.registering_state", "household.household_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["registering_state", "keeper_post_id"],
            ["consular_post.registering_state", "consular_post.post_id"],
        ),
        CheckConstraint("category in ('national','family','stateless','entrusted')", name="category"),
        CheckConstraint("sex in (0,1,2,9)", name="sex_iso_5218"),
        CheckConstraint("basis in ('consent','vital_interest','public_task')", name="basis"),
        CheckConstraint(
            "record_origin in ('self','officer','group','import','reported','crisis')", name="record_origin"
        ),
        CheckConstraint("family_disclosure in ('nothing','relay','safe_only','all')", name="family_disclosure"),
        CheckConstraint("state_of_record in ('registered','returned','deceased')", name="state_of_record"),
        Index(
            "uq_migrant_one_head",
            "registering_state",
            "household_id",
            unique=True,
            postgresql_where=text("is_head"),
        ),
        Index("ix_migrant_household", "registering_state", "household_id"),
        Index("ix_migrant_keeper", "registering_state", "keeper_post_id"),
        Index("ix_migrant_name_key", "registering_state", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
    )


class PersonKey(Base):
    """A person's data key, wrapped by the post's key. Deleting the row makes every copy unreadable."""

    __tablename__ = "person_key"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    post_id: Mapped[uuid.UUID] = mapped_column()
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (migrant_key(),)


class Nationality(Base):
    """A nationality of a person: none, one or several (ISO 3166-1 alpha-3, or ICAO 9303 XXA, XXB, XXC)."""

    __tablename__ = "nationality"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(3), primary_key=True)
    access_limitation: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (migrant_key(),)


class ContactPoint(Base):
    """How a person can be reached."""

    __tablename__ = "contact_point"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    contact_point_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[bytes] = mapped_column(LargeBinary)
    blind_index: Mapped[bytes] = mapped_column(LargeBinary)
    preferred: Mapped[bool] = mapped_column(server_default=text("false"))
    others_read_it: Mapped[bool] = mapped_column(server_default=text("false"))
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    bounced_at: Mapped[datetime | None] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        migrant_key(),
        CheckConstraint("channel in ('email','sms','phone','whatsapp')", name="channel"),
        Index("ix_contact_point_migrant", "registering_state", "migrant_id"),
        Index("ix_contact_point_blind_index", "registering_state", "blind_index"),
    )


class TravelDocument(Base):
    """A passport or other document: who issued it, until when, and where it is."""

    __tablename__ = "travel_document"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    document_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(20))
    issuing_country: Mapped[str] = mapped_column(String(3))
    number: Mapped[bytes] = mapped_column(LargeBinary)
    blind_index: Mapped[bytes] = mapped_column(LargeBinary)
    expires_on: Mapped[date | None] = mapped_column(Date)
    held: Mapped[str] = mapped_column(String(20), server_default=text("'by_holder'"))

    __table_args__ = (
        migrant_key(),
        CheckConstraint("held in ('by_holder','by_employer','by_authority','confiscated','lost','none')", name="held"),
        Index("ix_travel_document_migrant", "registering_state", "migrant_id"),
        Index("ix_travel_document_blind_index", "registering_state", "blind_index"),
    )


class NeedCode(Base):
    """The code list of needs: what it is called, and which tier of RULES it puts its bearer in."""

    __tablename__ = "need_code"

    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    tier: Mapped[int] = mapped_column(SmallInteger)
    names: Mapped[str] = mapped_column(Text)

    __table_args__ = (CheckConstraint("tier between 1 and 5", name="tier"),)


class Need(Base):
    """What a person needs. Open until a responder or officer closes it."""

    __tablename__ = "need"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    need_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    code: Mapped[str] = mapped_column(ForeignKey("need_code.code"))
    detail: Mapped[bytes | None] = mapped_column(LargeBinary)
    days_left: Mapped[int | None] = mapped_column(SmallInteger)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[uuid.UUID | None] = mapped_column()

    __table_args__ = (migrant_key(), Index("ix_need_migrant", "registering_state", "migrant_id"))


class Stay(Base):
    """A residence, or one leg of a trip."""

    __tablename__ = "stay"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    stay_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(10))
    host_state: Mapped[str] = mapped_column(String(3))
    place: Mapped[str] = mapped_column(Text)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    from_at: Mapped[datetime] = mapped_column(Instant)
    until_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        migrant_key(),
        CheckConstraint("kind in ('residence','trip_leg')", name="kind"),
        CheckConstraint("until_at is null or until_at > from_at", name="order"),
        Index("ix_stay_migrant", "registering_state", "migrant_id"),
    )


class Consent(Base):
    """Consent given or refused, per purpose and class of recipient, with the text that was shown."""

    __tablename__ = "consent"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    consent_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    purpose: Mapped[str] = mapped_column(String(30))
    recipient_class: Mapped[str] = mapped_column(String(30))
    given: Mapped[bool] = mapped_column()
    text_version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(35))
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (migrant_key(), Index("ix_consent_migrant", "registering_state", "migrant_id"))
