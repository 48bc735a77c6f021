"""USGS: what each document asks for, and what message comes of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.feed import (
    Document,
    Feed,
    FollowUp,
    GeometryBasis,
    MessageKind,
    Parsed,
    ParsedMessage,
    ReasonCode,
    Rejected,
    ZoneKind,
    note_code,
)
from alerts.feeds.usgs import CONTOURS, DETAIL, SUMMARY, UsgsFeed
from alerts.gate import area_km2
from tests.alerts.samples import (
    FEED,
    NOW,
    SITE,
    USUAL_CONTOURS,
    body,
    collection,
    contours,
    feature,
    ms,
    ring,
    shakemap,
)


def parse(kind: str, value: Any, *, context: object = None, url: str = FEED.url, feed: UsgsFeed = FEED) -> list[Parsed]:
    raw = value if isinstance(value, bytes) else body(value)
    return list(feed.parse(Document(url, kind, raw, context=context)))


def only(items: list[Parsed]) -> Parsed:
    (item,) = items
    return item


def message(items: list[Parsed]) -> ParsedMessage:
    item = only(items)
    assert isinstance(item, ParsedMessage), item
    return item


def rejected(item: Parsed) -> ReasonCode:
    assert isinstance(item, Rejected), item
    return item.reason_code


def with_map(*products: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return feature(products={"shakemap": list(products) or [shakemap()], "origin": []}, **properties)


def contoured(*levels: tuple[float, float], **product: Any) -> list[Parsed]:
    """detail -> contours."""
    asked = only(parse(DETAIL, with_map(shakemap(**product))))
    assert isinstance(asked, FollowUp)
    return parse(asked.kind, contours(*levels), context=asked.context, url=asked.url)


# --- summary ---


def test_it_is_a_feed() -> None:
    feed: Feed = FEED
    assert feed.start() == FollowUp(FEED.url, SUMMARY)
    assert (feed.name, feed.cadence_s, feed.evidence) == ("usgs", 60, "instrument")


def test_each_feature_asks_for_its_detail() -> None:
    updated = NOW - timedelta(minutes=5)
    asked = only(parse(SUMMARY, collection(feature(updated=ms(updated)))))
    assert asked == FollowUp(
        f"{SITE}/earthquakes/feed/v1.0/detail/us1000abcd.geojson",
        DETAIL,
        native_id="us1000abcd",
        native_version=f"00{ms(updated)}.1",
    )


def test_one_broken_feature_costs_one_feature() -> None:
    broken: list[Any] = [
        feature("bad1", mag=float("nan")),
        feature("bad2", updated=None),
        feature("bad3", place="a\x00b"),
        feature("bad4", place="\ud800"),
        feature("bad5", mag=42),
        feature("bad6", time=10**18),
        feature("bad7", detail="https://evil.example/detail"),
        feature("bad8", time="yesterday"),
        {**feature("bad9"), "geometry": {"type": "Point", "coordinates": [200, 10]}},
        {**feature("bad10"), "geometry": None},
        {**feature("bad11"), "id": None},
        "nonsense",
        None,
    ]
    items = parse(SUMMARY, collection(feature("good1"), *broken, feature("good2")))
    assert [item.native_id for item in items if isinstance(item, FollowUp)] == ["good1", "good2"]
    refusals = [item for item in items if isinstance(item, Rejected)]
    assert [item.reason_code.value for item in refusals] == [
        "not-finite",
        "missing-field",
        "bad-character",
        "bad-character",
        "bad-value",
        "bad-time",
        "foreign-url",
        "bad-structure",
        "bad-value",
        "missing-field",
        "missing-field",
        "bad-structure",
        "bad-structure",
    ]
    assert refusals[0].item == "bad1"
    assert not any(item.whole_document for item in refusals)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not-json"),
        (b"<html>", "not-json"),
        (b"[" * 100_000, "too-deep"),
        (b"\xff\xfe{}", "bad-encoding"),
        (b"[]", "bad-structure"),
        (b"{}", "missing-field"),
        (b'{"features": {}}', "bad-structure"),
        (b'{"features": NaN}', "bad-structure"),
    ],
)
def test_a_broken_summary_is_broken_as_a_whole(raw: bytes, reason: str) -> None:
    item = only(parse(SUMMARY, raw))
    assert rejected(item) == reason
    assert isinstance(item, Rejected)
    assert item.whole_document


def test_a_deleted_event_is_cancelled_without_asking_further() -> None:
    said = message(parse(SUMMARY, collection(feature(status="deleted"))))
    assert (said.kind, said.zones, said.references) == (MessageKind.CANCEL, (), ())
    assert said.native_version.endswith(".1")
    assert said.valid_until is None


def test_scenarios_are_refused_wherever_they_show() -> None:
    by_url = feature("s1", url=f"{SITE}/scenarios/eventpage/s1")
    by_detail = feature("s2", detail=f"{SITE}/scenarios/detail/s2.geojson")
    assert [rejected(item) for item in parse(SUMMARY, collection(by_url, by_detail))] == ["scenario", "scenario"]
    assert rejected(only(parse(DETAIL, feature(products={"origin-scenario": []})))) == "scenario"
    acted = shakemap(properties={"event-type": "SCENARIO"})
    assert rejected(only(parse(DETAIL, with_map(acted)))) == "scenario"


def test_old_payloads_say_http_and_are_asked_over_https() -> None:
    asked = only(parse(SUMMARY, collection(feature(detail="http://earthquake.usgs.gov/x"))))
    assert isinstance(asked, FollowUp)
    assert asked.url == "https://earthquake.usgs.gov/x"
    local = replace(FEED, url="http://127.0.0.1:8000/summary")
    asked = only(parse(SUMMARY, collection(feature(detail="http://127.0.0.1:8000/x")), url=local.url, feed=local))
    assert isinstance(asked, FollowUp)
    assert asked.url == "http://127.0.0.1:8000/x"


def test_further_hosts_by_setting() -> None:
    feed = replace(FEED, hosts=("mirror.example",))
    asked = only(parse(SUMMARY, collection(feature(detail="https://mirror.example/x")), feed=feed))
    assert isinstance(asked, FollowUp)


def test_what_vanished_is_asked_for_by_name() -> None:
    asked = FEED.recheck("us1000abcd")
    assert asked == FollowUp(
        f"{SITE}/fdsnws/event/1/query?eventid=us1000abcd&format=geojson&includedeleted=true", DETAIL
    )


# --- detail without ShakeMap ---


def test_a_message_without_shakemap() -> None:
    said = message(parse(DETAIL, feature(mag=6.4, tsunami=1, alert=None)))
    assert (said.kind, said.sender, said.partial) == (MessageKind.UPDATE, "earthquake.usgs.gov", None)
    assert said.aliases == (("usgs", "us1000abcd"), ("usgs", "at00zz"))
    assert said.hazards == (("usgs", "earthquake"), ("glide", "EQ"))
    assert (said.severity, said.native_severity) == (None, "mag:6.4")
    assert said.event_at == NOW - timedelta(hours=2)
    assert said.sent_at == NOW - timedelta(hours=1)
    assert said.texts[0].headline == said.title
    assert [note_code(entry) for entry in said.leftover] == ["flag", "flag", "by-rule"]
    region, epicentre = said.zones
    assert (region.kind, region.basis, region.severity) == (ZoneKind.REGION, GeometryBasis.CIRCLE_BUFFERED, None)
    assert region.area is not None
    assert area_km2(region.area) == pytest.approx(3.1416 * 80**2, rel=0.02)
    assert (epicentre.kind, epicentre.severity) == (ZoneKind.EPICENTRE, None)
    assert region.valid_from == said.event_at
    assert region.valid_until == said.valid_until == NOW - timedelta(hours=2) + timedelta(days=30)


@pytest.mark.parametrize(("magnitude", "radius_km"), [(None, None), (5.4, None), (5.5, 50), (7.1, 200), (9.5, 900)])
def test_the_circle_grows_with_magnitude(magnitude: float | None, radius_km: int | None) -> None:
    labels = [zone.label for zone in message(parse(DETAIL, feature(mag=magnitude))).zones]
    assert labels[:-1] == ([f"within {radius_km} km of the epicentre"] if radius_km else [])


def test_the_epicentre_alone_is_never_a_zone() -> None:
    (zone,) = message(parse(DETAIL, feature(mag=4.6))).zones
    assert zone.kind is ZoneKind.EPICENTRE


def test_pager_and_shaking_give_the_severity() -> None:
    assert message(parse(DETAIL, feature(alert="orange", mmi=6.1))).severity == 3
    assert message(parse(DETAIL, feature(alert="green", mmi=8.9))).severity == 4
    assert message(parse(DETAIL, feature(alert="green"))).native_severity == "pager:green"
    odd = message(parse(DETAIL, feature(alert="purple")))
    assert odd.severity is None
    assert "value-unknown: alert purple" in odd.leftover


@pytest.mark.parametrize("title", ["TEST - Istanbul", "M 7 - EXERCISE", "drill: M 7", "Simulacro M 7"])
def test_a_test_is_suspected(title: str) -> None:
    assert message(parse(DETAIL, feature(title=title))).test_suspected


def test_a_deleted_detail_is_a_cancel_even_without_place() -> None:
    gone = {**feature(status="DELETED"), "geometry": None}
    assert message(parse(DETAIL, gone)).kind is MessageKind.CANCEL


# --- ShakeMap ---


def test_the_preferred_shakemap_is_asked_for() -> None:
    gone = shakemap(300, status="DELETE")
    asked = only(parse(DETAIL, with_map(shakemap(100), gone, shakemap(200))))
    assert isinstance(asked, FollowUp)
    assert (asked.kind, asked.url) == (CONTOURS, f"{SITE}/product/shakemap/us1000abcd/us/200/download/cont_mmi.json")
    assert asked.fallback is not None
    assert asked.fallback.partial == "zones_incomplete: contours not fetched"
    assert ZoneKind.REGION in [zone.kind for zone in asked.fallback.zones]


def test_older_maps_have_another_name() -> None:
    old = {"download/cont_mi.json": {"url": f"{SITE}/a/cont_mi.json"}}
    asked = only(parse(DETAIL, with_map(shakemap(contents=old))))
    assert isinstance(asked, FollowUp)
    assert asked.url.endswith("cont_mi.json")


@pytest.mark.parametrize(
    "product",
    [
        {"contents": []},
        {"contents": {}},
        {"contents": {"download/cont_mmi.json": {"url": "https://evil.example/cont_mmi.json"}}},
        {"contents": {"download/cont_mmi.json": {"url": "file:///etc/passwd"}}},
        {"properties": {"maxmmi": "\x00"}},
    ],
)
def test_a_shakemap_that_cannot_be_used_leaves_a_complete_version_that_is_partial(product: dict[str, Any]) -> None:
    refusal, said = parse(DETAIL, with_map(shakemap(**product)))
    assert isinstance(refusal, Rejected)
    assert isinstance(said, ParsedMessage)
    assert said.partial is not None
    assert said.native_version.endswith(".1")  # fetching again would bring nothing
    assert ZoneKind.REGION in [zone.kind for zone in said.zones]


def test_bands_nest_and_carry_their_own_severity() -> None:
    said = message(contoured(*USUAL_CONTOURS))
    assert said.partial is None
    assert (said.severity, said.native_severity) == (4, "mmi:8.3")
    bands = [zone for zone in said.zones if zone.kind is ZoneKind.BAND]
    assert [(zone.severity, zone.band, zone.native_severity) for zone in bands] == [
        (1, (5, 6), "mmi:5"),
        (2, (6, 7), "mmi:6"),
        (3, (7, 8), "mmi:7"),
        (4, (8, None), "mmi:8"),
    ]
    sizes = [zone.area.area for zone in bands if zone.area is not None]
    assert sizes == [pytest.approx((2 * half) ** 2) for half in (3.0, 2.0, 1.0, 0.5)]
    assert ZoneKind.REGION not in [zone.kind for zone in said.zones]


def test_the_complete_version_sorts_above_the_one_without_contours() -> None:
    asked = only(parse(DETAIL, with_map()))
    assert isinstance(asked, FollowUp)
    assert asked.fallback is not None
    said = message(contoured(*USUAL_CONTOURS))
    assert asked.fallback.native_version < said.native_version == asked.native_version
    assert asked.fallback.native_id == said.native_id


def test_below_mmi_5_there_is_no_zone_and_nothing_is_missing() -> None:
    said = message(contoured((3.0, 4.0), (4.0, 2.0), properties={**shakemap()["properties"], "maxmmi": "4.4"}))
    assert said.partial is None
    assert [zone.kind for zone in said.zones] == [ZoneKind.EPICENTRE]


def test_a_missing_contour_makes_the_zone_wider() -> None:
    without_5 = message(contoured((4.5, 3.5), (6.0, 2.0)))
    assert [zone.area.area for zone in without_5.zones[:2] if zone.area] == [pytest.approx(49), pytest.approx(16)]
    nothing_lower = message(contoured((6.0, 2.0)))
    assert [zone.area.area for zone in nothing_lower.zones[:2] if zone.area] == [pytest.approx(100), pytest.approx(16)]


def test_a_zone_that_reaches_the_edge_of_the_map_says_so() -> None:
    open_line = contours((6.0, 2.0))
    open_line["features"][0]["geometry"]["coordinates"] = [ring(2.0)]
    edge = {"type": "LineString", "coordinates": [[15.5, 8], [25.5, 8]]}
    open_line["features"].append({"type": "Feature", "properties": {"value": 5.0}, "geometry": edge})
    asked = only(parse(DETAIL, with_map()))
    assert isinstance(asked, FollowUp)
    said = message(parse(CONTOURS, open_line, context=asked.context))
    assert any("edge of the map" in entry for entry in said.leftover)
    assert said.zones[0].area is not None
    assert said.zones[0].area.area == pytest.approx(75)


@pytest.mark.parametrize(
    "wrong",
    [
        b"not json",
        {},
        collection(),
        contours((4.0, 2.0)),
        contours((float("nan"), 2.0)),
        contours((5.0, float("nan"))),
        contours((5.0, 1000.0)),
        contours(*[(5.0, 0.001 * n) for n in range(1, 2_002)]),
        {"features": [{"properties": {"value": 5}, "geometry": {"type": "Polygon", "coordinates": []}}]},
        {"features": [{"properties": {"value": 5}, "geometry": {"type": "LineString", "coordinates": [[1], [2]]}}]},
        {"features": [{"properties": {"value": 5}, "geometry": {"type": "LineString", "coordinates": ["ab", "cd"]}}]},
        {"features": [{"properties": {}, "geometry": {"type": "LineString", "coordinates": []}}]},
    ],
)
def test_contours_that_cannot_be_used_leave_the_message_without_them(wrong: Any) -> None:
    asked = only(parse(DETAIL, with_map()))
    assert isinstance(asked, FollowUp)
    refusal, said = parse(CONTOURS, wrong, context=asked.context)
    assert rejected(refusal) == "contours-broken"
    assert isinstance(said, ParsedMessage)
    assert said.partial is not None
    assert said.native_version.endswith(".0")  # another try may bring them


def test_documents_out_of_place() -> None:
    assert rejected(only(parse(CONTOURS, contours()))) == "unknown-document"
    assert rejected(only(parse("tea-leaves", {}))) == "unknown-document"
