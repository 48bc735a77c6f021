"""A believable world for the demo: two registering States, their posts and staff, and people in households.

From a seed: the same seed, number of people and `now` give the same ids, names and places (only keys and nonces are
fresh, and the salt of the passwords). Writes as the roles of production, under forced row-level security.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from micic.audit.models import AuditEntry
from micic.audit.service import record
from micic.demo.chance import Chance
from micic.demo.load import COLUMNS, Member, Rows, Settled, Stage
from micic.demo.particulars import furnish, need_codes
from micic.demo.people import Families, Household, Names
from micic.demo.places import BORDERS, HOSTS, Atlas, load_atlas
from micic.demo.staff import STATES, DemoLogin, FoundedPosts, demo_logins, found_posts
from micic.demo.stays import Trails
from micic.errors import Conflict
from micic.exposure.models import PopulationEstimate
from micic.posts.models import ConsularPost, Staff, State
from micic.registry.location_models import Location, Whereabouts
from micic.registry.models import Household as HouseholdRow
from micic.registry.models import Migrant, NeedCode, Stay
from micic.registry.vault import Vault
from micic.registry.whereabouts import derive
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys
from micic.security.signin import hash_password

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many

MARKER = "demo.world"
DAY = timedelta(days=1)
BATCH = 4_000  # people written at once
KEPT_ELSEWHERE = 0.02  # households whose record another post keeps than the one that serves their home
FILLED = (*COLUMNS, "consular_post", "jurisdiction", "staff", "staff_role")


@dataclass(frozen=True)
class StateSummary:
    """What there is of one registering State, counted in the database."""

    state: str
    posts: int
    staff: int
    households: int
    migrants: int
    stays: int
    locations: int
    whereabouts: int


@dataclass(frozen=True)
class WorldSummary:
    """The world; `was_there` when an earlier run had built it."""

    states: tuple[StateSummary, ...]
    logins: tuple[DemoLogin, ...]
    was_there: bool

    def __str__(self) -> str:
        return (
            f"{self.total('migrants'):,} people in {self.total('households'):,} households,"
            f" {self.total('locations'):,} locations, {self.total('posts')} posts of {len(self.states)} States"
        )

    def total(self, name: str) -> int:
        """The sum of one figure (a field of StateSummary) over the States."""
        return sum(getattr(state, name) for state in self.states)


@dataclass(frozen=True)
class Builder:
    """What the building of every State needs."""

    worker: Engine
    app: Engine
    owner: Engine | None
    master: MasterKeys
    seed: int
    now: datetime
    progress: Progress


def build_world(
    worker: Engine,
    app: Engine,
    master: MasterKeys,
    *,
    seed: int,
    now: datetime,
    password: str,
    migrants: int = 50_000,
    progress: Progress = lambda what, done, total: None,
    owner: Engine | None = None,
    borders: Path = BORDERS,
) -> WorldSummary:
    """Build the world or, where it stands already, count it. Safe to run again after being killed at any point.

    `owner` (optional) analyses the filled tables, without which the first statements plan badly. `progress` is called
    from two threads. Raises Conflict when the database holds a world of another seed or size.
    """
    builder = Builder(worker, app, owner, master, seed, now, progress)
    wanted = {state: migrants * (number + 1) // 2 - migrants * number // 2 for number, state in enumerate(STATES)}
    missing = [state for state in STATES if not _is_built(worker, state, seed, wanted[state])]
    if missing:
        progress("posts", 0, len(missing))
        _add_reference_data(worker)
        _add_posts(builder, missing, password)
        progress("posts", len(missing), len(missing))
        atlas = load_atlas(borders)
        with ThreadPoolExecutor(len(STATES)) as pool:
            for _ in pool.map(lambda state: _build_state(builder, atlas, state, wanted[state]), missing):
                pass
        _analyse(owner, (Whereabouts.__tablename__,))
    states = tuple(_count(worker, state) for state in STATES)
    return WorldSummary(states, demo_logins(), was_there=not missing)


# --- what is there already ---


def _is_built(worker: Engine, state: str, seed: int, migrants: int) -> bool:
    with Session(worker) as session:
        set_context(session, Context(state))
        found = session.execute(
            select(AuditEntry.details).where(AuditEntry.registering_state == state, AuditEntry.action == MARKER)
        ).scalar_one_or_none()
    if found is not None and found != {"seed": seed, "migrants": migrants}:
        raise Conflict(f"There is another demo world in this database: {state}, {found}. Start with a fresh one.")
    return found is not None


def _count(worker: Engine, state: str) -> StateSummary:
    tables = (ConsularPost, Staff, HouseholdRow, Migrant, Stay, Location, Whereabouts)
    with Session(worker) as session:
        set_context(session, Context(state))
        counts = [
            session.execute(select(func.count()).select_from(one).where(one.registering_state == state)).scalar_one()
            for one in tables
        ]
    return StateSummary(state, *counts)


# --- reference data and posts ---


def _add_reference_data(worker: Engine) -> None:
    """The States and the code list of needs, where they are missing."""
    states = [{"code": code, "name": name, "is_registering": True} for code, name in STATES.items()]
    with Session(worker) as session:
        session.execute(insert(State).values(states).on_conflict_do_nothing())
        session.execute(insert(NeedCode).values(need_codes()).on_conflict_do_nothing())
        session.commit()


def _add_posts(builder: Builder, states: list[str], password: str) -> None:
    """Every login of a State has one hash: a hash costs 150 ms, and here they hide nothing."""
    for state in states:
        posts = FoundedPosts(builder.seed, state)
        with Session(builder.app) as session:
            set_context(session, Context(state, tuple(posts.plans), role="operator", purpose="demo"))
            found = session.get(ConsularPost, (state, posts.capital))
        if found is None:
            password_hash = hash_password(password)
            with Session(builder.app) as session:
                set_context(session, Context(state, tuple(posts.plans), role="operator", purpose="demo"))
                found_posts(session, builder.seed, state, builder.master, password_hash)
                session.commit()


# --- the people of one State ---


def _build_state(builder: Builder, atlas: Atlas, state: str, migrants: int) -> None:
    """Load in one transaction, derive and mark in another: whatever is killed in between is made good by a rerun."""
    with Session(builder.worker) as session:
        set_context(session, Context(state))
        is_loaded = session.execute(select(Migrant.migrant_id).limit(1)).first() is not None
        if not is_loaded:
            _load(session, builder, atlas, state, migrants)
        session.commit()
    _analyse(builder.owner, FILLED)
    builder.progress(f"{state}: whereabouts", 0, migrants)
    with Session(builder.worker) as session:
        set_context(session, Context(state))
        derive(session, state)
        marker = {"seed": builder.seed, "migrants": migrants}
        record(session, state, "system", MARKER, now=builder.now, purpose="demo", details=marker)
        session.commit()
    builder.progress(f"{state}: whereabouts", migrants, migrants)


def _analyse(owner: Engine | None, tables: Iterable[str]) -> None:
    if owner is not None:
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"analyze {', '.join(tables)}"))


def _load(session: Session, builder: Builder, atlas: Atlas, state: str, migrants: int) -> None:
    """Make the households one after the other until there are as many people as wanted, and write them."""
    settlers = Settlers(builder.seed, state, builder.now, atlas)
    rows = Rows(state, Vault(session, builder.master, state), settlers.chance, builder.now.date())
    stage = Stage(_driver(session))
    label, waiting = f"{state}: people", 0
    while settlers.settled < migrants:
        household = settlers.settle(migrants - settlers.settled)
        rows.add(household)
        waiting += len(household.members)
        if waiting >= BATCH:
            stage.write(rows.tables)
            builder.progress(label, settlers.settled, migrants)
            waiting = 0
    stage.write(rows.tables)
    session.add_all(_estimates(settlers, state))
    session.flush()
    builder.progress(label, migrants, migrants)


def _driver(session: Session) -> psycopg.Connection[Any]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


class Settlers:
    """Makes the households of one State as they will be written."""

    def __init__(self, seed: int, state: str, now: datetime, atlas: Atlas) -> None:
        self.chance = Chance(f"{seed}:{state}:people")
        self.now, self.hosts = now, HOSTS[state]
        self.posts = FoundedPosts(seed, state)
        self.families = Families(self.chance, Names([seed, list(STATES).index(state)]), state)
        self.trails = Trails(self.chance, atlas, now)
        self.settled = 0
        self.by_country: Counter[str] = Counter()

    def settle(self, at_most: int) -> Settled:
        """The next household, of at most so many people."""
        made = self.families.make(self.chance.pick(self.hosts))
        household = Household(made.kind, made.host, made.people[:at_most])
        registered_at = self.chance.before(self.now, DAY, 1_600 * DAY)
        confirmed_at = self.now - min(self.now - registered_at, 370 * DAY * self.chance.betavariate(1.2, 2.4))
        confirmed_at = max(registered_at, confirmed_at.replace(microsecond=0))
        home, trails = self.trails.of(household, registered_at, confirmed_at)
        self.by_country[household.host] += len(household.people)
        members = []
        for person, trail in zip(household.people, trails, strict=True):
            self.settled += 1
            particulars = furnish(self.chance, person, household, self.settled, confirmed_at, self.now)
            serving = [self.posts.serving_post(claim.country, claim.position) for claim in trail.claims]
            members.append(Member(person, particulars, trail, serving))
        serving_home = self.posts.serving_post(home.town.country, home.position)
        if serving_home is None or self.chance.happens(KEPT_ELSEWHERE):
            serving_home = self.chance.choice(list(self.posts.plans)) if serving_home else self.posts.capital
        return Settled(serving_home, registered_at, confirmed_at, members)


def _estimates(settlers: Settlers, state: str) -> list[PopulationEstimate]:
    """Two estimates for each country, a year apart: registers never hold everybody."""
    chance, this_year = settlers.chance, settlers.now.date().replace(month=1, day=1)
    rows = []
    for country, registered in sorted(settlers.by_country.items()):
        best = _rounded(registered / chance.uniform(0.35, 0.75))
        for as_of, share in ((date(this_year.year - 1, 1, 1), 0.93), (this_year, 1.0)):
            rows.append(
                PopulationEstimate(
                    registering_state=state,
                    estimate_id=chance.new_id(settlers.now),
                    country=country,
                    low=_rounded(best * share * 0.8),
                    best=_rounded(best * share),
                    high=_rounded(best * share * 1.3),
                    source="consular estimate (invented for the demo)",
                    as_of=as_of,
                )
            )
    return rows


def _rounded(number: float) -> int:
    """To two digits, as estimates are told."""
    return int(float(f"{number:.2g}"))
