"""The recorded payloads of ../shared/feeds against facts that we derived and read through (golden_cap.json)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.feed import Document, FollowUp, ParsedMessage, Rejected, ZoneKind, wanted
from alerts.feeds.cap_single import CapSingleFeed
from alerts.feeds.usgs import CONTOURS, DETAIL, SUMMARY, Quake
from alerts.gate import area_km2
from tests.alerts.samples import FEED, MISSING, RECORDED
from tests.alerts.summary import summary_of

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=MISSING)

GOLDEN = json.loads((Path(__file__).parent / "golden_cap.json").read_text())


@pytest.mark.parametrize("path", GOLDEN)
def test_cap(path: str) -> None:
    feed = CapSingleFeed("cap", "https://example.org/alert.xml")
    (item,) = feed.parse(Document(feed.url, "alert", (RECORDED / path).read_bytes()))
    assert summary_of(item) == GOLDEN[path]


def test_every_cap_file_has_its_facts() -> None:
    names = {f"cap/{path.name}" for path in (RECORDED / "cap").iterdir()}
    assert names == {path for path in GOLDEN if path.startswith("cap/")}


# --- USGS ---


def usgs(name: str, kind: str, context: object = None) -> list[object]:
    body = (RECORDED / "usgs" / name).read_bytes()
    return list(FEED.parse(Document(FEED.url, kind, body, context=context)))


def test_summary_of_2014() -> None:
    items = usgs("summary-all-day-2014.geojson", SUMMARY)
    assert len(items) == 146
    asked = [item for item in items if isinstance(item, FollowUp)]
    assert len(asked) == 146
    assert all(item.url.startswith("https://earthquake.usgs.gov/earthquakes/feed/v1.0/detail/") for item in asked)
    known = {(item.native_id, item.native_version) for item in asked[1:]}
    assert [item for item in asked if wanted(item, lambda *version: version in known)] == asked[:1]


def test_summary_without_details_and_an_empty_one() -> None:
    items = usgs("summary-3-client-fixture.json", SUMMARY)
    assert [(item.reason_code, item.item) for item in items if isinstance(item, Rejected)] == [
        ("missing-field", "1234"),
        ("missing-field", "2345"),
        ("missing-field", "3456"),
    ]
    assert usgs("summary-empty.json", SUMMARY) == []


def test_losses_are_no_detail() -> None:
    (item,) = usgs("pager-losses-us6000pi9w.json", DETAIL)
    assert isinstance(item, Rejected)
    assert item.whole_document


def test_a_feature_without_products_gets_our_circle() -> None:
    (said,) = usgs("query-feature-shakemap.json", DETAIL)
    assert isinstance(said, ParsedMessage)
    assert (said.native_id, said.severity, said.native_severity) == ("nc75206757", 1, "pager:green")
    region, epicentre = said.zones
    assert (region.kind, epicentre.kind) == (ZoneKind.REGION, ZoneKind.EPICENTRE)
    assert region.area is not None
    assert area_km2(region.area) == pytest.approx(282_743, rel=0.01)  # M 7.6: 300 km


def detail() -> FollowUp:
    (asked,) = usgs("detail-us6000pi9w.json", DETAIL)
    assert isinstance(asked, FollowUp)
    return asked


def test_detail_asks_for_the_contours_and_leaves_a_message_behind() -> None:
    asked = detail()
    assert asked.url.endswith("/product/shakemap/us6000pi9w/us/1736298441909/download/cont_mmi.json")
    said = asked.fallback
    assert said is not None
    assert said.partial == "zones_incomplete: contours not fetched"
    assert said.event_at == datetime(2025, 1, 7, 1, 5, 16, 824000, tzinfo=UTC)
    assert said.sent_at == datetime(2025, 1, 9, 17, 5, 21, 636000, tzinfo=UTC)
    assert (said.severity, said.native_severity, said.test_suspected) == (4, "pager:red", None)
    assert [zone.kind for zone in said.zones] == [ZoneKind.REGION, ZoneKind.EPICENTRE]
    assert said.native_version < str(asked.native_version)


def test_contours_become_nested_zones() -> None:
    quake = detail().context
    assert isinstance(quake, Quake)
    quake = replace(quake, shakemap={}, mmi=8.2)  # the recorded contours are another event's
    (said,) = usgs("shakemap-cont_mmi-iscgem882673.json", CONTOURS, quake)
    assert isinstance(said, ParsedMessage)
    bands = [zone for zone in said.zones if zone.kind is ZoneKind.BAND]
    assert [(zone.severity, zone.band) for zone in bands] == [(1, (5, 6)), (2, (6, 7)), (3, (7, 8)), (4, (8, None))]
    sizes = [area_km2(zone.area) for zone in bands if zone.area is not None]
    assert sizes == [pytest.approx(size, rel=0.01) for size in (34_320, 8_970, 2_413, 250)]
    for wider, narrower in pairwise(bands):
        assert wider.area is not None
        assert narrower.area is not None
        assert wider.area.buffer(1e-6).covers(narrower.area)


def test_contours_off_the_map_are_not_believed() -> None:
    rejected, said = usgs("shakemap-cont_mmi-iscgem882673.json", CONTOURS, detail().context)
    assert isinstance(rejected, Rejected)
    assert isinstance(said, ParsedMessage)
    assert said.partial is not None
