// Drives both pages of the phone hand-off in Chromium against a running server, and looks at what people would see.
// `node handoff.mjs BASE_URL PHOTO_GOOD PHOTO_BAD OUT_DIR`; CHROMIUM names another browser than /usr/bin/chromium.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import jsQR from "jsqr";
import { chromium } from "playwright-core";
import { PNG } from "pngjs";
import { check, end } from "./checks.mjs";

const [base, good, bad, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node handoff.mjs BASE_URL PHOTO_GOOD PHOTO_BAD OUT_DIR");
  process.exit(2);
}
const origin = new URL(base).origin;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(out, { recursive: true });

// The camera of the preview sees the good photograph: two JPEG files in a row are a film.
const film = join(out, "camera.mjpeg");
writeFileSync(film, Buffer.concat([readFileSync(good), readFileSync(good)]));

/** The same photograph as a phone that was held upright writes it: stored lying, and turned by EXIF orientation 6. */
const turned = join(out, "turned.jpg");
{
  const jpeg = readFileSync(good);
  const tiff = Buffer.from([0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
  const exif = Buffer.concat([Buffer.from("Exif\0\0"), tiff]);
  const size = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  writeFileSync(turned, Buffer.concat([jpeg.subarray(0, 2), size, exif, jpeg.subarray(2)]));
}

const sha256 = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-video-capture=${film}`,
  ],
});

/** Requests that left the server's origin and rules of the content policy that were broken, over the whole run. */
const outside = [];
const violations = [];
const errors = [];

async function open(kind, { locale = "en-GB", dark = false, zoom = 1 } = {}) {
  const phone = kind === "phone";
  const context = await browser.newContext({
    locale,
    colorScheme: dark ? "dark" : "light",
    viewport: phone ? { width: 360 / zoom, height: 740 / zoom } : { width: 1280, height: 800 },
    deviceScaleFactor: phone ? 2 * zoom : 1,
    isMobile: phone,
    hasTouch: phone,
    permissions: ["camera"],
  });
  await context.addInitScript({ content: axe });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  // From the start: the first listener is what makes the browser hand its choosers over, and that takes a moment.
  page.on("filechooser", () => {});
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) outside.push(request.url());
  });
  page.on("console", (message) => {
    if (/policy/i.test(message.text())) violations.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  return page;
}

const view = (page, name) => page.locator(`main[data-view="${name}"]`).waitFor({ timeout: 30_000 });
const heading = (page) => page.locator("h1").innerText();
const focused = (page) => page.evaluate(() => document.activeElement?.textContent ?? "");

/** Two pictures of the state, whole and as first seen, what axe finds in it, and whether it fits the width. */
async function look(page, name) {
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true, animations: "disabled" });
  await page.screenshot({ path: join(out, `${name}-seen.png`), animations: "disabled" });
  const found = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations: list } = await window.axe.run(document, { runOnly: tags });
    return list.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  });
  check(`${name}: axe finds nothing`, found.length === 0, found);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(`${name}: nothing wider than the screen`, over <= 0, over);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("main button, main label.button, header button")]
      .filter((button) => button.offsetParent)
      .map((button) => [button.textContent, Math.min(button.offsetHeight, button.offsetWidth)])
      .filter(([, size]) => size < 44),
  );
  check(`${name}: buttons are 44 px or more`, small.length === 0, small);
}

/** The link in the code on the page, read from its pixels. */
async function readCode(page) {
  const png = PNG.sync.read(await page.locator(".qr").screenshot());
  return jsQR(new Uint8ClampedArray(png.data), png.width, png.height)?.data ?? null;
}

/** A link that leads to the server under test, whatever name it goes by in public. */
const here = (link) => origin + link.slice(new URL(link).origin.length);

async function newSession(pc, choice, button) {
  await pc.goto(`${base}/capture`);
  await view(pc, "choice");
  await pc.locator(`input[value="${choice}"]`).check();
  await pc.getByRole("button", { name: button }).click();
  await view(pc, "session");
  return pc.locator("#link").innerText();
}

/** The report of the step that the page has just sent, asked for with the page's own token. */
async function reportOf(page, index) {
  await view(page, "verdict");
  return page.evaluate(async (at) => {
    const { id, token } = JSON.parse(sessionStorage.getItem("phone"));
    const answer = await fetch(`/v1/sessions/${id}`, { headers: { Authorization: `Bearer ${token}` } });
    return (await answer.json()).steps[at].report;
  }, index);
}

/** Chooses a file by the page's own button and waits for the verdict. */
async function send(page, file, tap = (input) => input.click({ force: true })) {
  const chooser = page.waitForEvent("filechooser");
  await tap(page.locator("input[type=file]").first());
  const answered = page.waitForResponse((response) => response.request().method() === "PUT", { timeout: 60_000 });
  await (await chooser).setFiles(file);
  await answered;
  return reportOf(page, 0);
}

async function checkVerdict(page, report, language, who) {
  await view(page, "verdict");
  check(`${who}: the page shows the server's decision`, (await page.locator("article").getAttribute("data-decision")) === report.decision, report.decision);
  check(`${who}: the focus is on the verdict`, (await focused(page)) === (await heading(page)));
  const sentences = new Set(report.reasons.map((reason) => reason[language]));
  const shown = await page.locator(".reasons li span:last-child").allInnerTexts();
  check(`${who}: every reason is told in the page's language`, shown.length === sentences.size && shown.every((text) => sentences.has(text)), shown);
  await page.locator(".picture[data-source]").waitFor();
  check(`${who}: the photograph itself is shown`, (await page.locator(".picture").getAttribute("data-source")) === "local");
  const places = new Set(report.reasons.filter((reason) => reason.polygon?.length > 2).map((reason) => reason[language]));
  check(`${who}: a place for each reason that has one`, (await page.locator(".marks .mark").count()) === places.size, places.size);
  check(`${who}: the document's outline`, (await page.locator(".marks .mark-document").count()) === (report.document?.corners ? 1 : 0));
}

// ---------------------------------------------------------------- one document, in English, by touch

const pc = await open("pc");
await pc.goto(`${base}/capture`);
await view(pc, "choice");
check("pc: the page is English", (await pc.locator("html").getAttribute("lang")) === "en");
await look(pc, "pc-1-choice");
const link = await newSession(pc, "any", "Show the code");
const decoded = await readCode(pc);
check("pc: the code holds the link", decoded === link && decoded.includes("/phone#"), decoded);
await look(pc, "pc-2-code");

const phone = await open("phone");
await phone.goto(here(link));
await view(phone, "ask");
check("phone: the token is gone from the address", !phone.url().includes("#"));
await pc.getByRole("heading", { name: "Phone connected" }).waitFor();
check("pc: the code is gone once it is used", (await pc.locator("#qr").count()) === 0);
await look(phone, "phone-1-ask");
await look(pc, "pc-3-connected");
const targets = await phone.locator("input[type=file]").evaluateAll((inputs) => inputs.map((input) => [input.accept, input.getAttribute("capture")].join()));
check("phone: the camera alone is offered", targets.length === 1 && targets[0] === "image/*,environment", targets);

await phone.getByRole("button", { name: "Help me aim" }).click();
await phone.locator(".hint:not(.looking)").waitFor({ timeout: 20_000 });
await phone.waitForTimeout(1500);
check("phone: the preview runs", await phone.locator("video").evaluate((video) => video.videoWidth > 0 && !video.paused));
console.log(`     hint: ${await phone.locator(".hint").innerText()}`);
await look(phone, "phone-2-aim");
const stream = await phone.locator("video").evaluateHandle((video) => video.srcObject);

const badReport = await send(phone, bad);
check("phone: the preview ends when the camera opens", await stream.evaluate((media) => media.getTracks().every((track) => track.readyState === "ended")));
check("the server received the bad file's own bytes", badReport.sha256 === sha256(bad), badReport.sha256);
check("the bad photograph is not accepted", ["retake", "reject"].includes(badReport.decision), badReport.decision);
await checkVerdict(phone, badReport, "en", "phone, bad");
await look(phone, "phone-3-bad");
await pc.locator(`.step[data-decision="${badReport.decision}"] img`).waitFor();
check("pc, bad: the reasons are there", (await pc.locator(".reasons li").count()) > 0);
await look(pc, "pc-4-bad");

await phone.reload();
await view(phone, "verdict");
await phone.locator(".picture[data-source=server] img").waitFor();
check("phone: a reload goes on where it was", (await phone.locator("article").getAttribute("data-decision")) === badReport.decision);
await look(phone, "phone-4-reloaded");

// A connection that breaks once: the same file again by one button.
await phone.route("**/steps/*", (route) => (route.request().method() === "PUT" ? route.abort("connectionreset") : route.continue()));
const chooser = phone.waitForEvent("filechooser");
await phone.locator("input[type=file]").click({ force: true });
await (await chooser).setFiles(good);
await view(phone, "failed");
await look(phone, "phone-5-failed");
await phone.unroute("**/steps/*");
// Held back a little, to see the page while it sends.
await phone.route("**/steps/*", async (route) => {
  await new Promise((go) => setTimeout(go, 1500));
  await route.continue();
});
await phone.getByRole("button", { name: "Send it again" }).click();
await view(phone, "sending");
await look(phone, "phone-6-sending");
const goodReport = await reportOf(phone, 0);
check("the server received the good file's own bytes", goodReport.sha256 === sha256(good), goodReport.sha256);
check("the good photograph is accepted or kept for review", ["accept", "review"].includes(goodReport.decision), goodReport.decision);
await checkVerdict(phone, goodReport, "en", "phone, good");
await look(phone, "phone-7-good");
await pc.getByRole("heading", { name: "All photographs are done" }).waitFor();
await pc.locator(".step img").waitFor();
await look(pc, "pc-5-done");
await phone.reload();
await view(phone, "finished");
await look(phone, "phone-8-finished");

// ---------------------------------------------------------------- the token serves once

const second = await open("phone");
await second.goto(here(link));
await view(second, "used");
check("a second use of the code fails and says why", (await heading(second)) === "This code has already been used");
await look(second, "phone-9-used");
await second.goto(`${base}/phone#nosuchtoken`);
await view(second, "unknown");
await look(second, "phone-10-unknown");
await second.goto(`${base}/phone`);
await view(second, "none");
await look(second, "phone-11-no-link");

// ---------------------------------------------------------------- the answer to a claim is lost

const lostPc = await open("pc");
const lostLink = await newSession(lostPc, "id", "Show the code");
const lostPhone = await open("phone");
const loseAnswer = async (route) => {
  await route.fetch();
  await route.abort();
};
await lostPhone.route("**/v1/sessions/claim", loseAnswer, { times: 1 });
await lostPhone.goto(here(lostLink));
await view(lostPhone, "trouble");
await lostPc.getByRole("heading", { name: "Phone connected" }).waitFor();
await lostPhone.getByRole("button", { name: "Try again" }).click();
await view(lostPhone, "ask");
check("phone: a claim whose answer was lost is made again", true);

// ---------------------------------------------------------------- both sides, in Chinese, dark

const pcZh = await open("pc", { locale: "zh-CN", dark: true });
await pcZh.goto(`${base}/capture`);
await view(pcZh, "choice");
check("pc: the page is Chinese", (await pcZh.locator("html").getAttribute("lang")) === "zh-CN");
await look(pcZh, "pc-zh-1-choice");
const linkZh = await newSession(pcZh, "id", "显示二维码");
check("pc, dark: the code can be read", (await readCode(pcZh)) === linkZh);
await look(pcZh, "pc-zh-2-code");
// The phone prefers English; the session was made in Chinese, and that decides.
const phoneZh = await open("phone", { dark: true });
await phoneZh.goto(here(linkZh));
await view(phoneZh, "ask");
check("phone: the session's language decides", (await heading(phoneZh)) === "身份证人像面", await heading(phoneZh));
await look(phoneZh, "phone-zh-1-ask");
const badZh = await send(phoneZh, bad);
await checkVerdict(phoneZh, badZh, "zh", "phone, Chinese");
await look(phoneZh, "phone-zh-2-bad");
await pcZh.locator(`.step[data-decision="${badZh.decision}"] img`).waitFor();
await look(pcZh, "pc-zh-3-bad");
await phoneZh.getByRole("button", { name: "English" }).click();
check("phone: the switch speaks English", (await phoneZh.locator("html").getAttribute("lang")) === "en" && /[a-z]/.test(await heading(phoneZh)));
check("phone: the switch keeps the verdict", (await phoneZh.locator("article").getAttribute("data-decision")) === badZh.decision);

const turnedReport = await send(phoneZh, turned);
check("the server received the turned file's own bytes", turnedReport.sha256 === sha256(turned), turnedReport.sha256);
const shownSize = await phoneZh.locator(".picture img").evaluate((img) => [img.naturalWidth, img.naturalHeight]);
check("browser and server turn a picture alike", shownSize.join() === [turnedReport.width, turnedReport.height].join(), shownSize);
await checkVerdict(phoneZh, turnedReport, "en", "phone, turned");
await look(phoneZh, "phone-13-turned");

// ---------------------------------------------------------------- no camera for the preview

const denied = await open("phone");
await denied.addInitScript(() => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
});
const deniedPc = await open("pc");
await denied.goto(here(await newSession(deniedPc, "licence", "Show the code")));
await view(denied, "ask");
await denied.getByRole("button", { name: "Help me aim" }).click();
await denied.locator(".aim .note").waitFor();
check("phone: a refused preview leaves the camera button", await denied.locator("label.button").isVisible());
await look(denied, "phone-14-denied");
await denied.addInitScript(() => Object.defineProperty(navigator, "mediaDevices", { value: undefined }));
await denied.reload();
await view(denied, "ask");
check("phone: without a camera API there is no preview to offer", (await denied.locator(".aim").count()) === 0);

// ---------------------------------------------------------------- the keyboard alone, 200 %

const keysPc = await open("pc");
const keysLink = await newSession(keysPc, "id", "Show the code");
const { id, token } = await keysPc.evaluate(() => JSON.parse(sessionStorage.getItem("watched")));
const watching = await open("pc");
await watching.goto(`${base}/capture#${id}.${token}`);
await watching.getByRole("heading", { name: "Waiting for the phone" }).waitFor();
await look(watching, "pc-9-watching");
const keys = await open("phone", { zoom: 2 });
await keys.goto(here(keysLink));
await view(keys, "ask");
await look(keys, "phone-zoomed-1-ask");
/** Presses Tab until the page says that it has arrived. */
const press = async (page, find) => {
  for (let n = 0; n < 12; n++) {
    if (await page.evaluate(find)) return true;
    await page.keyboard.press("Tab");
  }
  return false;
};
const onInput = () => document.activeElement?.type === "file";
check("keyboard: Tab reaches the camera", await press(keys, onInput));
const ring = await keys.locator("label.button").evaluate((label) => getComputedStyle(label).outlineStyle);
check("keyboard: the focus is seen", ring === "solid", ring);
const checking = keysPc.locator('.step[data-state="checking"]').waitFor({ timeout: 20_000 });
const report = await send(keys, bad, async () => {
  await keys.keyboard.press("Enter");
  // Whether the short moment is caught depends on the machine.
  checking.then(() => keysPc.screenshot({ path: join(out, "pc-10-checking.png") })).catch(() => {});
});
await watching.locator(`.step[data-decision="${report.decision}"] img`).waitFor();
check("pc: a page that only watches sees the verdict", true);
await checkVerdict(keys, report, "en", "keyboard");
await look(keys, "phone-zoomed-2-bad");
check("keyboard: Tab goes from the verdict to the camera", await press(keys, onInput));

// ---------------------------------------------------------------- a server with keys, a session that ran out

const locked = await open("pc");
const noKey = (route) =>
  route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ status: 401, code: "unauthorized", title: "", detail: "" }) });
await locked.route("**/v1/policy", noKey);
const seen = [];
await locked.exposeFunction("saw", (name) => seen.push(name));
await locked.addInitScript(() => {
  new MutationObserver(() => window.saw(document.querySelector("main")?.dataset.view ?? "")).observe(document, { subtree: true, childList: true, attributes: true });
});
await locked.goto(`${base}/capture`);
await view(locked, "key");
check("pc: without a right nothing is there to choose", !seen.includes("choice"), [...new Set(seen)]);
await look(locked, "pc-6-key");

const lost = await open("pc");
await lost.route("**/v1/sessions", noKey);
await lost.goto(`${base}/capture`);
await view(lost, "choice");
await lost.getByRole("button", { name: "Show the code" }).click();
await view(lost, "key");
check("pc: a right that was lost meanwhile is told", true);

// What an application with a key makes for a browser that has none.
const handed = await open("pc");
await handed.route("**/v1/policy", noKey);
const asked = await (await fetch(`${base}/v1/sessions`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ steps: ["any"] }) })).json();
await handed.goto(here(asked.watch_url));
await view(handed, "session");
check("pc: the page that an application opens shows the code", (await readCode(handed)) === asked.phone_url, asked.phone_url);
check("pc: a link that leads to this computer alone is told", (await handed.locator(".notice:not([hidden])").count()) === 1);
await look(handed, "pc-11-handed");

const late = await open("pc");
await late.route("**/v1/sessions/*", (route) =>
  route.fulfill({ json: { id: "x", state: "expired", lang: "en", expires_at: "2020-01-01T00:00:00Z", steps: [{ index: 0, expect: "any", state: "waiting", attempts: 0, report: null }] } }),
);
await newSessionExpired(late);
async function newSessionExpired(page) {
  await page.goto(`${base}/capture`);
  await view(page, "choice");
  await page.getByRole("button", { name: "Show the code" }).click();
  await view(page, "expired");
}
await look(late, "pc-7-expired");
await late.getByRole("button", { name: "Show a new code" }).click();
await view(late, "choice");
check("pc: the button leads to a new code", true);

const latePhone = await open("phone");
await latePhone.route("**/v1/sessions/claim", (route) =>
  route.fulfill({ status: 410, contentType: "application/problem+json", body: JSON.stringify({ status: 410, code: "session_expired", title: "", detail: "" }) }),
);
await latePhone.goto(`${base}/phone#late`);
await view(latePhone, "expired");
await look(latePhone, "phone-12-expired");

const watcher = await open("pc");
await watcher.goto(`${base}/capture#no.such`);
await view(watcher, "unknown");
await look(watcher, "pc-8-unknown");

// ---------------------------------------------------------------- what could be taken for markup

const evil = `"'><script>pwned()</script><img src=x onerror=pwned()>`;
const ran = [];
/** Every word of a session that people read becomes markup, on its way to the page. */
async function poisoned(kind) {
  const page = await open(kind);
  await page.exposeFunction("pwned", () => ran.push(kind));
  const spoil = (value, key) => {
    if (Array.isArray(value)) return value.map((one) => spoil(one, key));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoil(one, name)]));
    return typeof value === "string" && ["en", "zh", "sentence", "path", "text", "note", "detail", "title"].includes(key) ? evil : value;
  };
  await page.route("**/v1/sessions/**", async (route) => {
    // A stream has no end to wait for: the page asks again, and what it is told then is spoiled.
    if (route.request().url().endsWith("/events")) return route.abort();
    const answer = await route.fetch();
    if (!/json/.test(answer.headers()["content-type"] ?? "")) return route.fulfill({ response: answer });
    return route.fulfill({ response: answer, json: spoil(await answer.json(), "") });
  });
  return page;
}
const evilPc = await poisoned("pc");
const evilLink = await newSession(evilPc, "any", "Show the code");
const evilPhone = await poisoned("phone");
await evilPhone.goto(here(evilLink));
await view(evilPhone, "ask");
const poison = Buffer.from(evil);
const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, poison.length + 2]), poison]);
const photograph = readFileSync(bad);
await send(evilPhone, { name: `${evil}.jpg`, mimeType: "image/jpeg", buffer: Buffer.concat([photograph.subarray(0, 2), comment, photograph.subarray(2)]) });
const told = await evilPhone.locator(".reasons li span:last-child").allInnerTexts();
check("phone: what could be markup is shown as it is", told.length > 0 && told.every((text) => text === evil), told);
await evilPc.locator(".step[data-decision]").waitFor();
const shown = await evilPc.locator(".reasons li span:last-child").allInnerTexts();
check("pc: what could be markup is shown as it is", shown.length > 0 && shown.includes(evil), shown);
const grown = await Promise.all([evilPc, evilPhone].map((page) => page.locator("img[src=x], main script").count()));
check("no page made elements of it", grown.every((count) => count === 0), grown);
check("nothing of it ran", ran.length === 0, ran);

// ---------------------------------------------------------------- over all

check("no request left the server", outside.length === 0, outside);
check("the content policy held", violations.length === 0, violations);
check("no script failed", errors.length === 0, errors);
await browser.close();
console.log(`photographs: ${basename(good)}, ${basename(bad)}; screenshots in ${out}`);
end();
