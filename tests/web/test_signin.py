"""Staff at the door: one answer to every wrong try, lock-out, limits of a session, writes from here only."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from statistics import median

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from micic.security.sessions import ABSOLUTE, IDLE, SessionToken
from micic.security.signin import LOCKED_FOR, MAX_FAILURES, Standing
from micic.web.signin import local_path
from tests.web.fixtures import SignIn
from tests.web.world import OTHER_STATE, PASSWORD, STATE, CrisisWorld

pytestmark = pytest.mark.xdist_group("pages")


def offer(client: TestClient, login: str = "cell", password: str = PASSWORD, state: str = STATE) -> object:
    reply = client.post("/login", data={"state": state, "login": login, "password": password})
    return reply.status_code, re.sub(r"nonce-[^']*|nonce=\"[^\"]*\"", "", reply.text)


def csrf_of(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/alerts/" + "0" * 8).text or "")
    page = client.get("/", follow_redirects=True).text
    found = found or re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_the_cookie_is_out_of_reach_of_scripts_and_carries_the_tenant(anonymous: TestClient) -> None:
    reply = anonymous.post("/login", data={"state": STATE, "login": "cell", "password": PASSWORD})
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f"micic={STATE}.")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (reply.status_code, reply.headers["location"]) == (303, "/")


def test_only_a_hash_is_stored(world: CrisisWorld, signed_in: SignIn) -> None:
    token = SessionToken.parse(signed_in().cookies["micic"])
    assert token is not None
    with world.session() as session:
        rows = session.execute(text("select token_hash from staff_session")).scalars().all()
    assert token.stored in rows
    assert all(token.secret.encode() not in row for row in rows)


def test_unknown_and_wrong_are_told_alike_and_take_alike(anonymous: TestClient) -> None:
    unknown: list[tuple[object, float]] = []
    wrong: list[tuple[object, float]] = []
    for _ in range(3):
        for times, login in ((unknown, "nobody"), (wrong, "responder")):
            began = time.perf_counter()
            times.append((offer(anonymous, login, "not it"), time.perf_counter() - began))
    assert {reply for reply, _ in unknown} == {reply for reply, _ in wrong}
    assert 0.4 < median(took for _, took in unknown) / median(took for _, took in wrong) < 2.5
    assert offer(anonymous, "cell", PASSWORD, "XXX") in {reply for reply, _ in unknown}


def test_five_wrong_tries_lock_even_the_right_password(anonymous: TestClient, world: CrisisWorld) -> None:
    statement = "update staff set failed_attempts = 0, locked_until = null where login = 'approver'"
    try:
        for _ in range(MAX_FAILURES):
            assert offer(anonymous, "approver", "not it")[0] == 401  # type: ignore[index]
        assert offer(anonymous, "approver") == offer(anonymous, "approver", "not it")
        with world.session("micic_app") as session:
            reasons = session.execute(
                text(
                    "select details ->> 'reason' from audit_entry where actor = :actor and action = 'sign_in_refused'"
                    " order by audit_id desc limit 1"
                ),
                {"actor": str(world.approver_id)},
            ).scalar_one()
        assert reasons == "locked"
    finally:
        with world.session("micic_app") as session:
            session.execute(text(statement))


def test_the_lock_rule(world: CrisisWorld) -> None:
    now = world.now
    standing = Standing()
    for _ in range(MAX_FAILURES - 1):
        standing = standing.after_failure(now)
        assert not standing.is_locked(now)
    standing = standing.after_failure(now)
    assert standing.is_locked(now + LOCKED_FOR - timedelta(seconds=1))
    assert not standing.is_locked(now + LOCKED_FOR)
    assert standing.after_failure(now) == standing


@pytest.mark.parametrize(
    "change", [f"seen_at = now() - interval '{IDLE.total_seconds() + 1} s'", "expires_at = now() - interval '1 s'"]
)
def test_a_session_ends_when_idle_and_after_a_shift(change: str, signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    token = SessionToken.parse(client.cookies["micic"])
    assert token is not None
    with world.session("micic_app") as session:
        session.execute(text(f"update staff_session set {change} where token_hash = :hash"), {"hash": token.stored})
    reply = client.get("/")
    assert (reply.status_code, reply.headers["location"]) == (303, "/login?then=/")


def test_a_page_that_refreshes_itself_keeps_no_session_alive(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    token = SessionToken.parse(client.cookies["micic"])
    assert token is not None
    by_token = {"hash": token.stored}
    with world.session("micic_app") as session:
        session.execute(
            text("update staff_session set seen_at = now() - interval '10 min' where token_hash = :hash"), by_token
        )
    idle_for = text("select extract(minute from now() - seen_at) from staff_session where token_hash = :hash")
    for query, minutes in (("?unattended=1", 10), ("", 0)):
        assert client.get(f"/events/{world.event_id}/panel{query}").status_code == 200
        with world.session() as session:
            assert session.execute(idle_for, by_token).scalar_one() == minutes
    client.cookies.clear()
    gone = client.get(f"/events/{world.event_id}/panel?unattended=1", headers={"HX-Request": "true"})
    assert (gone.status_code, gone.headers["hx-redirect"]) == (401, f"/login?then=/events/{world.event_id}")


def test_a_session_lasts_a_shift_at_most(signed_in: SignIn, world: CrisisWorld) -> None:
    signed_in()
    with world.session() as session:
        longest = session.execute(text("select max(expires_at - started_at) from staff_session")).scalar_one()
    assert longest == ABSOLUTE


def test_signing_out_ends_the_session_here_and_there(signed_in: SignIn) -> None:
    client = signed_in()
    stolen = f"micic={client.cookies['micic']}"
    assert client.post("/logout", data={"csrf": "0" * 40}).status_code == 403
    assert client.post("/logout", data={"csrf": csrf_of(client)}).status_code == 303
    assert client.get("/", headers={"Cookie": stolen}).headers["location"] == "/login?then=/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_write_from_elsewhere_is_refused(headers: dict[str, str], signed_in: SignIn) -> None:
    client = signed_in()
    assert client.post("/logout", data={"csrf": csrf_of(client)}, headers=headers).status_code == 403
    assert client.get("/").status_code == 303  # to the event, not to the sign-in page
    assert "/events/" in client.get("/").headers["location"]


def test_a_token_of_one_state_opens_nothing_in_another(signed_in: SignIn) -> None:
    client = signed_in()
    elsewhere = f"micic={client.cookies['micic'].replace(STATE, OTHER_STATE)}"
    client.cookies.clear()
    assert client.get("/", headers={"Cookie": elsewhere}).headers["location"] == "/login?then=/"


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/events/1", "/events/1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_stays_here(wanted: str, goes: str) -> None:
    assert local_path(wanted) == goes
