// Drives <bonafide-capture> in pages of another origin in Chromium, against a running server that names that origin in
// `cors-origin`. `node component.mjs SERVICE_URL SITE_PORT PHOTO_GOOD PHOTO_BAD OUT_DIR`

import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check, end } from "./checks.mjs";

const [service, port, good, bad, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node component.mjs SERVICE_URL SITE_PORT PHOTO_GOOD PHOTO_BAD OUT_DIR");
  process.exit(2);
}
mkdirSync(out, { recursive: true });

/** The site's back end: its page, and the one route that opens a session with the site's key. */
const steps = JSON.stringify({ steps: ["any"] });
const site = createServer(async (request, response) => {
  if (request.url === "/photographs" && request.method === "POST") {
    const answer = await fetch(`${service}/v1/sessions`, { method: "POST", headers: { "Content-Type": "application/json" }, body: steps });
    const opened = await answer.json();
    response.writeHead(answer.status, { "Content-Type": "application/json" });
    // Where phones come is told by the address that was asked: this machine's, here.
    response.end(JSON.stringify(opened));
    return;
  }
  const open = request.url === "/broken" ? "/nothing-here" : "/photographs";
  response.writeHead(request.url === "/nothing-here" ? 404 : 200, {
    "Content-Type": "text/html; charset=utf-8",
    // As strict as a site can be: the component needs its script and its frame, and no style of its own.
    "Content-Security-Policy": `default-src 'none'; connect-src 'self'; script-src ${service} 'nonce-t'; frame-src ${service}`,
  });
  response.end(`<!doctype html><html lang="en"><title>A form</title><h1>A form</h1>
    <bonafide-capture open="${open}"></bonafide-capture><p>Below.</p>
    <script nonce="t">window.seen = [];
      for (const name of ["change", "done", "expired", "error"])
        document.querySelector("bonafide-capture").addEventListener(name, (event) => seen.push([name, event.detail]));</script>
    <script src="${service}/bonafide-capture.js"></script></html>`);
});
await new Promise((go) => site.listen(Number(port), "127.0.0.1", go));
/** The same page at an origin that the service does not know. */
const stranger = createServer((request, response) => site.emit("request", request, response));
await new Promise((go) => stranger.listen(0, "127.0.0.1", go));
const home = `http://127.0.0.1:${port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const violations = [];

async function open(url, phone) {
  const context = await browser.newContext({
    locale: "en-GB",
    viewport: phone ? { width: 360, height: 740 } : { width: 1280, height: 900 },
    isMobile: phone,
    hasTouch: phone,
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (/policy/i.test(message.text())) violations.push(message.text());
  });
  await page.goto(url);
  return page;
}

const seen = (page) => page.evaluate(() => window.seen);
const until = (page, name) => page.waitForFunction((wanted) => window.seen.some(([told]) => told === wanted), name, { timeout: 60_000 });
const last = async (page) => (await seen(page)).at(-1)[1];
const height = (page) => page.locator("iframe").evaluate((frame) => frame.offsetHeight);

// ---------------------------------------------------------------- on a phone: the capture itself

const phone = await open(home, true);
const inside = phone.frameLocator("iframe");
await inside.locator('main[data-view="ask"]').waitFor();
check("phone: the session is told to the page", (await last(phone)).state === "claimed", await seen(phone));
await phone.screenshot({ path: join(out, "component-1-ask.png"), fullPage: true });
await inside.locator("input[type=file]").first().setInputFiles(bad);
await phone.waitForFunction(() => window.seen.some(([, told]) => told.steps?.[0].state === "retake"), null, { timeout: 60_000 });
check("phone: a photograph that is not accepted is told, and asked for anew", ["retake", "reject"].includes((await last(phone)).steps[0].decision), await last(phone));
check("phone: the reasons stand in the frame", (await inside.locator(".reasons li").count()) > 0);
await phone.screenshot({ path: join(out, "component-2-bad.png"), fullPage: true });
const told = JSON.stringify(await seen(phone));
check("phone: no report, picture or token reaches the page", !/report|token|sha256|sentence/.test(told), told);
const high = await inside.locator("body").evaluate((body) => Math.ceil(body.getBoundingClientRect().height));
check("phone: the frame is as high as what it shows", Math.abs((await height(phone)) - high) <= 1, [await height(phone), high]);
await inside.locator("input[type=file]").first().setInputFiles(good);
await until(phone, "done");
check("phone: the end is told once", (await seen(phone)).filter(([name]) => name === "done").length === 1);
check("phone: attempts are counted", (await last(phone)).steps[0].attempts === 2, await last(phone));
check("phone: what to do next is here, not at a computer", !/computer/.test(await inside.locator("main").innerText()));
await phone.screenshot({ path: join(out, "component-3-good.png"), fullPage: true });

// ---------------------------------------------------------------- on a computer: the code for a phone

const pc = await open(home, false);
const code = pc.frameLocator("iframe");
await code.locator(".qr").waitFor();
const link = await code.locator("#link").innerText();
check("pc: the code is for a phone", link.startsWith(`${service}/phone#`), link);
await pc.screenshot({ path: join(out, "component-4-code.png"), fullPage: true });
const other = await open(link, true);
await other.locator('main[data-view="ask"]').waitFor();
await other.locator("input[type=file]").first().setInputFiles(good);
await until(pc, "done");
check("pc: what the phone does is told", (await last(pc)).steps[0].decision !== null, await last(pc));
await pc.evaluate(() => document.querySelector("bonafide-capture").restart());
await code.locator(".qr").waitFor();
check("pc: another session is opened", (await code.locator("#link").innerText()) !== link);

// ---------------------------------------------------------------- what must not be

const broken = await open(`${home}/broken`, true);
await until(broken, "error");
check("a back end that fails is said, with a way on", (await broken.getByRole("button", { name: "Try again" }).count()) === 1);
const allowed = violations.length;
check("the site's own policy held", allowed === 0, violations);
const elsewhere = await open(`http://127.0.0.1:${stranger.address().port}`, true);
await elsewhere.locator("iframe").waitFor();
await elsewhere.waitForTimeout(1500);
check("a site that is not named cannot frame it", (await seen(elsewhere)).length === 0 && violations.some((text) => /frame-ancestors/.test(text)), violations);
// A message that only looks like one of the frame.
await phone.evaluate(() => window.postMessage({ bonafide: 1, session: { state: "done", steps: [] } }, "*"));
await phone.waitForTimeout(200);
check("messages of others count for nothing", (await seen(phone)).filter(([name]) => name === "done").length === 1);

await browser.close();
site.close();
stranger.close();
end();
