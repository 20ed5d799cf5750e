// The service's HTTP contract → promises: sessions, their events, photographs sent as they are, overlays.

/** No byte for this long means a dead connection: the service sends a comment every 15 s. */
const SILENCE_MS = 40_000;

/** An upload that moves nothing for this long has failed; slow ones may take as long as they like. */
const STALL_MS = 60_000;

/** What went wrong: the service's own problem, or `network` with status 0. */
export class Problem extends Error {
  constructor(status, code, detail, retryAfter_s = null) {
    super(detail || code);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter_s = retryAfter_s;
  }
}

const lost = () => new Problem(0, "network", "");

// Expiry is told in the server's time, and clocks of phones and computers may be off by minutes.
let clockOffset_ms = 0;

/** The time at the server, as far as its answers have told it. */
export function now_ms() {
  return Date.now() + clockOffset_ms;
}

function readClock(date) {
  const server_ms = Date.parse(date ?? "");
  // The header has whole seconds.
  if (Number.isFinite(server_ms) && Math.abs(server_ms - now_ms()) > 2000) clockOffset_ms = server_ms - Date.now();
}

function problemFrom(status, text, retryAfter) {
  const wait_s = Number.parseInt(retryAfter ?? "", 10);
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page instead of a problem: the status alone has to say it.
  }
  return new Problem(status, body.code ?? `http_${status}`, body.detail ?? body.title ?? "", wait_s >= 0 ? wait_s : null);
}

async function ask(path, { method = "GET", token, lang, json, accept = "application/json", signal } = {}) {
  const headers = { Accept: accept };
  if (lang) headers["Accept-Language"] = lang;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: json === undefined ? undefined : JSON.stringify(json),
      cache: "no-store",
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
      signal,
    });
  } catch {
    throw lost();
  }
  readClock(answer.headers.get("Date"));
  if (!answer.ok) {
    throw problemFrom(answer.status, await answer.text().catch(() => ""), answer.headers.get("Retry-After"));
  }
  return answer;
}

async function askJson(path, options) {
  const answer = await ask(path, options);
  try {
    return await answer.json();
  } catch {
    throw lost();
  }
}

const place = (id) => `/v1/sessions/${encodeURIComponent(id)}`;

/** Makes a session; the answer holds the code to show and the token to watch with. */
export function createSession(steps, lang) {
  return askJson("/v1/sessions", { method: "POST", json: { steps, lang }, lang });
}

/** Whether this page may make a session: before anybody chooses what for. Where that cannot be told, it shows later. */
export async function mayMakeSession(lang) {
  try {
    await ask("/v1/policy", { lang });
    return true;
  } catch (problem) {
    return problem.status !== 401 && problem.status !== 403;
  }
}

/** The code to show, for who watches a session and holds its one-time token: {phone_url, qr_svg}. */
export function readCode(id, token, once, lang) {
  return askJson(`${place(id)}/code`, { method: "POST", token, json: { token: once }, lang });
}

/** Trades the one-time token of the link for the phone's own token; `claimant` is a secret, the same when asked again. */
export function claim(token, claimant, lang) {
  return askJson("/v1/sessions/claim", { method: "POST", json: { token, claimant }, lang });
}

/** The session as it stands. */
export function readSession(id, token, lang) {
  return askJson(place(id), { token, lang });
}

/** The picture with what was found drawn on it, or null while there is none. */
export async function readOverlay(id, token, index) {
  try {
    return await (await ask(`${place(id)}/steps/${index}/overlay`, { token, accept: "image/jpeg" })).blob();
  } catch {
    return null;
  }
}

/**
 * Sends `file` untouched as the photograph of a step; resolves to the judged step.
 * XMLHttpRequest, because fetch does not tell how much of a body has been sent.
 */
export function sendPhoto({ id, token, index, file, lang, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALL_MS);
    };
    request.open("PUT", `${place(id)}/steps/${index}?name=${encodeURIComponent(file.name || "photo")}`);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", lang);
    request.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.upload.onload = () => {
      alive();
      onProgress(1);
    };
    const fail = () => reject(lost());
    request.onerror = fail;
    request.onabort = fail;
    request.onload = () => {
      readClock(request.getResponseHeader("Date"));
      if (request.status < 200 || request.status > 299) {
        reject(problemFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        fail();
      }
    };
    request.onloadend = () => clearTimeout(timer);
    alive();
    request.send(file);
  });
}

/** Splits the text of an event stream: [events that are whole, the rest]. */
export function splitEvents(text) {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop();
  const events = [];
  for (const block of blocks) {
    let event = "message";
    const data = [];
    for (const line of block.split("\n")) {
      const [, field, value] = /^(event|data): ?(.*)$/.exec(line) ?? [];
      if (field === "event") event = value;
      if (field === "data") data.push(value);
    }
    if (data.length > 0) events.push({ event, data: data.join("\n") });
  }
  return [events, rest];
}

async function follow(id, token, lang, signal, onSession) {
  const silence = new AbortController();
  const stop = () => silence.abort();
  signal.addEventListener("abort", stop);
  let timer = setTimeout(stop, SILENCE_MS);
  try {
    const answer = await ask(`${place(id)}/events`, { token, lang, accept: "text/event-stream", signal: silence.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(stop, SILENCE_MS);
      const [events, rest] = splitEvents(text + value);
      text = rest;
      for (const { event, data } of events) {
        if (event === "session") onSession(JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Whether nothing more comes of a session: a person may have yet to decide about one that is done. */
export const final = (session) => session.state === "expired" || (session.state === "done" && !session.in_review);

/**
 * Tells `onSession` of a session at once and at every change until it is over, `onBroken` of each lost connection and
 * `onProblem` of an answer after which trying again is no use. Returns the function that stops it.
 * EventSource cannot send the token in a header, so the stream is read by fetch.
 */
export function watch(id, token, { lang, onSession, onBroken, onProblem }) {
  const ended = new AbortController();
  const { signal } = ended;
  let over = false;
  const tell = (session) => {
    if (signal.aborted) return;
    over = final(session);
    onSession(session);
  };
  (async () => {
    let wait_ms = 1000;
    while (!over && !signal.aborted) {
      try {
        // Read first: a proxy that holds event streams back then only makes the page slow, not blind.
        tell(await readSession(id, token, lang()));
        if (over) return;
        const began_ms = Date.now();
        await follow(id, token, lang(), signal, tell);
        if (Date.now() - began_ms > 10_000) wait_ms = 1000;
      } catch (problem) {
        if (signal.aborted) return;
        const { status } = problem;
        if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
          onProblem(problem);
          return;
        }
        onBroken();
        if (problem.retryAfter_s !== null && problem.retryAfter_s > 0) wait_ms = Math.max(wait_ms, problem.retryAfter_s * 1000);
      }
      if (over || signal.aborted) return;
      await new Promise((go) => setTimeout(go, wait_ms * (0.75 + Math.random() / 2)));
      wait_ms = Math.min(wait_ms * 2, 15_000);
    }
  })();
  return () => ended.abort();
}
