"""Messages to many: how far each has got; approving and stopping."""

import uuid
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from micic.api.idempotency import OnlyOnce
from micic.api.schemas import Act, ApproveCampaign
from micic.door import Now, Transaction, Who
from micic.notifications.service import approve_campaign, stop_campaign
from micic.reports import queries

router = APIRouter(tags=["messages"])


@router.get("/events/{event_id}/campaigns")
def read_campaigns(session: Transaction, principal: Who, now: Now, event_id: uuid.UUID) -> dict[str, Any]:
    """The event's messages, newest first, with notifications by status."""
    queries.get_event(session, principal, event_id, now=now)
    return {"at": now, "campaigns": queries.list_campaigns(session, principal, event_id)}


@router.post("/events/{event_id}/campaigns/{campaign_id}/approve")
def approve(
    session: Transaction,
    principal: Who,
    now: Now,
    once: OnlyOnce,
    event_id: uuid.UUID,
    campaign_id: uuid.UUID,
    body: ApproveCampaign,
) -> Response:
    """Let a waiting message go. A second person's act, with the number of recipients repeated."""

    def act() -> Act:
        campaign = approve_campaign(session, principal, campaign_id, body.recipients, now=now)
        return Act(id=campaign_id, at=now, status=campaign.status)

    return once.run(body, act)


@router.post("/events/{event_id}/campaigns/{campaign_id}/stop")
def stop(
    session: Transaction, principal: Who, now: Now, once: OnlyOnce, event_id: uuid.UUID, campaign_id: uuid.UUID
) -> Response:
    """Stop a message at once. One person may."""

    def act() -> Act:
        campaign = stop_campaign(session, principal, campaign_id, now=now)
        return Act(id=campaign_id, at=now, status=campaign.status)

    return once.run(None, act)
