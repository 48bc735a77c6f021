"""The words of a message: named fields, a strict renderer, and what keeps a feed's text from becoming ours.

A text is written by us and approved by two; into it go values only. The one value that comes from outside, the
title of the event, loses every address and number that could lead a reader somewhere (TRUST T11). Pure.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import lru_cache
from string import Formatter
from zoneinfo import ZoneInfo

import pycountry
from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime

from micic.errors import Invalid
from micic.notifications.texts import NO_TITLE, SEVERITY_WORDS

LINK_FIELD = "{answer_link}"
REQUIRED_FIELDS = frozenset({"title", "answer_link", "expires_at", "post_name"})
LONGEST_SUBJECT = 120
LONGEST_BODY = 4000
LONGEST_TITLE = 120


class TemplateRefused(Invalid):
    """The text of the message cannot be used."""


@dataclass(frozen=True)
class Fields:
    """All that a text may name. `answer_link` stays a placeholder until the message is handed over."""

    title: str
    place: str
    severity_word: str
    issued_at: str
    issuer: str
    expires_at: str
    reference: str
    post_name: str
    answer_link: str = LINK_FIELD


FIELD_NAMES = frozenset(field.name for field in fields(Fields))


@dataclass(frozen=True)
class MessageText:
    """A rendered message, but for the link."""

    subject: str
    body: str


# --- rendering ---


def fields_of(text: str) -> Iterator[str]:
    """The fields that `text` names, in order. Raises TemplateRefused for anything but a plain known field."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise TemplateRefused(f"The text has a lone brace: {error}.") from error
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in FIELD_NAMES or spec or conversion:
            raise TemplateRefused(f"The text names an unknown field: {{{name}}}.")
        yield name


def check_text(subject: str, body: str) -> None:
    """Raise TemplateRefused unless this may be approved: known fields, one link on a line of its own, the event,
    the sender and the expiry named.
    """
    named = [*fields_of(subject), *fields_of(body)]
    if missing := sorted(REQUIRED_FIELDS - set(named)):
        raise TemplateRefused(f"The text does not say {', '.join(missing)}.", field="body")
    if "answer_link" in fields_of(subject) or len(subject.splitlines()) != 1:
        raise TemplateRefused("The subject is one line without a link.", field="subject")
    if [line.strip() for line in body.splitlines()].count(LINK_FIELD) != 1 or body.count(LINK_FIELD) != 1:
        raise TemplateRefused("The link stands once, on a line of its own.", field="body")
    if len(subject) > LONGEST_SUBJECT or len(body) > LONGEST_BODY:
        raise TemplateRefused("The text is too long to be read in an emergency.", field="body")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values into a text, once: a value that holds braces is not filled again. Raises TemplateRefused."""
    list(fields_of(text))
    written = []
    for literal, name, _, _ in Formatter().parse(text):
        written.append(literal)
        if name is not None:
            written.append(values[name])
    return "".join(written)


def render(subject: str, body: str, values: Fields, language: str) -> MessageText:
    """Subject and body in one language. Raises TemplateRefused."""
    by_name = asdict(values)
    if is_right_to_left(language):
        isolated = {name: value if name == "answer_link" else isolate(value) for name, value in by_name.items()}
        return MessageText(_one_line(fill(subject, by_name)), _right_to_left(fill(body, isolated)))
    return MessageText(_one_line(fill(subject, by_name)), fill(body, by_name))


def put_link(body: str, link: str) -> str:
    """The body with the answer link in its place."""
    return body.replace(LINK_FIELD, link)


def answer_url(public_url: str, token: str) -> str:
    """The address of a check-in link. The token says which State keeps the record, and nothing of a person."""
    return f"{public_url.rstrip('/')}/c/{token}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_SUBJECT]


# --- right to left ---

FIRST_STRONG_ISOLATE, POP_ISOLATE, RIGHT_TO_LEFT_MARK = "\u2068", "\u2069", "\u200f"


def is_right_to_left(language: str) -> bool:
    """Whether the language is written from right to left."""
    return _locale(language).character_order == "right-to-left"


def isolate(value: str) -> str:
    """A value whose direction does not disturb its surroundings (UAX 9, FSI and PDI)."""
    return f"{FIRST_STRONG_ISOLATE}{value}{POP_ISOLATE}"


def _right_to_left(body: str) -> str:
    """Plain text has no `dir`: a mark at the head of each line sets it. The link's line stays bare."""
    lines = body.split("\n")
    return "\n".join(line if not line or line.strip() == LINK_FIELD else RIGHT_TO_LEFT_MARK + line for line in lines)


# --- values ---


def severity_word(severity: int, language: str) -> str:
    """Our word for a severity 0-4."""
    words = SEVERITY_WORDS.get(base_language(language), SEVERITY_WORDS["en"])
    return words[severity]


def country_name(country: str, language: str) -> str:
    """The name of a country (ISO 3166-1 alpha-3) in a language; the code where there is none."""
    found = pycountry.countries.get(alpha_3=country)
    if found is None:
        return country
    return str(_locale(language).territories.get(found.alpha_2) or found.name)


def format_time(at: datetime, language: str, time_zone: str) -> str:
    """Date and time of the day with the zone's distance from UTC: `4 March 2026, 18:35 (UTC+05:30)`."""
    local = at.astimezone(ZoneInfo(time_zone))
    offset = f"{local:%z}"
    zone = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"
    return f"{format_datetime(local, 'd MMMM y, HH:mm', locale=_locale(language))} ({zone})"


def base_language(language: str) -> str:
    """The language of a BCP 47 tag without script and region; Filipino counts as Tagalog."""
    base = language.replace("_", "-").split("-")[0].lower()
    return "tl" if base == "fil" else base


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(base_language(language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


# --- a title from outside ---

_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]*:\s*//\S*"  # any scheme
    r"|\b(?:https?|tel|sms|mailto|whatsapp|geo|data|javascript)\s*:\s*\S*"
    r"|\bwww\.\S*"
    r"|\S*@\S*"
    r"|\b(?:[^\W_](?:[\w-]*[^\W_])?[.。·・]){1,}[^\W\d_]{2,}\b(?:[/:?#]\S*)?"  # a domain name and what follows
    r"|\b\d+(?:\.\d+){2,}\S*",  # four numbers with points
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[+(#*]*\d(?:[\s().\-‐-―/:,_#*]*\d)*[#*]*")
# Figures that a title needs, each once: magnitude, distance, date, time of the day, year.
_HARMLESS = (
    re.compile(r"\bM[a-z]{0,3} ?\d{1,2}(?:\.\d)?(?![\d.])", re.IGNORECASE),
    re.compile(r"(?<![\d.,])\d{1,3} ?(?:km|mi|miles|m|kt|hPa)\b", re.IGNORECASE),
    re.compile(r"(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d)"),
    re.compile(r"(?<![\d:])[0-2]?\d:[0-5]\d(?![\d:])"),
    re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)"),
)
PRIVATE_USE = 0xE000  # stands for a kept figure; the title itself has lost such characters before


def safe_title(title: str, language: str = "en") -> str:
    """The title of an event without addresses, telephone numbers, short codes, controls and braces; our own words
    when nothing is left.
    """
    text = _plain_characters(unicodedata.normalize("NFKC", title))
    text = _without_numbers(_ADDRESS.sub(" ", text))
    text = re.sub(r"\(\s*\)|[{}<>\[\]|\\`^~]", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" -–—,;:/.")
    if not any(symbol.isalpha() for symbol in text):
        return NO_TITLE.get(base_language(language), NO_TITLE["en"])
    return text[:LONGEST_TITLE].rstrip()


def _plain_characters(text: str) -> str:
    """Digits of every script as 0-9; no controls, no invisible or private characters."""
    digits = (str(unicodedata.decimal(symbol, symbol)) for symbol in text)
    return "".join(" " if unicodedata.category(s) in ("Cc", "Zl", "Zp") else s for s in digits if not _is_hidden(s))


def _is_hidden(symbol: str) -> bool:
    return unicodedata.category(symbol) in ("Cf", "Co", "Cs", "Cn")


def _without_numbers(text: str) -> str:
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return chr(PRIVATE_USE + len(kept) - 1)

    for pattern in _HARMLESS:
        text = pattern.sub(keep, text, count=1)
    text = _NUMBERS.sub(_keep_if_short, text)
    for number, figure in enumerate(kept):
        text = text.replace(chr(PRIVATE_USE + number), figure)
    return text


def _keep_if_short(match: re.Match[str]) -> str:
    return match.group() if sum(symbol.isdigit() for symbol in match.group()) <= 2 else " "
