/**
 * Crashes that nobody called for: of timers, tasks, start functions and `onReset`. A crash that a caller asked for is
 * his exception, however many follow each other; these here could go on for ever, so too many of them end the module.
 */

// As many as the default of Python's `restart_budget`, over the same time (`Budget` in py/unpanic/_recovery/budget.py).
const RESTART_BUDGET = 20;
const WINDOW_MS = 10_000;
// The message names at most this many different crashes.
const MOST_NAMES = 3;

export class Uncalled {
  constructor() {
    /** @type {{at: number, name: string}[]} the latest, one more than may be */
    this.latest = [];
  }

  /** @param {string} name what crashed */
  add(name) {
    this.latest.push({ at: performance.now(), name });
    this.latest.splice(0, this.latest.length - RESTART_BUDGET - 1);
  }

  /** Why the module has to end; empty as long as it need not. */
  get excess() {
    const { latest } = this;
    if (latest.length <= RESTART_BUDGET || latest[latest.length - 1].at - latest[0].at > WINDOW_MS) return "";
    const names = [...new Set(latest.map(({ name }) => name))].slice(0, MOST_NAMES).join(", ");
    return `${latest.length} crashes that nobody called for within ${WINDOW_MS / 1000} seconds: ${names}`;
  }
}
