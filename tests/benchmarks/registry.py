"""The registry: whereabouts derived against a bare copy of their rows, people registered against bare inserts."""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import event, text

from geo.coordinates import Position
from micic.posts.models import PostKey
from micic.registry.locations import LocationDraft
from micic.registry.service import ContactDraft, DocumentDraft, NeedDraft, PersonDraft, register_household
from micic.registry.vault import Vault
from micic.registry.whereabouts import derive
from micic.security.crypto import MasterKeys, new_key
from micic.security.principal import Principal, Role
from tests.benchmarks.goals import Goal, Wanted, judge
from tests.benchmarks.ground import NOW, POSTS, SMALL_STATE, STATE, Ground
from tests.benchmarks.timing import Clock, Side, take_turns

# Households of two; a third of the people have been seen, some travel, some are spoken of.
SMALL_WORLD = """
create temporary table home as
select g.number, md5('home ' || g.number)::uuid as household_id, p.post_id
  from generate_series(1, {half}) as g(number)
  join (select post_id, row_number() over (order by post_id) - 1 as turn from consular_post
         where registering_state = '{state}') p on p.turn = g.number % {posts};
create temporary table person as
select g.number, md5('one ' || g.number)::uuid as migrant_id, h.household_id, h.post_id, g.number % 2 = 1 as is_head
  from generate_series(1, 2 * {half}) as g(number) join home h on h.number = (g.number + 1) / 2;
insert into household (registering_state, household_id, keeper_post_id, reference, recorded_at)
select '{state}', household_id, post_id, number, {now} from home;
insert into migrant (registering_state, migrant_id, household_id, keeper_post_id, reference, is_head, relation_to_head,
                     family_name, given_names, name_key, record_origin, basis, confirmed_at, recorded_at)
select '{state}', migrant_id, household_id, post_id, number, is_head, case when is_head then 'self' else 'child' end,
       'Invented', 'Person', 'invented person', 'officer', 'consent', {now}, {now}
  from person;
insert into location (registering_state, location_id, migrant_id, source, position, accuracy_m, radius_class, country,
                      serving_post_id, observed_at, valid_from, valid_until, recorded_at)
select '{state}', md5(p.number || c.source)::uuid, p.migrant_id, c.source,
       st_setsrid(st_makepoint(p.number::int8 * 7919 % 100000 * 0.003 - 150,
                               p.number::int8 * 104729 % 100000 * 0.0009 - 40), 4326),
       500, 2, 'XAA', p.post_id, {now} - c.age, {now} - c.age,
       case c.source when 'trip_leg' then {now} + interval '9 days' end, {now} - c.age
  from person p
  join (values ('residence', interval '40 days', 1, 0), ('check_in', interval '5 hours', 3, 1),
               ('trip_leg', interval '2 days', 20, 3), ('third_party', interval '3 days', 25, 7))
       c(source, age, every, turn) on p.number % c.every = c.turn
 where p.is_head or p.number % 4 <> 2;
analyze household, migrant, location, consular_post
"""


def measure_whereabouts(ground: Ground) -> Iterator[Goal]:
    """Everybody of a State with a twentieth of the people derived from nothing; then one household of them."""
    half = max(ground.scale // 40, 500)
    statement = SMALL_WORLD.format(state=SMALL_STATE, half=half, posts=POSTS, now=f"timestamptz '{NOW.isoformat()}'")
    with ground.connect() as connection:
        for part in statement.split(";\n"):
            connection.execute(part.encode())
    with ground.session(SMALL_STATE, keep=True) as session:
        derived = derive(session, SMALL_STATE)
    ground.superuser(
        f"create table baseline_derived as select * from whereabouts where registering_state = '{SMALL_STATE}'"
        " order by radius_class, cell",
        "grant select on baseline_derived to micic_worker",
        "vacuum analyze baseline_derived",
    )
    yield _derived_anew(ground, derived.persons)
    yield _derived_again(ground, derived.persons)


def _derived_anew(ground: Ground, persons: int) -> Goal:
    ground.superuser(f"delete from whereabouts where registering_state = '{SMALL_STATE}'", "vacuum analyze whereabouts")

    def ours(clock: Clock) -> object:
        with ground.session(SMALL_STATE) as session, clock.measure():
            return derive(session, SMALL_STATE).written

    def copied(clock: Clock) -> object:
        with ground.session(SMALL_STATE) as session, clock.measure():
            return session.execute(text("insert into whereabouts select * from baseline_derived")).rowcount  # type: ignore[attr-defined]

    samples = take_turns(
        {"ours": ours, "copied": copied},
        rounds=ground.rounds(3),
        between=lambda: ground.superuser("vacuum whereabouts"),
        budget_s=30.0,
    )
    found = samples["ours"].found
    return judge(
        "whereabouts",
        f"whereabouts of {persons:,} persons derived ({found:,} rows)",
        "INSERT .. SELECT of the same rows",
        samples["ours"],
        samples["copied"],
        scale=ground.scale,
        agree=found == samples["copied"].found,
    )


def _derived_again(ground: Ground, persons: int) -> Goal:
    """A moved person must not cost what everybody costs."""
    with ground.session(SMALL_STATE, keep=True) as session:
        derive(session, SMALL_STATE)
        some = session.execute(
            text("select migrant_id from migrant where registering_state = :state order by migrant_id limit 20"),
            {"state": SMALL_STATE},
        )
        ids = list(some.scalars())
    ground.superuser("vacuum analyze whereabouts")

    def everybody(clock: Clock) -> object:
        with ground.session(SMALL_STATE) as session, clock.measure():
            return derive(session, SMALL_STATE).written

    def one(clock: Clock) -> object:
        with ground.session(SMALL_STATE) as session:
            for migrant_id in ids:
                with clock.measure():
                    derive(session, SMALL_STATE, [migrant_id])
        clock.seconds /= len(ids)
        return 0

    samples = take_turns({"one": one, "all": everybody}, rounds=ground.rounds(3), budget_s=15.0)
    return judge(
        "whereabouts",
        "whereabouts of one household derived again",
        f"of all {persons:,} persons again",
        samples["one"],
        samples["all"],
        scale=ground.scale,
        agree=samples["all"].found == 0,
    )


# --- registration ---

NEED = "insulin"
HOUSEHOLDS = 60


def measure_registration(ground: Ground) -> Iterator[Goal]:
    """One household after the other through the service, keys and sealing included, each its own transaction."""
    desk = Desk(ground)
    rounds = ground.rounds(5)
    recorded = [desk.record(HOUSEHOLDS) for _ in range(rounds + 1)]
    turns = iter(recorded)

    def ours(clock: Clock) -> object:
        with clock.measure():
            for number in range(HOUSEHOLDS):
                with ground.session(role="micic_app", keep=True) as session:
                    desk.register(session, number)
        return HOUSEHOLDS

    def bare(clock: Clock) -> object:
        with ground.connect("micic_app") as connection:
            households = next(turns)
            with clock.measure():
                for inserts in households:
                    with connection.transaction():
                        connection.execute(desk.context.encode())
                        for statement, values in inserts:
                            connection.execute(statement.encode(), values)
        return HOUSEHOLDS

    sides: dict[str, Side] = {"ours": ours, "bare": bare}
    samples = take_turns(sides, rounds=rounds)
    yield judge(
        "registration",
        f"{HOUSEHOLDS} households registered, one at a time",
        "bare psycopg inserts of the same rows",
        samples["ours"],
        samples["bare"],
        scale=ground.scale,
        wanted=Wanted(at_least=0.5),
        reason="the unit of work of the ORM, keys and sealing, the look-up of the serving post and the audit entry",
    )


class Desk:
    """An officer with a post, and what a family brings."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.master = MasterKeys.parse(MasterKeys.new())
        self.post_id = ground.posts[0]
        self.principal = Principal(STATE, uuid.uuid4(), tuple(ground.posts), frozenset({Role.OFFICER}), "bench")
        posts = ",".join(str(post) for post in ground.posts)
        self.context = f"set local micic.state = '{STATE}'; set local micic.posts = '{posts}'"
        ground.superuser(
            f"insert into need_code (code, tier, names) values ('{NEED}', 2, '{NEED}') on conflict do nothing"
        )
        with ground.session(role="micic_app", keep=True) as session:
            wrapped, key_id = self.master.wrap_post_key(self.post_id, new_key())
            session.add(
                PostKey(registering_state=STATE, post_id=self.post_id, wrapped_key=wrapped, master_key_id=key_id)
            )

    def register(self, session: Any, number: int) -> None:
        """One household of one person, in a vault of its own, as a request does."""
        vault = Vault(session, self.master, STATE)
        register_household(session, self.principal, vault, self.post_id, [_person(number)], now=NOW)

    def record(self, households: int) -> list[list[tuple[str, Any]]]:
        """The inserts by which the service registers, per household; nothing of it is kept."""
        recorded: list[list[tuple[str, Any]]] = []
        engine = self.ground.engine("micic_app")

        def listen(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
            if statement.startswith("INSERT"):
                many = values if isinstance(values, list) else [values]
                recorded[-1].extend((statement, one) for one in many)

        event.listen(engine, "before_cursor_execute", listen)
        try:
            with self.ground.session(role="micic_app") as session:
                for number in range(households):
                    recorded.append([])
                    self.register(session, number)
        finally:
            event.remove(engine, "before_cursor_execute", listen)
        return recorded


def _person(number: int) -> PersonDraft:
    return PersonDraft(
        family_name="Invented",
        given_names=f"Person {number}",
        sex=2,
        born_on=date(1990, 1, 1) + timedelta(days=number),
        nationalities=(STATE,),
        contacts=(
            ContactDraft("email", f"person{number}@invented.example", preferred=True),
            ContactDraft("sms", f"+999 0000 {number:04d}"),
        ),
        documents=(DocumentDraft("passport", STATE, f"X{number:07d}"),),
        needs=(NeedDraft(NEED, "with meals", 2),),
        locations=(LocationDraft("residence", "XAA", Position(lat=10.0, lon=20.0 + number / 1000.0)),),
        consents=(("assistance", "host_authority", True),),
    )
