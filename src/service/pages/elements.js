// Tag, attributes and children → elements of the page, and the few drawings that the pages share.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element; attributes that begin with `on` are listeners, null and false ones are left out. */
export function make(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function draw(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

const ICONS = {
  accept: "M5 12.5l4.5 4.5L19 7.5",
  retake: "M5 12a7 7 0 1 0 2.2-5.1M5 4.5V8.5H9",
  review: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z",
  reject: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  camera: "M4 8.5h3.5L9 6h6l1.5 2.5H20v10H4zM12 10.2a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z",
  phone: "M8 3.5h8v17H8zM11 17.8h2",
  clock: "M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM12 8v4.2l2.8 1.8",
  broken: "M12 7.5v5.5M12 16.2v.1M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z",
  aim: "M4 8.5V5h3.5M16.5 5H20v3.5M20 15.5V19h-3.5M7.5 19H4v-3.5M12 10v4M10 12h4",
};

/** A line drawing that goes with words and says nothing of its own. */
export function icon(name) {
  return draw(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    draw("path", { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" }),
  );
}

const SHEET = "M44 10h72v100H44z";
const CARD = "M20 21a6 6 0 0 1 6-6h108a6 6 0 0 1 6 6v78a6 6 0 0 1-6 6H26a6 6 0 0 1-6-6z";
const SKETCHES = {
  any: [CARD, "M36 34h50M36 50h88M36 66h88M36 82h60"],
  card: [CARD, "M20 36h120M36 56h40M36 72h88M36 86h60"],
  portrait_side: [CARD, "M34 34h34M34 49h44M34 64h38M34 88h92M98 72v-3a8 8 0 0 1 8-8h8a8 8 0 0 1 8 8v3M110 34a9 9 0 1 0 0 18 9 9 0 0 0 0-18z"],
  emblem_side: [CARD, "M46 30a14 14 0 1 0 0 28 14 14 0 0 0 0-28zM76 36h46M76 50h46M44 76h76M44 90h76"],
  passport_page: [CARD, "M34 82h92M34 93h92M76 32h48M76 46h36M76 60h42M36 68v-5a8 8 0 0 1 8-8h8a8 8 0 0 1 8 8v5M48 30a9 9 0 1 0 0 18 9 9 0 0 0 0-18z"],
  licence: [SHEET, "M80 20a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM56 44h48M54 58h52M54 68h52M54 78h30M96 84a8 8 0 1 0 0 16 8 8 0 0 0 0-16z"],
  page: [SHEET, "M56 26h30M56 42h48M56 54h48M56 66h48M56 78h48M56 90h28"],
};

/** A sketch of the document that a step asks for, in the corners of a viewfinder. */
export function sketch(expect) {
  const [outline, inside] = SKETCHES[expect] ?? SKETCHES.any;
  const line = (d, cls) => draw("path", { d, class: cls });
  return draw(
    "svg",
    { class: "sketch", viewBox: "0 0 160 120", "aria-hidden": "true", focusable: "false" },
    line(outline, "sketch-sheet"),
    line(inside, "sketch-print"),
    line("M4 20V8a4 4 0 0 1 4-4h12M140 4h12a4 4 0 0 1 4 4v12M156 100v12a4 4 0 0 1-4 4h-12M20 116H8a4 4 0 0 1-4-4v-12", "sketch-finder"),
  );
}
