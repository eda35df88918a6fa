/**
 * When a module worked: bursts of calls, for the timeline. It may cost a call one test, so nothing is noted between the
 * first call after a pause and a timer.
 */

/** @import {SupervisedModule} from "./module.js" */

const BURST_MS = 50;
const MOST = 1000;

/** @param {SupervisedModule} module whose first call after a pause begins */
export function beginBurst(module) {
  const { bursts } = module;
  module.busy = true;
  if (bursts.push(performance.now(), 0, module.calls) > 3 * MOST) bursts.splice(0, 3);
  const timer = /** @type {any} */ (setTimeout(endBurst, BURST_MS, module));
  timer.unref?.();
}

/** @param {SupervisedModule} module */
export function endBurst(module) {
  if (!module.busy) return;
  module.busy = false;
  module.bursts.splice(-2, 2, performance.now(), module.calls - module.bursts[module.bursts.length - 1]);
}
