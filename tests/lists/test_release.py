"""Releasing by a second person, reading with a trace, proving after erasure, comparing versions."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from micic.errors import Conflict, FourEyes, Invalid, NotFound, NotPermitted, PurposeMissing
from micic.lists.models import PersonList
from micic.lists.service import compare_lists, read_lines, release_list, verify_list
from micic.security.principal import Principal, Role
from tests.lists.acts import EVACUATION, freeze, lines_of, release
from tests.lists.builders import NOW, Someone, World

CANARY = "Zanzibarquist"
PHONE = "+905550001122"


def audited(world: World, action: str) -> list[dict[str, object]]:
    with world.as_(world.cell) as session:
        rows = session.execute(
            text(
                "select actor, purpose, subject_id, details from audit_entry where registering_state = :state"
                " and action = :action order by at"
            ),
            {"state": world.state, "action": action},
        )
        return [dict(row) for row in rows.mappings()]


# --- four eyes ---


def test_what_the_system_froze_one_person_releases(world: World) -> None:
    world.settle(Someone())
    version = release(world, freeze(world), "red_cross")
    assert (version.status, version.released_by, version.recipient_class) == ("released", world.approver, "red_cross")
    (entry,) = audited(world, "list.release")
    assert entry["subject_id"] == version.list_id
    assert entry["details"] == {"recipient_class": "red_cross"}


def test_whoever_froze_it_may_not_release_it(world: World) -> None:
    world.settle(Someone())
    version = freeze(world, principal=world.cell)
    with pytest.raises(FourEyes):
        release(world, version, "internal", world.staff_of_both)
    assert release(world, version, "internal").released_by == world.approver


def test_the_database_knows_four_eyes_too(world: World) -> None:
    version = freeze(world, principal=world.cell)
    with world.as_(world.cell) as session, pytest.raises(IntegrityError, match="four_eyes"):
        session.execute(
            text("update person_list set status = 'released', released_at = now(), released_by = frozen_by")
        )
    with pytest.raises(ProgrammingError, match="permission denied"):
        world.change("update person_list set frozen_by = null")
    assert version.status == "frozen"


def test_the_system_releases_nothing(world: World) -> None:
    with pytest.raises((FourEyes, NotPermitted)):
        release(world, freeze(world), "internal", world.system)


def test_a_release_needs_role_post_class_recipient_and_happens_once(world: World) -> None:
    version = freeze(world)
    with pytest.raises(NotPermitted):
        release(world, version, "internal", world.cell)
    with pytest.raises(NotFound):
        release(world, version, "internal", world.staff(world.approver, Role.APPROVER, post=1))
    with pytest.raises(Invalid):
        release(world, version, "everybody")
    with world.as_(world.releaser) as session, pytest.raises(Invalid):
        release_list(session, world.releaser, version.list_id, "internal", " ", now=NOW)
    release(world, version, "internal")
    with pytest.raises(Conflict):
        release(world, version, "red_cross")


# --- reading ---


def test_a_read_is_one_audit_row_that_names_the_list_and_nobody(world: World) -> None:
    world.settle(Someone(family_name=CANARY), Someone(), Someone())
    version = freeze(world)
    assert len(lines_of(world, version, world.cell)) == 3
    (entry,) = audited(world, "list.read")
    assert entry["actor"] == str(world.crisis_cell)
    assert entry["purpose"] == f"event:{world.event_id}"
    assert (entry["subject_id"], entry["details"]) == (version.list_id, {"lines": 3})


def test_reading_needs_a_purpose_and_the_post(world: World) -> None:
    world.settle(Someone())
    version = freeze(world)
    with pytest.raises(PurposeMissing):
        lines_of(world, version, world.cell.for_purpose(""))
    with pytest.raises(NotFound):
        lines_of(world, version, world.staff(world.crisis_cell, Role.OFFICER, post=1))
    with pytest.raises(NotPermitted):
        lines_of(world, version, world.staff(world.crisis_cell, Role.OPERATOR))


def test_a_post_reads_its_list_whoever_keeps_the_people_and_after_it_is_over(world: World) -> None:
    people = world.settle(Someone(family_name=CANARY), Someone(presence=None), keeper=1)
    version = freeze(world)
    for migrant_id in people:
        world.leave_area(migrant_id)
    assert [line.payload is not None for line in lines_of(world, version, world.cell)] == [True, True]


# --- canary ---


def test_no_row_of_a_list_holds_a_name_a_number_or_a_place(world: World) -> None:
    world.settle(
        Someone(
            family_name=CANARY,
            original="Ζανζιβαρ",
            contacts=(("phone", PHONE),),
            place=f"{CANARY} Lane 7",
            needs=(("insulin", 3),),
        )
    )
    (line,) = lines_of(world, freeze(world))
    assert CANARY in json.dumps(line.payload)
    kept = []
    with world.as_(world.system) as session:
        for table in ("person_list", "list_line", "list_departure", "list_run", "audit_entry"):
            rows = session.execute(
                text(f"select row_to_json(t)::text, t::text from {table} t where registering_state = :state"),
                {"state": world.state},
            )
            kept += [part for row in rows for part in row]
        payloads = session.execute(
            text("select payload || salt || line_hash || fingerprint from list_line where registering_state = :state"),
            {"state": world.state},
        ).scalars()
        raw = b"".join(payloads)
    everything = "\n".join(kept)
    for secret in (CANARY, "Ζανζιβαρ", PHONE, "insulin", "Lane"):
        assert secret not in everything
        assert secret.encode() not in raw
        assert secret.encode().hex() not in everything


# --- proving ---


def verify(world: World, version: PersonList, who: Principal | None = None) -> tuple[int, int, tuple[str, ...]]:
    who = who or world.system
    with world.as_(who) as session:
        found = verify_list(session, who, world.vault(session), version.list_id)
        assert found.holds == (not found.problems)
        return found.lines, found.erased, found.problems


def test_a_list_verifies_also_when_somebody_on_it_was_erased(world: World) -> None:
    gone, stays = world.settle(Someone(family_name=CANARY), Someone())
    first = freeze(world)
    world.rewrite(stays, family_name="Married")
    second = freeze(world, minutes=1)
    assert verify(world, first) == (2, 0, ())
    world.erase(gone)
    for version in (first, second):
        assert verify(world, version) == (2, 1, ())
        assert verify(world, version, world.cell) == (2, 1, ())
    lines = {line.migrant_id: line for line in lines_of(world, first)}
    assert lines[gone].payload is None
    assert lines[stays].payload is not None
    assert freeze(world, minutes=2).changes["departed"] == {"erased": 1}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("update list_line set tier = 1", "the list"),
        ("update list_line set salt = '\\x00'", "line"),
        ("update list_line set payload = payload || '\\x00'", "line"),
        ("update list_line set line_no = line_no + 10", "the list"),
        ("delete from list_line where line_no = 2", "the list"),
        ("update person_list set frozen_by = gen_random_uuid()", "the list"),
        (
            "insert into list_departure select registering_state, list_id, list_id, 'erased' from person_list",
            "",
        ),
    ],
)
def test_whatever_is_changed_afterwards_is_found(world: World, change: str, problem: str) -> None:
    world.settle(Someone(), Someone())
    version = freeze(world)
    where = " and" if " where " in change else " where"
    world.change_as_superuser(f"{change}{where} registering_state = '{world.state}'")
    problems = verify(world, version)[2]
    assert problems
    assert any(problem in found for found in problems)


# --- comparing ---


def test_comparing_says_who_is_new_what_changed_and_who_left(world: World) -> None:
    moved, left, same = (world.settle(Someone())[0] for _ in range(3))
    first = freeze(world, EVACUATION)
    world.change(
        "update exposure set severity_inside = 3 where registering_state = :state and migrant_id = :migrant",
        migrant=moved,
    )
    world.leave_area(left)
    (new,) = world.settle(Someone())
    second = freeze(world, EVACUATION, minutes=1)
    with world.as_(world.cell) as session:
        found = compare_lists(session, world.cell, world.vault(session), second.list_id, now=NOW)
    assert (found.version, found.previous_version, found.new, found.same) == (2, first.version, (new,), 1)
    assert [(line.migrant_id, line.fields) for line in found.changed] == [(moved, ("sentence", "severity_inside"))]
    assert found.departed == {left: "left_area"}
    assert same not in found.departed
    assert len(audited(world, "list.compare")) == 1


def test_the_first_version_has_nothing_to_compare_with(world: World) -> None:
    (person,) = world.settle(Someone())
    version = freeze(world)
    with world.as_(world.cell) as session:
        found = compare_lists(session, world.cell, world.vault(session), version.list_id, now=NOW)
    assert (found.previous_version, found.new, found.changed) == (None, (person,), ())


def test_a_line_that_was_tampered_with_is_shown_as_damaged(world: World) -> None:
    world.settle(Someone())
    version = freeze(world)
    world.change_as_superuser(
        f"update list_line set payload = payload || '\\x00' where registering_state = '{world.state}'"
    )
    with world.as_(world.cell) as session:
        (line,) = read_lines(session, world.cell, world.vault(session), version.list_id, now=NOW)
    assert line.is_damaged
