// Goes through a filing in Chromium: a photograph that is refused, the same again, another, the hand-over to a person, the
// person's decision, the message to the caller's back end, and what the applicant's pages show of it.
// `node filing.mjs PROGRAM PHOTO_BAD PHOTO_OTHER PHOTO_LAST OUT_DIR`; CHROMIUM names another browser than /usr/bin/chromium.

import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check, end } from "./checks.mjs";

const [program, bad, other, last, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node filing.mjs PROGRAM PHOTO_BAD PHOTO_OTHER PHOTO_LAST OUT_DIR");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SECRET = "a secret of this test's own";
const REFERENCE = "order-4711";
const METADATA = { plan: "basic" };
const MESSAGE = "Thank you. We could read it.\n谢谢。";
const NOTE = "seen in original at the counter";

// ---------------------------------------------------------------- the caller's back end, and the service

const messages = [];
let hear = () => {};
const receiver = createServer((request, answer) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(request.headers["bonafide-signature"] ?? "") ?? [];
    const right = createHmac("sha256", SECRET).update(`${time}.${body}`).digest("hex") === mac;
    messages.push({ event: request.headers["bonafide-event"], right, body: JSON.parse(body) });
    answer.writeHead(204).end();
    hear();
  });
});
await new Promise((go) => receiver.listen(0, "127.0.0.1", go));

/** The first message that `wanted` holds of. */
async function message(wanted) {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = messages.find(wanted);
    if (found) return found;
    if (Date.now() > end) throw new Error("the message does not come");
    await new Promise((go) => {
      hear = go;
      setTimeout(go, 1000);
    });
  }
}

const folder = mkdtempSync(join(tmpdir(), "bonafide-filing-"));
const store = join(folder, "store.db");
writeFileSync(join(folder, "secret"), SECRET);
writeFileSync(
  join(folder, "settings.toml"),
  `max-attempts = 3\n[[webhook]]\nname = "till"\nurl = "http://127.0.0.1:${receiver.address().port}/hook"\nsecret-file = "${join(folder, "secret")}"\n`,
);
const key = (scope) => execFileSync(program, ["key", "--store", store, "create", "--name", scope, "--scope", scope], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
const [form, desk] = [key("check"), key("review")];
const server = spawn(program, ["serve", "--store", store, "--config", join(folder, "settings.toml"), "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
process.on("exit", () => server.kill("SIGKILL"));
let log = "";
const address = await new Promise((found, fail) => {
  server.stderr.on("data", (piece) => {
    log += piece;
    const [, at] = /"listening".*?"address":"([^"]+)"/.exec(log) ?? [];
    if (at) found(at);
  });
  server.on("exit", () => fail(new Error(log)));
});
const base = `http://${address}`;
const ask = async (path, token, body) => {
  const answer = await fetch(base + path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  return { status: answer.status, json: await answer.json() };
};

// ---------------------------------------------------------------- the pages

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const errors = [];
async function open(kind) {
  const phone = kind === "phone";
  const context = await browser.newContext({
    locale: "en-GB",
    viewport: phone ? { width: 360, height: 740 } : { width: 1280, height: 800 },
    isMobile: phone,
    hasTouch: phone,
  });
  await context.addInitScript({ content: axe });
  const page = await context.newPage();
  page.on("filechooser", () => {});
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (told) => {
    if (/policy/i.test(told.text())) errors.push(told.text());
  });
  return page;
}
const view = (page, name) => page.locator(`main[data-view="${name}"]`).waitFor({ timeout: 60_000 });
async function look(page, name) {
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true, animations: "disabled" });
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  });
  check(`${name}: axe finds nothing`, found.length === 0, found);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(`${name}: nothing wider than the screen`, over <= 0, over);
}

const opened = (await ask("/v1/sessions", form, { steps: ["any"], reference: REFERENCE, metadata: METADATA })).json;
check("the answer to the key has its reference", opened.reference === REFERENCE && opened.metadata?.plan === "basic", opened.reference);
const pc = await open("pc");
await pc.goto(base + opened.watch_url.slice(new URL(opened.watch_url).origin.length));
await view(pc, "session");
const phone = await open("phone");
await phone.goto(base + opened.phone_url.slice(new URL(opened.phone_url).origin.length));
await view(phone, "ask");

/** Sends `file` by the page's own button; gives the step as the service answers it. */
async function send(file) {
  const chooser = phone.waitForEvent("filechooser");
  await phone.locator("input[type=file]").first().click({ force: true });
  const answered = phone.waitForResponse((response) => response.request().method() === "PUT", { timeout: 60_000 });
  await (await chooser).setFiles(file);
  await answered;
  await view(phone, "verdict");
  return phone.evaluate(async () => {
    const { id, token } = JSON.parse(sessionStorage.getItem("phone"));
    const answer = await fetch(`/v1/sessions/${id}`, { headers: { Authorization: `Bearer ${token}` } });
    return (await answer.json()).steps[0];
  });
}
const reasons = () => phone.locator(".reasons li").evaluateAll((list) => list.map((one) => one.dataset.code));
const codes = (step) => step.report.reasons.map((reason) => reason.code);

const first = await send(bad);
check("1: the photograph is refused", first.state === "retake" && first.attempts === 1, first.state);
const again = await send(bad);
check("2: the same photograph is told as such", codes(again)[0] === "sent_again" && again.state === "retake", codes(again));
check("2: and was not examined again", again.report.findings.length === 0);
check("2: the phone says so", (await reasons())[0] === "sent_again", await reasons());
await look(phone, "filing-1-sent-again");
const third = await send(other);
check("3: the last attempt is handed over", third.state === "done" && third.report.decision === "review" && codes(third)[0] === "attempts_exhausted", codes(third));
check("3: the phone says so", (await reasons())[0] === "attempts_exhausted", await reasons());
await look(phone, "filing-2-phone-handed-over");
await pc.getByRole("heading", { name: "Handed over to a person" }).waitFor();
check("pc: the page says that a person looks", (await pc.locator(".side .note").innerText()).includes("Leave this page open"));
await pc.locator(".step img, .step .note").first().waitFor();
await look(pc, "filing-3-pc-handed-over");
await phone.getByRole("button").last().click().catch(() => {});

const verdict = await message(({ body }) => body.type === "verdict" && body.decision === "review");
check("webhook: the hand-over names the reference and what was tried", verdict.right && verdict.body.reference === REFERENCE && verdict.body.tried.length === 2, verdict.body);
check("webhook: what was tried has its reasons", verdict.body.tried[0].reasons[0] === "sent_again", verdict.body.tried);

// ---------------------------------------------------------------- a person decides

const listed = await ask(`/v1/cases?reference=${REFERENCE}&state=open&decision=review`, desk);
check("desk: the case is found by its reference", listed.json.cases.length === 1 && listed.json.cases[0].id === third.case, listed.json);
const full = await ask(`/v1/cases/${third.case}`, desk);
check("desk: the case has what was tried", full.json.tried.map((tried) => tried.case).join() === [again.case, first.case].join(), full.json.tried);
const decided = await ask(`/v1/cases/${third.case}/decision`, desk, { decision: "accept", message: MESSAGE, note: NOTE });
check("desk: the decision is taken", decided.status === 200, decided);
const told = await message(({ body }) => body.type === "decision");
check("webhook: the decision is signed and names the case", told.right && told.event === "decision" && told.body.case === third.case, told);
check("webhook: reference, metadata and both texts, apart", told.body.reference === REFERENCE && told.body.metadata.plan === "basic" && told.body.message === MESSAGE && told.body.note === NOTE, told.body);

await pc.locator('.decided[data-decided="accept"]').waitFor({ timeout: 20_000 });
check("pc: the applicant is told the words that are for them", (await pc.locator(".message-text").innerText()) === MESSAGE, await pc.locator(".message-text").innerText());
check("pc: and no others", !(await pc.content()).includes(NOTE));
check("pc: the step counts as accepted", (await pc.locator(".step.accept").count()) === 1);
check("pc: the faults are gone", (await pc.locator(".reasons").count()) === 0);
await pc.getByRole("heading", { name: "All photographs are done" }).waitFor();
await look(pc, "filing-4-pc-decided");
await phone.reload();
await view(phone, "finished");
check("phone: the decision is shown there too", (await phone.locator('.decided[data-decided="accept"]').count()) === 1);
await look(phone, "filing-5-phone-decided");

const own = await ask(`/v1/cases/${third.case}`, form);
check("form: the key reads its own case, and no inner words", own.json.decided.message === MESSAGE && own.json.decided.note === null && own.json.decided.actor === null, own.json.decided);
const fresh = await fetch(`${base}/v1/check?reference=${REFERENCE}`, { method: "POST", headers: { Authorization: `Bearer ${form}` }, body: readFileSync(last) });
check("after the decision attempts are counted anew", (await fresh.json()).attempt === 1);

check("no script failed, and the content policy held", errors.length === 0, errors);
await browser.close();
receiver.close();
server.removeAllListeners("exit");
server.kill("SIGTERM");
await new Promise((go) => server.on("exit", go));
const proof = execFileSync(program, ["audit", "--store", store, "verify"], { encoding: "utf8" });
check("the audit is whole", proof.startsWith("whole:"), proof);
check("nothing of it is in the log", ![REFERENCE, "basic", NOTE, "Thank you"].some((word) => log.includes(word)));
rmSync(folder, { recursive: true });
end();
