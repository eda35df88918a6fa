/**
 * When a module worked, for the timeline: its calls in bursts, each of one turn of the event loop and of one generation.
 * It may cost a call one test, so nothing is noted between the first call of a turn and the turn's end.
 */

/** @import {ModuleCore} from "./core.js" */

/** What is kept of a burst: from, to, how many calls, and in which generation. */
const FIELDS = 4;
const MOST = 1000;

/** @param {ModuleCore} module whose first call of a turn begins, or the first one after a crash */
export function beginBurst(module) {
  const { bursts } = module;
  if (bursts.length >= FIELDS * MOST) module.bursts = thinned(bursts);
  module.busy = true;
  module.bursts.push(performance.now(), 0, module.calls, module.generation.number);
  // One timer however often the module crashes in this turn.
  if (module.awaitsTurn) return;
  module.awaitsTurn = true;
  const timer = /** @type {any} */ (setTimeout(endTurn, 0, module));
  timer.unref?.();
}

/** @param {ModuleCore} module */
function endTurn(module) {
  module.awaitsTurn = false;
  endBurst(module);
}

/** @param {ModuleCore} module whose turn or whose generation ends */
export function endBurst(module) {
  if (!module.busy) return;
  module.busy = false;
  const { bursts } = module;
  const last = bursts.length - FIELDS;
  bursts[last + 1] = performance.now();
  bursts[last + 2] = module.calls - bursts[last + 2];
}

/**
 * Neighbours of one generation as one, where what lies between them would be too short to be seen. If that does not help,
 * the older half goes.
 * @param {number[]} bursts @returns {number[]}
 */
function thinned(bursts) {
  const invisible = (bursts[bursts.length - FIELDS + 1] - bursts[0]) / (MOST / 2);
  /** @type {number[]} */
  const kept = [];
  for (let at = 0; at < bursts.length; at += FIELDS) {
    const [began, ended, calls, generation] = bursts.slice(at, at + FIELDS);
    const last = kept.length - FIELDS;
    if (last >= 0 && kept[last + 3] === generation && ended - kept[last] < invisible) {
      kept[last + 1] = ended;
      kept[last + 2] += calls;
    } else kept.push(began, ended, calls, generation);
  }
  return kept.length > FIELDS * 0.75 * MOST ? kept.slice(-FIELDS * 0.5 * MOST) : kept;
}
