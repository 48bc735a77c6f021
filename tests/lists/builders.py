"""A small invented State for the tests of lists: two posts, one earthquake, households put where a test wants them.

Writes exposures and whereabouts as the crossing would have left them, as the roles of production, and commits.
"""

import itertools
import string
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from geoalchemy2.shape import from_shape
from shapely.geometry import Point
from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from alerts.models import Event, Feed, Message, Zone
from micic.cluster import SUPERUSER
from micic.exposure.models import Crossing, Exposure, ExposureChange, ExposureCountry
from micic.identifiers import new_id, new_reference
from micic.posts.models import ConsularPost, PostKey, State
from micic.registry.location_models import Location, Whereabouts
from micic.registry.models import (
    Consent,
    ContactPoint,
    Household,
    Migrant,
    Nationality,
    Need,
    NeedCode,
    PersonKey,
    Stay,
    TravelDocument,
)
from micic.registry.vault import Vault
from micic.security.context import set_context
from micic.security.crypto import MasterKeys, new_key, seal, wrap_person_key
from micic.security.principal import Principal, Role
from micic.watch.models import Situation
from tests.conftest import FreshDatabase

HOST = "XAA"
TITLE = "M7.2 near Nowhere"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CODES = map("".join, itertools.product("QZ", string.ascii_uppercase, string.ascii_uppercase))
NEED_TIERS = {"trapped": 1, "insulin": 2, "dialysis": 2, "unaccompanied_minor": 3, "pregnancy": 4, "wheelchair": 4}


@dataclass(frozen=True)
class Someone:
    """A person as a test describes them; defaults are a plain adult inside severity 4 with a passport."""

    family_name: str = "Invented"
    given_names: str = "Person"
    original: str | None = None
    presence: str | None = "inside"
    severity: int = 4
    severity_possible: int | None = None
    served_by: int | None = 0
    born_on: date | None = date(1990, 5, 5)
    needs: tuple[tuple[str, int | None], ...] = ()
    nationalities: tuple[str, ...] = ("UTO",)
    language: str = "en"
    sex: int = 0
    category: str = "national"
    lives_apart: bool = False
    protected: bool = False
    state_of_record: str = "registered"
    refused: tuple[str, ...] = ()
    contacts: tuple[tuple[str, str], ...] = ()
    passport: str | None = "by_holder"
    has_key: bool = True
    source: str = "residence"
    firm: bool = True
    radius_class: int = 2
    hours_old: float = 5
    place: str = "12 Quay Street"
    at: tuple[float, float] = (10.123456, 20.654321)


@dataclass
class World:
    """The State of one test."""

    database: FreshDatabase
    state: str = field(default_factory=lambda: next(CODES))
    master: MasterKeys = field(default_factory=lambda: MasterKeys.parse(MasterKeys.new()))
    posts: list[uuid.UUID] = field(default_factory=lambda: [new_id(), new_id()])
    event_id: uuid.UUID = field(default_factory=new_id)
    zones: dict[str, uuid.UUID] = field(default_factory=dict)
    post_keys: dict[uuid.UUID, bytes] = field(default_factory=dict)
    crisis_cell: uuid.UUID = field(default_factory=new_id)
    approver: uuid.UUID = field(default_factory=new_id)

    # --- who acts ---

    @property
    def system(self) -> Principal:
        return Principal.system(self.state)

    def staff(self, staff_id: uuid.UUID, *roles: Role, post: int = 0) -> Principal:
        posts = (self.posts[post],)
        return Principal(self.state, staff_id, posts, frozenset(roles), f"event:{self.event_id}", "x")

    @property
    def cell(self) -> Principal:
        return self.staff(self.crisis_cell, Role.CRISIS_CELL)

    @property
    def releaser(self) -> Principal:
        return self.staff(self.approver, Role.APPROVER)

    @property
    def staff_of_both(self) -> Principal:
        return self.staff(self.crisis_cell, Role.CRISIS_CELL, Role.APPROVER)

    @property
    def factory(self) -> sessionmaker[Session]:
        return sessionmaker(self.database.engine("micic_worker"), expire_on_commit=False)

    @contextmanager
    def as_(self, principal: Principal) -> Iterator[Session]:
        """A committed transaction as this principal: the worker's role for the system, the application's else."""
        role = "micic_app" if principal.staff_id else "micic_worker"
        with sessionmaker(self.database.engine(role), expire_on_commit=False).begin() as session:
            set_context(session, principal.context())
            yield session

    def vault(self, session: Session) -> Vault:
        return Vault(session, self.master, self.state)

    # --- the ground ---

    def found(self) -> "World":
        """State, posts with keys, need codes, the earthquake with two zones, and the situation."""
        with self.as_(self.system) as session:
            session.add(State(code=self.state, name="Utopia", is_registering=True))
            codes = [{"code": code, "tier": tier, "names": code} for code, tier in NEED_TIERS.items()]
            session.execute(insert(NeedCode).on_conflict_do_nothing(), codes)
            feeds = [{"name": "test", "url": "http://127.0.0.1/", "cadence_s": 60}]
            session.execute(insert(Feed).on_conflict_do_nothing(), feeds)
        with self.as_(self.staff(self.crisis_cell, Role.OPERATOR)) as session:
            for number, post_id in enumerate(self.posts):
                session.add(_post(self.state, post_id, f"Consulate {number}"))
            session.flush()
            for post_id in self.posts:
                self.post_keys[post_id] = new_key()
                wrapped, key_id = self.master.wrap_post_key(post_id, self.post_keys[post_id])
                session.add(
                    PostKey(registering_state=self.state, post_id=post_id, wrapped_key=wrapped, master_key_id=key_id)
                )
        with self.as_(self.system) as session:
            self._shake(session)
        return self

    def _shake(self, session: Session) -> None:
        began = NOW - timedelta(hours=2)
        session.add(Event(event_id=self.event_id, title=TITLE, began_at=began, recorded_at=NOW))
        session.flush()
        message_id = new_id()
        session.add(_message(message_id, self.event_id))
        session.flush()
        for label in ("band", "edge"):
            self.zones[label] = new_id()
            session.add(
                Zone(
                    zone_id=self.zones[label],
                    message_id=message_id,
                    event_id=self.event_id,
                    kind="band",
                    firm=True,
                    basis="native",
                    severity=4,
                    label=f"Shaking {label}",
                    valid_from=began,
                )
            )
        session.add(
            Situation(
                registering_state=self.state,
                event_id=self.event_id,
                public_event_id=self.event_id,
                title=TITLE,
                began_at=began,
                opened_at=NOW,
            )
        )

    def concern(self, *, whole_country: bool = False, severity: int = 3, crossing_id: uuid.UUID | None = None) -> None:
        """The event comes to concern the host country."""
        with self.as_(self.system) as session:
            session.add(
                ExposureCountry(
                    registering_state=self.state,
                    event_id=self.event_id,
                    country=HOST,
                    whole_country=whole_country,
                    severity=severity,
                    began_at=NOW,
                    crossing_id=crossing_id or new_id(),
                )
            )

    # --- people ---

    def settle(self, *people: Someone, keeper: int = 0) -> list[uuid.UUID]:
        """One household, the first its head; its members' ids."""
        with self.as_(self.system) as session:
            return self.settle_in(session, people, keeper=keeper)

    def settle_in(self, session: Session, people: Sequence[Someone], *, keeper: int = 0) -> list[uuid.UUID]:
        """As `settle`, within a transaction."""
        household_id, post_id = new_id(), self.posts[keeper]
        session.add(
            Household(
                registering_state=self.state,
                household_id=household_id,
                keeper_post_id=post_id,
                reference=new_reference(),
                recorded_at=NOW,
            )
        )
        session.flush()
        ids = [new_id() for _ in people]
        for number, (migrant_id, someone) in enumerate(zip(ids, people, strict=True)):
            session.add(_migrant(self.state, migrant_id, household_id, post_id, someone, number == 0))
        session.flush()
        for migrant_id, someone in zip(ids, people, strict=True):
            session.add_all(self._particulars(migrant_id, post_id, someone))
        session.flush()
        return ids

    def _particulars(self, migrant_id: uuid.UUID, post_id: uuid.UUID, someone: Someone) -> list[object]:
        key = new_key()
        wrapped = wrap_person_key(self.post_keys[post_id], migrant_id, key)
        owner: Owner = {"registering_state": self.state, "migrant_id": migrant_id}
        rows: list[object] = [PersonKey(**owner, post_id=post_id, wrapped_key=wrapped)] if someone.has_key else []
        rows += [Nationality(**owner, country=country) for country in someone.nationalities]
        rows += [
            Need(**owner, need_id=new_id(), code=code, days_left=days, opened_at=NOW - timedelta(days=1))
            for code, days in someone.needs
        ]
        rows += [_refusal(owner, recipient) for recipient in someone.refused]
        rows += [_contact(owner, key, channel, address) for channel, address in someone.contacts]
        rows += [_passport(owner, someone.passport)] if someone.passport else []
        return rows + self._place(owner, post_id, someone)

    def _place(self, owner: "Owner", keeper: uuid.UUID, someone: Someone) -> list[object]:
        serving = None if someone.served_by is None else self.posts[someone.served_by]
        position = None if someone.radius_class == 6 else from_shape(Point(*someone.at), srid=4326)
        seen = NOW - timedelta(hours=someone.hours_old)
        stay_id, location_id = new_id(), new_id()
        known = {
            "location_id": location_id,
            "source": someone.source,
            "position": position,
            "radius_class": someone.radius_class,
            "country": HOST,
            "serving_post_id": serving,
            "observed_at": seen,
        }
        rows: list[object] = [
            Stay(**owner, stay_id=stay_id, kind="residence", host_state=HOST, place=someone.place, from_at=seen),
            Location(**owner, **known, stay_id=stay_id, valid_from=seen, recorded_at=seen),
            Whereabouts(**owner, **known, from_at=seen, firm=someone.firm, cell=1, keeper_post_id=keeper),
        ]
        if someone.presence in ("inside", "possible"):
            rows.append(self._exposure(owner, keeper, serving, location_id, someone))
        return rows

    def _exposure(
        self,
        owner: "Owner",
        keeper: uuid.UUID,
        serving: uuid.UUID | None,
        location_id: uuid.UUID,
        someone: Someone,
    ) -> Exposure:
        inside = someone.presence == "inside"
        possible = someone.severity_possible if inside else someone.severity
        return Exposure(
            **owner,
            event_id=self.event_id,
            episode=1,
            presence=someone.presence,
            severity_inside=someone.severity if inside else None,
            severity_possible=possible,
            zone_inside=self.zones["band"] if inside else None,
            zone_possible=None if possible is None else self.zones["edge"],
            location_inside=location_id if inside else None,
            location_possible=None if inside else location_id,
            cell=1,
            country=HOST,
            keeper_post_id=keeper,
            serving_post_id=serving,
            began_at=NOW - timedelta(hours=1),
            crossing_id=new_id(),
            recorded_at=NOW,
        )

    # --- what happens to them ---

    def change(self, statement: str, **parameters: object) -> None:
        """Any statement about the State's rows, as the worker."""
        with self.as_(self.system) as session:
            session.execute(text(statement), {"state": self.state, "event": self.event_id} | parameters)

    def change_as_superuser(self, statement: str) -> None:
        """What nobody of ours may do: the tests of proofs do it."""
        with self.database.engine(SUPERUSER).begin() as connection:
            connection.execute(text(statement))

    def leave_area(self, migrant_id: uuid.UUID) -> None:
        self.change(
            "update exposure set ended_at = now() where registering_state = :state and event_id = :event"
            " and migrant_id = :migrant and ended_at is null",
            migrant=migrant_id,
        )

    def erase(self, migrant_id: uuid.UUID) -> None:
        """As the application does: the person and all that hangs on them, the key with it."""
        with self.as_(self.staff(self.crisis_cell, Role.OFFICER)) as session:
            for table in ("exposure", "whereabouts", "migrant"):
                session.execute(
                    text(f"delete from {table} where registering_state = :state and migrant_id = :migrant"),
                    {"state": self.state, "migrant": migrant_id},
                )

    def cross(self, *migrant_ids: uuid.UUID, cause: str = "message", post: int = 0) -> uuid.UUID:
        """A crossing that noted that these persons entered."""
        crossing_id = new_id()
        event_id = self.event_id if cause in ("message", "declaration", "expiry") else None
        with self.as_(self.system) as session:
            session.add(
                Crossing(
                    registering_state=self.state,
                    crossing_id=crossing_id,
                    cause=cause,
                    cause_id=new_id() if event_id else None,
                    event_id=event_id,
                    at=NOW,
                    recorded_at=NOW,
                    counts={"entered": len(migrant_ids)} if migrant_ids else {},
                )
            )
            session.add_all(
                ExposureChange(
                    registering_state=self.state,
                    event_id=self.event_id,
                    crossing_id=crossing_id,
                    migrant_id=migrant_id,
                    change="entered",
                    cause=cause,
                    presence_after="inside",
                    severity_after=4,
                    keeper_post_id=self.posts[post],
                    serving_post_id=self.posts[post],
                    at=NOW,
                    recorded_at=NOW,
                )
                for migrant_id in migrant_ids
            )
        return crossing_id

    def add_nationality(self, migrant_id: uuid.UUID, country: str) -> None:
        with self.as_(self.system) as session:
            session.add(Nationality(registering_state=self.state, migrant_id=migrant_id, country=country))

    def rewrite(self, migrant_id: uuid.UUID, **values: object) -> None:
        """Change columns of a migrant."""
        with self.as_(self.system) as session:
            session.execute(
                update(Migrant)
                .where(Migrant.registering_state == self.state, Migrant.migrant_id == migrant_id)
                .values(**values)
            )


class Owner(TypedDict):
    """Whose row it is."""

    registering_state: str
    migrant_id: uuid.UUID


def _contact(owner: Owner, key: bytes, channel: str, address: str) -> ContactPoint:
    point_id = new_id()
    return ContactPoint(
        **owner,
        contact_point_id=point_id,
        channel=channel,
        address=seal(key, address.encode(), f"contact_point:{point_id}:address"),
        blind_index=b"x",
        verified_at=NOW,
        recorded_at=NOW,
    )


def _passport(owner: Owner, held: str) -> TravelDocument:
    return TravelDocument(
        **owner,
        document_id=new_id(),
        kind="passport",
        issuing_country="UTO",
        number=b"x",
        blind_index=b"x",
        held=held,
        expires_on=date(2030, 1, 1),
    )


def _refusal(owner: Owner, recipient: str) -> Consent:
    return Consent(
        **owner,
        consent_id=new_id(),
        purpose="sharing",
        recipient_class=recipient,
        given=False,
        text_version="1",
        language="en",
        at=NOW,
    )


def _post(state: str, post_id: uuid.UUID, name: str) -> ConsularPost:
    return ConsularPost(
        registering_state=state,
        post_id=post_id,
        name=name,
        kind="consulate",
        country=HOST,
        position=from_shape(Point(10, 20), srid=4326),
    )


def _message(message_id: uuid.UUID, event_id: uuid.UUID) -> Message:
    return Message(
        message_id=message_id,
        feed="test",
        series="s",
        native_id=str(message_id),
        native_version="1",
        event_id=event_id,
        sender="test",
        kind="alert",
        status="actual",
        title="t",
        verdict="accepted",
        content_sha256=b"x",
        sent_at=NOW,
        valid_from=NOW,
        received_at=NOW,
    )


def _migrant(
    state: str, migrant_id: uuid.UUID, household_id: uuid.UUID, post_id: uuid.UUID, someone: Someone, is_head: bool
) -> Migrant:
    return Migrant(
        registering_state=state,
        migrant_id=migrant_id,
        household_id=household_id,
        keeper_post_id=post_id,
        reference=new_reference(),
        category=someone.category,
        is_head=is_head,
        relation_to_head="self" if is_head else "child",
        family_name=someone.family_name,
        given_names=someone.given_names,
        family_name_original=someone.original,
        name_key=f"{someone.family_name} {someone.given_names}".lower(),
        sex=someone.sex,
        born_on=someone.born_on,
        language=someone.language,
        lives_apart=someone.lives_apart,
        protected=someone.protected,
        state_of_record=someone.state_of_record,
        record_origin="officer",
        basis="consent",
        confirmed_at=NOW,
        recorded_at=NOW,
    )
