"""Lists on the page: freeze, look, release in two steps, take away the files that the recipient may see."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from micic.door import InHouse, Keys, Known, Now, Transaction, Who, unit_of_work
from micic.errors import Invalid, NotFound
from micic.lists.documents import Document, Sheet, csv_of, pdf_of, pdf_parts, prepare_sheet
from micic.lists.masks import RecipientClass, Seen, visible_cells
from micic.lists.rules import ListKind
from micic.lists.service import freeze_list, read_lines, release_list
from micic.registry.vault import Vault
from micic.reports import queries
from micic.reports.figures import ListRow
from micic.security.principal import Permission, require
from micic.web.pages import go_to, render
from micic.web.signin import OurForm
from micic.web.situation import rail

router = APIRouter()

LINES_PER_PAGE = 200
LIST = "/events/{event_id}/lists/{list_id}"


def own_list(session: Transaction, principal: Who, event_id: uuid.UUID, list_id: uuid.UUID) -> ListRow:
    """The list, which must be of the event that the address and so the purpose name. Raises NotFound."""
    row = queries.get_list(session, principal, list_id)
    if row.event_id != event_id:
        raise NotFound("This list belongs to another event.")
    return row


def spoken(row: ListRow, recipient_class: str) -> str:
    """What must be typed to release: the number of people, the place, and the class of recipient."""
    return f"{row.line_count} {row.post_name} {recipient_class.replace('_', ' ')}"


@router.post("/events/{event_id}/lists", dependencies=[OurForm])
def take_freeze(
    session: Transaction,
    principal: Who,
    vault: Keys,
    now: Now,
    event_id: uuid.UUID,
    post_id: Annotated[uuid.UUID, Form()],
    kind: Annotated[ListKind, Form()],
) -> Response:
    """Freeze a new version and show it."""
    frozen = freeze_list(session, principal, vault, event_id, post_id, kind, now=now)
    return go_to(f"/events/{event_id}/lists/{frozen.list_id}")


@router.get(LIST)
def show_list(
    request: Request,
    session: Transaction,
    known: Known,
    principal: Who,
    vault: Keys,
    now: Now,
    event_id: uuid.UUID,
    list_id: uuid.UUID,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """A version with its lines, as the post's own people see them."""
    row = own_list(session, principal, event_id, list_id)
    lines = read_lines(session, principal, vault, list_id, now=now)
    shown = lines[(page - 1) * LINES_PER_PAGE : page * LINES_PER_PAGE]
    cells = [
        visible_cells(
            Seen(line.line_no, line.change, line.payload, line.is_token, line.refused),
            RecipientClass.INTERNAL,
            principal.state,
            as_of=row.as_of,
        )
        for line in shown
    ]
    values = {
        **_around(session, principal, now, row),
        "lines": list(zip(shown, cells, strict=True)),
        "page": page,
        "pages": max(1, -(-len(lines) // LINES_PER_PAGE)),
    }
    return render(request, "lists/list.html", values, known=known)


def _around(session: Transaction, principal: Who, now: Now, row: ListRow) -> dict[str, Any]:
    event = queries.get_event(session, principal, row.event_id, now=now)
    return {
        **rail(session, principal, now),
        "event": event,
        "exercise": row.mode == "exercise",
        "row": row,
        "recipients": [recipient.value for recipient in RecipientClass],
    }


@router.get(LIST + "/release")
def ask_release(
    request: Request,
    session: Transaction,
    known: Known,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    list_id: uuid.UUID,
    recipient_class: str = "",
    note: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """First to whom; then the sentence that says what will happen, and what must be typed."""
    require(principal, Permission.RELEASE_LIST)
    row = own_list(session, principal, event_id, list_id)
    chosen = recipient_class if recipient_class in list(RecipientClass) and note.strip() else ""
    values = {
        **_around(session, principal, now, row),
        "chosen": chosen,
        "note": note.strip(),
        "spoken": spoken(row, chosen),
    }
    return render(request, "lists/release.html", values, known=known)


@router.post(LIST + "/release", dependencies=[OurForm])
def take_release(
    session: Transaction,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    list_id: uuid.UUID,
    recipient_class: Annotated[str, Form(max_length=30)],
    note: Annotated[str, Form(max_length=200)],
    typed: Annotated[str, Form(max_length=200)],
) -> Response:
    """Release, when what was typed repeats the number and the place."""
    row = own_list(session, principal, event_id, list_id)
    wanted = spoken(row, recipient_class)
    if " ".join(typed.split()).casefold() != wanted.casefold():
        raise Invalid(f"To release, type exactly: {wanted}. Nothing was released.", field="typed")
    release_list(session, principal, list_id, recipient_class, note, now=now)
    return go_to(f"/events/{event_id}/lists/{list_id}")


# --- files ---


def sheet_of(house: InHouse, principal: Who, event_id: uuid.UUID, list_id: uuid.UUID, now: Now) -> Sheet:
    """The next numbered copy, in a transaction of its own: the typesetter then works without the database."""
    with unit_of_work(house.staff, principal.context()) as session:
        own_list(session, principal, event_id, list_id)
        return prepare_sheet(session, principal, Vault(session, house.master, principal.state), list_id, now=now)


def as_download(document: Document) -> Response:
    """The file under its own name, which is plain ASCII."""
    headers = {"Content-Disposition": f'attachment; filename="{document.filename}"'}
    return Response(document.content, media_type=document.media_type, headers=headers)


@router.get(LIST + "/csv")
def take_csv(house: InHouse, principal: Who, now: Now, event_id: uuid.UUID, list_id: uuid.UUID) -> Response:
    """The released list as the recipient may see it."""
    return as_download(csv_of(sheet_of(house, principal, event_id, list_id, now)))


@router.get(LIST + "/pdf")
def take_pdf(
    house: InHouse,
    principal: Who,
    now: Now,
    event_id: uuid.UUID,
    list_id: uuid.UUID,
    part: Annotated[int, Query(ge=1, le=999)] = 1,
) -> Response:
    """The same on paper, in parts when it is long."""
    sheet = sheet_of(house, principal, event_id, list_id, now)
    if part > pdf_parts(sheet):
        raise NotFound("This list has fewer parts.")
    return as_download(pdf_of(sheet, part=part))
