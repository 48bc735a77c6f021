"""USGS earthquakes: summary -> detail -> ShakeMap contours -> one message with a zone per severity class.

Pure: it asks for the next document by a FollowUp. What the feed is known to do: docs/feeds/usgs.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from shapely import MultiPolygon, Point

from alerts import severity
from alerts.feed import (
    Document,
    Evidence,
    FollowUp,
    GeometryBasis,
    MessageKind,
    MessageStatus,
    NoteCode,
    Parsed,
    ParsedMessage,
    ParsedText,
    ParsedZone,
    ReasonCode,
    Rejected,
    ZoneKind,
    note,
)
from alerts.feeds import DocumentError, missing, read_json, sha256
from alerts.feeds.usgs.payload import (
    Quake,
    as_table,
    contour_url,
    member,
    number_of,
    preferred,
    products_of,
    read_bands,
    read_quake,
    shakemap_properties,
    text_of,
)
from alerts.gate import Policy
from geo.areas import circle

SUMMARY, DETAIL, CONTOURS = "summary", "detail", "contours"
SENDER = "earthquake.usgs.gov"
ZONES_INCOMPLETE = "zones_incomplete"

CIRCLES = ((5.5, 50), (6.0, 80), (6.5, 120), (7.0, 200), (7.5, 300), (8.0, 450), (8.5, 650), (9.0, 900))
"""Our rule, not the agency's: (from this magnitude on, radius in km of a circle until a ShakeMap comes).

Roughly where MMI 5 may be felt from a shallow quake, plus the length of its rupture, of which the epicentre
may be the end. Wide on purpose: such a zone only ever says "possible"."""

POLICY = Policy(
    issuers=frozenset({SENDER}),
    references_required=False,
    geometry_required=False,  # most quakes harm nobody and have no zone
    max_expiry=timedelta(days=31),  # the expiry is ours (`zone_valid_for`)
)
"""How the gate judges this feed."""


@dataclass(frozen=True, slots=True)
class UsgsFeed:
    """The feed. Follow-ups go to the host of `url` and to `hosts` only."""

    name: str = "usgs"
    url: str = "https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/4.5_week.geojson"
    cadence_s: int = 60
    floor: int = 20  # a week has 100 to 200 earthquakes of M 4.5 and more
    evidence: Evidence = Evidence.INSTRUMENT
    hosts: tuple[str, ...] = ()
    circles: tuple[tuple[float, int], ...] = CIRCLES
    zone_valid_for: timedelta = timedelta(days=30)  # the agency states no end: this one is our rule

    def start(self) -> FollowUp:
        return FollowUp(self.url, SUMMARY)

    def recheck(self, native_id: str) -> FollowUp:
        """Ask the event service about one event: what vanished from the summary may have been deleted."""
        query = {"eventid": native_id, "format": "geojson", "includedeleted": "true"}
        return FollowUp(urljoin(self.url, f"/fdsnws/event/1/query?{urlencode(query)}"), DETAIL)

    def parse(self, document: Document) -> Iterator[Parsed]:
        readers: dict[str, Callable[[Document], Iterator[Parsed]]] = {
            SUMMARY: self._summary,
            DETAIL: self._detail,
            CONTOURS: self._contours,
        }
        reader = readers.get(document.kind)
        if reader is None:
            yield _rejected(document, DocumentError(ReasonCode.UNKNOWN_DOCUMENT, document.kind), whole=True)
            return
        try:
            yield from reader(document)
        except DocumentError as error:
            yield _rejected(document, error, whole=True)

    # --- the three documents ---

    def _summary(self, document: Document) -> Iterator[Parsed]:
        features = member(as_table(read_json(document.body)), "features", list)
        for number, feature in enumerate(features):
            try:
                yield self._summary_item(feature, document)
            except DocumentError as error:
                yield _rejected(document, error, item=_item_name(feature, number))

    def _summary_item(self, feature: Any, document: Document) -> Parsed:
        quake = read_quake(feature)
        if quake.deleted:
            return self._message(quake)
        url = text_of(member(feature, "properties", dict), "detail") or missing("detail")
        return FollowUp(
            self._address(url, document.url), DETAIL, native_id=quake.id, native_version=quake.version(True)
        )

    def _detail(self, document: Document) -> Iterator[Parsed]:
        feature = as_table(read_json(document.body))
        quake = read_quake(feature)
        shakemap = None if quake.deleted else preferred(products_of(feature).get("shakemap"))
        if shakemap is None:
            yield self._message(quake)
            return
        try:
            properties = shakemap_properties(shakemap)
            quake = replace(quake, shakemap=properties, mmi=number_of(properties.get("maxmmi")) or quake.mmi)
            url = self._address(contour_url(shakemap) or missing("contour file of the ShakeMap"), document.url)
        except DocumentError as error:
            if error.reason is ReasonCode.SCENARIO:
                raise
            yield _rejected(document, error, item=quake.id)
            # nothing more can be fetched, so this version is as complete as it gets
            yield self._message(quake, without_zones=f"ShakeMap unusable, {error.reason}")
            return
        fallback = self._message(quake, without_zones="contours not fetched", refetch=True)
        yield FollowUp(url, CONTOURS, quake, quake.id, quake.version(True), fallback)

    def _contours(self, document: Document) -> Iterator[Parsed]:
        quake = document.context
        if not isinstance(quake, Quake):
            raise DocumentError(ReasonCode.UNKNOWN_DOCUMENT, "contours without their earthquake")
        try:
            bands, open_ended = read_bands(document.body, quake)
        except DocumentError as error:
            broken = DocumentError(ReasonCode.CONTOURS_BROKEN, f"{error.reason}: {error.detail}")
            yield _rejected(document, broken, item=quake.id)
            yield self._message(quake, without_zones=f"contours unreadable, {error.reason}", refetch=True)
            return
        if open_ended:
            edge = note(NoteCode.FLAG, "MMI 5 reaches the edge of the map and may go on beyond it")
            quake = replace(quake, notes=(*quake.notes, edge))
        yield self._message(quake, tuple(self._band_zones(quake, bands)))

    # --- the message ---

    def _message(
        self,
        quake: Quake,
        bands: tuple[ParsedZone, ...] = (),
        *,
        without_zones: str | None = None,
        refetch: bool = False,
    ) -> ParsedMessage:
        """The message of one version. `without_zones`: why there are no bands although there is a ShakeMap;
        `refetch`: another try may bring them, so the version sorts below the complete one."""
        kind = MessageKind.CANCEL if quake.deleted else MessageKind.UPDATE
        zones = () if quake.deleted else (*bands, *self._other_zones(quake, without_zones is not None))
        notes = [*quake.notes, *([self._ours(zones)] if zones else [])]
        return ParsedMessage(
            feed=self.name,
            series=quake.id,
            native_id=quake.id,
            native_version=quake.version(not refetch),
            sender=SENDER,
            sent_at=quake.updated,
            kind=kind,
            status=MessageStatus.ACTUAL,
            title=quake.title,
            valid_from=quake.time,
            valid_until=None if quake.deleted else quake.time + self.zone_valid_for,
            event_at=quake.time,
            test_suspected=quake.test_sign,
            aliases=tuple(("usgs", name) for name in quake.ids),
            hazards=quake.hazards,
            severity=quake.severity,
            native_severity=quake.native_severity,
            texts=(ParsedText("en", quake.title),),
            zones=zones,
            leftover=tuple(notes),
            partial=f"{ZONES_INCOMPLETE}: {without_zones}" if without_zones else None,
        )

    def _ours(self, zones: tuple[ParsedZone, ...]) -> str:
        circled = any(zone.basis is GeometryBasis.CIRCLE_BUFFERED for zone in zones)
        days = f"zones end {self.zone_valid_for.days} days after the event"
        return note(NoteCode.BY_RULE, f"{days}; circle instead of a ShakeMap" if circled else days)

    def _band_zones(self, quake: Quake, bands: dict[float, MultiPolygon]) -> Iterator[ParsedZone]:
        """Zones nest: each holds all places at or above its level, and carries that level's severity."""
        steps = severity.STEPS["mmi"]
        ceilings = [least for least, _ in steps[1:]] + [None]
        for (least, level), ceiling in zip(steps, ceilings, strict=True):
            if (area := bands.get(least)) is not None and not area.is_empty:
                yield ParsedZone(
                    kind=ZoneKind.BAND,
                    area=area,
                    basis=GeometryBasis.NATIVE,
                    valid_from=quake.time,
                    valid_until=quake.time + self.zone_valid_for,
                    severity=level,
                    native_severity=f"mmi:{least:g}",
                    band=(least, ceiling),
                    band_unit="mmi",
                    label=f"MMI \N{GREATER-THAN OR EQUAL TO} {least:g}",
                )

    def _other_zones(self, quake: Quake, bands_missing: bool) -> Iterator[ParsedZone]:
        """The epicentre, to draw; and a circle for a strong quake as long as no ShakeMap says better."""
        if quake.position is None:
            return
        at = Point(quake.position.lon, quake.position.lat)
        epicentre = ParsedZone(
            kind=ZoneKind.EPICENTRE,
            area=at,
            basis=GeometryBasis.NATIVE,
            valid_from=quake.time,
            valid_until=quake.time + self.zone_valid_for,
            native_severity=f"mag:{quake.magnitude}" if quake.magnitude is not None else None,
            label=quake.place,
        )
        radius_km = self._radius_km(quake.magnitude)
        if radius_km is not None and (bands_missing or not quake.shakemap):
            yield replace(
                epicentre,
                kind=ZoneKind.REGION,
                area=circle(quake.position, radius_km * 1000.0),
                basis=GeometryBasis.CIRCLE_BUFFERED,
                label=f"within {radius_km} km of the epicentre",
            )
        yield epicentre

    def _radius_km(self, magnitude: float | None) -> int | None:
        reached = [radius for least, radius in self.circles if magnitude is not None and magnitude >= least]
        return reached[-1] if reached else None

    def _address(self, url: str, base: str) -> str:
        """The wished address, if it is on the document's host (or ours to allow). Old payloads say http."""
        if "/scenarios/" in url:
            raise DocumentError(ReasonCode.SCENARIO, url)
        wish, page = urlsplit(url), urlsplit(base)
        if wish.scheme not in ("http", "https") or wish.netloc not in (page.netloc, *self.hosts):
            raise DocumentError(ReasonCode.FOREIGN_URL, url)
        return wish._replace(scheme="https").geturl() if page.scheme == "https" else url


def _item_name(feature: Any, number: int) -> str:
    name = feature.get("id") if isinstance(feature, dict) else None
    return name if isinstance(name, str) else f"feature {number}"


def _rejected(document: Document, error: DocumentError, *, item: str = "", whole: bool = False) -> Rejected:
    return Rejected(error.reason, error.detail, sha256(document.body), item or document.url, whole)
