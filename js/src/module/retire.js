/** Replacing a generation without a call that needs the next one: in a microtask, or because Rust asked for it. */

/** @import {ModuleCore} from "./core.js" */
/** @import {Generation} from "../instance/generation.js" */

/**
 * Has the host replace the dead generation in a microtask. The next call would do so too, but nobody who waits for a
 * reset should have to make a call.
 * @param {ModuleCore} module
 */
export function recoverSoon(module) {
  if (module.isRecoveringSoon) return; // what cannot be done now is left to the next call
  // By its number: what a queued microtask refers to stays until the loop turns.
  const { number } = module.generation;
  queueMicrotask(() => {
    const { dead } = module.generation;
    if (dead?.generation !== number || module.closed || !module.isClear()) return;
    module.isRecoveringSoon = true;
    try {
      module.host.recover(dead, false);
    } finally {
      module.isRecoveringSoon = false;
    }
  });
}

/**
 * A call has ended in a generation that Rust wants replaced (`schedule_reinit`). From here on the generation is dead.
 * The next one is made by the next call, or when the loop turns, so that the result of this call still belongs to it.
 * @param {ModuleCore} module @param {Generation} generation
 */
export function retire(module, generation) {
  if (generation.dead !== null) return;
  if (!module.isClear()) {
    // An outer call that has yet to end comes here again; glue that the event loop called does not.
    if (module.active === 0) retireUnattended(module, generation);
    return;
  }
  const { death } = module.end();
  recoverSoon(module);
  module.host.retired(death);
}

/**
 * The event loop has called a generation that Rust wants replaced. Two turns of the microtask queue later, a promise
 * that the same task settled has reported that.
 * @param {ModuleCore} module @param {Generation} generation
 */
export function retireUnattended(module, generation) {
  queueMicrotask(() =>
    queueMicrotask(() => {
      if (module.isClear()) retire(module, generation);
    }),
  );
}
