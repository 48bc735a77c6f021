"""The sign-in page: State, login, password. One answer for every reason to refuse."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from micic.door import ENTRANCE, House, InHouse, Known, Now, find_signed_in, sign_in, sign_out, unit_of_work
from micic.errors import NotPermitted
from micic.posts.signin import SignedIn, list_registering_states
from micic.web.pages import go_to, render

router = APIRouter()

LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.?=&%-]*")
STATE_CODE = re.compile(r"[A-Z]{3}")


def form_is_ours(known: Known, csrf: Annotated[str, Form()] = "") -> None:
    """Every form of a signed-in page carries the session's own value. Raises NotPermitted."""
    if not known.token.is_csrf(csrf):
        raise NotPermitted("The form is out of date: go back, reload the page and try again. Nothing was changed.")


OurForm = Depends(form_is_ours)


def local_path(wanted: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    return wanted if LOCAL_PATH.fullmatch(wanted) else "/"


@router.get("/login")
def show_login(
    request: Request, house: InHouse, found: Annotated[SignedIn | None, Depends(find_signed_in)], then: str = "/"
) -> Response:
    """The form; who is signed in goes on."""
    if found is not None:
        return go_to(local_path(then))
    return _form(request, house, then=then)


@router.post("/login")
def take_login(
    request: Request,
    house: InHouse,
    now: Now,
    state: Annotated[str, Form(max_length=3)] = "",
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=400)] = "",
    then: Annotated[str, Form(max_length=400)] = "/",
) -> Response:
    """Open a session, or show the form again."""
    token = None
    if STATE_CODE.fullmatch(state) and "\0" not in login:
        token = sign_in(house, state, login.strip(), password, now=now)
    if token is None:
        return _form(request, house, then=then, refused=True)
    reply = go_to(local_path(then))
    reply.set_cookie(house.cookie, token.text, httponly=True, samesite="lax", secure=house.is_https, path="/")
    return reply


@router.post("/logout", dependencies=[OurForm])
def take_logout(house: InHouse, known: Known, now: Now) -> Response:
    """Close the session and forget the cookie."""
    sign_out(house, known, now=now)
    reply = go_to("/login")
    reply.delete_cookie(house.cookie, path="/", httponly=True, samesite="lax", secure=house.is_https)
    return reply


def _form(request: Request, house: House, *, then: str, refused: bool = False) -> Response:
    with unit_of_work(house.staff, ENTRANCE) as session:
        states = list_registering_states(session)
    values = {"states": states, "then": local_path(then), "refused": refused}
    return render(request, "login.html", values, status=401 if refused else 200)
