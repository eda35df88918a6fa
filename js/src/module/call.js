// Written by js/expand.mjs from call.template.js: change that file.

/**
 * The path of a call. Every call of a module takes it: either its result goes to the caller, or the host says what the
 * caller gets thrown.
 *
 * A call that takes and gives plain numbers may cost no more than without supervision. For such calls the path stands
 * inside of the lane itself, with the call of the glue's function in it.
 */

import { diagnoseUnwound } from "../instance/exits.js";
import { INTERRUPT } from "../instance/generation.js";
import { noteGiven } from "../instance/giving.js";
import { isInstance } from "../shared/isinstance.js";
import { fits } from "../shared/numbers.js";
import { beginBurst } from "./activity.js";
import { Refusal } from "./refusal.js";
import { retire } from "./retire.js";
import { answerThrown } from "./thrown.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {Generation} from "../instance/generation.js" */
/** @import {Death, Kind, Lane, Transaction} from "../types.js" */

/**
 * @template T
 * @param {ModuleCore} module
 * @param {Lane} lane
 * @param {(generation: Generation) => T} run calls the glue's function
 * @param {unknown[] | null} [args] the arguments, if the host may ask for them when the call has failed
 * @returns {T}
 */
export function call(module, lane, run, args = null) {
  const generation = module.generation.dead === null ? module.generation : revive(module, lane);
  const outer = module.active;
  const outerLane = module.lane;
  if (!module.busy) beginBurst(module);
  const me = ++module.calls;
  module.active = me;
  module.lane = lane;
  let result;
  try {
    if (outer === 0 && generation.transaction !== null) begin(module, generation, generation.transaction);
    result = run(generation);
    if (generation.dead !== null) throw INTERRUPT;
  } catch (error) {
    module.active = outer;
    module.lane = outerLane;
    throw failure(module, error, generation, me, lane, args);
  }
  module.active = outer;
  module.lane = outerLane;
  module.returned++;
  if (generation.retiring) retire(module, generation);
  return result;
}

/**
 * A lane with the path inside, for a function of two numbers. Arguments that do not fit go to the host, which converts
 * them or says what is wrong.
 * @param {ModuleCore} module @param {number} index of the function @param {Lane} lane
 * @param {Kind["name"]} first @param {Kind["name"]} second the names of the kinds of its parameters
 */
export function numericPath(module, index, lane, first, second) {
  return function (/** @type {any} */ a, /** @type {any} */ b) {
    // `arguments`, because a rest parameter would make an array for each call.
    if (arguments.length !== 2 || !fits(first, a) || !fits(second, b)) return module.host.decline(index, arguments);
    const generation = module.generation.dead === null ? module.generation : revive(module, lane);
    const outer = module.active;
    const outerLane = module.lane;
    if (!module.busy) beginBurst(module);
    const me = ++module.calls;
    module.active = me;
    module.lane = lane;
    let result;
    try {
      if (outer === 0 && generation.transaction !== null) begin(module, generation, generation.transaction);
      result = generation.functions[index](a, b);
      if (generation.dead !== null) throw INTERRUPT;
    } catch (error) {
      module.active = outer;
      module.lane = outerLane;
      throw failure(module, error, generation, me, lane, [a, b]);
    }
    module.active = outer;
    module.lane = outerLane;
    module.returned++;
    if (generation.retiring) retire(module, generation);
    return result;
  };
}

/**
 * Begins a transaction, which this call can be rolled back to. Where the event loop has called Rust, and that a
 * callback which calls now, there is none: Rust is on the stack.
 * @param {ModuleCore} module @param {Generation} generation @param {Transaction} transaction
 */
function begin(module, generation, transaction) {
  module.failedArguments = null;
  if (module.isGuarded) askToEnter(module);
  if (generation.depth > 0) {
    if (!transaction.isEntry) transaction.isOpen = false;
    return;
  }
  try {
    transaction.begin();
  } catch (error) {
    generation.giveUpRollback(error);
  }
}

/**
 * Asks the host whether this call may run, while something else waits that is to be undone as a whole.
 * @param {ModuleCore} module
 */
function askToEnter(module) {
  const name = module.activeName();
  // Objects are freed whoever runs.
  const refusal = name.endsWith(".free") ? null : module.host.entering?.(name);
  if (refusal) throw new Refusal(refusal);
}

/**
 * Has the host replace the dead generation before a call runs.
 * @param {ModuleCore} module @param {Lane} lane
 * @returns {Generation} a live one
 */
function revive(module, lane) {
  const death = /** @type {Death} */ (module.generation.dead);
  if (module.closed) throw module.host.unavailable(lane.name);
  if (!module.isClear()) throw module.host.interrupted(death, lane.name, false);
  module.host.recover(death);
  if (module.generation.dead !== null) throw module.host.unavailable(lane.name);
  return module.generation;
}

/**
 * Chooses what is thrown at the caller of a failed call.
 * @param {ModuleCore} module @param {unknown} error @param {Generation} generation
 * @param {number} me the call's number @param {Lane} lane
 * @param {unknown[] | null} args its arguments, if they are known
 */
function failure(module, error, generation, me, lane, args) {
  noteGiven(error, generation);
  const { host } = module;
  const death = generation.dead;
  // After a crash in a call of a callback, the outermost call is undone, which is another one.
  module.failedArguments = death === null || death.activation === me ? args : null;
  if (death !== null) {
    const clear = module.isClear();
    if (death.activation === me && death.diagnosis) return host.crashed(death, clear);
    return host.interrupted(death, lane.name, clear);
  }
  const escaped = generation.escaped;
  if (escaped !== null && escaped.error === error) {
    generation.escaped = null;
    if (escaped.thrown) return answerThrown(module, escaped, escaped.thrown, generation, lane);
    return host.unwound(diagnoseUnwound(generation, error, escaped.entry, escaped.raised), lane.name);
  }
  if (isInstance(error, Refusal)) return error.throwable;
  module.returned++;
  const throwable = host.failed(error, lane.name);
  if (generation.retiring) retire(module, generation);
  return throwable;
}
