"""The command line drives the chain by hand: register, declare, cross, freeze, release, export, verify."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from geo.database import make_session_factory
from micic.cli import app
from micic.clock import utc_now
from micic.demo.world import build_world
from micic.posts.models import ConsularPost
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys
from micic.security.principal import Principal, Role
from micic.settings import Databases
from micic.watch.service import open_situation
from tests.conftest import ROLES, FreshDatabase

PASSWORD = "a-long-demo-password"
STATE = "PHL"
SHORE = {"type": "Polygon", "coordinates": [[[28.6, 40.9], [29.2, 40.9], [29.2, 41.2], [28.6, 41.2], [28.6, 40.9]]]}
PERSON = {
    "family_name": "Dela Cruz-Invented",
    "given_names": "Maria",
    "sex": 2,
    "born_on": "1988-04-02",
    "nationalities": ["PHL"],
    "contacts": [{"channel": "email", "address": "maria.invented@example.org"}],
    "needs": [{"code": "insulin", "days_left": 2}],
    "locations": [{"source": "residence", "lat": 41.0, "lon": 28.9, "accuracy_m": 50}],
}

Run = Callable[..., str]


@pytest.fixture
def run(fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `micic ...` on a small world; what it wrote to standard output."""
    master = MasterKeys.new()
    build_world(
        fresh_database.engine("micic_worker"),
        fresh_database.engine("micic_app"),
        MasterKeys.parse(master),
        seed=5,
        now=utc_now(),
        password=PASSWORD,
        migrants=200,
    )
    for name, value in Databases.of_roles({role: fresh_database.url(role) for role in ROLES}).environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MICIC_MASTER_KEY", master)

    def invoke(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "400"})
        assert result.exit_code == code, result.output
        return result.output if code else result.stdout

    return invoke


def as_cell(login: str) -> list[str]:
    return [f"--state={STATE}", f"--login={login}", f"--password={PASSWORD}"]


def post_of_istanbul(database: FreshDatabase) -> uuid.UUID:
    with make_session_factory(database.engine("micic_worker"))() as session:
        set_context(session, Context(STATE))
        return session.execute(select(ConsularPost.post_id).where(ConsularPost.name.contains("Istanbul"))).scalar_one()


def open_a_situation(database: FreshDatabase) -> uuid.UUID:
    cell = Principal(STATE, uuid.uuid4(), (), frozenset({Role.CRISIS_CELL}), "a drill of the test")
    with make_session_factory(database.engine("micic_app")).begin() as session:
        set_context(session, cell.context())
        return open_situation(session, cell, "Fires on the shore", now=utc_now()).event_id


def test_a_household_is_registered_found_inside_listed_and_released(
    run: Run, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    post = post_of_istanbul(fresh_database)
    (tmp_path / "household.json").write_text(json.dumps([PERSON]), "utf-8")
    told = run("people", "register", str(tmp_path / "household.json"), *as_cell("officer.istanbul"), f"--post={post}")
    assert re.match(r"household [0-9A-Z]{5}-[0-9A-Z]{5}: 1 persons", told)

    event = open_a_situation(fresh_database)
    (tmp_path / "shore.json").write_text(json.dumps(SHORE), "utf-8")
    run(
        "areas", "declare", str(tmp_path / "shore.json"), *as_cell("cell.istanbul"), f"--event={event}",
        "--label=The shore", "--reason=Fires reported by wardens", "--severity=4",
    )  # fmt: skip
    assert "crossed 0 messages, 1 acts, 1 moves" in run("cross", f"--state={STATE}")
    assert "Fires on the shore" in run("events", "list", f"--state={STATE}")
    assert "entered" in run("events", "changes", str(event), f"--state={STATE}")
    assert "0 exposures changed" in run("cross", f"--state={STATE}", "--everything")

    told = run("lists", "freeze", *as_cell("cell.istanbul"), f"--event={event}", f"--post={post}", "--kind=evacuation")
    list_id = told.split()[0]
    assert int(re.search(r": (\d+) lines", told)[1]) >= 1  # type: ignore[index]
    refused = run(
        "lists", "release", list_id, *as_cell("cell.istanbul"), "--to=consular", "--note=The cell itself", code=1
    )
    assert "role does not allow" in refused
    run("lists", "release", list_id, *as_cell("approver.istanbul"), "--to=internal", "--note=The consulate's team")
    for name in ("list.csv", "list.pdf"):
        run("lists", "export", list_id, str(tmp_path / name), *as_cell("approver.istanbul"), "--purpose=handing over")
    text = (tmp_path / "list.csv").read_text("utf-8-sig")
    assert "dela cruz-invented" in text.lower()
    assert "insulin" in text.lower()
    assert (tmp_path / "list.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "list.csv").stat().st_mode & 0o077 == 0, "a list is readable by its owner only"


def test_wrong_password_and_unknown_list_are_one_clear_line(run: Run) -> None:
    wrong = [f"--state={STATE}", "--login=cell.istanbul", "--password=wrong-password-here"]
    assert "Unknown login or wrong password" in run("rules", "approve", str(uuid.uuid4()), *wrong, code=1)
    missing = run(
        "lists", "release", str(uuid.uuid4()), *as_cell("approver.istanbul"), "--to=internal", "--note=x", code=1
    )
    assert "no such record" in missing


def test_a_broken_file_of_persons_is_refused_by_its_field(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text(json.dumps([{**PERSON, "immigration_status": "irregular"}]), "utf-8")
    told = run(
        "people",
        "register",
        str(tmp_path / "wrong.json"),
        *as_cell("officer.istanbul"),
        f"--post={uuid.uuid4()}",
        code=1,
    )
    assert "immigration_status" in told


def test_documents_are_parsed_without_a_database(tmp_path: Path) -> None:
    (tmp_path / "page.xml").write_text("<html>502 Bad Gateway</html>", "utf-8")
    result = CliRunner().invoke(app, ["feeds", "parse", "--feed=cap", str(tmp_path / "page.xml")])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rejected"] in ("not-cap", "not-xml")
