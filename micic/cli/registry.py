"""Commands that change what is known: register a household, hear where somebody is, declare an area, decide on an
alert. Persons come in by file, never as arguments: arguments stay in shell histories and process lists.
"""

import json
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from geo.coordinates import CoordinateError, Position
from geo.geojson import GeoJSONError, area_from_geojson, loads
from micic.cli.rim import (
    LoginOption,
    PasswordOption,
    PurposeOption,
    StateOption,
    as_person,
    deployment_or_exit,
    fail,
)
from micic.clock import utc_now
from micic.errors import NotFound
from micic.geography import HIGH_SEAS, countries_touching, country_at
from micic.registry.locations import LocationDraft, append_location
from micic.registry.models import Migrant
from micic.registry.service import ContactDraft, DocumentDraft, NeedDraft, PersonDraft, register_household
from micic.registry.vault import Vault
from micic.watch.service import AreaDraft, decide_alert, declare_area, end_area

people = typer.Typer(no_args_is_help=True, help="Households and where their members are.")
areas = typer.Typer(no_args_is_help=True, help="Areas that a crisis cell declares.")
alerts = typer.Typer(no_args_is_help=True, help="Doubtful alerts.")


@people.command("register")
def register(
    file: Annotated[Path, typer.Argument(help="JSON: a list of persons, the head of the household first.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    post_id: Annotated[uuid.UUID, typer.Option("--post", help="The post that keeps the record.")],
) -> None:
    """Register a household from a file; see docs/operator.md for its fields."""
    try:
        drafts = [_person(one) for one in json.loads(file.read_text("utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        fail(f"{file.name} cannot be read as persons: {error}")
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, "registration") as (session, principal):
            vault = Vault(session, deployment.master, state)
            reference = register_household(session, principal, vault, post_id, drafts, now=utc_now()).reference
        sys.stdout.write(f"household {reference}: {len(drafts)} persons\n")


@people.command("locate")
def locate(
    reference: Annotated[str, typer.Argument(help="The person's reference.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    lat: Annotated[float, typer.Option(help="Degrees north.")],
    lon: Annotated[float, typer.Option(help="Degrees east.")],
    source: Annotated[str, typer.Option(help="check_in, officer, third_party, detention, residence...")] = "officer",
    accuracy_m: Annotated[float | None, typer.Option(help="Radius that holds the true place, metres.")] = None,
    observed_at: Annotated[datetime | None, typer.Option(help="When it was true; default now.")] = None,
    purpose: PurposeOption = "news of a person",
) -> None:
    """Hear where somebody is."""
    position = _position(lat, lon)
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, purpose) as (session, principal):
            migrant_id = session.execute(
                select(Migrant.migrant_id).where(Migrant.registering_state == state, Migrant.reference == reference)
            ).scalar_one_or_none()
            if migrant_id is None:
                raise NotFound
            draft = LocationDraft(
                source=source,
                country=country_at(position) or HIGH_SEAS,
                position=position,
                accuracy_m=accuracy_m,
                observed_at=None if observed_at is None else observed_at.astimezone(),
            )
            append_location(session, principal, migrant_id, draft, now=utc_now())
        sys.stdout.write("heard; the worker crosses it\n")


@areas.command("declare")
def declare(
    file: Annotated[Path, typer.Argument(help="GeoJSON: a polygon or multipolygon.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    event_id: Annotated[uuid.UUID, typer.Option("--event", help="The situation it belongs to.")],
    label: Annotated[str, typer.Option(help="The name people on the ground know.")],
    reason: Annotated[str, typer.Option(help="Why it is declared.")],
    severity: Annotated[int, typer.Option(help="0 info to 4 extreme.", min=0, max=4)] = 3,
) -> None:
    """Declare an area: people there count as inside until it is ended."""
    try:
        geometry = area_from_geojson(loads(file.read_bytes()))
    except GeoJSONError as error:
        fail(f"{file.name}: {error}")
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, f"event:{event_id}") as (session, principal):
            draft = AreaDraft(label, reason, geometry, severity, tuple(countries_touching(geometry)))
            area_id = declare_area(session, principal, event_id, draft, now=utc_now()).area_id
        sys.stdout.write(f"{area_id}\n")


@areas.command("end")
def end(
    area_id: Annotated[uuid.UUID, typer.Argument(help="The declared area.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
) -> None:
    """End a declared area. Nothing else ends it."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, "ending a declared area") as (session, principal):
            end_area(session, principal, area_id, now=utc_now())
        sys.stdout.write("ended\n")


@alerts.command("decide")
def decide(
    message_id: Annotated[uuid.UUID, typer.Argument(help="The held message.")],
    decision: Annotated[str, typer.Argument(help="accepted or rejected.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    reason: Annotated[str, typer.Option(help="Why: it stays in the record.")],
) -> None:
    """Accept or reject a doubtful alert for this State."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, "deciding on an alert") as (session, principal):
            decide_alert(session, principal, message_id, decision, reason, now=utc_now())
        sys.stdout.write(f"{decision}\n")


def _position(lat: float, lon: float) -> Position:
    try:
        return Position(lat=lat, lon=lon)
    except CoordinateError as error:
        fail(str(error))


def _person(given: dict[str, Any]) -> PersonDraft:
    """A person of the file; unknown fields are refused by name."""
    fields = dict(given)
    born_on = fields.pop("born_on", None)
    return PersonDraft(
        contacts=tuple(ContactDraft(**one) for one in fields.pop("contacts", ())),
        documents=tuple(DocumentDraft(**one) for one in fields.pop("documents", ())),
        needs=tuple(NeedDraft(**one) for one in fields.pop("needs", ())),
        locations=tuple(_location(one) for one in fields.pop("locations", ())),
        nationalities=tuple(fields.pop("nationalities", ())),
        born_on=None if born_on is None else datetime.fromisoformat(born_on).date(),
        **fields,
    )


def _location(given: dict[str, Any]) -> LocationDraft:
    fields = dict(given)
    lat, lon = fields.pop("lat", None), fields.pop("lon", None)
    position = None if lat is None or lon is None else Position(lat=lat, lon=lon)
    for name in ("observed_at", "valid_from", "valid_until"):
        if name in fields:
            fields[name] = datetime.fromisoformat(fields[name])
    if "country" not in fields:
        if position is None:
            raise KeyError("country, where there is no position")
        fields["country"] = country_at(position) or HIGH_SEAS
    return LocationDraft(position=position, **fields)
