"""The three histories: the statement against its slow twin, and what closes a need."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from micic.audit.models import AuditEntry
from micic.cases.models import WelfareEntry
from micic.cases.rules import ContactState, MovementState, Trust, WelfareState, in_force
from micic.cases.service import latest_states, record_contact, record_movement, record_welfare
from micic.errors import NotPermitted
from tests.lists.builders import NOW, Someone, World

Told = list[tuple[WelfareState, Trust, int]]


@dataclass(frozen=True)
class Entry:
    trust: str
    source_at: datetime
    recorded_at: datetime
    state: str = ""


def tell(world: World, person: uuid.UUID, told: Told, source: str = "self") -> None:
    with world.as_(world.system) as session:
        for state, trust, minutes in told:
            record_welfare(
                session,
                world.system,
                world.event_id,
                person,
                state,
                source=source,
                trust=trust,
                source_at=NOW - timedelta(minutes=minutes),
                now=NOW,
            )


@pytest.mark.parametrize("seed", range(4))
def test_the_statement_agrees_with_the_rule_told_one_by_one(world: World, seed: int) -> None:
    trusts, states = list(Trust), [WelfareState.SAFE, WelfareState.SOUGHT, WelfareState.FOUND]
    people = world.settle(*[Someone()] * 6)
    expected = {}
    for number, person in enumerate(people):
        told: Told = [
            (states[(number + step) % 3], trusts[(seed * 7 + number * 5 + step * step) % 4], (step * 37 + number) % 90)
            for step in range(number)
        ]
        tell(world, person, told)
        entries = [Entry(trust, NOW - timedelta(minutes=ago), NOW, state) for state, trust, ago in told]
        expected[person] = getattr(in_force(entries), "state", None)
    with world.as_(world.system) as session:
        news = latest_states(session, world.state, world.event_id)
        some = latest_states(session, world.state, world.event_id, people[:2])
    assert {person: news[person].welfare if person in news else None for person in people} == expected
    assert some.keys() <= set(people[:2])


@given(st.lists(st.tuples(st.sampled_from(Trust), st.integers(0, 50)), max_size=12))
def test_the_latest_of_the_highest_trust_is_what_the_rule_arrives_at(told: list[tuple[Trust, int]]) -> None:
    entries = [
        Entry(trust, NOW + timedelta(minutes=at), NOW + timedelta(seconds=n)) for n, (trust, at) in enumerate(told)
    ]
    best = max(entries, key=lambda one: (Trust(one.trust).rank, one.source_at, one.recorded_at), default=None)
    assert in_force(entries) == best


def test_a_later_word_of_lower_trust_does_not_win(world: World) -> None:
    (person,) = world.settle(Someone())
    tell(world, person, [(WelfareState.FOUND, Trust.AUTHENTICATED, 60), (WelfareState.SAFE, Trust.UNKNOWN, 1)])
    with world.as_(world.system) as session:
        news = latest_states(session, world.state, world.event_id, [person])[person]
    assert (news.welfare, news.welfare_trust, news.told) == (WelfareState.FOUND, Trust.AUTHENTICATED, 2)


@pytest.mark.parametrize(
    ("closing", "source", "trust", "is_closed"),
    [
        (WelfareState.SAFE, "officer", Trust.AUTHENTICATED, True),
        (WelfareState.SAFE, "responder", Trust.AUTHENTICATED, True),
        (WelfareState.SAFE, "self", Trust.AUTHENTICATED, False),
        (WelfareState.SAFE, "officer", Trust.TOKEN, False),
        (WelfareState.FOUND, "officer", Trust.AUTHENTICATED, False),
    ],
)
def test_a_need_counts_at_any_trust_and_a_responder_or_officer_closes_it(
    world: World, closing: WelfareState, source: str, trust: Trust, is_closed: bool
) -> None:
    (person,) = world.settle(Someone())
    tell(world, person, [(WelfareState.NEED, Trust.UNKNOWN, 30)])
    tell(world, person, [(closing, trust, 10)], source)
    with world.as_(world.system) as session:
        news = latest_states(session, world.state, world.event_id, [person])[person]
    assert (news.needs_help_since is None) == is_closed
    assert not news.injured


def test_when_it_was_true_is_never_later_than_when_we_heard(world: World) -> None:
    (person,) = world.settle(Someone())
    tell(world, person, [(WelfareState.SAFE, Trust.TOKEN, -600)])
    with world.as_(world.system) as session:
        assert session.execute(select(WelfareEntry.source_at)).scalar_one() == NOW


def test_contact_keeps_that_somebody_answered(world: World) -> None:
    (person,) = world.settle(Someone())
    with world.as_(world.system) as session:
        for minutes, state in ((9, ContactState.ANSWERED), (3, ContactState.ATTEMPTED)):
            then = NOW - timedelta(minutes=minutes)
            record_contact(
                session, world.system, world.event_id, person, state, source="email", source_at=then, now=NOW
            )
        news = latest_states(session, world.state, world.event_id)[person]
    assert (news.contact, news.answered, news.told) == (ContactState.ATTEMPTED, True, 0)


def test_histories_are_appended_only(world: World) -> None:
    (person,) = world.settle(Someone())
    tell(world, person, [(WelfareState.SAFE, Trust.TOKEN, 1)])
    for statement in ("update welfare_entry set state = 'dead'", "delete from welfare_entry"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            world.change(statement)


def test_what_staff_note_is_audited_and_needs_permission(world: World) -> None:
    (person,) = world.settle(Someone())
    with world.as_(world.cell) as session:
        record_movement(
            session,
            world.cell,
            world.event_id,
            person,
            MovementState.STAGED,
            source="officer",
            trust=Trust.AUTHENTICATED,
            now=NOW,
        )
    with world.as_(world.cell) as session:
        assert session.execute(select(AuditEntry.action, AuditEntry.subject_id)).one() == ("movement.record", person)
        assert session.execute(text("select count(*) from movement_entry")).scalar_one() == 1
    with world.as_(world.releaser) as session, pytest.raises(NotPermitted):
        record_contact(session, world.releaser, world.event_id, person, ContactState.ATTEMPTED, source="phone", now=NOW)
