/**
 * Reads what a panic hook says into one record. There are four kinds of packages: those with the `unpanic` crate report
 * an error with `file`, `line`, `column` and `payloadType`; those whose `setPanicHook` passes a plain string or an
 * `Error` (Cloudflare's way); and those that only print, through `console_error_panic_hook`.
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
  // By position, because one expression for all of it takes minutes for a long message that holds such words many
  // times.
  const report = body.slice(begin + BEGIN.length);
  const lineEnd = report.indexOf("\n");
  const modern = lineEnd < 0 ? null : MODERN.exec(report.slice(0, lineEnd));
  if (modern) return record(report.slice(lineEnd + 1).trimEnd(), modern[1], modern[2], modern[3], stack);
  const quoteEnd = report.startsWith("'") ? report.lastIndexOf("', ") : 0;
  const old = quoteEnd > 0 ? OLD.exec(report.slice(quoteEnd + "', ".length)) : null;
  return old && record(report.slice(1, quoteEnd), old[1], old[2], old[3], stack);
}

/**
 * @param {unknown} payload that the function of `setPanicHook` got
 * @returns {PanicRecord}
 */
export function readPanic(payload) {
  const panic = readWhole(payload);
  const [message, quoted] = withoutStacks(panic.message);
  // V8's own stack begins with the message.
  return quoted ? { ...panic, message, quoted, stack: panic.stack.split(panic.message).join(message) } : panic;
}

// Rust shows a JavaScript value in this way; of an error it shows the stack too.
const SHOWS_VALUE = "JsValue(";

/**
 * Splits a message into the message without JavaScript stacks, and these stacks.
 * @param {string} message
 * @returns {[string, string]}
 */
function withoutStacks(message) {
  if (!message.includes(SHOWS_VALUE)) return [message, ""];
  /** @type {string[]} */
  const lines = [];
  /** @type {string[]} */
  const quoted = [];
  let rest = "";
  let follows = false;
  for (const line of message.split("\n")) {
    const after = afterQuotedFrame(line);
    if (after === null) {
      // Gecko's stack ends with a line break.
      const tail = follows && line.startsWith(")") ? line : rest;
      if (tail) lines.push(`${lines.pop() ?? ""}${tail}`);
      if (tail !== line || !follows) lines.push(line);
      rest = "";
      follows = false;
      continue;
    }
    // V8's stack begins with the text that stands before it.
    if (!follows) dropHeading(lines);
    follows = true;
    rest = after;
    quoted.push(rest ? line.slice(0, -rest.length) : line);
  }
  return [lines.join("\n") + rest, quoted.join("\n")];
}

/** Removes the last lines, if the lines before them end with the same text. @param {string[]} lines */
function dropHeading(lines) {
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
  const error = /** @type {any} */ (payload);
  const stack = String(error.stack ?? "");
  if (typeof error.file === "string") {
    const panic = record(String(error.message), error.file, error.line, error.column, stack);
    return { ...panic, payload: String(error.payloadType ?? "") };
  }
  const message = String(error.message ?? payload);
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
