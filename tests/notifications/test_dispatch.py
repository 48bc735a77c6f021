"""The outbox under failure: stops, expiry, outages, poison, doubt, lost connections."""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from micic.demo.mail_catcher import MailCatcher
from micic.notifications.channels import Delivery, Outgoing
from micic.notifications.dispatch import Dispatcher
from micic.notifications.outbox import Claimed, claim, keep_result, renew
from micic.notifications.rules import Outcome
from micic.notifications.service import stop_campaign
from micic.registry.vault import Vault
from tests.notifications.world import MASTER, PUBLIC_URL, STATE, World, campaign_of, email_channel

Answer = Delivery | Exception


class Scripted:
    """A channel in memory: answers by address, else *sent*; remembers what it was given."""

    name = "email"

    def __init__(self, answers: dict[str, Answer] | None = None, accepted: bool | None = None) -> None:
        self.answers, self.accepted = answers or {}, accepted
        self.sent: list[Outgoing] = []
        self.asked = 0
        self.before_send: Any = None
        self.ready = True

    def is_ready(self) -> bool:
        return self.ready

    def send(self, message: Outgoing) -> Delivery:
        if self.before_send is not None:
            self.before_send(message)
        self.sent.append(message)
        answer = self.answers.get(message.address, Delivery(Outcome.SENT, "250"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def was_accepted(self, notification_id: uuid.UUID) -> bool | None:
        self.asked += 1
        return self.accepted

    def close(self) -> None:
        pass


def _outcomes(world: World) -> Counter[str]:
    return Counter({row.outcome: row.number for row in world.rows(
        "select outcome, count(*) as number from delivery_attempt group by 1")})  # fmt: skip


# --- expiry and stop ---


def test_nothing_is_sent_after_its_expiry(world: World, catcher: MailCatcher) -> None:
    """R24: the dispatcher stood still past the expiry."""
    campaign_of(world, 12, expires_after_s=3600)
    later = datetime.now(UTC) + timedelta(hours=2)
    assert not world.dispatch(email_channel(catcher.url), now=later).outcomes
    assert catcher.messages() == ()
    assert world.statuses() == {"expired": 12}
    assert world.value("select status from campaign") == "done"


def test_a_message_that_expires_during_the_run_is_not_sent(world: World) -> None:
    campaign_of(world, 3, expires_after_s=3600)
    dispatcher = Dispatcher(world.factory(), MASTER, STATE, channel := Scripted(), PUBLIC_URL, now=datetime.now(UTC))
    channel.before_send = lambda _: setattr(dispatcher, "_began", dispatcher._began - 4000)
    dispatcher.run(100)
    assert len(channel.sent) == 1
    assert world.statuses() == {"sent": 1, "expired": 2}


def test_a_stop_lets_at_most_the_message_being_dialled_go(world: World) -> None:
    """T12: within the lot that is already claimed as well."""
    campaign_of(world, 30)
    channel = Scripted()

    def stop(message: Outgoing) -> None:
        if len(channel.sent) == 4:
            with world.session("micic_app") as session:
                campaign_id = session.execute(text("select campaign_id from campaign")).scalar_one()
                stop_campaign(session, world.approver, campaign_id, now=datetime.now(UTC))

    channel.before_send = stop
    began = time.monotonic()
    world.dispatch(channel)
    assert time.monotonic() - began < 5
    assert len(channel.sent) == 5
    assert world.statuses() == {"sent": 5, "stopped": 25}
    world.make_due()
    world.dispatch(channel)
    assert len(channel.sent) == 5
    assert world.value("select status from campaign") == "stopped"


# --- providers that fail ---


def test_refusals_by_kind(world: World) -> None:
    campaign_of(world, 3)
    channel = Scripted(
        {
            "p0@mail.example": Delivery(Outcome.PERMANENT, "recipient 550", is_address_dead=True),
            "p1@mail.example": Delivery(Outcome.TEMPORARY, "text 451"),
        }
    )
    world.dispatch(channel)
    assert world.statuses() == {"permanent_failure": 1, "temporary_failure": 1, "sent": 1}
    assert world.value("select count(*) from contact_point where bounced_at is not null") == 1
    pause = world.value("select run_at - now() from notification where status = 'temporary_failure'")
    assert timedelta(seconds=20) < pause <= timedelta(seconds=30)
    assert world.rows("select state, count(*) from contact_entry group by 1 order by 1") == [
        ("failed", 1),
        ("handed_over", 1),
    ]


def test_a_slow_provider_takes_no_more_than_its_budget(world: World) -> None:
    """What is left is due in the next run, and nothing of it is held."""
    campaign_of(world, 35)
    slow = Scripted()
    slow.before_send = lambda _: time.sleep(0.03)
    done = world.dispatch(slow, budget_s=0.4)
    assert done.handed_over == len(slow.sent)
    assert 10 <= len(slow.sent) < 35
    assert len(slow.sent) % 10 == 0
    assert world.statuses() == {"sent": len(slow.sent), "created": 35 - len(slow.sent)}
    assert world.dispatch(slow, budget_s=0).handed_over == 0
    world.dispatch(slow)
    assert world.statuses() == {"sent": 35}


def test_poison_is_parked_after_five_tries_and_its_neighbours_go_on(world: World) -> None:
    """R11."""
    campaign_of(world, 12)
    channel = Scripted(
        {"p3@mail.example": RuntimeError("a@secret.example"), "p4@mail.example": Delivery(Outcome.TEMPORARY)}
    )
    for _ in range(8):
        world.dispatch(channel)
        world.make_due()
    assert world.statuses() == {"sent": 10, "permanent_failure": 2}
    assert Counter(message.address for message in channel.sent)["p3@mail.example"] == 5
    parked = world.rows("select last_error from notification where status = 'permanent_failure' order by 1")
    assert [row[0] for row in parked] == ["5 tries: None", "5 tries: RuntimeError"]
    assert world.value("select count(*) from delivery_attempt where detail like '%secret%'") == 0


def test_an_unreadable_message_is_parked_at_once(world: World) -> None:
    campaign_of(world, 3)
    with world.session() as session:
        session.execute(
            text(
                "update notification set payload = 'x'"
                " where notification_id = (select notification_id from notification limit 1)"
            )
        )
    world.dispatch(channel := Scripted())
    assert len(channel.sent) == 2
    assert world.rows("select last_error from notification where status = 'permanent_failure'") == [
        ("key destroyed or text unreadable",)
    ]


def test_an_outage_uses_up_no_try(world: World, catcher: MailCatcher) -> None:
    campaign_of(world, 12)
    channel = email_channel(catcher.url)
    catcher.stop()
    for _ in range(7):
        assert not world.dispatch(channel).is_provider_there
    assert world.value("select count(*) from delivery_attempt") == 0
    away = Scripted({f"p{n}@mail.example": Delivery(Outcome.UNAVAILABLE, "no connection") for n in range(12)})
    for _ in range(7):
        assert not world.dispatch(away).is_provider_there
        world.make_due()
    assert len(away.sent) == 7
    assert world.statuses() == {"created": 12}
    catcher.start()
    assert world.dispatch(email_channel(catcher.url)).handed_over == 12


def test_a_result_outlives_the_loss_of_the_database_connection(world: World) -> None:
    campaign_of(world, 2)
    channel = Scripted()
    channel.before_send = lambda _: world.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = 'micic_worker' and datname = current_database() and pid <> pg_backend_pid()"
    )
    with world.session(), world.session():  # so that the pool keeps several connections, to be cut under it
        pass
    world.dispatch(channel)
    assert world.statuses() == {"sent": 2}
    assert _outcomes(world) == {"sent": 2}


def test_one_connection_serves_a_run_and_outlives_a_hang_up(world: World, catcher: MailCatcher) -> None:
    campaign_of(world, 30)
    channel = email_channel(catcher.url)
    clients = set()
    send = channel.send

    def watched(message: Outgoing) -> Delivery:
        delivery = send(message)
        clients.add(id(channel._client))
        return delivery

    channel.send = watched  # type: ignore[method-assign]
    assert world.dispatch(channel, limit=20).handed_over == 20
    assert len(clients) == 1
    assert channel.is_ready()
    catcher.stop()
    catcher.start()
    assert world.dispatch(channel).handed_over == 10


# --- doubt ---


def _doubtful(world: World) -> None:
    """One message whose dispatcher died while it had it."""
    campaign_of(world, 1)
    with world.session() as session:
        claim(session, Vault(session, MASTER, STATE), STATE, "email", now=datetime.now(UTC))
    world.make_due()


@pytest.mark.parametrize(
    ("accepted", "sent", "status", "outcomes"),
    [
        (True, 0, "sent", {"uncertain": 1, "accepted_before": 1}),
        (False, 1, "sent", {"uncertain": 1, "sent": 1}),
        (None, 1, "sent", {"uncertain": 1, "sent": 1}),
    ],
)
def test_a_lapsed_lease_is_a_doubt_that_is_asked_about(
    world: World, accepted: bool | None, sent: int, status: str, outcomes: dict[str, int]
) -> None:
    _doubtful(world)
    world.dispatch(channel := Scripted(accepted=accepted))
    assert (channel.asked, len(channel.sent)) == (1, sent)
    assert world.statuses() == {status: 1}
    assert _outcomes(world) == outcomes


def test_doubt_without_a_providers_word_is_tried_once_more_and_then_held(world: World) -> None:
    campaign_of(world, 1)
    channel = Scripted({"p0@mail.example": Delivery(Outcome.UNCERTAIN, "connection lost after the text")})
    for _ in range(5):
        world.dispatch(channel)
        world.make_due()
    assert len(channel.sent) == 2
    assert len({message.notification_id for message in channel.sent}) == 1
    assert world.statuses() == {"uncertain": 1}
    assert world.value("select last_error from notification") == "held: not known whether it arrived"
    assert world.value("select status from campaign") == "done"


def test_doubt_about_a_message_that_is_not_for_life_safety_is_held(world: World) -> None:
    _doubtful(world)
    with world.session() as session:
        session.execute(text("update campaign set snapshot = snapshot - 'life_safety'"))
    world.dispatch(channel := Scripted())
    assert channel.sent == []
    assert world.statuses() == {"uncertain": 1}


@pytest.mark.parametrize(("accepted", "status"), [(True, "sent"), (False, "expired"), (None, "uncertain")])
def test_doubt_past_the_expiry_is_answered_but_not_sent(world: World, accepted: bool | None, status: str) -> None:
    _doubtful(world)
    later = datetime.now(UTC) + timedelta(days=2)
    world.dispatch(channel := Scripted(accepted=accepted), now=later)
    assert channel.sent == []
    assert world.statuses() == {status: 1}


def test_a_late_result_does_not_overwrite_a_later_try(world: World) -> None:
    """The number of the try is the fence; but what is known of the late try stays in its own row."""
    campaign_of(world, 1)
    with world.session() as session:
        (late,) = claim(session, Vault(session, MASTER, STATE), STATE, "email", now=datetime.now(UTC))
    world.make_due()
    dispatcher = Dispatcher(world.factory(), MASTER, STATE, Scripted(accepted=False), PUBLIC_URL, now=datetime.now(UTC))
    dispatcher.run(10)
    result = dispatcher._delivered(late, Delivery(Outcome.TEMPORARY, "text 451"))
    with world.session() as session:
        assert not keep_result(session, STATE, result, now=datetime.now(UTC)).was_ours
    assert world.statuses() == {"sent": 1}
    assert _outcomes(world) == {"temporary_failure": 1, "sent": 1}


def test_a_lease_about_to_end_is_renewed_before_the_next_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign_of(world, 5)
    monkeypatch.setattr("micic.notifications.dispatch.LONGEST_TRY", timedelta(seconds=60))
    renewed: list[int] = []

    def watched(session: Session, state: str, claims: Sequence[Claimed]) -> set[uuid.UUID]:
        renewed.append(len(claims))
        return renew(session, state, claims)

    monkeypatch.setattr("micic.notifications.dispatch.renew", watched)
    world.dispatch(channel := Scripted())
    assert renewed == [5, 4, 3, 2, 1]
    assert len(channel.sent) == 5
    assert world.statuses() == {"sent": 5}


def test_two_dispatchers_at_once_send_each_message_once(world: World) -> None:
    campaign_of(world, 60)
    channels = [Scripted(), Scripted()]
    threads = [Thread(target=world.dispatch, args=(channel,)) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = Counter(message.address for channel in channels for message in channel.sent)
    assert set(sent.values()) == {1}
    assert len(sent) == 60
    assert world.statuses() == {"sent": 60}


def test_the_try_is_committed_before_anybody_is_dialled_and_no_transaction_is_open_then(world: World) -> None:
    campaign_of(world, 1)
    seen: list[Any] = []
    channel = Scripted()
    channel.before_send = lambda _: seen.extend(
        world.rows(
            "select a.attempt, a.ended_at, n.status, (select count(*) from pg_stat_activity"
            " where datname = current_database() and state like 'idle in transaction%')"
            " from delivery_attempt a join notification n using (notification_id)"
        )
    )
    world.dispatch(channel)
    assert [tuple(row) for row in seen] == [(1, None, "sending", 0)]
