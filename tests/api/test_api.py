"""The JSON API: same services as the pages, told in JSON, safe to repeat, refusing what has changed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from micic.api.cursors import after_moment, after_severity, read_moment, read_severity
from micic.errors import Invalid
from tests.web.fixtures import ORIGIN, SignIn
from tests.web.world import OTHER_STATE, PASSWORD, STATE, CrisisWorld

pytestmark = pytest.mark.xdist_group("pages")

API = "/api/v1"


def event(world: CrisisWorld, rest: str = "") -> str:
    return f"{API}/events/{world.event_id}{rest}"


def is_problem(reply: Any, status: int, kind: str) -> bool:
    told = reply.json()
    return (
        reply.headers["content-type"] == "application/problem+json"
        and (reply.status_code, told["status"]) == (status, status)
        and told["type"] == f"urn:micic:problem:{kind}"
        and bool(told["title"] and told["detail"])
    )


def test_a_program_signs_in_with_a_bearer_token(anonymous: TestClient) -> None:
    body = {"state": STATE, "login": "cell", "password": PASSWORD}
    token = anonymous.post(f"{API}/session", json=body).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert anonymous.get(f"{API}/session", headers=bearer).json()["roles"] == ["crisis_cell", "officer"]
    assert anonymous.delete(f"{API}/session", headers=bearer).status_code == 204
    assert is_problem(anonymous.get(f"{API}/session", headers=bearer), 401, "not_signed_in")
    assert is_problem(anonymous.post(f"{API}/session", json={**body, "password": "x"}), 401, "not_signed_in")
    assert is_problem(anonymous.post(f"{API}/session", json={**body, "more": 1}), 422, "invalid")


def test_events_come_with_the_freshness_of_the_feeds(signed_in: SignIn, world: CrisisWorld) -> None:
    told = signed_in().get(f"{API}/events").json()
    assert [row["event_id"] for row in told["events"]] == [str(world.event_id)]
    assert {feed["name"]: feed["is_dark"] for feed in told["feeds"]} == {"cap": True, "usgs": False}
    assert told["events"][0]["severity"] == 4


def test_figures_never_come_without_coverage_age_and_time(signed_in: SignIn, world: CrisisWorld) -> None:
    reply = signed_in().get(event(world, "/figures"))
    told = reply.json()
    assert told["at"]
    assert told["groups"]["inside"]["persons"] > 0
    assert told["coverage"][0]["source"] == "Commission on Filipinos Overseas"
    assert told["age"]["median_s"] <= told["age"]["p90_s"]
    assert told["estimate"]["low"] <= told["estimate"]["best"] <= told["estimate"]["high"]
    assert reply.headers["etag"]


def test_changes_since_a_version_and_since_an_instant(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    whole = client.get(event(world)).json()
    first, second = [step for step in whole["versions"] if step["cause"] == "message"]
    everything = client.get(event(world, "/changes")).json()["sum"]
    since = client.get(event(world, "/changes"), params={"version": first["step_id"]}).json()
    assert everything["entered"] == first["counts"]["entered"] + since["sum"]["entered"]
    assert since["sum"]["raised"] == second["counts"]["raised"]
    later = client.get(event(world, "/changes"), params={"since": second["crossed_at"]}).json()["changes"]
    assert later == [row for row in since["changes"] if row["crossing_id"] != second["crossing_id"]]
    assert is_problem(client.get(event(world, "/changes"), params={"since": "2026-11-23T14:10:00"}), 422, "invalid")
    assert client.get(event(world, "/changes"), params={"version": str(uuid.uuid4())}).status_code == 404


def test_people_come_in_pages_that_neither_repeat_nor_miss(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    whole = [row["migrant_id"] for row in client.get(event(world, "/people")).json()["people"]]
    paged, cursor = [], None
    while True:
        told = client.get(event(world, "/people"), params={"limit": 7, **({"cursor": cursor} if cursor else {})}).json()
        paged += [row["migrant_id"] for row in told["people"]]
        cursor = told["next"]
        if not cursor:
            break
    assert paged == whole
    assert len(set(paged)) == len(paged)
    assert is_problem(client.get(event(world, "/people"), params={"cursor": "bm8"}), 422, "invalid")


def test_reading_people_is_audited_with_its_purpose(signed_in: SignIn, world: CrisisWorld) -> None:
    signed_in().get(event(world, "/people"), headers={"X-Purpose": "case:4711"})
    with world.session() as session:
        found = session.execute(
            text(
                "select purpose, subject_id from audit_entry where action = 'people_read'"
                " order by audit_id desc limit 1"
            )
        ).one()
    assert tuple(found) == ("case:4711", world.event_id)


def test_a_post_that_is_repeated_is_done_once(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    body = {"title": "Flood that no feed knows of"}
    key = {"Idempotency-Key": f"key-{uuid.uuid4()}"}
    first = client.post(f"{API}/events", json=body, headers=key)
    again = client.post(f"{API}/events", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replay"] == "true"
    assert is_problem(client.post(f"{API}/events", json={"title": "Another"}, headers=key), 409, "conflict")
    assert is_problem(client.post(f"{API}/events", json=body, headers={"Idempotency-Key": "x" * 81}), 422, "invalid")
    with world.session("micic_app") as session:
        stored = session.execute(
            text("select body from idempotency_key where key = :key"), {"key": key["Idempotency-Key"]}
        ).scalar_one()
        session.execute(text("update situation set closed_at = now() where title = :title"), body)
    assert first.json()["id"].encode() not in stored


def test_a_key_of_one_person_is_no_key_of_another(signed_in: SignIn, world: CrisisWorld) -> None:
    key = {"Idempotency-Key": f"key-{uuid.uuid4()}"}
    body = {"title": "Landslide"}
    mine = signed_in().post(f"{API}/events", json=body, headers=key).json()
    theirs = signed_in("cell", OTHER_STATE).post(f"{API}/events", json=body, headers=key)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine["id"]
    for state in (STATE, OTHER_STATE):
        with world.session("micic_app", state) as session:
            session.execute(text("update situation set closed_at = now() where title = :title"), body)


def test_a_list_is_frozen_by_one_and_released_by_another(signed_in: SignIn, world: CrisisWorld) -> None:
    cell, approver = signed_in(), signed_in("approver")
    made = cell.post(event(world, "/lists"), json={"post_id": str(world.ankara), "kind": "assistance"}).json()
    address = event(world, f"/lists/{made['list_id']}")
    body = {"recipient_class": "civil_protection", "note": "AFAD, by courier", "people": made["line_count"]}
    assert is_problem(cell.post(f"{address}/release", json=body), 403, "not_permitted")
    assert is_problem(approver.post(f"{address}/release", json={**body, "people": 9999}), 422, "invalid")
    stale = {"If-Match": '"something-else"'}
    assert is_problem(approver.post(f"{address}/release", json=body, headers=stale), 412, "precondition")
    fresh = {"If-Match": approver.get(address).headers["etag"], "Idempotency-Key": f"key-{uuid.uuid4()}"}
    assert is_problem(approver.get(f"{address}/csv"), 409, "conflict")
    first = approver.post(f"{address}/release", json=body, headers=fresh)
    assert (first.status_code, first.json()["status"]) == (200, "released")
    assert approver.post(f"{address}/release", json=body, headers=fresh).json() == first.json()
    assert is_problem(approver.post(f"{address}/release", json=body), 409, "conflict")
    assert approver.get(f"{address}/csv").headers["content-type"].startswith("text/csv")


def test_who_froze_a_list_may_not_release_it(signed_in: SignIn, world: CrisisWorld) -> None:
    with world.session("micic_app") as session:
        session.execute(
            text(
                "insert into staff_role (registering_state, staff_id, post_id, role)"
                " values ('PHL', :cell, :post, 'approver')"
            ),
            {"cell": world.cell_id, "post": world.istanbul},
        )
    try:
        client = signed_in()
        made = client.post(event(world, "/lists"), json={"post_id": str(world.istanbul), "kind": "evacuation"}).json()
        body = {"recipient_class": "red_cross", "note": "x", "people": made["line_count"]}
        assert is_problem(client.post(event(world, f"/lists/{made['list_id']}/release"), json=body), 409, "four_eyes")
    finally:
        with world.session("micic_app") as session:
            session.execute(
                text("delete from staff_role where staff_id = :cell and role = 'approver'"), {"cell": world.cell_id}
            )


def test_lists_come_in_pages_and_open_with_their_lines(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    told = client.get(event(world, "/lists"), params={"limit": 1}).json()
    following = client.get(event(world, "/lists"), params={"limit": 1, "cursor": told["next"]}).json()
    assert told["lists"][0]["list_id"] != following["lists"][0]["list_id"]
    row = following["lists"][0]
    lines = client.get(event(world, f"/lists/{row['list_id']}/lines")).json()["lines"]
    assert len(lines) == row["line_count"]
    other = client.get(f"{API}/events/{uuid.uuid4()}/lists/{row['list_id']}/lines")
    assert is_problem(other, 404, "not_found")


def test_a_drill_is_held_and_cannot_be_accepted(signed_in: SignIn) -> None:
    client = signed_in()
    (held,) = client.get(f"{API}/alerts/held").json()["alerts"]
    assert held["status"] == "exercise"
    assert held["verdict_reasons"] == ["status-exercise"]
    body = {"decision": "accepted", "reason": "looks real"}
    assert is_problem(client.post(f"{API}/alerts/{held['message_id']}/decision", json=body), 422, "invalid")
    assert is_problem(client.post(f"{API}/alerts/{uuid.uuid4()}/decision", json=body), 404, "not_found")


def test_an_area_is_declared_once_and_ended(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    square = {"type": "Polygon", "coordinates": [[[28, 40.1], [28.1, 40.1], [28.1, 40.2], [28, 40.2], [28, 40.1]]]}
    body = {"label": "Bandırma port", "reason": "fire", "severity": 3, "geometry": square}
    stale = {"If-Match": '"999"'}
    assert is_problem(client.post(event(world, "/areas"), json=body, headers=stale), 412, "precondition")
    assert is_problem(client.post(event(world, "/areas"), json={**body, "geometry": {"type": "Point"}}), 422, "invalid")
    assert is_problem(client.post(event(world, "/areas"), json={**body, "label": "a\0b"}), 422, "invalid")
    made = client.post(event(world, "/areas"), json=body, headers={"If-Match": '"1"'})
    assert made.status_code == 201
    ending = event(world, f"/areas/{made.json()['id']}/end")
    assert client.post(ending).status_code == 200
    assert is_problem(client.post(ending), 409, "conflict")


def test_messages_show_how_far_they_have_got(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    told = client.get(event(world, "/campaigns")).json()["campaigns"]
    assert sum(row["counts"].get("sent", 0) for row in told) == len(world.mail.taken) - len(world.mail.taken) // 19
    waiting = client.get(event(world, "/waiting")).json()
    assert waiting["count"] == sum(len(rows) for rows in waiting["waiting"].values())
    stop = client.post(event(world, f"/campaigns/{told[0]['campaign_id']}/approve"), json={"recipients": 1})
    assert is_problem(stop, 403, "not_permitted")


@pytest.mark.parametrize("rest", ["", "/figures", "/changes", "/people", "/waiting", "/lists", "/campaigns"])
def test_another_state_finds_no_event(rest: str, signed_in: SignIn, world: CrisisWorld) -> None:
    assert is_problem(signed_in("cell", OTHER_STATE).get(event(world, rest)), 404, "not_found")


def test_a_foreign_site_cannot_write_with_our_cookie(signed_in: SignIn) -> None:
    reply = signed_in().post(f"{API}/events", json={"title": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 403
    ours = signed_in().delete(f"{API}/session", headers={"Origin": ORIGIN})
    assert ours.status_code == 204


def test_the_api_describes_itself(anonymous: TestClient) -> None:
    told = anonymous.get(f"{API}/openapi.json").json()
    assert f"{API}/events/{{event_id}}/figures" in told["paths"]
    assert not [path for path in told["paths"] if not path.startswith(API)]


def test_cursors_come_back_as_they_went(world: CrisisWorld) -> None:
    assert read_severity(after_severity(4, world.event_id)) == (4, world.event_id)
    assert read_moment(after_moment(world.now, world.event_id)) == (world.now, world.event_id)
    assert read_moment(None) is None
    for wrong in ("{}", "W10", "WzEsMl0", "ü", "====", after_severity(1, world.event_id)):
        with pytest.raises(Invalid):
            read_moment(wrong)
