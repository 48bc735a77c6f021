"""From a crossing to an answer: apply, hand over, reply, take up; and that each step done twice is done once."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from micic.demo.mail_catcher import MailCatcher
from micic.errors import Invalid, NotFound
from micic.notifications.replies import PublicLink, find_link, submit_reply, take_up_replies
from micic.security.context import Context, set_context
from micic.security.crypto import token_hash
from tests.notifications.world import MASTER, PUBLIC_URL, SENDER, STATE, Change, Person, World, email_channel

CHILD = datetime(2020, 1, 1, tzinfo=UTC).date()


def _token(link: str) -> str:
    return link.removeprefix(f"{PUBLIC_URL}/c/")


def _answer(
    world: World, token: str, answer: str, covers: str, needs: tuple[str, ...] = (), key: str = "key-00001"
) -> str:
    with world.factory("micic_public").begin() as session:
        return submit_reply(session, token, answer, covers, needs, key, now=datetime.now(UTC))


def _take_up(world: World) -> int:
    return take_up_replies(world.factory(), MASTER, STATE, now=datetime.now(UTC))


def test_a_crossing_becomes_messages_and_an_answer_becomes_news(world: World, catcher: MailCatcher) -> None:
    head, spouse, child = world.register(
        Person("head@one.example", "fr"), Person("spouse@one.example", "ar"), Person(None, "fr", born_on=CHILD)
    )
    (lonely,) = world.register(Person(None))
    world.standing_rule()
    world.cross(Change(head), Change(spouse), Change(child), Change(lonely))

    assert world.apply() == 1
    assert world.apply() == 0
    campaign = world.rows("select status, recipients, unreachable, snapshot from campaign")
    assert [row[:3] for row in campaign] == [("sending", 2, 1)]
    assert campaign[0].snapshot["persons"] == 4

    channel = email_channel(catcher.url)
    assert world.dispatch(channel).handed_over == 2
    assert world.dispatch(channel).handed_over == 0
    assert world.statuses() == {"sent": 2}
    assert world.value("select status from campaign") == "done"
    assert world.rows("select state, trust, count(*) from contact_entry group by 1, 2") == [
        ("handed_over", "known_address", 2)
    ]

    messages = {message.recipients[0]: message for message in catcher.messages()}
    french, arabic = messages["head@one.example"], messages["spouse@one.example"]
    assert (french.language, arabic.language) == ("fr", "ar")
    assert "M 7.2 - 20 km SW of Istanbul, Türkiye" in french.text
    assert "Embassy in Ankara (Philippines)" in french.text
    assert "(UTC+03:00)" in french.text
    assert "\u200f" in arabic.text
    assert "Canary" not in french.raw.decode() + french.text
    (link,) = french.links()
    assert re.fullmatch(rf"{PUBLIC_URL}/c/PHL-[a-z2-7]{{32}}", link)

    reference = _answer(world, _token(link), "need_help", "household", ("insulin",))
    assert _answer(world, _token(link), "need_help", "household", ("insulin",)) == reference
    assert _take_up(world) == 1
    assert _take_up(world) == 0
    told = world.rows("select migrant_id, state, trust, source from welfare_entry order by migrant_id")
    assert [tuple(row) for row in told] == [
        (head.migrant_id, "need", "token", "self"),
        (spouse.migrant_id, "need", "token", "household"),
        (child.migrant_id, "need", "token", "household"),
    ]
    assert world.rows("select migrant_id from contact_entry where state = 'answered'") == [(head.migrant_id,)]
    assert world.rows("select migrant_id, code, closed_at from need") == [(head.migrant_id, "insulin", None)]
    assert world.statuses() == {"sent": 1, "delivered": 1}
    assert world.value("select outcome from reply") == "taken_up"


def test_one_recipient_per_envelope_and_no_foreign_address_in_any_header(world: World, catcher: MailCatcher) -> None:
    """T14, R26."""
    people = [world.register(Person(f"p{number}@mail.example"))[0] for number in range(25)]
    world.standing_rule()
    world.cross(*map(Change, people))
    world.apply()
    world.dispatch(email_channel(catcher.url))
    caught = catcher.messages()
    assert sorted(message.recipients[0] for message in caught) == sorted(str(person.email) for person in people)
    for message in caught:
        assert len(message.recipients) == 1
        assert message.to == message.recipients
        parsed = message_from_bytes(message.raw, policy=default)
        addresses = {
            found
            for name, value in parsed.items()
            if name.lower() not in ("message-id", "x-peer")
            for found in re.findall(r"[\w.+-]+@[\w.-]+", str(value))
        }
        assert addresses == {SENDER, message.recipients[0]}
        assert parsed["Auto-Submitted"] == "auto-generated"
        assert not parsed["Cc"]
        assert not parsed["Bcc"]
        assert message.raw.isascii()
    assert len({message.message_id for message in caught}) == 25


def test_safe_takes_nobody_off_anything_and_closes_no_need(world: World, catcher: MailCatcher) -> None:
    """T7."""
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    world.dispatch(email_channel(catcher.url))
    token = _token(catcher.messages()[0].links()[0])
    _answer(world, token, "need_help", "me", key="first-key")
    _take_up(world)
    _answer(world, token, "safe", "me", key="second-key")
    _answer(world, token, "need_help", "me", key="third-key")
    before = world.rows("select * from exposure")
    assert _take_up(world) == 2
    assert world.rows("select * from exposure") == before
    assert world.rows("select code, closed_at from need") == [("general_help", None)]
    assert world.value("select count(*) from welfare_entry") == 3


def _sent_token(world: World) -> str:
    (person,) = world.register(Person("a@one.example"))
    world.standing_rule()
    world.cross(Change(person))
    world.apply()
    return MASTER.link_token(STATE, world.value("select notification_id from notification"))


def test_looking_changes_nothing_and_says_no_name(world: World) -> None:
    """T8: a scanner opens the link a hundred times."""
    token = _sent_token(world)
    before = world.rows("select * from answer_link") + world.rows("select * from reply")
    for _ in range(100):
        with world.factory("micic_public").begin() as session:
            link = find_link(session, token, now=datetime.now(UTC))
    assert link == PublicLink("M 7.2 - 20 km SW of Istanbul, Türkiye", "en", 1, expired=False)
    assert world.rows("select * from answer_link") + world.rows("select * from reply") == before


def test_unknown_malformed_revoked_and_expired_links_answer_alike(world: World) -> None:
    token = _sent_token(world)
    stranger = token[:-1] + ("a" if token[-1] != "a" else "b")
    later = datetime.now(UTC) + timedelta(days=30)
    said = set()
    for wrong, now in [
        (stranger, None),
        ("PHL-x", None),
        ("x" * 10_000, None),
        ("DEU" + token[3:], None),
        (token, later),
    ]:
        with world.factory("micic_public").begin() as session, pytest.raises(NotFound) as caught:
            submit_reply(session, wrong, "safe", "me", (), "key-00001", now=now or datetime.now(UTC))
        said.add(caught.value.detail)
    with world.session("micic_app") as session:
        session.execute(text("update answer_link set revoked_at = now()"))
    with world.factory("micic_public").begin() as session, pytest.raises(NotFound) as caught:
        find_link(session, token, now=datetime.now(UTC))
    assert said == {caught.value.detail}
    assert world.value("select count(*) from reply") == 0


MALFORMED: list[tuple[str, str, tuple[str, ...], str]] = [
    ("dead", "me", (), "key-00001"),
    ("safe", "everybody", (), "key-00001"),
    ("need_help", "me", ("no_such_need",), "key-00001"),
    ("need_help", "me", ("insulin",) * 13, "key-00001"),
    ("safe", "me", (), "short"),
    ("safe", "me", (), "k" * 65),
]


def test_a_malformed_answer_is_refused(world: World) -> None:
    token = _sent_token(world)
    for answer, covers, needs, key in MALFORMED:
        with pytest.raises(Invalid):
            _answer(world, token, answer, covers, needs, key)


def test_a_link_revoked_after_the_answer_is_not_followed(world: World) -> None:
    """The worker looks again: what was true at the form may not be true any more."""
    token = _sent_token(world)
    _answer(world, token, "safe", "me")
    with world.session("micic_app") as session:
        session.execute(text("update answer_link set revoked_at = now()"))
    assert _take_up(world) == 1
    assert world.value("select outcome from reply") == "unknown_link"
    assert world.value("select count(*) from welfare_entry") == 0


def test_nobody_speaks_for_a_member_who_lives_apart(world: World) -> None:
    head, apart = world.register(Person("head@one.example"), Person("apart@one.example", lives_apart=True))
    world.standing_rule()
    world.cross(Change(head), Change(apart))
    world.apply()
    links = {
        row.migrant_id: (row.notification_id, row.household_size)
        for row in world.rows(
            "select * from notification n join answer_link using (registering_state, notification_id)"
        )
    }
    assert {size for _, size in links.values()} == {1}
    for migrant_id, (notification_id, _) in links.items():
        _answer(world, MASTER.link_token(STATE, notification_id), "safe", "household", key=str(migrant_id))
    assert _take_up(world) == 2
    told = world.rows("select migrant_id, source from welfare_entry")
    assert {tuple(row) for row in told} == {(head.migrant_id, "self"), (apart.migrant_id, "self")}


# --- the database's own isolation ---


def test_the_public_role_sees_one_link_and_nothing_else(world: World) -> None:
    token = _sent_token(world)
    (other,) = world.register(Person("b@one.example"))
    world.cross(Change(other))
    world.apply()
    with world.factory("micic_public").begin() as session:
        set_context(session, Context(STATE))
        assert session.execute(text("select count(*) from answer_link")).scalar() == 0
        set_context(session, Context(STATE, link=token_hash(token).hex()))
        assert session.execute(text("select count(*) from answer_link")).scalar() == 1
        set_context(session, Context("DEU", link=token_hash(token).hex()))
        assert session.execute(text("select count(*) from answer_link")).scalar() == 0
    for table in ("reply", "notification", "migrant", "contact_point", "campaign", "welfare_entry"):
        with world.factory("micic_public").begin() as session:
            set_context(session, Context(STATE, link=token_hash(token).hex()))
            with pytest.raises(ProgrammingError, match="permission denied"):
                session.execute(text(f"select 1 from {table}"))
            session.rollback()


def test_the_public_role_inserts_an_open_answer_to_its_own_link_only(world: World) -> None:
    token = _sent_token(world)
    for column, value in (("token_hash", "'other'"), ("taken_up_at", "now()"), ("outcome", "'taken_up'")):
        values = {"token_hash": ":hash", "taken_up_at": "null", "outcome": "null", column: value}
        statement = (
            "insert into reply (registering_state, reply_id, submission_key, answer, covers, reference, received_at,"
            f" {', '.join(values)}) values ('PHL', :id, 'k', 'safe', 'me', 'r', now(), {', '.join(values.values())})"
        )
        with world.factory("micic_public").begin() as session:
            set_context(session, Context(STATE, link=token_hash(token).hex()))
            with pytest.raises(ProgrammingError, match="row-level security"):
                session.execute(text(statement), {"id": uuid.uuid4(), "hash": token_hash(token)})
            session.rollback()
