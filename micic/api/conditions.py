"""ETags: a reply that has not changed is not sent again, and an act on a record that has changed is refused."""

import hashlib
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse, Response

from micic.errors import MicicError


class PreconditionFailed(MicicError):
    """The record is no longer the one that you read: read it again and decide anew."""

    kind = "precondition"


def etag_of(body: bytes) -> str:
    """A strong ETag of a reply's bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the client says that it has this very reply (If-None-Match; weak comparison)."""
    offered = request.headers.get("If-None-Match", "")
    return any(part.strip().removeprefix("W/") in (etag, "*") for part in offered.split(",") if part.strip())


def conditional(request: Request, body: bytes, media_type: str) -> Response:
    """The reply, or 304. Private, and asked for again each time: tiles and figures tell where people are."""
    etag = etag_of(body)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def versioned(value: Any, etag: str) -> JSONResponse:
    """A record with the ETag that an act on it may name in If-Match."""
    return JSONResponse(jsonable_encoder(value), headers={"ETag": etag})


def require_match(request: Request, etag: str) -> None:
    """Raise PreconditionFailed when If-Match is given and does not name this version."""
    offered = request.headers.get("If-Match")
    if offered is not None and etag not in [part.strip() for part in offered.split(",")] and offered.strip() != "*":
        raise PreconditionFailed
