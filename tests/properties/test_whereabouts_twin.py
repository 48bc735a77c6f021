"""R5: the whereabouts statement agrees with the rule in plain Python for dense random histories of few places."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from micic.registry.location_models import Whereabouts
from micic.registry.models import Migrant
from micic.registry.whereabouts import candidates, derive
from micic.security.context import Context, set_context
from tests.conftest import FreshDatabase
from tests.properties.world import CONFIRM_INTERVAL, START, STATE, Person, World, found_state

# Three places some 60 km apart: near enough for wide discs to touch, far enough for narrow ones to contradict.
SPOTS = [(10.0, 10.0), (10.5, 10.2), (10.2, 10.5)]


def stored_at(session: Session, person: Person, at: datetime) -> set[tuple[object, bool]]:
    rows = session.execute(
        select(Whereabouts).where(Whereabouts.migrant_id == person.migrant_id, Whereabouts.from_at <= at)
    ).scalars()
    return {(row.location_id, row.firm) for row in rows if row.until_at is None or row.until_at > at}


def expected_at(world: World, person: Person, at: datetime) -> set[tuple[object, bool]]:
    own = candidates(list(person.claims.values()), at, confirm_interval=CONFIRM_INTERVAL)
    found = {(candidate.claim.location_id, candidate.firm) for candidate in own}
    if person.is_head or person.lives_apart or any(candidate.claim.position for candidate in own):
        return found
    head = next(other for other in world.household_of(person) if other.is_head)
    lent = candidates(list(head.claims.values()), at, confirm_interval=CONFIRM_INTERVAL)
    return found | {(c.claim.location_id, False) for c in lent if c.claim.position is not None}


def check(database: FreshDatabase, seeds: range, people: int) -> None:
    post_id = found_state(database.engine("micic_worker"), database.engine("micic_app"))
    for seed in seeds:
        rng = np.random.default_rng(seed)
        with Session(database.engine("micic_worker")) as session:
            set_context(session, Context(STATE))
            world = World(session, rng, post_id)
            world.settle(people, SPOTS, START)
            for hour in range(6):
                for person in world.people:
                    if rng.random() < 0.7:
                        world.hear(person, SPOTS, START + timedelta(hours=20 * hour))
                    if rng.random() < 0.1:
                        world.retract(person, START + timedelta(hours=20 * hour))
            derive(session, STATE)
            compare(session, world, rng, seed)
            returned = world.people[0]
            session.execute(
                update(Migrant).where(Migrant.migrant_id == returned.migrant_id).values(state_of_record="returned")
            )
            derive(session, STATE, [returned.migrant_id])
            assert stored_at(session, returned, START + timedelta(days=1)) == set(), (
                "who has returned is nowhere abroad"
            )
            assert derive(session, STATE).written == 0, "a second derivation finds nothing to write"
            session.rollback()


def compare(session: Session, world: World, rng: np.random.Generator, seed: int) -> None:
    edges = set(session.execute(select(Whereabouts.from_at)).scalars())
    for person in world.people:
        moments = [START + timedelta(hours=float(rng.uniform(-100, 400))) for _ in range(6)]
        moments += [edge + timedelta(seconds=shift) for edge in list(edges)[:4] for shift in (-1, 0, 1)]
        moments += [claim.observed_at for claim in person.claims.values()]
        for at in moments:
            stored, expected = stored_at(session, person, at), expected_at(world, person, at)
            assert stored == expected, (
                f"seed {seed}, {at}: {sorted((c.source, c.observed_at) for c in person.claims.values())}"
            )


def test_r5_whereabouts_equal_twin(fresh_database: FreshDatabase) -> None:
    check(fresh_database, range(3), people=40)


@pytest.mark.full
def test_r5_whereabouts_equal_twin_at_length(fresh_database: FreshDatabase) -> None:
    check(fresh_database, range(100, 120), people=100)
