"""Bulk writing of the demo's people: rows as `micic.registry.service` makes them, by COPY into the database.

COPY cannot write through row-level security, so the rows go to temporary tables and from there by INSERT, which the
policies check. Runs as `micic_worker`, in the caller's transaction and context.
"""

import struct
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
)

from geo.coordinates import Position
from geo.database import Base
from micic.demo.chance import Chance, Weighted
from micic.demo.particulars import Particulars
from micic.demo.people import Person
from micic.demo.stays import PlannedStay, Trail
from micic.registry.locations import LocationDraft
from micic.registry.service import name_key
from micic.registry.vault import Vault
from micic.registry.whereabouts import COUNTRY_CLASS, radius_class
from micic.security.crypto import new_key, seal, wrap_person_key

Row = tuple[Any, ...]
YEAR = timedelta(days=365.25)

# The columns that are written, in the order of the rows below; what is left out has its default.
COLUMNS = {
    "household": "registering_state household_id keeper_post_id reference recorded_at",
    "migrant": "registering_state migrant_id household_id keeper_post_id reference category is_head relation_to_head"
    " family_name given_names family_name_original given_names_original name_key sex born_on language record_origin"
    " basis family_disclosure lives_apart protected state_of_record confirmed_at recorded_at",
    "person_key": "registering_state migrant_id post_id wrapped_key",
    "nationality": "registering_state migrant_id country access_limitation",
    "contact_point": "registering_state contact_point_id migrant_id channel address blind_index preferred"
    " others_read_it verified_at bounced_at recorded_at",
    "travel_document": "registering_state document_id migrant_id kind issuing_country number blind_index expires_on"
    " held",
    "need": "registering_state need_id migrant_id code detail days_left opened_at closed_at",
    "stay": "registering_state stay_id migrant_id kind host_state place address from_at until_at",
    "location": "registering_state location_id migrant_id stay_id source position accuracy_m radius_class country"
    " serving_post_id observed_at valid_from valid_until recorded_at",
    "consent": "registering_state consent_id migrant_id purpose recipient_class given text_version language at",
}
# SQLAlchemy type -> the type whose binary form COPY sends; the first that fits. Shapes go as EWKB.
_WIRE = {Boolean: "bool", SmallInteger: "int2", Integer: "int4", Float: "float8", Date: "date", DateTime: "timestamptz",
         Uuid: "uuid", LargeBinary: "bytea", String: "text"}  # fmt: skip
_EWKB_POINT = struct.Struct("<BIIdd")
_POINT_WITH_SRID, _WGS_84 = 0x20000001, 4326
ORIGINS = Weighted({"self": 0.55, "officer": 0.3, "group": 0.1, "import": 0.05})
BASES = Weighted({"consent": 0.93, "public_task": 0.06, "vital_interest": 0.01})
DISCLOSURES = Weighted({"relay": 0.87, "safe_only": 0.08, "nothing": 0.03, "all": 0.02})
TEXT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Member:
    """One person with everything that is written of them."""

    person: Person
    particulars: Particulars
    trail: Trail
    serving: Sequence[uuid.UUID | None]  # of each claim of the trail


@dataclass(frozen=True, slots=True)
class Settled:
    """A household as it is written; the head first."""

    keeper_post_id: uuid.UUID
    registered_at: datetime
    confirmed_at: datetime
    members: Sequence[Member]


class Rows:
    """The rows of households of one State, sealed, table by table until they are written."""

    def __init__(self, state: str, vault: Vault, chance: Chance, today: date) -> None:
        self.state, self.vault, self.chance, self.today = state, vault, chance, today
        self.tables: dict[str, list[Row]] = {table: [] for table in COLUMNS}

    def add(self, settled: Settled) -> None:
        """Make the rows of a household."""
        household_id = self.chance.new_id(settled.registered_at)
        self._put("household", household_id, settled.keeper_post_id, self.chance.new_reference(),
                  settled.registered_at)  # fmt: skip
        for number, member in enumerate(settled.members):
            self._add_member(settled, household_id, member, is_head=number == 0)

    def _put(self, table: str, *values: Any) -> None:
        self.tables[table].append((self.state, *values))

    def _add_member(self, settled: Settled, household_id: uuid.UUID, member: Member, *, is_head: bool) -> None:
        person, chance, at = member.person, self.chance, settled.registered_at
        migrant_id = chance.new_id(at)
        self._put(
            "migrant", migrant_id, household_id, settled.keeper_post_id, chance.new_reference(), person.category,
            is_head, person.relation, person.family_name, person.given_names, person.family_name_original,
            person.given_names_original, name_key(person.given_names, person.family_name), int(person.sex),
            self.today - person.age * YEAR, person.language, chance.pick(ORIGINS), chance.pick(BASES),
            chance.pick(DISCLOSURES), person.lives_apart, person.protected, person.state_of_record,
            settled.confirmed_at, at,
        )  # fmt: skip
        host = member.trail.host_state
        for country in person.nationalities:
            is_limited = country == host and len(person.nationalities) > 1
            self._put("nationality", migrant_id, country, is_limited)
        key = new_key()
        wrapped = wrap_person_key(self.vault.post_key(settled.keeper_post_id), migrant_id, key)
        self._put("person_key", migrant_id, settled.keeper_post_id, wrapped)
        self._add_particulars(migrant_id, key, person, member.particulars, at)
        for stay in member.trail.stays:
            self._add_stay(migrant_id, key, stay)
        for claim, serving_post_id in zip(member.trail.claims, member.serving, strict=True):
            self._add_location(migrant_id, claim, serving_post_id)

    def _add_particulars(
        self, migrant_id: uuid.UUID, key: bytes, person: Person, found: Particulars, at: datetime
    ) -> None:
        master, state = self.vault.master, self.state
        for contact in found.contacts:
            row_id = self.chance.new_id(at)
            sealed = seal(key, contact.address.encode(), f"contact_point:{row_id}:address")
            index = master.blind_index(state, contact.channel, contact.address)
            self._put("contact_point", row_id, migrant_id, contact.channel, sealed, index, contact.preferred,
                      contact.others_read_it, contact.verified_at, contact.bounced_at, at)  # fmt: skip
        for document in found.documents:
            row_id = self.chance.new_id(at)
            sealed = seal(key, document.number.encode(), f"travel_document:{row_id}:number")
            index = master.blind_index(state, "document", document.issuing_country + document.number)
            self._put("travel_document", row_id, migrant_id, document.kind, document.issuing_country, sealed, index,
                      document.expires_on, document.held)  # fmt: skip
        for need in found.needs:
            row_id = self.chance.new_id(need.opened_at)
            detail = seal(key, need.detail.encode(), f"need:{row_id}:detail") if need.detail else None
            self._put("need", row_id, migrant_id, need.code, detail, need.days_left, need.opened_at, need.closed_at)
        for consent in found.consents:
            self._put("consent", self.chance.new_id(at), migrant_id, consent.purpose, consent.recipient_class,
                      consent.given, TEXT_VERSION, person.language, at)  # fmt: skip

    def _add_stay(self, migrant_id: uuid.UUID, key: bytes, stay: PlannedStay) -> None:
        address = seal(key, stay.address.encode(), f"stay:{stay.stay_id}:address") if stay.address else None
        self._put("stay", stay.stay_id, migrant_id, stay.kind, stay.host_state, stay.place, address, stay.from_at,
                  stay.until_at)  # fmt: skip

    def _add_location(self, migrant_id: uuid.UUID, claim: LocationDraft, serving_post_id: uuid.UUID | None) -> None:
        """As `micic.registry.locations.make_location`; it was heard when it was observed."""
        assert claim.observed_at is not None
        name = COUNTRY_CLASS if claim.position is None else radius_class(claim.accuracy_m)
        self._put(
            "location", self.chance.new_id(claim.observed_at), migrant_id, claim.stay_id, claim.source,
            None if claim.position is None else ewkb(claim.position), claim.accuracy_m, name, claim.country,
            serving_post_id, claim.observed_at, claim.valid_from, claim.valid_until, claim.observed_at,
        )  # fmt: skip


def ewkb(position: Position) -> bytes:
    """A point as PostGIS receives it."""
    return _EWKB_POINT.pack(1, _POINT_WITH_SRID, _WGS_84, position.lon, position.lat)


# --- writing ---


class Stage:
    """Temporary tables of the transaction, through which rows come into the real ones."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        for table, columns in COLUMNS.items():
            connection.execute(
                sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
                    _staged(table), _names(columns), sql.Identifier(table)
                )
            )

    def write(self, tables: dict[str, list[Row]]) -> None:
        """Write all rows, the referenced tables first, and empty the lists."""
        for table, rows in tables.items():
            self._copy(table, rows)
            rows.clear()

    def _copy(self, table: str, rows: Iterable[Row]) -> None:
        columns = COLUMNS[table]
        names, staged = _names(columns), _staged(table)
        with self.connection.cursor() as cursor:
            into = sql.SQL("copy {} ({}) from stdin (format binary)").format(staged, names)
            with cursor.copy(into) as copy:
                copy.set_types(list(_wire_types(Base.metadata.tables[table], columns)))
                for row in rows:
                    copy.write_row(row)
            cursor.execute(
                sql.SQL("insert into {} ({}) select {} from {}").format(sql.Identifier(table), names, names, staged)
            )
            cursor.execute(sql.SQL("truncate {}").format(staged))


def _staged(table: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", f"staged_{table}")


def _names(columns: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in columns.split())


def _wire_types(table: Table, columns: str) -> Iterator[str]:
    for name in columns.split():
        yield _wire_type(table.columns[name])


def _wire_type(column: Column[Any]) -> str:
    return next((wire for kind, wire in _WIRE.items() if isinstance(column.type, kind)), "bytea")
