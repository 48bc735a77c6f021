"""The root of the command line, and what is not about one capability: demo, serve, worker, schema, keys."""

import signal
import sys
import threading
from typing import Annotated

import typer
import uvicorn

from micic.app import create_app
from micic.cli import chain, lists, people, registry
from micic.cli.rim import deployment_or_exit, fail
from micic.cluster import ClusterError
from micic.demo.run import DemoFailed, Options, run_demo
from micic.errors import MicicError
from micic.log import configure
from micic.migrate import check, upgrade
from micic.security.crypto import MasterKeys
from micic.worker import Worker

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="The crisis migrant-assistance registry.")
app.add_typer(chain.feeds, name="feeds")
app.add_typer(chain.events, name="events")
app.add_typer(lists.app, name="lists")
app.add_typer(people.rules, name="rules")
app.add_typer(people.messages, name="messages")
app.add_typer(registry.people, name="people")
app.add_typer(registry.areas, name="areas")
app.add_typer(registry.alerts, name="alerts")
app.command("cross")(chain.cross)
app.command("take-up")(chain.take_up)

db = typer.Typer(no_args_is_help=True, help="The database's schema.")
app.add_typer(db, name="db")
keys = typer.Typer(no_args_is_help=True, help="Master keys.")
app.add_typer(keys, name="keys")


@app.command()
def demo(
    headless: Annotated[bool, typer.Option(help="Play and print one JSON object; serve nothing.")] = False,
    fresh: Annotated[bool, typer.Option(help="Forget the last demo and start over.")] = False,
    live: Annotated[bool, typer.Option(help="Poll the real feeds as well.")] = False,
    migrants: Annotated[int, typer.Option(help="How many people.", min=200)] = 50_000,
    seed: Annotated[int, typer.Option(help="The world's seed.")] = 1,
    port: Annotated[int, typer.Option(help="Port of the pages on 127.0.0.1.")] = 8000,
    faults: Annotated[
        str, typer.Option(help="Strike at every stage boundary: worker, database, or worker,database.")
    ] = "",
) -> None:
    """A believable world and a recorded crisis, played through the whole chain; then pages to click."""
    configure("WARNING")
    chosen = frozenset(filter(None, faults.split(",")))
    if not chosen <= {"worker", "database"}:
        raise typer.BadParameter("worker and database can be struck", param_hint="--faults")
    try:
        code = run_demo(Options(headless, fresh, live, migrants, seed, port, chosen))
    except (ClusterError, DemoFailed, MicicError, TimeoutError) as error:
        fail(str(error))
    raise typer.Exit(code)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the pages and the API."""
    configure()
    with deployment_or_exit() as deployment:
        uvicorn.run(
            create_app(deployment.app_settings),
            host=host or deployment.web.web_host,
            port=port or deployment.web.web_port,
            log_level="warning",
            server_header=False,
        )


@app.command()
def worker() -> None:
    """Poll the feeds and drive the chain. Any number of workers may run; one of them polls."""
    configure()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with deployment_or_exit() as deployment:
        Worker(deployment.work(), deployment.leader()).run(stop)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date, as micic_owner."""
    with deployment_or_exit() as deployment:
        upgrade(deployment.databases.url("micic_owner"))


@db.command("check")
def db_check() -> None:
    """Fail when models and schema differ."""
    with deployment_or_exit() as deployment:
        check(deployment.databases.url("micic_owner"))


@keys.command("new")
def keys_new(key_id: Annotated[str, typer.Option(help="A short name for the key.")] = "k1") -> None:
    """Print a new master key for MICIC_MASTER_KEY_FILE. Keep it outside the database host and its backups."""
    sys.stdout.write(MasterKeys.new(key_id) + "\n")
