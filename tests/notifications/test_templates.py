"""The words: fields, languages, directions, and that nothing of a feed's text leads anywhere (TRUST T11)."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micic.notifications.templates import (
    FIELD_NAMES,
    LINK_FIELD,
    Fields,
    TemplateRefused,
    answer_url,
    check_text,
    country_name,
    fields_of,
    fill,
    format_time,
    put_link,
    render,
    safe_title,
    severity_word,
)
from micic.notifications.texts import DEFAULT_TEXTS, NO_TITLE, SEVERITY_WORDS

LANGUAGES = ("en", "fr", "ar", "tl")
VALUES = Fields(
    title="M 7.2 - 20 km SW of Istanbul",
    place="Türkiye",
    severity_word="severe",
    issued_at="4 March 2026, 18:35 (UTC+03:00)",
    issuer="Philippines",
    expires_at="5 March 2026, 18:35 (UTC+03:00)",
    reference="7K3Q9-M2XPA",
    post_name="Embassy in Ankara",
)
ENGLISH = DEFAULT_TEXTS["inform"]["en"]


@pytest.mark.parametrize("name", DEFAULT_TEXTS)
def test_every_text_exists_in_every_language_with_known_fields_and_all_of_them(name: str) -> None:
    assert set(DEFAULT_TEXTS[name]) == set(LANGUAGES) == set(SEVERITY_WORDS) == set(NO_TITLE)
    for subject, body in DEFAULT_TEXTS[name].values():
        check_text(subject, body)
        assert set(fields_of(body)) == FIELD_NAMES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rendered_text_says_everything_and_holds_no_other_link_or_number(language: str) -> None:
    text = render(*DEFAULT_TEXTS["inform"][language], VALUES, language)
    for value in (VALUES.title, VALUES.place, VALUES.expires_at, VALUES.reference, VALUES.post_name):
        assert value in text.body
    assert "{" not in put_link(text.body, "https://x.example/c/t")
    assert "\n" not in text.subject
    ours = text.body.replace(VALUES.title, "").replace(VALUES.issued_at, "").replace(VALUES.expires_at, "")
    assert not re.search(r"\d{3}|https?:|www\.|@", ours.replace(VALUES.reference, ""))


@pytest.mark.parametrize(
    "bad",
    ["{phone}", "{title.__class__}", "{title!r}", "{title:>10}", "{}", "{0}", "{title[0]}", "{", "}"],
)
def test_anything_but_a_plain_known_field_is_refused(bad: str) -> None:
    with pytest.raises(TemplateRefused):
        check_text(ENGLISH[0], ENGLISH[1] + bad)
    with pytest.raises(TemplateRefused):
        fill(bad, {"title": "x"})


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        (ENGLISH[0], ENGLISH[1].replace(LINK_FIELD, "")),
        (ENGLISH[0], ENGLISH[1].replace(LINK_FIELD, f"see {LINK_FIELD}")),
        (ENGLISH[0], ENGLISH[1] + f"\n{LINK_FIELD}\n"),
        (ENGLISH[0] + LINK_FIELD, ENGLISH[1]),
        ("two\nlines {title}", ENGLISH[1]),
        (ENGLISH[0], ENGLISH[1].replace("{expires_at}", "")),
        (ENGLISH[0], ENGLISH[1] + "x" * 4000),
    ],
)
def test_a_text_that_does_not_serve_its_reader_is_refused(subject: str, body: str) -> None:
    with pytest.raises(TemplateRefused):
        check_text(subject, body)


def test_a_value_is_not_filled_again() -> None:
    assert fill("{title}", {"title": "{answer_link}"}) == "{answer_link}"
    assert "{" not in safe_title("Flood {answer_link} {reference}")


def test_right_to_left_lines_are_marked_values_isolated_and_the_link_bare() -> None:
    body = render(*DEFAULT_TEXTS["inform"]["ar"], VALUES, "ar").body
    lines = body.split("\n")
    assert LINK_FIELD in lines
    assert all(line.startswith("\u200f") for line in lines if line and line != LINK_FIELD)
    assert f"\u2068{VALUES.title}\u2069" in body
    assert "\u200f" not in render(*ENGLISH, VALUES, "en").body


def test_values_in_the_readers_language() -> None:
    at = datetime(2026, 3, 4, 15, 35, tzinfo=UTC)
    assert format_time(at, "fr", "Asia/Kolkata") == "4 mars 2026, 21:05 (UTC+05:30)"
    assert format_time(at, "xx", "UTC") == "4 March 2026, 15:35 (UTC)"
    assert country_name("DEU", "fr") == "Allemagne"
    assert country_name("DEU", "fil-PH") == "Germany" or country_name("DEU", "fil-PH") == "Alemanya"
    assert country_name("XXX", "en") == "XXX"
    assert severity_word(4, "en") == "extreme"
    assert severity_word(4, "pt") == "extreme"
    assert answer_url("https://a.example/", "PHL-x") == "https://a.example/c/PHL-x"


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("M 7.2 - 20 km SW of Istanbul, Türkiye", "M 7.2 - 20 km SW of Istanbul, Türkiye"),
        ("M 5.5 - 135 km SSE of L'Esperance Rock, New Zealand", "M 5.5 - 135 km SSE of L'Esperance Rock, New Zealand"),
        ("Flood in Kenya 2026-03-04, level 3", "Flood in Kenya 2026-03-04, level 3"),
        ("Typhoon 22W (2026)", "Typhoon 22W (2026)"),
        ("زلزال في إسطنبول", "زلزال في إسطنبول"),
    ],
)
def test_an_ordinary_title_stays(title: str, kept: str) -> None:
    assert safe_title(title) == kept


HOSTILE = [
    "Flood, go to http://evil.example/a now",
    "Flood, go to evil.example/pay",
    "Flood www.evil.example",
    "Flood hxxp://evil.example",
    "Flood evil。example",
    "Flood ｅｖｉｌ．ｅｘａｍｐｌｅ",
    "Flood t.me/evil",
    "Flood 10.20.30.40/x",
    "Flood a@evil.example",
    "Flood call +63 917 123 4567",
    "Flood call 0917-123-4567",
    "Flood call 911",
    "Flood call *123#",
    "Flood call ٠٩١٧١٢٣٤٥٦٧",
    "Flood call ０９１７１２３４５６７",
    "Flood call 9\u200b1\u200b1\u200b2\u200b3",
    "Flood call 09 17 12 34 56",
    "Flood call (0)9.17.12.34",
    "Flood call ①②③④⑤⑥⑦",
    "Flood tel:12345",
    "Flood call 2012 2034 1999",
    "Flood 12:34:56:78",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_no_address_and_no_number_of_a_feed_reaches_a_message(title: str) -> None:
    kept = safe_title(title)
    assert kept.startswith("Flood")
    assert "evil" not in kept
    assert not re.search(r"https?:|www\.|@|://", kept)
    assert sum(symbol.isdigit() for symbol in kept) <= 4


@given(st.text(max_size=200))
def test_any_title_becomes_one_short_line_without_braces_controls_or_long_numbers(title: str) -> None:
    for language in LANGUAGES:
        kept = safe_title(title, language)
        assert kept
        assert len(kept) <= 120
        assert len(kept.splitlines()) == 1
        assert not set(kept) & set("{}<>\x00\u202e\u200b")
        assert "://" not in kept
        assert not re.search(r"\d{5}", kept)


def test_a_title_of_nothing_but_an_address_becomes_our_own_word() -> None:
    assert safe_title("https://evil.example", "fr") == "Situation d'urgence"
