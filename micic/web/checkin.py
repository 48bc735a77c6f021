"""The public check-in pages: without JavaScript, cookie or name. Looking changes nothing; an answer is an insert.

They run as the role micic_public, which sees the one link that was shown and nothing of a person.
"""

import json
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from micic.door import Now, PublicTransaction
from micic.errors import Invalid, NotFound
from micic.notifications.replies import PublicLink, find_link, submit_reply
from micic.registry.models import NeedCode
from micic.web.i18n import choose_language
from micic.web.pages import render

router = APIRouter()

SUBMISSION_BYTES = 16


def list_needs(session: Session, language: str) -> list[tuple[str, str]]:
    """Code and name of each need, the most urgent first."""
    rows = session.execute(select(NeedCode.code, NeedCode.names).order_by(NeedCode.tier, NeedCode.code))
    return [(code, _name(names, language)) for code, names in rows]


def _name(names: str, language: str) -> str:
    """The name in a language, else in English; a code list may hold plain text instead of JSON."""
    try:
        known: dict[str, str] = json.loads(names)
    except ValueError:
        return names
    return known.get(language) or known.get("en", "")


def _language(request: Request, link: PublicLink | None) -> str:
    wishes = [request.query_params.get("lang"), link.language if link else None]
    return choose_language(wishes, request.headers.get("Accept-Language", ""))


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
def ask(request: Request, session: PublicTransaction, now: Now, token: str) -> Response:
    """Two buttons. Nothing is written, however often a scanner opens the link."""
    link = _open_link(session, token, now)
    return _form(request, session, link)


def _open_link(session: Session, token: str, now: Any) -> PublicLink:
    """The link; NotFound alike for one that is unknown, revoked or expired."""
    link = find_link(session, token, now=now)
    if link.expired:
        raise NotFound
    return link


def _form(request: Request, session: Session, link: PublicLink, *, missing: bool = False) -> Response:
    language = _language(request, link)
    values = {
        "link": link,
        "needs": list_needs(session, language),
        "submission_key": secrets.token_urlsafe(SUBMISSION_BYTES),
        "missing": missing,
    }
    return render(request, "checkin/ask.html", values, language=language, status=422 if missing else 200)


@router.post("/c/{token}")
def take(
    request: Request,
    session: PublicTransaction,
    now: Now,
    token: str,
    answer: Annotated[str, Form(max_length=10)] = "",
    covers: Annotated[str, Form(max_length=10)] = "me",
    needs: Annotated[list[str] | None, Form(max_length=12)] = None,
    submission_key: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Keep the answer; then say what happens next. The same form sent twice is one answer."""
    link = _open_link(session, token, now)
    try:
        reference = submit_reply(session, token, answer, covers, needs or [], submission_key, now=now)
    except Invalid:
        return _form(request, session, link, missing=True)
    values = {"link": link, "answer": answer, "covers": covers, "reference": reference, "now": now}
    return render(request, "checkin/thanks.html", values, language=_language(request, link))


def trouble_page(request: Request, kind: str, status: int) -> Response:
    """What a person is told when the link leads nowhere, or when we cannot write. Never why it leads nowhere."""
    language = _language(request, None)
    return render(request, "checkin/trouble.html", {"kind": kind}, language=language, status=status)
