"""Whom a standing rule has not told though they are still in the event: the message expired or was refused, or an
address came later. One more campaign then, under the guards of the others. Dials nobody.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from geo.database import read_statement
from micic.notifications.campaigns import DECLARED, Origin, lock_rule_in_event, make_campaign
from micic.notifications.models import Campaign, MessageRule
from micic.notifications.queries import list_due
from micic.notifications.rules import Member, adult_born_by
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys
from micic.watch.models import Situation

PAUSE = timedelta(minutes=1)  # between two looks of one rule at one event

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Untold:
    """A person whom the rule means and has not told. `declared`: a person's act alone put them in the event, and
    nobody approved telling them so.
    """

    migrant_id: uuid.UUID
    household_id: uuid.UUID
    severity: int
    country: str
    serving_post_id: uuid.UUID | None
    declared: bool


def remind_untold(
    session_factory: sessionmaker[Session], master: MasterKeys, state: str, *, now: datetime, mode: str = "live"
) -> int:
    """The worker's stage: one campaign for those whom a rule has not told in an event that they are still in, if it
    can reach any of them by an address not tried in vain. How many campaigns.

    Looks at most once a minute per rule and event, whichever worker comes first. A crossing that the rule has yet to
    meet is left to it. One that fails is logged and looked at again a minute later.
    """
    with session_factory.begin() as session:
        set_context(session, Context(state))
        turns = session.execute(
            text(read_statement(__package__, "untold_due.sql")),
            {"state": state, "mode": mode, "now": now, "pause": PAUSE},
        ).all()
    made = 0
    for rule_id, event_id in turns:
        try:
            with session_factory.begin() as session:
                set_context(session, Context(state))
                vault = Vault(session, master, state)
                made += _remind(session, vault, state, rule_id, event_id, now=now, mode=mode) is not None
        except Exception as error:
            logger.error("rule %s, reminder in event %s: %s", rule_id, event_id, type(error).__name__)
    return made


def _remind(
    session: Session, vault: Vault, state: str, rule_id: uuid.UUID, event_id: uuid.UUID, *, now: datetime, mode: str
) -> Campaign | None:
    """The deciding transaction. Those who need a person's approval come last, so that nobody else waits for it."""
    lock_rule_in_event(session, state, rule_id, event_id)
    rule = session.get(MessageRule, (state, rule_id), populate_existing=True)
    situation = session.get(Situation, (state, event_id), populate_existing=True)
    if rule is None or rule.retired_at is not None or situation is None or situation.mode != mode:
        return None
    due = list_due(session, state, mode, now=now, rule_id=rule_id, event_id=event_id)
    unmet = [one.crossing_id for one in due]
    untold = _list_untold(session, rule, event_id, unmet, now)
    for declared in (False, True):
        origin = Origin(
            rule,
            situation,
            mode,
            since=now,
            waits=[DECLARED] if declared else [],
            campaign_id=_campaign_id(rule_id, event_id, now),
        )
        members = _list_members(session, rule, event_id, [one for one in untold if one.declared == declared])
        if campaign := make_campaign(session, vault, origin, members, now=now, may_be_empty=False):
            return campaign
    return None


def _campaign_id(rule_id: uuid.UUID, event_id: uuid.UUID, now: datetime) -> uuid.UUID:
    """The same for the whole minute: a reminder made twice is one."""
    return uuid.uuid5(rule_id, f"{event_id} {int(now.timestamp() // PAUSE.total_seconds())}")


def _list_untold(
    session: Session, rule: MessageRule, event_id: uuid.UUID, unmet: Sequence[uuid.UUID], now: datetime
) -> list[Untold]:
    parameters = {
        "approved_at": rule.approved_at,
        "unmet": list(unmet),
        "adult_born": adult_born_by(now.date()),
        "min_inside": rule.min_severity_inside,
        "min_possible": rule.min_severity_possible,
    }
    return [Untold(*row) for row in _run(session, "untold.sql", rule, event_id, parameters)]


def _list_members(session: Session, rule: MessageRule, event_id: uuid.UUID, untold: Sequence[Untold]) -> list[Member]:
    """Everybody in the households of the untold; the rule means the untold only."""
    if not untold:
        return []
    households = sorted({one.household_id for one in untold})
    meant = {one.migrant_id: one for one in untold}
    members = []
    for row in _run(session, "untold_members.sql", rule, event_id, {"households": households}):
        member = Member(*row)
        if one := meant.get(member.migrant_id):
            member = replace(member, severity=one.severity, country=one.country, serving_post_id=one.serving_post_id)
        members.append(member)
    return members


def _run(
    session: Session, name: str, rule: MessageRule, event_id: uuid.UUID, parameters: dict[str, Any]
) -> Sequence[Any]:
    statement = read_statement(__package__, name)
    for part in ("dead", "usable"):
        statement = statement.replace(f"{{{part}}}", read_statement(__package__, f"{part}.sql"))
    common = {
        "state": rule.registering_state,
        "event": event_id,
        "rule": rule.rule_id,
        "channel": rule.channel,
    }
    return session.execute(text(statement), {**common, **parameters}).all()
