"""Whatever bytes come, a parser answers with messages, wishes or refusals, and raises nothing (TRUST R7, in small)."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from alerts.feed import Document, FollowUp, ParsedMessage, Rejected
from alerts.feeds.cap_single import DOCUMENT, CapSingleFeed
from alerts.feeds.usgs import CONTOURS, DETAIL, SUMMARY, Quake
from alerts.gate import Outcome, Policy, judge
from tests.alerts.samples import (
    FEED,
    NOW,
    RECORDED,
    USUAL_CONTOURS,
    area,
    body,
    cap,
    collection,
    contours,
    feature,
    info,
    shakemap,
)

CAP = CapSingleFeed("cap", "https://example.org/alert.xml")
(ASKED,) = FEED.parse(Document(FEED.url, DETAIL, body(feature(products={"shakemap": [shakemap()]}))))
QUAKE = ASKED.context if isinstance(ASKED, FollowUp) else None
assert isinstance(QUAKE, Quake)

SEEDS: list[tuple[str, bytes]] = [
    (DOCUMENT, cap()),
    (
        DOCUMENT,
        cap(info(area("<circle>10.5,20.5 50</circle>")), info(language="fr"), references="a,b,2026-11-23T10:00:00Z"),
    ),
    (SUMMARY, body(collection(feature("a"), feature("b", status="deleted")))),
    (DETAIL, body(feature(products={"shakemap": [shakemap()]}))),
    (DETAIL, body(feature(mag=7.3))),
    (CONTOURS, body(contours(*USUAL_CONTOURS))),
]


def check(kind: str, raw: bytes) -> None:
    """Parses and judges; everything that comes out is sound."""
    document = Document(FEED.url, kind, raw, context=QUAKE)
    for item in (CAP if kind == DOCUMENT else FEED).parse(document):
        assert isinstance(item, ParsedMessage | Rejected | FollowUp)
        if isinstance(item, FollowUp):
            assert item.url.startswith("https://earthquake.usgs.gov/")
        if isinstance(item, ParsedMessage):
            sound(item)


def sound(said: ParsedMessage) -> None:
    assert said.sent_at.utcoffset() == said.valid_from.utcoffset() == timedelta(0)
    for zone in said.zones:
        if zone.area is not None:
            assert zone.area.is_valid
            points = shapely.get_coordinates(zone.area)
            assert np.all(np.abs(points) <= (180, 90))
    verdict = judge(said, Policy(), NOW)
    assert verdict.outcome is not Outcome.REJECTED, verdict


# --- bytes ---


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A sample with some bytes cut, doubled, or replaced."""
    kind, raw = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        stop = min(len(raw), start + draw(st.integers(0, 40)))
        filler = draw(
            st.sampled_from([b"", b"NaN", b"-1e999", b"null", b"\x00", b"<", b"&x;", b"\xff", b"180", b"9" * 30])
        )
        raw = raw[:start] + draw(st.sampled_from([filler, raw[start:stop] * 2])) + raw[stop:]
    return kind, raw


@given(mutated())
def test_damaged_bytes(sample: tuple[str, bytes]) -> None:
    check(*sample)


@given(st.sampled_from([DOCUMENT, SUMMARY, DETAIL, CONTOURS]), st.binary(max_size=200))
def test_any_bytes(kind: str, raw: bytes) -> None:
    check(kind, raw)


# --- values ---

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([[], {}, [[]], [{}], "nan", "inf", 1e308, 10**30, "\x00", "\ud800", -0.0, "deleted", "SCENARIO"]),
)


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, bytes]:
    """A JSON sample with some values replaced by odd ones, anywhere in the tree."""
    kind, raw = draw(st.sampled_from([seed for seed in SEEDS if seed[0] != DOCUMENT]))
    value = json.loads(raw)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        container, key = places[draw(st.integers(0, len(places) - 1))]
        container[key] = draw(ODD)
        if not list(_places(value)):
            break
    return kind, json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield value, key
        yield from _places(child)


@given(altered())
def test_odd_values(sample: tuple[str, bytes]) -> None:
    check(*sample)


NUMBER = (
    st.floats(allow_nan=False).map(str) | st.integers(-200, 200).map(str) | st.sampled_from(["nan", "1e9", "+5", ""])
)
PAIRS = st.lists(st.tuples(NUMBER, NUMBER).map(",".join), max_size=7).map(" ".join)


@given(st.lists(PAIRS, max_size=3), st.lists(st.tuples(PAIRS, NUMBER).map(" ".join), max_size=2))
def test_odd_shapes(polygons: list[str], circles: list[str]) -> None:
    shapes = [f"<polygon>{text}</polygon>" for text in polygons] + [f"<circle>{text}</circle>" for text in circles]
    check(DOCUMENT, cap(info(area("".join(shapes)))))


RINGS = st.lists(st.tuples(st.integers(-90, 90), st.integers(-180, 180)), min_size=3, max_size=7)


@given(RINGS)
def test_any_ring(ring: list[tuple[int, int]]) -> None:
    text = " ".join(f"{lat},{lon}" for lat, lon in (*ring, ring[0]))
    check(DOCUMENT, cap(info(area(f"<polygon>{text}</polygon>"))))


LINES = st.lists(st.lists(st.tuples(st.integers(14, 27), st.integers(4, 17)), max_size=6), max_size=3)


@given(st.dictionaries(st.sampled_from([4.0, 4.5, 5.0, 6.0, 6.5, 8.0]), LINES, max_size=4))
def test_any_contours(levels: dict[float, list[Any]]) -> None:
    features = [
        {"properties": {"value": level}, "geometry": {"type": "MultiLineString", "coordinates": lines}}
        for level, lines in levels.items()
    ]
    check(CONTOURS, body(collection(*features)))


# --- every recorded file, to the wrong reader too ---


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads (../shared/feeds) are not here")
@pytest.mark.parametrize("kind", [DOCUMENT, SUMMARY, DETAIL, CONTOURS])
def test_recorded_files(kind: str) -> None:
    small: Callable[[Any], bool] = lambda path: path.is_file() and path.stat().st_size < 200_000  # noqa: E731
    for path in filter(small, sorted(RECORDED.rglob("*"))):
        check(kind, path.read_bytes())
