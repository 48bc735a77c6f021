"""Deciding on a doubtful alert: what it says, why it was held, and this State's word on it."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import Response

from alerts.models import MessageText
from micic.door import Known, Now, Transaction, Who
from micic.reports import queries
from micic.watch.service import decide_alert
from micic.web.pages import go_to, render
from micic.web.signin import OurForm
from micic.web.situation import rail

router = APIRouter()


@router.get("/alerts/{message_id}")
def show_alert(
    request: Request, session: Transaction, known: Known, principal: Who, now: Now, message_id: uuid.UUID
) -> Response:
    """One held alert with everything its source said."""
    alert = queries.get_held_alert(session, principal, message_id, now=now)
    texts = session.scalars(
        select(MessageText).where(MessageText.message_id == message_id).order_by(MessageText.position)
    ).all()
    values = {
        **rail(session, principal, now),
        "alert": alert,
        "texts": texts,
        "event": None,
        "exercise": alert.status == "exercise",
    }
    return render(request, "alerts/decide.html", values, known=known)


@router.post("/alerts/{message_id}", dependencies=[OurForm])
def take_decision(
    session: Transaction,
    principal: Who,
    now: Now,
    message_id: uuid.UUID,
    decision: Annotated[str, Form(max_length=10)],
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Keep the word of this State; the worker crosses the event anew."""
    decide_alert(session, principal, message_id, decision, reason, now=now)
    return go_to("/")
