// TopoJSON (specification 1.0) to GeoJSON, as far as world-atlas needs it: quantised arcs, polygons, no points.

/** The arcs in degrees: each is a chain of integer steps, scaled and moved. */
function decodeArcs(topology) {
  const { scale, translate } = topology.transform;
  return topology.arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
}

/** A ring of arcs; ~i is arc i backwards; each arc begins where the one before it ended. */
function ring(indices, arcs) {
  const points = [];
  for (const index of indices) {
    const arc = index < 0 ? arcs[~index].toReversed() : arcs[index];
    points.push(...(points.length ? arc.slice(1) : arc));
  }
  return unrolled(points);
}

/**
 * The file is stitched: a ring runs on from 179.9 to -179.9, and Antarctica's round the pole. Here it keeps its way
 * beyond 180 (the map repeats it on the other side), and a ring that comes home 360 degrees away is led by the pole.
 */
function unrolled(points) {
  let turn = 0;
  const run = points.map(([x, y], at) => {
    const step = at ? x - points[at - 1][0] : 0;
    if (step > 180) turn -= 360;
    if (step < -180) turn += 360;
    return [x + turn, y];
  });
  const first = run[0];
  const last = run[run.length - 1];
  if (Math.abs(last[0] - first[0]) > 180) {
    const pole = first[1] < 0 ? -89.9 : 89.9;
    run.push([last[0], pole], [first[0], pole], first);
  }
  return run;
}

/** Every geometry of `topology.objects[name]` as a feature with its id and name. */
export function features(topology, name) {
  const arcs = decodeArcs(topology);
  return topology.objects[name].geometries
    .filter((item) => item.type === "Polygon" || item.type === "MultiPolygon")
    .map((item) => {
      const polygons = item.type === "Polygon" ? [item.arcs] : item.arcs;
      return {
        type: "Feature",
        id: Number(item.id) || undefined,
        properties: { id: item.id ?? "", name: item.properties.name },
        geometry: {
          type: "MultiPolygon",
          coordinates: polygons.map((rings) => rings.map((indices) => ring(indices, arcs))),
        },
      };
    });
}

/** Lines that belong to two countries: shared arcs, drawn once. Coasts belong to one. */
export function borders(topology, name) {
  const uses = new Map();
  for (const item of topology.objects[name].geometries) {
    for (const index of (item.arcs ?? []).flat(3)) {
      const arc = index < 0 ? ~index : index;
      uses.set(arc, (uses.get(arc) ?? 0) + 1);
    }
  }
  const arcs = decodeArcs(topology);
  const shared = [...uses].filter(([, times]) => times > 1).map(([arc]) => unrolled(arcs[arc]));
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: shared } };
}

/** A point at which a name can stand: the middle of the box of the largest part. */
export function labelPoint(feature) {
  let best = null;
  for (const [outer] of feature.geometry.coordinates) {
    const xs = outer.map((point) => point[0]);
    const ys = outer.map((point) => point[1]);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const size = (box[2] - box[0]) * (box[3] - box[1]);
    if (!best || size > best.size) best = { size, x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2 };
  }
  return {
    type: "Feature",
    properties: { name: feature.properties.name, size: best.size },
    geometry: { type: "Point", coordinates: [best.x, best.y] },
  };
}
