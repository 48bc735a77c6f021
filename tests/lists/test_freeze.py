"""Freezing on real PostGIS: who stands on a list, what it says, and when a new version is made."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from micic.cases.rules import MovementState, Trust, WelfareState
from micic.cases.service import record_movement, record_welfare
from micic.errors import NotFound, NotPermitted
from micic.lists.models import ListDeparture, PersonList
from micic.lists.reading import Line
from micic.lists.service import freeze_list
from tests.lists.acts import ASSISTANCE, EVACUATION, freeze, lines_of
from tests.lists.builders import NOW, Someone, World


def presences(lines: list[Line]) -> dict[uuid.UUID, str]:
    return {line.migrant_id: line.presence for line in lines}


def reasons_of(world: World, version: PersonList) -> dict[uuid.UUID, str]:
    with world.as_(world.system) as session:
        rows = session.execute(
            select(ListDeparture.migrant_id, ListDeparture.reason).where(
                ListDeparture.registering_state == world.state, ListDeparture.list_id == version.list_id
            )
        )
        return dict(rows.all())


def move(world: World, migrant_id: uuid.UUID, state: MovementState, trust: Trust = Trust.AUTHENTICATED) -> None:
    with world.as_(world.system) as session:
        record_movement(
            session, world.system, world.event_id, migrant_id, state, source="officer", trust=trust, now=NOW
        )


def say(world: World, migrant_id: uuid.UUID, state: WelfareState, trust: Trust = Trust.TOKEN) -> None:
    with world.as_(world.system) as session:
        record_welfare(session, world.system, world.event_id, migrant_id, state, source="self", trust=trust, now=NOW)


def test_a_household_is_listed_whole_each_with_their_own_presence(world: World) -> None:
    world.concern()
    inside, possible, unknown, safe = world.settle(
        Someone(),
        Someone(presence="possible"),
        Someone(presence=None, firm=False, radius_class=6, source="jurisdiction"),
        Someone(presence=None),
    )
    stranger = world.settle(Someone(presence=None))
    lines = lines_of(world, freeze(world))
    assert presences(lines) == {inside: "inside", possible: "possible", unknown: "unknown", safe: "safe_area"}
    assert stranger[0] not in presences(lines)
    assert {line.household_rank for line in lines} == {1}
    assert sorted(line.payload["member_no"] for line in lines if line.payload) == [1, 2, 3, 4]


def test_a_member_exposed_elsewhere_keeps_their_own_presence(world: World) -> None:
    here, there = world.settle(Someone(severity=3), Someone(served_by=1, severity=4), keeper=1)
    assert presences(lines_of(world, freeze(world, post=0))) == {here: "inside", there: "inside"}
    assert presences(lines_of(world, freeze(world, post=1))) == {here: "inside", there: "inside"}


def test_the_keeper_lists_whom_no_post_serves(world: World) -> None:
    (nobodys,) = world.settle(Someone(served_by=None), keeper=1)
    assert not lines_of(world, freeze(world, post=0))
    assert presences(lines_of(world, freeze(world, post=1))) == {nobodys: "inside"}


def test_unknown_are_those_without_a_fresh_place_in_a_country_concerned(world: World) -> None:
    stale, country_only, fresh = (
        world.settle(Someone(presence=None, **how))[0]
        for how in ({"firm": False}, {"radius_class": 6, "source": "jurisdiction", "firm": False}, {"firm": True})
    )
    assert not lines_of(world, freeze(world))
    world.concern()
    listed = presences(lines_of(world, freeze(world, minutes=1)))
    assert listed == {stale: "unknown", country_only: "unknown"}
    assert fresh not in listed


def test_a_whole_country_in_a_coarse_zone_is_possible(world: World) -> None:
    world.concern(whole_country=True, severity=4)
    (anybody,) = world.settle(Someone(presence=None))
    assert presences(lines_of(world, freeze(world))) == {anybody: "possible"}
    assert presences(lines_of(world, freeze(world, EVACUATION))) == {anybody: "possible"}


def test_the_evacuation_list_takes_households_by_threshold(world: World) -> None:
    three, with_three = world.settle(Someone(severity=3), Someone(presence=None))
    (possible_four,) = world.settle(Someone(presence="possible", severity=4))
    both = world.settle(Someone(severity=1, severity_possible=4))
    world.settle(Someone(severity=2))
    world.settle(Someone(presence="possible", severity=3))
    assert presences(lines_of(world, freeze(world, EVACUATION))).keys() == {three, with_three, possible_four, *both}
    assert len(lines_of(world, freeze(world))) == 6


def test_a_line_says_what_a_responder_needs(world: World) -> None:
    (person,) = world.settle(
        Someone(
            family_name="Okafor",
            given_names="Amina",
            original="أوكافور",
            needs=(("insulin", 3),),
            contacts=(("phone", "+905551234567"),),
            source="check_in",
            radius_class=3,
        )
    )
    (line,) = lines_of(world, freeze(world))
    said = line.payload
    assert said is not None
    assert (line.migrant_id, line.tier, line.severity, line.change) == (person, 2, 4, "new")
    assert said["sentence"] == "insulin, 2 days left; inside zone severity 4"
    assert (said["family_name"], said["family_name_original"]) == ("Okafor", "أوكافور")
    assert (said["zone"], said["place"], said["country"]) == ("Shaking band", "12 Quay Street", "XAA")
    assert (said["position"], said["radius_m"]) == ([20.65, 10.12], 5000)
    assert said["location_source"] == "check_in"
    assert said["observed_at"] == "2026-03-01T07:00:00+00:00"
    assert said["contacts"][0]["address"] == "+905551234567"
    assert said["document_gaps"] == []
    assert (said["age_years"], said["household_size"]) == (35, 1)


def test_a_protected_record_is_a_token(world: World) -> None:
    world.settle(Someone(family_name="Secret", protected=True, needs=(("pregnancy", None),)))
    (line,) = lines_of(world, freeze(world))
    said = line.payload
    assert said is not None
    assert said["needs"][0]["code"] == "pregnancy"
    hidden = {"family_name", "contacts", "place", "position", "zone", "household_reference", "nationalities"}
    assert not hidden & said.keys()
    assert line.is_token


# --- safe, departed, dead ---


@pytest.mark.parametrize("trust", list(Trust))
def test_no_safe_takes_anyone_off(world: World, trust: Trust) -> None:
    (person,) = world.settle(Someone())
    before = freeze(world, EVACUATION)
    say(world, person, WelfareState.SAFE, trust)
    after = freeze(world, EVACUATION, minutes=1)
    assert after.version == before.version + 1
    assert presences(lines_of(world, after)) == {person: "inside"}


def test_departed_and_deceased_leave_with_their_reason(world: World) -> None:
    gone, dead, stays = world.settle(Someone(), Someone(), Someone())
    freeze(world)
    move(world, gone, MovementState.AT_HUB)
    move(world, stays, MovementState.BOARDED)
    world.rewrite(dead, state_of_record="deceased")
    version = freeze(world, minutes=1)
    assert reasons_of(world, version) == {gone: "departed", dead: "deceased"}
    assert presences(lines_of(world, version)) == {stays: "inside"}
    assert version.changes["departed"] == {"deceased": 1, "departed": 1}


def test_a_departure_that_nobody_observed_takes_nobody_off(world: World) -> None:
    (person,) = world.settle(Someone())
    move(world, person, MovementState.DEPARTED, Trust.TOKEN)
    assert presences(lines_of(world, freeze(world))) == {person: "inside"}


def test_who_departed_and_was_seen_there_again_is_back(world: World) -> None:
    (person,) = world.settle(Someone(source="check_in", hours_old=1))
    with world.as_(world.system) as session:
        record_movement(
            session,
            world.system,
            world.event_id,
            person,
            MovementState.DEPARTED,
            source="officer",
            trust=Trust.AUTHENTICATED,
            source_at=NOW - timedelta(hours=2),
            now=NOW,
        )
    assert presences(lines_of(world, freeze(world))) == {person: "inside"}


def test_an_unconfirmed_death_takes_nobody_off(world: World) -> None:
    (person,) = world.settle(Someone())
    say(world, person, WelfareState.DEAD)
    assert presences(lines_of(world, freeze(world))) == {person: "inside"}


def test_every_other_way_to_leave_has_its_reason(world: World) -> None:
    left, with_left = world.settle(Someone(), Someone(presence=None))
    (moved,) = world.settle(Someone())
    (erased,) = world.settle(Someone())
    (lower,) = world.settle(Someone(severity=3))
    freeze(world, EVACUATION)
    world.leave_area(left)
    world.erase(erased)
    world.change(
        "update exposure set serving_post_id = :post where registering_state = :state and migrant_id = :migrant",
        post=world.posts[1],
        migrant=moved,
    )
    world.change(
        "update exposure set severity_inside = 1 where registering_state = :state and migrant_id = :migrant",
        migrant=lower,
    )
    assert reasons_of(world, freeze(world, EVACUATION, minutes=1)) == {
        left: "left_area",
        with_left: "household",
        moved: "moved_post",
        erased: "erased",
        lower: "below_threshold",
    }


# --- versions ---


def test_the_same_again_makes_no_version(world: World) -> None:
    world.settle(Someone(needs=(("wheelchair", None),)), Someone())
    first = freeze(world)
    second = freeze(world, minutes=30)
    assert second.list_id == first.list_id
    with world.as_(world.system) as session:
        assert session.execute(text("select count(*) from person_list")).scalar_one() == 1


def test_a_change_makes_the_next_version_and_marks_its_lines(world: World) -> None:
    same, changed = world.settle(Someone()) + world.settle(Someone())
    first = freeze(world)
    world.rewrite(changed, family_name="Married")
    (new,) = world.settle(Someone())
    second = freeze(world, minutes=1)
    assert (second.version, second.previous_list_id) == (2, first.list_id)
    assert {line.migrant_id: line.change for line in lines_of(world, second)} == {
        same: "same",
        changed: "changed",
        new: "new",
    }
    assert second.changes == {"new": 1, "same": 1, "changed": 1, "departed": {}}


def test_a_location_that_only_grew_older_changes_nothing(world: World) -> None:
    (person,) = world.settle(Someone())
    first = freeze(world)
    world.change(
        "update whereabouts set observed_at = observed_at + interval '1 hour' where registering_state = :state"
        " and migrant_id = :migrant",
        migrant=person,
    )
    assert freeze(world, minutes=1).list_id == first.list_id


def test_somebody_without_a_key_gets_one_and_is_listed(world: World) -> None:
    (person,) = world.settle(Someone(family_name="Keyless", has_key=False))
    (line,) = lines_of(world, freeze(world))
    assert line.migrant_id == person
    assert line.payload is not None
    assert line.payload["family_name"] == "Keyless"


def test_an_order_stays_when_only_who_people_are_changes(world: World) -> None:
    people = [world.settle(Someone())[0] for _ in range(8)]
    before = [line.migrant_id for line in lines_of(world, freeze(world))]
    for number, migrant_id in enumerate(people):
        recorded = NOW - timedelta(days=number)
        world.rewrite(migrant_id, sex=number % 3, language="tr", category="stateless", recorded_at=recorded)
        world.add_nationality(migrant_id, ["AFG", "SYR", "FRA"][number % 3])
    after = freeze(world, minutes=1)
    assert after.version == 2
    assert [line.migrant_id for line in lines_of(world, after)] == before


# --- who may ---


def test_staff_freeze_the_same_list_as_the_worker(world: World) -> None:
    """Though their own connection sees neither the member kept elsewhere nor those unknown there."""
    world.concern()
    world.settle(Someone(served_by=0), Someone(presence=None, served_by=1), keeper=1)
    world.settle(Someone(presence=None, firm=False, served_by=0), keeper=1)
    by_worker = freeze(world)
    by_staff = freeze(world, minutes=1, principal=world.cell)
    assert by_worker.line_count == 3
    assert by_staff.list_id == by_worker.list_id


def test_what_staff_freeze_first_is_whole(world: World) -> None:
    mine, elsewhere = world.settle(Someone(served_by=0), Someone(served_by=1), keeper=1)
    version = freeze(world, principal=world.cell)
    assert version.frozen_by == world.crisis_cell
    assert presences(lines_of(world, version, world.cell)) == {mine: "inside", elsewhere: "inside"}


def test_after_freezing_staff_see_what_they_saw_before(world: World) -> None:
    world.settle(Someone(served_by=1, presence=None), keeper=1)
    with world.as_(world.cell) as session:
        vault = world.vault(session)
        freeze_list(session, world.cell, vault, world.event_id, world.posts[0], ASSISTANCE, now=NOW)
        assert _visible(session) == 0


def _visible(session: Session) -> int:
    return int(session.execute(text("select count(*) from migrant")).scalar_one())


def test_freezing_needs_permission_post_and_situation(world: World) -> None:
    with pytest.raises(NotPermitted):
        freeze(world, principal=world.releaser)
    with pytest.raises(NotPermitted):
        freeze(world, post=1, principal=world.cell)
    world.event_id = uuid.uuid4()
    with pytest.raises(NotFound):
        freeze(world)


def test_a_list_of_nobody_is_a_version_when_asked_for(world: World) -> None:
    version = freeze(world)
    assert (version.line_count, version.version) == (0, 1)
    assert freeze(world, minutes=1).list_id == version.list_id


def test_exercises_are_frozen_by_hand_and_say_so(world: World) -> None:
    world.settle(Someone(born_on=date(1980, 1, 1)))
    world.change("update situation set mode = 'exercise' where registering_state = :state and event_id = :event")
    assert freeze(world, principal=world.cell).mode == "exercise"


def test_two_who_freeze_at_once_make_one_version(world: World) -> None:
    world.settle(Someone(), Someone())
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda minutes: freeze(world, minutes=minutes), (0, 1))
    assert first.list_id == second.list_id
    assert lines_of(world, first)
