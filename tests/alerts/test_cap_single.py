"""An Alert as a message: kinds, identity, tests, zones, languages."""

from datetime import UTC, datetime
from random import Random

import pytest

from alerts.feed import (
    Document,
    GeometryBasis,
    MessageKind,
    MessageStatus,
    ParsedMessage,
    ReasonCode,
    Rejected,
    ZoneKind,
    note_code,
)
from alerts.feeds.cap_single import CapSingleFeed
from alerts.gate import area_km2
from tests.alerts.samples import SQUARE, area, cap, info

FEED = CapSingleFeed("water", "https://example.org/cap.xml", country_codes=("PHL",))


def read(body: bytes) -> ParsedMessage | Rejected:
    start = FEED.start()
    (item,) = FEED.parse(Document(start.url, start.kind, body))
    assert isinstance(item, ParsedMessage | Rejected)
    return item


def message(body: bytes) -> ParsedMessage:
    item = read(body)
    assert isinstance(item, ParsedMessage), item
    return item


def notes(body: bytes) -> list[str]:
    return [note_code(entry) for entry in message(body).leftover]


def test_a_plain_alert() -> None:
    said = message(cap())
    assert (said.kind, said.status, said.severity) == (MessageKind.ALERT, MessageStatus.ACTUAL, 3)
    assert said.native_severity == "cap:Severe"
    assert said.native_id == "water@example.org,flood-1,2026-11-23T11:00:00+00:00"
    assert said.series == said.native_id
    assert (said.valid_from.hour, said.valid_until) == (11, datetime(2026, 11, 23, 18, tzinfo=UTC))
    assert (said.title, said.test_suspected, said.leftover) == ("Flood in the bay", None, ())
    assert said.hazards == (("cap-category", "Met"), ("cap-event", "Flood"))
    (zone,) = said.zones
    assert (zone.kind, zone.basis, zone.severity, zone.label) == (ZoneKind.WARNED, GeometryBasis.NATIVE, 3, "Bay")
    assert zone.area is not None
    assert zone.area.bounds == (20, 10, 21, 11)  # lon, lat: CAP has lat, lon


def test_a_broken_document_is_one_refusal() -> None:
    item = read(b"<html/>")
    assert isinstance(item, Rejected)
    assert (item.reason_code, item.whole_document, len(item.raw_sha256)) == (ReasonCode.NOT_CAP, True, 64)


@pytest.mark.parametrize("scope", ["Private", "Restricted"])
def test_what_is_not_public_is_refused(scope: str) -> None:
    item = read(cap(scope=scope))
    assert isinstance(item, Rejected)
    assert item.reason_code is ReasonCode.SCOPE_NOT_PUBLIC


def test_an_acknowledgement_is_no_message() -> None:
    item = read(cap(msgType="Ack"))
    assert isinstance(item, Rejected)
    assert item.reason_code is ReasonCode.ACKNOWLEDGEMENT


# --- the five shapes of an all-clear, and what only looks like one ---


def test_cancel_with_info_and_without() -> None:
    for body in (cap(msgType="Cancel"), cap("", msgType="Cancel")):
        said = message(body)
        assert (said.kind, said.zones) == (MessageKind.CANCEL, ())
    assert message(cap("", msgType="Cancel")).title == "Cancel flood-1"


def test_all_clear_in_the_codes() -> None:
    said = message(cap(info(responseType="AllClear", severity="Minor", headline="Power outage")))
    assert (said.kind, said.zones) == (MessageKind.ALL_CLEAR, ())


def test_all_clear_for_a_part() -> None:
    said = message(cap(info(responseType="AllClear"), info(area(desc="North"))))
    assert said.kind is MessageKind.ALERT
    assert [zone.label for zone in said.zones] == ["North"]
    assert [note_code(entry) for entry in said.leftover] == ["partly-cleared"]


@pytest.mark.parametrize("event", ["Tsunami Cancellation", "Warning cancelled", "Cancelación de alerta", "Entwarnung"])
def test_an_update_that_is_a_cancellation_by_name(event: str) -> None:
    assert message(cap(info(event=event), msgType="Update")).kind is MessageKind.CANCEL


def test_vtec_that_ends() -> None:
    code = "/O.CAN.PAAQ.TS.W.0021.000000T0000Z-000000T0000Z/"
    ends = f"<parameter><valueName>VTEC</valueName><value>{code}</value></parameter>"
    goes_on = ends.replace("CAN", "CON")
    assert message(cap(info(area() + ends), msgType="Update")).kind is MessageKind.CANCEL
    assert message(cap(info(area() + goes_on), msgType="Update")).kind is MessageKind.UPDATE
    assert message(cap(info(area() + ends + goes_on), msgType="Update")).kind is MessageKind.UPDATE


@pytest.mark.parametrize("text", ["Faran är över.", "The warning has been lifted.", "Entwarnung: alles gut"])
def test_prose_alone_ends_nothing_but_is_shown(text: str) -> None:
    said = message(cap(info(description=text)))
    assert said.kind is MessageKind.ALERT
    assert len(said.zones) == 1
    assert [note_code(entry) for entry in said.leftover] == ["ended-suspected"]


def test_an_error_is_an_error() -> None:
    assert message(cap("", msgType="Error")).kind is MessageKind.ERROR


# --- identity ---


def test_references_are_the_names_of_messages() -> None:
    first = message(cap(sent="2026-11-23T11:00:00+02:00"))
    text = "water@example.org,flood-1,2026-11-23T09:00:00-00:00 water@example.org,flood-2,2026-11-23T10:00:00Z"
    second = message(cap(identifier="flood-3", msgType="Update", references=text))
    assert second.references[0] == first.native_id
    assert second.series == first.series
    assert ("cap", first.native_id) in second.aliases
    assert ("cap", first.native_id) in first.aliases


def test_a_reference_to_itself_is_dropped_and_said() -> None:
    said = message(cap(msgType="Update", references="water@example.org,flood-1,2026-11-23T11:00:00-00:00"))
    assert said.references == ()
    assert [note_code(entry) for entry in said.leftover] == ["self-reference"]


def test_only_incidents_with_a_number_name_an_event() -> None:
    said = message(cap(incidents='Flood 13970876 "THETA 20"'))
    assert [alias for scheme, alias in said.aliases if scheme == "cap-incident"] == [
        "water@example.org:13970876",
        "water@example.org:THETA 20",
    ]


def test_versions_sort_by_instant() -> None:
    times = ["2026-11-23T11:00:00+05:00", "2026-11-23T07:00:00+00:00", "2026-11-23T07:00:00.5+00:00"]
    versions = [message(cap(sent=time)).native_version for time in times]
    assert versions == sorted(versions)


# --- tests and drills ---


@pytest.mark.parametrize(
    "body",
    [
        cap(note="This template is intended for the project's 'Exercise'."),
        cap(info(event="Required Monthly Test")),
        cap(info(headline="TEST - Flood")),
        cap(info(description="C'est un essai.")),
        cap(info(instruction="هذا تمرين")),
        cap(info(area(desc="12 Test Road"))),
        cap(info(area() + "<parameter><valueName>kind</valueName><value>DRILL</value></parameter>")),
        cap(info(area() + "<eventCode><valueName>SAME</valueName><value>RWT</value></eventCode>")),
        cap(identifier="flood_test_1"),
    ],
)
def test_every_text_can_betray_a_test(body: bytes) -> None:
    said = message(body)
    assert said.status is MessageStatus.ACTUAL
    assert said.test_suspected


def test_status_is_kept() -> None:
    assert message(cap(status="Exercise")).status is MessageStatus.EXERCISE
    assert message(cap(status="test")).status is MessageStatus.TEST


# --- zones ---


def test_polygons_of_one_area_add_up() -> None:
    said = message(cap(info(area(f"<polygon>{SQUARE}</polygon><polygon>10,21 10,22 11,22 11,21 10,21</polygon>"))))
    (zone,) = said.zones
    assert zone.area is not None
    assert zone.area.area == pytest.approx(2)
    assert zone.area.bounds == (20, 10, 22, 11)


def test_a_circle_has_its_size() -> None:
    (zone,) = message(cap(info(area("<circle>10.5,20.5 50</circle>")))).zones
    assert (zone.kind, zone.basis) == (ZoneKind.WARNED, GeometryBasis.NATIVE)
    assert zone.area is not None
    assert 7854 < area_km2(zone.area) < 8000


def test_radius_0_is_a_point_and_leaves_the_area_unknown() -> None:
    unknown, point = message(cap(info(area("<circle>10.5,20.5 0</circle>")))).zones
    assert (unknown.kind, unknown.area, unknown.basis) == (ZoneKind.REGION, None, GeometryBasis.NONE)
    assert (point.kind, point.area is not None and point.area.geom_type) == (ZoneKind.POINT, "Point")


def test_a_marker_beside_a_polygon() -> None:
    kinds = [
        zone.kind for zone in message(cap(info(area(f"<polygon>{SQUARE}</polygon><circle>10,20 0</circle>")))).zones
    ]
    assert kinds == [ZoneKind.WARNED, ZoneKind.POINT]


def test_no_geometry_is_possible_and_never_safe() -> None:
    codes = "<geocode><valueName>EMMA_ID</valueName><value>BE001</value></geocode>"
    (zone,) = message(cap(info(area(codes)))).zones
    assert (zone.kind, zone.area, zone.basis) == (ZoneKind.REGION, None, GeometryBasis.NONE)
    assert (zone.geocodes, zone.country_codes) == ((("EMMA_ID", "BE001"),), ("PHL",))


def test_iso_codes_name_the_country() -> None:
    codes = "<geocode><valueName>http://www.iso.org/iso/country_codes.html</valueName><value>AU-NSW</value></geocode>"
    (zone,) = message(cap(info(area(codes)))).zones
    assert zone.country_codes == ("AUS",)


def test_a_shape_that_could_not_be_read_leaves_the_place_possible() -> None:
    said = message(cap(info(area(f"<polygon>{SQUARE}</polygon><polygon>10,20 nan,3 5,6</polygon>"))))
    assert [zone.kind for zone in said.zones] == [ZoneKind.WARNED, ZoneKind.REGION]
    assert "geometry-dropped" in [note_code(entry) for entry in said.leftover]


def test_a_line_is_no_area() -> None:
    said = message(cap(info(area("<polygon>10,20 11,21 12,22 10,20</polygon>"))))
    assert [zone.kind for zone in said.zones] == [ZoneKind.REGION]
    assert "geometry-dropped" in [note_code(entry) for entry in said.leftover]


def test_self_intersection_and_antimeridian_are_mended_and_said() -> None:
    bow = cap(info(area("<polygon>10,20 11,21 11,20 10,21 10,20</polygon>")))
    across = cap(info(area("<polygon>-10,179 -10,-179 -11,-179 -11,179 -10,179</polygon>")))
    for body, size in ((bow, 0.5), (across, 2.0)):
        (zone,) = message(body).zones
        assert zone.area is not None
        assert zone.area.is_valid
        assert zone.area.area == pytest.approx(size)
        assert notes(body) == ["geometry-repaired"]
    (zone,) = message(across).zones
    assert zone.area is not None
    assert zone.area.bounds == (-180, -11, 180, -10)


def test_languages_share_a_zone_and_severities_do_not() -> None:
    french = info(area(desc="Baie"), language="fr", headline="Crue")
    said = message(cap(info(), french))
    assert [text.language for text in said.texts] == ["en-GB", "fr"]
    assert len(said.zones) == 1
    worse = message(cap(info(severity="Minor"), info(severity="Extreme")))
    assert [zone.severity for zone in worse.zones] == [1, 4]
    assert worse.severity == 4


def test_unlocated_areas_of_two_languages_are_told_once() -> None:
    blocks = [
        info(area("", "North") + area("", "South"), language="en"),
        info(area("", "Nord") + area("", "Sud"), language="fr"),
    ]
    assert [zone.label for zone in message(cap(*blocks)).zones] == ["North", "South"]


def test_a_language_not_given_is_a_guess() -> None:
    (text,) = message(cap(info(language=None))).texts
    assert (text.language, text.language_guessed) == ("en-US", True)
    (text,) = message(cap(info(language="zh-tw"))).texts
    assert (text.language, text.language_guessed) == ("zh-TW", False)


def test_unknown_severity_is_not_stated() -> None:
    assert message(cap(info(severity="Unknown"))).severity is None


def test_onset_begins_the_zone() -> None:
    said = message(cap(info(onset="2026-11-23T15:00:00+01:00")))
    assert said.zones[0].valid_from == said.valid_from == datetime(2026, 11, 23, 14, tzinfo=UTC)


def test_an_issuers_event_time() -> None:
    parameter = "<parameter><valueName>EventTime</valueName><value>20261123T104056.420Z</value></parameter>"
    assert message(cap(info(area() + parameter))).event_at == datetime(2026, 11, 23, 10, 40, 56, 420000, tzinfo=UTC)
    assert notes(cap(info(area() + parameter.replace("2026", "soon")))) == ["bad-time"]


# --- what would cost too much ---


def scribble(corners: int) -> str:
    random = Random(1)
    ring = [f"{random.uniform(-80, 80)},{random.uniform(-170, -10)}" for _ in range(corners)]
    return f"<polygon>{' '.join(ring)}</polygon>"


def test_a_scribble_is_not_mended() -> None:
    said = message(cap(info(area(f"<polygon>{SQUARE}</polygon>{scribble(1_000)}"))))
    assert [zone.kind for zone in said.zones] == [ZoneKind.WARNED, ZoneKind.REGION]
    assert "geometry-dropped: polygon of 1001 positions is too complex" in said.leftover


def test_a_fence_of_crossing_bars_is_not_united() -> None:
    bars = [f"<polygon>0,{n} 0,{n}.4 50,{n}.4 50,{n} 0,{n}</polygon>" for n in range(60)]
    bars += [f"<polygon>{n},0 {n}.4,0 {n}.4,60 {n},60 {n},0</polygon>" for n in range(60)]
    said = message(cap(info(area("".join(bars)))))
    assert [zone.kind for zone in said.zones] == [ZoneKind.REGION]
    assert [note_code(entry) for entry in said.leftover] == ["geometry-dropped"]


@pytest.mark.parametrize(
    "body",
    [
        cap(info(area("<circle>10,20 5</circle>" * 2_001))),
        cap(info("<area><areaDesc>x</areaDesc></area>" * 5_001)),
        cap(info(area("<geocode/>" * 100_001))),
        cap(references="a,b,2026-11-23T10:00:00Z " + " ".join(f"a,{n},2026-11-23T10:00:00Z" for n in range(1_001))),
    ],
    ids=["circles", "areas", "elements", "references"],
)
def test_too_many_of_anything(body: bytes) -> None:
    item = read(body)
    assert isinstance(item, Rejected)
    assert item.reason_code is ReasonCode.TOO_LARGE
