/**
 * Handles Rust code that nobody called but the event loop: a timer, a microtask that polls a future, a
 * finalizer. Frames of the glue may still be on the stack then, so whatever needs a clear stack is done in a microtask.
 */

import { abandonedCall } from "../instance/promises.js";
import { recoverSoon } from "./retire.js";
import { repairStack } from "./thrown.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {Generation} from "../instance/generation.js" */
/** @import {Thrown} from "../instance/throws.js" */
/** @import {Death, Diagnosis, InFlightCall} from "../types.js" */

/** The generation died. @param {ModuleCore} module @param {Generation} generation */
export function reportDeath(module, generation) {
  recoverSoon(module); // first, because the host runs code of others
  module.host.crashed(/** @type {Death} */ (generation.dead), false);
}

/**
 * A panic unwound all frames of Rust.
 * @param {ModuleCore} module @param {Generation} generation @param {Diagnosis} diagnosis
 */
export function reportUnwinding(module, generation, diagnosis) {
  const call = abandonedCall(generation);
  if (call) generation.settle(call);
  module.host.settledByUnwinding(call?.id ?? 0, call?.name ?? "", diagnosis);
}

/**
 * Rust threw something on purpose.
 * @param {ModuleCore} module @param {Generation} generation @param {Thrown} thrown
 * @param {InFlightCall | undefined} call whose task it was
 */
export function reportThrown(module, generation, thrown, call) {
  if (call) {
    generation.inFlight.delete(call.id);
    module.host.settledByError(call.id, call.name, thrown.error);
    return;
  }
  module.host.failedUnattended(thrown.error);
  const { number } = generation;
  queueMicrotask(() => {
    if (module.generation.number !== number || module.generation.dead !== null || !module.isClear()) return;
    if (repairStack(module, module.generation, thrown)) module.generation.retire();
  });
}
