"""Writing CAP 1.2: what we write the reader reads back unchanged, in the schema's order; what is wrong is refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from alerts.cap import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Info,
    MsgType,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)
from alerts.cap_xml import parse, write
from geo.coordinates import Position

# --- what may be written ---

WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
PROSE = st.lists(WORD, min_size=1, max_size=6).map(" ".join)
NAME = st.from_regex(r"[a-zA-Z0-9@.:_-]{1,20}", fullmatch=True)
TIMES = st.builds(
    lambda time, minutes: time.replace(tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(microsecond=0)),  # noqa: DTZ001
    st.integers(-56, 56).map(lambda quarter: quarter * 15),
)
POSITIONS = st.builds(
    Position, st.floats(-90, 90).map(lambda lat: round(lat, 6)), st.floats(-180, 179).map(lambda lon: round(lon, 6))
)
RINGS = st.lists(POSITIONS, min_size=3, max_size=6).map(lambda ring: (*ring, ring[0]))
PAIRS = st.lists(st.tuples(WORD, WORD), max_size=2).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def several(strategy: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=most, unique=True).map(tuple)


AREAS = st.builds(
    Area,
    area_desc=PROSE,
    polygons=several(RINGS),
    circles=several(st.builds(Circle, POSITIONS, st.floats(0, 900).map(lambda km: round(km, 3)))),
    geocodes=PAIRS,
    altitude=maybe(st.just("12.5")),
)
INFOS = st.builds(
    Info,
    event=PROSE,
    language=maybe(st.sampled_from(["en-GB", "ar", "dv"])),
    categories=st.lists(st.sampled_from(Category), min_size=1, max_size=3, unique=True).map(tuple),
    response_types=several(st.sampled_from(ResponseType)),
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    event_codes=PAIRS,
    effective=maybe(TIMES),
    onset=maybe(TIMES),
    expires=maybe(TIMES),
    sender_name=maybe(PROSE),
    headline=maybe(PROSE),
    description=maybe(PROSE),
    instruction=maybe(PROSE),
    web=maybe(st.just("https://example.org/a?b=1&c=2")),
    parameters=PAIRS,
    resources=several(st.builds(Resource, WORD, st.just("image/png"), uri=maybe(st.just("https://example.org/x")))),
    areas=several(AREAS),
)
ALERTS = st.builds(
    Alert,
    identifier=NAME,
    sender=NAME,
    sent=TIMES,
    status=st.sampled_from(Status),
    msg_type=st.just(MsgType.UPDATE),
    scope=st.just(Scope.PUBLIC),
    source=maybe(PROSE),
    codes=several(WORD),
    note=maybe(PROSE),
    references=st.lists(st.builds(Reference, NAME, NAME, TIMES), min_size=1, max_size=3, unique=True).map(tuple),
    incidents=several(PROSE),
    infos=several(INFOS),
)


@given(ALERTS)
def test_what_is_written_is_read_back(alert: Alert) -> None:
    assert parse(write(alert)) == alert


# --- the standard ---

SENT = datetime(2026, 11, 23, 12, 0, 0, 500, tzinfo=UTC)
SQUARE = tuple(Position(*pair) for pair in ((10, 20), (10, 21), (11, 21), (10, 20)))


def drill(**changes: Any) -> Alert:
    table: dict[str, Any] = {
        "identifier": "drill-1",
        "sender": "post@example.org",
        "sent": SENT,
        "status": Status.EXERCISE,
        "msg_type": MsgType.ALERT,
        "scope": Scope.PUBLIC,
    }
    return Alert(**{**table, **changes})


def block(**changes: Any) -> Info:
    return Info(**{"event": "Flood", "categories": (Category.MET,), **changes})


def test_elements_stand_in_the_order_of_the_schema() -> None:
    full = block(
        language="en",
        response_types=(ResponseType.EVACUATE,),
        event_codes=(("OET", "OET-022"),),
        expires=SENT + timedelta(hours=3),
        headline="Go up",
        web="https://example.org",
        resources=(Resource("map", "image/png", uri="https://example.org/m.png"),),
        areas=(Area("Bay", (SQUARE,), (Circle(Position(1, 2), 0.0000001),), (("ISO", "PH-LEY"),)),),
    )
    root = etree.fromstring(write(drill(note="a drill", infos=(full,))))
    names = [etree.QName(element).localname for element in root.iter()]
    assert (
        names
        == (
            "alert identifier sender sent status msgType scope note info language category event responseType urgency"
            " severity certainty eventCode valueName value expires headline web resource resourceDesc mimeType uri"
            " area areaDesc polygon circle geocode valueName value"
        ).split()
    )
    assert root.findtext("{*}sent") == "2026-11-23T12:00:00+00:00"
    assert root.findtext("{*}info/{*}area/{*}polygon") == "10,20 10,21 11,21 10,20"
    assert root.findtext("{*}info/{*}area/{*}circle") == "1,2 0.0000001"


@pytest.mark.parametrize(
    "wrong",
    [
        drill(identifier="has space"),
        drill(identifier="has,comma"),
        drill(sender="a<b"),
        drill(sender=""),
        drill(sent=SENT.replace(tzinfo=None)),
        drill(scope=Scope.RESTRICTED),
        drill(scope=Scope.PRIVATE),
        drill(msg_type=MsgType.CANCEL),
        drill(infos=(block(event=""),)),
        drill(infos=(block(categories=()),)),
        drill(infos=(block(areas=(Area(""),)),)),
        drill(infos=(block(areas=(Area("Bay", (SQUARE[:3],)),)),)),
        drill(infos=(block(areas=(Area("Bay", ((*SQUARE[:3], Position(3, 4)),)),)),)),
        drill(infos=(block(resources=(Resource("map"),)),)),
        drill(infos=(block(headline="\x00"),)),
    ],
)
def test_what_breaks_the_standard_is_not_written(wrong: Alert) -> None:
    with pytest.raises(ValueError):
        write(wrong)
