"""The outbox: messages claimed, unsealed and their results kept, against a bare loop of UPDATE .. SKIP LOCKED.

Nothing is sent. pgqueuer, the baseline of the goal, is not installed here; the bare loop is what any queue in
PostgreSQL does at least, and it keeps neither tries nor contacts.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, text

from alerts.models import Event
from micic.identifiers import new_id
from micic.notifications.models import Campaign, Notification
from micic.notifications.outbox import Result, claim, keep_result
from micic.notifications.rules import Outcome, next_step
from micic.posts.models import PostKey
from micic.registry.models import Household, Migrant, PersonKey
from micic.registry.vault import Vault
from micic.security.crypto import MasterKeys, new_key, seal, wrap_person_key
from micic.watch.models import Situation
from tests.benchmarks.goals import Goal, judge
from tests.benchmarks.ground import NOW, STATE, Ground
from tests.benchmarks.timing import Clock, Side, take_turns

MESSAGES = 300
RESET = (
    "update notification set status = 'created', attempts = 0, run_at = created_at",
    "delete from contact_entry",
    "delete from delivery_attempt",
    "vacuum analyze notification",
    "vacuum analyze delivery_attempt",
)

BARE_CLAIM = """
update notification n
   set status = 'sending', attempts = attempts + 1, run_at = now() + interval '60 seconds'
  from (select notification_id from notification
         where registering_state = :state and mode = 'live' and status = 'created' and run_at <= now()
         order by run_at, notification_id limit :size for update skip locked) d
 where n.registering_state = :state and n.notification_id = d.notification_id
returning n.notification_id
"""
BARE_DONE = """
update notification set status = 'sent', handed_over_at = now()
 where registering_state = :state and notification_id = any(:done)
"""


def measure_outbox(ground: Ground) -> Iterator[Goal]:
    """Claims of 10, as in production, and of 100."""
    master = MasterKeys.parse(MasterKeys.new())
    messages = 40 if ground.quick else MESSAGES
    _fill(ground, master, messages)
    for size in (10, 100):
        sides: dict[str, Side] = {"ours": _ours(ground, master, size), "bare": _bare(ground, size)}
        samples = take_turns(sides, rounds=ground.rounds(4), between=lambda: ground.superuser(*RESET), budget_s=20.0)
        found = samples["ours"].found == samples["bare"].found == messages
        yield judge(
            "outbox",
            f"{messages} messages claimed by {size} and recorded",
            "bare UPDATE .. SKIP LOCKED (pgqueuer not installed)",
            samples["ours"],
            samples["bare"],
            scale=ground.scale,
            agree=found,
        )


def _ours(ground: Ground, master: MasterKeys, size: int) -> Side:
    """As the dispatcher does: a transaction for the claim, one for each result."""

    def run(clock: Clock) -> object:
        done = 0
        with clock.measure():
            while True:
                with ground.session(keep=True) as session:
                    claimed = claim(session, Vault(session, master, STATE), STATE, "email", now=NOW, size=size)
                for one in claimed:
                    assert one.sealed is not None
                    result = Result(one, Outcome.SENT, next_step(Outcome.SENT, 1, one.prior), "", "250 taken")
                    with ground.session(keep=True) as session:
                        done += keep_result(session, STATE, result, now=NOW).was_ours
                if not claimed:
                    return done

    return run


def _bare(ground: Ground, size: int) -> Side:
    def run(clock: Clock) -> object:
        done = 0
        with clock.measure():
            while True:
                with ground.session(keep=True) as session:
                    ids = list(session.execute(text(BARE_CLAIM), {"state": STATE, "size": size}).scalars())
                if not ids:
                    return done
                with ground.session(keep=True) as session:
                    session.execute(text(BARE_DONE), {"state": STATE, "done": ids})
                done += len(ids)

    return run


def _fill(ground: Ground, master: MasterKeys, messages: int) -> None:
    """A campaign under way, its messages sealed with the keys of their persons."""
    event_id, campaign_id = new_id(), new_id()
    post_id, post_key = ground.posts[1], new_key()
    due = datetime.now(UTC) - timedelta(hours=1)
    with ground.session(role="micic_app", keep=True) as session:
        wrapped, key_id = master.wrap_post_key(post_id, post_key)
        session.add(PostKey(registering_state=STATE, post_id=post_id, wrapped_key=wrapped, master_key_id=key_id))
    with ground.session(keep=True) as session:
        session.add(Event(event_id=event_id, title="bench", began_at=NOW, recorded_at=NOW))
        session.flush()
        session.add(Situation(registering_state=STATE, event_id=event_id, title="bench", began_at=NOW, opened_at=NOW))
        session.flush()
        session.add(
            Campaign(
                registering_state=STATE,
                campaign_id=campaign_id,
                mode="live",
                event_id=event_id,
                template_id=new_id(),
                status="sending",
                snapshot={},
                drafted_at=NOW,
            )
        )
        session.flush()
        people = [(new_id(), new_id(), new_id(), new_key()) for _ in range(messages)]
        session.execute(insert(Household), [_household(home, post_id, n) for n, (home, *_) in enumerate(people)])
        session.execute(insert(Migrant), [_migrant(who, home, post_id, n) for n, (home, who, *_) in enumerate(people)])
        session.execute(
            insert(PersonKey),
            [
                {
                    "registering_state": STATE,
                    "migrant_id": who,
                    "post_id": post_id,
                    "wrapped_key": wrap_person_key(post_key, who, key),
                }
                for _, who, _, key in people
            ],
        )
        session.execute(
            insert(Notification),
            [
                {
                    "registering_state": STATE,
                    "notification_id": message_id,
                    "campaign_id": campaign_id,
                    "mode": "live",
                    "event_id": event_id,
                    "migrant_id": who,
                    "household_id": home,
                    "channel": "email",
                    "contact_point_id": new_id(),
                    "language": "en",
                    "payload": _sealed(key, message_id),
                    "keeper_post_id": post_id,
                    "run_at": due,
                    "expires_at": due + timedelta(days=2),
                    "created_at": due,
                }
                for home, who, message_id, key in people
            ],
        )
    ground.superuser("analyze notification", "analyze campaign", "analyze person_key")


def _household(household_id: uuid.UUID, post_id: uuid.UUID, number: int) -> dict[str, object]:
    return {
        "registering_state": STATE,
        "household_id": household_id,
        "keeper_post_id": post_id,
        "reference": f"OUT{number}",
        "recorded_at": NOW,
    }


def _migrant(migrant_id: uuid.UUID, household_id: uuid.UUID, post_id: uuid.UUID, number: int) -> dict[str, object]:
    return {
        "registering_state": STATE,
        "migrant_id": migrant_id,
        "household_id": household_id,
        "keeper_post_id": post_id,
        "reference": f"OUT{number}",
        "is_head": True,
        "family_name": "Invented",
        "given_names": "Person",
        "name_key": "invented person",
        "record_origin": "officer",
        "basis": "consent",
        "confirmed_at": NOW,
        "recorded_at": NOW,
    }


def _sealed(key: bytes, message_id: uuid.UUID) -> bytes:
    words = json.dumps(["person@invented.example", "Invented subject", "Invented words. " * 40, "Post"])
    return seal(key, words.encode(), f"notification:{message_id}:payload")
