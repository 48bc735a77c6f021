"""The demo's standing rules: proposed by a crisis cell and approved by another person before the crisis begins."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from micic.deployment import Deployment
from micic.notifications.models import MessageRule
from micic.notifications.service import RuleDraft, add_default_template, approve_rule, propose_rule
from micic.notifications.texts import DEFAULT_TEXTS
from micic.posts.models import ConsularPost, Staff, StaffRole, State
from micic.security.context import Context, set_context
from micic.security.principal import Principal, Role

PURPOSE = "readiness before a crisis"


def approve_rules(deployment: Deployment, *, now: datetime) -> None:
    """One rule a State, unless it has one: inform those inside from moderate severity on, those possibly inside from
    severe on.
    """
    with deployment.sessions("micic_worker")() as session:
        states = session.execute(select(State.code).where(State.is_registering)).scalars().all()
    for state in states:
        with deployment.sessions("micic_app").begin() as session:
            set_context(session, Context(state, role="operator"))
            if session.execute(select(MessageRule.rule_id)).first() is not None:
                continue
            author, approver = (_somebody(session, state, role) for role in (Role.CRISIS_CELL, Role.APPROVER))
            template_id = add_default_template(session, author, next(iter(DEFAULT_TEXTS)), now=now)
            draft = RuleDraft("Inform people in the affected area", template_id, 2, 3)
            rule = propose_rule(session, author, draft, now=now)
            approve_rule(session, approver, rule.rule_id, now=now)


def _somebody(session: Session, state: str, role: Role) -> Principal:
    staff_id, post_id = session.execute(
        select(StaffRole.staff_id, StaffRole.post_id)
        .join(Staff, Staff.staff_id == StaffRole.staff_id)
        .join(ConsularPost, ConsularPost.post_id == StaffRole.post_id)
        .where(StaffRole.role == role.value, ConsularPost.kind == "capital")
        .order_by(Staff.login)
    ).first() or (None, None)
    if staff_id is None or post_id is None:
        raise LookupError(f"nobody in {state} is {role}")
    return Principal(state, staff_id, (post_id,), frozenset({role}), PURPOSE)
