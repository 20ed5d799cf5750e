// What both pages have: their language and its switch, the heading that takes the focus, the status line, the tab's memory.

import { languageFrom, words } from "./words.js";

/** Storage of this tab; a browser may refuse it, and then a reload simply begins anew. */
export const kept = {
  read(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  },
  write(key, value) {
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Nothing is lost but the reload.
    }
  },
};

/** The page's language and the elements that follow it; `redraw` is called when the reader switches. */
export class Page {
  #switched = kept.read("lang");
  #sessionLang = null;
  #main = document.querySelector("main");
  #status = document.getElementById("status");
  #switch = document.getElementById("language");

  constructor(titleKey, headerKey, redraw) {
    this.titleKey = titleKey;
    this.headerKey = headerKey;
    this.#switch.addEventListener("click", () => {
      this.#switched = this.lang === "zh" ? "en" : "zh";
      kept.write("lang", this.#switched);
      this.#follow();
      redraw();
    });
    this.#follow();
    this.#switch.hidden = false;
  }

  /** `en` or `zh`. */
  get lang() {
    return languageFrom(this.#switched, this.#sessionLang, navigator.language);
  }

  /** The words of a key in the page's language. */
  say(key, values) {
    return words(this.lang, key, values);
  }

  /** Takes the language that the session was made in. */
  adopt(sessionLang) {
    this.#sessionLang = sessionLang;
    this.#follow();
  }

  #follow() {
    document.documentElement.lang = this.lang === "zh" ? "zh-CN" : "en";
    document.title = this.say(this.titleKey);
    document.getElementById("name").textContent = this.say(this.headerKey);
    this.#switch.textContent = this.say("other_language");
    this.#switch.lang = this.lang === "zh" ? "en" : "zh-CN";
  }

  /** Puts a view on the page; `focus` moves the reader to its heading. */
  show(view, children, { focus = true } = {}) {
    this.#main.dataset.view = view;
    this.#main.replaceChildren(...children.flat().filter(Boolean));
    if (!focus) return;
    const heading = this.#main.querySelector("[tabindex='-1']");
    heading?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  /** What a screen reader should say without the focus moving. */
  announce(text) {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}
