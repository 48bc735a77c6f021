"""Signing in for programs: a bearer token with the same limits as a cookie."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from micic.api.schemas import Session, SignIn
from micic.door import InHouse, Known, Now, sign_in, sign_out
from micic.errors import NotSignedIn
from micic.security.sessions import ABSOLUTE, IDLE

router = APIRouter(tags=["session"])


@router.post("/session", status_code=201)
def create_session(house: InHouse, now: Now, body: SignIn) -> Session:
    """A token for a login and password. One answer for every reason to refuse."""
    token = sign_in(house, body.state, body.login, body.password, now=now)
    if token is None:
        raise NotSignedIn("State, login and password do not fit together, or the login is locked for a while.")
    return Session(token=token.text, idle_s=int(IDLE.total_seconds()), absolute_s=int(ABSOLUTE.total_seconds()))


@router.get("/session")
def read_session(known: Known) -> dict[str, Any]:
    """Who is asking, with which roles, at which posts."""
    principal = known.principal
    return {
        "state": principal.state,
        "staff_id": principal.staff_id,
        "roles": sorted(principal.roles),
        "posts": known.posts,
        "purpose": principal.purpose,
    }


@router.delete("/session", status_code=204)
def delete_session(house: InHouse, known: Known, now: Now) -> Response:
    """Sign out."""
    sign_out(house, known, now=now)
    return Response(status_code=204)
