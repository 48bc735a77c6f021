"""A small, believable State in a crisis, made by the real services: for the tests of pages, API and figures.

An earthquake in the Sea of Marmara whose map comes twice (the second moved east), one exercise that was held, an
area declared by the crisis cell, lists, a message, answers. `python -m tests.web.world URL-TEMPLATE` fills a
development database, `{role}` standing for the role.
"""

import json
import random
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

from geoalchemy2 import WKTElement
from shapely.affinity import scale
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from alerts.feed import GeometryBasis, MessageKind, MessageStatus, ParsedMessage, ParsedText, ParsedZone, ZoneKind
from alerts.feeds.usgs.feed import POLICY, SENDER
from alerts.models import Feed, FeedFetch
from alerts.store import store_message
from geo.areas import circle, normalise
from geo.coordinates import Position, destination
from micic.app import AppSettings
from micic.cases.rules import ContactState, Trust, WelfareState
from micic.cases.service import record_contact, record_welfare
from micic.exposure.models import PopulationEstimate
from micic.exposure.service import cross_declaration, cross_message
from micic.geography import countries_touching
from micic.identifiers import new_id
from micic.lists.rules import ListKind
from micic.lists.service import freeze_list
from micic.notifications.channels import Delivery, Outcome, Outgoing
from micic.notifications.dispatch import dispatch
from micic.notifications.models import Notification
from micic.notifications.service import (
    RuleDraft,
    add_default_template,
    apply_due_rules,
    approve_rule,
    propose_rule,
)
from micic.posts.models import ConsularPost, Jurisdiction, PostKey, Staff, StaffRole, State
from micic.registry.locations import LocationDraft
from micic.registry.models import Migrant, NeedCode
from micic.registry.service import ContactDraft, NeedDraft, PersonDraft, register_household
from micic.registry.vault import Vault
from micic.registry.whereabouts import derive
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys, new_key
from micic.security.principal import Principal, Role
from micic.security.signin import hash_password
from micic.watch.service import AreaDraft, declare_area

STATE, OTHER_STATE = "PHL", "NPL"
PASSWORD = "Marmara-1999-kandilli"
MASTER_TEXT = "k1:" + "A" * 43 + "="
MASTER = MasterKeys.parse(MASTER_TEXT)
TITLE = "M 7.2 - Sea of Marmara, 30 km SW of Istanbul"
EPICENTRE = Position(lat=40.82, lon=28.35)

TOWNS = (  # name, lat, lon, share of the people
    ("Istanbul", 41.01, 28.96, 40), ("Esenyurt", 41.03, 28.67, 14), ("Tekirdağ", 40.98, 27.51, 8),
    ("Kocaeli", 40.77, 29.94, 8), ("Bursa", 40.19, 29.06, 12), ("Yalova", 40.65, 29.27, 5),
    ("Ankara", 39.93, 32.86, 8), ("İzmir", 38.42, 27.14, 5),
)  # fmt: skip
NEEDS = {"trapped": 1, "insulin": 2, "water": 3, "general_help": 4, "wheelchair": 4}
FAMILY = ("Santos", "Reyes", "Cruz", "Bautista", "Ocampo", "García", "Mendoza", "Dela Cruz", "Yıldız", "Al-Khatib")
GIVEN = ("Maria", "Jose", "Ana", "Juan", "Grace", "Rosa", "Miguel", "Angel", "Fatima", "Emre")


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


@dataclass
class Catcher:
    """A channel that takes everything, and some of it doubtfully."""

    name: str = "email"
    taken: list[Outgoing] = field(default_factory=list)

    def is_ready(self) -> bool:
        return True

    def send(self, message: Outgoing) -> Delivery:
        self.taken.append(message)
        return Delivery(Outcome.UNCERTAIN if len(self.taken) % 19 == 0 else Outcome.SENT)

    def was_accepted(self, notification_id: uuid.UUID) -> bool | None:
        return None

    def close(self) -> None:
        pass


class CrisisWorld:
    """One database with two States, one event, and people of the first State in it."""

    def __init__(self, engine: Callable[[str], Engine], *, households: int = 60, seed: int = 7) -> None:
        self._engine = engine
        self._chance = random.Random(seed)
        self.now = datetime.now(UTC)
        self.began_at = self.now - timedelta(hours=3)
        self.istanbul, self.ankara, self.kathmandu = new_id(), new_id(), new_id()
        self.event_id = uuid.UUID(int=0)  # until the first alert names it
        self.cell_id, self.approver_id, self.other_id, self.responder_id = (new_id() for _ in range(4))
        self._found()
        self._register(households)
        self._rule()
        self._alerts()
        self._answer()
        self._freeze()
        self._send()

    # --- transactions ---

    def factory(self, role: str) -> sessionmaker[Session]:
        return sessionmaker(self._engine(role), expire_on_commit=False)

    @contextmanager
    def session(self, role: str = "micic_worker", state: str = STATE) -> Iterator[Session]:
        with self.factory(role).begin() as session:
            posts = (self.istanbul, self.ankara) if state == STATE else (self.kathmandu,)
            set_context(session, Context(state, posts, purpose="test"))
            yield session

    @property
    def officer(self) -> Principal:
        roles = frozenset({Role.OFFICER, Role.CRISIS_CELL})
        return Principal(STATE, self.cell_id, (self.istanbul, self.ankara), roles, f"event:{self.event_id}")

    @property
    def approver(self) -> Principal:
        return Principal(STATE, self.approver_id, (self.istanbul, self.ankara), frozenset({Role.APPROVER}), "test")

    # --- States, posts, staff ---

    def _found(self) -> None:
        with self.session() as session:
            for code, name in ((STATE, "Philippines"), (OTHER_STATE, "Nepal"), ("TUR", "Türkiye")):
                session.add(State(code=code, name=name, is_registering=code != "TUR"))
            session.add_all(
                NeedCode(code=code, tier=tier, names=json.dumps({"en": code.replace("_", " ")}))
                for code, tier in NEEDS.items()
            )
            self._feeds(session)
        with self.session("micic_app") as session:
            self._post(session, STATE, self.istanbul, "Istanbul", "consulate_general", "TUR", 41.08, 29.01)
            self._post(session, STATE, self.ankara, "Ankara", "embassy", "TUR", 39.9, 32.86)
            box = "MULTIPOLYGON(((25.5 39.5, 31 39.5, 31 42.5, 25.5 42.5, 25.5 39.5)))"
            for post, area in ((self.istanbul, box), (self.ankara, None)):
                session.add(
                    Jurisdiction(
                        registering_state=STATE, jurisdiction_id=new_id(), post_id=post, country="TUR",
                        area=WKTElement(area, srid=4326) if area else None,
                    )
                )  # fmt: skip
            session.add(
                PopulationEstimate(
                    registering_state=STATE, estimate_id=new_id(), country="TUR", low=600, best=780, high=1100,
                    source="Commission on Filipinos Overseas", as_of=date(2026, 3, 1),
                )
            )  # fmt: skip
            both = (self.istanbul, self.ankara)
            self._staff(session, STATE, self.cell_id, "cell", "Liza Ramos", both, ("officer", "crisis_cell"))
            self._staff(session, STATE, self.approver_id, "approver", "Ramon Aquino", both, ("approver",))
            self._staff(session, STATE, self.responder_id, "responder", "Deniz Kaya", both[:1], ("responder",))
        with self.session("micic_app", OTHER_STATE) as session:
            self._post(session, OTHER_STATE, self.kathmandu, "Kathmandu", "capital", "NPL", 27.7, 85.3)
            self._staff(session, OTHER_STATE, self.other_id, "cell", "Sita Rai", (self.kathmandu,), ("crisis_cell",))

    def _feeds(self, session: Session) -> None:
        for name, heard in (("usgs", self.now - timedelta(seconds=70)), ("cap", self.now - timedelta(hours=5))):
            session.add(
                Feed(name=name, url=f"http://127.0.0.1/{name}", cadence_s=60, polled_at=heard, succeeded_at=heard)
            )
            session.flush()
            session.add(
                FeedFetch(
                    fetch_id=new_id(), feed=name, url=f"http://127.0.0.1/{name}", started_at=heard, ended_at=heard,
                    outcome="ok", status=200, created=1,
                )
            )  # fmt: skip

    def _post(
        self, session: Session, state: str, post: uuid.UUID, name: str, kind: str, country: str, lat: float, lon: float
    ) -> None:
        zone = {"TUR": "Europe/Istanbul", "NPL": "Asia/Kathmandu"}[country]
        session.add(
            ConsularPost(
                registering_state=state, post_id=post, name=name, kind=kind, country=country, time_zone=zone,
                position=WKTElement(f"POINT({lon} {lat})", srid=4326), languages=["en", "ar"],
            )
        )  # fmt: skip
        session.flush()
        wrapped, key_id = MASTER.wrap_post_key(post, new_key())
        session.add(PostKey(registering_state=state, post_id=post, wrapped_key=wrapped, master_key_id=key_id))

    def _staff(
        self,
        session: Session,
        state: str,
        staff_id: uuid.UUID,
        login: str,
        name: str,
        posts: tuple[uuid.UUID, ...],
        roles: tuple[str, ...],
    ) -> None:
        session.add(
            Staff(
                registering_state=state, staff_id=staff_id, login=login, display_name=name,
                password_hash=_password_hash(),
            )
        )  # fmt: skip
        session.flush()
        session.add_all(
            StaffRole(registering_state=state, staff_id=staff_id, post_id=post, role=role)
            for post in posts
            for role in roles
        )

    # --- people ---

    def _register(self, households: int) -> None:
        with self.session("micic_app") as session:
            vault = Vault(session, MASTER, STATE)
            for number in range(households):
                town = self._chance.choices(TOWNS, [share for *_, share in TOWNS])[0]
                post = self.ankara if town[0] in ("Ankara", "İzmir") else self.istanbul
                register_household(session, self.officer, vault, post, self._household(number, town), now=self.now)
        with self.session() as session:
            session.execute(text("delete from recross where registering_state = :s"), {"s": STATE})
            derive(session, STATE)

    def _household(self, number: int, town: tuple[str, float, float, int]) -> list[PersonDraft]:
        _, lat, lon, _ = town
        home = destination(Position(lat=lat, lon=lon), self._chance.uniform(0, 360), self._chance.uniform(0, 14_000))
        where = self._location(home)
        family = self._chance.choice(FAMILY)
        people = []
        for member in range(self._chance.choice((1, 1, 2, 3, 4))):
            needs = (NeedDraft("insulin", "two vials", days_left=2),) if self._chance.random() < 0.06 else ()
            people.append(
                PersonDraft(
                    family_name=family,
                    given_names=self._chance.choice(GIVEN),
                    family_name_original="الخطيب" if family == "Al-Khatib" else None,
                    sex=self._chance.choice((1, 2)),
                    born_on=date(self._chance.randint(1945, 2020), 5, 17),
                    nationalities=(STATE,),
                    relation_to_head="self" if member == 0 else "family",
                    language="ar" if family == "Al-Khatib" else "en",
                    contacts=self._contacts(number, member),
                    needs=needs,
                    locations=(where,),
                )
            )
        return people

    def _location(self, home: Position) -> LocationDraft:
        draw = self._chance.random()
        if draw < 0.08:
            return LocationDraft("jurisdiction", "TUR", observed_at=self.now - timedelta(days=30))
        if draw < 0.3:
            seen = self.now - timedelta(hours=self._chance.uniform(0.2, 20))
            return LocationDraft("check_in", "TUR", home, 200.0, observed_at=seen)
        seen = self.now - timedelta(days=self._chance.choice((2, 12, 60, 150, 300)))
        return LocationDraft("residence", "TUR", home, self._chance.choice((100.0, 400.0, 4_000.0)), observed_at=seen)

    def _contacts(self, number: int, member: int) -> tuple[ContactDraft, ...]:
        if member or self._chance.random() < 0.12:
            return ()
        verified = self.now - timedelta(days=9) if self._chance.random() < 0.85 else None
        return (ContactDraft("email", f"person{number}@example.org", preferred=True, verified_at=verified),)

    # --- the crisis ---

    def _alerts(self) -> None:
        first = self._store(1, self._bands(0.0), self.began_at + timedelta(minutes=12))
        self.event_id = first
        self._store(2, self._bands(0.45), self.began_at + timedelta(minutes=95), kind=MessageKind.UPDATE)
        self._store(1, (), self.now - timedelta(minutes=30), status=MessageStatus.EXERCISE, native_id="drill")
        declared_at = self.now - timedelta(minutes=20)
        with self.session("micic_app") as session:
            area = normalise(circle(Position(lat=40.99, lon=28.85), 9_000.0))
            draft = AreaDraft("European shore, Avcılar to Bakırköy", "Tsunami run-up reported", area, 4, ("TUR",))
            self.area_id = declare_area(session, self.officer, self.event_id, draft, now=declared_at).area_id
        with self.session() as session:
            cross_declaration(session, STATE, self.event_id, "declaration", self.area_id, now=declared_at)

    def _bands(self, east: float) -> tuple[ParsedZone, ...]:
        middle = Position(lat=EPICENTRE.lat, lon=EPICENTRE.lon + east)
        zones = []
        for mmi, radius_m, severity in ((5, 170_000.0, 1), (6, 105_000.0, 2), (7, 64_000.0, 3), (8, 34_000.0, 4)):
            area: BaseGeometry = normalise(scale(circle(middle, radius_m), 1.35, 0.8))
            zones.append(
                ParsedZone(
                    ZoneKind.BAND, area, GeometryBasis.NATIVE, self.began_at,
                    self.began_at + timedelta(days=14), severity=severity,
                    native_severity=f"mmi:{mmi}", band=(float(mmi), None), band_unit="mmi", label=f"MMI {mmi} and more",
                )
            )  # fmt: skip
        return tuple(zones)

    def _store(
        self,
        version: int,
        zones: tuple[ParsedZone, ...],
        at: datetime,
        *,
        kind: MessageKind = MessageKind.ALERT,
        status: MessageStatus = MessageStatus.ACTUAL,
        native_id: str = "us7000marm",
    ) -> uuid.UUID:
        title = TITLE if status is MessageStatus.ACTUAL else "EXERCISE Earthquake M 6.1 near Bolu"
        message = ParsedMessage(
            feed="usgs" if zones else "cap", series=native_id, native_id=native_id, native_version=f"{version:04d}",
            sender=SENDER, sent_at=at, kind=kind, status=status, title=title, valid_from=self.began_at,
            valid_until=self.began_at + timedelta(days=14),
            event_at=self.began_at, aliases=(("usgs", native_id),), hazards=(("EM-DAT", "nat-geo-ear"),),
            severity=4 if zones else None, texts=(ParsedText("en", title, "", ""),), zones=zones,
        )  # fmt: skip
        with self.session() as session:
            stored = store_message(
                session, message, (), policy=POLICY, countries_touching=countries_touching, make_id=new_id, now=at
            )
            assert (stored.verdict == "accepted") == bool(zones)
        if zones:
            with self.session() as session:
                cross_message(session, STATE, stored.message_id, now=at)
        return stored.event_id

    def _answer(self) -> None:
        with self.session("micic_app") as session:
            people = session.execute(select(Migrant.migrant_id).order_by(Migrant.migrant_id)).scalars().all()
            for migrant_id in people:
                draw = self._chance.random()
                if draw > 0.45:
                    continue
                state = WelfareState.NEED if draw < 0.07 else WelfareState.SAFE
                at = self.now - timedelta(minutes=self._chance.randint(5, 90))
                told = {"source": "self", "trust": Trust.TOKEN, "source_at": at, "now": at}
                record_contact(session, self.officer, self.event_id, migrant_id, ContactState.ANSWERED, **told)  # type: ignore[arg-type]
                record_welfare(session, self.officer, self.event_id, migrant_id, state, **told)  # type: ignore[arg-type]

    def _freeze(self) -> None:
        for kind, minutes in ((ListKind.ASSISTANCE, 60), (ListKind.EVACUATION, 15)):
            with self.session("micic_app") as session:
                vault = Vault(session, MASTER, STATE)
                at = self.now - timedelta(minutes=minutes)
                frozen = freeze_list(session, self.officer, vault, self.event_id, self.istanbul, kind, now=at)
                self.list_id = frozen.list_id

    def _rule(self) -> None:
        at = self.began_at - timedelta(days=20)
        with self.session("micic_app") as session:
            template = add_default_template(session, self.officer, "inform", now=at)
            draft = RuleDraft("Earthquake: are you safe?", template, min_severity_inside=2, min_severity_possible=3)
            rule = propose_rule(session, self.officer, draft, now=at).rule_id
        with self.session("micic_app") as session:
            approve_rule(session, self.approver, rule, now=at)

    def _send(self) -> None:
        at = self.now - timedelta(minutes=10)
        sessions = self.factory("micic_worker")
        apply_due_rules(sessions, MASTER, STATE, now=at)
        self.mail = Catcher()
        dispatch(sessions, MASTER, STATE, self.mail, "http://127.0.0.1:8000", now=at, limit=60)

    def link_token(self, language: str = "en") -> str:
        """The token of one message that was written in this language."""
        with self.session() as session:
            found = session.execute(
                select(Notification.notification_id).where(Notification.language == language).limit(1)
            ).scalar_one()
        return self.link_of(found)

    def link_of(self, notification_id: uuid.UUID) -> str:
        """The token of one message."""
        return MASTER.link_token(STATE, notification_id)

    # --- the application ---

    def settings(self, url: Callable[[str], str], public_url: str = "http://127.0.0.1:8000") -> AppSettings:
        return AppSettings(url("micic_app"), url("micic_public"), MASTER, public_url)


if __name__ == "__main__":
    template = sys.argv[1]
    made = CrisisWorld(lambda role: create_engine(template.replace("{role}", role)), households=int(sys.argv[2]))
    print("event", made.event_id)
    print("tokens", made.link_token("en"), made.link_token("ar"))
