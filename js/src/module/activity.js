/**
 * When a module worked, for the timeline. Calls are noted in bursts: those of one turn of the event loop and of one
 * generation. This may cost a call one comparison only, so nothing is noted between the first call of a turn and its
 * end.
 */

/** @import {ModuleCore} from "./core.js" */

/** The numbers for each burst: from, to, how many calls, and in which generation. */
const FIELDS = 4;
const MOST = 1000;

/** Begins a burst with the first call of a turn, or with the first one after a crash. @param {ModuleCore} module */
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
  const { transaction, dead } = module.generation;
  if (module.active === 0 && dead === null) transaction?.end();
}

/** Ends the burst, because the turn or the generation ends. @param {ModuleCore} module */
export function endBurst(module) {
  if (!module.busy) return;
  module.busy = false;
  const { bursts } = module;
  const last = bursts.length - FIELDS;
  bursts[last + 1] = performance.now();
  bursts[last + 2] = module.calls - bursts[last + 2];
}

/**
 * Joins neighbouring bursts of one generation if the pause between them is too short to be seen. If that does not help,
 * the older half is dropped.
 * @param {number[]} bursts @returns {number[]}
 */
function thinned(bursts) {
  const invisible = (bursts[bursts.length - FIELDS + 1] - bursts[0]) / (MOST / 2);
  /** @type {number[]} */
  const joined = [];
  for (let at = 0; at < bursts.length; at += FIELDS) {
    const [began, ended, calls, generation] = bursts.slice(at, at + FIELDS);
    const last = joined.length - FIELDS;
    if (last >= 0 && joined[last + 3] === generation && ended - joined[last] < invisible) {
      joined[last + 1] = ended;
      joined[last + 2] += calls;
    } else joined.push(began, ended, calls, generation);
  }
  return joined.length > FIELDS * 0.75 * MOST ? joined.slice(-FIELDS * 0.5 * MOST) : joined;
}
