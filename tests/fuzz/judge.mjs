/**
 * Decides which exceptions are documented.
 *
 * `load` may raise only `LoadError` and its subclasses.
 *
 * A call may raise unpanic's own errors, or any error that the glue itself threw. A Rust `Err` arrives in this way, so
 * unpanic passes it on unchanged, and broken glue throws a `TypeError` in the same way. The place of the throw makes
 * the difference: an error whose innermost script frame is a file of unpanic (or of its parser) is unpanic's mistake,
 * except in the lane that calls a function which the glue declares but does not have. An error that leaves a Wasm
 * export, such as a trap, must never come out unwrapped.
 */

import { LoadError, UnpanicError } from "../../js/src/shared/errors.js";
import { isInstance } from "../../js/src/shared/isinstance.js";

const OWN = /\/js\/(src|node_modules\/acorn)\//;
const OVERFLOW = /call stack/i;
const MISSING = /^TypeError: (object|generation\.\w+\[index\])(\[described\.name\])? is not a (function|constructor)/;

/** @param {unknown} error */
export function nameOf(error) {
  return isInstance(error, UnpanicError)
    ? /** @type {any} */ (error.constructor).errorName
    : safely(() => Object.prototype.toString.call(error).slice(8, -1));
}

/** @param {() => string} read @returns {string} its text, or a substitute if a hostile value throws */
function safely(read) {
  try {
    return String(read());
  } catch {
    return "something that cannot be read";
  }
}

/** @param {unknown} error */
function shown(error) {
  return safely(() => (isInstance(error, Error) ? error.stack : String(error))).slice(0, 1500);
}

/** @param {unknown} error @returns {string} what is wrong with it, or nothing */
export function judgeLoad(error) {
  if (!isInstance(error, LoadError)) return `not a LoadError: ${shown(error)}`;
  return error.message.trim() ? "" : "a LoadError without a message";
}

/** @param {unknown} error @returns {string} what is wrong with it, or nothing */
export function judgeCall(error) {
  if (!isInstance(error, Error)) return "";
  if (error instanceof LoadError) return `a LoadError out of a call: ${shown(error)}`;
  if (error instanceof UnpanicError) return "";
  if (error instanceof WebAssembly.RuntimeError) return `a bare trap: ${shown(error)}`;
  // Endless recursion of the glue itself ends in the function that is on top of the stack at that moment.
  const stack = safely(() => error.stack ?? "");
  if (OVERFLOW.test(stack) || MISSING.test(stack)) return "";
  return isOwn(innermostScript(stack)) ? `thrown by unpanic itself: ${shown(error)}` : "";
}

/** @param {string} script address of a script */
export function isOwn(script) {
  return OWN.test(script);
}

/** @param {string} stack */
function innermostScript(stack) {
  const frames = stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !/<anonymous>\)?$|\(native|[( ]node:/.test(line));
  return frames[0] ?? "";
}
