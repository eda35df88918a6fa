/**
 * When a module worked: bursts of calls, for the timeline. It may cost a call one test, so nothing is noted between the
 * first call after a pause and a timer.
 */

/** @import {SupervisedModule} from "./module.js" */

const BURST_MS = 50;
const MOST = 1000;

export class Activity {
  /** @param {SupervisedModule} module */
  constructor(module) {
    this.module = module;
    /** @type {[from: number, to: number, calls: number][]} by `performance.now()` */
    this.bursts = [];
  }

  /** The first call after a pause. */
  begin() {
    this.module.busy = true;
    this.bursts.push([performance.now(), 0, this.module.calls]);
    if (this.bursts.length > MOST) this.bursts.shift();
    const timer = /** @type {any} */ (setTimeout(() => this.end(), BURST_MS));
    timer.unref?.();
  }

  end() {
    if (!this.module.busy) return;
    this.module.busy = false;
    const burst = this.bursts[this.bursts.length - 1];
    burst[1] = performance.now();
    burst[2] = this.module.calls - burst[2];
  }
}
