// The frame with the bank that has no unpanic, as the page around it sees it.

/** The status line and the button of the frame; the frame itself shows what happens in it. */
export class Without {
  constructor(frame, status, button) {
    this.frame = frame;
    this.status = status;
    this.button = button;
    this.source = () => "";
    addEventListener("message", ({ source, data }) => source === frame.contentWindow && this.#told(data));
    button.addEventListener("click", () => this.load());
  }

  /** Loads the frame. `source` gives what the editor holds, whenever it is asked. */
  start(source) {
    this.source = source;
    this.load();
  }

  load() {
    this.ready = false;
    this.button.disabled = true;
    this.#say("", "starting Python");
    this.frame.src = `without.html`;
  }

  /** Lets the teller in the frame do the same; one that is still starting has missed it. */
  act(name) {
    if (this.ready) this.frame.contentWindow.postMessage({ name, source: this.source() }, location.origin);
  }

  #told({ ready, wantsSource, failed, after }) {
    if (wantsSource) this.frame.contentWindow.postMessage({ source: this.source() }, location.origin);
    if (ready) {
      this.ready = true;
      this.button.disabled = false;
      this.#say("good", "ready");
    }
    if (after === 0) this.#say("bad", "crashed");
    if (after > 0)
      this.#say("bad", failed ? `dead: ${failed} of ${after} calls failed since` : `crashed, ${after} calls since`);
  }

  #say(kind, text) {
    this.status.textContent = text;
    this.status.className = `pill ${kind}`;
  }
}
