// A judged step → its verdict as both pages show it: heading, reasons and the photograph with its marks.

import { icon, make } from "./elements.js";
import { drawMarks, drawNumbers, fits, reasonsOf } from "./marks.js";
import { words } from "./words.js";

const DECISIONS = ["accept", "retake", "review", "reject"];

/** The decision of a step's report; a step that was judged without a report (a file that failed) is to be taken again. */
export function decisionOf(step) {
  const decision = step.report?.decision;
  return DECISIONS.includes(decision) ? decision : step.state === "done" ? "accept" : "retake";
}

/** What holds of a step: a person's decision where one decided, the gate's else. */
export function holding(step) {
  return DECISIONS.includes(step.decided?.decision) ? step.decided.decision : decisionOf(step);
}

/** What a person decided, and what they say of it; null where nobody did. */
export function personsWords(step, lang, level) {
  if (!DECISIONS.includes(step.decided?.decision)) return null;
  const { decision, message } = step.decided;
  return make(
    "section",
    { class: `decided ${decision}`, "data-decided": decision },
    make(level, {}, words(lang, `decided_${decision}`)),
    message ? make("p", { class: "message-text" }, message) : null,
  );
}

/** Whether a step has been judged. */
export function judged(step) {
  return step.state === "done" || step.state === "retake";
}

/** The heading: icon, words and colour of a decision. */
export function verdictHeading(decision, lang, level) {
  return make(level, { class: `verdict ${decision}`, tabindex: "-1" }, make("span", { class: "badge" }, icon(decision)), make("span", {}, words(lang, decision)));
}

/** A chip for a step that has not been judged: `waiting` or `checking`. */
export function chip(state, lang) {
  return make("span", { class: "chip" }, state === "checking" ? make("span", { class: "spinner", "aria-hidden": "true" }) : null, words(lang, `state_${state}`));
}

/** The server's drawing, with the reasons' numbers put to its outlines. */
export function overlayPicture(url, alt, report, reasons) {
  const picture = make("img", { alt });
  picture.addEventListener("load", () => {
    if (fits(report, picture.naturalWidth, picture.naturalHeight)) picture.after(drawNumbers(report, reasons));
  });
  picture.src = url;
  return picture;
}

/** The list of reasons, or the sentence that stands for none. */
export function reasonList(step, lang, level) {
  const decision = decisionOf(step);
  const reasons = reasonsOf(step.report, lang);
  if (reasons.length === 0) return make("p", { class: "reason-none" }, words(lang, `no_reason_${decision}`));
  return make(
    "section",
    { class: "why" },
    make(level, {}, words(lang, "reasons")),
    make(
      "ul",
      { class: "reasons" },
      reasons.map((reason) =>
        make(
          "li",
          { class: reason.action, "data-code": reason.code },
          make("span", { class: "reason-sign", "aria-hidden": "true" }, reason.number === null ? "!" : String(reason.number)),
          make("span", {}, reason.text),
        ),
      ),
    ),
  );
}

/**
 * The photograph from `localUrl` with its marks drawn over it. Browsers turn pictures upright as the server does, so
 * the report's pixels fit; where the browser cannot decode the picture (HEIC) or shows it otherwise, and where the
 * page was loaded anew and has no file any more, `overlayUrl()` brings the server's drawing.
 */
export function markedPicture(step, lang, localUrl, overlayUrl) {
  const report = step.report;
  const frame = make("div", { class: "picture" });
  const caption = make("figcaption", { class: "note" });
  const figure = make("figure", {}, frame, caption);
  const fromServer = async () => {
    const url = await overlayUrl();
    if (url) frame.replaceChildren(overlayPicture(url, words(lang, "picture_alt"), report, reasonsOf(report, lang)));
    else frame.replaceChildren(make("p", { class: "note" }, words(lang, "no_picture")));
    frame.dataset.source = url ? "server" : "none";
    caption.replaceChildren();
  };
  if (!localUrl || !report) {
    fromServer();
    return figure;
  }
  const reasons = reasonsOf(report, lang);
  const picture = make("img", { alt: words(lang, "picture_alt") });
  picture.addEventListener("error", fromServer);
  picture.addEventListener("load", () => {
    if (!fits(report, picture.naturalWidth, picture.naturalHeight)) {
      fromServer();
      return;
    }
    frame.append(drawMarks(report, reasons));
    frame.dataset.source = "local";
    const legend = [
      report.document?.corners ? words(lang, "legend_outline") : null,
      reasons.some((reason) => reason.number !== null) ? words(lang, "legend_numbers") : null,
    ];
    caption.textContent = legend.filter(Boolean).join(lang === "zh" ? "" : " ");
  });
  picture.src = localUrl;
  frame.append(picture);
  return figure;
}
