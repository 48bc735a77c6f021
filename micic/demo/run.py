"""The demo: a private PostGIS, a believable world, the recorded crisis, the pages to click. `./run demo`."""

import base64
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr
from rich.console import Console

from micic.app import create_app
from micic.clock import utc_now
from micic.cluster import Cluster
from micic.demo.crisis import EXERCISE_PATH, SUMMARY_PATH, TEST_PATH, Crisis, Stage, summary
from micic.demo.faults import Faults
from micic.demo.feed_server import FeedServer
from micic.demo.mail_catcher import MailCatcher
from micic.demo.play import STATES, Director
from micic.demo.rules import approve_rules
from micic.demo.supervisor import Supervisor
from micic.demo.world import build_world
from micic.deployment import DATABASE, KEY_FILE, Deployment, open_private
from micic.migrate import upgrade
from micic.settings import Mail, Storage, Web

PASSWORD = "safe-journey-home"  # noqa: S105  (of the demo's invented staff, printed at the start)
SENDER = "no-reply@consular.example"
LOGINS = ("cell.istanbul", "approver.istanbul", "officer.istanbul")
SUMMARY = "summary.json"
MAIL_LOG = "mails.jsonl"
READY_TIMEOUT_S = 30.0


class DemoFailed(RuntimeError):
    """The demo cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    headless: bool = False
    fresh: bool = False
    live: bool = False
    migrants: int = 50_000
    seed: int = 1
    port: int = 8000
    faults: frozenset[str] = frozenset()


def run_demo(options: Options) -> int:
    """Prepare, play, serve. The exit code: 0 when the chain is whole."""
    console = Console(stderr=True, highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # like Ctrl-C: unwinds, so that nothing is left running
    data = Storage().data
    if options.fresh or options.headless:
        forget(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o711)
    with ExitStack() as stack:
        cluster = stack.enter_context(_cluster(data, console))
        catcher = stack.enter_context(MailCatcher(data / MAIL_LOG))
        feeds = stack.enter_context(FeedServer())
        web_url = f"http://127.0.0.1:{options.port}"
        deployment = stack.enter_context(
            open_private(
                data, mail=Mail(smtp_url=SecretStr(catcher.url), mail_from=SENDER), web=Web(public_url=web_url)
            )
        )
        _prepare(deployment, options, console)
        stack.enter_context(_serving(deployment, options.port))
        faults = Faults(options.faults, cluster)
        worker = _worker(deployment, feeds, catcher, data / MAIL_LOG, options)
        worker.on_stage = lambda stage: faults.strike(stage, worker)
        stack.callback(worker.stop)
        played_at = played(data)
        crisis = Crisis(played_at or utc_now(), options.seed)
        feeds.publish(crisis.stages[-1] if played_at else quiet(crisis))
        worker.start()
        director = Director(
            deployment, crisis, feeds, catcher, worker, web_url, lambda line: console.print(f"  {line}")
        )
        if played_at:
            console.print("The crisis of the last play is still there; --fresh plays it again.")
            return _serve(console, web_url)
        console.rule("the recorded crisis")
        director.play()
        found = director.summary()
        found["database_restarts"] = faults.database_restarts
        found["started_at"] = crisis.start.isoformat()
        (data / SUMMARY).write_text(json.dumps(found), "utf-8")
        _show(console, found)
        if options.headless:
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            return 0 if found["whole"] else 1
        return _serve(console, web_url)


def forget(data: Path) -> None:
    """Delete the private cluster, its key and the caught mails of an earlier demo."""
    Cluster.in_folder(data).remove()
    for name in (KEY_FILE, MAIL_LOG, SUMMARY):
        (data / name).unlink(missing_ok=True)
    shutil.rmtree(data / "cluster", ignore_errors=True)


def played(data: Path) -> datetime | None:
    """When the crisis that is still there began; None when none was played to its end."""
    path = data / SUMMARY
    return datetime.fromisoformat(json.loads(path.read_text("utf-8"))["started_at"]) if path.exists() else None


def quiet(crisis: Crisis) -> Stage:
    """The feeds before the crisis: two small quakes far away, and the drills."""
    first = crisis.stage("origin")
    far = list(crisis.others[:2])
    documents = {path: first.documents[path] for path in (EXERCISE_PATH, TEST_PATH, *(q.detail_path for q in far))}
    documents[SUMMARY_PATH] = summary(far, "USGS Magnitude 4.5+ Earthquakes, Past Day", SUMMARY_PATH)
    return Stage("quiet", "No news", documents, {path: first.content_types[path] for path in documents})


@contextmanager
def _cluster(data: Path, console: Console) -> Iterator[Cluster]:
    with console.status("private PostGIS"):
        began = time.monotonic()
        cluster = Cluster.in_folder(data)
        cluster.start()
        if not cluster.has_database(DATABASE):
            cluster.create_database(DATABASE)
    console.print(f"  private PostGIS ready, {time.monotonic() - began:.1f} s")
    try:
        yield cluster
    finally:
        cluster.stop()


def _prepare(deployment: Deployment, options: Options, console: Console) -> None:
    """Schema, world and rules, each made once however often the start was interrupted."""
    began = time.monotonic()
    upgrade(deployment.databases.url("micic_owner"))
    console.print(f"  schema ready, {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    world = build_world(
        deployment.engine("micic_worker"),
        deployment.engine("micic_app"),
        deployment.master,
        seed=options.seed,
        migrants=options.migrants,
        now=utc_now(),
        password=PASSWORD,
        owner=deployment.engine("micic_owner"),
        progress=_Progress(console).show,
    )
    approve_rules(deployment, now=utc_now())
    console.print(f"  world {'there' if world.was_there else 'built'}: {world}, {time.monotonic() - began:.1f} s")


class _Progress:
    """One line for each part of the world, when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, what: str, done: int, total: int) -> None:
        if done == total:
            self._console.print(f"  {what}: {total}")


def _worker(
    deployment: Deployment, feeds: FeedServer, catcher: MailCatcher, mail_log: Path, options: Options
) -> Supervisor:
    environment = deployment.databases.environment() | {
        "MICIC_MASTER_KEY": ",".join(f"{name}:{_base64(key)}" for name, key in deployment.master.keys.items()),
        "MICIC_SMTP_URL": catcher.url,
        "MICIC_MAIL_FROM": deployment.mail.mail_from,
        "MICIC_PUBLIC_URL": deployment.web.public_url,
    }
    command = ["micic.demo.worker", feeds.base_url, str(mail_log)]
    command += ["--settle-s", "86400"] if options.headless else []
    command += ["--live"] if options.live else []
    return Supervisor(command, environment)


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode()


@contextmanager
def _serving(deployment: Deployment, port: int) -> Iterator[None]:
    """The pages and the API on loopback, in a thread of this process."""
    config = uvicorn.Config(
        create_app(deployment.app_settings), host="127.0.0.1", port=port, log_level="warning", lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise DemoFailed(f"the pages could not be served on port {port}: is it taken? --port names another")
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=15)


def _serve(console: Console, web_url: str) -> int:
    """Tell where to look and wait for Ctrl-C."""
    console.rule("look around")
    console.print(f"  {web_url}")
    for state in STATES[::-1]:
        for login in LOGINS:
            console.print(f"  State [bold]{state}[/]  login [bold]{login}[/]  password [bold]{PASSWORD}[/]")
    console.print("  Ctrl-C stops everything; the data stay, and the next start takes seconds.")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(1.0):
        pass
    console.print("  stopping")
    return 0


def _show(console: Console, summary: dict[str, Any]) -> None:
    console.rule("what it came to")
    for name in ("migrants", "messages", "exposures", "changes", "notifications", "replies", "seconds"):
        console.print(f"  {name}: {summary[name]}")
    if not summary["whole"]:
        console.print("  [bold red]the chain is not whole[/]")
