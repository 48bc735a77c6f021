"""Doubtful alerts and the feeds they come from."""

import uuid
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from micic.api.idempotency import OnlyOnce
from micic.api.schemas import Act, DecideAlert
from micic.door import Now, Transaction, Who
from micic.reports import queries
from micic.watch.service import decide_alert

router = APIRouter(tags=["alerts"])


@router.get("/alerts/held")
def read_held(session: Transaction, principal: Who, now: Now) -> dict[str, Any]:
    """Alerts that the gate held and that wait for this State's word, each with its reasons."""
    return {"at": now, "alerts": queries.list_held_alerts(session, principal, now=now)}


@router.post("/alerts/{message_id}/decision", status_code=201)
def create_decision(
    session: Transaction, principal: Who, now: Now, once: OnlyOnce, message_id: uuid.UUID, body: DecideAlert
) -> Response:
    """Accept or reject a doubtful alert for this State."""

    def act() -> Act:
        decision = decide_alert(session, principal, message_id, body.decision, body.reason, now=now)
        return Act(id=decision.decision_id, at=now, status=decision.decision)

    return once.run(body, act, status=201)


@router.get("/feeds")
def read_feeds(session: Transaction, principal: Who, now: Now) -> dict[str, Any]:
    """How fresh each feed is, and what its last poll brought."""
    return {"at": now, "feeds": queries.list_feeds(session, now=now)}
