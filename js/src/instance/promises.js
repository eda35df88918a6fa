/**
 * Which promises does Rust still owe? For each promise that the glue makes, the functions that settle it are
 * remembered, if a task may end without settling its promise: because a panic unwinds it, or because it is rolled back.
 * Rust holds these functions as long as the task that owes the result is alive. So a promise whose functions Rust has
 * let go of belongs to a task that has ended like that.
 */

import { isPanicError } from "../diagnosis/diagnosis.js";

/** @import {LentClosures} from "./closures.js" */
/** @import {InFlightCall, Settler} from "../types.js" */
/** @import {Generation} from "./generation.js" */

/**
 * `Promise` as the glue of one generation sees it. It remembers for each promise the function that settles it.
 * @param {Generation} generation
 */
export function watchedPromise(generation) {
  return new Proxy(Promise, {
    construct(target, [executor]) {
      const settler = /** @type {Settler} */ ({ settled: false });
      settler.promise = new target((resolve, reject) => {
        settler.resolve = settling(settler, resolve);
        settler.reject = settling(settler, reject, generation.unwinds ? generation.closures : null);
        for (const key of [settler.resolve, settler.reject]) generation.settlers.set(key, settler);
        executor(settler.resolve, settler.reject);
      });
      generation.settlers.set(settler.promise, settler);
      return settler.promise;
    },
    get(target, property) {
      const value = Reflect.get(target, property);
      // Promise.resolve and its siblings are called with the proxy as `this`.
      return typeof value === "function" && property !== "prototype" ? value.bind(target) : value;
    },
  });
}

/**
 * It is outside of `watchedPromise`, so that its result does not refer to the generation: a timer may hold that.
 * @param {{settled: boolean}} settler @param {(value: any) => void} settle
 * @param {LentClosures | null} [closures] whose entries hear of rejections
 */
function settling(settler, settle, closures = null) {
  return (/** @type {any} */ value) => {
    settler.settled = true;
    if (isPanicError(value)) closures?.entries?.noteRejected(value);
    settle(value);
  };
}

/**
 * The async call whose task was unwound.
 * @param {Generation} generation
 * @returns {InFlightCall | undefined}
 */
export function abandonedCall(generation) {
  const held = valuesInRust(generation);
  for (const call of generation.inFlight.values()) {
    const settler = generation.settlers.get(call.promise);
    if (settler && !settler.settled && !held.has(settler.resolve)) return call;
  }
  return undefined;
}

/** What settles the promises that Rust owes now. @param {Generation} generation */
export function owedPromises(generation) {
  /** @type {Set<Settler>} */
  const owed = new Set();
  for (const value of valuesInRust(generation)) {
    const settler = typeof value === "function" ? generation.settlers.get(value) : undefined;
    if (settler && !settler.settled) owed.add(settler);
  }
  return owed;
}

/** All JavaScript values that Rust holds a reference to. @param {Generation} generation */
function valuesInRust(generation) {
  const values = new Set(generation.heap());
  const table = generation.externrefs;
  for (let index = 0; table && index < table.length; index++) values.add(table.get(index));
  return values;
}
