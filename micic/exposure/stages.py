"""The crossing's stages: find what is due by the absence of its crossing, cross it, commit. Safe to run twice."""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import TextClause, Uuid, any_, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from geo.database import read_statement
from micic.exposure.models import ClockTick
from micic.exposure.service import (
    cross_clock,
    cross_declaration,
    cross_everything,
    cross_message,
    cross_persons,
    lock_crossing,
)
from micic.log import log_failure
from micic.registry.location_models import Recross
from micic.registry.whereabouts import derive
from micic.security.context import Context, set_context

log = logging.getLogger(__name__)

BATCH = 200
MOVES_BATCH = 5_000
TICK_EVERY = timedelta(seconds=30)

Sessions = sessionmaker[Session]


def cross_due_messages(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Cross every accepted version not crossed yet, each in its own transaction; how many."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        due = session.execute(_read("due_messages.sql"), {"state": state, "limit": BATCH}).scalars().all()
    done = 0
    for message_id in due:
        act = partial(cross_message, state=state, message_id=message_id, now=now)
        done += _attempt(sessions, state, f"message {message_id}", act)
    return done


def cross_due_acts(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Cross what people decided and declared, each in its own transaction; how many."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        due = session.execute(_read("due_acts.sql"), {"state": state, "limit": BATCH}).all()
    done = 0
    for event_id, cause, cause_id in due:
        act = partial(cross_declaration, state=state, event_id=event_id, cause=cause, cause_id=cause_id, now=now)
        done += _attempt(sessions, state, f"{cause} {cause_id}", act)
    return done


def take_up_moves(sessions: Sessions, state: str, *, now: datetime) -> int:
    """Derive and cross the persons whose locations changed, a batch in one transaction; how many requests."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        if (
            session.execute(select(Recross.recross_id).where(Recross.registering_state == state).limit(1)).first()
            is None
        ):
            return 0
        lock_crossing(session, state)
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


def cross_all(sessions: Sessions, state: str, *, now: datetime) -> int:
    """The nightly truth: derive and cross everybody with everything; how many exposures that changed."""
    with sessions.begin() as session:
        set_context(session, Context(state))
        lock_crossing(session, state)
        derive(session, state)
        result = cross_everything(session, state, now=now)
        return 0 if result is None else result.changed


def _attempt(sessions: Sessions, state: str, what: str, act: Callable[[Session], object]) -> int:
    """One crossing in a transaction of its own: 1, or 0 where it failed and is left for the next round. Its
    neighbours live; a database that is away ends the stage.
    """
    try:
        with sessions.begin() as session:
            set_context(session, Context(state))
            act(session)
    except OperationalError:
        raise
    except Exception as error:
        log_failure(log, f"crossing of {what} for {state}", error)
        return 0
    return 1


def _read(name: str) -> TextClause:
    return text(read_statement(__package__, name))
