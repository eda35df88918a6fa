/**
 * What a panic hook says, as one record. Four kinds of packages speak here:
 * those with the `unpanic` crate (an error with `file`, `line`, `column`,
 * `payloadType`), those whose `setPanicHook` passes a plain string or an
 * `Error` (Cloudflare's way), and those that only print, through
 * `console_error_panic_hook`.
 */

/** @import {PanicRecord} from "./types.js" */

const BEGIN = "panicked at ";
// Since Rust 1.73: "panicked at src/lib.rs:24:42:\nboom"; a thread name may come first.
const MODERN = /^(.*):(\d+):(\d+):$/;
// Before: "panicked at 'boom', src/lib.rs:24:42"
const OLD = /^(.*?):(\d+):(\d+)/;
// console_error_panic_hook adds "\n\nStack:\n\n<engine's stack>".
const TRAILER = /\n\nStack:\n[\s\S]*$/;

/**
 * @param {string} text
 * @returns {PanicRecord | null} null if this is no panic message
 */
export function parsePanicText(text) {
  const [, stack = ""] = /\n\nStack:\n\n([\s\S]*)$/.exec(text) ?? [];
  const body = text.replace(TRAILER, "");
  const begin = body.indexOf(BEGIN);
  if (begin < 0) return null;
  // By position: one expression for the whole takes minutes for a long message that holds such words many times.
  const said = body.slice(begin + BEGIN.length);
  const lineEnd = said.indexOf("\n");
  const modern = lineEnd < 0 ? null : MODERN.exec(said.slice(0, lineEnd));
  if (modern) return record(said.slice(lineEnd + 1).trimEnd(), modern[1], modern[2], modern[3], stack);
  const quoteEnd = said.startsWith("'") ? said.lastIndexOf("', ") : 0;
  const old = quoteEnd > 0 ? OLD.exec(said.slice(quoteEnd + "', ".length)) : null;
  return old && record(said.slice(1, quoteEnd), old[1], old[2], old[3], stack);
}

/**
 * @param {unknown} payload what `setPanicHook`'s function was given
 * @returns {PanicRecord}
 */
export function readPanic(payload) {
  if (typeof payload !== "object" || payload === null) {
    const text = String(payload);
    return parsePanicText(text) ?? { message: text, payload: "", location: null, stack: "" };
  }
  const given = /** @type {any} */ (payload);
  const stack = String(given.stack ?? "");
  if (typeof given.file === "string") {
    const found = record(String(given.message), given.file, given.line, given.column, stack);
    return { ...found, payload: String(given.payloadType ?? "") };
  }
  const message = String(given.message ?? payload);
  const parsed = parsePanicText(message);
  return { ...(parsed ?? { message, payload: "", location: null }), stack };
}

/**
 * @param {string} message @param {string} file
 * @param {string | number} line @param {string | number} column
 * @param {string} stack
 * @returns {PanicRecord}
 */
function record(message, file, line, column, stack) {
  return { message, payload: "", location: { file, line: Number(line), column: Number(column) }, stack };
}
