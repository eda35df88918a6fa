/** Ends a call in which Rust threw something on purpose. For the caller that is an error like an `Err`. */

import { retire } from "./retire.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {Escaped, Generation} from "../instance/generation.js" */
/** @import {Thrown} from "../instance/throws.js" */
/** @import {Lane, Reason} from "../types.js" */

/**
 * Repairs what the exception left behind, or tells the host why the generation has to be replaced.
 * @param {ModuleCore} module @param {Escaped} escaped @param {Thrown} thrown
 * @param {Generation} generation @param {Lane} lane
 * @returns {unknown} what the caller gets thrown
 */
export function answerThrown(module, { error, reason = "", used }, thrown, generation, { name }) {
  module.returned++;
  if (module.isClear()) {
    if (undo(module, generation, thrown)) reason = "";
    else reason ||= repairStack(module, generation, thrown);
  }
  const { host } = module;
  try {
    if (used) return host.inUse(used.className, used.holder, name, error, reason);
    if (thrown.refused === "gone") return host.gone(name, reason);
    return host.failed(error, name, reason);
  } finally {
    if (generation.retiring) retire(module, generation);
  }
}

/**
 * Undoes what the call has changed before Rust threw, if calls of the module are rolled back. An `Err` that old glue
 * throws undoes nothing: its call has ended in order.
 * @param {ModuleCore} module @param {Generation} generation @param {Thrown} thrown
 */
function undo(module, generation, thrown) {
  if (!generation.transaction?.isOpen || (thrown.again && module.throwsErr)) return false;
  for (const { id, name } of generation.undo()) module.host.settledByError(id, name, thrown.error);
  return true;
}

/**
 * Gives up the frames that an exception left on the shadow stack. No code of the module may be running.
 * @param {ModuleCore} module @param {Generation} generation @param {Thrown} thrown
 * @returns {Reason} why the generation has to be replaced; empty: it can go on
 */
export function repairStack({ restoresStack }, { stack, memory }, thrown) {
  if (stack === null || restoresStack) return "";
  if (!thrown.leavesFrames) {
    stack.keep();
    return "";
  }
  return stack.clear() || !stack.isWorn(memory) ? "" : "stack";
}
