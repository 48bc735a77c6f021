"""What the notifications read: work that waits, whom a rule means, the texts, and how far a campaign is."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from alerts.models import Zone
from geo.database import read_statement
from micic.notifications.models import AnswerLink, Campaign, MessageRule, MessageTemplate, Notification, Reply
from micic.notifications.rules import Member
from micic.posts.models import ConsularPost
from micic.watch.models import AlertDecision, DeclaredArea

TAKEN_UP = "taken_up"


@dataclass(frozen=True)
class Due:
    """A rule that has yet to meet a crossing of an event."""

    rule_id: uuid.UUID
    crossing_id: uuid.UUID
    event_id: uuid.UUID


@dataclass(frozen=True)
class Post:
    """What a message says of the post that serves its reader, and what it falls back on."""

    name: str
    time_zone: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class UnresolvedReply:
    """An answer that needs a person's eye. `outcome` None: it waits; `from_deceased`: it was taken up, from somebody
    whose record says deceased; the others left no trace on any record.
    """

    reply_id: uuid.UUID
    reference: str
    answer: str
    covers: str
    received_at: datetime
    outcome: str | None
    event_id: uuid.UUID | None
    migrant_id: uuid.UUID | None


def list_due(
    session: Session,
    state: str,
    mode: str,
    *,
    now: datetime,
    crossing_id: uuid.UUID | None = None,
    rule_id: uuid.UUID | None = None,
    event_id: uuid.UUID | None = None,
) -> list[Due]:
    """Approved rules and crossings that have not met, oldest first; of one crossing, rule or event if named."""
    rows = session.execute(
        text(read_statement(__package__, "unapplied.sql")),
        {"state": state, "mode": mode, "now": now, "crossing": crossing_id, "rule": rule_id, "event": event_id},
    )
    return [Due(*row) for row in rows]


def list_members(session: Session, state: str, due: Due, rule: MessageRule) -> list[Member]:
    """The members of every household in which the crossing changed somebody, and whom of them the rule means."""
    rows = session.execute(
        text(read_statement(__package__, "members.sql").replace("{dead}", read_statement(__package__, "dead.sql"))),
        {
            "state": state,
            "event": due.event_id,
            "crossing": due.crossing_id,
            "rule": rule.rule_id,
            "channel": rule.channel,
            "min_inside": rule.min_severity_inside,
            "min_possible": rule.min_severity_possible,
        },
    )
    return [Member(*row) for row in rows]


def list_texts(session: Session, state: str, template_id: uuid.UUID) -> dict[str, MessageTemplate]:
    """The texts of a template by language."""
    rows = session.execute(
        select(MessageTemplate).where(
            MessageTemplate.registering_state == state, MessageTemplate.template_id == template_id
        )
    ).scalars()
    return {row.language: row for row in rows}


def list_posts(session: Session, state: str) -> dict[uuid.UUID, Post]:
    """The State's posts by id."""
    rows = session.execute(
        select(ConsularPost.post_id, ConsularPost.name, ConsularPost.time_zone, ConsularPost.languages).where(
            ConsularPost.registering_state == state
        )
    )
    return {post_id: Post(name, time_zone, tuple(languages)) for post_id, name, time_zone, languages in rows}


def find_end_of_zones(session: Session, state: str, event_id: uuid.UUID, *, now: datetime) -> datetime | None:
    """When the last zone of the event in force ends by its source's word; None while one has no such end, which an
    area that a crisis cell declared never has.
    """
    declared = select(DeclaredArea.area_id).where(
        DeclaredArea.registering_state == state, DeclaredArea.event_id == event_id, DeclaredArea.ended_at.is_(None)
    )
    zones = select(func.max(Zone.valid_until), func.bool_and(Zone.valid_until.is_not(None))).where(
        Zone.event_id == event_id, Zone.ended_at.is_(None), func.coalesce(Zone.valid_until > now, True)
    )
    last, all_end = session.execute(zones).one()
    if not all_end or session.execute(declared.limit(1)).first() is not None:
        return None
    return last if isinstance(last, datetime) else None


def was_stopped(session: Session, state: str, rule_id: uuid.UUID, event_id: uuid.UUID) -> bool:
    """Whether a person stopped an earlier campaign of this rule in this event."""
    statement = select(Campaign.campaign_id).where(
        Campaign.registering_state == state,
        Campaign.rule_id == rule_id,
        Campaign.event_id == event_id,
        Campaign.status == "stopped",
    )
    return session.execute(statement.limit(1)).first() is not None


def find_declarer(session: Session, state: str, cause_id: uuid.UUID) -> uuid.UUID | None:
    """Who declared the area, or decided on the alert, that caused a crossing."""
    area = select(DeclaredArea.declared_by).where(
        DeclaredArea.registering_state == state, DeclaredArea.area_id == cause_id
    )
    decision = select(AlertDecision.decided_by).where(
        AlertDecision.registering_state == state, AlertDecision.decision_id == cause_id
    )
    return session.execute(area.union_all(decision)).scalars().first()


def list_unresolved_replies(session: Session, state: str, *, limit: int = 200) -> list[UnresolvedReply]:
    """Answers that wait (no outcome yet) or that ended otherwise than taken up, oldest first: a person must look.

    The one who wrote is named by id, and only where the caller may see the message that was answered.
    """
    link = (AnswerLink.registering_state == Reply.registering_state) & (AnswerLink.token_hash == Reply.token_hash)
    message = (Notification.registering_state == AnswerLink.registering_state) & (
        Notification.notification_id == AnswerLink.notification_id
    )
    rows = session.execute(
        select(
            Reply.reply_id,
            Reply.reference,
            Reply.answer,
            Reply.covers,
            Reply.received_at,
            Reply.outcome,
            Notification.event_id,
            Notification.migrant_id,
        )
        .outerjoin(AnswerLink, link)
        .outerjoin(Notification, message)
        .where(Reply.registering_state == state, func.coalesce(Reply.outcome != TAKEN_UP, True))
        .order_by(Reply.received_at, Reply.reply_id)
        .limit(limit)
    )
    return [UnresolvedReply(*row) for row in rows]


def count_untaken(session: Session, state: str) -> int:
    """How many answers wait to be taken up."""
    waiting = select(func.count()).where(Reply.registering_state == state, Reply.taken_up_at.is_(None))
    return session.execute(waiting).scalar_one()


def count_by_status(session: Session, state: str, campaign_id: uuid.UUID) -> dict[str, int]:
    """How many notifications of a campaign stand in each status, of those visible."""
    rows = session.execute(
        select(Notification.status, func.count().label("count_"))
        .where(Notification.registering_state == state, Notification.campaign_id == campaign_id)
        .group_by(Notification.status)
    )
    return {row.status: row.count_ for row in rows}
