/** Calls in flight: the async calls, and other promises that a module gave, until they end. */

import { isPanicError } from "../diagnosis/diagnosis.js";
import { diagnoseUnwound } from "../instance/exits.js";
import { UNKNOWN } from "../shared/kinds.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {InFlightCall, Kind, Lane} from "../types.js" */

/** Stands for a call in flight where a lane returns one, see `Objects.register`. */
export class InFlight {
  /** @param {number} id @param {string} name of the call */
  constructor(id, name) {
    this.id = id;
    this.name = name;
  }
}

/**
 * Enters a promise into the table of calls in flight.
 * @param {ModuleCore} module
 * @param {Promise<unknown>} promise @param {Lane} lane @param {Kind} [result] the kind of its value
 * @param {number[]} [objects] the numbers of the objects that went into the call
 * @returns {number} its number; the host hears once how it ended, or gets it in `Death.interrupted`
 */
export function track(module, promise, { name, path = name, isAsync = false }, result = UNKNOWN, objects = []) {
  const { generation } = module;
  const id = module.nextId++;
  /** @type {InFlightCall} */
  const call = { id, name, path, isAsync, promise, objects, result, generation };
  if (generation.dead === null) generation.inFlight.set(id, call);
  else call.generation = null;
  follow(call);
  return id;
}

/**
 * Reports how a call in flight ends. A timer of the page may hold the promise, and with it these functions. So they
 * refer to the call only, which refers to its generation until one of the two ends.
 * @param {InFlightCall} call
 */
function follow(call) {
  // A package may have given its promise another `then`.
  Promise.prototype.then.call(
    call.promise,
    (value) => call.generation?.settle(call).fulfilled(call, value),
    (reason) => call.generation?.settle(call).rejected(call, reason),
  );
}

/** @param {ModuleCore} module @param {InFlightCall} call of a live generation @param {unknown} value */
export function reportFulfilled(module, { id, result }, value) {
  module.returned++;
  const isObject = result.name === "object" && value != null;
  module.host.settled(id, isObject ? module.generation.keep(/** @type {object} */ (value)) : value);
}

/** @param {ModuleCore} module @param {InFlightCall} call of a live generation @param {unknown} reason */
export function reportRejected(module, { id, name }, reason) {
  const { generation } = module;
  if (generation.unwinds && isPanicError(reason)) {
    const undone = generation.entries?.reasons.get(/** @type {object} */ (reason));
    if (undone) module.host.settledByRollback(id, name, undone);
    else module.host.settledByUnwinding(id, name, diagnoseUnwound(generation, reason, name));
    return;
  }
  module.returned++;
  module.host.settledByError(id, name, reason);
}
