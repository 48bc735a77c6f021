"""Reading the three histories: the state of many persons in one event, in one statement."""

import uuid
from collections.abc import Iterable

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from geo.database import read_statement
from micic.cases.rules import ContactState, MovementState, News, Trust, WelfareState

NEWS = read_statement(__package__, "latest_states.sql")
"""The body that makes `news` out of `subject(migrant_id)`, for statements that need both in one."""

_EVERYBODY = """select migrant_id from contact_entry where registering_state = :state and event_id = :event
          union select migrant_id from welfare_entry where registering_state = :state and event_id = :event
          union select migrant_id from movement_entry where registering_state = :state and event_id = :event"""
_CHOSEN = "select unnest(cast(:migrants as uuid[])) as migrant_id"


def latest_states(
    session: Session, state: str, event_id: uuid.UUID, migrant_ids: Iterable[uuid.UUID] | None = None
) -> dict[uuid.UUID, News]:
    """What is known of each person in the event; persons of whom nothing was told are absent. None: everybody."""
    subject = _EVERYBODY if migrant_ids is None else _CHOSEN
    parameters = {"state": state, "event": event_id}
    chosen = {} if migrant_ids is None else {"migrants": list(migrant_ids)}
    rows = session.execute(text(f"with subject as ({subject}),\n{NEWS}\nselect * from news"), parameters | chosen)
    return {row["migrant_id"]: news_of(row) for row in rows.mappings()}


def news_of(row: RowMapping) -> News:
    """The columns of `news` as words."""
    return News(
        contact=None if row["contact"] is None else ContactState(row["contact"]),
        contact_at=row["contact_at"],
        answered=bool(row["answered"]),
        welfare=None if row["welfare"] is None else WelfareState(row["welfare"]),
        welfare_at=row["welfare_at"],
        welfare_trust=None if row["welfare_trust"] is None else Trust(row["welfare_trust"]),
        movement=None if row["movement"] is None else MovementState(row["movement"]),
        movement_at=row["movement_at"],
        movement_trust=None if row["movement_trust"] is None else Trust(row["movement_trust"]),
        needs_help_since=row["needs_help_since"],
        injured=bool(row["injured"]),
        told=row["told"] or 0,
    )
