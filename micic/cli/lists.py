"""Commands for lists: show, freeze, release, verify, compare, export."""

import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from micic.cli.rim import (
    LoginOption,
    PasswordOption,
    PurposeOption,
    StateOption,
    as_person,
    as_worker,
    deployment_or_exit,
    print_table,
)
from micic.clock import utc_now
from micic.lists.documents import csv_of, pdf_of, prepare_sheet
from micic.lists.masks import RecipientClass
from micic.lists.models import PersonList
from micic.lists.reading import compare_lists, verify_list
from micic.lists.rules import ListKind
from micic.lists.service import freeze_list, release_list
from micic.posts.models import ConsularPost
from micic.registry.vault import Vault
from micic.watch.models import Situation

app = typer.Typer(no_args_is_help=True, help="Evacuation and assistance lists.")
ListArgument = Annotated[uuid.UUID, typer.Argument(help="The list, from `lists show`.")]


@app.command("show")
def show(state: StateOption) -> None:
    """Every version of every list: its lines, status and hash. Names nobody."""
    with deployment_or_exit() as deployment, as_worker(deployment, state) as session:
        rows = session.execute(
            select(PersonList, ConsularPost.name, Situation.title)
            .join(ConsularPost, ConsularPost.post_id == PersonList.post_id)
            .join(Situation, Situation.event_id == PersonList.event_id)
            .order_by(Situation.title, ConsularPost.name, PersonList.kind, PersonList.version)
        ).all()
        print_table(
            "Lists",
            ("list", "event", "post", "kind", "version", "status", "lines", "frozen", "sha256"),
            [
                (one.list_id, title, post, one.kind, one.version, one.status, one.line_count, one.frozen_at,
                 one.sha256.hex()[:16])
                for one, post, title in rows
            ],
        )  # fmt: skip


@app.command("freeze")
def freeze(
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    event_id: Annotated[uuid.UUID, typer.Option("--event", help="The event.")],
    post_id: Annotated[uuid.UUID, typer.Option("--post", help="The post.")],
    kind: Annotated[ListKind, typer.Option(help="assistance or evacuation.")],
    purpose: PurposeOption = "",
) -> None:
    """Freeze the next version of a list; the same version again if nothing has changed."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, purpose or f"event:{event_id}") as (session, principal):
            vault = Vault(session, deployment.master, state)
            frozen = freeze_list(session, principal, vault, event_id, post_id, kind, now=utc_now())
            told = f"{frozen.list_id} version {frozen.version}: {frozen.line_count} lines, sha256 {frozen.sha256.hex()}"
        sys.stdout.write(told + "\n")


@app.command("release")
def release(
    list_id: ListArgument,
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    to: Annotated[RecipientClass, typer.Option(help="The class of recipient: it decides what is shown.")],
    note: Annotated[str, typer.Option(help="Who receives it.")],
    purpose: PurposeOption = "release of a list",
) -> None:
    """Release a frozen list. Whoever froze it cannot."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, purpose) as (session, principal):
            released = release_list(session, principal, list_id, to, note, now=utc_now())
            told = f"version {released.version} with {released.line_count} people released to {to}"
        sys.stdout.write(told + "\n")


@app.command("export")
def export(
    list_id: ListArgument,
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    file: Annotated[Path, typer.Argument(help="Where to write: the ending .csv or .pdf decides the form.")],
    purpose: PurposeOption,
) -> None:
    """Write a released list as CSV or PDF, with what its recipient may see and nothing else."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, purpose) as (session, principal):
            vault = Vault(session, deployment.master, state)
            sheet = prepare_sheet(session, principal, vault, list_id, now=utc_now())
        document = pdf_of(sheet) if file.suffix.lower() == ".pdf" else csv_of(sheet)
        file.touch(mode=0o600)
        file.write_bytes(document.content)
        sys.stdout.write(f"{file}: {len(document.content)} bytes\n")


@app.command("verify")
def verify(
    list_id: ListArgument, state: StateOption, login: LoginOption, password: PasswordOption, purpose: PurposeOption
) -> None:
    """Compute the hashes of a list anew. Exit code 1 when they do not hold."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, purpose) as (session, principal):
            found = verify_list(session, principal, Vault(session, deployment.master, state), list_id)
        sys.stdout.write(f"{found}\n")


@app.command("compare")
def compare(
    list_id: ListArgument, state: StateOption, login: LoginOption, password: PasswordOption, purpose: PurposeOption
) -> None:
    """What a version changed against the one before it, in numbers."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, purpose) as (session, principal):
            vault = Vault(session, deployment.master, state)
            found = compare_lists(session, principal, vault, list_id, now=utc_now())
        parts = {name: len(value) for name, value in vars(found).items() if isinstance(value, list | tuple | dict)}
        sys.stdout.write(", ".join(f"{name} {count}" for name, count in parts.items()) + "\n")
