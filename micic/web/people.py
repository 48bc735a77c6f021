"""The people of an event by name, in pages: who is inside, who has not answered. Each page is an audited read."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from micic.door import Known, Now, Transaction, Who
from micic.errors import Invalid
from micic.reports import queries
from micic.reports.figures import PersonRow
from micic.web.pages import render
from micic.web.places import nearest_town
from micic.web.situation import rail

router = APIRouter()

PRESENCES = ("inside", "possible")
ANSWERS = ("silent", "need_help", "safe", "answered")


@dataclass(frozen=True)
class Seen:
    """A person with the nearest town in words."""

    person: PersonRow
    town: str


@router.get("/events/{event_id}/people")
def show_people(
    request: Request,
    session: Transaction,
    known: Known,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    presence: str | None = None,
    answer: str | None = None,
    after: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    """One page of people. `after` is the severity and id of the last one seen."""
    chosen_presence = presence if presence in PRESENCES else None
    chosen_answer = answer if answer in ANSWERS else None
    people = queries.list_people(
        session, principal, event_id, now=now, presence=chosen_presence, answer=chosen_answer, after=_key(after)
    )
    last = people[-1] if len(people) == queries.PAGE else None
    event = queries.get_event(session, principal, event_id, now=now)
    values = {
        **rail(session, principal, now),
        "event": event,
        "exercise": event.mode == "exercise",
        "people": [Seen(person, _town(person)) for person in people],
        "presence": chosen_presence,
        "answer": chosen_answer,
        "next_page": f"{last.severity}.{last.migrant_id}" if last else None,
    }
    return render(request, "situation/people.html", values, known=known)


def _town(person: PersonRow) -> str:
    return nearest_town(person.lat, person.lon) if person.lat is not None and person.lon is not None else ""


def _key(after: str | None) -> tuple[int, uuid.UUID] | None:
    if not after:
        return None
    severity, _, migrant_id = after.partition(".")
    try:
        return int(severity), uuid.UUID(migrant_id)
    except ValueError as error:
        raise Invalid("This page address is not one of ours: begin at the first page.") from error
