"""Errors as `application/problem+json` (RFC 9457)."""

from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse

from micic.door import Refusal

MEDIA_TYPE = "application/problem+json"
TITLES = {
    "not_found": "Not found",
    "not_permitted": "Not permitted",
    "purpose_missing": "A purpose is needed",
    "invalid": "The value cannot be used",
    "conflict": "Conflict",
    "four_eyes": "A second person is needed",
    "not_signed_in": "Not signed in",
    "precondition": "The record has changed",
    "unavailable": "Unavailable",
    "internal": "Internal error",
}


def problem(request: Request, refusal: Refusal) -> JSONResponse:
    """The reply that tells of a refusal. `type` names the kind; `field` the member that is at fault."""
    body: dict[str, Any] = {
        "type": f"urn:micic:problem:{refusal.kind}",
        "title": TITLES.get(refusal.kind, "Refused"),
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": request.url.path,
    }
    if refusal.field:
        body["field"] = refusal.field
    headers = dict(refusal.headers)
    if refusal.kind == "not_signed_in":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, refusal.status, headers, MEDIA_TYPE)
