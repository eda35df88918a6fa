/**
 * The exports of a Wasm instance as the glue of its generation gets them: functions and function tables are guarded.
 */

import { guardExport } from "./guard.js";
import { emptyExports } from "./leftovers.js";
import { ShadowStack } from "./shadow-stack.js";
import { countEntries, FUEL } from "./stopwatch.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature, WasmInterface} from "../types.js" */

/**
 * The export that glue calls at the end of its init. It runs when the generation begins, which for a prepared
 * generation is later than its init.
 */
const START = "__wbindgen_start";

/**
 * @param {WebAssembly.Instance} instance
 * @param {WasmInterface} wasm
 * @param {Generation} generation
 * @returns {Record<string, any>} the instance's exports as the glue sees them
 */
export function guardExports(instance, wasm, generation) {
  // Object.create(null) would make a slow dictionary, and the glue reads from this object at every call.
  /** @type {Record<string, any>} */
  const guarded = { __proto__: null };
  for (const { name, kind, signature, elements } of wasm.exports) {
    const value = instance.exports[name];
    if (name === FUEL) {
      generation.fuel = /** @type {WebAssembly.Global} */ (value);
      continue;
    }
    if (kind === "function") {
      guarded[name] = guardExport(entered(value, signature, generation), signature, name, generation);
    } else if (kind === "table" && elements !== "externref") {
      guarded[name] = guardTable(/** @type {WebAssembly.Table} */ (value), name, generation);
    } else guarded[name] = value;
    if (kind === "table" && elements === "externref") generation.externrefs = /** @type {WebAssembly.Table} */ (value);
    if (value instanceof WebAssembly.Memory) generation.memory ??= value;
    if (name === START) {
      generation.runStart = guarded[name];
      guarded[name] = () => {};
    }
    if (name === generation.owner.storesException) guarded[name] = watchExceptions(guarded[name], generation);
  }
  generation.stack = new ShadowStack(instance.exports, wasm);
  generation.onAbort = abortHandler(instance, wasm);
  generation.glueExports = guarded;
  generation.cuts.push(() => emptyExports(guarded, wasm));
  return guarded;
}

/**
 * A function of the instance. Where calls can be stopped, the stopwatch hears of its entries.
 * @param {any} fn @param {Signature | null} signature @param {Generation} generation @returns {Function}
 */
function entered(fn, signature, generation) {
  const { stopwatch } = generation.owner;
  return stopwatch === null ? fn : countEntries(fn, signature, generation, stopwatch);
}

/**
 * Remembers each exception that the glue hands to Rust.
 * @param {Function} store an export, guarded @param {Generation} generation
 */
function watchExceptions(store, generation) {
  return (/** @type {number} */ place) => {
    generation.owner.noteRaised(generation.externrefs ? generation.externrefs.get(place) : generation.heap()[place]);
    return store(place);
  };
}

/**
 * An exported table as the glue sees it. The functions that its `get` returns are guarded, because glue up to 2025
 * calls closures as `wasm.__wbindgen_export_2.get(index)(a, b)`.
 *
 * @param {WebAssembly.Table} table @param {string} name
 * @param {Generation} generation
 */
function guardTable(table, name, generation) {
  /** @type {Map<Function, Function>} each guard by the function in it: glue gets the same entry at each call */
  const guards = new Map();
  /** @param {number} index */
  const get = (index) => {
    const value = table.get(index);
    if (!isWasmFunction(value)) return value;
    if (!guards.has(value)) {
      guards.set(value, guardExport(entered(value, null, generation), null, `${name}[${index}]`, generation));
    }
    return guards.get(value);
  };
  return {
    get,
    set: table.set.bind(table),
    grow: table.grow.bind(table),
    get length() {
      return table.length;
    },
  };
}

/**
 * The name of an exported Wasm function is its index; no other function has such a name.
 * https://webassembly.github.io/spec/js-api/#name-of-the-webassembly-function
 * @param {unknown} value
 */
function isWasmFunction(value) {
  return typeof value === "function" && /^\d+$/.test(value.name);
}

/**
 * A function that calls what Rust registered with `set_on_abort`. It finds that as the glue does: the index in the
 * function table is in the memory. A build without a table has no abort handler, and nobody calls what was registered.
 * @param {WebAssembly.Instance} instance
 * @param {WasmInterface} wasm
 * @returns {(() => void) | null}
 */
function abortHandler({ exports }, wasm) {
  const address = exports.__abort_handler;
  const table = wasm.exports.find(({ name, kind }) => kind === "table" && name !== "__wbindgen_externrefs");
  if (!(address instanceof WebAssembly.Global) || !table) return null;
  return () => {
    const { buffer } = /** @type {WebAssembly.Memory} */ (exports.memory);
    const place = new DataView(buffer).getUint32(address.value, true);
    if (place) /** @type {WebAssembly.Table} */ (exports[table.name]).get(place)();
  };
}
