/**
 * Which exceptions are documented.
 *
 * From `load`: `LoadError` and its subclasses, nothing else.
 *
 * From a call: unpanic's own errors, or whatever the glue threw by itself. That is how a Rust `Err` arrives, so unpanic
 * passes it on as it is, and glue that a mutation broke throws a `TypeError` in the same way. What is told apart is
 * where it was thrown: an error whose innermost script frame is a file of unpanic (or of its parser) is unpanic's
 * mistake, but for the lane that calls a function which the glue declares and does not have. And what left a Wasm
 * export, a trap for one, never comes out bare.
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

/** @param {() => string} read @returns {string} what a hostile value cannot keep from being said */
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
  // Endless recursion of the glue itself ends in whoever is on top of the stack by then.
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
