"""The verbs of sending: texts and standing rules that two people approve, campaigns that a rule makes, and stopping.

A rule sends *inform* messages only, and only within what was approved: its text, its thresholds, its number of
recipients. Whatever goes beyond waits for a person. Calls no channel: see `dispatch`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from micic.audit.service import record
from micic.errors import Conflict, FourEyes, Invalid, NotFound
from micic.identifiers import new_id
from micic.notifications.campaigns import apply_due_rules, apply_rules
from micic.notifications.dispatch import Dispatched, dispatch
from micic.notifications.models import Campaign, MessageRule, MessageTemplate, Notification
from micic.notifications.queries import count_by_status, count_untaken, list_texts, list_unresolved_replies
from micic.notifications.reminders import remind_untold
from micic.notifications.replies import PublicLink, find_link, submit_reply, take_up_replies
from micic.notifications.templates import check_text
from micic.notifications.texts import DEFAULT_TEXTS
from micic.security.principal import Permission, Principal, require
from micic.watch.models import Situation

__all__ = [
    "Dispatched",
    "PublicLink",
    "RuleDraft",
    "add_default_template",
    "add_template",
    "apply_due_rules",
    "apply_rules",
    "approve_campaign",
    "approve_rule",
    "count_by_status",
    "count_untaken",
    "dispatch",
    "find_link",
    "list_unresolved_replies",
    "propose_rule",
    "remind_untold",
    "retire_rule",
    "stop_campaign",
    "submit_reply",
    "take_up_replies",
]

WORDINGS = uuid.UUID("5b0f6a52-6d3e-5a0c-9d39-1f2f6f6c1f11")  # the same words have the same id
STOPPABLE = ("pending_approval", "approved", "sending", "paused")


@dataclass(frozen=True)
class RuleDraft:
    """A standing rule as somebody proposes it. Severities 0-4; `expires_after_s` seconds after the crossing."""

    name: str
    template_id: uuid.UUID
    min_severity_inside: int
    min_severity_possible: int | None = None
    channel: str = "email"
    expires_after_s: int = 86_400
    max_recipients: int = 50_000


def add_template(
    session: Session, principal: Principal, name: str, texts: Mapping[str, tuple[str, str]], *, now: datetime
) -> uuid.UUID:
    """Keep a text in several languages, (subject, body) by language; the same wording twice is one template.

    Raises NotPermitted, TemplateRefused.
    """
    require(principal, Permission.DRAFT_MESSAGE)
    if "en" not in texts:
        raise Invalid("A text needs an English version: it serves where no other language fits.", field="language")
    for subject, body in texts.values():
        check_text(subject, body)
    template_id = _template_id(principal.state, name, texts)
    rows = [
        {
            "registering_state": principal.state,
            "template_id": template_id,
            "language": language,
            "name": name,
            "subject": subject,
            "body": body,
        }
        for language, (subject, body) in texts.items()
    ]
    session.execute(insert(MessageTemplate).on_conflict_do_nothing(), rows)
    _note(session, principal, "template.add", "message_template", template_id, now)
    return template_id


def add_default_template(session: Session, principal: Principal, name: str, *, now: datetime) -> uuid.UUID:
    """Keep one of our own texts for this State. Raises NotFound."""
    if name not in DEFAULT_TEXTS:
        raise NotFound
    return add_template(session, principal, name, DEFAULT_TEXTS[name], now=now)


def _template_id(state: str, name: str, texts: Mapping[str, tuple[str, str]]) -> uuid.UUID:
    words = "\0".join(part for language in sorted(texts) for part in (language, *texts[language]))
    return uuid.uuid5(WORDINGS, f"{state}\0{name}\0{words}")


def propose_rule(session: Session, principal: Principal, draft: RuleDraft, *, now: datetime) -> MessageRule:
    """Propose a standing rule; it does nothing before somebody else approves it. Raises NotPermitted, Invalid."""
    require(principal, Permission.DRAFT_MESSAGE)
    _check_rule(session, principal, draft)
    rule = MessageRule(
        registering_state=principal.state,
        rule_id=new_id(),
        name=draft.name.strip(),
        template_id=draft.template_id,
        min_severity_inside=draft.min_severity_inside,
        min_severity_possible=draft.min_severity_possible,
        channel=draft.channel,
        expires_after_s=draft.expires_after_s,
        max_recipients=draft.max_recipients,
        proposed_by=_person(principal),
        proposed_at=now,
    )
    session.add(rule)
    _note(session, principal, "rule.propose", "message_rule", rule.rule_id, now)
    session.flush()
    return rule


def _check_rule(session: Session, principal: Principal, draft: RuleDraft) -> None:
    if not draft.name.strip():
        raise Invalid("Give the rule a name.", field="name")
    severities = [draft.min_severity_inside, draft.min_severity_possible]
    if any(severity is not None and severity not in range(5) for severity in severities):
        raise Invalid("Severity is 0 to 4.", field="min_severity_inside")
    if draft.channel != "email":
        raise Invalid("Only e-mail is connected.", field="channel")
    if draft.expires_after_s < 60 or draft.max_recipients < 1:
        raise Invalid(
            "A rule needs a lifetime of a minute or more, and a number of recipients.", field="max_recipients"
        )
    texts = list_texts(session, principal.state, draft.template_id)
    if "en" not in texts:
        raise Invalid("There is no such text.", field="template_id")
    for row in texts.values():
        check_text(row.subject, row.body)


def approve_rule(session: Session, principal: Principal, rule_id: uuid.UUID, *, now: datetime) -> MessageRule:
    """Approve what somebody else proposed: from now on it sends by itself. Raises NotPermitted, NotFound, FourEyes,
    Conflict.
    """
    require(principal, Permission.APPROVE_MESSAGE)
    rule = _get_rule(session, principal.state, rule_id)
    if rule.approved_at is not None or rule.retired_at is not None:
        raise Conflict("This rule was approved or retired before.")
    if rule.proposed_by == _person(principal):
        raise FourEyes
    rule.approved_by, rule.approved_at = principal.staff_id, now
    _note(session, principal, "rule.approve", "message_rule", rule_id, now)
    session.flush()
    return rule


def retire_rule(session: Session, principal: Principal, rule_id: uuid.UUID, *, now: datetime) -> MessageRule:
    """End a rule: it makes no more campaigns. One person may. Raises NotPermitted, NotFound, Conflict."""
    require(principal, Permission.STOP_MESSAGE)
    rule = _get_rule(session, principal.state, rule_id)
    if rule.retired_at is not None:
        raise Conflict("This rule was retired before.")
    rule.retired_at = now
    _note(session, principal, "rule.retire", "message_rule", rule_id, now)
    session.flush()
    return rule


# --- what a person does with a campaign ---


def approve_campaign(
    session: Session, principal: Principal, campaign_id: uuid.UUID, typed_recipients: int, *, now: datetime
) -> Campaign:
    """Let a waiting campaign go. The approver types the number of recipients, so that a wrong audience is seen.

    Raises NotPermitted, NotFound, FourEyes, Conflict, Invalid.
    """
    require(principal, Permission.APPROVE_MESSAGE)
    campaign = _get_campaign(session, principal.state, campaign_id)
    if campaign.status != "pending_approval":
        raise Conflict(f"This campaign does not wait for approval: it is {campaign.status}.")
    if campaign.drafted_by == _person(principal):
        raise FourEyes
    if typed_recipients != campaign.recipients:
        raise Invalid(f"It would go to {campaign.recipients} addresses, not {typed_recipients}.", field="recipients")
    situation = session.get(Situation, (principal.state, campaign.event_id))
    if situation is None or situation.mode != campaign.mode or situation.closed_at is not None:
        raise Conflict("The situation was closed, or changed between exercise and live.")
    campaign.status, campaign.approved_by, campaign.approved_at = "sending", principal.staff_id, now
    _note(session, principal, "campaign.approve", "campaign", campaign_id, now)
    session.flush()
    return campaign


def stop_campaign(session: Session, principal: Principal, campaign_id: uuid.UUID, *, now: datetime) -> Campaign:
    """Stop a campaign at once: what was not handed over is not. One person may. Stopping twice is harmless.

    At most the one message per dispatcher that is being dialled still goes out. The notifications that this
    principal cannot see are stopped by the dispatcher. Raises NotPermitted, NotFound, Conflict.
    """
    require(principal, Permission.STOP_MESSAGE)
    campaign = _get_campaign(session, principal.state, campaign_id)
    if campaign.status == "stopped":
        return campaign
    if campaign.status not in STOPPABLE:
        raise Conflict(f"This campaign cannot be stopped: it is {campaign.status}.")
    campaign.status = "stopped"
    session.flush()
    session.execute(
        update(Notification)
        .where(
            Notification.registering_state == principal.state,
            Notification.campaign_id == campaign_id,
            Notification.status.in_(("created", "temporary_failure")),
        )
        .values(status="stopped")
    )
    _note(session, principal, "campaign.stop", "campaign", campaign_id, now)
    session.flush()
    return campaign


def _get_rule(session: Session, state: str, rule_id: uuid.UUID) -> MessageRule:
    rule = session.execute(
        select(MessageRule)
        .where(MessageRule.registering_state == state, MessageRule.rule_id == rule_id)
        .with_for_update()
    ).scalar_one_or_none()
    if rule is None:
        raise NotFound
    return rule


def _get_campaign(session: Session, state: str, campaign_id: uuid.UUID) -> Campaign:
    campaign = session.execute(
        select(Campaign)
        .where(Campaign.registering_state == state, Campaign.campaign_id == campaign_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if campaign is None:
        raise NotFound
    return campaign


def _person(principal: Principal) -> uuid.UUID:
    if principal.staff_id is None:
        raise FourEyes("A person must do this, not the system.")
    return principal.staff_id


def _note(
    session: Session,
    principal: Principal,
    action: str,
    kind: str,
    subject_id: uuid.UUID,
    now: datetime,
) -> None:
    record(
        session,
        principal.state,
        principal.actor,
        action,
        now=now,
        purpose=principal.purpose or None,
        subject_kind=kind,
        subject_id=subject_id,
    )
