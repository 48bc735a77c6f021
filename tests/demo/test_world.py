"""The demo world: the same from the same seed, whole, at real places, sealed, and safe to build again."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geo.coordinates import Position, distance_m
from geo.places import CountryIndex, load_countries, load_places
from micic.cluster import OWNER, Cluster
from micic.demo import world
from micic.demo.places import BORDERS, SMALLEST_TOWN
from micic.demo.staff import STATES
from micic.demo.world import WorldSummary, build_world
from micic.errors import Conflict
from micic.identifiers import is_reference
from micic.posts.signin import find_credentials
from micic.registry.locations import find_serving_post
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys, open_sealed
from micic.security.signin import password_fits
from tests.conftest import TEMPLATE, FreshDatabase

pytestmark = pytest.mark.xdist_group("world")  # one build serves all

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
PASSWORD = "an open secret"
MASTER = MasterKeys.parse(MasterKeys.new())
FARTHEST_M = 60_000.0
SEALED = {  # table -> (id, sealed column)
    "contact_point": ("contact_point_id", "address"),
    "travel_document": ("document_id", "number"),
    "need": ("need_id", "detail"),
    "stay": ("stay_id", "address"),
}


def build(database: FreshDatabase, migrants: int = 400, seed: int = 7) -> WorldSummary:
    return build_world(
        database.engine("micic_worker"),
        database.engine("micic_app"),
        MASTER,
        seed=seed,
        migrants=migrants,
        now=NOW,
        password=PASSWORD,
        owner=database.engine(OWNER),
    )


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[FreshDatabase]:
    name = f"micic_world_{uuid.uuid4().hex[:12]}"
    cluster.create_database(name, template=TEMPLATE)
    made = FreshDatabase(cluster, name)
    yield made
    made.dispose()
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def built(database: FreshDatabase) -> WorldSummary:
    return build(database)


@pytest.fixture
def everything(database: FreshDatabase, built: WorldSummary) -> Engine:
    """Reads past row-level security, as a backup does."""
    return database.engine("micic_backup")


def rows(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)))


def count(engine: Engine, query: str) -> int:
    return int(rows(engine, f"select count(*) from {query}")[0][0])


# --- the same from the same seed ---

ALIKE = {
    "household": "household_id, keeper_post_id, reference, recorded_at",
    "migrant": "migrant_id, household_id, reference, family_name, given_names_original, sex, born_on, language,"
    " confirmed_at",
    "nationality": "migrant_id, country, access_limitation",
    "contact_point": "contact_point_id, channel, blind_index, verified_at",
    "travel_document": "document_id, blind_index, expires_on",
    "need": "need_id, code, days_left, opened_at",
    "stay": "stay_id, place, from_at, until_at",
    "location": "location_id, migrant_id, source, st_astext(position), radius_class, serving_post_id, observed_at",
    "consent": "consent_id, given",
    "jurisdiction": "jurisdiction_id, post_id, country, st_astext(area)",
    "staff": "staff_id, login, display_name",
    "population_estimate": "estimate_id, country, best",
    "whereabouts": "migrant_id, location_id, from_at, until_at, firm, source, cell",
}


def test_the_same_seed_gives_the_same_world(everything: Engine, fresh_database: FreshDatabase) -> None:
    build(fresh_database)
    again = fresh_database.engine("micic_backup")
    for table, columns in ALIKE.items():
        query = f"select {columns} from {table}"
        assert sorted(map(repr, rows(everything, query))) == sorted(map(repr, rows(again, query))), table
    wrapped = "select wrapped_key from person_key"
    assert not set(rows(everything, wrapped)) & set(rows(again, wrapped)), "keys are never from the seed"


def test_it_is_built_once(database: FreshDatabase, built: WorldSummary) -> None:
    began = time.monotonic()
    again = build(database)
    assert (built.was_there, again.was_there) == (False, True)
    assert again.states == built.states
    assert time.monotonic() - began < 2
    with pytest.raises(Conflict):
        build(database, seed=8)


def test_a_killed_build_is_made_good(fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(session: Session, state: str) -> None:
        raise KeyboardInterrupt(state)

    with monkeypatch.context() as patch:
        patch.setattr(world, "derive", killed)
        with pytest.raises(KeyboardInterrupt):
            build(fresh_database, migrants=60)
    made = build(fresh_database, migrants=60)
    assert not made.was_there
    assert made.total("migrants") == 60
    assert all(state.whereabouts > 0 for state in made.states)
    assert made.total("staff") == made.total("posts") * 4


# --- whole ---


def test_it_has_two_states_many_posts_and_as_many_people_as_asked_for(built: WorldSummary) -> None:
    assert [state.state for state in built.states] == list(STATES)
    assert built.total("posts") >= 9
    assert [state.migrants for state in built.states] == [200, 200]
    assert built.total("locations") > 300
    assert len(built.logins) == built.total("staff")
    assert str(built).startswith("400 people in ")


def test_every_household_has_one_head_and_belongs_together(everything: Engine) -> None:
    heads = "select household_id from migrant group by 1 having count(*) filter (where is_head) <> 1"
    assert rows(everything, heads) == []
    assert count(everything, "migrant where is_head <> (relation_to_head = 'self')") == 0
    assert count(everything, "household where household_id not in (select household_id from migrant)") == 0
    kept_apart = "migrant m join household h using (household_id) where m.keeper_post_id <> h.keeper_post_id"
    assert count(everything, kept_apart) == 0


def test_people_are_of_several_nations_languages_scripts_and_needs(everything: Engine) -> None:
    assert count(everything, "(select distinct country from nationality) n") >= 5
    assert count(everything, "(select distinct language from migrant) l") >= 5
    assert count(everything, "migrant where category = 'family'") > 0
    assert count(everything, "migrant where family_name_original ~ '[\u0600-\u06ff]'") > 50
    assert count(everything, "need join need_code using (code) where tier < 5") > 0
    own = "select migrant_id from nationality where country = registering_state"
    assert count(everything, f"migrant where category = 'national' and migrant_id not in ({own})") == 0


def test_ids_and_references_are_as_the_product_makes_them(everything: Engine) -> None:
    ids = [row[0] for row in rows(everything, "select migrant_id from migrant union select location_id from location")]
    assert {one.version for one in ids} == {7}
    assert max(one.int >> 80 for one in ids) <= NOW.timestamp() * 1000
    references = [row[0] for row in rows(everything, "select reference from migrant union all"
                                                     " select reference from household")]  # fmt: skip
    assert all(is_reference(reference) for reference in references)
    assert len(set(references)) == len(references)


def test_coverage_can_be_shown_for_every_country_where_people_live(everything: Engine) -> None:
    unknown = rows(everything, "select registering_state, host_state from stay where kind = 'residence' except"
                               " select registering_state, country from population_estimate")  # fmt: skip
    assert unknown == []


# --- where ---


def test_people_are_near_the_place_they_name(everything: Engine) -> None:
    named: dict[str, list[Position]] = {}
    for place in load_places(SMALLEST_TOWN):
        named.setdefault(place.name, []).append(place.position)
    found = rows(everything, "select s.place, st_x(l.position), st_y(l.position) from location l join stay s"
                             " using (registering_state, stay_id) where l.position is not null")  # fmt: skip
    assert len(found) > 250
    for place, lon, lat in found:
        assert min(distance_m(Position(lat, lon), centre) for centre in named[place]) < FARTHEST_M, place


def test_the_country_is_that_of_the_position(everything: Engine) -> None:
    found = rows(everything, "select st_x(position), st_y(position), country from location where position is not null")
    lon, lat, country = zip(*found, strict=True)
    index = CountryIndex(load_countries(BORDERS, codes={}))
    alpha_2 = {"TUR": "TR", "GRC": "GR", "ITA": "IT", "ESP": "ES", "FRA": "FR", "SAU": "SA", "ARE": "AE", "CYP": "CY",
               "BGR": "BG"}  # fmt: skip
    drawn = index.countries_at(np.array(lon), np.array(lat))
    differing = [code for code, at in zip(country, drawn, strict=True) if alpha_2[code] != at]
    assert len(differing) <= len(found) // 100, "only towns on a border that the drawn line leaves outside"


def test_many_people_are_where_the_earth_will_shake(everything: Engine) -> None:
    shaken = "location where country = 'TUR' and st_within(position, st_makeenvelope(26, 39.9, 31, 41.6, 4326))"
    assert count(everything, shaken) > 30


@pytest.mark.parametrize("state", STATES)
def test_the_serving_post_is_what_the_registry_finds(database: FreshDatabase, built: WorldSummary, state: str) -> None:
    with Session(database.engine("micic_worker")) as session:
        set_context(session, Context(state))
        sample = session.execute(
            text("select country, st_x(position), st_y(position), serving_post_id from location order by location_id")
        ).all()
        for country, lon, lat, serving_post_id in sample:
            position = None if lon is None else Position(lat, lon)
            assert find_serving_post(session, state, country, position) == serving_post_id
        assert len({row.serving_post_id for row in sample}) >= 6, "and most posts serve somebody"


# --- sealed ---


def secrets_of(session: Session, state: str) -> list[tuple[str, uuid.UUID, str]]:
    """(table, row's id, plaintext) of all that is sealed."""
    vault, found = Vault(session, MASTER, state), []
    keys = vault.person_keys(session.execute(text("select migrant_id from migrant")).scalars())
    for table, (row_id, column) in SEALED.items():
        query = f"select {row_id}, migrant_id, {column} from {table} where {column} is not null"
        for one, migrant_id, sealed in session.execute(text(query)):
            plain = open_sealed(keys[migrant_id], bytes(sealed), f"{table}:{one}:{column}")
            found.append((table, one, plain.decode()))
    return found


@pytest.mark.parametrize("state", STATES)
def test_secrets_open_with_the_keys_and_are_found_by_index(
    database: FreshDatabase, built: WorldSummary, state: str
) -> None:
    with Session(database.engine("micic_worker")) as session:
        set_context(session, Context(state))
        secrets = secrets_of(session, state)
        by_table = {table: [plain for name, _, plain in secrets if name == table] for table in SEALED}
        mails = [plain for plain in by_table["contact_point"] if "@" in plain]
        assert 0.6 * 200 * 0.7 < len(mails) < 200
        assert all(mail.rpartition("@")[2].split(".")[-2:] in (["example", "org"], ["example", "com"],
                   ["example", "net"], ["inbox", "example"]) for mail in mails)  # fmt: skip
        assert len(set(mails)) == len(mails)
        numbers = [plain for plain in by_table["contact_point"] if "@" not in plain]
        assert all(number.startswith("+1") and number[5:10] == "55501" and len(number) == 12 for number in numbers)
        query = text("select count(*) from contact_point where channel = 'email' and blind_index = :index")
        for mail in mails[:20]:
            index = MASTER.blind_index(state, "email", mail)
            assert session.execute(query, {"index": index}).scalar_one() >= 1


def test_no_secret_stands_in_the_database(database: FreshDatabase, everything: Engine) -> None:
    canaries: list[str] = []
    for state in STATES:
        with Session(database.engine("micic_worker")) as session:
            set_context(session, Context(state))
            secrets = secrets_of(session, state)
            for table in SEALED:
                canaries += [plain for name, _, plain in secrets if name == table][:25]
    assert len(canaries) > 120
    tables = rows(everything, "select tablename from pg_tables where schemaname = 'public'")
    dump = "\n".join(
        row[0]
        for (table,) in tables
        if table != "spatial_ref_sys"
        for row in rows(everything, f"select t::text from {table} t")
    ).lower()  # a bytea is written in hexadecimal digits there
    assert len(dump) > 500_000
    for canary in canaries:
        assert canary.lower() not in dump
        assert canary.encode().hex() not in dump


@pytest.mark.parametrize("login", ["cell.istanbul", "approver.athens"])
def test_demo_logins_open_with_the_password(database: FreshDatabase, built: WorldSummary, login: str) -> None:
    for state in STATES:
        assert (state, login) in {(one.state, one.login) for one in built.logins}
        with Session(database.engine("micic_app")) as session:
            set_context(session, Context(state))
            credentials = find_credentials(session, state, login)
    assert credentials is not None
    assert password_fits(credentials.password_hash, PASSWORD)
