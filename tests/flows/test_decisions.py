"""A State's word on an alert orders the whole series anew: what a false cancel ended comes back, and only for it."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from alerts.models import Message
from geo.database import make_session_factory
from micic.clock import utc_now
from micic.demo.feed_server import FeedServer
from micic.exposure.models import Crossing
from micic.exposure.stages import cross_due_acts, cross_due_messages
from micic.security.context import set_context
from micic.security.principal import Principal, Role
from micic.watch.service import decide_alert
from tests.conftest import FreshDatabase
from tests.flows.test_feed_to_exposure import Chain
from tests.properties.world import STATE


class Deciding(Chain):
    """The chain, with a crisis cell that decides."""

    def __init__(self, database: FreshDatabase, feeds: FeedServer) -> None:
        super().__init__(database, feeds)
        self.app = make_session_factory(database.engine("micic_app"))
        self.cell = Principal(STATE, uuid.uuid4(), (self.post_id,), frozenset({Role.CRISIS_CELL}), "a decision")

    def decide(self, message_id: uuid.UUID, decision: str) -> None:
        with self.app.begin() as session:
            set_context(session, self.cell.context())
            decide_alert(session, self.cell, message_id, decision, "Checked with the seismologists.", now=utc_now())
        cross_due_acts(self.sessions, STATE, now=utc_now())
        cross_due_messages(self.sessions, STATE, now=utc_now())

    def message(self, title: str, kind: str) -> uuid.UUID:
        with self.session() as session:
            return session.execute(
                select(Message.message_id)
                .where(Message.title.contains(title), Message.kind == kind)
                .order_by(Message.sent_at.desc())
                .limit(1)
            ).scalar_one()


@pytest.fixture
def chain(fresh_database: FreshDatabase) -> Iterator[Deciding]:
    with FeedServer() as feeds:
        yield Deciding(fresh_database, feeds)


def test_rejecting_a_cancel_brings_people_back(chain: Deciding) -> None:
    chain.publish("shakemap-1")
    assert chain.exposure("izmir", "Izmir") == ("possible", None, 3)
    chain.publish("cancel")
    assert chain.exposure("izmir", "Izmir") is None
    chain.decide(chain.message("Izmir", "cancel"), "rejected")
    assert chain.exposure("izmir", "Izmir") == ("possible", None, 3)
    chain.decide(chain.message("Izmir", "cancel"), "accepted")
    assert chain.exposure("izmir", "Izmir") is None


def test_rejecting_a_wrong_update_returns_to_the_map_before(chain: Deciding) -> None:
    chain.publish("shakemap-1")
    before = chain.exposure("tekirdag")
    chain.publish("shakemap-2")
    assert chain.exposure("tekirdag") != before
    chain.decide(chain.message("Silivri", "update"), "rejected")
    assert chain.exposure("tekirdag") == before
    chain.publish("shakemap-3")
    assert chain.exposure("avcilar") is not None, "the next version counts again"


def test_rejecting_an_alert_takes_people_out_of_it(chain: Deciding) -> None:
    chain.publish("shakemap-1")
    chain.decide(chain.message("Izmir", "update"), "rejected")
    assert chain.exposure("izmir", "Izmir") is None
    assert chain.exposure("avcilar") is not None, "other alerts stand"


def test_an_act_is_crossed_once(chain: Deciding) -> None:
    chain.publish("shakemap-1")
    chain.decide(chain.message("Izmir", "update"), "rejected")
    assert cross_due_acts(chain.sessions, STATE, now=utc_now()) == 0
    with chain.session() as session:
        causes = session.execute(select(Crossing.cause_id).where(Crossing.cause == "declaration")).scalars().all()
        assert len(causes) == len(set(causes)) == 1
