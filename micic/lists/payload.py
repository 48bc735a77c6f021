"""What one line of a list says about one person: a snapshot, and the part of it whose change a responder must see.

A protected record gets a token: its needs and how many seats, no name, no address, no place. Pure but for opening
contact addresses with the person's key; imports no database.
"""

import json
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from micic.cases.rules import ContactState, News
from micic.lists.queries import ContactRow, DocumentRow, PersonRow
from micic.lists.rules import Ranked
from micic.security.crypto import Unreadable, open_sealed

Payload = dict[str, Any]

POSITION_DIGITS = MappingProxyType({1: 4, 2: 3, 3: 2, 4: 1, 5: 0})
"""Decimals of a degree by radius class: no more than the radius is worth (4 decimals are about 11 m)."""

RADIUS_M = MappingProxyType({1: 50, 2: 500, 3: 5_000, 4: 25_000, 5: 100_000})
"""Metres by radius class; 6 is the whole country."""

EXPIRES_SOON = timedelta(days=183)
PASSING = ("observed_at", "contact_at", "welfare_at", "movement_at", "needs_help_since", "member_no")
"""What grows older by itself, or follows from the order of the lines, and tells a responder nothing new."""


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical(value: Any) -> bytes:
    """One spelling of a value: sorted keys, no spaces, UTF-8, instants in UTC."""
    return _ENCODER.encode(value).encode()


def build_payload(person: PersonRow, ranked: Ranked, key: bytes, *, as_of: datetime) -> Payload:
    """The snapshot of one person, before encryption."""
    payload = _common(person, ranked)
    if not person.protected:
        payload |= _identity(person, key, as_of.date()) | _place(person)
    return payload


def semantic(payload: Payload) -> bytes:
    """What matters to a responder: two lines that agree in this tell the same."""
    told = {name: value for name, value in payload.items() if name not in PASSING}
    if told["contact"] in (ContactState.ATTEMPTED, ContactState.HANDED_OVER):
        told["contact"] = "tried"
    return canonical(told)


def _common(person: PersonRow, ranked: Ranked) -> Payload:
    facts, assessment = ranked.facts, ranked.assessment
    return {
        "reference": person.reference,
        "protected": person.protected,
        "child_alone": assessment.child_alone,
        "refused": list(person.refused),
        "age_years": facts.age_years,
        "member_no": ranked.member_no,
        "household_size": ranked.household_size,
        "presence": facts.presence.value,
        "severity_inside": facts.severity_inside,
        "severity_possible": facts.severity_possible,
        "severity_stated": facts.severity_stated,
        "country": person.country,
        "needs": [{"code": need.code, "tier": need.tier, "days_left": need.days_left} for need in facts.needs],
        "languages": [person.language],
        "tier": assessment.tier.value,
        "sentence": assessment.sentence,
        **_answers(person.standing.news),
    }


def _answers(news: News) -> Payload:
    return {
        "contact": news.contact,
        "contact_at": _instant(news.contact_at),
        "answered": news.answered,
        "welfare": news.welfare,
        "welfare_at": _instant(news.welfare_at),
        "welfare_trust": news.welfare_trust,
        "movement": news.movement,
        "movement_at": _instant(news.movement_at),
        "movement_trust": news.movement_trust,
        "needs_help_since": _instant(news.needs_help_since),
        "needs_help": news.needs_help_since is not None,
    }


def _identity(person: PersonRow, key: bytes, today: date) -> Payload:
    return {
        "family_name": person.family_name,
        "given_names": person.given_names,
        "family_name_original": person.family_name_original,
        "given_names_original": person.given_names_original,
        "household_reference": person.household_reference,
        "nationalities": list(person.nationalities),
        "access_limitation": person.access_limitation,
        "contacts": [_contact(contact, key) for contact in person.contacts],
        "document_gaps": document_gaps(person.documents, today),
    }


def _contact(contact: ContactRow, key: bytes) -> Payload:
    return {
        "channel": contact.channel,
        "address": _address(contact, key),
        "preferred": contact.preferred,
        "verified": contact.verified,
        "bounced": contact.bounced,
        "others_read_it": contact.others_read_it,
    }


def _address(contact: ContactRow, key: bytes) -> str | None:
    """None where it cannot be opened: a damaged number must not cost the person the line."""
    try:
        return open_sealed(key, contact.address, f"contact_point:{contact.contact_point_id}:address").decode()
    except Unreadable:
        return None


def document_gaps(documents: tuple[DocumentRow, ...], today: date) -> list[str]:
    """What stands between the person and a border: no passport, expired or nearly, not in the holder's hands."""
    passports = [one for one in documents if one.kind == "passport" and one.held not in ("lost", "none")]
    if not passports:
        return ["no passport"]
    best = max(passports, key=lambda one: (one.held == "by_holder", one.expires_on or date.max))
    gaps = []
    if best.expires_on is not None and best.expires_on < today:
        gaps.append("passport expired")
    elif best.expires_on is not None and best.expires_on < today + EXPIRES_SOON:
        gaps.append("passport expires soon")
    if best.held != "by_holder":
        gaps.append("passport " + ("confiscated" if best.held == "confiscated" else best.held.replace("_", " ")))
    return gaps


def _place(person: PersonRow) -> Payload:
    radius_class = person.radius_class
    position = None
    digits = None if radius_class is None else POSITION_DIGITS.get(radius_class)
    if person.lat is not None and person.lon is not None and digits is not None:
        position = [round(person.lat, digits), round(person.lon, digits)]
    return {
        "zone": person.zone_label,
        "place": person.place,
        "position": position,
        "location_source": person.location_source,
        "location_firm": person.location_firm,
        "observed_at": _instant(person.observed_at),
        "radius_m": None if radius_class is None else RADIUS_M.get(radius_class),
        "other_places": max(0, person.candidates - 1),
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
