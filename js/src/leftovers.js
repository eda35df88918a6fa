/**
 * What glue of a dead generation finds where its instance was. Finalizers, streams and `finally` blocks still run such
 * glue, long afterwards: they must stumble over nothing, and hold nothing.
 */

/** @import {WasmInterface} from "./types.js" */

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

const nothing = () => undefined;

const EMPTY_TABLES = {
  externref: Object.freeze({ get: nothing, set: nothing, grow: () => 0, length: 0 }),
  // Glue calls what it finds.
  funcref: Object.freeze({ get: () => nothing, set: nothing, grow: () => 0, length: 0 }),
};

/**
 * Takes what leads to the instance out of the exports that the glue holds. Functions stay: their guards let nothing in.
 * @param {Record<string, any>} exports as the glue sees them @param {WasmInterface} wasm
 */
export function emptyExports(exports, wasm) {
  for (const { name, kind, elements } of wasm.exports) {
    if (kind === "memory") exports[name] = new EmptyMemory();
    else if (kind === "table") exports[name] = elements === "externref" ? EMPTY_TABLES.externref : EMPTY_TABLES.funcref;
    else if (kind === "global") exports[name] = { value: 0 };
    else if (kind === "tag") exports[name] = undefined;
  }
}

/**
 * What a variable of the glue holds from now on.
 * @param {any} value what it held @param {ArrayBufferLike | undefined} buffer of the instance's memory
 */
export function replaced(value, buffer) {
  if (value instanceof WebAssembly.Memory) return new EmptyMemory();
  if (!ArrayBuffer.isView(value) || (value.buffer !== buffer && value.buffer.byteLength > 0)) return value;
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
