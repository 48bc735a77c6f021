"""No answer is swallowed: whatever became of the record, and whatever trouble the database has for the moment."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from micic.identifiers import new_id
from micic.notifications import replies
from micic.notifications.replies import submit_reply, take_up_replies
from micic.notifications.service import count_untaken, list_unresolved_replies
from tests.notifications.world import MASTER, STATE, Change, Person, World


def _answer(world: World, person: Person, answer: str = "need_help", covers: str = "me") -> None:
    notification_id = world.value("select notification_id from notification where migrant_id = :m", m=person.migrant_id)
    token = MASTER.link_token(STATE, notification_id)
    with world.factory("micic_public").begin() as session:
        submit_reply(session, token, answer, covers, (), f"key-{uuid.uuid4()}", now=datetime.now(UTC))


def _take_up(world: World) -> int:
    return take_up_replies(world.factory(), MASTER, STATE, now=datetime.now(UTC))


def _household(world: World) -> tuple[Person, Person]:
    head, spouse = world.register(Person("head@one.example"), Person("spouse@one.example"))
    world.standing_rule()
    world.cross(Change(head), Change(spouse))
    world.apply()
    return head, spouse


def _needs(world: World) -> set[uuid.UUID]:
    return {row[0] for row in world.rows("select migrant_id from need where closed_at is null")}


def _execute(world: World, statement: str, **parameters: Any) -> None:
    with world.session() as session:
        session.execute(text(statement), parameters)


def test_a_need_from_a_record_that_says_deceased_is_opened_and_shown_to_an_officer(world: World) -> None:
    head, _ = _household(world)
    _answer(world, head)
    _execute(world, "update migrant set state_of_record = 'deceased' where migrant_id = :m", m=head.migrant_id)
    assert _take_up(world) == 1
    assert _needs(world) == {head.migrant_id}
    assert world.rows("select state, trust from welfare_entry") == [("need", "token")]
    assert world.value("select count(*) from contact_entry where state = 'answered'") == 1
    with world.session("micic_app") as session:
        (unresolved,) = list_unresolved_replies(session, STATE)
    assert (unresolved.outcome, unresolved.migrant_id) == ("from_deceased", head.migrant_id)


def test_a_need_for_the_household_of_the_deceased_hangs_on_the_living(world: World) -> None:
    head, spouse = _household(world)
    _answer(world, head, covers="household")
    _execute(world, "update migrant set state_of_record = 'deceased' where migrant_id = :m", m=head.migrant_id)
    _take_up(world)
    assert _needs(world) == {spouse.migrant_id}


def test_who_changed_households_still_speaks_for_themselves(world: World) -> None:
    head, spouse = _household(world)
    (other,) = world.register(Person("other@one.example"))
    _answer(world, spouse, covers="household")
    _execute(
        world,
        "update migrant set household_id = :h where migrant_id = :m",
        h=other.household_id,
        m=spouse.migrant_id,
    )
    assert _take_up(world) == 1
    assert _needs(world) == {spouse.migrant_id}
    assert {row[0] for row in world.rows("select migrant_id from welfare_entry")} == {spouse.migrant_id}
    assert world.value("select outcome from reply") == "taken_up"
    assert head.migrant_id not in _needs(world)


# --- trouble of the moment ---


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[int]:
    """The first `times` tries to take an answer up fail."""
    tries: list[int] = []
    genuine = replies._take_up

    def take_up(*arguments: Any) -> str:
        tries.append(1)
        if len(tries) <= times:
            raise error
        return genuine(*arguments)

    monkeypatch.setattr(replies, "_take_up", take_up)
    return tries


CANARY = "Failing row contains (Canary, canary@one.example)"


def test_a_deadlock_is_tried_again_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    head, _ = _household(world)
    _answer(world, head)
    deadlock = OperationalError("update", {}, psycopg.errors.DeadlockDetected(CANARY))
    tries = _fail(monkeypatch, deadlock, 2)
    assert _take_up(world) == 1
    assert len(tries) == 3
    assert _needs(world) == {head.migrant_id}


def test_trouble_that_lasts_leaves_the_answer_for_the_next_run_and_its_neighbours_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    head, spouse = _household(world)
    monkeypatch.setattr(replies, "LOT", 1)
    _answer(world, head)
    _answer(world, spouse)
    erased = IntegrityError("insert", {}, psycopg.errors.ForeignKeyViolation(CANARY))
    _fail(monkeypatch, erased, 3)
    assert _take_up(world) == 1
    with world.session("micic_app") as session:
        assert count_untaken(session, STATE) == 1
        assert [one.outcome for one in list_unresolved_replies(session, STATE)] == [None]
    assert _take_up(world) == 1
    assert _needs(world) == {head.migrant_id, spouse.migrant_id}
    assert "canary" not in caplog.text.lower()
    assert "IntegrityError" in caplog.text


def test_a_lost_connection_marks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    head, _ = _household(world)
    _answer(world, head)
    lost = OperationalError("select", {}, psycopg.errors.AdminShutdown("gone"), connection_invalidated=True)
    _fail(monkeypatch, lost, 1)
    with pytest.raises(OperationalError):
        _take_up(world)
    assert world.value("select outcome from reply") is None
    assert _take_up(world) == 1
    assert _needs(world) == {head.migrant_id}


def test_an_answer_at_fault_itself_is_marked_for_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    head, _ = _household(world)
    _answer(world, head)
    tries = _fail(monkeypatch, DataError("insert", {}, psycopg.errors.StringDataRightTruncation(CANARY)), 9)
    assert _take_up(world) == 1
    assert len(tries) == 1
    with world.session("micic_app") as session:
        assert [one.outcome for one in list_unresolved_replies(session, STATE)] == ["failed"]
        assert count_untaken(session, STATE) == 0
    assert "canary" not in caplog.text.lower()


def test_unresolved_answers_of_others_posts_name_nobody(world: World) -> None:
    head, _ = _household(world)
    _answer(world, head)
    _execute(world, "update reply set outcome = 'failed', taken_up_at = :at", at=datetime.now(UTC) - timedelta(hours=1))
    posts, world.post_id = world.post_id, new_id()
    with world.session("micic_app") as session:
        (unresolved,) = list_unresolved_replies(session, STATE)
    world.post_id = posts
    assert (unresolved.outcome, unresolved.migrant_id, unresolved.event_id) == ("failed", None, None)
