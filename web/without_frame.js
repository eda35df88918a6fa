// The frame that shows the bank without unpanic, as the page around it sees the frame.

/** The status line and the button of the frame. The frame itself shows its log. */
export class Without {
  constructor(frame, status, button) {
    this.frame = frame;
    this.status = status;
    this.button = button;
    this.source = () => "";
    addEventListener("message", ({ source, data }) => source === frame.contentWindow && this.#receive(data));
    button.addEventListener("click", () => this.load());
  }

  /** Loads the frame. `source` is called for the source that the editor holds at that time. */
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

  /** Lets the teller in the frame make the same call. A frame that is still starting misses it. */
  act(name) {
    if (this.ready) this.frame.contentWindow.postMessage({ name, source: this.source() }, location.origin);
  }

  #receive({ ready, wantsSource, failed, after }) {
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
