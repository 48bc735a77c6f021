"""The crossing's stages: find what is due by the absence of its crossing, cross it, commit. Safe to run twice."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import TextClause, Uuid, any_, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, sessionmaker

from geo.database import read_statement
from micic.exposure.models import ClockTick
from micic.exposure.service import cross_clock, cross_declaration, cross_message, cross_persons
from micic.registry.location_models import Recross
from micic.registry.whereabouts import derive
from micic.security.context import Context, set_context

BATCH = 200
MOVES_BATCH = 5_000
TICK_EVERY = timedelta(seconds=30)

Sessions = sessionmaker[Session]


def cross_due_messages(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Cross every accepted version not crossed yet, each in its own transaction; how many."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        due = session.execute(_read("due_messages.sql"), {"state": state, "limit": BATCH}).scalars().all()
    for message_id in due:
        with sessions.begin() as session:
            set_context(session, Context(state))
            cross_message(session, state, message_id, now=now)
    return len(due)


def cross_due_acts(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Cross what people decided and declared, each in its own transaction; how many."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        due = session.execute(_read("due_acts.sql"), {"state": state, "limit": BATCH}).all()
    for event_id, cause, cause_id in due:
        with sessions.begin() as session:
            set_context(session, Context(state))
            cross_declaration(session, state, event_id, cause, cause_id, now=now)
    return len(due)


def take_up_moves(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Derive and cross the persons whose locations changed, a batch in one transaction; how many requests."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        rows = session.execute(_read("due_moves.sql"), {"state": state, "limit": MOVES_BATCH}).all()
        persons: dict[str, set[uuid.UUID]] = {}
        for _, cause, migrant_id in rows:
            if migrant_id is not None:
                persons.setdefault(cause, set()).add(migrant_id)
        for cause, migrant_ids in sorted(persons.items()):
            derive(session, state, sorted(migrant_ids))
            cross_persons(session, state, sorted(migrant_ids), cause, now=now)
        taken = list({row.recross_id for row in rows})
        session.execute(
            delete(Recross).where(
                Recross.registering_state == state, Recross.recross_id == any_(literal(taken, ARRAY(Uuid)))
            )
        )
    return len(taken)


def tick(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Cross what time alone has changed, at most every half minute; how many crossings changed something."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        ticked_to = session.execute(
            select(ClockTick.ticked_to).where(ClockTick.registering_state == state)
        ).scalar_one_or_none()
        if ticked_to is not None and now - ticked_to < TICK_EVERY:
            return 0
        return sum(1 for result in cross_clock(session, state, now=now) if result.changed)


def _read(name: str) -> TextClause:
    return text(read_statement(__package__, name))
