// Written by js/expand.mjs from guard.template.js: change that file.

/**
 * Guards: the wrappers around every function through which Rust is entered (exports, and functions in an exported
 * table) or left (imports). A guard may cost a few nanoseconds only. So the guards for the usual numbers of arguments
 * take exactly these, and the guard for all other numbers forwards a list, which is slower.
 */

import { recordAsBefore, recordMore } from "../diagnosis/recording.js";
import { isInstance } from "../shared/isinstance.js";
import { leaveByException, leaveDead } from "./exits.js";
import { INTERRUPT } from "./generation.js";
import { zeroResult } from "./leftovers.js";
import { Thrown, WRAPS } from "./throws.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature} from "../types.js" */

/**
 * The guard of an export. It lets no call into a dead generation, and sees every exception that leaves a live one.
 * @param {Function} fn an exported Wasm function
 * @param {Signature | null} signature
 * @param {string} name
 * @param {Generation} generation
 * @returns {Function}
 */
export function guardExport(fn, signature, name, generation) {
  const none = zeroResult(signature);
  const cell = generation.cellFor(fn);
  /** @param {unknown} result @param {number} limit */
  const leave = (result, limit) => {
    generation.depth -= 1;
    recordAsBefore(limit);
    if (generation.gone) leaveDead(generation);
    return result;
  };
  switch (signature?.params.length ?? fn.length) {
    case 0:
      return () => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = cell.fn();
        } catch (error) {
          leaveByException(generation, error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
    case 1:
      return (/** @type {unknown} */ a) => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = cell.fn(a);
        } catch (error) {
          leaveByException(generation, error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
    case 2:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = cell.fn(a, b);
        } catch (error) {
          leaveByException(generation, error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
    default:
      return (/** @type {unknown[]} */ ...args) => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = cell.fn(...args);
        } catch (error) {
          leaveByException(generation, error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
  }
}

/**
 * The guard of an import. If the generation died during the import, because a callback crashed or reset the module, the
 * Rust function that called the import must not go on: the guard throws. The guard also remembers an exception that
 * the import throws, because it explains what leaves the export afterwards.
 *
 * @param {Function} fn
 * @param {number} arity of the Wasm import; the `length` of a glue function is 0 where it uses `arguments`
 * @param {Generation} generation
 * @param {string} name
 * @returns {Function}
 */
export function guardImport(fn, arity, generation, name) {
  const { stopwatch } = generation.owner;
  /** @param {unknown} result */
  const resume = (result) => {
    if (stopwatch) stopwatch.importReturned(generation);
    if (!generation.gone) return result;
    handleRejection(result, generation);
    throw generation.wrap(INTERRUPT);
  };
  /** @param {unknown} error */
  const note = (error) => {
    if (WRAPS.test(name)) generation.wrapping = error;
    else generation.noteThrown(new Thrown(generation.unwrap(error), name));
    return error;
  };
  switch (arity) {
    case 0:
      return () => {
        let result;
        try {
          result = fn();
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    case 1:
      return (/** @type {unknown} */ a) => {
        let result;
        try {
          result = fn(a);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    case 2:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => {
        let result;
        try {
          result = fn(a, b);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    case 3:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b, /** @type {unknown} */ c) => {
        let result;
        try {
          result = fn(a, b, c);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    default:
      return (/** @type {unknown[]} */ ...args) => {
        let result;
        try {
          result = fn(...args);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
  }
}

/**
 * If Rust dies in the function that was given to `new Promise`, that promise is rejected, and nobody has it any more.
 * Without a handler the page would report the rejection as uncaught.
 * @param {unknown} result of the import that made the promise: the promise, or its index in the glue's heap
 * @param {Generation} generation
 */
function handleRejection(result, generation) {
  const promise = typeof result === "number" ? generation.heap()[result] : result;
  if (isInstance(promise, Promise)) promise.catch(() => {});
}
