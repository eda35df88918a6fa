// The frame that shows the bank without unpanic, as the page around it sees the frame.

import { element } from "./dom.js";

/** The status line and the buttons of the frame. The frame itself shows its log. */
export class Without {
  /**
   * @param {HTMLIFrameElement} frame @param {HTMLElement} status
   * @param {HTMLButtonElement} reload loads the frame again
   * @param {HTMLButtonElement} end ends a frame that does not answer; it is hidden while the frame does
   */
  constructor(frame, status, reload, end) {
    this.frame = frame;
    this.status = status;
    this.reload = reload;
    this.end = end;
    this.source = () => "";
    this.ready = false;
    // The calls that a frame makes as soon as it has started. A frame that has ended makes none.
    this.pending = [];
    // What the status line says while the frame answers, and the part of it that counts while it does not.
    this.said = ["", ""];
    this.seconds = null;
    addEventListener("message", ({ source, data }) => source === frame.contentWindow && this.#receive(data));
    reload.addEventListener("click", () => this.load());
    end.addEventListener("click", () => this.#send({ end: true }));
  }

  /** Loads the frame. `source` is called for the source that the editor holds at that time. */
  start(source) {
    this.source = source;
    this.load();
  }

  load() {
    this.ready = false;
    this.pending = [];
    this.reload.disabled = true;
    this.#showSilence(0);
    this.#say("", "starting Python");
    this.frame.src = `without.html`;
  }

  /** Lets the teller in the frame make the same call, as soon as it has started. A frame that has ended misses it. */
  act(name) {
    const call = { name, source: this.source() };
    if (this.ready) this.#send(call);
    else this.pending?.push(call);
  }

  #send(message) {
    this.frame.contentWindow.postMessage(message, location.origin);
  }

  #receive({ ready, wantsSource, failed, after, silent, ended }) {
    if (wantsSource) this.#send({ source: this.source() });
    if (ready) {
      this.ready = true;
      this.reload.disabled = false;
      this.#say("good", "ready");
      for (const call of this.pending.splice(0)) this.#send(call);
    }
    if (after === 0) this.#say("bad", "crashed");
    if (after > 0)
      this.#say("bad", failed ? `dead: ${failed} of ${after} calls failed since` : `crashed, ${after} calls since`);
    if (silent !== undefined) this.#showSilence(silent);
    if (ended) {
      this.ready = false;
      this.pending = null;
      this.#showSilence(0);
      this.#say("bad", "ended: only a reload helps");
      this.reload.focus(); // the button that had the focus is hidden now
    }
  }

  #say(kind, text) {
    this.said = [kind, text];
    if (!this.seconds) this.#show(kind, text);
  }

  /** Shows for how many seconds the frame has not answered. A screen reader reads it once, and not every second. */
  #showSilence(seconds) {
    const wasSilent = this.seconds !== null;
    this.end.hidden = !seconds;
    if (!seconds) {
      this.seconds = null;
      if (wasSilent) this.#show(...this.said);
      return;
    }
    this.seconds ??= element("span", { aria: { hidden: true } });
    this.seconds.textContent = ` for ${seconds} s`;
    if (!wasSilent) this.#show("bad", "no answer", this.seconds);
  }

  #show(kind, ...parts) {
    this.status.replaceChildren(...parts);
    this.status.className = `pill ${kind}`;
  }
}
