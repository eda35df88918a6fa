/**
 * What a panic hook says, as one record. Four kinds of packages speak here:
 * those with the `unpanic` crate (an error with `file`, `line`, `column`,
 * `payloadType`), those whose `setPanicHook` passes a plain string or an
 * `Error` (Cloudflare's way), and those that only print, through
 * `console_error_panic_hook`.
 */

import { afterQuotedFrame } from "./engines.js";

/** @import {PanicRecord} from "../types.js" */

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
  const panic = readWhole(payload);
  const [message, quoted] = withoutStacks(panic.message);
  // V8's own stack begins with the message.
  return quoted ? { ...panic, message, quoted, stack: panic.stack.split(panic.message).join(message) } : panic;
}

// How Rust shows a value of JavaScript's: of an error, also its stack.
const SHOWS_VALUE = "JsValue(";

/**
 * A message without the stacks of JavaScript in it, and those stacks.
 * @param {string} message
 * @returns {[string, string]}
 */
function withoutStacks(message) {
  if (!message.includes(SHOWS_VALUE)) return [message, ""];
  /** @type {string[]} */
  const kept = [];
  /** @type {string[]} */
  const quoted = [];
  let rest = "";
  let follows = false;
  for (const line of message.split("\n")) {
    const after = afterQuotedFrame(line);
    if (after === null) {
      // Gecko's stack ends with a line break.
      const tail = follows && line.startsWith(")") ? line : rest;
      if (tail) kept.push(`${kept.pop() ?? ""}${tail}`);
      if (tail !== line || !follows) kept.push(line);
      rest = "";
      follows = false;
      continue;
    }
    // V8's stack begins with what has just been said.
    if (!follows) forgetHeading(kept);
    follows = true;
    rest = after;
    quoted.push(rest ? line.slice(0, -rest.length) : line);
  }
  return [kept.join("\n") + rest, quoted.join("\n")];
}

/** Takes away the last lines, where those before them end with the same. @param {string[]} lines */
function forgetHeading(lines) {
  for (let count = 1; count * 2 <= lines.length && count <= HEADING_LINES; count++) {
    const heading = lines.slice(-count);
    const before = lines.slice(-2 * count, -count);
    if (!heading.every((line, at) => (at ? before[at] === line : before[at].endsWith(line)))) continue;
    lines.length -= count;
    return;
  }
}

const HEADING_LINES = 20;

/**
 * @param {unknown} payload
 * @returns {PanicRecord}
 */
function readWhole(payload) {
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
