// A page that stands in a frame of `<bonafide-capture>` → what the page around it is told: how high it is, and how the
// session stands. Only sites that `cors-origin` names may frame it, so that whoever listens is one of them; reports,
// pictures and tokens are told to nobody.

import { decisionOf, judged } from "./verdict.js";

/** Whether the page stands in a frame. */
export const embedded = window.parent !== window;

const post = (message) => window.parent.postMessage({ bonafide: 1, ...message }, "*");

/** What of `session` the page around may know: what is asked for, and what came of it. */
export function outline(session) {
  const step = (one) => ({ expect: one.expect, state: one.state, decision: judged(one) ? decisionOf(one) : null, attempts: one.attempts });
  // Of a step that was just judged the page has the answer, and of the session as a whole it is not told anew.
  const done = session.state !== "expired" && session.steps.every((one) => one.state === "done");
  return { id: session.id, state: done ? "done" : session.state, steps: session.steps.map(step) };
}

let told = "";

/** Tells how `session` stands, where that has changed. */
export function tellFrame(session) {
  if (!embedded || !session) return;
  const message = outline(session);
  const text = JSON.stringify(message);
  if (text === told) return;
  told = text;
  post({ session: message });
}

if (embedded) {
  document.documentElement.classList.add("embedded");
  const tellHeight = () => post({ height_px: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(tellHeight).observe(document.body);
  tellHeight();
}
