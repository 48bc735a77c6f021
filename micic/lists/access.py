"""Who may touch a version of a list, what is seen while one is made or opened, and the trace it leaves.

A list needs households whole and every member's true presence, also of members whom another post keeps or serves.
So what is read for a list is read with all posts of the State in the context, after permission was checked, and
the context goes back to the caller's at once.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg.errors import InFailedSqlTransaction
from sqlalchemy import select
from sqlalchemy.orm import Session

from micic.audit.service import record
from micic.errors import NotFound
from micic.lists.models import PersonList
from micic.posts.models import ConsularPost
from micic.security.context import set_context
from micic.security.principal import Permission, Principal, require


def get_list(session: Session, principal: Principal, list_id: uuid.UUID) -> PersonList:
    """One version of one's own posts. Raises NotPermitted, NotFound."""
    require(principal, Permission.READ_SITUATION)
    version = session.get(PersonList, (principal.state, list_id))
    if version is None:
        raise NotFound
    require(principal, Permission.READ_SITUATION, post_id=version.post_id)
    return version


def get_readable(session: Session, principal: Principal, list_id: uuid.UUID) -> PersonList:
    """One version of one's own posts, to open its lines. Raises NotPermitted, PurposeMissing, NotFound."""
    require(principal, Permission.READ_PERSONS)
    version = get_list(session, principal, list_id)
    require(principal, Permission.READ_PERSONS, post_id=version.post_id)
    return version


@contextmanager
def state_wide(session: Session, principal: Principal) -> Iterator[None]:
    """See every post of the State for a moment. The worker does anyway."""
    if principal.staff_id is None:
        yield
        return
    posts = session.execute(
        select(ConsularPost.post_id).where(ConsularPost.registering_state == principal.state)
    ).scalars()
    set_context(session, replace(principal.context(), posts=tuple(posts)))
    try:
        yield
    finally:
        with suppress(InFailedSqlTransaction):
            set_context(session, principal.context())


def audit(
    session: Session, principal: Principal, action: str, version: PersonList, now: datetime, **details: Any
) -> None:
    """Append to the audit what was done with a version: ids and counts, never a person."""
    record(
        session,
        principal.state,
        principal.actor,
        action,
        now=now,
        purpose=principal.purpose or None,
        subject_kind="person_list",
        subject_id=version.list_id,
        post_id=version.post_id,
        details=details,
    )
