// Unit tests of the pages' pure parts, and of rules that hold for every page file. `node --test`, Node 20.19 or newer.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const PAGES = new URL("../../src/service/pages/", import.meta.url);
const load = (name) => import(new URL(name, PAGES));
const { CalmHint, areaOf, blurOf, findDocument, glareIn, hintFor, limitsFrom, lumaOf, measure, percentile, tiltOf } = await load("hints.js");
const { fits, labelPlaces, reasonsOf } = await load("marks.js");
const { splitEvents } = await load("session.js");
const { WORDS, languageFrom, words } = await load("words.js");

// ------------------------------------------------------------------ frames

/** A number from 0 to 1 that follows from the seed: noise that is the same in every run. */
function noise(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const inside = (corners, x, y) =>
  corners.every(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % 4];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0;
  });

/** A light card with print on a darker table, `level` scaling all of it, and a little noise. */
function frame({ width = 240, height = 180, corners, table = 90, card = 200, level = 1, spot = null, texture = 0 }) {
  const next = noise(7);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let value = table + texture * (next() - 0.5);
      if (corners && inside(corners, x, y)) value = y % 12 < 3 && x % 7 < 4 ? 70 : card;
      value = value * level + 4 * (next() - 0.5);
      if (spot && Math.hypot(x - spot[0], y - spot[1]) < spot[2]) value = 255;
      data.set([value, value, value, 255], (y * width + x) * 4);
    }
  }
  return { data, width, height };
}

/** As the shipped policy has them. */
const LIMITS = limitsFrom({ dark: 60, glare: 0.05 });

const square = (left, top, right, bottom) => [[left, top], [right, top], [right, bottom], [left, bottom]];
const CARD = square(45, 40, 195, 135);

/** Stripes whose edges are spread by a Gaussian of `sigma` pixels. */
function stripes(sigma, width = 160, height = 120) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let value = 0;
      let weight = 0;
      for (let d = -30; d <= 30; d++) {
        const share = Math.exp((-d * d) / (2 * sigma * sigma));
        value += share * (Math.floor((x + d + 400) / 40) % 2 ? 200 : 60);
        weight += share;
      }
      data.set([value / weight, value / weight, value / weight, 255], (y * width + x) * 4);
    }
  }
  return { data, width, height };
}

test("a card is found to about two pixels, turned and seen from the side too", () => {
  for (const corners of [CARD, [[60, 30], [200, 50], [188, 140], [42, 120]], [[70, 40], [180, 42], [215, 150], [30, 148]]]) {
    const picture = frame({ corners, texture: 12 });
    const found = findDocument(lumaOf(picture), picture.width, picture.height);
    assert.ok(found, JSON.stringify(corners));
    found.corners.forEach(([x, y], i) => assert.ok(Math.hypot(x - corners[i][0], y - corners[i][1]) < 5, `${x},${y} for ${corners[i]}`));
    assert.ok(Math.abs(found.fill - areaOf(corners) / (240 * 180)) < 0.02);
    assert.equal(found.touches, 0);
  }
});

test("an empty table holds no document, smooth or grainy", () => {
  for (const texture of [0, 60]) {
    const picture = frame({ texture });
    assert.equal(findDocument(lumaOf(picture), picture.width, picture.height), null);
  }
});

test("a card that reaches beyond the frame is said to touch it", () => {
  const picture = frame({ corners: square(-10, 40, 195, 135) });
  assert.equal(findDocument(lumaOf(picture), picture.width, picture.height)?.touches, 1);
});

test("lines of print are not taken for the ends of a page that reaches beyond the frame", () => {
  const picture = frame({ corners: square(45, -20, 195, 200) });
  for (const row of [30, 140]) {
    for (let x = 50; x < 190; x++) picture.data.set([60, 60, 60, 255], (row * 240 + x) * 4);
  }
  assert.equal(findDocument(lumaOf(picture), picture.width, picture.height)?.touches, 2);
});

test("tilt is how much shorter a side is than the opposite one", () => {
  assert.equal(tiltOf(CARD), 0);
  assert.ok(Math.abs(tiltOf([[20, 0], [80, 0], [100, 60], [0, 60]]) - 0.4) < 1e-9);
});

test("glare is a compact highlight: neither white paper nor its lines", () => {
  assert.ok(glareIn(frame({ corners: CARD, spot: [120, 80, 18] }), CARD) > 0.05);
  assert.equal(glareIn(frame({ corners: CARD }), CARD), 0);
  assert.equal(glareIn(frame({ corners: CARD, card: 255 }), CARD), 0);
});

test("blur is measured in pixels, whatever the contrast", () => {
  for (const sigma of [1.5, 3, 5]) {
    const seen = blurOf(stripes(sigma));
    assert.ok(seen > sigma * 0.75 && seen < sigma * 1.25, `${seen} for ${sigma}`);
  }
  assert.equal(blurOf(frame({})), null, "an empty table says nothing of sharpness");
});

test("each fault gives its hint, and none gives the good one", () => {
  const sharp = frame({ width: 320, height: 240, corners: square(-1, -1, 330, 250) });
  const hint = (picture, detail = sharp, limits = LIMITS) => hintFor(measure(picture, detail), null, limits);
  assert.equal(hint(frame({ corners: CARD })), "good");
  assert.equal(hint(frame({ corners: CARD, level: 0.2 })), "dark");
  assert.equal(hint(frame({})), "no_document");
  assert.equal(hint(frame({ corners: square(95, 75, 145, 107) })), "too_far");
  assert.equal(hint(frame({ corners: square(3, 3, 236, 176) })), "too_near");
  assert.equal(hint(frame({ corners: square(-10, 30, 195, 150) })), "too_near");
  assert.equal(hint(frame({ corners: [[80, 35], [160, 35], [200, 140], [40, 140]] })), "tilted");
  assert.equal(hint(frame({ corners: CARD, spot: [120, 80, 16] })), "glare");
  assert.equal(hint(frame({ corners: CARD }), stripes(4)), "blurred");
});

test("what the server does not judge by is not warned of", () => {
  const sharp = frame({ width: 320, height: 240, corners: square(-1, -1, 330, 250) });
  const hint = (picture, limits) => hintFor(measure(picture, sharp), null, limits);
  const [dark, glaring] = [frame({ corners: CARD, level: 0.2 }), frame({ corners: CARD, spot: [120, 80, 16] })];
  const none = limitsFrom({});
  assert.notEqual(hint(dark, none), "dark");
  assert.equal(hint(glaring, none), "good");
  assert.equal(hint(glaring, limitsFrom({ dark: "60", glare: "0.9" })), "good", "attributes are text");
});

test("a hint that stands ends later than it begins", () => {
  const measures = { bright: 200, fill: 0.18, touches: 0, tilt: 0, glare: 0, blur: 1 };
  assert.equal(hintFor(measures, "good", LIMITS), "good");
  assert.equal(hintFor(measures, "too_far", LIMITS), "too_far");
});

test("hints change calmly: not for one frame, and at most once a second", () => {
  const calm = new CalmHint();
  assert.equal(calm.take("dark", 0), "looking");
  assert.equal(calm.take("dark", 200), "looking");
  assert.equal(calm.take("dark", 400), "dark");
  let changes = 0;
  let before = calm.shown;
  for (let now_ms = 600; now_ms < 10_600; now_ms += 200) {
    const shown = calm.take(Math.floor(now_ms / 600) % 2 ? "glare" : "good", now_ms);
    if (shown !== before) changes++;
    before = shown;
  }
  assert.ok(changes <= 10, `${changes} changes in 10 s`);
  const steady = new CalmHint();
  for (let now_ms = 0; now_ms <= 400; now_ms += 200) steady.take("glare", now_ms);
  steady.take("good", 500);
  assert.equal(steady.take("good", 900), "glare", "a hint stands a second");
  assert.equal(steady.take("good", 1400), "good");
});

test("percentiles", () => {
  assert.equal(percentile(new Float32Array([10, 20, 30, 40]), 0.5), 20);
  assert.equal(percentile(new Float32Array([10, 20, 30, 300]), 1), 255);
});

// ------------------------------------------------------------------ marks

test("reasons are told once each, in the page's language, and numbered where they have a place", () => {
  const polygon = [[0, 0], [10, 0], [10, 10]];
  const report = {
    reasons: [
      { code: "glare", action: "retake", en: "A.", zh: "甲。", polygon: null },
      { code: "glare", action: "retake", en: "A.", zh: "甲。", polygon },
      { code: "dark", action: "retake", en: "B.", zh: "乙。", polygon: [[0, 0], [1, 1]] },
      { code: "tilted", action: "retake", en: "C.", zh: "丙。", polygon },
    ],
  };
  assert.deepEqual(reasonsOf(report, "zh").map(({ text, number }) => [text, number]), [["甲。", 1], ["乙。", null], ["丙。", 2]]);
  assert.deepEqual(reasonsOf(null, "en"), []);
});

test("numbers stand inside the picture and not on each other", () => {
  const polygon = [[-20, -20], [50, 0], [50, 50]];
  const places = labelPlaces([polygon, polygon, polygon], 400, 300, 10);
  for (const [x, y] of places) assert.ok(x >= 10 && y >= 10 && x <= 390 && y <= 290);
  assert.equal(new Set(places.map(String)).size, 3);
});

test("a picture that is shown otherwise than judged does not fit", () => {
  const report = { width: 3000, height: 4000 };
  assert.ok(fits(report, 750, 1000));
  assert.ok(!fits(report, 1000, 750));
  assert.ok(!fits(null, 1000, 750));
});

// ------------------------------------------------------------------ events

test("events are split wherever the network cuts them", () => {
  const stream = ': hello\n\nevent: session\ndata: {"a":1}\n\n: quiet\r\n\r\nevent: session\r\ndata: {"a":2}\r\n\r\n';
  for (let cut = 0; cut <= stream.length; cut++) {
    const [first, rest] = splitEvents(stream.slice(0, cut));
    const [second, end] = splitEvents(rest + stream.slice(cut));
    assert.deepEqual([...first, ...second].map((event) => event.data), ['{"a":1}', '{"a":2}'], `cut at ${cut}`);
    assert.equal(end, "");
  }
});

// ------------------------------------------------------------------ words and files

const files = readdirSync(PAGES).filter((name) => /\.(css|html|js)$/.test(name)).map((name) => ({ name, text: readFileSync(new URL(name, PAGES), "utf8") }));

test("both languages have the same words with the same blanks, and none is missing or unused", () => {
  assert.deepEqual(Object.keys(WORDS.en), Object.keys(WORDS.zh));
  for (const [key, text] of Object.entries(WORDS.en)) {
    const blanks = (line) => (line.match(/\{\w+\}/g) ?? []).sort().join();
    assert.equal(blanks(text), blanks(WORDS.zh[key]), key);
    assert.ok(/[^\x00-\x7f]/.test(WORDS.zh[key]) || key === "other_language", key);
  }
  const code = files.filter(({ name }) => name !== "words.js").map(({ text }) => text).join("\n");
  const literal = new Set([...code.matchAll(/["`](\w+)["`]/g)].map((match) => match[1]));
  const prefixes = [...code.matchAll(/`([a-z_]+_)\$\{/g)].map((match) => match[1]).concat("step_");
  const built = (key) => prefixes.some((prefix) => key.startsWith(prefix)) || /_(short|title|text|note)$/.test(key) || /^(accept|retake|review|reject)$/.test(key);
  assert.deepEqual(Object.keys(WORDS.en).filter((key) => !literal.has(key) && !built(key)), [], "unused");
  const said = [...code.matchAll(/\bsay\("(\w+)"/g)].map((match) => match[1]);
  assert.deepEqual(said.filter((key) => !(key in WORDS.en)), [], "missing");
});

test("the language: the switch, then the session, then the browser", () => {
  assert.equal(languageFrom("en", "zh", "zh-CN"), "en");
  assert.equal(languageFrom(null, "zh", "en"), "zh");
  assert.equal(languageFrom(null, null, "zh-Hant-TW"), "zh");
  assert.equal(languageFrom(null, "fr", "fr-FR"), "en");
  assert.equal(words("en", "step_of", { n: 1, all: 2 }), "Step 1 of 2");
});

test("page files: a first line that says what they are, nothing inline, nothing from elsewhere", () => {
  assert.ok(files.length > 8);
  for (const { name, text } of files) {
    const [first, second] = text.split("\n");
    const comment = name.endsWith(".html") ? second : first;
    assert.match(comment, /^(\/\/|\/\*|<!--) ?\S+/, name);
    assert.doesNotMatch(text, /\bstyle=|\bon[a-z]+="|<style|javascript:|innerHTML|@import/, name);
    assert.doesNotMatch(text.replaceAll("http://www.w3.org/2000/svg", ""), /https?:\/\//, name);
    for (const [, used] of text.matchAll(/(?:from "\.\/|"\/assets\/)([\w.]+)"/g)) {
      assert.ok(files.some((file) => file.name === used), `${name} uses ${used}`);
    }
  }
});
