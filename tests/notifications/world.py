"""A small State with one post, households and a crossing, written by the roles that write them in production."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session, sessionmaker

from micic.exposure.models import Crossing, Exposure, ExposureChange
from micic.identifiers import new_id, new_reference
from micic.notifications.channels.email import EmailChannel
from micic.notifications.dispatch import Dispatched, dispatch
from micic.notifications.reminders import remind_untold
from micic.notifications.service import (
    RuleDraft,
    add_default_template,
    apply_due_rules,
    approve_rule,
    propose_rule,
)
from micic.posts.models import ConsularPost, PostKey, State
from micic.registry.models import ContactPoint, Household, Migrant, NeedCode, PersonKey
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys, new_key, seal, wrap_person_key
from micic.security.principal import Principal, Role
from micic.watch.models import Situation

STATE = "PHL"
PUBLIC_URL = "https://register.example"
SENDER = "no-reply@crisis.example"
MASTER_TEXT = "k1:" + "A" * 43 + "="
MASTER = MasterKeys.parse(MASTER_TEXT)
TITLE = "M 7.2 - 20 km SW of Istanbul, Türkiye"
NOW = datetime.now(UTC)


@dataclass
class Person:
    """Somebody to be registered; `email` None: no address."""

    email: str | None = None
    language: str = "en"
    lives_apart: bool = False
    protected: bool = False
    born_on: date | None = None
    verified: bool = True
    migrant_id: uuid.UUID = field(default_factory=new_id)
    household_id: uuid.UUID = field(default_factory=new_id)
    is_head: bool = False


@dataclass
class Change:
    """A change of exposure of one person in a crossing."""

    person: Person
    change: str = "entered"
    presence: str = "inside"
    severity: int = 4
    before: int | None = None


class World:
    """One database with one State, whose engines are those of the roles."""

    def __init__(self, engine: Callable[[str], Engine]) -> None:
        self._engine = engine
        self.post_id, self.event_id = new_id(), new_id()
        self.author = self.staff(Role.OFFICER, Role.CRISIS_CELL)
        self.approver = self.staff(Role.APPROVER)
        self._post_key = new_key()
        self._found()

    def staff(self, *roles: Role) -> Principal:
        """Somebody of the post."""
        return Principal(STATE, new_id(), (self.post_id,), frozenset(roles), purpose="exercise of the duty")

    def factory(self, role: str = "micic_worker") -> sessionmaker[Session]:
        return sessionmaker(self._engine(role), expire_on_commit=False)

    @contextmanager
    def session(self, role: str = "micic_worker") -> Iterator[Session]:
        """A transaction of a role, in the context of the State (and of the post, for the app)."""
        with self.factory(role).begin() as session:
            set_context(session, Context(STATE, (self.post_id,), purpose="test"))
            yield session

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        with self.session() as session:
            return list(session.execute(text(statement), parameters).all())

    def value(self, statement: str, **parameters: Any) -> Any:
        return self.rows(statement, **parameters)[0][0]

    def _found(self) -> None:
        with self.session() as session:
            session.add(State(code=STATE, name="Philippines", is_registering=True))
            session.add(NeedCode(code="general_help", tier=4, names="help"))
            session.add(NeedCode(code="insulin", tier=2, names="insulin"))
        wrapped, key_id = MASTER.wrap_post_key(self.post_id, self._post_key)
        with self.session("micic_app") as session:
            session.add(
                ConsularPost(
                    registering_state=STATE,
                    post_id=self.post_id,
                    name="Embassy in Ankara",
                    kind="embassy",
                    country="TUR",
                    position=WKTElement("POINT(32.8 39.9)", srid=4326),
                    time_zone="Europe/Istanbul",
                    languages=["tl", "en"],
                )
            )
            session.flush()
            session.add(
                PostKey(registering_state=STATE, post_id=self.post_id, wrapped_key=wrapped, master_key_id=key_id)
            )
        self.open_situation(self.event_id)

    def open_situation(self, event_id: uuid.UUID, mode: str = "live") -> None:
        with self.session() as session:
            session.add(
                Situation(
                    registering_state=STATE,
                    event_id=event_id,
                    title=TITLE,
                    began_at=NOW - timedelta(hours=1),
                    opened_at=NOW,
                    mode=mode,
                )
            )

    # --- people ---

    def register(self, *members: Person) -> tuple[Person, ...]:
        """A household; the first is its head."""
        self.register_all([members])
        return members

    def register_all(self, households: Sequence[Sequence[Person]]) -> None:
        with self.session() as session:
            for rows in self._rows_of(households):
                if rows:
                    session.execute(insert(rows[0][0]), [values for _, values in rows])

    def _rows_of(self, households: Sequence[Sequence[Person]]) -> Iterator[list[tuple[Any, dict[str, Any]]]]:
        heads = [(members[0], members) for members in households]
        for head, members in heads:
            head.is_head = True
            for person in members:
                person.household_id = head.household_id
        people = [person for members in households for person in members]
        yield [(Household, self._household(head)) for head, _ in heads]
        yield [(Migrant, self._migrant(person)) for person in people]
        keys = {person.migrant_id: new_key() for person in people}
        yield [(PersonKey, self._key(person, keys[person.migrant_id])) for person in people]
        yield [(ContactPoint, self._contact(p, keys[p.migrant_id], p.email)) for p in people if p.email]

    def _household(self, head: Person) -> dict[str, Any]:
        return {
            "registering_state": STATE,
            "household_id": head.household_id,
            "keeper_post_id": self.post_id,
            "reference": new_reference(),
            "recorded_at": NOW,
        }

    def _migrant(self, person: Person) -> dict[str, Any]:
        return {
            "registering_state": STATE,
            "migrant_id": person.migrant_id,
            "household_id": person.household_id,
            "keeper_post_id": self.post_id,
            "reference": new_reference(),
            "family_name": "Canary",
            "given_names": "Name",
            "name_key": "canary name",
            "is_head": person.is_head,
            "born_on": person.born_on,
            "language": person.language,
            "lives_apart": person.lives_apart,
            "protected": person.protected,
            "record_origin": "self",
            "basis": "consent",
            "confirmed_at": NOW,
            "recorded_at": NOW,
        }

    def _key(self, person: Person, key: bytes) -> dict[str, Any]:
        return {
            "registering_state": STATE,
            "migrant_id": person.migrant_id,
            "post_id": self.post_id,
            "wrapped_key": wrap_person_key(self._post_key, person.migrant_id, key),
        }

    def _contact(self, person: Person, key: bytes, email: str) -> dict[str, Any]:
        point = new_id()
        return {
            "registering_state": STATE,
            "contact_point_id": point,
            "migrant_id": person.migrant_id,
            "channel": "email",
            "address": seal(key, email.encode(), f"contact_point:{point}:address"),
            "blind_index": MASTER.blind_index(STATE, "email", email),
            "preferred": True,
            "verified_at": NOW if person.verified else None,
            "recorded_at": NOW,
        }

    def add_address(self, person: Person, email: str, *, preferred: bool = False) -> None:
        """One more address of somebody registered before."""
        with self.session() as session:
            key = Vault(session, MASTER, STATE).person_keys([person.migrant_id])[person.migrant_id]
            session.execute(insert(ContactPoint), self._contact(person, key, email) | {"preferred": preferred})

    # --- exposures ---

    def cross(
        self,
        *changes: Change,
        event_id: uuid.UUID | None = None,
        at: datetime | None = None,
        cause: str = "message",
        cause_id: uuid.UUID | None = None,
    ) -> uuid.UUID:
        """A crossing with these changes, as its statement would write them."""
        event, at, crossing_id = event_id or self.event_id, at or datetime.now(UTC), new_id()
        counts = {one.change: 1 for one in changes}
        with self.session() as session:
            session.add(
                Crossing(
                    registering_state=STATE,
                    crossing_id=crossing_id,
                    cause=cause,
                    cause_id=cause_id or new_id(),
                    event_id=event,
                    at=at,
                    recorded_at=at,
                    counts=counts,
                )
            )
            session.flush()
            known = set(
                session.execute(text("select migrant_id from exposure where event_id = :e"), {"e": event}).scalars()
            )
            opened = [
                self._exposure(one, event, crossing_id, at) for one in changes if one.person.migrant_id not in known
            ]
            if opened:
                session.execute(insert(Exposure), opened)
            for one in changes:
                if one.person.migrant_id in known:
                    self._revise(session, one, event)
            session.execute(
                insert(ExposureChange), [self._change(one, event, crossing_id, at, cause) for one in changes]
            )
        return crossing_id

    def _exposure(self, one: Change, event: uuid.UUID, crossing_id: uuid.UUID, at: datetime) -> dict[str, Any]:
        inside = one.presence == "inside"
        return {
            "registering_state": STATE,
            "event_id": event,
            "migrant_id": one.person.migrant_id,
            "episode": 1,
            "presence": one.presence,
            "severity_inside": one.severity if inside else None,
            "severity_possible": None if inside else one.severity,
            "cell": 0,
            "country": "TUR",
            "keeper_post_id": self.post_id,
            "serving_post_id": self.post_id,
            "began_at": at,
            "crossing_id": crossing_id,
            "recorded_at": at,
        }

    def _revise(self, session: Session, one: Change, event: uuid.UUID) -> None:
        inside = one.presence == "inside"
        session.execute(
            text(
                "update exposure set presence = :presence, severity_inside = :inside, severity_possible = :possible"
                " where event_id = :event and migrant_id = :migrant"
            ),
            {
                "presence": one.presence,
                "inside": one.severity if inside else None,
                "possible": None if inside else one.severity,
                "event": event,
                "migrant": one.person.migrant_id,
            },
        )

    def _change(
        self, one: Change, event: uuid.UUID, crossing_id: uuid.UUID, at: datetime, cause: str
    ) -> dict[str, Any]:
        return {
            "registering_state": STATE,
            "event_id": event,
            "crossing_id": crossing_id,
            "migrant_id": one.person.migrant_id,
            "change": one.change,
            "cause": cause,
            "presence_after": one.presence,
            "severity_before": one.before,
            "severity_after": one.severity,
            "keeper_post_id": self.post_id,
            "serving_post_id": self.post_id,
            "at": at,
            "recorded_at": at,
        }

    # --- sending ---

    def standing_rule(self, *, at: datetime | None = None, **changes: Any) -> uuid.UUID:
        """An approved rule with our own text: inside from 3, possible from 4, unless changed."""
        at = at or datetime.now(UTC)
        with self.session("micic_app") as session:
            template_id = add_default_template(session, self.author, "inform", now=at)
            draft = RuleDraft(**{"name": "Inform", "template_id": template_id, "min_severity_inside": 3,
                                 "min_severity_possible": 4, **changes})  # fmt: skip
            rule_id = propose_rule(session, self.author, draft, now=at).rule_id
        with self.session("micic_app") as session:
            approve_rule(session, self.approver, rule_id, now=at)
        return rule_id

    def apply(self, *, now: datetime | None = None, mode: str = "live", role: str = "micic_worker") -> int:
        return apply_due_rules(self.factory(role), MASTER, STATE, now=now or datetime.now(UTC), mode=mode)

    def dispatch(
        self, channel: Any, *, now: datetime | None = None, limit: int = 1000, budget_s: float | None = None
    ) -> Dispatched:
        at = now or datetime.now(UTC)
        return dispatch(self.factory(), MASTER, STATE, channel, PUBLIC_URL, now=at, limit=limit, budget_s=budget_s)

    def remind(self, *, now: datetime | None = None, mode: str = "live", role: str = "micic_worker") -> int:
        """The sweep for the untold, by default two minutes from now: it leaves a new campaign a minute. What it makes
        is due at once.
        """
        at = now or datetime.now(UTC) + timedelta(minutes=2)
        made = remind_untold(self.factory(role), MASTER, STATE, now=at, mode=mode)
        self.make_due()
        return made

    def make_due(self) -> None:
        """Let back-offs and leases end now."""
        with self.session() as session:
            session.execute(
                text(
                    "update notification set run_at = now() where run_at > now() and run_at < now() + interval '1 year'"
                )
            )

    def statuses(self) -> dict[str, int]:
        return {
            row.status: row.number
            for row in self.rows("select status, count(*) as number from notification group by 1")
        }


def campaign_of(world: World, size: int, **rule: Any) -> None:
    """A rule and a crossing that make one campaign of `size` messages, to p0@mail.example and on."""
    people = [Person(f"p{number}@mail.example") for number in range(size)]
    world.register_all([[person] for person in people])
    world.standing_rule(**rule)
    world.cross(*map(Change, people))
    assert world.apply() == 1


def email_channel(url: str, accepted: Callable[[str], bool | None] | None = None) -> EmailChannel:
    return EmailChannel(url, SENDER, accepted=accepted)


def log_path(folder: Path) -> Path:
    return folder / "mail.jsonl"
