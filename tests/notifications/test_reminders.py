"""Nobody who is still in an event stays untold because a first message came to nothing; and nobody is told twice."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from micic.errors import FourEyes
from micic.identifiers import new_id
from micic.notifications import reminders
from micic.notifications.channels import Delivery
from micic.notifications.rules import Outcome
from micic.notifications.service import approve_campaign, stop_campaign
from micic.security.principal import Principal, Role
from tests.notifications.test_dispatch import Scripted
from tests.notifications.world import STATE, Change, Person, World

CHILD = date(2020, 1, 1)
GONE = Delivery(Outcome.PERMANENT, "recipient 550", is_address_dead=True)


def _in(**delta: float) -> datetime:
    return datetime.now(UTC) + timedelta(**delta)


def _sent(channel: Scripted) -> list[str]:
    return sorted(message.address for message in channel.sent)


def _campaigns(world: World) -> Sequence[tuple[str, int]]:
    rows = world.rows("select status, recipients from campaign order by drafted_at")
    return [(row.status, row.recipients) for row in rows]


def test_after_an_outage_longer_than_the_expiry_people_still_inside_are_told(world: World) -> None:
    """R24: what expired is not sent; a new message that is valid now is."""
    inside, gone = (world.register(Person(f"{name}@one.example"))[0] for name in ("inside", "gone"))
    world.standing_rule(expires_after_s=3600)
    world.cross(Change(inside), Change(gone))
    world.apply()
    away = Scripted()
    away.ready = False
    world.dispatch(away)
    with world.session() as session:
        session.execute(text("update exposure set ended_at = now() where migrant_id = :m"), {"m": gone.migrant_id})
    back = Scripted()
    world.dispatch(back, now=_in(hours=2))
    assert back.sent == []
    assert world.statuses() == {"expired": 2}
    assert world.remind(now=_in(hours=2)) == 1
    assert world.remind(now=_in(hours=3)) == 0
    world.dispatch(back, now=_in(hours=2))
    assert _sent(back) == ["inside@one.example"]
    assert world.value("select expires_at - created_at from notification where status = 'sent'") == timedelta(hours=1)
    assert world.value("select count(*) from audit_entry where action = 'campaign.create'") == 2


def test_a_refused_address_is_followed_by_the_next_one_and_never_tried_again(world: World) -> None:
    (person,) = world.register(Person("old@one.example"))
    world.add_address(person, "new@one.example")
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    channel = Scripted({"old@one.example": GONE, "new@one.example": Delivery(Outcome.PERMANENT, "text 554")})
    world.dispatch(channel)
    assert world.value("select count(*) from contact_point where bounced_at is not null") == 1
    assert world.remind() == 1
    world.dispatch(channel, now=_in(minutes=2))
    assert _sent(channel) == ["new@one.example", "old@one.example"]
    assert world.statuses() == {"permanent_failure": 2}
    assert [world.remind(now=_in(minutes=number)) for number in (4, 6)] == [0, 0]  # both were tried in vain
    with world.session() as session:
        session.execute(text("update contact_point set verified_at = now() + interval '1 hour'"))
    assert world.remind(now=_in(hours=2)) == 1  # verified since


def test_an_address_added_after_the_crossing_gets_the_message(world: World) -> None:
    (person,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(person, severity=3))
    world.apply()
    assert world.remind() == 0
    world.add_address(person, "late@one.example")
    assert world.remind(now=_in(minutes=4)) == 1
    assert world.remind(now=_in(minutes=6)) == 0
    world.dispatch(channel := Scripted(), now=_in(minutes=6))
    assert _sent(channel) == ["late@one.example"]
    assert _campaigns(world) == [("done", 0), ("done", 1)]


def test_nobody_is_reminded_who_was_told_by_whatever_way(world: World) -> None:
    """Told themselves, by a shared address, or through an adult of the household; on the way counts as told."""
    head, spouse, child = world.register(
        Person("shared@one.example"), Person("shared@one.example"), Person(None, born_on=CHILD)
    )
    (own,) = world.register(Person("own@one.example"))
    (below,) = world.register(Person(None))
    (dead,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(head), Change(spouse), Change(child), Change(own), Change(below, severity=2), Change(dead))
    world.apply()
    world.add_address(below, "below@one.example")
    world.add_address(dead, "dead@one.example")
    with world.session() as session:
        session.execute(
            text(
                "insert into welfare_entry values (:state, :id, :event, :m, 'dead', 'relative', 'x', 'unknown', now(),"
                " now())"
            ),
            {"state": STATE, "id": new_id(), "event": world.event_id, "m": dead.migrant_id},
        )
    assert world.remind() == 0
    world.dispatch(Scripted())
    assert world.remind(now=_in(minutes=5)) == 0
    assert world.statuses() == {"sent": 2}


def test_a_child_is_covered_by_the_adult_who_can_be_reached_now(world: World) -> None:
    head, spouse, child = world.register(
        Person("head@one.example"), Person("spouse@one.example"), Person(None, born_on=CHILD)
    )
    world.standing_rule()
    world.cross(Change(child))
    world.apply()
    world.dispatch(channel := Scripted({"head@one.example": GONE}))
    assert world.remind() == 1
    world.dispatch(channel, now=_in(minutes=2))
    assert _sent(channel) == ["head@one.example", "spouse@one.example"]
    world.add_address(head, "head-again@one.example")
    assert world.remind(now=_in(minutes=5)) == 0  # an adult of the household was told
    assert child.migrant_id != spouse.migrant_id


def test_a_crossing_that_the_rule_has_yet_to_meet_is_left_to_it(world: World) -> None:
    first, second = (world.register(Person(f"{name}@one.example"))[0] for name in "ab")
    world.standing_rule()
    world.cross(Change(first))
    world.apply()
    world.cross(Change(second))
    assert world.remind() == 0
    assert world.apply() == 1
    assert world.statuses() == {"created": 2}


def test_who_was_in_the_event_before_the_rule_was_approved_is_not_written_to(world: World) -> None:
    early, late = (world.register(Person(f"{name}@one.example"))[0] for name in "ab")
    world.cross(Change(early), at=_in(minutes=-5))
    world.standing_rule()
    world.cross(Change(late))
    world.apply()
    assert world.remind() == 0


def test_one_look_a_minute_whoever_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (person,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    looks: list[datetime] = []
    monkeypatch.setattr(reminders, "_remind", lambda *_, now, **__: looks.append(now))
    now = _in(minutes=2)
    for seconds in (0, 1, 59, 61, 100, 122):
        world.remind(now=now + timedelta(seconds=seconds))  # each a worker of its own
    assert [(at - now).seconds for at in looks] == [0, 61, 122]


@pytest.mark.parametrize(
    "end",
    [
        "update situation set closed_at = now()",
        "update situation set mode = 'exercise'",
        "update message_rule set retired_at = now()",
    ],
)
def test_nothing_is_reminded_of_what_is_over(world: World, end: str) -> None:
    (person,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    world.add_address(person, "late@one.example")
    with world.session("micic_app") as session:
        session.execute(text(end))
    assert world.remind() == 0


def test_a_stop_is_asked_about_once_and_then_holds(world: World) -> None:
    """T12."""
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    for minutes, expected in ((2, 1), (4, 0)):
        with world.session("micic_app") as session:
            open_ = session.execute(text("select campaign_id from campaign where status <> 'stopped'")).scalar_one()
            stop_campaign(session, world.approver, open_, now=_in())
        assert world.remind(now=_in(minutes=minutes)) == expected
        waiting = world.rows("select 1 from campaign where status = 'pending_approval'")
        assert len(waiting) == expected
    assert world.remind(now=_in(minutes=9)) == 0


def test_more_than_the_rule_allows_waits(world: World) -> None:
    people = [world.register(Person(None))[0] for _ in range(2)]
    world.standing_rule(max_recipients=1)
    world.cross(*map(Change, people))
    world.apply()
    for number, person in enumerate(people):
        world.add_address(person, f"late{number}@one.example")
    assert world.remind() == 1
    assert _campaigns(world)[-1] == ("pending_approval", 2)


# --- one person's act ---


def test_a_declaration_waits_for_a_second_person_who_types_the_number(world: World) -> None:
    """T12: one person who declares an area writes to nobody."""
    declarer = world.staff(Role.CRISIS_CELL, Role.APPROVER)
    (person,) = world.register(Person("a@one.example"))
    area = new_id()
    world.standing_rule()
    with world.session("micic_app") as session:
        session.execute(
            text(
                "insert into declared_area (registering_state, area_id, event_id, label, reason, geometry, severity,"
                " declared_by, declared_at) values (:state, :area, :event, 'x', 'x', st_multi(st_geomfromtext("
                "'POLYGON((0 0,1 0,1 1,0 0))', 4326)), 4, :by, now())"
            ),
            {"state": STATE, "area": area, "event": world.event_id, "by": declarer.staff_id},
        )
    world.cross(Change(person), cause="declaration", cause_id=area)
    world.apply()
    campaign = world.rows("select * from campaign")[0]
    assert (campaign.status, campaign.recipients, campaign.drafted_by) == ("pending_approval", 1, declarer.staff_id)
    assert campaign.snapshot["waits_because"] == ["one person's act put these people in the event"]
    world.dispatch(channel := Scripted())
    assert channel.sent == []
    with world.session("micic_app") as session:
        with pytest.raises(FourEyes):
            approve_campaign(session, declarer, campaign.campaign_id, 1, now=_in())
        approve_campaign(session, world.approver, campaign.campaign_id, 1, now=_in())
    world.dispatch(channel)
    assert _sent(channel) == ["a@one.example"]


def test_a_declaration_nobody_approved_is_no_more_sent_by_a_reminder(world: World) -> None:
    declared, without, shaken = (
        world.register(Person("a@one.example"))[0],
        *(world.register(Person(None))[0] for _ in range(2)),
    )
    world.standing_rule(expires_after_s=3600)
    world.cross(Change(shaken))
    world.cross(Change(declared), Change(without), cause="declaration")
    world.apply()
    world.dispatch(Scripted(), now=_in(hours=2))
    assert world.statuses() == {"expired": 1}
    world.add_address(without, "without@one.example")
    world.add_address(shaken, "shaken@one.example")
    assert world.remind(now=_in(hours=2)) == 1
    assert world.remind(now=_in(hours=2, minutes=2)) == 1
    assert _campaigns(world)[-2:] == [("sending", 1), ("pending_approval", 2)]  # nobody waits for a declaration
    world.dispatch(channel := Scripted(), now=_in(hours=2))
    assert _sent(channel) == ["shaken@one.example"]


def test_an_approved_declaration_is_reminded_of_at_once(world: World) -> None:
    (person,) = world.register(Person("old@one.example"))
    world.add_address(person, "new@one.example")
    world.standing_rule()
    world.cross(Change(person), cause="declaration")
    world.apply()
    with world.session("micic_app") as session:
        campaign_id = session.execute(text("select campaign_id from campaign")).scalar_one()
        approve_campaign(session, world.approver, campaign_id, 1, now=_in())
    world.dispatch(channel := Scripted({"old@one.example": GONE}))
    assert world.remind() == 1
    world.dispatch(channel, now=_in(minutes=2))
    assert _sent(channel) == ["new@one.example", "old@one.example"]


def test_an_exercise_is_reminded_by_the_exercise_role_only(world: World) -> None:
    """R22."""
    exercise = new_id()
    world.open_situation(exercise, "exercise")
    (person,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(person), event_id=exercise)
    world.apply(mode="exercise", role="micic_exercise")
    world.add_address(person, "late@one.example")
    assert world.remind() == 0
    assert world.remind(mode="exercise") == 0
    assert world.remind(mode="exercise", role="micic_exercise") == 1
    assert world.value("select count(*) from campaign") == 0


def test_a_failing_reminder_logs_ids_and_types_only(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (person,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(person))
    monkeypatch.setattr("micic.notifications.campaigns.list_members", _refused)
    world.apply()
    monkeypatch.undo()
    world.apply()
    monkeypatch.setattr(reminders, "_list_untold", _refused)
    assert world.remind() == 0
    assert len(caplog.records) == 2
    assert "canary" not in caplog.text.lower()
    assert str(world.event_id) in caplog.text
    assert "ValueError" in caplog.text


def _refused(*_: object) -> None:
    raise ValueError("Failing row contains (Canary, Name, canary@one.example)")


def test_a_reminder_is_proposed_by_nobody_but_the_rules_own_people(world: World) -> None:
    proposer = Principal(STATE, world.author.staff_id, world.author.posts, frozenset({Role.APPROVER}))
    test_more_than_the_rule_allows_waits(world)
    campaign_id = world.value("select campaign_id from campaign where status = 'pending_approval'")
    with world.session("micic_app") as session, pytest.raises(FourEyes):
        approve_campaign(session, proposer, campaign_id, 2, now=_in())


def test_a_look_that_finds_nobody_is_cheap_before_statistics_know_the_event(world: World) -> None:
    """Linear: 2,000 households of three took a tenth of a second; by a plan that trusts statistics, seven."""
    households = [
        [Person(f"p{number}@one.example"), Person(None, born_on=CHILD), Person(f"p{number}@one.example")]
        for number in range(2_000)
    ]
    world.register_all(households)
    world.standing_rule()
    world.cross(*(Change(person) for household in households for person in household))
    world.apply()
    began = time.monotonic()
    assert world.remind() == 0
    assert time.monotonic() - began < 2
