/**
 * Which promises does Rust still owe? For each promise that the glue of an unwinding build makes, the function that
 * settles it is remembered. Rust holds that function as long as the task that owes the result is alive. So a promise
 * whose function Rust has let go of belongs to a task that a panic unwound.
 */

/** @import {InFlightCall} from "../types.js" */
/** @import {Generation} from "./generation.js" */

/**
 * `Promise` as the glue of one generation sees it. It remembers for each promise the function that settles it.
 * @param {Generation} generation
 */
export function watchedPromise(generation) {
  return new Proxy(Promise, {
    construct(target, [executor]) {
      const settler = { resolve: /** @type {unknown} */ (null), settled: false };
      const promise = new target((resolve, reject) => {
        settler.resolve = settling(settler, resolve);
        executor(settler.resolve, settling(settler, reject));
      });
      generation.settlers.set(promise, settler);
      return promise;
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
 */
function settling(settler, settle) {
  return (/** @type {any} */ value) => {
    settler.settled = true;
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

/** All JavaScript values that Rust holds a reference to. @param {Generation} generation */
function valuesInRust(generation) {
  const values = new Set(generation.heap());
  const table = generation.externrefs;
  for (let index = 0; table && index < table.length; index++) values.add(table.get(index));
  return values;
}
