// <bonafide-capture> in a page of any site → the photographs of a hand-off, asked for and judged there: the code for a
// phone on a computer, the camera itself on a phone. What it shows are the service's own pages in a frame, so that no
// key, no token and no picture passes through the page around it. The service frames for sites that its setting
// `cors-origin` names.
//
//   <script src="https://check.example.com/bonafide-capture.js" defer></script>
//   <bonafide-capture open="/photographs"></bonafide-capture>
//
// `open` is an address of the site's own back end. A POST to it opens a session with the site's key and answers with
// what POST /v1/sessions answered. Attributes: `open`, `lang` (en, zh), `mode` (auto, phone, code). The property `session` may be
// set to that answer instead. Events: `change`, `done`, `expired` with the outline of the session in `detail`, `error`
// with a message. The outline is for the page; the back end asks the service itself, or takes it from a webhook.
(() => {
  "use strict";

  const WORDS = {
    en: {
      title: "Photograph your document",
      opening: "Opening …",
      failed: "The photographs cannot be taken here right now.",
      again: "Try again",
    },
    zh: { title: "拍摄证件", opening: "正在打开……", failed: "暂时无法在此拍摄照片。", again: "重试" },
  };

  const STYLE = `
    :host { display: block; min-height: 20rem; }
    :host([hidden]) { display: none; }
    iframe { display: block; width: 100%; height: 36rem; border: 0; border-radius: inherit; color-scheme: normal; }
    p { margin: 0; padding: 1rem 0; font: inherit; }
    button { font: inherit; min-height: 2.75rem; padding: 0 1.25rem; cursor: pointer; }
  `;

  /** Heights of the frame, in CSS pixels: what a page tells beyond is not believed. */
  const HEIGHTS_PX = [200, 6000];

  /** Whether the photographs can be taken with this device: it is held in a hand. */
  const isPhone = () => navigator.maxTouchPoints > 0 && matchMedia("(pointer: coarse)").matches;

  /** An address of the service, or null for anything that is none. */
  function address(text) {
    try {
      const url = new URL(text);
      return url.protocol === "https:" || url.protocol === "http:" ? url : null;
    } catch {
      return null;
    }
  }

  class BonafideCapture extends HTMLElement {
    static observedAttributes = ["open", "mode"];

    #root = this.attachShadow({ mode: "open" });
    #session = null;
    #frame = null;
    #origin = null;
    #ended = "";
    /** Counts openings: an answer to an older one is not shown. */
    #turn = 0;
    #hear = (event) => this.#heard(event);

    constructor() {
      super();
      // A style element would need the page's policy to allow it.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.#root.adoptedStyleSheets = [sheet];
    }

    connectedCallback() {
      window.addEventListener("message", this.#hear);
      this.#begin();
    }

    disconnectedCallback() {
      window.removeEventListener("message", this.#hear);
      this.#turn++;
      this.#frame = null;
      this.#root.replaceChildren();
    }

    attributeChangedCallback(_name, before, now) {
      if (this.isConnected && before !== now) this.#begin();
    }

    /** What the service answered when the session was opened. */
    get session() {
      return this.#session;
    }

    set session(opened) {
      this.#session = opened;
      if (this.isConnected) this.#begin();
    }

    /** Opens another session, where `open` says how. */
    restart() {
      if (this.hasAttribute("open")) this.#session = null;
      return this.#begin();
    }

    get #words() {
      const lang = this.lang || document.documentElement.lang || navigator.language;
      return WORDS[/^zh\b/i.test(lang) ? "zh" : "en"];
    }

    async #begin() {
      const turn = ++this.#turn;
      this.#frame = null;
      this.#ended = "";
      const open = this.getAttribute("open");
      if (!this.#session && !open) {
        this.#root.replaceChildren();
        return;
      }
      this.#note(this.#words.opening);
      try {
        const session = this.#session ?? (await this.#opened(open));
        if (turn !== this.#turn) return;
        this.#session = session;
        this.#show();
      } catch (error) {
        if (turn !== this.#turn) return;
        this.#session = null;
        this.#fail(error instanceof Error ? error.message : String(error));
      }
    }

    async #opened(open) {
      const answer = await fetch(open, { method: "POST", headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`${open} answered ${answer.status}`);
      return answer.json();
    }

    #show() {
      const mode = this.getAttribute("mode");
      const onPhone = mode === "phone" || (mode !== "code" && isPhone());
      const url = address(onPhone ? this.#session?.phone_url : this.#session?.watch_url);
      if (!url) throw new Error(`the session has no ${onPhone ? "phone_url" : "watch_url"}`);
      const frame = document.createElement("iframe");
      frame.title = this.#words.title;
      frame.allow = "camera; clipboard-write";
      frame.referrerPolicy = "no-referrer";
      frame.src = url.href;
      this.#frame = frame;
      this.#origin = url.origin;
      this.#root.replaceChildren(frame);
    }

    #heard({ source, origin, data }) {
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#origin || data?.bonafide !== 1) return;
      if (Number.isFinite(data.height_px)) {
        this.#frame.style.height = `${Math.min(Math.max(data.height_px, HEIGHTS_PX[0]), HEIGHTS_PX[1])}px`;
      }
      const { session } = data;
      if (!session) return;
      this.#tell("change", session);
      if ((session.state === "done" || session.state === "expired") && session.state !== this.#ended) {
        this.#ended = session.state;
        this.#tell(session.state, session);
      }
    }

    #tell(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }

    #note(text, ...more) {
      const line = document.createElement("p");
      line.setAttribute("role", "status");
      line.textContent = text;
      this.#root.replaceChildren(line, ...more);
    }

    #fail(message) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = this.#words.again;
      button.addEventListener("click", () => this.restart());
      this.#note(this.#words.failed, ...(this.hasAttribute("open") ? [button] : []));
      this.#tell("error", { message });
    }
  }

  if (!customElements.get("bonafide-capture")) customElements.define("bonafide-capture", BonafideCapture);
})();
