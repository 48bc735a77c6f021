"""What the feed modules share: strict JSON, the words that betray a test, the common severity."""

import json
import math

import pytest

from alerts import severity
from alerts.cap import Severity
from alerts.feed import FollowUp, NoteCode, ReasonCode, note, note_code, wanted
from alerts.feeds import MAX_JSON_BYTES, DocumentError, NotFinite, check_values, find_test_word, read_json
from tests.alerts.samples import message

# --- JSON ---


@pytest.mark.parametrize("raw", [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"[1e400]", b"[-1e999]"])
def test_numbers_that_are_none(raw: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        check_values(read_json(raw))
    assert caught.value.reason is ReasonCode.NOT_FINITE


def test_what_is_not_finite_stays_where_it_was() -> None:
    table = read_json(b'{"bad": NaN, "good": 1.5}')
    assert isinstance(table["bad"], NotFinite)
    assert table["good"] == 1.5
    assert repr(table["bad"]) == "<NaN>"


@pytest.mark.parametrize("raw", [rb'["\u0000"]', rb'["\ud800"]', rb'{"\udfff": 1}', b'{"a": [{"b": "x\\u0000"}]}'])
def test_characters_that_the_database_refuses(raw: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        check_values(read_json(raw))
    assert caught.value.reason is ReasonCode.BAD_CHARACTER


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not-json"),
        (b"{'a': 1}", "not-json"),
        (b"1" * 5000, "not-json"),
        (b"\xff", "bad-encoding"),
        (b"[" * 200_000, "too-deep"),
        (b" " * (MAX_JSON_BYTES + 1), "too-large"),
    ],
    ids=range(6),
)
def test_what_is_no_json(raw: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_json(raw)
    assert caught.value.reason == reason


def test_pairs_of_surrogates_and_a_bom_are_fine() -> None:
    value = read_json(b"\xef\xbb\xbf" + json.dumps({"wave": "\N{WATER WAVE}"}).encode())
    check_values(value)
    assert value == {"wave": "\N{WATER WAVE}"}


# --- words ---


@pytest.mark.parametrize(
    "text",
    [
        *("This is a TEST.", "test", "[test]", "Test1", "msg_test_2", "TEST-alert", "Monthly Testing of sirens"),
        *("EXERCISE EXERCISE EXERCISE", "tsunami drill", "scenario", "Exercise: exercise caution"),
        *("C'est un exercice", "message d'essai", "simulacro nacional", "es una prueba", "um teste", "Übung"),
        *("Probewarnung", "esercitazione", "oefening", "övning", "harjoitus", "учебная тревога", "тест"),
        *("هذا تمرين", "رسالة تجريبية تجريبي", "latihan", "uji coba", "diễn tập", "άσκηση", "tatbikat"),
        *("これは訓練です", "テスト放送", "这是测试", "훈련 상황", "नमूना परीक्षण", "ทดสอบระบบ"),
    ],
)
def test_words_that_betray_a_test(text: str) -> None:
    assert find_test_word(["Flood", None, "", text])


@pytest.mark.parametrize(
    "text",
    [
        *("The latest update", "greatest care", "contest", "protest march", "drilling platform", "Testaccio"),
        *("Motorists should exercise caution.", "exercise extreme caution", "EXERCISE A HIGH DEGREE OF CAUTION"),
        *("In the worst-case scenario the dam breaks.", "Narrow Hills Prov. Park", "attestation", "approved"),
        *("Unwetterwarnung vor STURMBÖEN", "水庫洩洪警戒", "Extremar precauciones", "Veðurviðvörun", ""),
    ],
)
def test_words_that_betray_none(text: str) -> None:
    assert find_test_word([text, None]) is None


# --- severity ---


def test_the_table_of_common_severity() -> None:
    assert [severity.from_word("cap", word) for word in Severity] == [None, 1, 2, 3, 4]
    assert [severity.from_word("pager", word) for word in ("green", "yellow", "orange", "red")] == [1, 2, 3, 4]
    assert [severity.from_word("gdacs", word) for word in ("Green", "Orange", "Red")] == [1, 3, 4]
    assert severity.from_word("pager", "purple") is None
    mmi = {4.99: None, 5.0: 1, 5.9: 1, 6.0: 2, 7.0: 3, 7.99: 3, 8.0: 4, 10.0: 4, math.nan: None}
    assert [severity.from_number("mmi", value) for value in mmi] == list(mmi.values())
    assert severity.highest(None, 1, 3, None) == 3
    assert severity.highest(None) is None
    with pytest.raises(KeyError):
        severity.from_word("runes", "x")


def test_every_level_is_a_level_and_every_step_rises() -> None:
    for words in severity.WORDS.values():
        assert set(words.values()) <= {None, 0, 1, 2, 3, 4}
    for steps in severity.STEPS.values():
        assert list(steps) == sorted(steps)
        assert [level for _, level in steps] == sorted({level for _, level in steps})


# --- feed ---


def test_notes_have_a_code() -> None:
    assert note_code(note(NoteCode.FLAG, "tsunami: 1")) == "flag"
    assert len(note(NoteCode.FLAG, "x" * 1000)) < 320


def test_only_unknown_versions_are_wanted() -> None:
    asked = FollowUp("https://example.org/1", "detail", native_id="a", native_version="2")
    assert wanted(asked, lambda native_id, version: False)
    assert not wanted(asked, lambda native_id, version: (native_id, version) == ("a", "2"))
    assert wanted(FollowUp("https://example.org/1", "detail"), lambda *_: True)
    assert wanted(message(), lambda *_: True)
