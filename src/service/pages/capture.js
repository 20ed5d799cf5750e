// The computer's page: makes a session or watches one, shows the code, then each photograph's verdict as it comes.

import { icon, make, sketch } from "./elements.js";
import { tellFrame } from "./embed.js";
import { reasonsOf } from "./marks.js";
import { Page, kept } from "./page.js";
import { createSession, mayMakeSession, now_ms, readCode, readOverlay, watch } from "./session.js";
import { chip, decisionOf, holding, judged, overlayPicture, personsWords, reasonList, verdictHeading } from "./verdict.js";
import { stepName } from "./words.js";

const CHOICES = [
  { name: "id", steps: ["portrait_side", "emblem_side"] },
  { name: "licence", steps: ["licence"] },
  { name: "any", steps: ["any"] },
];

/** {id, token, own, code}: `own` where this page made the session, `code` {phone_url, qr_svg} or null where it has none. */
let watched = null;
let session = null;
let broken = false;
let stopWatching = () => {};
let chosen = "id";
let redraw = () => {};
/** Overlays by step and attempt: promises of blob URLs. */
const overlays = new Map();
let qrUrl = null;
/** What each step's card shows, so that an unchanged one is left alone. */
let drawn = new Map();

const page = new Page("pc_title", "pc_title", () => {
  drawn = new Map();
  redraw({ focus: false });
});
const say = (key, values) => page.say(key, values);

function view(show, o = { focus: true }) {
  redraw = show;
  show(o);
  tellFrame(session);
}

function heading(text, level = "h1") {
  return make(level, { tabindex: "-1" }, text);
}

function message(name, iconName, title, text, extra, o) {
  page.show(name, [make("section", { class: "card message" }, make("span", { class: "badge large" }, icon(iconName)), heading(title), text ? make("p", {}, text) : null, extra)], o);
}

// ------------------------------------------------------------------ making a session

function showChoice(o) {
  const options = CHOICES.map(({ name, steps }) =>
    make(
      "label",
      { class: "choice" },
      make("input", { type: "radio", name: "what", value: name, checked: name === chosen, onchange: () => (chosen = name) }),
      sketch(steps[0]),
      make("span", { class: "choice-words" }, make("strong", {}, say(`choose_${name}`)), make("span", { class: "note" }, say(`choose_${name}_note`))),
    ),
  );
  const form = make(
    "form",
    {
      class: "card",
      onsubmit: (event) => {
        event.preventDefault();
        create();
      },
    },
    heading(say("pc_title")),
    make("p", {}, say("pc_intro")),
    make("fieldset", {}, make("legend", {}, say("choose")), make("div", { class: "choices" }, options)),
    make("button", { class: "button primary" }, say("show_code")),
  );
  page.show("choice", [form], o);
}

function showOpening(o) {
  page.show("opening", [make("p", { class: "centre", role: "status" }, make("span", { class: "spinner", "aria-hidden": "true" }), say("opening"))], o);
}

async function create() {
  const { steps } = CHOICES.find((choice) => choice.name === chosen);
  view(showOpening);
  try {
    const made = await createSession(steps, page.lang);
    watched = { id: made.id, token: made.watch_token, own: true, code: { phone_url: made.phone_url, qr_svg: made.qr_svg } };
    kept.write("watched", watched);
    session = { id: made.id, state: "waiting", lang: made.lang ?? null, expires_at: made.expires_at, steps: made.steps };
    begin();
  } catch (problem) {
    if (problem.status === 401 || problem.status === 403) view(showKey);
    else view((o) => message("trouble", "broken", say(problem.status === 0 ? "offline_title" : "trouble_title"), problem.status === 0 ? say("offline_text") : problem.detail, newButton("try_again"), o));
  }
}

function showKey(o) {
  message("key", "broken", say("key_title"), say("key_text"), null, o);
}

function newButton(key) {
  return make("button", { type: "button", class: "button primary", onclick: startOver }, say(key));
}

function startOver() {
  stopWatching();
  kept.write("watched", null);
  watched = null;
  session = null;
  overlays.clear();
  view(showChoice);
}

// ------------------------------------------------------------------ watching

function takeCode(code) {
  watched.code = code;
  drawn = new Map();
  if (qrUrl) URL.revokeObjectURL(qrUrl);
  qrUrl = code?.qr_svg ? URL.createObjectURL(new Blob([code.qr_svg], { type: "image/svg+xml" })) : null;
}

function begin() {
  takeCode(watched.code);
  view(session ? showSession : showOpening);
  stopWatching = watch(watched.id, watched.token, {
    lang: () => page.lang,
    onSession: (now) => {
      const before = session;
      session = now;
      broken = false;
      page.adopt(now.lang);
      announceChanges(before, now);
      // Nobody asked for this change: the focus stays where it is, unless nothing was there yet.
      view(now.state === "expired" ? showExpired : showSession, { focus: before === null });
    },
    onBroken: () => {
      broken = true;
      if (session) redraw({ focus: false });
    },
    onProblem: (problem) => {
      kept.write("watched", null);
      if (problem.status === 410) view(showExpired);
      else view((o) => message("unknown", "broken", say("pc_unknown"), say("pc_unknown_text"), watched.own ? newButton("new_code") : null, o));
    },
  });
}

function announceChanges(before, now) {
  if (!before) return;
  if (now.state === "expired") page.announce(say("pc_expired"));
  else if (before.state === "waiting" && now.state === "claimed") page.announce(say("connected"));
  for (const step of now.steps) {
    const was = before.steps[step.index];
    if (step.decided && !was?.decided) {
      const verdict = [say(`decided_${holding(step)}`), step.decided.message].filter(Boolean).join(" ");
      page.announce(say("announce", { step: stepName(page.lang, step.expect), verdict }));
      continue;
    }
    if (was?.state === step.state && was?.attempts === step.attempts) continue;
    const verdict = judged(step) ? say(decisionOf(step)) : step.state === "checking" ? say("state_checking") : null;
    if (verdict) page.announce(say("announce", { step: stepName(page.lang, step.expect), verdict }));
  }
}

function timeLeft() {
  const left_min = (Date.parse(session.expires_at) - now_ms()) / 60_000;
  if (!Number.isFinite(left_min)) return null;
  return make("p", { class: "note time-left" }, icon("clock"), left_min <= 1 ? say("minute_left") : say("minutes_left", { n: Math.ceil(left_min) }));
}

function codePanel() {
  if (!qrUrl) {
    return make("section", { class: "card side message" }, make("span", { class: "badge large" }, icon("phone")), heading(say("waiting_phone")), make("p", {}, say("elsewhere")), timeLeft());
  }
  const url = watched.code.phone_url;
  const copy = navigator.clipboard
    ? make("button", {
        type: "button",
        class: "button small",
        onclick: async (event) => {
          const button = event.currentTarget;
          try {
            await navigator.clipboard.writeText(url);
            button.textContent = say("copied");
            page.announce(say("copied"));
          } catch {
            // The link stands beside the button.
          }
        },
      }, say("copy"))
    : null;
  return make(
    "section",
    { class: "card side" },
    heading(say("scan")),
    make("div", { class: "qr" }, make("img", { src: qrUrl, alt: say("qr_alt"), id: "qr" })),
    make("ol", { class: "how" }, ["scan_1", "scan_2", "scan_3"].map((key) => make("li", {}, say(key)))),
    make("p", { class: "note" }, say("link")),
    make("p", { class: "link" }, make("code", { id: "link" }, url)),
    copy,
    nearOnly(url) ? make("p", { class: "notice" }, say("near_only")) : null,
    timeLeft(),
  );
}

/** Whether a link leads nowhere but to the computer itself. */
function nearOnly(url) {
  const { hostname } = new URL(url);
  return hostname === "[::1]" || /^127\./.test(hostname) || /(^|\.)localhost$/.test(hostname);
}

function summaryPanel() {
  const decisions = session.steps.map(holding);
  const count = (wanted) => decisions.filter((decision) => decision === wanted).length;
  const [accepted, review] = [count("accept"), count("review")];
  const refused = decisions.length - accepted - review;
  const mood = refused > 0 ? "reject" : review > 0 ? "review" : "accept";
  const text =
    refused > 0
      ? say("some_refused", { accepted, refused })
      : review > 0
        ? say("some_review", { accepted, review })
        : accepted === 1
          ? say("one_accepted")
          : say("all_accepted", { n: accepted });
  return make(
    "section",
    { class: `card side message ${mood}`, "data-review": String(Boolean(session.in_review)) },
    make("span", { class: "badge large" }, icon(mood)),
    heading(say(session.in_review ? "handed_over" : "all_done")),
    make("p", {}, text),
    session.in_review ? make("p", { class: "note" }, say("awaiting_decision")) : null,
    watched.own ? newButton("another") : null,
  );
}

function sidePanel() {
  if (session.state === "done") return summaryPanel();
  if (session.state === "waiting") return codePanel();
  return make("section", { class: "card side message" }, make("span", { class: "badge large" }, icon("phone")), heading(say("connected")), make("p", {}, say("connected_text")), timeLeft());
}

function overlayFigure(step) {
  const key = `${step.index}.${step.attempts}`;
  if (!overlays.has(key)) {
    overlays.set(key, readOverlay(watched.id, watched.token, step.index).then((blob) => (blob ? URL.createObjectURL(blob) : null)));
  }
  const frame = make("div", { class: "picture" });
  overlays.get(key).then((url) => {
    if (url) frame.append(overlayPicture(url, `${say("picture_alt")}: ${stepName(page.lang, step.expect)}`, step.report, reasonsOf(step.report, page.lang)));
    else frame.replaceWith(make("p", { class: "note" }, say("no_picture")));
  });
  return make("figure", {}, frame);
}

function stepCard(step) {
  const name = stepName(page.lang, step.expect);
  const attempt = step.attempts > 1 ? make("span", { class: "note" }, say("attempt", { n: step.attempts })) : null;
  const head = (kind) => make("div", { class: "step-head" }, make("h3", {}, session.steps.length > 1 ? `${step.index + 1}. ${name}` : name), attempt, kind ? chip(kind, page.lang) : null);
  if (!judged(step)) {
    return make("li", { class: `card step ${step.state}`, "data-state": step.state }, head(step.state === "checking" ? "checking" : "waiting"));
  }
  const decision = decisionOf(step);
  const holds = holding(step);
  // What a person accepted has no faults to show.
  const faultless = holds === "accept" && Boolean(step.decided);
  return make(
    "li",
    { class: `card step ${holds}`, "data-state": step.state, "data-decision": decision },
    head(null),
    make(
      "div",
      { class: "step-body" },
      faultless ? null : overlayFigure(step),
      make(
        "div",
        {},
        verdictHeading(holds, page.lang, "h4"),
        personsWords(step, page.lang, "h5"),
        faultless ? null : reasonList(step, page.lang, "h5"),
        step.state === "retake" ? make("h5", {}, say("to_do")) : null,
        step.decided ? null : make("p", {}, say(`tell_${decision}`)),
      ),
    ),
  );
}

function showSession(o) {
  const main = document.querySelector("main");
  const fingerprint = (part) => JSON.stringify([page.lang, part]);
  // Cards and panels that did not change stay as they are: no flicker, and a reader's place is kept.
  const keepOr = (key, part, build) => {
    const print = fingerprint(part);
    const old = drawn.get(key);
    if (old?.print === print) return old.element;
    const element = build();
    drawn.set(key, { print, element });
    return element;
  };
  const side = keepOr("side", [session.state, watched.id, session.in_review, session.state === "done" ? session.steps.map(holding) : 0], sidePanel);
  const cards = session.steps.map((step) => keepOr(step.index, [step, session.steps.length, watched.id], () => stepCard(step)));
  const columns = main.querySelector(".columns");
  const note = make("p", { class: "notice", role: "status", hidden: !broken }, say("reconnecting"));
  if (main.dataset.view === "session" && columns && document.documentElement.lang === columns.lang) {
    main.querySelector(".notice").replaceWith(note);
    const old = columns.firstElementChild;
    if (old !== side) {
      const focused = old.contains(document.activeElement);
      old.replaceWith(side);
      if (focused) side.querySelector("h1").focus({ preventScroll: true });
    }
    const list = columns.querySelector(".step-list");
    cards.forEach((card, i) => {
      if (list.children[i] !== card) list.children[i].replaceWith(card);
    });
    return;
  }
  const list = make("section", { class: "steps" }, make("h2", {}, say("photographs")), make("ol", { class: "step-list" }, cards));
  page.show("session", [note, make("div", { class: "columns", lang: document.documentElement.lang }, side, list)], o);
}

function showExpired(o) {
  stopWatching();
  kept.write("watched", null);
  drawn = new Map();
  message("expired", "clock", say("pc_expired"), say(watched?.own ? "pc_expired_text" : "pc_expired_elsewhere"), watched?.own ? newButton("new_code") : null, o);
}

setInterval(() => {
  if (!session || document.querySelector("main").dataset.view !== "session" || session.state === "done") return;
  if (Date.parse(session.expires_at) <= now_ms()) view(showExpired, { focus: false });
  else document.querySelector(".time-left")?.replaceWith(timeLeft() ?? "");
}, 5000);

/** `#ID.TOKEN` watches that session, `#ID.TOKEN.ONCE` shows its code too; none of the three holds a dot. */
async function open() {
  const [id, token, once] = location.hash.slice(1).split(".");
  const before = kept.read("watched");
  if (id && token) watched = { id, token, own: false, code: null };
  else if (before) watched = before;
  if (!watched) {
    view(showOpening, { focus: false });
    const may = await mayMakeSession(page.lang);
    view(may ? showChoice : showKey, { focus: false });
    return;
  }
  if (id && token && once) {
    view(showOpening, { focus: false });
    // Without it the session is watched all the same: a phone may have taken it.
    watched.code = await readCode(id, token, once, page.lang).catch(() => null);
  }
  begin();
}

window.addEventListener("hashchange", () => location.reload());
open();
