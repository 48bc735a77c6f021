"""What each class of recipient may see of a line, as data (RULES 8, TRUST 1-3). Pure.

Immigration status does not exist here. Nationality never goes to those who rescue; of several nationalities only
that of the registering State is shown to anybody outside; addresses stay inside; a token shows no identity.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from micic.lists.payload import Payload
from micic.lists.rules import Tier


class RecipientClass(StrEnum):
    """Who gets a released list."""

    INTERNAL = "internal"
    CONSULAR = "consular"
    CIVIL_PROTECTION = "civil_protection"
    RED_CROSS = "red_cross"
    CARRIER = "carrier"


class Column(StrEnum):
    """What a list can show, in the order in which it is shown."""

    LINE = "line"
    REFERENCE = "reference"
    NAME = "name"
    NAME_ORIGINAL = "name_original_script"
    AGE = "age_years"
    NATIONALITY = "nationality"
    HOUSEHOLD = "household"
    MEMBER = "member"
    TIER = "priority_tier"
    SENTENCE = "priority_reason"
    PRESENCE = "presence"
    SEVERITY = "severity"
    ZONE = "zone"
    COUNTRY = "country"
    PLACE = "place"
    POSITION = "position"
    RADIUS = "radius"
    SOURCE = "location_source"
    LOCATION_AGE = "location_age"
    LOCATION_HOURS = "location_age_hours"
    NEEDS = "needs"
    LANGUAGES = "languages"
    CHANNELS = "contact_channels"
    ADDRESSES = "contact_addresses"
    CONTACT = "contact_state"
    ANSWER = "latest_answer"
    MOVEMENT = "movement"
    DOCUMENTS = "document_gaps"
    CHANGE = "change"


class Nationalities(StrEnum):
    """How much is said of nationality."""

    ALL = "all"
    ONE = "one"
    NONE = "none"


@dataclass(frozen=True)
class Mask:
    """The columns one class of recipient sees. `shows_death`: also a death that was reported and not confirmed."""

    columns: frozenset[Column]
    nationalities: Nationalities = Nationalities.NONE
    shows_death: bool = False


C = Column
EVERYTHING = frozenset(Column)
_LINE = {C.LINE, C.REFERENCE, C.AGE, C.HOUSEHOLD, C.MEMBER, C.TIER, C.NEEDS, C.LANGUAGES, C.CHANGE}
_NAMES = {C.NAME, C.NAME_ORIGINAL}
_HAZARD = {C.PRESENCE, C.SEVERITY, C.ZONE, C.COUNTRY, C.SENTENCE}
_PLACE = {C.PLACE, C.POSITION, C.RADIUS, C.SOURCE, C.LOCATION_AGE, C.LOCATION_HOURS}

MASKS: Mapping[RecipientClass, Mask] = MappingProxyType(
    {
        RecipientClass.INTERNAL: Mask(EVERYTHING, Nationalities.ALL, shows_death=True),
        RecipientClass.CONSULAR: Mask(
            frozenset(_LINE | _NAMES | _HAZARD | _PLACE | {C.NATIONALITY, C.CHANNELS, C.ANSWER, C.DOCUMENTS}),
            Nationalities.ONE,
        ),
        RecipientClass.CIVIL_PROTECTION: Mask(frozenset(_LINE | _HAZARD | _PLACE | {C.ANSWER})),
        RecipientClass.RED_CROSS: Mask(frozenset(_LINE | _NAMES | _HAZARD | _PLACE | {C.CHANNELS, C.ANSWER})),
        RecipientClass.CARRIER: Mask(
            frozenset(_LINE | _NAMES | {C.NATIONALITY, C.DOCUMENTS}) - {C.TIER, C.CHANGE}, Nationalities.ONE
        ),
    }
)
"""Data per deployment; the defaults give each class what its task needs and no more."""

TOKEN_COLUMNS = frozenset(
    {C.LINE, C.REFERENCE, C.SENTENCE, C.PRESENCE, C.SEVERITY, C.COUNTRY, C.NEEDS, C.LANGUAGES, C.CHANGE}
)
"""What a token shows outside: that there is a person with needs, and a seat to be kept. Not the tier: it would tell
which of them are children alone.
"""

TOKEN_SENTENCE = "protected record: ask the post"  # noqa: S105
TOKEN_NEED = "seat and escort"  # noqa: S105
WITHHELD = "withheld: ask the post"
ERASED = "erased"


@dataclass(frozen=True)
class Seen:
    """A line as a mask meets it: what it says, whether it is a token, and who may not read the name."""

    line_no: int
    change: str
    payload: Payload | None
    is_token: bool
    refused: frozenset[str]


def visible_columns(recipient: RecipientClass) -> list[Column]:
    """The columns of a file for this class, in order."""
    return [column for column in Column if column in MASKS[recipient].columns]


def visible_cells(
    seen: Seen, recipient: RecipientClass, registering_state: str, *, as_of: datetime
) -> dict[Column, str]:
    """What this class may read of one line: a text for every visible column, empty where nothing may be said."""
    mask = MASKS[recipient]
    cells = dict.fromkeys(visible_columns(recipient), "")
    cells[C.LINE] = str(seen.line_no)
    if seen.payload is None:
        return cells | {C.REFERENCE: ERASED}
    outside = recipient is not RecipientClass.INTERNAL
    hidden = outside and (seen.is_token or recipient.value in seen.refused)
    for column in cells.keys() - {C.LINE}:
        if not hidden or column in TOKEN_COLUMNS:
            cells[column] = plain(_cell(column, seen, mask, registering_state, as_of))
    if outside and seen.is_token:
        open_needs = [need for need in seen.payload["needs"] if need["tier"] != Tier.CHILD_ALONE]
        cells[C.NEEDS] = "; ".join(filter(None, [plain(_needs({"needs": open_needs})), TOKEN_NEED]))
        if C.SENTENCE in cells:
            cells[C.SENTENCE] = TOKEN_SENTENCE
    return cells


def plain(text: str) -> str:
    """One line of text without control, bidirectional or invisible characters that could dress it up."""
    shown = "".join(
        " " if symbol in "\n\r\t\v\f\x85\u2028\u2029" else symbol
        for symbol in text
        if symbol in "\n\r\t\v\f\x85\u2028\u2029\u200c\u200d" or unicodedata.category(symbol) not in ("Cc", "Cf", "Cs")
    )
    return " ".join(shown.split())


def _cell(column: Column, seen: Seen, mask: Mask, registering_state: str, as_of: datetime) -> str:
    assert seen.payload is not None
    if column is C.CHANGE:
        return seen.change
    if column is C.NATIONALITY:
        return shown_nationalities(seen.payload.get("nationalities", ()), mask.nationalities, registering_state)
    if column is C.ANSWER:
        return _answer(seen.payload, mask)
    if column in (C.LOCATION_AGE, C.LOCATION_HOURS):
        return _location_age(seen.payload, as_of, in_words=column is C.LOCATION_AGE)
    return _CELLS[column](seen.payload)


def shown_nationalities(countries: Sequence[str], how: Nationalities, registering_state: str) -> str:
    """Outside, somebody with several nationalities shows that of the registering State or none: the other is not
    disclosed to host or carrier without the person.
    """
    if how is Nationalities.ALL:
        return ", ".join(countries)
    if how is Nationalities.NONE:
        return ""
    if len(countries) == 1:
        return countries[0]
    return registering_state if registering_state in countries else ""


def _answer(payload: Payload, mask: Mask) -> str:
    welfare = payload["welfare"]
    if welfare == "dead":
        return "death reported, not confirmed" if mask.shows_death else WITHHELD
    said = {"need": "needs help", "sought": "sought by a relative", None: "no answer"}.get(welfare, welfare)
    if payload["needs_help"] and welfare not in ("need", "injured"):
        return f"needs help; also told: {said}"
    return str(said)


def _location_age(payload: Payload, as_of: datetime, *, in_words: bool) -> str:
    observed_at = payload.get("observed_at")
    if observed_at is None:
        return ""
    hours = max(0.0, (as_of - datetime.fromisoformat(observed_at)).total_seconds() / 3600)
    return age_words(hours) if in_words else f"{hours:.1f}"


def age_words(hours: float) -> str:
    """An age as one says it: minutes, hours up to two days, then days."""
    if hours < 1:
        return f"{int(hours * 60)} min"
    return f"{int(hours)} h" if hours < 48 else f"{int(hours / 24)} days"


def _names(payload: Payload, suffix: str = "") -> str:
    family, given = payload.get(f"family_name{suffix}"), payload.get(f"given_names{suffix}")
    return ", ".join(name for name in ((family or "").upper() if not suffix else family, given) if name)


def _position(payload: Payload) -> str:
    """With letters and not signs, so that no spreadsheet takes it for a formula."""
    if not payload.get("position"):
        return ""
    lat, lon = payload["position"]
    return f"{abs(lat):g}°{'N' if lat >= 0 else 'S'} {abs(lon):g}°{'E' if lon >= 0 else 'W'}"


def _radius(payload: Payload) -> str:
    metres = payload.get("radius_m")
    if metres is None:
        return "country" if payload.get("location_source") else ""
    return f"{metres} m"


def _severity(payload: Payload) -> str:
    known = [level for level in (payload["severity_inside"], payload["severity_possible"]) if level is not None]
    return "" if not known else f"{max(known)}{'' if payload['severity_stated'] else ' (not stated)'}"


def _needs(payload: Payload) -> str:
    words = []
    for need in payload["needs"]:
        days = need["days_left"]
        words.append(need["code"].replace("_", " ") + ("" if days is None else f" ({days} d left)"))
    return "; ".join(words)


def _channels(payload: Payload) -> str:
    words = []
    for contact in payload.get("contacts", ()):
        marks = [mark for mark in ("verified", "bounced") if contact[mark]]
        marks += ["others read it"] if contact["others_read_it"] else []
        words.append(contact["channel"] + (f" ({', '.join(marks)})" if marks else ""))
    return "; ".join(words) or "none"


def _addresses(payload: Payload) -> str:
    return "; ".join(
        f"{contact['channel']} {contact['address']}" + (" (others read it)" if contact["others_read_it"] else "")
        for contact in payload.get("contacts", ())
        if contact["address"] and not contact["bounced"]
    )


def _contact(payload: Payload) -> str:
    return "answered" if payload["answered"] else str(payload["contact"] or "not tried").replace("_", " ")


_CELLS: Mapping[Column, Callable[[Payload], str]] = MappingProxyType(
    {
        C.REFERENCE: lambda p: str(p["reference"]),
        C.NAME: _names,
        C.NAME_ORIGINAL: lambda p: _names(p, "_original"),
        C.AGE: lambda p: "" if p["age_years"] is None else str(p["age_years"]),
        C.HOUSEHOLD: lambda p: p.get("household_reference") or "",
        C.MEMBER: lambda p: f"{p['member_no']} of {p['household_size']}",
        C.TIER: lambda p: str(p["tier"]),
        C.SENTENCE: lambda p: str(p["sentence"]),
        C.PRESENCE: lambda p: str(p["presence"]).replace("_", " "),
        C.SEVERITY: _severity,
        C.ZONE: lambda p: p.get("zone") or "",
        C.COUNTRY: lambda p: p["country"] or "",
        C.PLACE: lambda p: p.get("place") or "",
        C.POSITION: _position,
        C.RADIUS: _radius,
        C.SOURCE: lambda p: (p.get("location_source") or "").replace("_", " "),
        C.NEEDS: _needs,
        C.LANGUAGES: lambda p: ", ".join(p["languages"]),
        C.CHANNELS: _channels,
        C.ADDRESSES: _addresses,
        C.CONTACT: _contact,
        C.MOVEMENT: lambda p: str(p["movement"] or "").replace("_", " "),
        C.DOCUMENTS: lambda p: "; ".join(p.get("document_gaps", ())),
    }
)
