"""The files of a released list: the visible cells, in a form that does no harm, and nothing beside them."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from micic.cases.rules import Trust, WelfareState
from micic.cases.service import record_welfare
from micic.errors import Conflict, Invalid
from micic.lists import documents
from micic.lists.documents import Document, Sheet, csv_of, drawable, harmless, pdf_of, pdf_parts, prepare_sheet
from micic.lists.masks import (
    ERASED,
    MASKS,
    TOKEN_SENTENCE,
    Column,
    Nationalities,
    RecipientClass,
    age_words,
    plain,
    shown_nationalities,
)
from micic.lists.models import PersonList
from tests.lists.acts import EVACUATION, freeze, release
from tests.lists.builders import NOW, Someone, World
from tests.lists.pdf_text import TOFU, pages_of

R = RecipientClass
FULL = Someone(
    family_name="Okafor",
    given_names="Amina",
    original="أوكافور",
    nationalities=("FRA", "UTO"),
    contacts=(("phone", "+905551234567"), ("email", "amina@example.org")),
    needs=(("insulin", 3),),
    source="check_in",
)


def sheet_of(world: World, recipient: R, version: PersonList | None = None) -> Sheet:
    version = release(world, version or freeze(world, EVACUATION), recipient)
    return copy_of(world, version)


def copy_of(world: World, version: PersonList) -> Sheet:
    with world.as_(world.cell) as session:
        return prepare_sheet(session, world.cell, world.vault(session), version.list_id, now=NOW)


def rows_of(document: Document) -> list[dict[str, str]]:
    content = document.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def cells_for(world: World, recipient: R) -> str:
    return "\n".join("|".join(row) for row in sheet_of(world, recipient).rows)


# --- who sees what ---


def test_only_a_released_version_leaves_the_house(world: World) -> None:
    version = freeze(world)
    with world.as_(world.cell) as session, pytest.raises(Conflict, match="not released"):
        prepare_sheet(session, world.cell, world.vault(session), version.list_id, now=NOW)


@pytest.mark.parametrize("recipient", list(R))
def test_each_class_sees_its_columns_and_no_more(world: World, recipient: R) -> None:
    world.settle(FULL)
    told = cells_for(world, recipient)
    inside = recipient is R.INTERNAL
    assert ("+905551234567" in told) == ("amina@example.org" in told) == inside
    assert ("FRA" in told) == inside
    assert ("OKAFOR" in told) == ("أوكافور" in told) == (recipient is not R.CIVIL_PROTECTION)
    assert ("Quay Street" in told) == (recipient is not R.CARRIER)
    assert "insulin" in told


def test_no_column_is_of_status_religion_or_sex() -> None:
    words = [column.value for column in Column]
    assert not [word for word in words if re.search("status|permit|visa|relig|sex|ethni|legal", word)]


def test_nationality_never_goes_to_those_who_rescue() -> None:
    for recipient in (R.CIVIL_PROTECTION, R.RED_CROSS):
        assert Column.NATIONALITY not in MASKS[recipient].columns
        assert MASKS[recipient].nationalities is Nationalities.NONE


@pytest.mark.parametrize(
    ("countries", "shown"), [([], ""), (["FRA"], "FRA"), (["FRA", "UTO"], "UTO"), (["FRA", "SYR"], "")]
)
def test_the_other_nationality_is_not_disclosed(countries: list[str], shown: str) -> None:
    assert shown_nationalities(countries, Nationalities.ONE, "UTO") == shown
    assert shown_nationalities(countries, Nationalities.NONE, "UTO") == ""
    assert shown_nationalities(countries, Nationalities.ALL, "UTO") == ", ".join(countries)


@pytest.mark.parametrize("recipient", [one for one in R if one is not R.INTERNAL])
@pytest.mark.parametrize(
    "someone",
    [
        replace(FULL, protected=True),
        replace(FULL, born_on=NOW.date() - timedelta(days=3000), needs=(("unaccompanied_minor", None),)),
    ],
    ids=["protected", "child alone"],
)
def test_outside_a_protected_record_and_a_child_alone_are_tokens(world: World, recipient: R, someone: Someone) -> None:
    world.settle(someone)
    (row,) = rows_of(csv_of(sheet_of(world, recipient)))
    told = "|".join(row.values())
    for secret in ("OKAFOR", "Amina", "أوكافور", "Quay", "20.65", "minor", "child", "UTO", "phone"):
        assert secret not in told
    assert row["needs"].endswith("seat and escort")
    assert row["reference"]
    assert row.get("priority_reason", TOKEN_SENTENCE) == TOKEN_SENTENCE


def test_protection_and_refusal_after_the_freeze_bind_too(world: World) -> None:
    protected, refuses = world.settle(FULL)[0], world.settle(FULL)[0]
    version = freeze(world, EVACUATION)
    world.rewrite(protected, protected=True)
    world.change(
        "insert into consent (registering_state, consent_id, migrant_id, purpose, recipient_class, given, text_version,"
        " language, at) values (:state, gen_random_uuid(), :migrant, 'sharing', 'red_cross', false, '1', 'en', now())",
        migrant=refuses,
    )
    sheet = sheet_of(world, R.RED_CROSS, version)
    assert len(sheet.rows) == 2
    assert "OKAFOR" not in str(sheet.rows)


def test_a_refusal_binds_for_its_class_only(world: World) -> None:
    world.settle(replace(FULL, refused=("red_cross",)))
    assert "OKAFOR" not in cells_for(world, R.RED_CROSS)
    world.settle(replace(FULL, refused=("red_cross",)))
    assert "OKAFOR" in cells_for(world, R.CARRIER)


def test_a_death_that_is_not_confirmed_shows_inside_only(world: World) -> None:
    (person,) = world.settle(FULL)
    with world.as_(world.system) as session:
        record_welfare(
            session, world.system, world.event_id, person, WelfareState.DEAD, source="self", trust=Trust.TOKEN, now=NOW
        )
    assert "death reported, not confirmed" in cells_for(world, R.INTERNAL)
    world.rewrite(person, language="tr")
    outside = cells_for(world, R.RED_CROSS)
    assert "death" not in outside
    assert "withheld" in outside


def test_an_erased_person_is_a_line_that_says_nothing(world: World) -> None:
    person, _ = world.settle(FULL, Someone())
    version = freeze(world, EVACUATION)
    world.erase(person)
    rows = rows_of(csv_of(sheet_of(world, R.INTERNAL, version)))
    erased = next(row for row in rows if row["reference"] == ERASED)
    assert not [cell for name, cell in erased.items() if cell and name not in ("list", "line", "reference")]


def test_a_damaged_line_stops_the_file(world: World) -> None:
    world.settle(FULL)
    version = freeze(world, EVACUATION)
    world.change_as_superuser(
        f"update list_line set payload = payload || '\\x00' where registering_state = '{world.state}'"
    )
    with pytest.raises(Conflict, match="verify"):
        sheet_of(world, R.INTERNAL, version)


def test_copies_are_numbered_and_audited(world: World) -> None:
    world.settle(FULL)
    version = release(world, freeze(world, EVACUATION), R.INTERNAL)
    assert [copy_of(world, version).copy_no for _ in range(3)] == [1, 2, 3]
    with world.as_(world.cell) as session:
        details = session.execute(
            text("select details from audit_entry where registering_state = :state and action = 'list.copy'"),
            {"state": world.state},
        ).scalars()
        assert sorted(entry["copy"] for entry in details) == [1, 2, 3]


# --- CSV ---


def test_a_csv_holds_values_of_the_visible_cells_only(world: World) -> None:
    world.settle(FULL, Someone())
    sheet = sheet_of(world, R.RED_CROSS)
    document = csv_of(sheet)
    assert document.content.startswith(b"\xef\xbb\xbf")
    parsed = list(csv.reader(io.StringIO(document.content.decode("utf-8-sig"), newline="")))
    assert parsed[0] == ["list", *(column.value for column in sheet.columns)]
    assert {len(row) for row in parsed} == {len(sheet.columns) + 1}
    assert len(parsed) == 3
    assert document.filename == "evacuation_consulate-0_v1_20260301T1200Z_red_cross.csv"
    assert all(row[0] == f"evacuation v1 2026-03-01 12:00 UTC {sheet.sha256[:12]} copy 1" for row in parsed[1:])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", " ="])
def test_no_cell_is_a_formula(world: World, start: str) -> None:
    attack = f'{start}cmd|" /C calc"!A0'
    assert harmless(attack) == "'" + attack
    world.settle(replace(FULL, family_name=attack, place=f"{start}1+1", given_names=""))
    for row in csv.reader(io.StringIO(csv_of(sheet_of(world, R.INTERNAL)).content.decode("utf-8-sig"), newline="")):
        assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))]


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", "\n=1", "\0x"])
def test_control_characters_never_reach_a_cell(cell: str) -> None:
    assert plain(cell).strip() in ("=1", "x")
    assert harmless(plain(cell)) in ("'=1", "x")


def test_phones_are_escaped_and_places_have_no_signs(world: World) -> None:
    world.settle(replace(FULL, contacts=(("phone", "+905551234567"),), at=(-70.5, -33.25)))
    (row,) = rows_of(csv_of(sheet_of(world, R.INTERNAL)))
    assert row["contact_addresses"] == "phone +905551234567"
    assert row["position"] == "33.25°S 70.5°W"
    assert harmless("+905551234567") == "'+905551234567"


def test_no_text_can_turn_the_direction_of_its_neighbours() -> None:
    assert plain("a\u202eb\u2066c\u200fd\u0007e") == "abcde"
    assert plain("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(("hours", "words"), [(0.5, "30 min"), (3.9, "3 h"), (47.9, "47 h"), (50, "2 days")])
def test_ages_in_words(hours: float, words: str) -> None:
    assert age_words(hours) == words


# --- PDF ---


def words_of(document: Document) -> tuple[list[str], str]:
    pages = pages_of(document.content)
    return pages, re.sub(r"\s+", " ", " ".join(pages))


def test_a_pdf_says_what_it_is_and_of_whom(world: World) -> None:
    world.settle(replace(FULL, family_name='#read("/etc/passwd")', original="أمينة"), Someone(original="Οκάφορ"))
    sheet = sheet_of(world, R.INTERNAL)
    pages, words = words_of(pdf_of(sheet))
    for said in (
        "Evacuation list, version 1: Consulate 0",
        "M7.2 near Nowhere · as of 2026-03-01 12:00 UTC · released 2026-03-01 12:05 UTC to Duty desk",
        "For the post's own staff only",
        "Copy 1",
        f"SHA-256 {sheet.sha256}",
        "Page 1 of 1",
        "2 people in 1 households",
        "#READ(",
        "phone +905551234567",
        "insulin, 2 days left; inside zone severity 4",
        "20.654°N 10.123°E · within 500 m",
        "check in · 5 h old",
        "Οκάφορ",
    ):
        assert said in words, said
    assert set("أمينة") <= set(words)
    assert TOFU not in words
    assert "EXERCISE" not in words
    assert len(pages) == 1


def test_an_exercise_says_so_on_every_page_and_in_the_name(world: World) -> None:
    world.change("update situation set mode = 'exercise' where registering_state = :state and event_id = :event")
    world.settle(*[FULL] * 20)
    sheet = sheet_of(world, R.CIVIL_PROTECTION, freeze(world, EVACUATION, principal=world.staff_of_both))
    pages, _ = words_of(pdf_of(sheet))
    assert len(pages) > 1
    assert all(page.count("EXERCISE") >= 2 for page in pages)
    assert csv_of(sheet).filename.startswith("EXERCISE_")
    assert all(row["list"].startswith("EXERCISE ") for row in rows_of(csv_of(sheet)))


def test_an_older_version_says_that_a_newer_exists(world: World) -> None:
    (person,) = world.settle(FULL)
    first = freeze(world, EVACUATION)
    world.rewrite(person, language="tr")
    freeze(world, EVACUATION, minutes=1)
    _, words = words_of(pdf_of(sheet_of(world, R.INTERNAL, first)))
    assert "Version 2 of this list exists." in words


@pytest.mark.parametrize("name", ["Müller", "Ђорђе", "Ελένη", "محمد علی", "अमिता", "Ñandú ’Ōlelo"])
def test_every_script_of_our_fonts_is_drawn(world: World, name: str) -> None:
    world.settle(replace(FULL, original=name))
    _, words = words_of(pdf_of(sheet_of(world, R.INTERNAL)))
    assert TOFU not in words
    assert drawable(name) == name


@pytest.mark.parametrize("name", ["安藤", "አበበ", "তাসলিমা", "김철수"])
def test_other_scripts_are_named_and_not_drawn_as_boxes(world: World, name: str) -> None:
    world.settle(replace(FULL, original=name, place=name))
    sheet = sheet_of(world, R.INTERNAL)
    _, words = words_of(pdf_of(sheet))
    assert TOFU not in words
    assert "(original script: see the data file)" in words
    assert drawable(name).isascii()
    assert rows_of(csv_of(sheet))[0]["name_original_script"] == name


def test_a_long_list_comes_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LINES_PER_PDF", 2)
    world.settle(*[FULL] * 5)
    sheet = sheet_of(world, R.INTERNAL)
    assert pdf_parts(sheet) == 3
    last = pdf_of(sheet, part=3)
    assert last.filename.endswith("_internal.part3of3.pdf")
    assert "part 3 of 3" in words_of(last)[1]
    with pytest.raises(Invalid):
        pdf_of(sheet, part=4)
