"""A small invented world for the crossing's properties: one State, two posts, households at awkward places."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from geoalchemy2.shape import from_shape
from shapely.geometry import Point
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geo.coordinates import Position
from micic.identifiers import new_id, new_reference
from micic.posts.models import ConsularPost, State
from micic.registry.location_models import Location, Recross
from micic.registry.models import Household, Migrant
from micic.registry.whereabouts import COUNTRY_CLASS, Claim
from micic.security.context import Context, set_context

STATE = "UTO"
COUNTRY = "XAA"
START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
CONFIRM_INTERVAL = timedelta(days=180)


@dataclass
class Person:
    """What the twin knows of a person."""

    migrant_id: uuid.UUID
    household_id: uuid.UUID
    is_head: bool
    lives_apart: bool
    claims: dict[uuid.UUID, Claim] = field(default_factory=dict)


@dataclass
class World:
    """The people, and the session in which they live."""

    session: Session
    rng: np.random.Generator
    post_id: uuid.UUID
    people: list[Person] = field(default_factory=list)

    def settle(self, count: int, spots: list[tuple[float, float]], now: datetime) -> None:
        """Register `count` persons in households at or near `spots` (lon, lat)."""
        while len(self.people) < count:
            self._settle_household(spots, now)
        self.session.flush()

    def hear(self, person: Person, spots: list[tuple[float, float]], now: datetime) -> None:
        """A new claim about a person, of a random source, perhaps about the past."""
        sources = [
            "check_in",
            "check_in",
            "officer",
            "third_party",
            "trip_leg",
            "residence",
            "detention",
            "jurisdiction",
        ]
        source = str(self.rng.choice(sources))
        observed_at = now - timedelta(hours=float(self.rng.integers(0, 60)))
        until = None
        if source == "trip_leg":
            until = observed_at + timedelta(hours=float(self.rng.integers(1, 200)))
        self._claim(person, source, spots, observed_at, until, now)
        self.ask(person, now)

    def retract(self, person: Person, now: datetime) -> None:
        """Take one claim back."""
        if person.claims:
            location_id = list(person.claims)[int(self.rng.integers(len(person.claims)))]
            row = self.session.get_one(Location, (STATE, location_id))
            row.retracted_at = now
            del person.claims[location_id]
            self.ask(person, now)

    def ask(self, person: Person, now: datetime) -> None:
        """Ask for the person to be crossed anew, as the registry does."""
        self.session.add(
            Recross(
                registering_state=STATE,
                recross_id=new_id(),
                migrant_id=person.migrant_id,
                cause="move",
                requested_at=now,
            )
        )
        self.session.flush()

    def household_of(self, person: Person) -> list[Person]:
        """The members of a person's household."""
        return [other for other in self.people if other.household_id == person.household_id]

    def _settle_household(self, spots: list[tuple[float, float]], now: datetime) -> None:
        household_id = new_id()
        self.session.add(
            Household(
                registering_state=STATE,
                household_id=household_id,
                keeper_post_id=self.post_id,
                reference=new_reference(),
                recorded_at=now,
            )
        )
        self.session.flush()
        for number in range(int(self.rng.integers(1, 5))):
            person = Person(new_id(), household_id, number == 0, bool(self.rng.random() < 0.2))
            self.people.append(person)
            self.session.add(make_migrant(person, self.post_id, now))
            self.session.flush()
            if number == 0 or self.rng.random() < 0.5:
                observed_at = now - timedelta(days=float(self.rng.integers(0, 400)))
                self._claim(person, "residence", spots, observed_at, None, now)
            elif self.rng.random() < 0.3:
                self._claim(person, "jurisdiction", spots, now, None, now)

    def _claim(
        self,
        person: Person,
        source: str,
        spots: list[tuple[float, float]],
        observed_at: datetime,
        until: datetime | None,
        now: datetime,
    ) -> None:
        radius_class = COUNTRY_CLASS if source == "jurisdiction" else int(self.rng.choice([1, 1, 2, 2, 3, 4, 5, 6]))
        position = None if radius_class == COUNTRY_CLASS else self._place(spots)
        claim = Claim(new_id(), source, position, radius_class, COUNTRY, observed_at, observed_at, until)
        person.claims[claim.location_id] = claim
        self.session.add(
            Location(
                registering_state=STATE,
                location_id=claim.location_id,
                migrant_id=person.migrant_id,
                source=source,
                position=None if position is None else from_shape(Point(position.lon, position.lat), srid=4326),
                radius_class=radius_class,
                country=COUNTRY,
                observed_at=observed_at,
                valid_from=observed_at,
                valid_until=until,
                recorded_at=now,
            )
        )

    def _place(self, spots: list[tuple[float, float]]) -> Position:
        """A spot itself (a vertex, a point on an edge or on a cell's corner), or somewhere near one."""
        lon, lat = spots[int(self.rng.integers(len(spots)))]
        if self.rng.random() < 0.5:
            reach = float(self.rng.choice([1e-6, 1e-3, 0.05, 0.5, 2.0]))
            lon, lat = lon + self.rng.normal(0, reach), lat + self.rng.normal(0, reach)
        lon = (lon + 180.0) % 360.0 - 180.0
        return Position(lat=float(np.clip(lat, -90, 90)), lon=float(lon))


def make_migrant(person: Person, post_id: uuid.UUID, now: datetime) -> Migrant:
    return Migrant(
        registering_state=STATE,
        migrant_id=person.migrant_id,
        household_id=person.household_id,
        keeper_post_id=post_id,
        reference=new_reference(),
        is_head=person.is_head,
        relation_to_head="self" if person.is_head else "child",
        lives_apart=person.lives_apart,
        family_name="Invented",
        given_names="Person",
        name_key="invented person",
        record_origin="officer",
        basis="consent",
        confirmed_at=now,
        recorded_at=now,
    )


def found_state(worker: Engine, app: Engine) -> uuid.UUID:
    """A State with one post, committed; the post's id."""
    with Session(worker) as session:
        session.add(State(code=STATE, name="Utopia", is_registering=True))
        session.commit()
    post_id = new_id()
    with Session(app) as session:
        set_context(session, Context(STATE, (post_id,), role="operator"))
        session.add(
            ConsularPost(
                registering_state=STATE,
                post_id=post_id,
                name="Embassy",
                kind="embassy",
                country=COUNTRY,
                position=from_shape(Point(0, 0), srid=4326),
                confirm_interval_days=CONFIRM_INTERVAL.days,
            )
        )
        session.commit()
    return post_id
