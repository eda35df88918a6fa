/** Thrown values become kinds of death, for the messages of Chromium, Firefox and Safari. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { describeThrown, diagnose, fromPanic, isFatal, isPanicError } from "../../src/diagnosis/diagnosis.js";
import { describeDeath } from "../../src/shared/messages.js";
import { fits, isNumeric } from "../../src/shared/numbers.js";

const frames = (...names) =>
  names.map((name, index) => `    at a.wasm.${name} (wasm://wasm/a:wasm-function[${index}]:0x${index}f)`).join("\n");
const trap = (message, stack = "") => Object.assign(new WebAssembly.RuntimeError(message), { stack });
const named = (name, message) => Object.assign(new Error(message), { name });

// The messages of one trap, where the three engines differ.
const TRAPS = {
  unreachable: ["unreachable", "unreachable executed", "Unreachable code should not be executed"],
  out_of_bounds: ["memory access out of bounds", "index out of bounds", "Out of bounds memory access"],
  divide_by_zero: ["divide by zero", "remainder by zero", "integer divide by zero", "Division by zero"],
  integer_overflow: ["divide result unrepresentable", "integer overflow", "Integer overflow"],
  invalid_conversion: ["float unrepresentable in integer range", "invalid conversion to integer"],
  indirect_call: [
    "null function or function signature mismatch",
    "table index is out of bounds",
    "indirect call signature mismatch",
    "indirect call to null",
    "Out of bounds call_indirect",
    "call_indirect to a null table entry",
    "call_indirect to a signature that does not match",
  ],
  unaligned: ["operation does not support unaligned accesses", "unaligned memory access"],
  other: ["something new"],
};

for (const [code, messages] of Object.entries(TRAPS)) {
  for (const message of messages) {
    test(`"${message}" is the trap ${code}`, () => {
      const found = diagnose(trap(message), null, "run");
      assert.deepEqual(found, { kind: "trap", code, message, stack: "" });
    });
  }
}

for (const [code, message, quote] of [
  ["divide_by_zero", "Division by zero", " (evaluating 'wasm.trap_divide_by_zero(a)')"],
  ["out_of_bounds", "Out of bounds memory access", " (evaluating 'a.fn(\nb)')"],
]) {
  test(`JavaScriptCore's message of ${code} comes without the call that it quotes`, () => {
    const found = diagnose(trap(message + quote), null, "run");
    assert.deepEqual(found, { kind: "trap", code, message, stack: "" });
  });
}

test("an error of JavaScript keeps what JavaScriptCore quotes", () => {
  const message = "undefined is not an object (evaluating 'page.element.style')";
  assert.equal(diagnose(new TypeError(message), null, "run").message, message);
});

const record = { message: "boom", payload: "&str", location: { file: "a.rs", line: 1, column: 2 }, stack: "" };
const engineOverflows = [
  new RangeError("Maximum call stack size exceeded"),
  new RangeError("Maximum call stack size exceeded."),
  named("InternalError", "too much recursion"),
];
const engineMemory = [
  new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded"),
  new RangeError("Out of memory: wasm memory"),
  new RangeError("WebAssembly.Memory.grow expects the grown size to be a valid page count"),
  new RangeError("failed to grow memory"),
];
const KINDS = [
  [
    "an unreachable after the hook spoke",
    [trap("unreachable", frames("f")), record],
    { kind: "panic", message: "boom", payload: "&str", location: record.location },
  ],
  [
    "an unreachable under panic frames",
    [trap("unreachable", frames("core::panicking::panic", "f")), null],
    {
      kind: "panic",
      message:
        "a panic without a message (the module has no panic hook: add the line `use unpanic as _;` to its Rust code)",
    },
  ],
  [
    "an unreachable under allocation frames",
    [trap("unreachable", frames("alloc::alloc::handle_alloc_error", "f")), null],
    { kind: "out_of_memory", message: "out of memory" },
  ],
  [
    "an unreachable in wasm-bindgen's allocator",
    [trap("unreachable"), null, "__wbindgen_malloc"],
    { kind: "out_of_memory", message: "out of memory" },
  ],
  [
    "an unreachable elsewhere",
    [trap("unreachable", frames("f")), null],
    { kind: "trap", code: "unreachable", message: "unreachable" },
  ],
  [
    "out of bounds in a recursion",
    [trap("memory access out of bounds", [frames("f"), ...Array(3).fill(frames("f"))].join("\n")), null],
    { kind: "stack_overflow", message: "stack overflow" },
  ],
  [
    "another trap after the hook spoke",
    [trap("divide by zero"), record],
    { kind: "trap", code: "divide_by_zero", message: "divide by zero" },
  ],
  ...engineOverflows.map((error) => [
    `${error.name}: ${error.message}`,
    [error, null],
    { kind: "stack_overflow", message: "stack overflow" },
  ]),
  ["Gecko's string for it", ["out of memory", null], { kind: "out_of_memory", message: "out of memory" }],
  ...engineMemory.map((error) => [error.message, [error, null], { kind: "out_of_memory", message: "out of memory" }]),
];

for (const [what, [error, panic, entry = "run"], expected] of KINDS) {
  test(`${what} is ${expected.kind}`, () => {
    const found = diagnose(error, panic, entry);
    const { stack, ...rest } = found;
    assert.deepEqual(rest, expected);
    assert.equal(stack, error.stack ?? "");
  });
}

const circular = {
  toString: () => {
    throw new Error("no text");
  },
};
for (const [value, message] of [
  [new TypeError("x is not a function"), "x is not a function"],
  [new RangeError("invalid date"), "invalid date"],
  [named("InternalError", "something else"), "something else"],
  [new RangeError(""), "RangeError"],
  ["a text", "a text"],
  [undefined, "undefined"],
  [Symbol("s"), "Symbol(s)"],
  [circular, "[object Object]"],
]) {
  test(`an error that is not the engine's is foreign: ${message}`, () => {
    const { kind, message: found, thrown } = diagnose(value, null, "run");
    assert.deepEqual([kind, found, describeThrown(value)], ["foreign", message, message]);
    assert.equal(thrown.value, value);
    assert.equal(isFatal(value), false);
  });
}

test("if the stack of a panic has Rust frames, it replaces the stack of the trap", () => {
  const error = trap("unreachable", frames("the_traps"));
  assert.equal(fromPanic({ ...record, stack: frames("its_own") }, error).stack, frames("its_own"));
  assert.equal(fromPanic({ ...record, stack: "    at hook (http://host/a.js:1:1)" }, error).stack, frames("the_traps"));
  assert.equal(fromPanic(record, error).stack, frames("the_traps"));
  assert.equal(fromPanic(record, "no error").stack, "");
});

test("traps, overflows and exhausted memory are fatal where panics unwind, a PanicError is not", () => {
  for (const error of [trap("unreachable"), ...engineOverflows, ...engineMemory])
    assert.equal(isFatal(error), true, error.message);
  const panic = named("PanicError", "boom");
  assert.deepEqual([isFatal(panic), isPanicError(panic), isPanicError({ name: "PanicError" })], [false, true, false]);
});

const death = {
  diagnosis: { kind: "panic", ...record },
  generation: 3,
  activation: 1,
  call: "f",
  suspects: [],
  isCertain: true,
  interrupted: [],
};
for (const [changes, expected] of [
  [{}, "boom (in bank.f, a.rs:1:2)"],
  [{ call: "" }, "boom (a.rs:1:2)"],
  [{ diagnosis: { ...death.diagnosis, location: null } }, "boom (in bank.f)"],
  [{ call: "", diagnosis: { ...death.diagnosis, location: null } }, "boom"],
  [{ diagnosis: null }, "bank was reset (generation 3 ended)"],
]) {
  test(`a death is described as: ${expected}`, () =>
    assert.equal(describeDeath({ ...death, ...changes }, "bank"), expected));
}

const FITS = {
  i32: [
    [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32 - 1],
    [2 ** 32, -(2 ** 31) - 1, 2.5, NaN, Infinity, 1n, "1", true, null, undefined],
  ],
  float: [
    [0, 2.5, NaN, -Infinity, 2 ** 60],
    [1n, "1", true, null, undefined],
  ],
  bool: [
    [true, false],
    [0, 1, "true", null, undefined],
  ],
  string: [[], ["text", 1]],
};

for (const [kind, [taken, refused]] of Object.entries(FITS)) {
  test(`${kind} takes what it can hold unchanged, and nothing else`, () => {
    for (const value of taken) assert.equal(fits(kind, value), true, String(value));
    for (const value of refused) assert.equal(fits(kind, value), false, String(value));
    assert.equal(isNumeric({ name: kind }), taken.length > 0);
  });
}
