// The phone's page: claims the link's token, asks for one photograph after the other, shows each verdict at once.

import { Aim, canAim } from "./aim.js";
import { icon, make, sketch } from "./elements.js";
import { embedded, tellFrame } from "./embed.js";
import { Page, kept } from "./page.js";
import { Problem, claim, now_ms, readOverlay, readSession, sendPhoto } from "./session.js";
import { decisionOf, holding, judged, markedPicture, personsWords, reasonList, verdictHeading } from "./verdict.js";
import { stepName } from "./words.js";

/** How often a busy server is asked again before a person has to press the button. */
const BUSY_RETRIES = 4;
const LONGEST_WAIT_S = 20;

let session = null;
let token = null;
/** The step on the page, by its index. */
let current = 0;
let file = null;
let fileUrl = null;
/** `attempts` of the step before the file was sent: tells whether a broken upload arrived all the same. */
let attemptsBefore = 0;
let aim = null;
let redraw = () => {};

const page = new Page("phone_title", "phone_header", () => redraw({ focus: false }));
const say = (key, values) => page.say(key, values);

function view(show) {
  redraw = show;
  show({ focus: true });
  tellFrame(session);
}

function stopAim() {
  aim?.stop();
  aim = null;
}

// ------------------------------------------------------------------ opening

function enter() {
  page.adopt(session.lang);
  if (session.state === "expired") return view(showExpired);
  const next = session.steps.find((step) => step.state !== "done");
  if (!next || session.state === "done") return view(showFinished);
  current = next.index;
  attemptsBefore = next.attempts;
  if (next.state === "checking") return awaitVerdict();
  return view(next.state === "retake" ? showVerdict : showAsk);
}

async function open() {
  view(showOpening);
  const linkToken = location.hash.slice(1);
  const before = kept.read("phone");
  try {
    // The same link again in the tab that claimed it goes on there instead of failing.
    if (linkToken && linkToken !== before?.link) {
      // By POST and from a script: a messenger's preview of the link does not use the token up.
      const answer = await claim(linkToken, claimantFor(linkToken), page.lang);
      session = answer.session;
      token = answer.phone_token;
      kept.write("phone", { id: session.id, token, link: linkToken });
      kept.write("claim", null);
      forgetFragment();
    } else if (before) {
      token = before.token;
      session = await readSession(before.id, token, page.lang);
      forgetFragment();
    } else {
      return view(showNoLink);
    }
  } catch (problem) {
    return openingFailed(problem, linkToken);
  }
  return enter();
}

let claimant = null;

/** What tells this tab from other phones with the same link, if the answer to its claim is lost: drawn once a link. */
function claimantFor(link) {
  claimant ??= kept.read("claim");
  if (claimant?.link !== link) {
    const drawn = crypto.getRandomValues(new Uint8Array(32));
    claimant = { link, secret: Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("") };
    kept.write("claim", claimant);
  }
  return claimant.secret;
}

/** The token is spent or worthless: it need not stay in the address and the history. */
function forgetFragment() {
  history.replaceState(null, "", location.pathname + location.search);
}

function openingFailed(problem, linkToken) {
  if (problem.status === 0) return view((o) => showTrouble("offline_title", say("offline_text"), open, o));
  if (linkToken && (problem.status === 404 || problem.status === 410)) forgetFragment();
  if (problem.code === "token_used") return view((o) => showStop("used", o));
  if (ended(problem)) {
    kept.write("phone", null);
    return view(problem.status === 410 ? showExpired : (o) => showStop("unknown", o));
  }
  return view((o) => showTrouble("trouble_title", problem.detail, open, o));
}

const ended = (problem) => problem.status === 404 || problem.status === 410 || problem.status === 401;

// ------------------------------------------------------------------ views

function heading(text, cls = "") {
  return make("h1", { tabindex: "-1", class: cls }, text);
}

function progress() {
  const all = session.steps.length;
  if (all < 2) return null;
  return make(
    "div",
    { class: "progress" },
    make("p", { class: "eyebrow" }, say("step_of", { n: current + 1, all })),
    make(
      "div",
      { class: "segments", "aria-hidden": "true" },
      session.steps.map((step) => make("span", { class: step.state === "done" ? "filled" : step.index === current ? "now" : "" })),
    ),
  );
}

function showOpening(o) {
  page.show("opening", [make("p", { class: "centre", role: "status" }, make("span", { class: "spinner", "aria-hidden": "true" }), say("opening"))], o);
}

function message(iconName, mood, title, text, extra) {
  return make("section", { class: `card message ${mood}` }, make("span", { class: "badge large" }, icon(iconName)), heading(title), text ? make("p", {}, text) : null, extra);
}

function showMessage(name, iconName, mood, title, text, extra, o) {
  page.show(name, [message(iconName, mood, title, text, extra)], o);
}

const showStop = (what, o) => showMessage(what, "broken", "retake", say(`${what}_title`), say(`${what}_text`), null, o);
const showNoLink = (o) => showMessage("none", "phone", "", say("none_title"), say("none_text"), null, o);

function showExpired(o) {
  stopAim();
  if (session) session.state = "expired";
  showMessage("expired", "clock", "", say("expired_title"), say("expired_text"), null, o);
}

function showTrouble(titleKey, text, again, o) {
  showMessage("trouble", "broken", "retake", say(titleKey), text, make("button", { type: "button", class: "button primary", onclick: again }, say("try_again")), o);
}

/** The button that opens the camera: a file input lies over its label, so that keyboard, touch and voice all find it. */
function cameraButton(labelKey) {
  const input = make("input", {
    type: "file",
    // An original capture is asked for: the camera, not the gallery.
    accept: "image/*",
    capture: "environment",
    onclick: () => {
      // The camera cannot be open twice; and the same file may be chosen again.
      input.value = "";
      closeAim();
    },
    onchange: () => {
      if (input.files.length > 0) take(input.files[0]);
    },
  });
  return make("label", { class: "button primary" }, icon("camera"), make("span", {}, say(labelKey)), input);
}

/** The one thing to do next, always within reach of the thumb. */
const stick = (button) => make("div", { class: "stick" }, button);

let closeAim = () => {};

/** The preview with hints, closed until asked for, in the place of `besides`; null where the browser has none to offer. */
function aimPanel(besides) {
  if (!canAim()) return null;
  const place = make("div", { class: "aim" });
  const closed = (denied) => {
    stopAim();
    for (const element of besides) element.hidden = false;
    place.replaceChildren(
      make("button", { type: "button", class: "button", onclick: opened }, icon("aim"), make("span", {}, say("aim"))),
      denied ? make("p", { class: "note", role: "status" }, say("aim_denied")) : "",
    );
  };
  const opened = async () => {
    stopAim();
    const mine = new Aim(say("aim_label"), say);
    aim = mine;
    const button = make("button", { type: "button", class: "button", onclick: () => finish() }, say("aim_stop"));
    const finish = () => {
      closed(false);
      place.querySelector("button").focus();
    };
    place.replaceChildren(make("div", { class: "preview" }, mine.video, mine.hint), make("p", { class: "note" }, say("aim_note")), button);
    for (const element of besides) element.hidden = true;
    button.focus({ preventScroll: true });
    const works = await mine.start();
    // Closed while the browser was still asking for permission.
    if (aim !== mine) return mine.stop();
    if (!works) closed(true);
  };
  closeAim = () => {
    if (aim) closed(false);
  };
  closed(false);
  return place;
}

function showAsk(o) {
  stopAim();
  const step = session.steps[current];
  const tips = make("ul", { class: "tips" }, ["tip_original", "tip_corners", "tip_light"].map((tip) => make("li", {}, say(tip))));
  const picture = make("div", { class: "asked" }, sketch(step.expect));
  page.show("ask", [
    progress(),
    make("section", { class: "card" }, heading(stepName(page.lang, step.expect)), picture, aimPanel([picture, tips]), tips),
    timeLeft(),
    stick(cameraButton("open_camera")),
  ], o);
}

function timeLeft() {
  const left_min = (Date.parse(session.expires_at) - now_ms()) / 60_000;
  if (!Number.isFinite(left_min)) return null;
  return make("p", { class: "note time-left" }, icon("clock"), left_min <= 1 ? say("minute_left") : say("minutes_left", { n: Math.ceil(left_min) }));
}

/** Fraction sent, or null while the server checks. */
let sent = 0;

function showSending(o) {
  const bar = make("progress", { max: 1, "aria-label": say("sending") });
  if (sent !== null) bar.value = sent;
  const label = make("p", { class: "busy", id: "busy" }, sendingWords());
  const picture = fileUrl ? make("img", { src: fileUrl, alt: say("picture_sending") }) : sketch(session.steps[current].expect);
  // A picture that the browser cannot decode is still sent.
  if (fileUrl) picture.addEventListener("error", () => picture.replaceWith(sketch(session.steps[current].expect)));
  page.show("sending", [
    progress(),
    make("section", { class: "card" }, heading(stepName(page.lang, session.steps[current].expect)), make("figure", {}, make("div", { class: "picture dimmed" }, picture)), label, bar),
  ], o);
}

function sendingWords() {
  if (sent === null) return say("checking");
  return sent > 0 ? say("sending_share", { percent: Math.round(sent * 100) }) : say("sending");
}

function moveBar(fraction) {
  const whole = fraction >= 1;
  sent = whole ? null : fraction;
  const bar = document.querySelector("progress");
  const label = document.getElementById("busy");
  if (bar && whole) bar.removeAttribute("value");
  else if (bar) bar.value = fraction;
  if (label) label.textContent = sendingWords();
  page.announce(say(whole ? "checking" : "sending"));
}

function showVerdict(o) {
  stopAim();
  const step = session.steps[current];
  const decision = decisionOf(step);
  const next = session.steps.find((other) => other.state !== "done");
  const again = step.state === "retake";
  const last = !again && !next;
  const finish = embedded ? "do_finish_here" : "do_finish";
  const todo = again ? `do_${decision === "reject" ? "reject" : "retake"}` : last ? finish : "do_next";
  page.show("verdict", [
    progress(),
    make(
      "article",
      { class: `card ${decision}`, "data-decision": decision },
      make("p", { class: "eyebrow" }, stepName(page.lang, step.expect), step.attempts > 1 ? ` · ${say("attempt", { n: step.attempts })}` : ""),
      verdictHeading(decision, page.lang, "h1"),
      reasonList(step, page.lang, "h2"),
      markedPicture(step, page.lang, fileUrl, overlayUrl),
    ),
    make(
      "section",
      { class: "actions" },
      make("h2", {}, say("to_do")),
      make("p", {}, say(todo)),
    ),
    again ? stick(cameraButton("take_again")) : null,
    !again && next
      ? stick(make("button", { type: "button", class: "button primary", onclick: goOn }, say("next", { step: stepName(page.lang, next.expect) })))
      : null,
  ], o);
}

async function overlayUrl() {
  const picture = await readOverlay(session.id, token, current);
  return picture ? URL.createObjectURL(picture) : null;
}

function showFinished(o) {
  const list = make(
    "ul",
    { class: "summary" },
    session.steps.map((step) => {
      const decision = holding(step);
      const told = make("span", {}, `${stepName(page.lang, step.expect)}: ${say(`${decision}_short`)}`);
      return make("li", { class: decision }, make("span", { class: "badge" }, icon(decision)), told, personsWords(step, page.lang, "h2"));
    }),
  );
  const here = embedded ? "finished_here" : "finished_text";
  showMessage("finished", "accept", "accept", say("finished"), say(session.in_review ? "finished_review" : here), list, o);
}

// ------------------------------------------------------------------ sending

function take(chosen) {
  stopAim();
  if (fileUrl) URL.revokeObjectURL(fileUrl);
  file = chosen;
  fileUrl = URL.createObjectURL(chosen);
  attemptsBefore = session.steps[current].attempts;
  // The service would refuse it: saying so at once spares the upload.
  if (file.size > session.max_bytes) return view((o) => showRefused(tooLarge(), o));
  return send();
}

const tooLarge = () => say("too_large", { mib: Math.floor(session.max_bytes / 1024 / 1024) });

function replace(step) {
  session.steps[step.index] = step;
}

async function send() {
  for (let busy = 0; ; busy++) {
    sent = 0;
    view(showSending);
    page.announce(say("sending"));
    try {
      replace(await sendPhoto({ id: session.id, token, index: current, file, lang: page.lang, onProgress: moveBar }));
      return judgedNow();
    } catch (problem) {
      const wait_s = problem.retryAfter_s ?? 2;
      if ((problem.status !== 429 && problem.status !== 503) || busy >= BUSY_RETRIES || wait_s > LONGEST_WAIT_S) return sendFailed(problem);
      const label = document.getElementById("busy");
      if (label) label.textContent = say("busy");
      page.announce(say("busy"));
      await new Promise((go) => setTimeout(go, Math.max(1, wait_s) * 1000));
    }
  }
}

function judgedNow() {
  const step = session.steps[current];
  if (!judged(step)) return awaitVerdict();
  page.announce("");
  return view(showVerdict);
}

function sendFailed(problem) {
  page.announce("");
  if (ended(problem)) return view(showExpired);
  if (problem.status === 413 || problem.status === 415 || problem.status === 422 || problem.status === 400) {
    return view((o) => showRefused(problem.status === 413 && !problem.detail ? tooLarge() : problem.detail, o));
  }
  if (problem.status === 409) return reread(false);
  return view((o) => showFailed(problem.status === 0 ? say("failed_network") : problem.detail, o));
}

function showFailed(text, o) {
  page.show("failed", [
    progress(),
    message("broken", "retake", say("failed_title"), text, null),
    make("div", { class: "actions" }, make("button", { type: "button", class: "button primary", onclick: () => reread(true) }, say("send_again")), cameraSecond()),
  ], o);
}

function cameraSecond() {
  const label = cameraButton("take_another");
  label.classList.remove("primary");
  return label;
}

function showRefused(text, o) {
  page.show("refused", [
    progress(),
    message("broken", "retake", say("refused_title"), text, null),
    make("div", { class: "actions" }, cameraButton("take_another")),
  ], o);
}

/** Sends the same file again, unless it turns out that it had arrived and only the answer was lost. */
async function reread(sendAgain) {
  sent = 0;
  view(showSending);
  try {
    session = await readSession(session.id, token, page.lang);
  } catch (problem) {
    return sendFailed(problem);
  }
  if (session.state === "expired") return view(showExpired);
  const step = session.steps[current];
  if (step.state === "checking") return awaitVerdict();
  if (judged(step) && step.attempts > attemptsBefore) return judgedNow();
  if (sendAgain) return send();
  return enter();
}

/** The server is still at it, after a reload or a broken answer. */
async function awaitVerdict() {
  sent = null;
  view(showSending);
  page.announce(say("checking"));
  for (;;) {
    await new Promise((go) => setTimeout(go, 1000));
    try {
      session = await readSession(session.id, token, page.lang);
    } catch (problem) {
      if (problem.status === 0 || problem.status >= 500 || problem.status === 429) continue;
      return sendFailed(problem instanceof Problem ? problem : new Problem(0, "network", ""));
    }
    if (session.state === "expired") return view(showExpired);
    if (session.steps[current].state === "waiting") return view(showAsk);
    if (judged(session.steps[current])) return judgedNow();
  }
}

function goOn() {
  const next = session.steps.find((step) => step.state !== "done");
  if (!next) return finish();
  current = next.index;
  if (fileUrl) URL.revokeObjectURL(fileUrl);
  file = null;
  fileUrl = null;
  return view(showAsk);
}

/** All is sent; whether a person has yet to decide is asked for, and not needed to say so. */
async function finish() {
  try {
    session = await readSession(session.id, token, page.lang);
  } catch {
    // What the page has seen itself is shown.
  }
  view(showFinished);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) closeAim();
});
// A second code opened in this tab changes only the fragment, which loads nothing by itself.
window.addEventListener("hashchange", () => {
  if (location.hash.length > 1) location.reload();
});
// Time runs out without the server saying so: between photographs nothing is asked of it.
setInterval(() => {
  const waiting = ["ask", "verdict"].includes(document.querySelector("main").dataset.view);
  if (!session || !waiting) return;
  const over = session.steps.every((step) => step.state === "done");
  if (!over && Date.parse(session.expires_at) <= now_ms()) view(showExpired);
  else document.querySelector(".time-left")?.replaceWith(timeLeft() ?? "");
}, 5000);

// A person may decide while the page is still open.
setInterval(async () => {
  if (!session?.in_review || document.querySelector("main").dataset.view !== "finished") return;
  try {
    session = await readSession(session.id, token, page.lang);
  } catch {
    return;
  }
  if (!session.in_review) redraw({ focus: false });
}, 10_000);

open();
