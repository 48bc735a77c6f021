"""Languages, numbers and ages as people read them; catalogues that miss nothing of the public pages."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2 import Environment

from micic.lists.masks import RecipientClass
from micic.web import formats
from micic.web.i18n import LANGUAGES, LOCALE, choose_language, direction
from micic.web.pages import environment
from micic.web.words import WORDS, word

TEMPLATES = Path(__file__).parents[2] / "micic" / "web" / "templates"
PUBLIC = [
    *sorted((TEMPLATES / "checkin").glob("*.html")),
    *(TEMPLATES / name for name in ("frame.html", "login.html", "error.html")),
]
NOW = datetime(2026, 11, 23, 14, 10, tzinfo=UTC)


def sources(path: Path) -> list[tuple[str, ...]]:
    options = {"newstyle_gettext": "true", "trim_blocks": "true"}
    found = extract(
        "jinja2.ext:babel_extract", io.BytesIO(path.read_bytes()), {"_": None, "ngettext": (1, 2)}, options=options
    )
    return [(text,) if isinstance(text, str) else tuple(part for part in text if part) for _, text, _, _ in found]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_public_word_is_translated_with_its_values(language: str) -> None:
    with (LOCALE / language / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    for path in PUBLIC:
        for source in sources(path):
            message = catalogue.get(source[0])
            assert message is not None, f"{path.name}: {source[0]}"
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            written = [text or "" for text in strings]
            assert all(written), source[0]
            assert all(names(text) <= names(source[-1]) for text in written)
            if len(written) == 1:
                assert names(written[0]) == names(source[0])


def names(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_compiles(language: str) -> None:
    made: Environment = environment(language)
    for name in made.list_templates(extensions=["html"]):
        made.get_template(name)


def test_no_template_speaks_english_without_saying_so() -> None:
    """What stands between tags is marked for translation, but for symbols, names and numbers."""
    allowed = {"MICIC", "p90", "SHA-256", "UTC"}
    for path in TEMPLATES.rglob("*.html"):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<script.*?</script>|<!doctype html>",
            "\0",
            path.read_text("utf-8"),
            flags=re.DOTALL,
        )
        for piece in re.findall(r">([^<>]+)<", text):
            for words in piece.split("\0"):
                plain = words.strip(" \n·:,.–+()")
                assert not re.search(r"[A-Za-z]{2,}", plain) or plain in allowed, f"{path.name}: {plain!r}"


def test_directions_and_choice() -> None:
    assert [direction(language) for language in ("en", "fr", "ar")] == ["ltr", "ltr", "rtl"]
    assert choose_language(["tl", None, "ar-EG"]) == "ar"
    assert choose_language([None], "de-AT,de;q=0.9, fr-CH;q=0.4,en;q=0.3") == "fr"
    assert choose_language([None], "en;q=x,,;q=2") == "en"
    assert choose_language([]) == "en"


def test_every_recipient_has_a_name() -> None:
    assert set(WORDS["recipient"]) == {recipient.value for recipient in RecipientClass}
    assert word("recipient", "a new one") == "a new one"


@pytest.mark.parametrize(
    ("span", "said"),
    [(timedelta(seconds=40), "40 s"), (timedelta(minutes=12, seconds=59), "12 min"), (timedelta(hours=26), "26 h"),
     (timedelta(days=5), "5 d"), (timedelta(seconds=-3), "0 s")],
)  # fmt: skip
def test_ages(span: timedelta, said: str) -> None:
    assert formats.age(span) == said


def test_numbers_and_times() -> None:
    assert formats.number(1204) == "1,204"
    assert formats.number(1204, "ar") == "1,204"
    assert (formats.signed(37), formats.signed(-4), formats.signed(0)) == ("+37", "−4", "±0")
    assert (formats.percent(0.217), formats.percent(0.0034)) == ("22%", "0.3%")
    assert (formats.about(1903), formats.about(87)) == ("1,900", "87")
    assert formats.moment(NOW - timedelta(hours=1), NOW) == "13:10 UTC"
    assert formats.moment(NOW - timedelta(days=11), NOW) == "12 Nov 14:10 UTC"
    assert formats.moment(NOW - timedelta(days=400), NOW) == "19 Oct 2025 14:10 UTC"
    assert formats.local_clock(NOW, "Asia/Kathmandu") == "19:55"
    assert formats.local_clock(NOW, "No/Where") == ""
