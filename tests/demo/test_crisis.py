"""The invented crisis: seeded, in the form of the real feeds, moving as told, read by our own adapters."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from lxml import etree
from shapely import LineString, Point, Polygon, box, polygonize, unary_union
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from alerts.feed import Document, FollowUp, MessageKind, MessageStatus, ParsedMessage, Rejected, ZoneKind
from alerts.feeds.cap_single import CapSingleFeed
from alerts.feeds.usgs import UsgsFeed
from micic.demo import crisis as told
from micic.demo.crisis import (
    EXERCISE_PATH,
    SUMMARY_PATH,
    TEST_PATH,
    USGS,
    Crisis,
    Stage,
    contour_lines,
    shaking,
)

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CRISIS = Crisis(START, 7)
NAMES = [stage.name for stage in CRISIS.stages]
FRAME = box(told.WEST, told.SOUTH, told.EAST, told.NORTH)
TEKIRDAG, IZMIT, AVCILAR, KADIKOY = (27.51, 40.98), (29.92, 40.77), (28.72, 40.98), (29.03, 40.99)

# As recorded: the properties of a summary's feature; a detail has `products` in place of `detail`.
SUMMARY_KEYS = set(
    "mag place time updated tz url detail felt cdi mmi alert status tsunami sig net code ids sources types "
    "nst dmin rms gap magType type title".split()
)
PRODUCT_KEYS = set(
    "indexid indexTime id type code source updateTime status properties preferredWeight contents".split()
)


def read(stage: Stage, path: str) -> Any:
    return json.loads(stage.documents[path])


def listed(stage: Stage) -> dict[str, Any]:
    return {feature["id"]: feature["properties"] for feature in read(stage, SUMMARY_PATH)["features"]}


def follow(stage: Stage) -> Iterator[ParsedMessage | Rejected]:
    """What the adapter makes of a stage, fetching whatever it asks for."""
    feed = UsgsFeed(url=USGS + SUMMARY_PATH, floor=1)
    wishes = [feed.start()]
    while wishes:
        wish = wishes.pop()
        body = stage.documents[wish.url.removeprefix(USGS)]
        for parsed in feed.parse(Document(wish.url, wish.kind, body, context=wish.context)):
            if isinstance(parsed, FollowUp):
                wishes.append(parsed)
            else:
                yield parsed


def messages(stage: str) -> dict[str, ParsedMessage]:
    return {m.native_id: m for m in follow(CRISIS.stage(stage)) if isinstance(m, ParsedMessage)}


def level_area(number: int, level: float) -> BaseGeometry:
    """At or above a level, by nothing but the lines of the document, the frame and the field."""
    contours = json.loads(CRISIS.marmara[number].shakemap.contours)  # type: ignore[union-attr]
    lines = next(f for f in contours["features"] if f["properties"]["value"] == level)["geometry"]["coordinates"]
    faces = polygonize([unary_union([*(LineString(line) for line in lines), FRAME.exterior])]).geoms
    ruptures = (told.FIRST_RUPTURE, told.EASTERN_RUPTURE, told.LAST_RUPTURE)
    lons, lats, mmi = shaking(CRISIS.marmara[number].magnitude, ruptures[number - 1], 7)
    high = []
    for face in faces:
        at = face.representative_point()
        column, row = np.abs(lons - at.x).argmin(), np.abs(lats - at.y).argmin()
        if mmi[row, column] >= level:
            high.append(face)
    return unary_union(high)


# --- determinism and time ---


def test_the_same_seed_and_start_give_the_same_bytes() -> None:
    assert Crisis(START, 7).stages == CRISIS.stages


def test_another_seed_or_start_tells_of_another_event() -> None:
    others = (Crisis(START, 8), Crisis(START + timedelta(minutes=1), 7))
    assert len({crisis.marmara[0].ids[0] for crisis in (CRISIS, *others)}) == 3


def test_the_zone_of_the_start_does_not_matter() -> None:
    elsewhere = Crisis(START.astimezone(timezone(timedelta(hours=8))), 7)
    assert elsewhere.stages[1].documents == CRISIS.stages[1].documents


def test_everything_happened_in_the_minutes_before_the_start() -> None:
    for quake in (*CRISIS.marmara, CRISIS.izmir):
        assert START - timedelta(minutes=15) < quake.happened_at < quake.updated_at < START
    changes = [quake.updated_at for quake in CRISIS.marmara]
    assert changes == sorted(set(changes))


# --- the form ---


@pytest.mark.parametrize("name", NAMES)
def test_every_document_can_be_read_and_has_a_type(name: str) -> None:
    stage = CRISIS.stage(name)
    assert stage.content_types.keys() == stage.documents.keys()
    for path, body in stage.documents.items():
        if path in stage.statuses:
            assert stage.statuses[path] == 409
        elif path.startswith("/cap/"):
            etree.fromstring(body)
        else:
            json.loads(body)


@pytest.mark.parametrize("name", NAMES)
def test_summary_and_details_have_the_recorded_members(name: str) -> None:
    stage = CRISIS.stage(name)
    summary = read(stage, SUMMARY_PATH)
    assert summary.keys() == {"type", "metadata", "features", "bbox"}
    assert summary["metadata"]["count"] == len(summary["features"])
    assert len(summary["bbox"]) == 6
    for feature in summary["features"]:
        assert feature["properties"].keys() == SUMMARY_KEYS
        detail = read(stage, feature["properties"]["detail"].removeprefix(USGS))
        assert detail["properties"].keys() == SUMMARY_KEYS - {"detail"} | {"products"}
        assert f",{detail['id']}," in detail["properties"]["ids"]
        for kind, products in detail["properties"]["products"].items():
            assert f",{kind}," in detail["properties"]["types"]
            assert all(product.keys() == PRODUCT_KEYS for product in products)


def test_each_version_knows_one_alias_more_and_keeps_its_id() -> None:
    told_ids = [listed(CRISIS.stage(name))[CRISIS.marmara[0].ids[0]]["ids"] for name in NAMES[:4]]
    counts = [len(ids.strip(",").split(",")) for ids in told_ids]
    assert counts == [2, 3, 4, 5]
    assert all(ids.startswith(f",{CRISIS.marmara[0].ids[0]},") for ids in told_ids)


def test_the_loss_estimate_rises_while_the_magnitude_falls() -> None:
    versions = [listed(CRISIS.stage(name))[CRISIS.marmara[0].ids[0]] for name in NAMES[:4]]
    assert [v["alert"] for v in versions] == [None, "yellow", "orange", "red"]
    assert [v["mag"] for v in versions] == [7.2, 7.2, 7.2, 7.0]
    assert [v["status"] for v in versions] == ["automatic", "reviewed", "reviewed", "reviewed"]
    assert versions[0]["mmi"] is None
    assert all(8.0 < v["mmi"] < 10.0 for v in versions[1:])


# --- the contours ---


@pytest.mark.parametrize("number", [1, 2, 3])
def test_contours_are_lines_each_half_level_closed_or_ending_on_the_frame(number: int) -> None:
    contours = json.loads(CRISIS.marmara[number].shakemap.contours)  # type: ignore[union-attr]
    assert contours.keys() == {"type", "crs", "features", "metadata", "bbox"}
    levels = [feature["properties"]["value"] for feature in contours["features"]]
    assert levels == [levels[0] + 0.5 * step for step in range(len(levels))]
    assert levels[0] <= 4.0 < 8.0 < levels[-1]
    for feature in contours["features"]:
        assert feature["properties"].keys() == {"value", "units", "color", "weight"}
        for line in map(LineString, feature["geometry"]["coordinates"]):
            ends = [Point(line.coords[0]), Point(line.coords[-1])]
            assert line.is_closed or all(FRAME.exterior.distance(end) < 1e-5 for end in ends)
    assert not LineString(contours["features"][0]["geometry"]["coordinates"][0]).is_closed


def test_contour_lines_go_where_the_level_is() -> None:
    lons, lats = np.linspace(-1.0, 1.0, 41), np.linspace(-1.0, 1.0, 41)
    x, y = np.meshgrid(lons, lats)
    (ring,) = contour_lines(lons, lats, -np.hypot(x, y), -0.5)
    assert contour_lines(lons, lats, x * y, 5.0) == []
    assert len(contour_lines(lons, lats, x * y, 0.2)) == 2
    assert ring[0] == ring[-1]
    assert np.allclose(np.hypot(*np.array(ring).T), 0.5, atol=0.01)


def test_the_zones_nest() -> None:
    areas = [level_area(1, level) for level in (5.0, 6.0, 7.0, 8.0)]
    assert all(inner.difference(outer).area < 1e-9 for outer, inner in pairwise(areas))
    assert all(areas[-1].distance(Point(end)) < 0.05 for end in told.FIRST_RUPTURE)


def test_the_second_map_moves_the_zones_east() -> None:
    first, second = (level_area(number, 7.0) for number in (1, 2))
    assert first.contains(Point(TEKIRDAG)) or level_area(1, 6.5).contains(Point(TEKIRDAG))
    assert second.centroid.x > first.centroid.x + 0.2
    east, west = box(29.2, 40, 31, 42), box(25.6, 40, 27.6, 42)
    assert second.intersection(east).area > 2 * first.intersection(east).area
    assert second.intersection(west).area < 0.5 * first.intersection(west).area


@pytest.mark.parametrize("seed", [1, 2, 3, 7, 42])
def test_tekirdag_falls_and_kocaeli_rises_whatever_the_seed(seed: int) -> None:
    lons, lats, before = shaking(7.2, told.FIRST_RUPTURE, seed)
    after = shaking(7.2, told.EASTERN_RUPTURE, seed)[2]
    change = after - before
    at = {p: (np.abs(lats - p[1]).argmin(), np.abs(lons - p[0]).argmin()) for p in (TEKIRDAG, IZMIT, KADIKOY, AVCILAR)}
    assert change[at[TEKIRDAG]] < -0.5
    assert change[at[IZMIT]] > 0.5
    assert change[at[KADIKOY]] > 0.1
    assert before[at[AVCILAR]] > 7.0


def test_the_third_map_shrinks_every_zone() -> None:
    for level in (5.0, 6.0, 7.0, 8.0):
        assert level_area(3, level).area < level_area(2, level).area


# --- the false detection and the drills ---


def test_izmir_comes_vanishes_and_is_told_to_be_deleted() -> None:
    name = CRISIS.izmir.ids[0]
    statuses = [listed(stage).get(name, {}).get("status") for stage in CRISIS.stages]
    assert statuses == [None, "automatic", "automatic", None, "deleted"]
    vanished = CRISIS.stage("shakemap-3")
    assert read(vanished, CRISIS.izmir.detail_path)["properties"]["status"] == "deleted"
    wish = UsgsFeed(url=USGS + SUMMARY_PATH).recheck(name)
    assert read(vanished, wish.url.removeprefix(USGS))["properties"]["status"] == "deleted"


def test_the_files_of_earlier_maps_stay() -> None:
    last = CRISIS.stage("cancel").documents
    for quake in CRISIS.marmara[1:]:
        assert quake.shakemap
        assert last[f"{quake.shakemap.folder}/download/cont_mmi.json"] == quake.shakemap.contours


def test_the_drills_betray_themselves_in_one_way_each() -> None:
    documents = CRISIS.stage("origin").documents
    exercise, test = documents[EXERCISE_PATH].decode(), documents[TEST_PATH].decode()
    assert "<status>Exercise</status>" in exercise
    assert not any(word in exercise.replace("<status>Exercise", "").upper() for word in ("TEST", "EXERCISE", "DRILL"))
    assert "<status>Actual</status>" in test
    assert test.upper().count("TEST") == 2  # the two headlines


def test_the_declared_area_is_the_european_shore() -> None:
    area = shape(CRISIS.declared_area.geometry)
    assert isinstance(area, Polygon)
    assert area.is_valid
    assert area.exterior.is_ccw
    assert area.contains(Point(28.87, 40.98))
    assert not area.contains(Point(KADIKOY))
    assert "Istanbul" in CRISIS.declared_area.label


# --- read by our own adapters ---


def test_the_adapter_reads_every_stage_and_refuses_only_the_scenario() -> None:
    for stage in CRISIS.stages:
        refused = [parsed for parsed in follow(stage) if isinstance(parsed, Rejected)]
        assert [str(each.reason_code) for each in refused] == ["scenario"]


def test_the_adapter_sees_a_circle_then_bands_of_rising_severity() -> None:
    name = CRISIS.marmara[0].ids[0]
    origin = messages("origin")[name]
    assert {zone.kind for zone in origin.zones} == {ZoneKind.REGION, ZoneKind.EPICENTRE}
    versions = [origin]
    for stage in ("shakemap-1", "shakemap-2", "shakemap-3"):
        message = messages(stage)[name]
        bands = {zone.severity: zone.area for zone in message.zones if zone.kind is ZoneKind.BAND}
        assert sorted(severity or 0 for severity in bands) == [1, 2, 3, 4]
        assert message.partial is None
        assert message.test_suspected is None
        versions.append(message)
    assert [m.native_version for m in versions] == sorted({m.native_version for m in versions})
    assert len({m.series for m in versions}) == 1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_adapters_bands_are_those_of_the_field(number: int) -> None:
    message = messages(f"shakemap-{number}")[CRISIS.marmara[0].ids[0]]
    for zone in message.zones:
        if zone.kind is ZoneKind.BAND and zone.band and zone.area:
            own = level_area(number, zone.band[0])
            assert zone.area.symmetric_difference(own).area < 0.001 * own.area


def test_the_adapter_holds_the_test_and_cancels_izmir() -> None:
    seen = messages("shakemap-1")
    assert [m.title for m in seen.values() if m.test_suspected] == ["M 7.8 - TEST - Istanbul, Turkey"]
    assert {zone.kind for zone in seen[CRISIS.izmir.ids[0]].zones} == {ZoneKind.REGION, ZoneKind.EPICENTRE}
    cancel = messages("cancel")[CRISIS.izmir.ids[0]]
    assert cancel.kind is MessageKind.CANCEL
    assert cancel.native_version > seen[CRISIS.izmir.ids[0]].native_version
    assert CRISIS.izmir.ids[0] not in messages("shakemap-3")


@pytest.mark.parametrize(
    ("path", "status", "suspected"),
    [(EXERCISE_PATH, MessageStatus.EXERCISE, False), (TEST_PATH, MessageStatus.ACTUAL, True)],
)
def test_the_cap_adapter_reads_the_drills(path: str, status: MessageStatus, suspected: bool) -> None:
    body = CRISIS.stage("origin").documents[path]
    (message,) = CapSingleFeed("shore-watch", USGS + path).parse(Document(USGS + path, "alert", body))
    assert isinstance(message, ParsedMessage)
    assert message.status is status
    assert suspected <= (message.test_suspected is not None)
    assert {text.language for text in message.texts} == {"en-US", "tr-TR"}
    assert all(zone.area and zone.area.contains(Point(AVCILAR)) for zone in message.zones)
