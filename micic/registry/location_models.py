"""Tables of where a person is: locations as they were heard, and the whereabouts derived from them."""

import uuid
from datetime import datetime

from geoalchemy2 import WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Float,
    Index,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from geo.columns import point
from geo.database import Base
from micic.registry.models import migrant_key

Instant = DateTime(timezone=True)


class Location(Base):
    """A claim about where a person is. Appended, never overwritten; it may be retracted.

    `observed_at` is when it was true, `valid_from`/`valid_until` the period it is claimed for, `recorded_at` when
    we heard. `radius_class`: 1 = 50 m, 2 = 500 m, 3 = 5 km, 4 = 25 km, 5 = 100 km, 6 = the country.
    """

    __tablename__ = "location"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    location_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    stay_id: Mapped[uuid.UUID | None] = mapped_column()
    source: Mapped[str] = mapped_column(String(12))
    position: Mapped[WKBElement | None] = mapped_column(point())
    cell: Mapped[int | None] = mapped_column(
        BigInteger, Computed("geo_cell(st_x(position), st_y(position))", persisted=True)
    )
    accuracy_m: Mapped[float | None] = mapped_column(Float)
    radius_class: Mapped[int] = mapped_column(SmallInteger)
    country: Mapped[str] = mapped_column(String(3))
    serving_post_id: Mapped[uuid.UUID | None] = mapped_column()
    observed_at: Mapped[datetime] = mapped_column(Instant)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    retracted_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        migrant_key(),
        CheckConstraint("radius_class between 1 and 6", name="radius_class"),
        CheckConstraint("(position is null) = (radius_class = 6)", name="position_unless_country"),
        CheckConstraint("valid_until is null or valid_until > valid_from", name="order"),
        CheckConstraint(
            "source in ('check_in','officer','third_party','detention','vessel','flight','trip_leg','residence',"
            "'jurisdiction')",
            name="source",
        ),
        Index("ix_location_migrant", "registering_state", "migrant_id"),
    )


class Whereabouts(Base):
    """The candidates of each person: where they may be, how sure, from when until when. Derived from `location`
    by one set-based statement; crossing, lists and maps read it and nothing else.

    No foreign key: it is derived, rebuilt in bulk, and erased with the person by name.
    """

    __tablename__ = "whereabouts"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    location_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    from_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    until_at: Mapped[datetime | None] = mapped_column(Instant)
    firm: Mapped[bool] = mapped_column()
    source: Mapped[str] = mapped_column(String(12))
    observed_at: Mapped[datetime] = mapped_column(Instant)
    position: Mapped[WKBElement | None] = mapped_column(point())
    cell: Mapped[int | None] = mapped_column(BigInteger)
    radius_class: Mapped[int] = mapped_column(SmallInteger)
    country: Mapped[str] = mapped_column(String(3))
    keeper_post_id: Mapped[uuid.UUID] = mapped_column()
    serving_post_id: Mapped[uuid.UUID | None] = mapped_column()

    __table_args__ = (
        CheckConstraint("until_at is null or until_at > from_at", name="order"),
        Index("ix_whereabouts_cell", "registering_state", "radius_class", "cell"),
        Index("ix_whereabouts_country", "registering_state", "country"),
        Index("ix_whereabouts_from_at", "registering_state", "from_at"),
        Index("ix_whereabouts_until_at", "registering_state", "until_at"),
    )


class Recross(Base):
    """A person whose locations changed and whose whereabouts and exposures must be made anew. Written in the
    transaction of the change, deleted in that of the crossing.
    """

    __tablename__ = "recross"

    registering_state: Mapped[str] = mapped_column(String(3), primary_key=True)
    recross_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    migrant_id: Mapped[uuid.UUID] = mapped_column()
    cause: Mapped[str] = mapped_column(String(12))
    requested_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("cause in ('move','confirmation','correction','merge')", name="cause"),
        Index("ix_recross_requested_at", "registering_state", "requested_at"),
    )
