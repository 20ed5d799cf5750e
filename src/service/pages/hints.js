// Preview frames {data, width, height} → what to change before the photograph is taken: pure functions, no page.

/** Where hints begin (`on`) and, once shown, end (`off`), so that they do not flicker: set by eye on the committed samples. */
const BY_EYE = {
  far: { on: 0.16, off: 0.2 }, // share of the frame under the document, below
  near: { on: 0.88, off: 0.82 }, // the same, above
  tilt: { on: 0.22, off: 0.16 }, // how much shorter a side is than the opposite one, above
  blur: { on: 2.0, off: 1.6 }, // spread of the edges in pixels of the detail, above
};

/**
 * Where all hints begin and end, given from where on the server asks for another photograph: `dark`, a 95th percentile
 * of luma, and `glare`, a share of the document under a highlight, of which half is warned of. One that the server does
 * not judge by is never shown.
 */
export function limitsFrom({ dark, glare }) {
  return {
    ...BY_EYE,
    dark: { on: Number(dark), off: 1.2 * dark }, // below
    glare: { on: 0.5 * glare, off: 0.3 * glare }, // share under the largest compact highlight, above
  };
}

/** Luma of every pixel, 0 to 255. */
export function lumaOf({ data, width, height }) {
  const luma = new Float32Array(width * height);
  for (let i = 0, p = 0; i < luma.length; i++, p += 4) luma[i] = 0.299 * data[p] + 0.587 * data[p + 1] + 0.114 * data[p + 2];
  return luma;
}

/** The value below which `share` of the luma lies. */
export function percentile(luma, share) {
  const counts = new Uint32Array(256);
  for (const value of luma) counts[Math.min(255, Math.max(0, Math.round(value)))]++;
  let left = share * luma.length;
  for (let value = 0; value < 256; value++) {
    left -= counts[value];
    if (left <= 0) return value;
  }
  return 255;
}

/** Mean over 3 × 3 pixels: a preview's noise would otherwise be edges. */
export function smoothed(luma, width, height) {
  const rows = new Float32Array(luma.length);
  const both = new Float32Array(luma.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      rows[i] = (luma[x > 0 ? i - 1 : i] + luma[i] + luma[x < width - 1 ? i + 1 : i]) / 3;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      both[i] = (rows[y > 0 ? i - width : i] + rows[i] + rows[y < height - 1 ? i + width : i]) / 3;
    }
  }
  return both;
}

/** Area of a polygon in square pixels. */
export function areaOf(polygon) {
  let sum = 0;
  polygon.forEach(([x, y], i) => {
    const [nx, ny] = polygon[(i + 1) % polygon.length];
    sum += x * ny - nx * y;
  });
  return Math.abs(sum) / 2;
}

/** The level a pixel from which a slope is an edge: what the frame's rim shows is mostly the table's own texture. */
function edgeThreshold(slope, width, height) {
  const rim = [];
  const band = Math.round(Math.min(width, height) * 0.06) + 1;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      if (x < band || y < band || x >= width - band || y >= height - band) rim.push(slope[y * width + x]);
    }
  }
  rim.sort((a, b) => a - b);
  return Math.min(12, Math.max(3, 2 * rim[Math.floor(rim.length * 0.6)]));
}

const TURN_DEG = 30;
const STEP_DEG = 2;
const LINES = 9;

/**
 * The strongest straight edges that are roughly upright (`across` false) or level (true), as {c, s}: a point lies on
 * one where u = c + s · v, with u the x and v the y for upright ones, and the other way round for level ones. Every
 * edge pixel votes only for lines along its own edge, which keeps print from adding up to borders.
 */
function strongestLines(gx, gy, slope, threshold, width, height, across) {
  const [ulen, vlen] = across ? [height, width] : [width, height];
  const turns = (2 * TURN_DEG) / STEP_DEG + 1;
  const slants = Array.from({ length: turns }, (_, t) => Math.tan(((t * STEP_DEG - TURN_DEG) * Math.PI) / 180));
  // c is counted at the middle of v, where lines of every slant spread least.
  const pad = ulen >> 2;
  const bins = (ulen + 2 * pad) >> 1;
  const votes = new Float32Array(turns * bins);
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      const i = y * width + x;
      if (slope[i] < threshold) continue;
      const [gu, gv] = across ? [gy[i], gx[i]] : [gx[i], gy[i]];
      if (Math.abs(gu) < Math.abs(gv)) continue;
      const [u, v] = across ? [y, x] : [x, y];
      const own = Math.round((Math.atan(-gv / gu) * 180) / Math.PI / STEP_DEG) + TURN_DEG / STEP_DEG;
      for (let t = Math.max(0, own - 4); t <= Math.min(turns - 1, own + 4); t++) {
        const bin = Math.round((u - slants[t] * (v - vlen / 2) + pad) / 2);
        if (bin >= 0 && bin < bins) votes[t * bins + bin] += 1;
      }
    }
  }
  const lines = [];
  for (let n = 0; n < LINES; n++) {
    let best = 0;
    for (let i = 1; i < votes.length; i++) if (votes[i] > votes[best]) best = i;
    if (votes[best] < vlen * 0.12) break;
    const t = Math.floor(best / bins);
    const bin = best % bins;
    const slant = slants[t];
    lines.push({ s: slant, c: bin * 2 - pad - slant * (vlen / 2), edge: true });
    for (let dt = -5; dt <= 5; dt++) {
      for (let db = -3; db <= 3; db++) {
        if (t + dt >= 0 && t + dt < turns && bin + db >= 0 && bin + db < bins) votes[(t + dt) * bins + bin + db] = 0;
      }
    }
  }
  return lines;
}

/** Where an upright line x = c + s · y meets a level one y = c + s · x. */
function meeting(upright, level) {
  const x = (upright.c + upright.s * level.c) / (1 - upright.s * level.s);
  return [x, level.c + level.s * x];
}

/** Share of the way between two points along which there is an edge. */
function supportOf(from, to, near, width, height) {
  const steps = Math.max(4, Math.round(Math.hypot(to[0] - from[0], to[1] - from[1]) / 2));
  let held = 0;
  // The ends are left out: corners are round.
  const first = Math.ceil(steps * 0.05);
  for (let s = first; s <= steps - first; s++) {
    const x = Math.round(from[0] + ((to[0] - from[0]) * s) / steps);
    const y = Math.round(from[1] + ((to[1] - from[1]) * s) / steps);
    if (x >= 0 && y >= 0 && x < width && y < height && near[y * width + x]) held++;
  }
  return held / (steps - 2 * first + 1);
}

/** How far beyond a corner a side is followed. */
const BEYOND_PX = 14;

/** What counts for a quadrilateral that uses a side of the frame, for each such side. */
const TOUCHING = 0.65;

/** Whether the edge from `from` to `to` goes on beyond `to`, so that no corner is there; null where the frame ends first. */
function goesOn(from, to, near, width, height) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  let seen = 0;
  let held = 0;
  // The first pixels beyond a corner still lie on the other side's edge.
  for (let d = 4; d <= BEYOND_PX; d++) {
    const x = Math.round(to[0] + ((to[0] - from[0]) * d) / length);
    const y = Math.round(to[1] + ((to[1] - from[1]) * d) / length);
    if (x < 2 || y < 2 || x >= width - 2 || y >= height - 2) break;
    seen++;
    if (near[y * width + x]) held++;
  }
  return seen < 4 ? null : held >= seen * 0.8;
}

/** Levels by which document and table must differ for a side to count in full, and what counts for one that does not. */
const STEP_LEVELS = 6;
const SAME_BOTH_SIDES = 0.4;

/** Whether the frame is as bright on both sides of an edge: a line of print rather than a border. */
function sameBothSides(from, to, even, width, height) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const [nx, ny] = [(to[1] - from[1]) / length, (from[0] - to[0]) / length];
  let sum = 0;
  let count = 0;
  for (let s = 0.1; s < 0.91; s += 0.05) {
    for (const d of [4, 6, 8]) {
      const at = (sign) => {
        const x = Math.round(from[0] + (to[0] - from[0]) * s + sign * d * nx);
        const y = Math.round(from[1] + (to[1] - from[1]) * s + sign * d * ny);
        return x >= 0 && y >= 0 && x < width && y < height ? even[y * width + x] : null;
      };
      const [one, other] = [at(1), at(-1)];
      if (one === null || other === null) continue;
      sum += one - other;
      count++;
    }
  }
  return count > 8 && Math.abs(sum / count) < STEP_LEVELS;
}

/**
 * The document of a frame, the largest quadrilateral with an edge along its sides: `corners` (pixels, clockwise from
 * the upper left), `fill` (share of the frame), `touches` (sides that lie outside the frame). Null where nothing looks
 * like one. A document turned by more than 30 degrees is not looked for.
 */
export function findDocument(luma, width, height) {
  const even = smoothed(luma, width, height);
  const gx = new Float32Array(luma.length);
  const gy = new Float32Array(luma.length);
  const slope = new Float32Array(luma.length);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      gx[i] = (even[i + 1] - even[i - 1]) / 2;
      gy[i] = (even[i + width] - even[i - width]) / 2;
      slope[i] = Math.hypot(gx[i], gy[i]);
    }
  }
  const threshold = edgeThreshold(slope, width, height);
  // Edges of either direction, two pixels wide on each side: lines are found to two pixels.
  const nearUpright = new Uint8Array(luma.length);
  const nearLevel = new Uint8Array(luma.length);
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      const i = y * width + x;
      if (slope[i] < threshold) continue;
      if (Math.abs(gx[i]) >= Math.abs(gy[i])) for (let d = -2; d <= 2; d++) nearUpright[i + d] = 1;
      else for (let d = -2; d <= 2; d++) nearLevel[i + d * width] = 1;
    }
  }
  const uprights = strongestLines(gx, gy, slope, threshold, width, height, false);
  const levels = strongestLines(gx, gy, slope, threshold, width, height, true);
  // The frame's own sides stand in for those of a document that reaches beyond it.
  uprights.push({ c: 0, s: 0, edge: false }, { c: width - 1, s: 0, edge: false });
  levels.push({ c: 0, s: 0, edge: false }, { c: height - 1, s: 0, edge: false });
  const at = (line, half) => line.c + line.s * half;
  let best = null;
  for (const left of uprights) {
    for (const right of uprights) {
      if (at(right, height / 2) - at(left, height / 2) < width * 0.12) continue;
      for (const top of levels) {
        for (const bottom of levels) {
          if (at(bottom, width / 2) - at(top, width / 2) < height * 0.12) continue;
          const touches = [left, top, right, bottom].filter((line) => !line.edge).length;
          if (touches > 2) continue;
          const corners = [meeting(left, top), meeting(right, top), meeting(right, bottom), meeting(left, bottom)];
          if (corners.some(([x, y]) => x < -2 || y < -2 || x > width + 1 || y > height + 1)) continue;
          const fill = areaOf(corners) / (width * height);
          // Whatever the support, this one could not win.
          const weight = fill * TOUCHING ** touches;
          if (fill < 0.02 || (best && weight <= best.score)) continue;
          const sides = [
            [left, 3, 0, nearUpright],
            [top, 0, 1, nearLevel],
            [right, 1, 2, nearUpright],
            [bottom, 2, 3, nearLevel],
          ].filter(([line]) => line.edge);
          const supports = sides.map(([, from, to, near]) => supportOf(corners[from], corners[to], near, width, height));
          const mean = supports.reduce((sum, support) => sum + support, 0) / supports.length;
          if (Math.min(...supports) < 0.5 || mean < 0.7) continue;
          let score = weight * mean ** 3;
          for (const [, from, to] of sides) {
            if (best && score <= best.score) break;
            if (sameBothSides(corners[from], corners[to], even, width, height)) score *= SAME_BOTH_SIDES;
          }
          if (best && score <= best.score) continue;
          // Two opposite sides that go on past the third show a line of print or an ornament, not the document's end.
          const past = ([line, from, to, near], turned) =>
            line.edge ? goesOn(corners[turned ? to : from], corners[turned ? from : to], near, width, height) : null;
          const L = [left, 3, 0, nearUpright];
          const R = [right, 2, 1, nearUpright];
          const T = [top, 0, 1, nearLevel];
          const B = [bottom, 3, 2, nearLevel];
          const open = [[L, R], [T, B]].some(([a, b]) =>
            [false, true].some((turned) => {
              const both = [past(a, turned), past(b, turned)];
              return both.includes(true) && !both.includes(false);
            }),
          );
          if (!open) best = { corners, fill, touches, score };
        }
      }
    }
  }
  return best && isPart(best, slope, threshold, width, height) ? null : best;
}

/** Whether a small quadrilateral is only a box within a page that fills the frame: most print then lies outside it. */
function isPart({ corners, fill }, slope, threshold, width, height) {
  if (fill > 0.2) return false;
  let all = 0;
  let outside = 0;
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      if (slope[y * width + x] < threshold) continue;
      all++;
      if (!contains(corners, x, y)) outside++;
    }
  }
  return outside > all * 0.7;
}

/**
 * How much shorter one side is than the opposite one, 0 to 1. The phone's own inclination would say less: a document
 * held in the hand is seldom level.
 */
export function tiltOf(corners) {
  const side = (i) => Math.hypot(corners[(i + 1) % 4][0] - corners[i][0], corners[(i + 1) % 4][1] - corners[i][1]);
  const gap = (a, b) => 1 - Math.min(a, b) / Math.max(a, b, 1);
  return Math.max(gap(side(0), side(2)), gap(side(1), side(3)));
}

const cross = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

/** Whether a point lies in a convex polygon. */
export function contains(polygon, x, y) {
  let sign = 0;
  for (let i = 0; i < polygon.length; i++) {
    const turn = cross(polygon[i], polygon[(i + 1) % polygon.length], [x, y]);
    if (turn !== 0) {
      if (sign !== 0 && Math.sign(turn) !== sign) return false;
      sign = Math.sign(turn);
    }
  }
  return true;
}

/**
 * Share of the document under its largest compact highlight. Blown-out paper all over is no reflection but exposure,
 * and lines of white between print are not compact.
 */
export function glareIn({ data, width, height }, corners) {
  const blown = new Uint8Array(width * height);
  let area = 0;
  let total = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!contains(corners, x, y)) continue;
      area++;
      const p = (y * width + x) * 4;
      if (Math.min(data[p], data[p + 1], data[p + 2]) >= 248) {
        blown[y * width + x] = 1;
        total++;
      }
    }
  }
  if (area === 0 || total > area * 0.4) return 0;
  let largest = 0;
  for (let start = 0; start < blown.length; start++) {
    if (blown[start] !== 1) continue;
    const spot = [start];
    blown[start] = 2;
    let [left, right, top, bottom] = [width, 0, height, 0];
    for (let at = 0; at < spot.length; at++) {
      const x = spot[at] % width;
      const y = (spot[at] - x) / width;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      for (const [nx, ny] of [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]) {
        if (nx < 0 || ny < 0 || nx >= width || ny >= height || blown[ny * width + nx] !== 1) continue;
        blown[ny * width + nx] = 2;
        spot.push(ny * width + nx);
      }
    }
    const box = (right - left + 1) * (bottom - top + 1);
    if (spot.length / box > 0.35) largest = Math.max(largest, spot.length);
  }
  return largest / area;
}

/** Half the size, each pixel the mean of four. */
function halved(luma, width, height) {
  const [w, h] = [width >> 1, height >> 1];
  const small = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const i = 2 * y * width + 2 * x;
      small[y * w + x] = (luma[i] + luma[i + 1] + luma[i + width] + luma[i + width + 1]) / 4;
    }
  }
  return [small, w, h];
}

/** Below this many levels a pixel a slope is noise as much as print. */
const NOISE_SLOPE = 4;

/**
 * Spread of the edges in pixels, or null where there are too few to tell. For an edge blurred by a Gaussian of σ the
 * mean square of the Laplacian over that of the gradient is 1 / 2σ², whatever the contrast. Edges too flat to stand
 * out from noise are sought again at half and at a quarter of the size.
 */
export function blurOf(detail) {
  let [luma, width, height] = [lumaOf(detail), detail.width, detail.height];
  for (let scale = 1; scale <= 8; scale *= 2) {
    let slope = 0;
    let bend = 0;
    let count = 0;
    for (let y = 1; y < height - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const i = y * width + x;
        const dx = (luma[i + 1] - luma[i - 1]) / 2;
        const dy = (luma[i + width] - luma[i - width]) / 2;
        const square = dx * dx + dy * dy;
        if (square < NOISE_SLOPE ** 2) continue;
        const laplacian = luma[i + 1] + luma[i - 1] + luma[i + width] + luma[i - width] - 4 * luma[i];
        slope += square;
        bend += laplacian * laplacian;
        count++;
      }
    }
    if (count >= width * height * 0.01) return scale * Math.sqrt(slope / (2 * Math.max(bend, 1e-6)));
    [luma, width, height] = halved(luma, width, height);
  }
  return null;
}

/** What a frame shows; `detail` is a piece of its middle at the camera's own resolution, for the sharpness. */
export function measure(frame, detail) {
  const luma = lumaOf(frame);
  const found = findDocument(luma, frame.width, frame.height);
  return {
    bright: percentile(luma, 0.95),
    fill: found ? found.fill : null,
    touches: found ? found.touches : 0,
    tilt: found ? tiltOf(found.corners) : null,
    glare: found ? glareIn(frame, found.corners) : null,
    blur: detail ? blurOf(detail) : null,
  };
}

/** The one hint for what was measured, the worst; `shown` is the hint that stands on the page now. */
export function hintFor(measures, shown, limits) {
  const { bright, fill, touches, tilt, glare, blur } = measures;
  const limit = (name, hint) => limits[name][shown === hint ? "off" : "on"];
  // Without light or a document the other figures say nothing.
  if (bright < limit("dark", "dark")) return "dark";
  if (fill === null) return "no_document";
  const near = limit("near", "too_near");
  const excess = [
    ["too_near", touches > 0 ? 3 : fill / near],
    ["too_far", limit("far", "too_far") / Math.max(fill, 0.01)],
    ["glare", glare / limit("glare", "glare")],
    ["blurred", blur === null ? 0 : blur / limit("blur", "blurred")],
    ["tilted", tilt / limit("tilt", "tilted")],
  ].filter(([, over]) => over > 1);
  if (excess.length === 0) return "good";
  return excess.reduce((worst, next) => (next[1] > worst[1] ? next : worst))[0];
}

/** Keeps hints calm: a new one must hold for a while, and one stands at least a second. */
export class CalmHint {
  #shown = "looking";
  #since_ms = Number.NEGATIVE_INFINITY;
  #next = null;
  #nextSince_ms = 0;

  /** The hint that stands on the page. */
  get shown() {
    return this.#shown;
  }

  /** Takes the hint of the frame at `now_ms`; returns the one to show. */
  take(hint, now_ms) {
    if (hint === this.#shown) {
      this.#next = null;
    } else if (hint !== this.#next) {
      this.#next = hint;
      this.#nextSince_ms = now_ms;
    } else if (now_ms - this.#nextSince_ms >= 400 && now_ms - this.#since_ms >= 1000) {
      this.#shown = hint;
      this.#since_ms = now_ms;
      this.#next = null;
    }
    return this.#shown;
  }
}
