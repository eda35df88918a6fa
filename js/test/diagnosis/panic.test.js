/** The reports of panic hooks, in all forms that packages use. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePanicText, readPanic } from "../../src/diagnosis/panic.js";

const place = { file: "src/lib.rs", line: 24, column: 42 };
const STACK = "Error\n    at bank.wasm.f (wasm://wasm/a:wasm-function[1]:0x1)\n    at g (http://host/a.js:1:1)";
const panic = (message, location = place, stack = "") => ({ message, payload: "", location, stack });

const TEXTS = [
  ["since Rust 1.73", "panicked at src/lib.rs:24:42:\nboom", panic("boom")],
  ["with a thread's name", "thread '<unnamed>' panicked at src/lib.rs:24:42:\nboom", panic("boom")],
  ["with a thread's number", "\nthread 'main' (1) panicked at src/lib.rs:24:42:\nboom\n", panic("boom")],
  [
    "of several lines",
    "panicked at src/lib.rs:24:42:\nassertion `left == right` failed\n  left: 1\n right: 2",
    panic("assertion `left == right` failed\n  left: 1\n right: 2"),
  ],
  ["without a message", "panicked at src/lib.rs:24:42:\n", panic("")],
  [
    "with a Windows path",
    "panicked at C:\\code\\src\\lib.rs:24:42:\nboom",
    panic("boom", { ...place, file: "C:\\code\\src\\lib.rs" }),
  ],
  [
    "from a path with spaces",
    "panicked at my code/lib.rs:24:42:\nboom",
    panic("boom", { ...place, file: "my code/lib.rs" }),
  ],
  ["before Rust 1.73", "panicked at 'boom', src/lib.rs:24:42", panic("boom")],
  ["before Rust 1.73, with quotes in it", "panicked at 'it's 'bad', src', src/lib.rs:24:42", panic("it's 'bad', src")],
  ["before Rust 1.73, of several lines", "panicked at 'a\nb', src/lib.rs:24:42", panic("a\nb")],
  [
    "that speaks of a place itself",
    "panicked at src/lib.rs:24:42:\npanicked at src/b.rs:1:2:\ninner",
    panic("panicked at src/b.rs:1:2:\ninner"),
  ],
  [
    "of console_error_panic_hook",
    `panicked at src/lib.rs:24:42:\nboom\n\nStack:\n\n${STACK}\n\n`,
    panic("boom", place, `${STACK}\n\n`),
  ],
  [
    "of console_error_panic_hook, before Rust 1.73",
    `panicked at 'boom', src/lib.rs:24:42\n\nStack:\n\n${STACK}`,
    panic("boom", place, STACK),
  ],
  ["that is none: a log line", "connection lost", null],
  ["that is none: empty", "", null],
  ["that is none: without a place", "panicked at the disco", null],
];

for (const [what, text, expected] of TEXTS) {
  test(`a panic text ${what}`, () => assert.deepEqual(parsePanicText(text), expected));
}

const withFields = (message, fields) => Object.assign(new Error(message), fields, { stack: STACK });
const PAYLOADS = [
  [
    "the unpanic crate's error has everything",
    withFields("boom", { ...place, payloadType: "&str" }),
    { ...panic("boom", place, STACK), payload: "&str" },
  ],
  ["the crate's error may lack a payload type", withFields("boom", place), panic("boom", place, STACK)],
  [
    "an Error with a panic text is parsed",
    withFields("panicked at src/lib.rs:24:42:\nboom", {}),
    panic("boom", place, STACK),
  ],
  ["an Error with another text keeps it", withFields("boom", {}), panic("boom", null, STACK)],
  ["a string with a panic text is parsed", "panicked at src/lib.rs:24:42:\nboom", panic("boom")],
  ["a string with another text is the message", "boom", panic("boom", null)],
  ["a number is its text", 42, panic("42", null)],
  ["null is its text", null, panic("null", null)],
  ["nothing is its text", undefined, panic("undefined", null)],
  ["a plain object with a message has it", { message: "boom" }, panic("boom", null)],
];

for (const [what, payload, expected] of PAYLOADS) {
  test(what, () => assert.deepEqual(readPanic(payload), expected));
}

for (const [what, text] of [
  ["a place, in one line", "panicked at ".repeat(100_000)],
  ["the end of a message", `panicked at '${"', ".repeat(300_000)}`],
  ["the beginning of a message", "panicked at '\n".repeat(100_000)],
]) {
  test(`a long text that repeats the beginning of ${what} is read in one pass`, () => {
    assert.equal(parsePanicText(text), null);
  });
}
