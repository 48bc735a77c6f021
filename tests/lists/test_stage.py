"""The stage: found by anti-join, one transaction a post, safe to run twice, nothing lost and nothing doubled."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from micic.cases.rules import MovementState, Trust, WelfareState
from micic.cases.service import record_movement, record_welfare
from micic.lists import queries, service
from micic.lists.rules import ListPolicy
from micic.lists.service import freeze_due_lists
from tests.lists.builders import NOW, Someone, World

PROMPT = ListPolicy(settle_s=0, refresh_s=86_400)


def run(world: World, *, minutes: float = 0, policy: ListPolicy = ListPolicy()) -> int:
    now = NOW + timedelta(minutes=minutes)
    return freeze_due_lists(world.factory, world.master, world.state, now=now, policy=policy)


def versions(world: World) -> list[tuple[int, str, int, int]]:
    """(post, kind, version, lines), in order."""
    with world.as_(world.system) as session:
        rows = session.execute(
            text(
                "select post_id, kind, version, line_count from person_list where registering_state = :state"
                " order by kind, version"
            ),
            {"state": world.state},
        )
        return sorted((world.posts.index(post), kind, number, lines) for post, kind, number, lines in rows)


def runs(world: World) -> int:
    with world.as_(world.system) as session:
        return int(
            session.execute(
                text("select count(*) from list_run where registering_state = :state"), {"state": world.state}
            ).scalar_one()
        )


def test_a_crossing_freezes_both_lists_of_every_post_it_reached(world: World) -> None:
    here = world.settle(Someone(severity=4), Someone(presence=None))
    there = world.settle(Someone(severity=2, served_by=1))
    world.cross(*here)
    world.cross(*there, post=1)
    assert run(world) == 3
    assert versions(world) == [(0, "assistance", 1, 2), (0, "evacuation", 1, 2), (1, "assistance", 1, 1)]
    done = runs(world)
    assert run(world) == 0
    assert runs(world) == done


def test_a_post_that_was_not_reached_is_left_alone(world: World) -> None:
    world.settle(Someone(served_by=1))
    world.cross(*world.settle(Someone()))
    run(world)
    assert {post for post, *_ in versions(world)} == {0}


def test_a_crossing_without_changes_freezes_nothing(world: World) -> None:
    world.settle(Someone())
    world.cross()
    assert run(world) == 0
    assert runs(world) == 1


def test_unknown_people_alone_make_a_list(world: World) -> None:
    world.settle(Someone(presence=None, firm=False))
    world.concern(crossing_id=world.cross())
    assert run(world) == 1
    assert versions(world) == [(0, "assistance", 1, 1)]


def test_a_crossing_that_was_recorded_earlier_but_committed_later_is_not_lost(world: World) -> None:
    """The reason why work is not found by comparing times."""
    world.cross(*world.settle(Someone()))
    assert run(world, minutes=60) == 2
    world.cross(*world.settle(Someone()))
    assert run(world, minutes=60) == 2
    assert versions(world)[-1] == (0, "evacuation", 2, 2)


def test_small_changes_wait_until_lists_have_settled_a_new_map_does_not(world: World) -> None:
    world.cross(*world.settle(Someone()))
    run(world)
    world.cross(*world.settle(Someone()), cause="move")
    assert run(world, minutes=0.5) == 0
    assert run(world, minutes=1) == 2
    world.cross(*world.settle(Someone()), cause="declaration")
    assert run(world, minutes=1.1) == 2
    assert versions(world)[-1] == (0, "evacuation", 3, 3)


def test_an_answer_makes_the_next_version_once(world: World) -> None:
    (person,) = world.settle(Someone())
    world.cross(person)
    run(world, policy=PROMPT)
    with world.as_(world.system) as session:
        record_welfare(
            session, world.system, world.event_id, person, WelfareState.NEED, source="self", trust=Trust.TOKEN, now=NOW
        )
    assert run(world, minutes=0.5) == 0
    assert run(world, minutes=1, policy=PROMPT) == 2
    assert run(world, minutes=2, policy=PROMPT) == 0
    world.change("insert into need (registering_state, need_id, migrant_id, code, opened_at) values"
                 " (:state, gen_random_uuid(), :migrant, 'trapped', now())", migrant=person)  # fmt: skip
    assert run(world, minutes=3, policy=PROMPT) == 2
    with world.as_(world.system) as session:
        record_movement(
            session,
            world.system,
            world.event_id,
            person,
            MovementState.DEPARTED,
            source="officer",
            trust=Trust.AUTHENTICATED,
            now=NOW + timedelta(minutes=4),
        )
    assert run(world, minutes=5, policy=PROMPT) == 2
    assert versions(world)[-1] == (0, "evacuation", 4, 0)


def test_what_nobody_announced_is_found_by_looking_again(world: World) -> None:
    (person,) = world.settle(Someone())
    world.cross(person)
    run(world)
    world.rewrite(person, language="tr")
    assert run(world, minutes=4) == 0
    assert run(world, minutes=5) == 2


def test_one_post_that_fails_costs_that_post_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = world.settle(Someone()), world.settle(Someone(served_by=1))
    world.cross(*here)
    world.cross(*there, post=1)
    whole = queries.read_people

    def broken(session, state, event_id, post_id, policy, *, as_of):  # type: ignore[no-untyped-def]
        if post_id == world.posts[0]:
            raise RuntimeError("planted")
        return whole(session, state, event_id, post_id, policy, as_of=as_of)

    monkeypatch.setattr(queries, "read_people", broken)
    with pytest.raises(ExceptionGroup):
        run(world)
    assert {post for post, *_ in versions(world)} == {1}
    monkeypatch.undo()
    assert run(world) == 2
    assert {post for post, *_ in versions(world)} == {0, 1}


def test_a_crash_after_one_post_loses_and_doubles_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.cross(*world.settle(Someone()))
    world.cross(*world.settle(Someone(served_by=1)), post=1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(service, "_finish", killed)
    with pytest.raises(KeyboardInterrupt):
        run(world)
    before = versions(world)
    monkeypatch.undo()
    assert run(world) == 0
    assert versions(world) == before
    assert len(before) == 4


def test_closed_situations_and_exercises_are_left_to_people(world: World) -> None:
    world.cross(*world.settle(Someone()))
    world.change("update situation set mode = 'exercise' where registering_state = :state")
    assert run(world) == 0
    world.change("update situation set mode = 'live', closed_at = now() where registering_state = :state")
    world.cross(*world.settle(Someone()))
    assert run(world) == 0
