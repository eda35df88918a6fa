/**
 * What glue of a dead generation finds where its instance was. Finalizers, streams and `finally` blocks still run such
 * glue, long afterwards: they must stumble over nothing, and hold nothing.
 */

import { isInstance } from "../shared/isinstance.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature, WasmInterface} from "../types.js" */

const PAGE = 65536;

/** A memory without an instance. Glue makes views of it only if it still runs. */
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
 * What a call into a dead instance answers, so that glue which unpacks the
 * result of a timer's or a microtask's call does not stumble over it.
 * @param {Signature | null} signature
 */
export function nothing(signature) {
  if (!signature) return undefined;
  if (!nothings.has(signature)) nothings.set(signature, zeroResult(signature));
  return nothings.get(signature);
}

/** @type {WeakMap<Signature, unknown>} one for each type of a module, not for each generation */
const nothings = new WeakMap();

/** @param {Signature} signature */
function zeroResult({ results }) {
  if (results.length === 1) return results[0] === "i64" ? 0n : undefined;
  const zeros = results.map((type) => (type === "i64" ? 0n : /ref$/.test(type) ? undefined : 0));
  return zeros.length ? Object.freeze(zeros) : undefined;
}

const undefinedly = () => undefined;

const EMPTY_TABLES = {
  externref: Object.freeze({ get: undefinedly, set: undefinedly, grow: () => 0, length: 0 }),
  // Glue calls what it finds.
  funcref: Object.freeze({ get: () => undefinedly, set: undefinedly, grow: () => 0, length: 0 }),
};

/**
 * Takes what leads to the instance out of the exports that the glue holds. Functions stay: their guards let nothing in.
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
 * Exports that do nothing, for a variable of the glue: the guards, several for each export, go with what it held.
 * @param {WasmInterface} wasm
 */
function emptied(wasm) {
  const exports = Object.create(partsOf(wasm).functions);
  emptyExports(exports, wasm);
  return exports;
}

/** @param {WasmInterface} wasm functions that do nothing in the place of its own, and what else it exports */
function partsOf(wasm) {
  let known = parts.get(wasm);
  if (!known) {
    const functions = wasm.exports.filter(({ kind }) => kind === "function");
    const inert = Object.fromEntries(functions.map(({ name, signature }) => [name, () => nothing(signature)]));
    known = { functions: inert, others: wasm.exports.filter(({ kind }) => kind !== "function") };
    parts.set(wasm, known);
  }
  return known;
}

/** @type {WeakMap<WasmInterface, {functions: object, others: WasmInterface["exports"]}>} for all generations of a module */
const parts = new WeakMap();

/**
 * What a variable of the glue holds from now on.
 * @param {any} value what it held @param {Generation} generation @param {WasmInterface} wasm
 */
export function replaced(value, { glueExports, memory }, wasm) {
  if (value === glueExports) return emptied(wasm);
  if (isInstance(value, WebAssembly.Memory)) return new EmptyMemory();
  if (isInstance(value, WebAssembly.Instance)) return undefined;
  if (!ArrayBuffer.isView(value) || (value.buffer !== memory?.buffer && value.buffer.byteLength > 0)) return value;
  // Glue makes a view anew if it is null or empty; before 2023 it does not expect null, and there was no DataView.
  return value instanceof DataView ? null : new /** @type {any} */ (value).constructor(0);
}

/** Swallows what is written to an array that has it for a prototype. */
const SINK = new Proxy(Array.prototype, { set: () => true });

/**
 * Empties the array in which glue keeps JavaScript values for Rust, for good: glue that still runs would fill it.
 * @param {unknown[]} heap
 */
export function emptyHeap(heap) {
  heap.length = 0;
  Object.setPrototypeOf(heap, SINK);
}
