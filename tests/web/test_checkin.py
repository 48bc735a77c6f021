"""The public check-in: looking changes nothing, an answer is kept once, and nobody learns why a link is dead."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from micic.identifiers import is_reference
from micic.security.crypto import token_hash
from tests.web.world import STATE, CrisisWorld

pytestmark = pytest.mark.xdist_group("pages")

TABLES = ("reply", "answer_link", "notification", "welfare_entry", "contact_entry", "audit_entry", "need")


def whole_state(world: CrisisWorld) -> list[tuple[int, str | None]]:
    """Every row of what a link could touch, as one hash per table."""
    digest = "select count(*), md5(string_agg(t::text, '' order by t::text)) from {table} t"
    with world.session() as session:
        return [tuple(session.execute(text(digest.format(table=table))).one()) for table in TABLES]


def key_of(page: str) -> str:
    found = re.search(r'name="submission_key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_scanner_may_open_the_link_a_hundred_times(anonymous: TestClient, world: CrisisWorld) -> None:
    token, before = world.link_token(), whole_state(world)
    for _ in range(100):
        assert anonymous.get(f"/c/{token}").status_code == 200
        assert anonymous.head(f"/c/{token}").status_code == 200
    assert whole_state(world) == before


def test_the_page_is_bare(anonymous: TestClient, world: CrisisWorld) -> None:
    reply = anonymous.get(f"/c/{world.link_token()}")
    assert "<script" not in reply.text
    assert "set-cookie" not in reply.headers
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-store"
    with world.session() as session:
        names = session.execute(text("select distinct family_name from migrant")).scalars().all()
    assert not [name for name in names if name in reply.text]


def test_an_answer_is_kept_once_and_gets_a_reference(anonymous: TestClient, world: CrisisWorld) -> None:
    token = world.link_token()
    form = {"answer": "need_help", "needs": ["insulin"], "submission_key": key_of(anonymous.get(f"/c/{token}").text)}
    pages = [
        anonymous.post(f"/c/{token}", data=form, headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"})
        for _ in range(2)
    ]
    references = [re.search(r'class="reference" dir="ltr">([^<]+)<', page.text) for page in pages]
    assert references[0] and references[1]  # noqa: PT018
    assert references[0][1] == references[1][1]
    assert is_reference(references[0][1])
    assert "cannot promise" in pages[0].text
    with world.session() as session:
        rows = session.execute(
            text("select answer, needs, reference, taken_up_at from reply where token_hash = :hash"),
            {"hash": token_hash(token)},
        ).all()
    assert [tuple(row) for row in rows] == [("need_help", ["insulin"], references[0][1], None)]


def test_without_an_answer_the_form_comes_back(anonymous: TestClient, world: CrisisWorld) -> None:
    token = world.link_token()
    reply = anonymous.post(f"/c/{token}", data={"submission_key": key_of(anonymous.get(f"/c/{token}").text)})
    assert reply.status_code == 422
    assert "Nothing was saved yet" in reply.text
    wrong = {"answer": "safe", "needs": ["no such need"], "submission_key": "abcdefgh12345"}
    assert anonymous.post(f"/c/{token}", data=wrong).status_code == 422


def test_unknown_expired_and_revoked_links_look_alike(anonymous: TestClient, world: CrisisWorld) -> None:
    expired, revoked = (f"{STATE}-{letter * 32}" for letter in "bc")
    with world.session("micic_app") as session:
        for token, times in ((expired, "now(), null"), (revoked, "now() + interval '1 day', now()")):
            session.execute(
                text(
                    "insert into answer_link (registering_state, token_hash, notification_id, event_title, language,"
                    " household_size, expires_at, revoked_at) select registering_state, :hash, notification_id,"
                    f" event_title, language, household_size, {times} from answer_link limit 1"
                ),
                {"hash": token_hash(token)},
            )
    bodies = set()
    for token in (expired, revoked, f"{STATE}-{'a' * 32}", "nonsense", f"XXX-{'a' * 32}"):
        for reply in (anonymous.get(f"/c/{token}"), anonymous.post(f"/c/{token}", data={"answer": "safe"})):
            assert reply.status_code == 404
            bodies.add(reply.text)
    assert len(bodies) == 1
    assert "This link cannot be used" in bodies.pop()


@pytest.mark.parametrize(
    ("language", "direction", "words"),
    [("fr", "ltr", "Je suis en sécurité"), ("ar", "rtl", "أنا بأمان"), ("en", "ltr", "I am safe")],
)
def test_it_speaks_the_readers_language(
    language: str, direction: str, words: str, anonymous: TestClient, world: CrisisWorld
) -> None:
    page = anonymous.get(f"/c/{world.link_token()}?lang={language}").text
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert words in page


def test_the_links_own_language_comes_first_and_the_browsers_for_a_dead_link(
    anonymous: TestClient, world: CrisisWorld
) -> None:
    french = {"Accept-Language": "de, fr;q=0.8, en;q=0.5"}
    assert 'lang="ar"' in anonymous.get(f"/c/{world.link_token('ar')}", headers=french).text
    assert "Ce lien n'est pas utilisable" in anonymous.get("/c/unknown", headers=french).text
