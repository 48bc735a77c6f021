// The map of one event: Natural Earth below, zones and people above, all from this server. Light and dark.

import * as maplibregl from "/vendor/maplibre-gl/maplibre-gl.mjs";
import { hatch } from "./patterns.mjs";
import { borders, features, labelPoint } from "./topojson.mjs";

const box = document.getElementById("map");
const data = JSON.parse(document.getElementById("map-data").textContent);
const words = box.dataset;

const RAMP = ["#e9dcb0", "#f0b429", "#e8781a", "#c8341c", "#36103f"];
const SKINS = {
  light: { sea: "#dfe5e8", land: "#f6f4ee", line: "#b9b5a9", coast: "#a9b3b8", word: "#4a4f55", town: "#16181b", halo: "#ffffff", rim: "#16181b", zone: 0.26 },
  dark: { sea: "#14181c", land: "#2a3036", line: "#4c545c", coast: "#4c545c", word: "#aab1b9", town: "#e8e6e1", halo: "#14181c", rim: "#e8e6e1", zone: 0.3 },
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const skin = () => SKINS[dark.matches ? "dark" : "light"];
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const severity = ["to-number", ["get", "severity"]];
const bySeverity = (make) => ["match", severity, ...RAMP.slice(0, 4).flatMap((_, level) => [level, make(level)]), make(4)];
const FONT = ["system-ui", "Noto Sans"];

function baseLayers(ink) {
  const label = (colour) => ({ "text-color": colour, "text-halo-color": ink.halo, "text-halo-width": 1.6 });
  return {
    below: [
      { id: "sea", type: "background", paint: { "background-color": ink.sea } },
      { id: "land", type: "fill", source: "countries", paint: { "fill-color": ink.land, "fill-outline-color": ink.coast } },
    ],
    above: [
      { id: "borders", type: "line", source: "borders", paint: { "line-color": ink.line, "line-width": 1 } },
      {
        id: "concerned", type: "line", source: "countries", filter: ["in", ["get", "id"], ["literal", data.concerned]],
        layout: { "line-cap": "round" }, paint: { "line-color": ink.rim, "line-width": 1.8, "line-dasharray": [0.1, 2.6], "line-opacity": 0.75 },
      },
    ],
    words: [
      {
        id: "towns", type: "symbol", source: "towns", minzoom: 4.5,
        filter: [">=", ["get", "population"], ["step", ["zoom"], 1500000, 6, 400000, 7, 150000, 8.5, 50000]],
        layout: {
          "text-field": ["get", "name"], "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 5, 11, 9, 14],
          "symbol-sort-key": ["-", ["get", "population"]], "text-padding": 6,
          "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.5, "text-justify": "auto",
        },
        paint: label(ink.town),
      },
      {
        id: "names", type: "symbol", source: "names", maxzoom: 7,
        layout: {
          "text-field": ["upcase", ["get", "name"]], "text-font": FONT, "text-letter-spacing": 0.12, "text-max-width": 8,
          "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 6, 14], "symbol-sort-key": ["-", ["get", "size"]],
        },
        paint: label(ink.word),
      },
      {
        id: "post-names", type: "symbol", source: "posts",
        layout: {
          "text-field": ["get", "name"], "text-font": FONT, "text-size": 13, "text-radial-offset": 0.9,
          "text-variable-anchor": ["right", "left", "top", "bottom", "top-right", "bottom-left"],
        },
        paint: { ...label(ink.town), "text-halo-width": 2.2 },
      },
      {
        id: "posts", type: "symbol", source: "posts",
        layout: { "text-field": "◆", "text-font": FONT, "text-size": 15, "text-allow-overlap": true },
        paint: { ...label(ink.town), "text-halo-width": 2.2 },
      },
    ],
  };
}

function eventLayers(ink) {
  const areas = { source: "event", "source-layer": "zones" };
  const firm = ["==", ["get", "firm"], true];
  const order = { "fill-sort-key": severity };
  const isArea = ["==", ["geometry-type"], "Polygon"];
  const inside = [">", ["get", "inside"], 0];
  return [
    {
      id: "zones", type: "fill", ...areas, filter: ["all", isArea, firm], layout: order,
      paint: { "fill-color": bySeverity((level) => RAMP[level]), "fill-opacity": ink.zone },
    },
    {
      id: "zones-coarse", type: "fill", ...areas, filter: ["all", isArea, ["!", firm]], layout: order,
      paint: { "fill-pattern": bySeverity((level) => `zone-${level}`), "fill-opacity": 0.7 },
    },
    {
      id: "zone-lines", type: "line", ...areas, filter: ["all", isArea, ["!=", ["get", "kind"], "declared"]],
      paint: { "line-color": ink.rim, "line-width": 0.8, "line-opacity": 0.55 },
    },
    {
      id: "declared-lines", type: "line", ...areas, filter: ["==", ["get", "kind"], "declared"],
      paint: { "line-color": ink.rim, "line-width": 2.6 },
    },
    {
      id: "marks", type: "circle", ...areas, filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": 5, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": ink.rim, "circle-stroke-width": 2.5 },
    },
    {
      id: "possible", type: "fill", source: "event", "source-layer": "exposed", filter: ["!", inside],
      paint: { "fill-pattern": bySeverity((level) => `cell-${level}`) },
    },
    {
      id: "inside", type: "fill", source: "event", "source-layer": "exposed", filter: inside,
      paint: { "fill-color": bySeverity((level) => RAMP[level]) },
    },
    {
      id: "cell-lines", type: "line", source: "event", "source-layer": "exposed",
      paint: { "line-color": ink.rim, "line-width": ["interpolate", ["linear"], ["zoom"], 3, 0.6, 8, 1.2] },
    },
    ...[["counts-possible", ["!", inside]], ["counts-inside", inside]].map(([id, filter]) => ({
      id, type: "symbol", source: "event", "source-layer": "exposed", filter,
      layout: {
        "text-field": ["to-string", ["get", "persons"]], "text-font": FONT, "text-allow-overlap": true, "text-ignore-placement": false,
        "text-size": ["step", ["get", "persons"], 13, 100, 12, 1000, 11], "text-padding": 0,
      },
      paint: id === "counts-inside"
        ? { "text-color": bySeverity((level) => (level >= 3 ? "#ffffff" : "#16181b")) }
        : { "text-color": "#16181b", "text-halo-color": "#ffffff", "text-halo-width": 2 },
    })),
  ];
}

function style(world) {
  const ink = skin();
  const base = baseLayers(ink);
  const made = features(world, "countries");
  const collection = (list) => ({ type: "geojson", data: { type: "FeatureCollection", features: list } });
  const posts = data.posts.map((post) => ({
    type: "Feature", properties: { name: post.name }, geometry: { type: "Point", coordinates: [post.lon, post.lat] },
  }));
  return {
    version: 8,
    sources: {
      countries: collection(made),
      borders: collection([borders(world, "countries")]),
      names: collection(made.map(labelPoint)),
      towns: { type: "geojson", data: "/map/towns.json" },
      posts: collection(posts),
      event: { type: "vector", tiles: [new URL(data.tiles, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}")], maxzoom: 14 },
    },
    layers: [...base.below, ...base.above, ...eventLayers(ink).slice(0, -2), ...base.words, ...eventLayers(ink).slice(-2)],
  };
}

function addPatterns(map) {
  const rim = skin().rim;
  RAMP.forEach((colour, level) => {
    const strong = level === 0 && !dark.matches ? "#8a7a3a" : level === 4 && dark.matches ? "#b9a3c2" : colour;
    for (const [name, image] of [[`cell-${level}`, hatch(strong)], [`zone-${level}`, hatch(strong, 16, 3)]]) {
      if (map.hasImage(name)) map.removeImage(name);
      map.addImage(name, image, { pixelRatio: 2 });
    }
  });
  return rim;
}

function describe(map) {
  const popup = new maplibregl.Popup({ closeButton: false, maxWidth: "260px" });
  const say = (event) => {
    const cell = event.features[0].properties;
    const text = document.createElement("p");
    text.textContent = `${cell.inside} ${words.inside}, ${cell.possible} ${words.possible} · ${words.severity} ${cell.severity}`;
    popup.setLngLat(event.lngLat).setDOMContent(text).addTo(map);
  };
  for (const layer of ["inside", "possible"]) {
    map.on("click", layer, say);
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
}

async function start() {
  const world = await (await fetch("/vendor/world-atlas/countries-50m.json")).json();
  const [west, south, east, north] = data.bounds ?? [-170, -55, 170, 70];
  const map = new maplibregl.Map({
    container: box, style: style(world), bounds: [[west, south], [east, north]],
    fitBoundsOptions: { padding: 48, maxZoom: 9 }, attributionControl: false, dragRotate: false, pitchWithRotate: false,
    fadeDuration: calm ? 0 : 200, localIdeographFontFamily: "system-ui, 'Noto Sans', 'Noto Sans Arabic', sans-serif",
  });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl(), "bottom-right");
  map.touchZoomRotate.disableRotation();
  map.on("styledata", () => { if (!map.hasImage("cell-0")) addPatterns(map); });
  document.getElementById("map-note").remove();
  map.once("idle", () => { box.dataset.state = "idle"; });
  describe(map);
  dark.addEventListener("change", () => map.setStyle(style(world), { diff: false }));
}

start().catch((error) => {
  box.dataset.state = "failed";
  console.error(error);
});
