// Sends one photograph to a running service and says what the applicant is to be told. Node 20 or newer, nothing else.
//
//   BONAFIDE_URL=http://127.0.0.1:8080 BONAFIDE_KEY=bf_… node check.mjs photo.jpg

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

const URL = process.env.BONAFIDE_URL ?? "http://127.0.0.1:8080";
const KEY = process.env.BONAFIDE_KEY;

/** The report of a photograph: the untouched file of the camera. Throws for a file that is none. */
export async function check(photograph, document = "", tries = 4) {
  const headers = { "Idempotency-Key": randomUUID(), "Content-Type": "application/octet-stream" };
  if (KEY) headers.Authorization = `Bearer ${KEY}`;
  const where = `${URL}/v1/check${document ? `?document=${document}` : ""}`;
  for (; ; tries--) {
    const answer = await fetch(where, { method: "POST", headers, body: photograph });
    const body = await answer.json();
    if (answer.ok) return body;
    if (![429, 503].includes(answer.status) || tries <= 1) throw new Error(`${body.code}: ${body.detail}`);
    // The same key: what was recorded before the answer was lost is not recorded twice.
    await new Promise((go) => setTimeout(go, 1000 * Number(answer.headers.get("Retry-After") ?? 1)));
  }
}

const report = await check(await readFile(process.argv[2]));
console.log(report.decision);
for (const reason of report.reasons) console.log(`${reason.code}: ${reason.en}`);
