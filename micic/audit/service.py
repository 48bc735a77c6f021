"""Writing the audit. Entries hold ids and counts; a name, number, address or place must never be passed in."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from micic.audit.models import AuditEntry
from micic.identifiers import new_id


def record(
    session: Session,
    state: str,
    actor: str,
    action: str,
    *,
    now: datetime,
    purpose: str | None = None,
    subject_kind: str | None = None,
    subject_id: uuid.UUID | None = None,
    post_id: uuid.UUID | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Append one entry in the caller's transaction: the act and its trace commit together or not at all."""
    session.add(
        AuditEntry(
            registering_state=state,
            audit_id=new_id(),
            at=now,
            actor=actor,
            action=action,
            purpose=purpose,
            subject_kind=subject_kind,
            subject_id=subject_id,
            post_id=post_id,
            details=details or {},
        )
    )
