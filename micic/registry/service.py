"""Registering people: a household with its members, their contacts, documents, needs and first locations."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from anyascii import anyascii
from sqlalchemy.orm import Session

from micic.audit.service import record
from micic.errors import Invalid
from micic.identifiers import new_id, new_reference
from micic.posts.models import ConsularPost
from micic.registry.locations import LocationDraft, make_location, request_crossing
from micic.registry.models import (
    Consent,
    ContactPoint,
    Household,
    Migrant,
    Nationality,
    Need,
    TravelDocument,
)
from micic.registry.vault import Vault
from micic.security.crypto import seal
from micic.security.principal import Permission, Principal, require


@dataclass(frozen=True)
class ContactDraft:
    """How a person can be reached; `address` as written."""

    channel: str
    address: str
    preferred: bool = False
    verified_at: datetime | None = None


@dataclass(frozen=True)
class DocumentDraft:
    """A travel document."""

    kind: str
    issuing_country: str
    number: str
    expires_on: date | None = None
    held: str = "by_holder"


@dataclass(frozen=True)
class NeedDraft:
    """A need from the code list, with words of one's own."""

    code: str
    detail: str = ""
    days_left: int | None = None


@dataclass(frozen=True)
class PersonDraft:
    """A person to be registered. Immigration status is not asked and has no place here."""

    family_name: str
    given_names: str
    sex: int = 0
    born_on: date | None = None
    nationalities: tuple[str, ...] = ()
    category: str = "national"
    relation_to_head: str = "self"
    family_name_original: str | None = None
    given_names_original: str | None = None
    language: str = "en"
    lives_apart: bool = False
    contacts: tuple[ContactDraft, ...] = ()
    documents: tuple[DocumentDraft, ...] = ()
    needs: tuple[NeedDraft, ...] = ()
    locations: tuple[LocationDraft, ...] = ()
    consents: tuple[tuple[str, str, bool], ...] = field(default=())


def register_household(
    session: Session,
    principal: Principal,
    vault: Vault,
    post_id: uuid.UUID,
    people: Sequence[PersonDraft],
    *,
    record_origin: str = "officer",
    basis: str = "consent",
    now: datetime,
) -> Household:
    """Register a household; the first person is its head. Raises NotPermitted, Invalid with the field."""
    require(principal, Permission.REGISTER, post_id=post_id)
    if not people:
        raise Invalid("A household has at least one person.", field="people")
    household = Household(
        registering_state=principal.state,
        household_id=new_id(),
        keeper_post_id=post_id,
        reference=new_reference(),
        recorded_at=now,
    )
    session.add(household)
    session.flush()
    for number, person in enumerate(people):
        _register_person(
            session,
            principal,
            vault,
            household,
            person,
            is_head=number == 0,
            origin=record_origin,
            basis=basis,
            now=now,
        )
    record(
        session,
        principal.state,
        principal.actor,
        "household.register",
        now=now,
        purpose=principal.purpose or None,
        subject_kind="household",
        subject_id=household.household_id,
        post_id=post_id,
        details={"persons": len(people)},
    )
    session.flush()
    return household


def name_key(*names: str | None) -> str:
    """What names are compared by: Latin letters only, lower case, words in alphabetical order."""
    words = anyascii(" ".join(name for name in names if name)).lower()
    letters = "".join(symbol if symbol.isalnum() else " " for symbol in words)
    return " ".join(sorted(letters.split()))


def normalise_address(channel: str, address: str) -> str:
    """An address as the blind index knows it: e-mails in lower case, numbers as + and digits."""
    if channel == "email":
        return address.strip().lower()
    return "+" + "".join(symbol for symbol in address if symbol.isdigit())


def _register_person(
    session: Session,
    principal: Principal,
    vault: Vault,
    household: Household,
    person: PersonDraft,
    *,
    is_head: bool,
    origin: str,
    basis: str,
    now: datetime,
) -> Migrant:
    _check_person(person)
    state = principal.state
    migrant = Migrant(
        registering_state=state,
        migrant_id=new_id(),
        household_id=household.household_id,
        keeper_post_id=household.keeper_post_id,
        reference=new_reference(),
        category=person.category,
        is_head=is_head,
        relation_to_head="self" if is_head else person.relation_to_head,
        family_name=person.family_name.strip(),
        given_names=person.given_names.strip(),
        family_name_original=person.family_name_original,
        given_names_original=person.given_names_original,
        name_key=name_key(person.given_names, person.family_name),
        sex=person.sex,
        born_on=person.born_on,
        language=person.language,
        lives_apart=person.lives_apart,
        record_origin=origin,
        basis=basis,
        confirmed_at=now,
        recorded_at=now,
    )
    session.add(migrant)
    session.flush()
    key, key_row = vault.make_person_key(household.keeper_post_id, migrant.migrant_id)
    session.add(key_row)
    session.add_all(_particulars(state, migrant.migrant_id, person, now))
    session.add_all(_secrets(state, migrant.migrant_id, key, vault, person, now))
    for draft in person.locations or (_jurisdiction(session, state, household),):
        session.add(make_location(session, state, migrant.migrant_id, draft, now=now))
    request_crossing(session, state, migrant.migrant_id, "move", now=now)
    return migrant


def _jurisdiction(session: Session, state: str, household: Household) -> LocationDraft:
    """Where nobody says where a person is, they are somewhere in the country of the post that keeps the record."""
    post = session.get_one(ConsularPost, (state, household.keeper_post_id))
    return LocationDraft("jurisdiction", post.country)


def _check_person(person: PersonDraft) -> None:
    if not person.given_names.strip() and not person.family_name.strip():
        raise Invalid("A person needs at least one name.", field="family_name")
    if person.sex not in (0, 1, 2, 9):
        raise Invalid("Sex is 0 not known, 1 male, 2 female or 9 not applicable (ISO 5218).", field="sex")


def _particulars(state: str, migrant_id: uuid.UUID, person: PersonDraft, now: datetime) -> list[Nationality | Consent]:
    nationalities = [
        Nationality(registering_state=state, migrant_id=migrant_id, country=country)
        for country in dict.fromkeys(person.nationalities)
    ]
    consents = [
        Consent(
            registering_state=state,
            consent_id=new_id(),
            migrant_id=migrant_id,
            purpose=purpose,
            recipient_class=recipient,
            given=given,
            text_version="1",
            language=person.language,
            at=now,
        )
        for purpose, recipient, given in person.consents
    ]
    return [*nationalities, *consents]


def _secrets(
    state: str, migrant_id: uuid.UUID, key: bytes, vault: Vault, person: PersonDraft, now: datetime
) -> list[ContactPoint | TravelDocument | Need]:
    rows: list[ContactPoint | TravelDocument | Need] = []
    for contact in person.contacts:
        row_id = new_id()
        normal = normalise_address(contact.channel, contact.address)
        rows.append(
            ContactPoint(
                registering_state=state,
                contact_point_id=row_id,
                migrant_id=migrant_id,
                channel=contact.channel,
                address=seal(key, normal.encode(), f"contact_point:{row_id}:address"),
                blind_index=vault.master.blind_index(state, contact.channel, normal),
                preferred=contact.preferred,
                verified_at=contact.verified_at,
                recorded_at=now,
            )
        )
    for document in person.documents:
        row_id = new_id()
        number = "".join(symbol for symbol in document.number.upper() if symbol.isalnum())
        rows.append(
            TravelDocument(
                registering_state=state,
                document_id=row_id,
                migrant_id=migrant_id,
                kind=document.kind,
                issuing_country=document.issuing_country,
                number=seal(key, number.encode(), f"travel_document:{row_id}:number"),
                blind_index=vault.master.blind_index(state, "document", document.issuing_country + number),
                expires_on=document.expires_on,
                held=document.held,
            )
        )
    for need in person.needs:
        row_id = new_id()
        rows.append(
            Need(
                registering_state=state,
                need_id=row_id,
                migrant_id=migrant_id,
                code=need.code,
                detail=seal(key, need.detail.encode(), f"need:{row_id}:detail") if need.detail else None,
                days_left=need.days_left,
                opened_at=now,
            )
        )
    return rows
