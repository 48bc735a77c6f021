"""The transaction of a request: committed before the reply, rolled back on error, 503 when the database is gone."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from micic.app import AppSettings, create_app
from micic.audit.models import AuditEntry
from micic.audit.service import record
from micic.door import STATUS_OF_KIND, Now, Transaction, Who, refusal_of
from micic.errors import Invalid, MicicError
from tests.web.fixtures import ORIGIN, Databases, SignIn
from tests.web.world import MASTER, STATE, CrisisWorld

pytestmark = pytest.mark.xdist_group("pages")


@pytest.fixture
def probed(app: FastAPI, world: CrisisWorld, page_database: Databases) -> FastAPI:
    """The application with routes that fail in every way."""
    if any(getattr(route, "path", "") == "/probe/written" for route in app.routes):
        return app

    def write(session: Transaction, who: Who, now: Now) -> None:
        record(session, who.state, who.actor, "probe", now=now)

    def written(session: Transaction, who: Who, now: Now) -> str:
        write(session, who, now)
        return "written"

    def refused(session: Transaction, who: Who, now: Now) -> str:
        write(session, who, now)
        session.flush()
        raise Invalid("no")

    def commit_fails(session: Transaction, who: Who, now: Now) -> str:
        """Everything went well, and then the server kills the connection before the commit."""
        write(session, who, now)
        session.flush()
        mine = session.execute(text("select pg_backend_pid()")).scalar_one()
        with page_database.engine("micic_app").connect() as other:
            assert other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": mine}).scalar_one()
        return "all is well"

    for path, endpoint in (("written", written), ("refused", refused), ("commit-fails", commit_fails)):
        app.add_api_route(f"/probe/{path}", endpoint, methods=["GET"])
    return app


def count_probes(world: CrisisWorld) -> int:
    with world.session() as session:
        return session.execute(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "probe")
        ).scalar_one()


def test_a_request_is_committed(probed: FastAPI, signed_in: SignIn, world: CrisisWorld) -> None:
    before = count_probes(world)
    assert signed_in().get("/probe/written").status_code == 200
    assert count_probes(world) == before + 1


def test_an_error_rolls_back(probed: FastAPI, signed_in: SignIn, world: CrisisWorld) -> None:
    before = count_probes(world)
    assert signed_in().get("/probe/refused").status_code == 422
    assert count_probes(world) == before


def test_a_failing_commit_is_not_a_success(probed: FastAPI, signed_in: SignIn, world: CrisisWorld) -> None:
    before = count_probes(world)
    reply = signed_in().get("/probe/commit-fails")
    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "5"
    assert "all is well" not in reply.text
    assert count_probes(world) == before


def test_a_database_that_is_gone_is_503_and_says_when_to_come_back(tmp_path: object) -> None:
    nowhere = f"postgresql://micic_app@/nothing?host={tmp_path}"
    gone = create_app(AppSettings(nowhere, nowhere, MASTER, ORIGIN))
    with TestClient(gone, base_url=ORIGIN, raise_server_exceptions=False) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/login", "/c/PHL-" + "a" * 32):
            reply = client.get(path)
            assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5"), path
        reply = client.get("/api/v1/events", headers={"Authorization": f"Bearer {STATE}.{'a' * 40}"})
        assert (reply.status_code, reply.headers["content-type"]) == (503, "application/problem+json")


def test_every_kind_of_error_has_a_status() -> None:
    def all_kinds(kind: type[MicicError]) -> set[str]:
        return {kind.kind}.union(*(all_kinds(below) for below in kind.__subclasses__()))

    assert all_kinds(MicicError) <= STATUS_OF_KIND.keys()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("select", {"name": "canary"}, Exception("canary")), 503),
        (IntegrityError("insert", {"name": "canary"}, Exception("canary")), 409),
        (RuntimeError("canary"), 500),
    ],
)
def test_the_text_of_a_foreign_error_stays_inside(error: Exception, status: int) -> None:
    refusal = refusal_of(error)
    assert refusal.status == status
    assert "canary" not in refusal.detail
