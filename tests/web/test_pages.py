"""The pages: what they show, to whom, and that nothing that was typed can run in an officer's browser."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import text

from micic.api.routes import PREFIX
from micic.registry.locations import LocationDraft
from micic.registry.models import Migrant
from micic.registry.service import PersonDraft, register_household
from micic.registry.vault import Vault
from tests.web.fixtures import SignIn
from tests.web.world import MASTER, OTHER_STATE, TITLE, CrisisWorld

pytestmark = pytest.mark.xdist_group("pages")

# Open to anybody: signing in, the check-in link, labels of the map, files, and what watches the process.
OPEN = {"/login", "/c/{token}", "/map/towns.json", "/healthz", "/readyz", "/metrics", "POST /api/v1/session"}
NOBODY = "00000000-0000-0000-0000-000000000000"


def pages_of(world: CrisisWorld) -> list[str]:
    event = f"/events/{world.event_id}"
    with world.session() as session:
        held = session.execute(text("select message_id from message where verdict = 'held' limit 1")).scalar_one()
        campaign = session.execute(text("select campaign_id from campaign limit 1")).scalar_one()
    return [
        event,
        f"{event}?wall=1",
        f"{event}/panel",
        f"{event}/people?presence=inside",
        f"{event}/lists/{world.list_id}",
        f"{event}/areas/new",
        f"{event}/campaigns/{campaign}",
        f"/alerts/{held}",
    ]


def csrf_of(client: TestClient, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(path).text)
    assert found is not None, path
    return found[1]


def every_route(app: FastAPI) -> list[tuple[str, set[str]]]:
    """Path and methods of every route, those of included routers too."""
    found = []
    todo = list(app.router.routes)
    while todo:
        route = todo.pop()
        if isinstance(route, APIRoute):
            prefix = PREFIX if route.endpoint.__module__.startswith("micic.api.") else ""
            found.append((prefix + route.path, set(route.methods or ())))
        todo += getattr(getattr(route, "original_router", None), "routes", [])
    return found


def test_the_situation_page_answers_the_four_questions(signed_in: SignIn, world: CrisisWorld) -> None:
    page = signed_in().get(f"/events/{world.event_id}").text
    assert TITLE in page
    for heading in ("Who is inside", "Who has not answered", "Decide now", "Where the data is old"):
        assert heading in page
    assert "estimated" in page
    assert re.search(r"data \d+ (min|h|d) old \(p90", page)
    assert "cap\n" in page
    assert "DARK for" in page


@pytest.mark.parametrize("login", ["cell", "approver"])
def test_every_page_opens_for_those_it_is_for(login: str, signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in(login)
    for path in pages_of(world):
        expected = 403 if login == "approver" and path.endswith("/areas/new") else 200
        assert client.get(path).status_code == expected, path


def test_no_page_has_a_style_or_script_that_the_policy_forbids(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    for path in [*pages_of(world), "/login", f"/c/{world.link_token()}", "/c/unknown", "/nothing"]:
        reply = client.get(path)
        nonce = re.search(r"'nonce-([^']+)'", reply.headers["content-security-policy"])
        assert nonce is not None
        assert not re.search(r"<[^>]+\s(style|on\w+)\s*=", reply.text), path
        assert "<style" not in reply.text
        for script in re.findall(r"<script\b[^>]*>", reply.text):
            assert f'nonce="{nonce[1]}"' in script, script
        assert reply.headers["cache-control"] == "no-store", path
        assert "unsafe" not in reply.headers["content-security-policy"]


def test_another_state_sees_nothing_of_the_event(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in("cell", OTHER_STATE)
    for path in pages_of(world):
        if not path.startswith("/alerts/"):  # alerts are public, and each State decides for itself
            assert client.get(path).status_code == 404, path
    assert TITLE not in client.get("/", follow_redirects=True).text


def test_who_may_not_is_refused_and_the_refusal_is_audited(signed_in: SignIn, world: CrisisWorld) -> None:
    reply = signed_in("responder").get(f"/events/{world.event_id}")
    assert reply.status_code == 403
    assert "You may not do this" in reply.text
    with world.session("micic_app") as session:
        found = session.execute(
            text(
                "select purpose, details ->> 'kind' from audit_entry where actor = :actor and action = 'refused'"
                " order by audit_id desc limit 1"
            ),
            {"actor": str(world.responder_id)},
        ).one()
    assert tuple(found) == (f"event:{world.event_id}", "not_permitted")


def test_nobody_gets_anywhere_without_signing_in(app: FastAPI, anonymous: TestClient) -> None:
    routes = every_route(app)
    assert len(routes) > 40
    for template, methods in routes:
        path = re.sub(r"\{(z|x|y)\}", "0", re.sub(r"\{\w+_id\}", NOBODY, template))
        for method in methods - {"HEAD"}:
            if template in OPEN or f"{method} {template}" in OPEN or template.startswith("/probe"):
                continue
            reply = anonymous.request(method, path, json={})
            assert reply.status_code in ((401,) if path.startswith("/api/") else (303, 401)), f"{method} {path}"
            if reply.status_code == 303:
                assert reply.headers["location"].startswith("/login")


def test_what_was_typed_stays_text(signed_in: SignIn, world: CrisisWorld) -> None:
    wicked = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    with world.session("micic_app") as session:
        person = PersonDraft(
            wicked, "\u202egnp.exe", nationalities=("PHL",), locations=(LocationDraft("jurisdiction", "TUR"),)
        )
        vault = Vault(session, MASTER, "PHL")
        household = register_household(session, world.officer, vault, world.istanbul, [person], now=world.now)
        new = session.query(Migrant.migrant_id).filter_by(household_id=household.household_id).scalar()
    with world.session() as session:
        victim = session.execute(
            text("select migrant_id from exposure where ended_at is null order by coalesce(severity_inside, 0) desc,"
                 " migrant_id desc limit 1")
        ).scalar_one()  # fmt: skip
        session.execute(
            text("update exposure set migrant_id = :new where migrant_id = :old"), {"new": new, "old": victim}
        )
    try:
        page = signed_in().get(f"/events/{world.event_id}/people").text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<img" not in page
        assert re.search(r"<bdi>&lt;script[^<]*\u202egnp\.exe</bdi>", page)
    finally:
        with world.session() as session:
            session.execute(
                text("update exposure set migrant_id = :old where migrant_id = :new"), {"new": new, "old": victim}
            )


def test_a_release_is_typed_out_by_a_second_person(signed_in: SignIn, world: CrisisWorld) -> None:
    cell, approver = signed_in("cell"), signed_in("approver")
    event = f"/events/{world.event_id}"
    token = csrf_of(cell, event)
    frozen = cell.post(f"{event}/lists", data={"csrf": token, "kind": "assistance", "post_id": str(world.istanbul)})
    assert frozen.status_code == 303
    where = frozen.headers["location"]
    asked = {"recipient_class": "red_cross", "note": "Red Crescent Istanbul, by hand"}
    assert cell.get(where + "/release", params=asked).status_code == 403
    page = approver.get(where + "/release", params=asked).text
    sentence = re.search(r"<code>([^<]+)</code>", page)
    assert sentence is not None
    assert "Istanbul red cross" in sentence[1]
    assert "cannot be undone" in page
    form = {"csrf": csrf_of(approver, where + "/release"), **asked}
    assert approver.post(where + "/release", data={**form, "typed": "1 Istanbul red cross"}).status_code == 422
    assert approver.post(where + "/release", data={**form, "typed": sentence[1], "csrf": token}).status_code == 403
    assert approver.get(where + "/csv").status_code == 409
    assert approver.post(where + "/release", data={**form, "typed": sentence[1].upper()}).status_code == 303
    file = approver.get(where + "/csv")
    assert file.headers["content-disposition"].startswith('attachment; filename="assistance_istanbul')
    assert file.headers["cache-control"] == "no-store"
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert approver.post(where + "/release", data={**form, "typed": sentence[1]}).status_code == 409


def test_an_area_is_declared_by_middle_and_radius_and_ended(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    event = f"/events/{world.event_id}"
    form = {"csrf": csrf_of(client, event), "label": "Yalova quay", "reason": "fire", "severity": "3"}
    assert client.post(f"{event}/areas", data={**form, "middle": "40.65", "radius_km": "3"}).status_code == 422
    assert client.post(f"{event}/areas", data={**form, "geojson": "{"}).status_code == 422
    assert client.post(f"{event}/areas", data={**form, "middle": "40.65, 29.27", "radius_km": "3"}).status_code == 303
    page = client.get(f"{event}/areas/new").text
    assert "Yalova quay" in page
    ending = re.search(r'action="([^"]+/end)"(?:(?!</form>).)*Yalova quay', page, re.DOTALL)
    assert ending is not None
    assert client.post(ending[1], data={"csrf": form["csrf"]}).status_code == 303
    assert client.post(ending[1], data={"csrf": form["csrf"]}).status_code == 409


def test_an_exercise_can_be_rejected_and_never_accepted(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    path = next(path for path in pages_of(world) if path.startswith("/alerts/"))
    page = client.get(path).text
    assert 'class="desk exercise"' in page
    assert "Accept the alert" not in page
    form = {"csrf": csrf_of(client, path), "reason": "a drill"}
    assert client.post(path, data={**form, "decision": "accepted"}).status_code == 422


def test_metrics_count_by_route_and_name_nobody(anonymous: TestClient, world: CrisisWorld) -> None:
    anonymous.get(f"/events/{world.event_id}")
    found = anonymous.get("/metrics").text
    assert 'micic_http_replies_total{route="/events/{event_id}",status="3xx"}' in found
    assert str(world.event_id) not in found


def test_a_body_beyond_a_megabyte_is_refused(anonymous: TestClient) -> None:
    assert anonymous.post("/login", content=b"x" * (1 << 20 | 1)).status_code == 413
