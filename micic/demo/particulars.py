"""What is on record about each person of the demo world: contacts, documents, needs and consents.

Addresses lead nowhere: domains of RFC 2606, telephone numbers that are set aside for fiction. Knows no table.
"""

import json
import re
import string
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from anyascii import anyascii

from micic.demo.chance import Chance, Weighted
from micic.demo.names import Sex
from micic.demo.people import GULF, Household, Person
from micic.lists.masks import RecipientClass

DAY = timedelta(days=1)
PURPOSE = "crisis_assistance"  # what consent is asked for
MAIL_DOMAINS = ("example.org", "example.com", "example.net", "mail.example.org", "post.example.net", "inbox.example")
TELEPHONE_AGE, OLD_AGE, INFANT_AGE = 14, 65, 2
PREGNANCY_FROM, PREGNANCY_UNTIL = 20, 43
CHANNELS = Weighted({("sms",): 0.45, ("sms", "whatsapp"): 0.4, ("phone",): 0.1, ("whatsapp",): 0.05})
HELD = Weighted({"by_holder": 96.0, "lost": 1.0, "by_authority": 0.6, "confiscated": 0.1})
HELD_IN_THE_GULF = Weighted({"by_holder": 70.0, "by_employer": 29.0, "lost": 1.0})  # of live-in workers

# code -> (tier of RULES 5, name in English, French, Arabic, Tagalog)
NEEDS: dict[str, tuple[int, str, str, str, str]] = {
    "insulin": (2, "Insulin", "Insuline", "إنسولين", "Insulin"),
    "dialysis": (2, "Dialysis", "Dialyse", "غسيل الكلى", "Dialysis"),
    "oxygen": (2, "Oxygen", "Oxygène", "أكسجين", "Oksiheno"),
    "unaccompanied_child": (3, "Unaccompanied child", "Enfant non accompagné", "طفل غير مصحوب", "Batang walang kasama"),
    "pregnancy": (4, "Pregnancy", "Grossesse", "حمل", "Pagbubuntis"),
    "infant": (4, "Infant", "Nourrisson", "رضيع", "Sanggol"),
    "wheelchair": (4, "Wheelchair", "Fauteuil roulant", "كرسي متحرك", "Wheelchair"),
    "elderly_alone": (4, "Elderly, alone", "Personne âgée seule", "مسن وحيد", "Matandang nag-iisa"),
    "disability": (4, "Disability", "Handicap", "إعاقة", "Kapansanan"),
    "general_help": (5, "Help", "Aide", "مساعدة", "Tulong"),
    "shelter": (5, "Shelter", "Abri", "مأوى", "Masisilungan"),
    "water_food": (5, "Water or food", "Eau ou nourriture", "ماء أو طعام", "Tubig o pagkain"),
    "transport": (5, "Transport", "Transport", "نقل", "Sasakyan"),
    "document": (5, "Document", "Document", "وثيقة", "Dokumento"),
}
DETAILS = {
    "insulin": ("rapid insulin three times a day", "long-acting insulin at night", "insulin pump"),
    "dialysis": ("haemodialysis three times a week", "peritoneal dialysis at home"),
    "oxygen": ("concentrator, 2 l a minute", "oxygen at night"),
    "wheelchair": ("folding wheelchair", "electric wheelchair, cannot climb stairs"),
    "disability": ("blind, walks with a cane", "deaf, reads lips", "needs an arm on stairs"),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """How a person can be reached; numbers are + and digits."""

    channel: str
    address: str
    preferred: bool
    others_read_it: bool
    verified_at: datetime | None
    bounced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Document:
    """A travel document."""

    kind: str
    issuing_country: str
    number: str
    expires_on: date
    held: str


@dataclass(frozen=True, slots=True)
class Needing:
    """A need of one person."""

    code: str
    detail: str
    days_left: int | None
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consenting:
    """Consent to one class of recipients."""

    purpose: str
    recipient_class: str
    given: bool


@dataclass(frozen=True, slots=True)
class Particulars:
    """All that is on record about one person, beside the name and the whereabouts."""

    contacts: list[Contact]
    documents: list[Document]
    needs: list[Needing]
    consents: list[Consenting]


def need_codes() -> list[dict[str, Any]]:
    """The rows of the code list; `names` is JSON, language -> name."""
    return [
        {"code": code, "tier": tier, "names": json.dumps(dict(zip(("en", "fr", "ar", "tl"), names, strict=True)))}
        for code, (tier, *names) in NEEDS.items()
    ]


def telephone(number: int) -> str:
    """The n-th of 80,000 numbers of the North American plan that are set aside for fiction, 555-0100 to 555-0199."""
    line, area = number % 100, 200 + number // 100 % 800
    return f"+1{area}55501{line:02}"


def furnish(
    chance: Chance, person: Person, household: Household, number: int, confirmed_at: datetime, now: datetime
) -> Particulars:
    """The particulars of a person. `number` tells people of one State apart."""
    documents = _documents(chance, person, household, now)
    return Particulars(
        contacts=_contacts(chance, person, household, number, confirmed_at, now),
        documents=documents,
        needs=_needs(chance, person, household, documents, now),
        consents=_consents(chance) if person.is_adult else [],
    )


def _contacts(
    chance: Chance, person: Person, household: Household, number: int, confirmed_at: datetime, now: datetime
) -> list[Contact]:
    found: list[tuple[str, str, bool]] = []
    age = person.age
    if age >= TELEPHONE_AGE and chance.happens(0.85):
        found.append(("email", _mail_address(chance, person, number), False))
    if age >= TELEPHONE_AGE and chance.happens(0.88):
        shared = household.kind == "live_in" and chance.happens(0.12)
        found.extend((channel, telephone(number), shared) for channel in chance.pick(CHANNELS))
    wanted = chance.randrange(len(found)) if found and chance.happens(0.4) else 0
    return [
        Contact(
            channel=channel,
            address=address,
            preferred=index == wanted,
            others_read_it=shared,
            verified_at=confirmed_at if chance.happens(0.72) else None,
            bounced_at=chance.before(now, DAY, 90 * DAY) if channel == "email" and chance.happens(0.02) else None,
        )
        for index, (channel, address, shared) in enumerate(found)
    ]


def _mail_address(chance: Chance, person: Person, number: int) -> str:
    words = anyascii(f"{person.given_names}.{person.family_name}").lower()
    local = ".".join(re.findall(r"[a-z]+", words))
    return f"{local}.{number}@{chance.choice(MAIL_DOMAINS)}"


def _documents(chance: Chance, person: Person, household: Household, now: datetime) -> list[Document]:
    if chance.happens(0.35 if person.age < 1 else 0.025):
        return []
    nation = person.nationalities[0] if person.nationalities else household.host
    years = 10 if person.is_adult else 5
    expires_on = now.date() + chance.randrange(-120, years * 365 - 120) * DAY
    held = HELD_IN_THE_GULF if household.kind == "live_in" and household.host in GULF else HELD
    kind = "passport" if person.nationalities else "travel_document"
    return [Document(kind, nation, _document_number(chance, nation), expires_on, chance.pick(held))]


def _document_number(chance: Chance, nation: str) -> str:
    letters = "".join(chance.choices(string.ascii_uppercase, k=3))
    if nation == "PHL":
        return f"P{chance.randrange(10**7):07}{letters[0]}"
    if nation == "MAR":
        return f"{letters[:2]}{chance.randrange(10**7):07}"
    return f"{letters}{chance.randrange(10**8):08}"


def _needs(
    chance: Chance, person: Person, household: Household, documents: list[Document], now: datetime
) -> list[Needing]:
    codes = [code for code, share in _rates(person, household, now).items() if chance.happens(share)]
    if documents and documents[0].expires_on < now.date() and chance.happens(0.3):
        codes.append("document")
    return [_need(chance, code, now) for code in codes]


def _rates(person: Person, household: Household, now: datetime) -> dict[str, float]:
    """code -> how many of such people have the need."""
    age = person.age
    old = age >= OLD_AGE
    rates = {
        "insulin": 0.03 if old else 0.009 if age >= 30 else 0.002,
        "dialysis": 0.004 if old else 0.0007,
        "oxygen": 0.006 if old else 0.0004,
        "wheelchair": 0.03 if old else 0.0025,
        "disability": 0.02 if old else 0.006,
    }
    if age < INFANT_AGE:
        rates["infant"] = 0.5
    if person.sex is Sex.FEMALE and PREGNANCY_FROM <= age < PREGNANCY_UNTIL:
        rates["pregnancy"] = 0.022
    if household.kind == "old" and len(household.people) == 1:
        rates["elderly_alone"] = 0.6
    if household.kind == "minor":
        rates["unaccompanied_child"] = 0.9
    return rates


def _need(chance: Chance, code: str, now: datetime) -> Needing:
    """Medical supplies were counted lately, so that few are out; other needs are older, and some were met."""
    detail = chance.choice(DETAILS[code]) if code in DETAILS and chance.happens(0.8) else ""
    if NEEDS[code][0] == 2:
        days_left = chance.randrange(3, 40) if chance.happens(0.7) else None
        return Needing(code, detail, days_left, chance.before(now, timedelta(0), 4 * DAY))
    opened_at = chance.before(now, DAY, 120 * DAY)
    is_met = code in ("document", "infant") and chance.happens(0.2)
    return Needing(code, detail, None, opened_at, opened_at + (now - opened_at) * 0.7 if is_met else None)


def _consents(chance: Chance) -> list[Consenting]:
    """What most people say yes to, and fewer where it is about authorities of the host State."""
    return [
        Consenting(PURPOSE, RecipientClass.CARRIER.value, chance.happens(0.97)),
        Consenting(PURPOSE, RecipientClass.CIVIL_PROTECTION.value, chance.happens(0.8)),
    ]
