"""One message to many: what it says, how far it has got; approving with the number repeated, and stopping."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import Response

from micic.door import Known, Now, Transaction, Who
from micic.errors import NotFound
from micic.notifications.models import Campaign, MessageTemplate
from micic.notifications.service import approve_campaign, stop_campaign
from micic.reports import queries
from micic.web.pages import go_to, render
from micic.web.signin import OurForm
from micic.web.situation import rail

router = APIRouter()

CAMPAIGN = "/events/{event_id}/campaigns/{campaign_id}"


@router.get(CAMPAIGN)
def show_campaign(
    request: Request,
    session: Transaction,
    known: Known,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    campaign_id: uuid.UUID,
) -> Response:
    """The words in every language, the numbers, and the two buttons."""
    rows = [row for row in queries.list_campaigns(session, principal, event_id) if row.campaign_id == campaign_id]
    campaign = session.get(Campaign, (principal.state, campaign_id))
    if not rows or campaign is None:
        raise NotFound
    event = queries.get_event(session, principal, event_id, now=now)
    texts: Sequence[MessageTemplate] = session.scalars(
        select(MessageTemplate)
        .where(
            MessageTemplate.registering_state == principal.state, MessageTemplate.template_id == campaign.template_id
        )
        .order_by(MessageTemplate.language)
    ).all()
    values = {
        **rail(session, principal, now),
        "event": event,
        "exercise": rows[0].mode == "exercise",
        "row": rows[0],
        "snapshot": campaign.snapshot,
        "texts": texts,
    }
    return render(request, "campaigns/campaign.html", values, known=known)


@router.post(CAMPAIGN + "/approve", dependencies=[OurForm])
def take_approval(
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    campaign_id: uuid.UUID,
    recipients: Annotated[int, Form(ge=0)],
) -> Response:
    """Let it go; the number of addresses is repeated."""
    approve_campaign(session, principal, campaign_id, recipients, now=now)
    return go_to(f"/events/{event_id}/campaigns/{campaign_id}")


@router.post(CAMPAIGN + "/stop", dependencies=[OurForm])
def take_stop(session: Transaction, principal: Who, now: Now, event_id: uuid.UUID, campaign_id: uuid.UUID) -> Response:
    """Stop it at once."""
    stop_campaign(session, principal, campaign_id, now=now)
    return go_to(f"/events/{event_id}/campaigns/{campaign_id}")
