"""The gate, condition by condition (TRUST section 6)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from shapely import MultiPolygon, Point, Polygon, box

from alerts.feed import Document, GeometryBasis, MessageKind, MessageStatus, ParsedMessage, ZoneKind
from alerts.feeds.usgs import DETAIL, POLICY
from alerts.gate import GateReason, Outcome, Policy, area_km2, judge
from geo.areas import circle
from geo.coordinates import Position
from tests.alerts.samples import FEED, NOW, body, feature, message, ms, zone

USUAL = Policy()
NAIVE = datetime(2026, 11, 23)  # noqa: DTZ001


def reasons(policy: Policy = USUAL, **changes: Any) -> list[str]:
    verdict = judge(message(**changes), policy, NOW)
    assert verdict.outcome is not Outcome.REJECTED
    assert (verdict.outcome is Outcome.ACCEPTED) == (verdict.reasons == ())
    return [reason.partition(":")[0] for reason in verdict.reasons]


def test_an_ordinary_warning_is_accepted() -> None:
    assert reasons() == []


# --- what it is ---


@pytest.mark.parametrize("status", ["exercise", "test", "system", "draft"])
def test_only_actual_passes(status: str) -> None:
    assert reasons(status=MessageStatus(status)) == [f"status-{status}"]


def test_actual_with_a_test_word_is_held() -> None:
    assert reasons(test_suspected="word TEST") == ["test-suspected"]


def test_an_error_is_held() -> None:
    assert reasons(kind=MessageKind.ERROR) == ["error-message"]


@pytest.mark.parametrize(
    "entry", ["time-without-zone: sent", "bad-time: expires", "geometry-dropped: x", "ended-suspected: Faran är över"]
)
def test_guesses_of_the_parser_are_shown_to_a_person(entry: str) -> None:
    assert reasons(leftover=(entry,)) == ["not-certain"]
    assert reasons(leftover=("flag: tsunami", "geometry-repaired: closed", "signature: present")) == []


# --- from whom, about what ---


def test_issuers() -> None:
    known = Policy(issuers=frozenset({"water@example.org"}))
    assert reasons(known) == []
    assert reasons(known, sender="mallory@example.org") == ["issuer-unknown"]


@pytest.mark.parametrize("kind", [MessageKind.UPDATE, MessageKind.CANCEL, MessageKind.ALL_CLEAR])
def test_what_acts_needs_references_to_its_own_issuer(kind: MessageKind) -> None:
    assert reasons(kind=kind) == ["no-references"]
    assert reasons(kind=kind, references=("water@example.org,flood-0,x",)) == []
    assert reasons(kind=kind, references=("mallory@example.org,flood-0,x",)) == ["foreign-reference"]
    assert reasons(Policy(references_required=False), kind=kind) == []


# --- when ---


def test_times_in_the_future() -> None:
    assert reasons(sent_at=NOW + timedelta(minutes=4)) == []
    assert reasons(sent_at=NOW + timedelta(minutes=6)) == ["sent-in-future"]
    assert reasons(event_at=NOW + timedelta(minutes=6)) == ["event-in-future"]


def test_an_old_event_that_looks_new() -> None:
    assert reasons(event_at=NOW - timedelta(hours=71)) == []
    assert reasons(event_at=NOW - timedelta(hours=73)) == ["event-too-old"]
    assert reasons(event_at=NOW - timedelta(days=36_500)) == ["event-too-old"]


def test_a_later_version_of_an_accepted_event_is_not_too_old() -> None:
    happened = NOW - timedelta(days=5)
    revised = message(event_at=happened)
    assert judge(revised, USUAL, NOW, accepted_event_at=happened + timedelta(seconds=40)).outcome is Outcome.ACCEPTED
    assert judge(revised, USUAL, NOW, accepted_event_at=NOW).outcome is Outcome.HELD


def test_expiry() -> None:
    assert reasons(valid_until=None, zones=(zone(valid_until=None),)) == ["no-expiry"]
    assert reasons(Policy(expiry_required=False), valid_until=None, zones=(zone(valid_until=None),)) == []
    assert reasons(valid_until=NOW + timedelta(days=8)) == ["expiry-too-far"]
    assert reasons(zones=(zone(valid_until=NOW + timedelta(days=8)),)) == ["expiry-too-far"]
    assert reasons(valid_from=NOW - timedelta(days=2), valid_until=NOW - timedelta(minutes=1)) == ["already-expired"]
    assert reasons(zones=(zone(valid_from=NOW + timedelta(hours=7)),)) == ["times-unordered"]


def test_stale_messages_without_end_are_not_flushed() -> None:
    old = NOW - timedelta(hours=80)
    assert reasons(Policy(expiry_required=False), sent_at=old, valid_until=None) == ["sent-too-old"]


def test_an_end_is_never_too_old() -> None:
    references = ("water@example.org,flood-0,x",)
    old = NOW - timedelta(days=30)
    assert reasons(kind=MessageKind.CANCEL, references=references, event_at=old, valid_until=old, zones=()) == []


# --- where ---


def test_a_warning_without_a_place() -> None:
    nowhere = zone(kind=ZoneKind.REGION, area=None, basis=GeometryBasis.NONE)
    marker = zone(kind=ZoneKind.POINT, area=Point(20, 10))
    in_country = zone(kind=ZoneKind.REGION, area=None, basis=GeometryBasis.NONE, country_codes=("PHL",))
    assert reasons(zones=()) == ["no-geometry"]
    assert reasons(zones=(nowhere, marker)) == ["no-geometry"]
    assert reasons(zones=(in_country,)) == []
    assert reasons(Policy(geometry_required=False), zones=()) == []
    assert reasons(kind=MessageKind.INFO, zones=()) == []


@pytest.mark.parametrize(
    ("area", "reason"),
    [
        (MultiPolygon(), "empty-geometry"),
        (Polygon([(1, 1), (2, 2), (3, 3), (1, 1)]), "empty-geometry"),
        (Polygon([(0, 0), (1, 1), (1, 0), (0, 1.5), (0, 0)]), "invalid-geometry"),
        (box(-180, -90, 180, 90), "whole-world"),
        (box(-180, -60, 180, 60), "whole-world"),
        (box(0, 0, 60, 60), "area-too-large"),
    ],
)
def test_areas_that_are_no_warning(area: Any, reason: str) -> None:
    assert reason in reasons(zones=(zone(area=area),))


def test_an_area_of_too_many_vertices() -> None:
    assert reasons(Policy(max_vertices=10)) == ["too-complex"]


def test_territory_and_swapped_axes() -> None:
    philippines = Policy(territory=box(116, 4, 127, 21))
    assert reasons(philippines, zones=(zone(area=box(121, 14, 122, 15)),)) == []
    assert reasons(philippines, zones=(zone(area=box(14, 60, 15, 61)),)) == ["outside-territory"]
    sweden = Policy(territory=box(11, 55, 24, 69))
    assert reasons(sweden, zones=(zone(area=box(59, 17, 60, 18)),)) == ["swapped"]


def test_bands_that_cannot_be() -> None:
    shaking = {"kind": ZoneKind.BAND, "band_unit": "mmi"}
    assert reasons(zones=(zone(band=(5.0, 6.0), **shaking), zone(band=(8.0, None), **shaking))) == []
    for band in ((13.0, None), (6.0, 5.0), (-1.0, 5.0), (5.0, 40.0)):
        assert reasons(zones=(zone(band=band, **shaking),)) == ["implausible-band"]


def test_all_reasons_are_told_once() -> None:
    told = reasons(status=MessageStatus.TEST, test_suspected="word", zones=(zone(area=MultiPolygon()),) * 2)
    assert told == ["status-test", "test-suspected", "empty-geometry"]


# --- beyond release ---


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sent_at": NAIVE}, GateReason.TIME_WITHOUT_ZONE),
        ({"zones": (zone(valid_until=NAIVE),)}, GateReason.TIME_WITHOUT_ZONE),
        ({"severity": 5}, GateReason.SEVERITY_OUT_OF_RANGE),
        ({"zones": (zone(severity=-1),)}, GateReason.SEVERITY_OUT_OF_RANGE),
        ({"zones": (zone(area=Polygon([(0, 0), (1, float("inf")), (1, 1), (0, 0)])),)}, GateReason.NOT_FINITE),
        ({"zones": (zone(area=box(170, 10, 190, 20)),)}, GateReason.OFF_THE_EARTH),
        ({"zones": (zone(area=box(10, 80, 20, 95)),)}, GateReason.OFF_THE_EARTH),
    ],
)
def test_what_no_person_could_release(changes: dict[str, Any], reason: GateReason) -> None:
    verdict = judge(message(**changes), USUAL, NOW)
    assert (verdict.outcome, verdict.reasons) == (Outcome.REJECTED, (reason,))


# --- sizes, and the policy of USGS ---


def test_size_on_the_sphere() -> None:
    assert area_km2(box(-180, -90, 180, 90)) == pytest.approx(510_065_623, rel=1e-4)
    for lat in (0, 45, 80, -80):
        assert area_km2(circle(Position(lat, 20), 100_000)) == pytest.approx(31_410, rel=0.01)


def test_usgs_messages_pass_their_own_policy() -> None:
    for properties in ({"mag": 7.1}, {"mag": 4.6}, {"status": "deleted", "time": ms(NOW - timedelta(days=20))}):
        (said,) = FEED.parse(Document(FEED.url, DETAIL, body(feature(**properties))))
        assert isinstance(said, ParsedMessage)
        assert judge(said, POLICY, NOW).reasons == ()
    (reissued,) = FEED.parse(Document(FEED.url, DETAIL, body(feature(time=ms(NOW - timedelta(days=36_500))))))
    assert isinstance(reissued, ParsedMessage)
    assert "event-too-old" in judge(reissued, POLICY, NOW).reasons
