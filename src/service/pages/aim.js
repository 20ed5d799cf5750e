// The rear camera's preview and its hints. It never takes the photograph: a frame drawn on a canvas is scaled, filtered
// and compressed anew, which destroys the traces by which an original capture is told. The photograph comes from the
// camera application through the file input, as the file it wrote.

import { make } from "./elements.js";
import { CalmHint, hintFor, limitsFrom, measure } from "./hints.js";

const FRAME_PX = 240;
const DETAIL_PX = [320, 240];
const EVERY_MS = 200;

/** Whether the browser has a camera to offer: only in a secure context. */
export function canAim() {
  return Boolean(window.isSecureContext && navigator.mediaDevices?.getUserMedia);
}

/** An open preview: `video` to show, `hint` (a live region's element) to fill, `stop()` to end. */
export class Aim {
  #stream = null;
  #timer = 0;
  #calm = new CalmHint();
  #limits = limitsFrom(document.documentElement.dataset);
  #canvas = document.createElement("canvas");
  #words;

  constructor(label, wordsFor) {
    this.#words = wordsFor;
    this.video = make("video", { autoplay: true, playsinline: true, muted: true, "aria-label": label });
    this.video.muted = true;
    this.hint = make("p", { class: "hint looking", role: "status", "aria-live": "polite" });
    this.say();
  }

  /** Opens the rear camera; false where there is none or it was refused. */
  async start() {
    try {
      const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      this.video.srcObject = this.#stream;
      await this.video.play();
    } catch {
      this.stop();
      return false;
    }
    this.#soon(EVERY_MS);
    return true;
  }

  /** Ends the preview and gives the camera back. */
  stop() {
    clearTimeout(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
  }

  /** Writes the hint that stands, for instance after the language has changed. */
  say() {
    const { shown } = this.#calm;
    this.hint.textContent = this.#words(`hint_${shown}`);
    this.hint.className = `hint ${shown === "good" || shown === "looking" ? shown : "wrong"}`;
    this.hint.dataset.hint = shown;
  }

  #soon(wait_ms) {
    this.#timer = setTimeout(() => {
      const began_ms = performance.now();
      this.#look();
      // A slow phone looks less often and stays usable: at most a third of its time goes into hints.
      if (this.#stream) this.#soon(Math.max(EVERY_MS, 2 * (performance.now() - began_ms)));
    }, wait_ms);
  }

  #pixels(x, y, fromWidth, fromHeight, width, height) {
    this.#canvas.width = width;
    this.#canvas.height = height;
    const pen = this.#canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(this.video, x, y, fromWidth, fromHeight, 0, 0, width, height);
    return pen.getImageData(0, 0, width, height);
  }

  #look() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || !height) return;
    const scale = FRAME_PX / Math.max(width, height);
    const frame = this.#pixels(0, 0, width, height, Math.round(width * scale), Math.round(height * scale));
    // The small frame hides a slight blur, so that is judged on a piece of the middle as the camera gives it.
    const [w, h] = [Math.min(DETAIL_PX[0], width), Math.min(DETAIL_PX[1], height)];
    const detail = this.#pixels(Math.round((width - w) / 2), Math.round((height - h) / 2), w, h, w, h);
    const before = this.#calm.shown;
    if (this.#calm.take(hintFor(measure(frame, detail), before, this.#limits), performance.now()) !== before) this.say();
  }
}
