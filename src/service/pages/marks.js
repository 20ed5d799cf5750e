// Report → the document's outline and the reasons' places, numbered, as a drawing that lies over the photograph.

import { draw } from "./elements.js";

/** The reasons of a report, each sentence once, numbered where the report says a place for it. */
export function reasonsOf(report, lang) {
  const seen = new Map();
  for (const reason of report?.reasons ?? []) {
    const text = (lang === "zh" ? reason.zh : reason.en) || reason.en || reason.code;
    const polygon = usable(reason.polygon) ? reason.polygon : null;
    const before = seen.get(text);
    if (before) before.polygon ??= polygon;
    else seen.set(text, { code: reason.code, action: reason.action, text, polygon, number: null });
  }
  const reasons = [...seen.values()];
  let number = 0;
  for (const reason of reasons) {
    if (reason.polygon) reason.number = ++number;
  }
  return reasons;
}

function usable(polygon) {
  return Array.isArray(polygon) && polygon.length >= 3 && polygon.every((point) => point.every(Number.isFinite));
}

/** Where the numbers stand: at each polygon's upper left, inside the picture and clear of the numbers before. */
export function labelPlaces(polygons, width, height, radius) {
  const places = [];
  for (const polygon of polygons) {
    let [x, y] = polygon.reduce((best, point) => (point[0] + point[1] < best[0] + best[1] ? point : best));
    x = Math.min(Math.max(x, radius), width - radius);
    y = Math.min(Math.max(y, radius), height - radius);
    while (places.some(([px, py]) => Math.hypot(px - x, py - y) < 2.2 * radius) && x + 3.2 * radius < width) x += 2.3 * radius;
    places.push([x, y]);
  }
  return places;
}

/** Whether a picture that the browser shows has the report's orientation, so that its polygons fit. */
export function fits(report, shownWidth, shownHeight) {
  if (!(report?.width > 0 && report?.height > 0 && shownWidth > 0 && shownHeight > 0)) return false;
  return Math.abs(shownWidth / shownHeight / (report.width / report.height) - 1) < 0.02;
}

function drawing({ width, height }, ...children) {
  return draw(
    "svg",
    { class: "marks", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
    ...children,
  );
}

function labels({ width, height }, reasons) {
  const placed = reasons.filter((reason) => reason.polygon);
  const radius = Math.min(width, height) * 0.045;
  const places = labelPlaces(placed.map((reason) => reason.polygon), width, height, radius);
  return placed.map((reason, at) => {
    const [x, y] = places[at];
    return draw(
      "g",
      { class: `mark-label mark-${reason.action}` },
      draw("circle", { cx: x, cy: y, r: radius }),
      draw("text", { x, y, "font-size": radius * 1.25, "text-anchor": "middle", "dominant-baseline": "central" }, String(reason.number)),
    );
  });
}

/** The numbers alone, in the report's pixels, for a picture on which the server has drawn the outlines. */
export function drawNumbers(report, reasons) {
  return drawing(report, labels(report, reasons));
}

/** Outlines and numbers, in the report's pixels; a screen reader has the list of reasons instead. */
export function drawMarks(report, reasons) {
  const path = (polygon) => polygon.map((point) => point.map((v) => Math.round(v * 10) / 10).join(",")).join(" ");
  const shape = (points, cls) => draw("polygon", { points, class: cls, "vector-effect": "non-scaling-stroke" });
  // A dark line under the bright one is seen on any photograph.
  const both = (polygon, cls) => [shape(path(polygon), "mark-casing"), shape(path(polygon), cls)];
  const corners = report.document?.corners;
  return drawing(
    report,
    reasons.filter((reason) => reason.polygon).map((reason) => both(reason.polygon, `mark mark-${reason.action}`)),
    usable(corners) ? both(corners, "mark-document") : null,
    labels(report, reasons),
  );
}
