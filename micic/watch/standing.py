"""How alerts stand for a State that decided on them: its word on one version orders the whole series anew.

Rejecting a false cancel brings back what it ended; accepting a held alert lets a later cancel end it. The same
lifecycle as the feeds' own (`alerts.lifecycle`), over the versions that count for this State.
"""

import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from alerts.models import Message
from alerts.store import End, ends_of
from micic.watch.models import AlertDecision, AlertStanding


def order_for_state(session: Session, state: str, message: Message) -> None:
    """Keep how every version of this message's series stands for the State; nothing where it decided on none."""
    versions = (
        session.execute(select(Message).where(Message.feed == message.feed, Message.series == message.series))
        .scalars()
        .all()
    )
    decided = _decisions(session, state, [version.message_id for version in versions])
    if not decided:
        return
    counting = [row for row in versions if decided.get(row.message_id, row.verdict) == "accepted"]
    ends = ends_of(counting)
    accepted = {row.message_id for row in counting}
    rows = [
        {
            "registering_state": state,
            "message_id": row.message_id,
            "accepted": row.message_id in accepted,
            "ended_at": ends.get(row.message_id, End()).at,
            "ended_by": ends.get(row.message_id, End()).by,
        }
        for row in versions
    ]
    statement = insert(AlertStanding)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["registering_state", "message_id"],
            set_={name: getattr(statement.excluded, name) for name in ("accepted", "ended_at", "ended_by")},
        ),
        rows,
    )


def _decisions(session: Session, state: str, message_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The latest decision of the State on each of these messages."""
    rows = session.execute(
        select(AlertDecision.message_id, AlertDecision.decision)
        .where(AlertDecision.registering_state == state, AlertDecision.message_id.in_(message_ids))
        .order_by(AlertDecision.decided_at, AlertDecision.decision_id)
    )
    return {row.message_id: row.decision for row in rows}
