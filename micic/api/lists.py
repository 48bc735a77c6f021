"""Lists: freeze, look, release, and the files that the recipient may see."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from micic.api.conditions import require_match, versioned
from micic.api.cursors import after_moment, read_moment
from micic.api.idempotency import OnlyOnce
from micic.api.schemas import FreezeList, ReleaseList
from micic.door import InHouse, Keys, Now, Transaction, Who
from micic.errors import Invalid
from micic.lists.documents import csv_of, pdf_of
from micic.lists.rules import ListKind
from micic.lists.service import freeze_list, read_lines, release_list
from micic.reports import queries
from micic.web.lists import as_download, own_list, sheet_of

router = APIRouter(tags=["lists"])
LIST = "/events/{event_id}/lists/{list_id}"
Page = Annotated[int, Query(ge=1, le=queries.MANY)]


@router.get("/events/{event_id}/lists")
def read_lists(
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    cursor: str | None = None,
    limit: Page = 50,
) -> dict[str, Any]:
    """Versions of the lists of one's posts, newest first, without lines."""
    queries.get_event(session, principal, event_id, now=now)
    rows = queries.list_lists(session, principal, event_id=event_id, after=read_moment(cursor), size=limit)
    last = rows[-1] if len(rows) == limit else None
    return {"at": now, "lists": rows, "next": after_moment(last.frozen_at, last.list_id) if last else None}


@router.post("/events/{event_id}/lists", status_code=201)
def create_list(
    session: Transaction,
    principal: Who,
    vault: Keys,
    now: Now,
    once: OnlyOnce,
    event_id: uuid.UUID,
    body: FreezeList,
) -> Response:
    """Freeze a list as it is now. Where nothing changed, the last version comes back."""

    def act() -> Any:
        frozen = freeze_list(session, principal, vault, event_id, body.post_id, ListKind(body.kind), now=now)
        session.flush()
        return queries.get_list(session, principal, frozen.list_id)

    return once.run(body, act, status=201)


@router.get(LIST)
def read_list(session: Transaction, principal: Who, event_id: uuid.UUID, list_id: uuid.UUID) -> Response:
    """One version without its lines; its ETag goes into If-Match of the release."""
    row = own_list(session, principal, event_id, list_id)
    return versioned(row, row.etag)


@router.get(LIST + "/lines")
def read_list_lines(
    session: Transaction, principal: Who, vault: Keys, now: Now, event_id: uuid.UUID, list_id: uuid.UUID
) -> dict[str, Any]:
    """The lines, opened, in order. One audited read."""
    own_list(session, principal, event_id, list_id)
    return {"at": now, "lines": read_lines(session, principal, vault, list_id, now=now)}


@router.post(LIST + "/release")
def create_release(
    request: Request,
    session: Transaction,
    principal: Who,
    now: Now,
    once: OnlyOnce,
    event_id: uuid.UUID,
    list_id: uuid.UUID,
    body: ReleaseList,
) -> Response:
    """Release a version to a class of recipient. A second person's act, with the number of people repeated."""

    def act() -> Any:
        row = own_list(session, principal, event_id, list_id)
        require_match(request, row.etag)
        if body.people != row.line_count:
            raise Invalid(f"The list holds {row.line_count} people, not {body.people}.", field="people")
        release_list(session, principal, list_id, body.recipient_class, body.note, now=now)
        return queries.get_list(session, principal, list_id)

    return once.run(body, act)


@router.get(LIST + "/csv", response_class=Response)
def read_csv(house: InHouse, principal: Who, now: Now, event_id: uuid.UUID, list_id: uuid.UUID) -> Response:
    """The released list as its recipient may see it: one numbered copy."""
    return as_download(csv_of(sheet_of(house, principal, event_id, list_id, now)))


@router.get(LIST + "/pdf", response_class=Response)
def read_pdf(
    house: InHouse,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    list_id: uuid.UUID,
    part: Annotated[int, Query(ge=1, le=999)] = 1,
) -> Response:
    """The same on paper, in parts when it is long."""
    return as_download(pdf_of(sheet_of(house, principal, event_id, list_id, now), part=part))
