"""What every command shares: opening the deployment, signing in, printing tables, and errors as one line."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from micic.clock import utc_now
from micic.cluster import ClusterError
from micic.deployment import Deployment, open_deployment
from micic.door import House, sign_in, sign_out, unit_of_work
from micic.errors import MicicError, NotSignedIn
from micic.posts.signin import find_signed_in
from micic.security.context import Context, set_context
from micic.security.principal import Principal
from micic.settings import SettingMissing

StateOption = Annotated[str, typer.Option("--state", help="The registering State, ISO 3166-1 alpha-3.")]
LoginOption = Annotated[str, typer.Option("--login", help="Who acts.")]
PasswordOption = Annotated[
    str, typer.Option("--password", help="Asked for if not given.", prompt=True, hide_input=True)
]
PurposeOption = Annotated[str, typer.Option("--purpose", help="Why persons are read: it stays in the audit.")]


@contextmanager
def deployment_or_exit() -> Iterator[Deployment]:
    """The deployment; what is missing or refused becomes one line and exit code 1."""
    try:
        with open_deployment() as deployment:
            yield deployment
    except (SettingMissing, ClusterError, MicicError) as error:
        fail(str(error))
    except OperationalError:
        fail("the database does not answer; is it running, and is MICIC_DATABASE_URL right?")


def fail(message: str) -> NoReturn:
    """Say what is wrong and exit with 1."""
    Console(stderr=True).print(f"micic: {message}", style="bold red", highlight=False)
    raise typer.Exit(1)


@contextmanager
def as_worker(deployment: Deployment, state: str) -> Iterator[Session]:
    """One transaction of the worker for one State."""
    with deployment.sessions("micic_worker").begin() as session:
        set_context(session, Context(state))
        yield session


@contextmanager
def as_person(
    deployment: Deployment, state: str, login: str, password: str, purpose: str
) -> Iterator[tuple[Session, Principal]]:
    """One transaction of a member of staff, signed in for it. Raises NotSignedIn."""
    house = House(
        deployment.sessions("micic_app"),
        deployment.sessions("micic_public"),
        deployment.master,
        deployment.web.public_url,
    )
    token = sign_in(house, state, login, password, now=utc_now())
    if token is None:
        raise NotSignedIn("Unknown login or wrong password.")
    with unit_of_work(house.staff, Context(state, role="entrance")) as session:
        signed_in = find_signed_in(session, token, now=utc_now())
    if signed_in is None:
        raise NotSignedIn
    principal = signed_in.principal.for_purpose(purpose)
    try:
        with unit_of_work(house.staff, principal.context()) as session:
            yield session, principal
    finally:
        sign_out(house, signed_in, now=utc_now())


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output; an empty one says so."""
    table = Table(*columns, title=title, title_justify="left")
    count = 0
    for row in rows:
        count += 1
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    if count:
        Console(file=sys.stdout).print(table)
    else:
        sys.stdout.write(f"{title}: none\n")
