/**
 * Glue up to 2025 calls closures and their destructors through an exported table:
 * `wasm.__wbindgen_export_2.get(index)(a, b)`. No small package for the web does so,
 * so this test has such glue and its Wasm file written by hand.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Crash, StaleObjectError } from "../../src/shared/errors.js";
import { supervise, thrown } from "../support.js";

const section = (id, ...content) => [id, content.length, ...content];
const name = (text) => [text.length, ...Buffer.from(text)];
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];

// Functions of type (i32, i32) -> i32, at the table's places 1 to 3.
const WASM = new Uint8Array([
  0,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0,
  ...section(1, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f),
  ...section(3, 3, 0, 0, 0),
  ...section(4, 1, 0x70, 0, 4),
  ...section(5, 1, 0, 1),
  ...section(7, 3, ...name("memory"), 2, 0, ...name("__wbindgen_export_2"), 1, 0, ...name("add"), 0, 0),
  ...section(9, 1, 0, 0x41, 1, 0x0b, 3, 0, 1, 2),
  ...section(
    10,
    3,
    ...body(0x20, 0, 0x20, 1, 0x6a), // the sum
    ...body(0x00), // unreachable
    ...body(0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0, 0x41, 0), // adds one to the first word of memory
  ),
]);

const GLUE = `
let wasm;
export function add(a, b) { return wasm.add(a, b); }
function makeMutClosure(arg0, arg1, dtor, f) {
    const state = { a: arg0, b: arg1, cnt: 1, dtor };
    const real = (...args) => {
        state.cnt++;
        const a = state.a;
        state.a = 0;
        try {
            return f(a, state.b, ...args);
        } finally {
            if (--state.cnt === 0) {
                wasm.__wbindgen_export_2.get(state.dtor)(a, state.b);
            } else {
                state.a = a;
            }
        }
    };
    real.original = state;
    return real;
}
function __wbg_adapter_9(arg0, arg1, arg2) {
    return wasm.__wbindgen_export_2.get(arg0)(arg1, arg2);
}
/** @param {number} index @param {number} n @returns {any} */
export function make(index, n) { return makeMutClosure(index, n, 3, __wbg_adapter_9); }

export function drop() { wasm.__wbindgen_export_2.get(3)(0, 0); }
export function drops() { return new Int32Array(wasm.memory.buffer)[0]; }
function initSync(module) {
    wasm = new WebAssembly.Instance(module, {}).exports;
    return wasm;
}
export { initSync };
`;

const file = { source: GLUE, url: "http://host/old.js", readFile: () => WASM };
const SUM = 1;
const TRAP = 2;

test("a closure of old glue is called through the table", async () => {
  const { module, exports } = await supervise(file);
  const add = exports.make(SUM, 10);
  assert.deepEqual([add(5), add(7), exports.add(1, 2), module.generation.number], [15, 17, 3, 0]);
});

test("a trap in a closure of old glue is a Crash, and a new generation follows", async () => {
  const { module, exports } = await supervise(file);
  const add = exports.make(SUM, 10);
  const error = thrown(exports.make(TRAP, 0));
  assert.ok(error instanceof Crash, error.stack);
  assert.deepEqual([error.kind, error.record.code, error.record.call], ["trap", "unreachable", "closure"]);
  assert.equal(module.generation.number, 1);
  assert.ok(thrown(() => add(5)) instanceof StaleObjectError);
  assert.equal(exports.make(SUM, 1)(2), 3);
});

test("a closure kept past its generation does nothing, in the old instance and in the new", async () => {
  const { module, supervisor, exports } = await supervise(file);
  const { memory, exports: glue } = module.generation;
  const raw = glue.make(SUM, 10); // the function that a timer would hold
  assert.equal(raw(5), 15);
  glue.drop();
  const words = () => [memory, module.generation.memory].map(({ buffer }) => new Int32Array(buffer)[0]);
  assert.deepEqual(words(), [1, 1]);
  supervisor.reset();
  assert.equal(raw(5), undefined);
  glue.drop();
  assert.deepEqual([words(), exports.drops()], [[1, 0], 0]);
});

test("a trap in a closure that the event loop called is caught, and the next call works", async () => {
  const { module, exports } = await supervise(file);
  const raw = module.generation.exports.make(TRAP, 0);
  setTimeout(raw, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([module.generation.number, exports.add(1, 2)], [1, 3]);
});
