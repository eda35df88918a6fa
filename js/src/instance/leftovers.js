/**
 * Leftovers: the things that the glue of a dead generation finds in the place of its instance. Finalizers, streams and
 * `finally` blocks run such glue long after the death. It must not fail on what it finds, and must not hold the
 * instance.
 */

import { isInstance } from "../shared/isinstance.js";

/** @import {Signature, WasmInterface} from "../types.js" */

const PAGE = 65536;

/** A memory without an instance. It has no bytes until glue that still runs makes a view of it. */
class EmptyMemory {
  constructor() {
    /** @type {ArrayBuffer | null} */
    this.page = null;
  }

  get buffer() {
    return (this.page ??= new ArrayBuffer(PAGE));
  }
}

/**
 * The result of a call into a dead instance. Glue can unpack it like any other result, after a call of a timer or of a
 * microtask.
 * @param {Signature | null} signature
 */
export function zeroResult(signature) {
  if (!signature) return undefined;
  if (!zeroResults.has(signature)) zeroResults.set(signature, makeZeros(signature));
  return zeroResults.get(signature);
}

/** @type {WeakMap<Signature, unknown>} one for each type of a module, not for each generation */
const zeroResults = new WeakMap();

/** @param {Signature} signature */
function makeZeros({ results }) {
  if (results.length === 1) return results[0] === "i64" ? 0n : undefined;
  const zeros = results.map((type) => (type === "i64" ? 0n : /ref$/.test(type) ? undefined : 0));
  return zeros.length ? Object.freeze(zeros) : undefined;
}

const returnUndefined = () => undefined;

const EMPTY_TABLES = {
  externref: Object.freeze({ get: returnUndefined, set: returnUndefined, grow: () => 0, length: 0 }),
  // Glue calls what it gets from such a table.
  funcref: Object.freeze({ get: () => returnUndefined, set: returnUndefined, grow: () => 0, length: 0 }),
};

/**
 * Removes all that leads to the instance from the exports that the glue holds. Functions stay: their guards let nothing
 * in.
 * @param {Record<string, any>} exports as the glue sees them @param {WasmInterface} wasm
 */
export function emptyExports(exports, wasm) {
  for (const { name, kind, elements } of partsOf(wasm).others) {
    if (kind === "memory") exports[name] = new EmptyMemory();
    else if (kind === "table") exports[name] = elements === "externref" ? EMPTY_TABLES.externref : EMPTY_TABLES.funcref;
    else exports[name] = kind === "global" ? { value: 0 } : undefined;
  }
}

/**
 * Exports that do nothing, for the variable of the glue that held the exports. So the guards can be collected too.
 * @param {WasmInterface} wasm
 */
function inertExports(wasm) {
  const exports = Object.create(partsOf(wasm).functions);
  emptyExports(exports, wasm);
  return exports;
}

/** Functions that do nothing in the place of the exported ones, and the other exports. @param {WasmInterface} wasm */
function partsOf(wasm) {
  let parts = partsOfModules.get(wasm);
  if (!parts) {
    const functions = wasm.exports.filter(({ kind }) => kind === "function");
    const inert = Object.fromEntries(functions.map(({ name, signature }) => [name, () => zeroResult(signature)]));
    parts = { functions: inert, others: wasm.exports.filter(({ kind }) => kind !== "function") };
    partsOfModules.set(wasm, parts);
  }
  return parts;
}

/**
 * @type {WeakMap<WasmInterface, {functions: object, others: WasmInterface["exports"]}>} for all generations of a module
 */
const partsOfModules = new WeakMap();

/**
 * The value that a variable of the glue gets when its generation lets go of the instance.
 * @param {any} value that it held
 * @param {{glueExports: Record<string, any> | null, memory: WebAssembly.Memory | null}} generation
 * @param {WasmInterface} wasm
 */
export function replacementFor(value, { glueExports, memory }, wasm) {
  if (value === glueExports) return inertExports(wasm);
  if (isInstance(value, WebAssembly.Memory)) return new EmptyMemory();
  if (isInstance(value, WebAssembly.Instance)) return undefined;
  if (!ArrayBuffer.isView(value) || (value.buffer !== memory?.buffer && value.buffer.byteLength > 0)) return value;
  // Glue makes a view anew if it is null or empty. Before 2023 it does not expect null, but had no DataView either.
  return value instanceof DataView ? null : new /** @type {any} */ (value).constructor(0);
}

/** As the prototype of an array it swallows what is written to that array. */
const SINK = new Proxy(Array.prototype, { set: () => true });

/**
 * Empties the array in which glue keeps JavaScript values for Rust. It stays empty, although glue that still runs
 * writes to it.
 * @param {unknown[]} heap
 */
export function emptyHeap(heap) {
  heap.length = 0;
  Object.setPrototypeOf(heap, SINK);
}
