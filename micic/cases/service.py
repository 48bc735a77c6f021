"""Taking down news of a person: three histories, each appended, none overwriting another (RULES 4)."""

import uuid
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from micic.audit.service import record
from micic.cases.models import ContactEntry, MovementEntry, WelfareEntry
from micic.cases.queries import latest_states
from micic.cases.rules import ContactState, MovementState, Trust, WelfareState, capped
from micic.identifiers import new_id
from micic.security.principal import Permission, Principal, require

Entry = TypeVar("Entry", ContactEntry, WelfareEntry, MovementEntry)

__all__ = ["latest_states", "record_contact", "record_movement", "record_welfare"]


def record_contact(
    session: Session,
    principal: Principal,
    event_id: uuid.UUID,
    migrant_id: uuid.UUID,
    state: ContactState,
    *,
    source: str,
    trust: Trust = Trust.AUTHENTICATED,
    source_at: datetime | None = None,
    now: datetime,
) -> ContactEntry:
    """Append that somebody was, or could not be, reached. Raises NotPermitted."""
    entry = ContactEntry(**_entry(principal, event_id, migrant_id, source, trust, source_at, now), state=state.value)
    return _append(session, principal, entry, "contact.record", now)


def record_welfare(
    session: Session,
    principal: Principal,
    event_id: uuid.UUID,
    migrant_id: uuid.UUID,
    state: WelfareState,
    *,
    source: str,
    trust: Trust,
    source_at: datetime | None = None,
    now: datetime,
) -> WelfareEntry:
    """Append how somebody is said to be; `source` is who said it (`officer`, `responder`, `self`, `relative`...),
    `source_at` when it was true. Raises NotPermitted.
    """
    entry = WelfareEntry(**_entry(principal, event_id, migrant_id, source, trust, source_at, now), state=state.value)
    return _append(session, principal, entry, "welfare.record", now)


def record_movement(
    session: Session,
    principal: Principal,
    event_id: uuid.UUID,
    migrant_id: uuid.UUID,
    state: MovementState,
    *,
    source: str,
    trust: Trust,
    source_at: datetime | None = None,
    now: datetime,
) -> MovementEntry:
    """Append where somebody is on the way out. Only an authenticated departure takes a person off a list.
    Raises NotPermitted.
    """
    entry = MovementEntry(**_entry(principal, event_id, migrant_id, source, trust, source_at, now), state=state.value)
    return _append(session, principal, entry, "movement.record", now)


def _entry(
    principal: Principal,
    event_id: uuid.UUID,
    migrant_id: uuid.UUID,
    source: str,
    trust: Trust,
    source_at: datetime | None,
    now: datetime,
) -> dict[str, object]:
    return {
        "registering_state": principal.state,
        "entry_id": new_id(),
        "event_id": event_id,
        "migrant_id": migrant_id,
        "source": source,
        "actor": principal.actor,
        "trust": trust.value,
        "source_at": capped(source_at, now),
        "recorded_at": now,
    }


def _append(session: Session, principal: Principal, entry: Entry, action: str, now: datetime) -> Entry:
    """The entry names its actor, so that only what a person of the staff did is audited as well."""
    require(principal, Permission.RECORD_NEWS)
    session.add(entry)
    if principal.staff_id is not None:
        record(
            session,
            principal.state,
            principal.actor,
            action,
            now=now,
            purpose=principal.purpose or None,
            subject_kind="migrant",
            subject_id=entry.migrant_id,
        )
    session.flush()
    return entry
