"""What a standing rule does when a crossing is committed: one campaign with its messages and answer links.

The deciding transaction: campaign, outbox and links come together or not at all, and a rule meets a crossing once.
Whatever goes beyond what two people approved waits for a person. Dials nobody.
"""

import logging
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from micic.audit.service import record
from micic.exposure.models import Crossing
from micic.identifiers import new_id, new_reference
from micic.notifications.models import Campaign, MessageRule
from micic.notifications.outbox import Wording, fill, open_addresses
from micic.notifications.queries import (
    Due,
    find_declarer,
    find_end_of_zones,
    list_due,
    list_members,
    list_posts,
    list_texts,
    was_stopped,
)
from micic.notifications.rules import Audience, Member, choose_audience, choose_readers
from micic.notifications.templates import safe_title
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys
from micic.watch.models import Situation

DECLARATION = "declaration"  # the cause of a crossing: a person's act
DECLARED = "one person's act put these people in the event"

logger = logging.getLogger(__name__)


def apply_rules(
    session: Session, vault: Vault, state: str, crossing_id: uuid.UUID, *, now: datetime, mode: str = "live"
) -> list[Campaign]:
    """Let every approved rule meet one crossing, in the caller's transaction: campaign, messages and answer links
    together or not at all. Meeting it again does nothing. Situations of the other mode are left alone; an exercise
    can be written by the exercise role only.
    """
    due = list_due(session, state, mode, now=now, crossing_id=crossing_id)
    made = [_apply(session, vault, state, one, now=now, mode=mode) for one in due]
    return [campaign for campaign in made if campaign is not None]


def apply_due_rules(
    session_factory: sessionmaker[Session], master: MasterKeys, state: str, *, now: datetime, mode: str = "live"
) -> int:
    """The worker's stage: every rule and crossing that have not met, each in a transaction of its own. How many met.

    One that fails is logged and left for the next round; the others go on.
    """
    with session_factory.begin() as session:
        set_context(session, Context(state))
        due = list_due(session, state, mode, now=now)
    met = 0
    for one in due:
        try:
            with session_factory.begin() as session:
                set_context(session, Context(state))
                vault = Vault(session, master, state)
                met += _apply(session, vault, state, one, now=now, mode=mode) is not None
        except Exception as error:
            logger.error("rule %s, crossing %s: %s", one.rule_id, one.crossing_id, type(error).__name__)
    return met


@dataclass(frozen=True)
class Origin:
    """Why a campaign is made: the rule, the situation, and the crossing they met, or none for a reminder.

    `since` is where its validity begins. `seen` are the crossings that the rule has yet to meet and that its messages
    speak of already. `waits` are the reasons to ask a person first; `drafted_by` is whose act it rests on.
    """

    rule: MessageRule
    situation: Situation
    mode: str
    since: datetime
    crossing_id: uuid.UUID | None = None
    seen: Collection[uuid.UUID] = ()
    waits: Sequence[str] = ()
    drafted_by: uuid.UUID | None = None
    campaign_id: uuid.UUID = field(default_factory=new_id)


def _apply(session: Session, vault: Vault, state: str, due: Due, *, now: datetime, mode: str) -> Campaign | None:
    """The deciding transaction of one rule, one crossing and one event; None when another worker was first.

    A campaign without recipients is kept as well: it says that the rule looked, and whom it could not reach.
    """
    lock_rule_in_event(session, state, due.rule_id, due.event_id)
    rule = session.get(MessageRule, (state, due.rule_id), populate_existing=True)
    situation = session.get(Situation, (state, due.event_id), populate_existing=True)
    crossing = session.get(Crossing, (state, due.crossing_id))
    if rule is None or rule.retired_at is not None or situation is None or situation.mode != mode or crossing is None:
        return None
    unmet = list_due(session, state, mode, now=now, rule_id=due.rule_id, event_id=due.event_id)
    is_declared = crossing.cause == DECLARATION and crossing.cause_id is not None
    origin = Origin(
        rule,
        situation,
        mode,
        since=crossing.recorded_at,
        crossing_id=crossing.crossing_id,
        seen=[one.crossing_id for one in unmet if one.crossing_id != crossing.crossing_id],
        waits=[DECLARED] if crossing.cause == DECLARATION else [],
        drafted_by=find_declarer(session, state, crossing.cause_id) if is_declared and crossing.cause_id else None,
    )
    return make_campaign(session, vault, origin, list_members(session, state, due, rule), now=now)


def make_campaign(
    session: Session,
    vault: Vault,
    origin: Origin,
    members: Sequence[Member],
    *,
    now: datetime,
    may_be_empty: bool = True,
) -> Campaign | None:
    """A campaign with its messages and answer links, in the caller's transaction, under `lock_rule_in_event`; None
    when it was made before, or would reach nobody and may not be empty.
    """
    affected = choose_readers(members, today=now.date())
    addresses, keys = open_addresses(vault, affected)
    audience = choose_audience(affected, addresses)
    if not (audience.recipients or may_be_empty):
        return None
    wording = _wording(session, origin, now)
    campaign = _campaign(origin, audience, wording, _reasons_to_wait(session, origin, audience), now)
    if not _insert(session, campaign):
        return None
    languages = fill(session, vault, campaign, audience.recipients, keys, wording)
    if origin.mode == "live":
        _note(session, campaign, languages, now)
    return campaign


def _wording(session: Session, origin: Origin, now: datetime) -> Wording:
    """A message is valid as long as the rule says, counted from the crossing, and no longer than the zones are."""
    rule, state = origin.rule, origin.rule.registering_state
    ends = [origin.since + timedelta(seconds=rule.expires_after_s)]
    if zones_end := find_end_of_zones(session, state, origin.situation.event_id, now=now):
        ends.append(zones_end)
    texts, posts = list_texts(session, state, rule.template_id), list_posts(session, state)
    return Wording(texts, posts, origin.situation.title, new_reference(), now, min(ends))


def _reasons_to_wait(session: Session, origin: Origin, audience: Audience) -> list[str]:
    """Why a person must look first: one person alone caused it, more recipients than were approved, or a person
    stopped this rule before.
    """
    rule, reasons = origin.rule, list(origin.waits)
    if len(audience.recipients) > rule.max_recipients:
        reasons.append("more recipients than the rule allows")
    if was_stopped(session, rule.registering_state, rule.rule_id, origin.situation.event_id):
        reasons.append("an earlier campaign of this rule was stopped")
    return reasons if audience.recipients else []


def _campaign(origin: Origin, audience: Audience, wording: Wording, waits: list[str], now: datetime) -> Campaign:
    rule = origin.rule
    return Campaign(
        registering_state=rule.registering_state,
        campaign_id=origin.campaign_id,
        mode=origin.mode,
        event_id=origin.situation.event_id,
        rule_id=rule.rule_id,
        crossing_id=origin.crossing_id,
        template_id=rule.template_id,
        status="pending_approval" if waits else "sending" if audience.recipients else "done",
        snapshot={
            "rule": rule.name,
            "title": safe_title(wording.title),
            "reference": wording.reference,
            "expires_at": wording.expires_at.isoformat(),
            "persons": audience.persons,
            "told_before": audience.told_before,
            "life_safety": True,
            "waits_because": waits,
            "seen": [str(crossing_id) for crossing_id in origin.seen],
        },
        drafted_at=now,
        drafted_by=(origin.drafted_by if waits else None) or rule.proposed_by,
        approved_at=None if waits else now,
        approved_by=None if waits else rule.approved_by,
        recipients=len(audience.recipients),
        unreachable=audience.unreachable,
    )


def _insert(session: Session, campaign: Campaign) -> bool:
    """Whether the campaign is new: the unique keys (rule, event, crossing; or its id) decide between two workers."""
    columns = [column.name for column in Campaign.__table__.columns]
    values = {name: getattr(campaign, name) for name in columns}
    row = session.execute(
        insert(Campaign).values(**values).on_conflict_do_nothing().returning(Campaign.campaign_id)
    ).first()
    return row is not None


def lock_rule_in_event(session: Session, state: str, rule_id: uuid.UUID, event_id: uuid.UUID) -> None:
    """Two crossings of one event meet a rule one after the other, else both might write to the same person."""
    key = f"{state} {rule_id} {event_id}"
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def _note(session: Session, campaign: Campaign, languages: dict[str, int], now: datetime) -> None:
    """The exercise role writes no audit: there the campaign is its own trace."""
    record(
        session,
        campaign.registering_state,
        "system",
        "campaign.create",
        now=now,
        purpose="automatic processing",
        subject_kind="campaign",
        subject_id=campaign.campaign_id,
        details={
            "recipients": campaign.recipients,
            "unreachable": campaign.unreachable,
            "languages": languages,
        },
    )
