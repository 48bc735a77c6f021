"""Whom a rule tells: four eyes, thresholds, households, once per person and address, and what waits for a person."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from micic.errors import Conflict, FourEyes, Invalid, NotPermitted
from micic.identifiers import new_id
from micic.notifications.rules import MAX_TRIES, Outcome, choose_language, may_resend, next_step
from micic.notifications.service import (
    RuleDraft,
    add_default_template,
    approve_campaign,
    approve_rule,
    propose_rule,
    retire_rule,
    stop_campaign,
)
from micic.security.principal import Principal, Role
from tests.notifications.world import STATE, Change, Person, World


def _now() -> datetime:
    return datetime.now(UTC)


def _written_to(world: World) -> set[uuid.UUID]:
    return {row[0] for row in world.rows("select migrant_id from notification")}


# --- four eyes ---


def test_a_rule_is_approved_by_another_person(world: World) -> None:
    both = world.staff(Role.OFFICER, Role.APPROVER)
    with world.session("micic_app") as session:
        template_id = add_default_template(session, both, "inform", now=_now())
        assert add_default_template(session, both, "inform", now=_now()) == template_id
        rule = propose_rule(session, both, RuleDraft("Inform", template_id, 3), now=_now())
        with pytest.raises(FourEyes):
            approve_rule(session, both, rule.rule_id, now=_now())
        with pytest.raises(NotPermitted):
            approve_rule(session, world.author, rule.rule_id, now=_now())
        with pytest.raises(NotPermitted):
            approve_rule(session, Principal.system(STATE), rule.rule_id, now=_now())
        with pytest.raises(FourEyes):
            propose_rule(session, Principal.system(STATE), RuleDraft("Inform", template_id, 3), now=_now())
        approve_rule(session, world.approver, rule.rule_id, now=_now())
        with pytest.raises(Conflict):
            approve_rule(session, world.approver, rule.rule_id, now=_now())
    actions = {row[0] for row in world.rows("select action from audit_entry")}
    assert actions == {"template.add", "rule.propose", "rule.approve"}


IMPOSSIBLE: list[dict[str, Any]] = [
    {"min_severity_inside": 5},
    {"min_severity_possible": -1},
    {"channel": "sms"},
    {"expires_after_s": 5},
    {"max_recipients": 0},
    {"name": " "},
    {"template_id": uuid.UUID(int=1)},
]


def test_an_impossible_rule_is_refused(world: World) -> None:
    for draft in IMPOSSIBLE:
        with pytest.raises(Invalid):
            world.standing_rule(**draft)


def test_a_rule_not_yet_approved_or_retired_does_nothing_and_looks_not_back(world: World) -> None:
    (person,) = world.register(Person("a@one.example"))
    world.cross(Change(person), at=_now() - timedelta(minutes=1))
    rule_id = world.standing_rule()
    assert world.apply() == 0
    with world.session("micic_app") as session:
        retire_rule(session, world.author, rule_id, now=_now())
    world.cross(Change(person, "raised"))
    assert world.apply() == 0


# --- whom ---


def test_thresholds_and_changes(world: World) -> None:
    people = [world.register(Person(f"p{number}@one.example"))[0] for number in range(8)]
    changes = [
        Change(people[0], "entered", "inside", 3),
        Change(people[1], "entered", "inside", 2),
        Change(people[2], "entered", "possible", 4),
        Change(people[3], "entered", "possible", 3),
        Change(people[4], "firmed", "inside", 3),
        Change(people[5], "loosened", "possible", 4),
        Change(people[6], "lowered", "inside", 3),
        Change(people[7], "left", "inside", 4),
    ]
    world.standing_rule(min_severity_inside=3, min_severity_possible=4)
    world.cross(*changes)
    world.apply()
    assert _written_to(world) == {people[number].migrant_id for number in (0, 2, 4)}


def test_without_a_threshold_for_possible_only_those_inside(world: World) -> None:
    inside, possible = (world.register(Person(f"{name}@one.example"))[0] for name in "ab")
    world.standing_rule(min_severity_possible=None)
    world.cross(Change(inside), Change(possible, presence="possible"))
    world.apply()
    assert _written_to(world) == {inside.migrant_id}


def test_a_household_is_written_to_through_those_who_have_an_address(world: World) -> None:
    adult, child = datetime(1980, 1, 1, tzinfo=UTC).date(), datetime(2022, 1, 1, tzinfo=UTC).date()
    # The head is elsewhere; the child in the zone has no address: the head is told.
    far_head, near_child = world.register(Person("far@one.example"), Person(None, born_on=child))
    # The head has no address: another adult is told, not the child who has one.
    _, spouse, kid, teen = world.register(
        Person(None),
        Person("s@two.example", born_on=adult),
        Person(None, born_on=child),
        Person("t@two.example", born_on=child),
    )
    # Nobody is told of those who live apart or are protected: they count as unreachable.
    _, apart, protected = world.register(
        Person("h@three.example"), Person(None, lives_apart=True), Person(None, protected=True)
    )
    world.standing_rule()
    world.cross(Change(near_child), Change(kid), Change(apart), Change(protected))
    world.apply()
    assert _written_to(world) == {far_head.migrant_id, spouse.migrant_id}
    assert teen.migrant_id not in _written_to(world)
    assert world.value("select unreachable from campaign") == 2


def test_one_message_per_address(world: World) -> None:
    head, spouse = world.register(Person("shared@one.example"), Person("shared@one.example"))
    (stranger,) = world.register(Person("shared@one.example"))
    world.standing_rule()
    world.cross(Change(head), Change(spouse), Change(stranger))
    world.apply()
    assert world.value("select count(*) from notification") == 1
    world.cross(Change(head, "firmed"), Change(spouse, "entered"))
    world.apply()
    assert world.value("select count(*) from notification") == 1


def test_nobody_twice_unless_raised(world: World) -> None:
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person, severity=3))
    world.apply()
    world.cross(Change(person, "firmed", severity=3, before=3))
    assert world.apply() == 1
    assert world.value("select count(*) from campaign where recipients = 0 and status = 'done'") == 1
    world.cross(Change(person, "raised", severity=4, before=3))
    world.apply()
    world.cross(Change(person, "firmed", severity=4, before=4))
    world.apply()
    assert [row[0] for row in world.rows("select revision from notification order by created_at")] == [1, 2]


def test_two_crossings_before_the_rules_ran_are_one_message(world: World) -> None:
    """The message says today's severity: the rise was in it already. What rises after it is news."""
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person, severity=3))
    world.cross(Change(person, "raised", severity=4, before=3))
    assert world.apply() == 2
    assert world.rows("select status, recipients from campaign order by recipients") == [("done", 0), ("sending", 1)]
    world.cross(Change(person, "lowered", severity=3, before=4))
    world.cross(Change(person, "raised", severity=4, before=3))
    world.apply()
    assert world.value("select count(*) from notification") == 2


def test_a_rise_for_one_of_a_household_is_not_lost_in_a_message_about_another(world: World) -> None:
    head, child, other = world.register(Person("a@one.example"), Person(None), Person(None))
    world.standing_rule()
    world.cross(Change(child, severity=3))
    world.apply()
    world.cross(Change(other, severity=3))
    world.cross(Change(child, "raised", severity=4, before=3))
    world.apply()
    assert world.value("select count(*) from notification") == 2
    assert _written_to(world) == {head.migrant_id}


def test_who_is_less_surely_in_a_worse_part_is_told(world: World) -> None:
    told, untold = (world.register(Person(f"{name}@one.example"))[0] for name in "ab")
    world.standing_rule(min_severity_inside=2, min_severity_possible=4)
    world.cross(Change(told, severity=2))
    world.apply()
    world.cross(Change(untold, severity=1))
    world.apply()
    worse = [Change(one, "loosened", "possible", 4, before) for one, before in ((told, 2), (untold, 1))]
    world.cross(*worse)
    assert world.apply() == 1
    assert _written_to(world) == {told.migrant_id, untold.migrant_id}
    assert world.value("select count(*) from notification") == 3


def test_a_reported_death_stops_messages_until_an_officers_word(world: World) -> None:
    head, child = world.register(Person("a@one.example"), Person(None))
    (other,) = world.register(Person("b@one.example"))
    world.standing_rule()
    _tell(world, child.migrant_id, "dead", "unknown")
    _tell(world, other.migrant_id, "dead", "token")
    _tell(world, other.migrant_id, "safe", "token")
    world.cross(Change(child), Change(other))
    world.apply()
    assert _written_to(world) == set()
    assert world.value("select unreachable from campaign") == 0
    _tell(world, other.migrant_id, "safe", "authenticated")
    world.cross(Change(other, "raised"))
    world.apply()
    assert _written_to(world) == {other.migrant_id}
    assert head.migrant_id not in _written_to(world)


def _tell(world: World, migrant_id: uuid.UUID, state: str, trust: str) -> None:
    with world.session() as session:
        session.execute(
            text(
                "insert into welfare_entry values (:state, :id, :event, :migrant, :told, 'relative', 'x', :trust,"
                " clock_timestamp(), clock_timestamp())"
            ),
            {
                "state": STATE,
                "id": new_id(),
                "event": world.event_id,
                "migrant": migrant_id,
                "told": state,
                "trust": trust,
            },
        )


def test_a_bounced_address_and_a_destroyed_key_are_unreachable(world: World) -> None:
    bounced, erased, again = (world.register(Person(f"{name}@one.example"))[0] for name in "abc")
    with world.session() as session:
        session.execute(
            text(
                "update contact_point set bounced_at = now(), verified_at = now() - interval '1 day'"
                " where migrant_id = :m"
            ),
            {"m": bounced.migrant_id},
        )
        session.execute(
            text(
                "update contact_point set bounced_at = now() - interval '1 day', verified_at = now()"
                " where migrant_id = :m"
            ),
            {"m": again.migrant_id},
        )
    with world.session("micic_app") as session:
        destroy = text("update person_key set wrapped_key = 'destroyed' where migrant_id = :m")
        session.execute(destroy, {"m": erased.migrant_id})
    world.standing_rule()
    world.cross(Change(bounced), Change(erased), Change(again))
    world.apply()
    assert _written_to(world) == {again.migrant_id}
    assert world.value("select unreachable from campaign") == 2


# --- what waits, what ends ---


def test_more_recipients_than_approved_waits_for_a_person_who_types_the_number(world: World) -> None:
    people = [world.register(Person(f"p{number}@one.example"))[0] for number in range(3)]
    world.standing_rule(max_recipients=2)
    world.cross(*map(Change, people))
    world.apply()
    campaign_id = world.value("select campaign_id from campaign where status = 'pending_approval'")
    proposer = Principal(STATE, world.author.staff_id, world.author.posts, frozenset({Role.APPROVER}))
    with world.session("micic_app") as session:
        with pytest.raises(Invalid):
            approve_campaign(session, world.approver, campaign_id, 2, now=_now())
        with pytest.raises(FourEyes):
            approve_campaign(session, proposer, campaign_id, 3, now=_now())
        with pytest.raises(NotPermitted):
            approve_campaign(session, world.author, campaign_id, 3, now=_now())
        approve_campaign(session, world.approver, campaign_id, 3, now=_now())
    assert world.value("select status from campaign") == "sending"


def test_a_flip_to_exercise_between_draft_and_approval_is_refused(world: World) -> None:
    """R22."""
    (person,) = world.register(Person("a@one.example"))
    (other,) = world.register(Person("b@one.example"))
    world.standing_rule(max_recipients=1)
    world.cross(Change(person), Change(other))
    world.apply()
    with world.session() as session:
        session.execute(text("update situation set mode = 'exercise'"))
    campaign_id = world.value("select campaign_id from campaign")
    with world.session("micic_app") as session, pytest.raises(Conflict):
        approve_campaign(session, world.approver, campaign_id, 2, now=_now())


def test_after_a_stop_only_a_person_lets_the_rule_speak_again(world: World) -> None:
    first, second = (world.register(Person(f"{name}@one.example"))[0] for name in "ab")
    world.standing_rule()
    world.cross(Change(first))
    world.apply()
    with world.session("micic_app") as session:
        stop_campaign(session, world.approver, world.value("select campaign_id from campaign"), now=_now())
    world.cross(Change(second))
    world.apply()
    waiting = world.rows("select snapshot from campaign where status = 'pending_approval'")
    assert waiting[0].snapshot["waits_because"] == ["an earlier campaign of this rule was stopped"]


@pytest.mark.parametrize("end", ["closed_at = now()", "mode = 'exercise'"])
def test_a_closed_or_exercised_situation_sends_nothing(world: World, end: str) -> None:
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person))
    with world.session() as session:
        session.execute(text(f"update situation set {end}"))
    assert world.apply() == 0


def test_an_old_crossing_sends_nothing(world: World) -> None:
    """R24."""
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule(at=_now() - timedelta(days=3), expires_after_s=3600)
    world.cross(Change(person), at=_now() - timedelta(hours=2))
    assert world.apply() == 0


# --- exercise and live ---


def test_an_exercise_is_written_by_the_exercise_role_and_reaches_no_live_row(world: World) -> None:
    """R22: separated in the database, whatever the code asks for."""
    exercise = new_id()
    world.open_situation(exercise, "exercise")
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person), event_id=exercise)
    assert world.apply() == 0
    assert world.apply(mode="exercise") == 0  # the live worker asks: the database refuses
    assert world.apply(mode="exercise", role="micic_exercise") == 1
    assert world.value("select count(*) from campaign") == 0  # the live worker does not even see it
    with world.session("micic_exercise") as session:
        rows = session.execute(text("select mode, status from notification")).all()
    assert rows == [("exercise", "created")]


def test_the_exercise_role_cannot_write_a_live_row(world: World) -> None:
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person))
    assert world.apply(role="micic_exercise") == 0
    world.apply()
    for table in ("campaign", "notification"):
        with world.session("micic_exercise") as session:
            assert session.execute(text(f"select count(*) from {table}")).scalar() == 0
            with pytest.raises(ProgrammingError, match="row-level security"):
                session.execute(text(_insert_live(table)), {"post": world.post_id, "event": world.event_id})
            session.rollback()


def _insert_live(table: str) -> str:
    if table == "campaign":
        return (
            "insert into campaign (registering_state, campaign_id, mode, event_id, template_id, status, snapshot,"
            " drafted_at) values ('PHL', gen_random_uuid(), 'live', :event, gen_random_uuid(), 'sending', '{}', now())"
        )
    return (
        "insert into notification (registering_state, notification_id, campaign_id, mode, event_id, migrant_id,"
        " household_id, channel, contact_point_id, language, payload, keeper_post_id, run_at, expires_at, created_at)"
        " values ('PHL', gen_random_uuid(), gen_random_uuid(), 'live', :event, gen_random_uuid(), gen_random_uuid(),"
        " 'email', gen_random_uuid(), 'en', 'x', :post, now(), now(), now())"
    )


def test_the_exercise_role_cannot_touch_the_links_and_tries_of_live_messages(world: World) -> None:
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    live = world.value("select notification_id from notification")
    with world.session("micic_exercise") as session:
        assert session.execute(text("update answer_link set revoked_at = now()")).rowcount == 0  # type: ignore[attr-defined]
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.execute(
                text("insert into delivery_attempt values ('PHL', :live, 1, now(), now(), 'sent')"), {"live": live}
            )
        session.rollback()


# --- pure decisions ---


def test_language_of_a_person_then_of_the_post_then_english() -> None:
    available = {"en", "fr", "tl", "pt-BR"}
    assert choose_language("fr-CA", ["tl"], available) == "fr"
    assert choose_language("pt-BR", [], available) == "pt-BR"
    assert choose_language("fil", [], available) == "tl"
    assert choose_language("am", ["xx", "tl", "en"], available) == "tl"
    assert choose_language(None, [], available) == "en"
    assert choose_language("am", [], {"fr", "es"}) == "es"


def test_what_follows_a_try() -> None:
    pauses = [next_step(Outcome.TEMPORARY, tries, "created").due_in.total_seconds() for tries in range(1, MAX_TRIES)]
    assert pauses == [30, 60, 120, 240]
    assert next_step(Outcome.TEMPORARY, MAX_TRIES, "created", "451").status == "permanent_failure"
    assert next_step(Outcome.TEMPORARY, MAX_TRIES, "created", "451").reason == "5 tries: 451"
    assert next_step(Outcome.UNAVAILABLE, 3, "created").status == "created"
    assert next_step(Outcome.RELEASED, 3, "uncertain").status == "uncertain"
    assert next_step(Outcome.TEMPORARY, 1, "uncertain").status == "uncertain"
    held = next_step(Outcome.UNCERTAIN, MAX_TRIES, "created", "lost")
    assert (held.status, held.due_in.days > 36_000) == ("uncertain", True)


def test_when_a_doubtful_message_may_go_again() -> None:
    assert may_resend(False, doubts=1, life_safety=False)
    assert may_resend(None, doubts=1, life_safety=True)
    assert not may_resend(None, doubts=2, life_safety=True)
    assert not may_resend(None, doubts=1, life_safety=False)
    assert not may_resend(True, doubts=1, life_safety=True)
