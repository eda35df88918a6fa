/** The points of a module: states of its current generation to which the host can have it go back. */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { goBack, Point } from "../instance/points.js";
import { pack, unpack } from "../instance/portable.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {EndedCall} from "../types.js" */

const GONE = "its generation is gone";

/**
 * Takes a point. The generation lives, and none of its frames is on the stack.
 * @param {ModuleCore} module
 * @returns {number} what stands for it; 0: calls of this module cannot be rolled back
 */
export function takePoint({ generation, nextId }) {
  if (generation.transaction === null) return 0;
  try {
    generation.points.set(nextId, new Point(generation));
  } catch (error) {
    generation.giveUpRollback(error);
    return 0;
  }
  generation.owner.nextId++;
  return nextId;
}

/**
 * Brings the state of a point back. The generation lives, and none of its frames is on the stack.
 * @param {ModuleCore} module @param {number} number
 * @returns {{obstacle: string, interrupted: EndedCall[], objects: number[]}} obstacle: why that cannot be done, empty
 *   if it was; the generation has died if it was begun. interrupted: the calls in flight that end. objects: those that
 *   the state has.
 */
export function goToPoint(module, number) {
  return goTo(module, module.generation.points.get(number));
}

/**
 * The state of a point, to go elsewhere.
 * @param {ModuleCore} module @param {number} number
 * @returns {{obstacle: string, memory: Uint8Array, rest: string}} obstacle: why it cannot; empty if it can
 */
export function packPoint({ generation }, number) {
  const point = generation.points.get(number);
  try {
    if (point) return { obstacle: "", ...pack(generation, point) };
    return { obstacle: generation.obstacle || GONE, memory: new Uint8Array(0), rest: "" };
  } catch (error) {
    return { obstacle: describeThrown(error), memory: new Uint8Array(0), rest: "" };
  }
}

/**
 * Brings back a state that came from elsewhere, of the same Wasm file.
 * @param {ModuleCore} module @param {Uint8Array} memory @param {string} rest
 */
export function goToPacked(module, memory, rest) {
  return goTo(module, unpack(module.generation, memory, rest));
}

/** @param {ModuleCore} module @param {Point | undefined} point */
function goTo(module, point) {
  const { generation } = module;
  if (point === undefined || generation.transaction === null)
    return { obstacle: generation.obstacle || GONE, interrupted: [], objects: [] };
  // The state before the call that failed last is gone.
  module.failedArguments = null;
  try {
    const { interrupted } = goBack(generation, point);
    for (const call of interrupted) generation.settle(call);
    return { obstacle: "", interrupted, objects: point.objects.map(([id]) => id) };
  } catch (error) {
    module.end();
    return { obstacle: describeThrown(error), interrupted: [], objects: [] };
  }
}

/** Forgets a point. @param {ModuleCore} module @param {number} number */
export function dropPoint({ generation }, number) {
  const point = generation.points.get(number);
  if (point === undefined) return;
  generation.points.delete(number);
  generation.transaction?.forgetPoint(point.memory);
}
