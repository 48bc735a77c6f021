"""The crisis of the demo, as payloads of our own making in the form of the real USGS and CAP feeds. INVENTED.

No such earthquake was ever recorded: a M7.2 in the Sea of Marmara whose ShakeMap comes thrice (the second
moves the zones east, the third shrinks them), a false M5.9 near Izmir that is withdrawn, and four drills that
must reach nobody (a USGS scenario, a USGS test, a CAP Exercise, a CAP Actual that says TEST).

How a false detection ends. The real summaries never say so: the event vanishes, and vanishing alone is no
cancel. The event service answers 409 for it or, asked with `includedeleted=true`, a feature of status
"deleted". So here: in stage `shakemap-3` Izmir is gone from every summary (nothing may end by that), and its
detail and its query answer as just said; in stage `cancel` the summaries name it once more, now "deleted",
for a poller that reads nothing but summaries. (Real ones are said to lack time, magnitude and depth by then.)
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]  # longitude, latitude in degrees
Line = tuple[Point, Point]
Grid = NDArray[np.float64]
Json = dict[str, Any]

USGS = "https://earthquake.usgs.gov"  # where one can fetch, the feed server writes its own address over this
FEED = "/earthquakes/feed/v1.0"
SUMMARY_PATH = f"{FEED}/summary/4.5_day.geojson"
EXERCISE_PATH, TEST_PATH = "/cap/shore-watch-1.xml", "/cap/shore-watch-2.xml"
SHAKEMAP_FILES = ("download/cont_mi.json", "download/cont_mmi.json")  # older and newer name, one content

# The map's frame and mesh, degrees: narrow enough that the outer contours run off its edge, as real ones do.
WEST, SOUTH, EAST, NORTH, MESH = 25.6, 38.8, 31.1, 42.8, 0.05
EPICENTRE: Point = (28.35, 40.82)
FIRST_RUPTURE: Line = ((27.45, 40.80), (28.70, 40.83))
EASTERN_RUPTURE: Line = ((27.95, 40.81), (29.30, 40.75))
LAST_RUPTURE: Line = ((28.00, 40.81), (29.25, 40.75))
COLORS = {3.0: "#a0e5ff", 3.5: "#90f2ff", 4.0: "#80ffff", 4.5: "#7cffc7", 5.0: "#7cff90", 5.5: "#bbff4a",
          6.0: "#ffff00", 6.5: "#ffe200", 7.0: "#ffc600", 7.5: "#ffaa00", 8.0: "#ff9100", 8.5: "#ff4800",
          9.0: "#ff0000", 9.5: "#e40000"}  # fmt: skip


@dataclass(frozen=True)
class DeclaredArea:
    """An area that the crisis cell declares by a person's act; it comes by no feed. Geometry: GeoJSON."""

    label: str
    geometry: Json


EUROPEAN_SHORE = DeclaredArea("European shore of Istanbul, Avcılar to Bakırköy", {
    "type": "Polygon", "coordinates": [
    [[28.688, 40.972], [28.735, 40.962], [28.762, 40.972], [28.795, 40.961], [28.826, 40.949],
     [28.858, 40.961], [28.906, 40.984], [28.901, 41.004], [28.862, 41.006], [28.812, 40.996],
     [28.728, 41.013], [28.690, 41.004], [28.688, 40.972]]]})  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """The whole state of the feeds at one moment. A path may carry a query, its parameters sorted by name."""

    name: str
    shows: str
    documents: dict[str, bytes]
    content_types: dict[str, str]
    statuses: dict[str, int] = field(default_factory=dict)  # only those other than 200


@dataclass(frozen=True)
class ShakeMap:
    """One version of the map of shaking; `contours` is cont_mmi.json, `folder` the path of its files."""

    folder: str
    version: int
    made_at: datetime
    mmi_max: float
    contours: bytes


@dataclass(frozen=True)
class Quake:
    """One event as the agency sees it at one moment. `ids`: the preferred one first, then every alias."""

    ids: tuple[str, ...]
    place: str
    at: Point
    magnitude: float
    happened_at: datetime
    updated_at: datetime
    status: str = "automatic"
    alert: str | None = None
    felt: int | None = None
    shakemap: ShakeMap | None = None
    scenario: bool = False

    @property
    def detail_path(self) -> str:
        return f"{FEED}/detail/{self.ids[0]}.geojson"


def shaking(magnitude: float, rupture: Line, seed: int) -> tuple[Grid, Grid, Grid]:
    """(longitudes, latitudes, MMI in rows of latitude), by an attenuation of our own, not a published one."""
    lons, lats = np.arange(WEST, EAST + MESH / 2, MESH), np.arange(SOUTH, NORTH + MESH / 2, MESH)
    where, begin, end = _plane_km(*np.meshgrid(lons, lats)), _plane_km(*rupture[0]), _plane_km(*rupture[1])
    along = np.clip(((where - begin) / (end - begin)).real, 0.0, 1.0)
    distance_km = np.hypot(np.abs(where - begin - along * (end - begin)), 8.0)
    mmi = 1.84 + 1.3 * magnitude - 1.05 * np.log(distance_km) - 0.0045 * distance_km + _ground(where, seed)
    return lons, lats, mmi


def _plane_km(lon: Any, lat: Any) -> Any:
    """Kilometres east (real) and north (imaginary) of the epicentre, good to two percent over the map."""
    return 111.2 * ((lon - EPICENTRE[0]) * np.cos(np.radians(EPICENTRE[1])) + 1j * (lat - EPICENTRE[1]))


def _ground(where: NDArray[np.complex128], seed: int) -> Grid:
    """Soft and hard ground, about +-0.4 MMI: a sum of plane waves, the same for every map."""
    rng, waves = np.random.default_rng([seed, 7]), 24
    total: Grid = np.zeros(where.shape)
    for _ in range(waves):
        length_km, (bearing, phase) = rng.uniform(18, 110), rng.uniform(0, 2 * np.pi, 2)
        total += np.sin((where * np.exp(1j * bearing)).real * 2 * np.pi / length_km + phase)
    return total * float(0.16 / np.sqrt(waves / 2))


def contour_lines(lons: Grid, lats: Grid, values: Grid, level: float) -> list[list[list[float]]]:
    """The lines where `values` is `level`: rings end on their first point, others run from frame to frame.

    Marching over the mesh cut into triangles, which knows no saddles. From node n (counted row by row) edge
    3n runs east, 3n+1 north, 3n+2 north-east.
    """
    links = _links(values, level)
    loose = [edge for edge, others in links.items() if len(others) == 1]
    walks = [_walk(links, edge) for edge in [*loose, *links] if links[edge]]
    return [[_crossing(lons, lats, values, level, edge) for edge in walk] for walk in walks]


def _links(values: Grid, level: float) -> dict[int, list[int]]:
    """Which crossed edge is joined to which, through a triangle."""
    above, width = np.ravel(values >= level), values.shape[1]
    crossed = np.column_stack([above != np.roll(above, -n) for n in (1, width, width + 1)]).ravel()
    links: dict[int, list[int]] = {}
    for row, column in np.ndindex(values.shape[0] - 1, width - 1):
        south, west, across = (3 * (row * width + column) + kind for kind in range(3))
        for triangle in ((south, west + 3, across), (west, south + 3 * width, across)):
            if pair := [edge for edge in triangle if crossed[edge]]:
                links.setdefault(pair[0], []).append(pair[1])
                links.setdefault(pair[1], []).append(pair[0])
    return links


def _walk(links: dict[int, list[int]], start: int) -> list[int]:
    walk = [start]
    while links[walk[-1]]:
        following = links[walk[-1]].pop()
        links[following].remove(walk[-1])
        walk.append(following)
    return walk


def _crossing(lons: Grid, lats: Grid, values: Grid, level: float, edge: int) -> list[float]:
    row, column = divmod(edge // 3, len(lons))
    right, up = ((1, 0), (0, 1), (1, 1))[edge % 3]
    here, there = values[row, column], values[row + up, column + right]
    share = (level - here) / (there - here)
    ends = ((lons[column], lons[column + right]), (lats[row], lats[row + up]))
    return [round(float(near + (far - near) * share), 6) for near, far in ends]


def draw_shakemap(
    quake_id: str, version: int, made_at: datetime, magnitude: float, rupture: Line, seed: int
) -> ShakeMap:
    """The contours as the agency writes them: lines each half MMI, not polygons."""
    lons, lats, mmi = shaking(magnitude, rupture, seed)
    features = []
    for value, color in COLORS.items():
        if lines := contour_lines(lons, lats, mmi, value):
            properties = {"value": value, "units": "mmi", "color": color, "weight": 4 if value % 1 else 2}
            geometry = {"type": "MultiLineString", "coordinates": lines}
            features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    contours = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "features": features,
        "metadata": {"eventid": quake_id, "longitude": EPICENTRE[0], "latitude": EPICENTRE[1]},
        "bbox": [round(float(side), 6) for side in (lons[0], lats[0], lons[-1], lats[-1])],
    }
    folder = f"/product/shakemap/{quake_id}/us/{_ms(made_at)}"
    return ShakeMap(folder, version, made_at, round(float(mmi.max()), 3), _json(contours))


def _json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _properties(quake: Quake) -> Json:
    """The properties that summary and detail share, in the agency's order."""
    page, code = ("/scenarios" if quake.scenario else "/earthquakes") + "/eventpage", quake.ids[0][2:]
    nets = dict.fromkeys(alias.removesuffix(code).rstrip("0123456789") for alias in quake.ids)
    return {
        "mag": quake.magnitude, "place": quake.place, "time": _ms(quake.happened_at),
        "updated": _ms(quake.updated_at), "tz": None, "url": f"{USGS}{page}/us{code}", "felt": quake.felt,
        "cdi": 8.4 if quake.felt else None, "mmi": quake.shakemap.mmi_max if quake.shakemap else None,
        "alert": quake.alert, "status": quake.status, "tsunami": 0, "sig": round(quake.magnitude**2 * 15.4),
        "net": "us", "code": code, "ids": f",{','.join(quake.ids)},", "sources": f",{','.join(nets)},",
        "types": f",{','.join(sorted(_products(quake)))},", "nst": 116, "dmin": 0.41, "rms": 0.8, "gap": 31,
        "magType": "mww", "type": "earthquake", "title": f"M {quake.magnitude:.1f} - {quake.place}",
    }  # fmt: skip


def _feature(quake: Quake, properties: Json) -> Json:
    geometry = {"type": "Point", "coordinates": [*quake.at, 10]}  # depth in km, "operator assigned"
    return {"type": "Feature", "properties": properties, "geometry": geometry, "id": quake.ids[0]}


def detail(quake: Quake) -> bytes:
    """One event with its products."""
    return _json(_feature(quake, {**_properties(quake), "products": _products(quake)}))


def summary(quakes: list[Quake], title: str, path: str) -> bytes:
    """The list of events, newest first, each naming the address of its detail."""
    newest = sorted(quakes, key=lambda quake: quake.happened_at, reverse=True)
    features = [_feature(q, {**_properties(q), "detail": USGS + q.detail_path}) for q in newest]
    metadata = {"generated": _ms(max(q.updated_at for q in quakes)), "url": USGS + path, "title": title,
                "status": 200, "api": "1.14.1", "count": len(quakes)}  # fmt: skip
    lons, lats = [q.at[0] for q in quakes], [q.at[1] for q in quakes]
    box = [min(lons), min(lats), 10, max(lons), max(lats), 10]
    return _json({"type": "FeatureCollection", "metadata": metadata, "features": features, "bbox": box})


def _products(quake: Quake) -> dict[str, list[Json]]:
    kind, shakemap = "origin-scenario" if quake.scenario else "origin", quake.shakemap
    source = {"magnitude-type": "mww", "review-status": quake.status, "title": quake.place}
    products = {kind: [_product(quake, kind, quake.updated_at, source, {})]}
    if shakemap:
        made, top, length = shakemap.made_at, f"{shakemap.mmi_max}", len(shakemap.contours)
        about = {"contentType": "application/json", "lastModified": _ms(made), "length": length}
        files = {name: {**about, "url": f"{USGS}{shakemap.folder}/{name}"} for name in SHAKEMAP_FILES}
        frame = {
            "event-type": "ACTUAL", "map-status": "automatic", "maximum-latitude": f"{NORTH}",
            "maximum-longitude": f"{EAST}", "maxmmi": top, "minimum-latitude": f"{SOUTH}",
            "minimum-longitude": f"{WEST}", "process-timestamp": f"{made:%Y-%m-%dT%H:%M:%SZ}",
            "version": f"{shakemap.version}",
        }  # fmt: skip
        products["shakemap"] = [_product(quake, "shakemap", made, frame, files)]
        loss = {"alertlevel": quake.alert or "", "maxmmi": f"{shakemap.mmi_max:.0f}"}
        products["losspager"] = [_product(quake, "losspager", made + timedelta(seconds=40), loss, {})]
    return products


def _product(quake: Quake, kind: str, made_at: datetime, properties: dict[str, str], files: Json) -> Json:
    """One product as a detail lists it; without files it has a list in place of a table, as in real life."""
    ms, event_id = _ms(made_at), quake.ids[0]
    event = {
        "depth": "10", "eventsource": "us", "eventsourcecode": event_id[2:], "latitude": f"{quake.at[1]:.4f}",
        "longitude": f"{quake.at[0]:.4f}", "magnitude": f"{quake.magnitude}",
        "eventtime": quake.happened_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }  # fmt: skip
    return {
        "indexid": ms // 1000 % 10_000_000, "indexTime": ms + 9000, "type": kind, "code": event_id,
        "source": "us", "id": f"urn:usgs-product:us:{kind}:{event_id}:{ms}", "updateTime": ms,
        "status": "UPDATE", "properties": {**event, **properties}, "preferredWeight": 158,
        "contents": files or [],
    }  # fmt: skip


def drill(identifier: str, status: str, sent: datetime, headlines: dict[str, str]) -> bytes:
    """A CAP 1.2 warning for Istanbul, an info per language; only `status` or the headline betrays it."""
    local = sent.astimezone(timezone(timedelta(hours=3))).replace(microsecond=0)
    infos = "".join(
        f"<info><language>{language}</language><category>Geo</category><event>Earthquake</event>"
        "<responseType>Evacuate</responseType><urgency>Immediate</urgency><severity>Extreme</severity>"
        f"<certainty>Observed</certainty><effective>{local.isoformat()}</effective>"
        f"<expires>{(local + timedelta(hours=6)).isoformat()}</expires><senderName>Shore Watch</senderName>"
        f"<headline>{escape(headline)}</headline><area><areaDesc>Istanbul</areaDesc><polygon>40.86,28.45 "
        "40.80,29.30 40.98,29.42 41.28,29.30 41.26,28.52 40.93,28.45 40.86,28.45</polygon></area></info>"
        for language, headline in headlines.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{identifier}</identifier><sender>warnings@shore-watch.example</sender>"
        f"<sent>{local.isoformat()}</sent><status>{status}</status><msgType>Alert</msgType>"
        f"<scope>Public</scope>{infos}</alert>\n"
    ).encode()


@dataclass(frozen=True)
class Crisis:
    """All that the feeds say, by stages. `start` (aware) is now: all happened in the minutes before it."""

    start: datetime
    seed: int
    declared_area: DeclaredArea = EUROPEAN_SHORE

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        first, *maps = self.marmara
        gone = replace(self.izmir, status="deleted", updated_at=self._at(-1))
        told: list[tuple[str, str, list[Quake]]] = [
            ("origin", "M7.2 in the Sea of Marmara, no map of the shaking yet", [first]),
            ("shakemap-1", "First ShakeMap; a false M5.9 near Izmir", [maps[0], self.izmir]),
            ("shakemap-2", "The rupture runs further east: Kocaeli up, Tekirdag down", [maps[1], self.izmir]),
            ("shakemap-3", "Revised to M7.0; Izmir is gone from the list, which ends nothing", [maps[2]]),
            ("cancel", "Izmir is said to be deleted", [maps[2], gone]),
        ]
        files: dict[str, bytes] = {}  # those of earlier versions stay where they were
        return tuple(
            self._stage(name, shows, [*listed, *self.others], files, gone if number > 3 else None)
            for number, (name, shows, listed) in enumerate(told, 1)
        )

    def stage(self, name: str) -> Stage:
        """Raises KeyError when the story has no such stage."""
        return {stage.name: stage for stage in self.stages}[name]

    @cached_property
    def marmara(self) -> tuple[Quake, ...]:
        """The great one: as first located, then with each ShakeMap. Every version knows one alias more."""
        code = self._code("m")
        ids = (f"us{code}", f"at00{code}", f"pt26{code}", f"usauto{code}", f"iscgem{code}")
        place, happened, located = "29 km SSE of Silivri, Turkey", self._at(-14), self._at(-10)
        versions = [Quake(ids[:2], place, EPICENTRE, 7.2, happened, located)]
        told = [(7.2, FIRST_RUPTURE, "yellow", None, -8), (7.2, EASTERN_RUPTURE, "orange", 412, -5),
                (7.0, LAST_RUPTURE, "red", 1936, -3)]  # fmt: skip
        for number, (magnitude, rupture, alert, felt, minutes) in enumerate(told, 1):
            drawn = draw_shakemap(ids[0], number, self._at(minutes), magnitude, rupture, self.seed)
            updated = drawn.made_at + timedelta(seconds=50)
            versions.append(Quake(ids[: 2 + number], place, EPICENTRE, magnitude, happened, updated,
                                  "reviewed", alert, felt, drawn))  # fmt: skip
        return tuple(versions)

    @cached_property
    def izmir(self) -> Quake:
        """The false detection: without a ShakeMap, so that whoever believes it can only draw a circle."""
        ids = (f"us{self._code('z')}", f"at00{self._code('z')}")
        return Quake(ids, "17 km W of Izmir, Turkey", (26.94, 38.43), 5.9, self._at(-11), self._at(-7))

    @cached_property
    def others(self) -> tuple[Quake, ...]:
        """In every stage: two far and small ones, and two that must reach nobody, a scenario and a test."""
        told: list[tuple[str, str, Point, float, int]] = [
            ("s", "South Sandwich Islands region", (-26.9, -57.6), 4.7, -300),
            ("k", "Kermadec Islands, New Zealand", (-177.8, -30.1), 5.1, -190),
            ("x", "Istanbul, Turkey", (28.95, 40.9), 7.6, -12),
            ("t", "TEST - Istanbul, Turkey", (29.0, 41.0), 7.8, -12),
        ]
        return tuple(
            Quake((f"us{self._code(letter)}",), place, at, magnitude, self._at(ago), self._at(ago + 3),
                  scenario=letter == "x")
            for letter, place, at, magnitude, ago in told
        )  # fmt: skip

    def _at(self, minutes: int) -> datetime:
        return self.start.astimezone(UTC) + timedelta(minutes=minutes)

    def _code(self, letter: str) -> str:
        """A network's code of an event: new for every start, so that two runs never tell of one event."""
        rng = np.random.default_rng([self.seed, _ms(self.start)])
        return "9000" + "".join(rng.choice(list("0123456789abcdefghjkmnpqrstuvwxyz"), 3)) + letter

    def _stage(self, name: str, shows: str, listed: list[Quake], files: dict[str, bytes], gone: Quake | None) -> Stage:
        documents: dict[str, bytes] = {}
        for size, words in (("2.5", "Magnitude 2.5+"), ("4.5", "Magnitude 4.5+"), ("all", "All")):
            path = f"{FEED}/summary/{size}_day.geojson"
            documents[path] = summary(listed, f"USGS {words} Earthquakes, Past Day", path)
        for quake in [*listed, gone] if gone else listed:
            query = f"/fdsnws/event/1/query?eventid={quake.ids[0]}&format=geojson"
            paths = (quake.detail_path, query, f"{query}&includedeleted=true")
            documents.update(dict.fromkeys(paths, detail(quake)))
            if drawn := quake.shakemap:
                files.update({f"{drawn.folder}/{file}": drawn.contours for file in SHAKEMAP_FILES})
        statuses = {f"/fdsnws/event/1/query?eventid={gone.ids[0]}&format=geojson": 409} if gone else {}
        documents.update(files, **dict.fromkeys(statuses, b"Error 409: Conflict\n\nEvent deleted\n"))
        documents.update(self._cap_drills)
        kinds = {path: "cap+xml" if path.startswith("/cap/") else "json" for path in documents}
        types = {path: f"application/{kind}; charset=utf-8" for path, kind in kinds.items()}
        return Stage(name, shows, documents, types, statuses)

    @cached_property
    def _cap_drills(self) -> dict[str, bytes]:
        exercise = {"en-US": "Leave the shore of Istanbul", "tr-TR": "İstanbul sahilinden uzaklaşın"}
        test = {"en-US": "TEST - earthquake warning for Istanbul", "tr-TR": "TEST - İstanbul deprem uyarısı"}
        return {
            EXERCISE_PATH: drill("shore-watch-1", "Exercise", self._at(-9), exercise),
            TEST_PATH: drill("shore-watch-2", "Actual", self._at(-8), test),
        }
