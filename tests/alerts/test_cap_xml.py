"""Reading CAP: liberal about slips, deaf to attacks, and every repair said."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.cap import Certainty, MsgType, Reference, Severity, Status, Urgency
from alerts.cap_xml import MAX_BYTES, CapError, parse, read_positions, read_time
from alerts.feed import ReasonCode, note_code
from geo.coordinates import Position
from tests.alerts.samples import SQUARE, area, cap, info


def reason(body: bytes) -> ReasonCode:
    with pytest.raises(CapError) as caught:
        parse(body)
    return caught.value.reason


def codes(body: bytes) -> list[str]:
    return [note_code(entry) for entry in parse(body).notes]


def test_a_plain_message() -> None:
    alert = parse(cap())
    assert (alert.identifier, alert.sender) == ("flood-1", "water@example.org")
    assert (alert.status, alert.msg_type, alert.notes) == (Status.ACTUAL, MsgType.ALERT, ())
    (block,) = alert.infos
    assert (block.severity, block.headline, len(block.areas[0].polygons[0])) == (Severity.SEVERE, "Flood in the bay", 5)
    assert block.areas[0].polygons[0][1] == Position(10, 21)


@pytest.mark.parametrize("field", ["identifier", "sender", "sent", "status", "msgType", "scope"])
def test_what_is_required_is_required(field: str) -> None:
    for text in (None, "  "):
        table: dict[str, Any] = {field: text}
        assert reason(cap(**table)) is ReasonCode.MISSING_FIELD


@pytest.mark.parametrize("field", ["status", "msgType", "scope"])
def test_no_guessing_about_status_type_and_scope(field: str) -> None:
    table: dict[str, Any] = {field: "Perhaps"}
    assert reason(cap(**table)) is ReasonCode.BAD_VALUE


@pytest.mark.parametrize(
    "namespace",
    ["urn:oasis:names:tc:emergency:cap:1.1", "http://www.incident.com/cap/1.0", "urn:oasis:names:tc:emergency:cap:1.2"],
)
def test_all_versions_are_read(namespace: str) -> None:
    assert parse(cap(namespace=namespace)).notes == ()


def test_a_wrong_namespace_is_tolerated_and_said() -> None:
    assert codes(cap(namespace="http://example.org/cap")) == ["namespace"]


def test_words_of_cap_1_0() -> None:
    code = "<eventCode>same=SVR</eventCode>"
    alert = parse(cap(info(area() + code, certainty="Very Likely"), namespace="http://www.incident.com/cap/1.0"))
    assert alert.infos[0].certainty is Certainty.LIKELY
    assert alert.infos[0].event_codes == (("same", "SVR"),)


def test_unknown_words_become_unknown_and_are_said() -> None:
    alert = parse(cap(info(severity="", urgency="soon", certainty="likely")))
    assert alert.infos[0].severity is Severity.UNKNOWN
    assert alert.infos[0].urgency is Urgency.UNKNOWN
    assert alert.infos[0].certainty is Certainty.LIKELY
    assert sorted(alert.notes) == ["value-unknown: severity empty", "value-unknown: urgency soon"]


def test_fields_outside_the_standard_are_said() -> None:
    assert codes(cap(info(area("<Polygon>1,2</Polygon>")))) == ["field-unknown"]


# --- attacks ---


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE alert [<!ENTITY a "b">]>',
        '<!DOCTYPE alert SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE alert PUBLIC "-//A//B" "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE alert [<!ENTITY % r SYSTEM "file:///etc/hostname"> %r;]>',
        '<!DOCTYPE alert [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
        "<!DOCTYPE alert>",
    ],
)
def test_any_doctype_is_refused(doctype: str) -> None:
    assert reason(cap(head=f'<?xml version="1.0"?>{doctype}')) is ReasonCode.DOCTYPE


def test_a_doctype_in_utf_16_is_refused() -> None:
    text = cap(head='<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE alert [<!ENTITY a "b">]>').decode()
    assert reason(text.encode("utf-16")) is ReasonCode.DOCTYPE


def test_an_entity_without_doctype_is_refused() -> None:
    assert reason(cap(info(headline="&danger;"))) is ReasonCode.NOT_XML


def test_size_and_depth_are_capped() -> None:
    assert reason(b"<alert>" + b" " * MAX_BYTES + b"</alert>") is ReasonCode.TOO_LARGE
    assert reason(b"<a>" * 5_000 + b"</a>" * 5_000) is ReasonCode.TOO_DEEP


def test_bad_bytes() -> None:
    assert reason(cap().replace(b"Water", b"W\xe4sser")) is ReasonCode.BAD_ENCODING
    assert reason(cap(head='<?xml version="1.0" encoding="klingon"?>')) is ReasonCode.BAD_ENCODING
    assert reason(cap().replace(b"Water", b"W\x00ter")) in (ReasonCode.NOT_XML, ReasonCode.BAD_ENCODING)
    assert reason(cap(info(headline="&#0;"))) is ReasonCode.NOT_XML
    assert reason(cap(info(headline="&#xD800;"))) is ReasonCode.NOT_XML
    assert reason(b"") is ReasonCode.NOT_XML
    assert reason(b"{}") is ReasonCode.NOT_XML


def test_good_bytes() -> None:
    assert parse(b"\xef\xbb\xbf" + cap()).identifier == "flood-1"
    assert parse(b"\n  " + cap()).identifier == "flood-1"
    latin = cap(info(headline="Usulután"), head='<?xml version="1.0" encoding="ISO-8859-1"?>').decode()
    assert parse(latin.encode("latin-1")).infos[0].headline == "Usulután"


@pytest.mark.parametrize("root", ["feed", "rss", "EDXLDistribution", "alerts"])
def test_envelopes_are_refused_by_name(root: str) -> None:
    assert reason(f"<{root}/>".encode()) is ReasonCode.ENVELOPE_NOT_SUPPORTED


def test_something_else_is_no_cap() -> None:
    assert reason(b"<html/>") is ReasonCode.NOT_CAP


# --- times ---


@pytest.mark.parametrize(
    ("text", "utc", "known"),
    [
        ("2026-11-23T11:00:00+02:00", "09:00:00", True),
        ("2026-11-23T11:00:00-00:00", "11:00:00", True),
        ("2026-11-23T11:00:00Z", "11:00:00", True),
        ("2026-11-23T11:00:00.770Z", "11:00:00", True),
        ("2026-11-23T11:00:00+0530", "05:30:00", True),
        ("2026-11-23T11:00:00", "11:00:00", False),
        ("2026-11-23T11:00+01:00", "10:00:00", True),
    ],
)
def test_times(text: str, utc: str, known: bool) -> None:
    time, offset_given = read_time(text)
    assert f"{time.astimezone(UTC):%H:%M:%S}" == utc
    assert offset_given is known


@pytest.mark.parametrize(
    "text", ["", "today", "2026-11-23", "23.11.2026 11:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z"]
)
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError):
        read_time(text)


def test_sent_must_be_readable_and_the_others_are_said() -> None:
    assert reason(cap(sent="yesterday")) is ReasonCode.BAD_TIME
    assert parse(cap(sent="2026-11-23T11:00:00")).notes == ("time-without-zone: sent",)
    alert = parse(cap(info(expires="date:today 16:00:-5")))
    assert alert.infos[0].expires is None
    assert alert.notes == ("bad-time: expires date:today 16:00:-5",)


# --- references ---

FIRST = Reference("a@x", "1", datetime(2026, 11, 23, 10, tzinfo=UTC))
SECOND = Reference("b b", "2", datetime(2026, 11, 23, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "a@x,1,2026-11-23T10:00:00+00:00 b b,2,2026-11-23T12:00:00+01:00",
        "a@x,1,2026-11-23T10:00:00-00:00\n  b b,2,2026-11-23T11:00:00Z",
        "a@x,1,2026-11-23T10:00:00-00:00b b,2,2026-11-23T06:00:00-05:00",  # glued
    ],
)
def test_references_are_instants(text: str) -> None:
    alert = parse(cap(references=text))
    assert [reference.key for reference in alert.references] == [FIRST.key, SECOND.key]
    assert alert.notes == ()


@pytest.mark.parametrize("text", ["flood-0", "a@x,1", "a@x,1,soon", "a@x,1,2026-11-23T10:00:00Z rest"])
def test_unreadable_references_are_said(text: str) -> None:
    assert codes(cap(references=text)) == ["reference-unreadable"]


def test_empty_references_are_none() -> None:
    assert parse(cap(references="")).references == ()
    assert parse(cap(references="")).notes == ()


# --- places ---


@pytest.mark.parametrize(
    "text",
    [
        "10,20 10,21 11,21",
        "+10,+20\n10.0,21.0   11,21",
        "10,20, 10,21, 11,21,",
        "10, 20 10, 21 11, 21",
        "10 20 10 21 11 21",
    ],
)
def test_polygons_in_the_wild(text: str) -> None:
    assert read_positions(text) == (Position(10, 20), Position(10, 21), Position(11, 21))


@pytest.mark.parametrize("text", ["10,20,5 11,21,5", "10,20 11", "ten,20", "10;20", "nan,20", "1e999,20", "20,10 91,5"])
def test_no_polygons(text: str) -> None:
    with pytest.raises(ValueError):
        read_positions(text)


def test_an_open_ring_is_closed_and_said() -> None:
    alert = parse(cap(info(area("<polygon>10,20 10,21 11,21 11,20</polygon>"))))
    ring = alert.infos[0].areas[0].polygons[0]
    assert (ring[0], len(ring)) == (ring[-1], 5)
    assert alert.notes == ("geometry-repaired: polygon was not closed",)


def test_empty_shapes_are_no_shapes() -> None:
    alert = parse(cap(info(area("<polygon/><polygon> </polygon><circle/>"))))
    assert alert.infos[0].areas[0].polygons == ()
    assert (alert.infos[0].areas[0].dropped, alert.notes) == (0, ())


@pytest.mark.parametrize(
    "shape",
    [
        "<polygon>10,20 10,21 10,20</polygon>",
        "<polygon>122,10 123,11 124,12 122,10</polygon>",
        "<polygon>,</polygon>",
        "<circle>10,20</circle>",
        "<circle>10,20 -5</circle>",
        "<circle>10,20 nan</circle>",
        "<circle>59.3 18.0 far</circle>",
        "<circle>100,20 5</circle>",
        "<circle>10,20 99999</circle>",
    ],
)
def test_unreadable_shapes_are_counted_and_said(shape: str) -> None:
    alert = parse(cap(info(area(f"<polygon>{SQUARE}</polygon>{shape}"))))
    place = alert.infos[0].areas[0]
    assert (len(place.polygons), len(place.circles), place.dropped) == (1, 0, 1)
    assert [note_code(entry) for entry in alert.notes] == ["geometry-dropped"]


def test_circles_are_kilometres_and_zero_is_a_point() -> None:
    place = parse(cap(info(area("<circle>10.5,20.5 12.5</circle><circle>1,2 0</circle>")))).infos[0].areas[0]
    assert [(each.centre, each.radius_km) for each in place.circles] == [
        (Position(10.5, 20.5), 12.5),
        (Position(1, 2), 0),
    ]


@given(st.text(max_size=60))
def test_any_text_is_a_position_list_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        read_positions(text)


def test_words_are_ordered() -> None:
    assert sorted(Severity, key=lambda s: s.order) == ["Unknown", "Minor", "Moderate", "Severe", "Extreme"]
    assert Severity.most((Severity.MINOR, Severity.EXTREME, Severity.UNKNOWN)) is Severity.EXTREME
    assert Urgency.most(()) is Urgency.UNKNOWN
