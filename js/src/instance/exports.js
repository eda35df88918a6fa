/**
 * The exports of a Wasm instance as the glue of its generation gets them: functions and function tables are guarded.
 */

import { Entries } from "./entries.js";
import { guardExport } from "./guard.js";
import { emptyExports } from "./leftovers.js";
import { ShadowStack } from "./shadow-stack.js";
import { countEntries, FUEL } from "./stopwatch.js";
import { Transaction } from "./transaction.js";

/** @import {Generation} from "./generation.js" */
/** @import {Holder, Signature, WasmInterface} from "../types.js" */

/**
 * The export that glue calls at the end of its init. It runs when the generation begins, which for a prepared
 * generation is later than its init.
 */
const START = "__wbindgen_start";
/** How the names of exports begin that the rewriter has added; the crate `unpanic` has one more such name. */
export const OWN = "__unpanic_";
/** The start function of a module that was rewritten for rollback, which does not start by itself any more. */
const OWN_START = `${OWN}start_function`;
const ADDED = /^__unpanic_(?:cards|mark|start_function|watching|poll|(?:global|constant|table)_\d+)$/;

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
    if (ADDED.test(name)) continue;
    const value = instance.exports[name];
    if (name === FUEL) {
      generation.fuel = /** @type {WebAssembly.Global} */ (value);
      continue;
    }
    if (kind === "function") {
      const find = (/** @type {WebAssembly.Exports} */ exports) => entered(exports[name], signature, generation);
      guarded[name] = guardExport(find(instance.exports), signature, name, generation, find);
    } else if (kind === "table" && elements !== "externref") {
      guarded[name] = guardTable(/** @type {WebAssembly.Table} */ (value), name, generation);
    } else guarded[name] = value;
    if (kind === "table" && elements === "externref" && generation.holder !== null)
      guarded[name] = notingTable(/** @type {WebAssembly.Table} */ (value), generation);
    if (kind === "table" && elements === "externref") generation.externrefs = /** @type {WebAssembly.Table} */ (value);
    if (value instanceof WebAssembly.Memory) generation.memory ??= value;
    if (name === START) {
      generation.runStart = guarded[name];
      guarded[name] = () => {};
    }
    if (generation.holder !== null && generation.owner.allocators.has(name))
      guarded[name] = markAllocated(guarded[name], generation.holder);
    if (name === generation.owner.storesException) guarded[name] = watchExceptions(guarded[name], generation);
  }
  generation.stack = new ShadowStack(instance.exports, wasm);
  openTransactions(instance.exports, generation);
  runStartFirst(instance.exports, generation);
  generation.onAbort = abortHandler(instance, wasm);
  generation.glueExports = guarded;
  generation.cuts.push(() => emptyExports(guarded, wasm));
  return guarded;
}

/**
 * Puts the exports of another instance in the place of those that the glue has. The functions stay the guards that they
 * are, with other functions in them.
 * @param {WebAssembly.Instance} instance @param {WasmInterface} wasm @param {Generation} generation
 */
export function replaceExports({ exports }, wasm, generation) {
  const guarded = /** @type {Record<string, any>} */ (generation.glueExports);
  for (const { name, kind, elements } of wasm.exports) {
    if (ADDED.test(name) || kind === "function") continue;
    const value = exports[name];
    if (name === FUEL) generation.fuel = /** @type {WebAssembly.Global} */ (value);
    else if (kind === "table") guarded[name].moveTo(value);
    else guarded[name] = value;
    if (kind === "table" && elements === "externref") generation.externrefs = /** @type {WebAssembly.Table} */ (value);
    if (value instanceof WebAssembly.Memory) generation.memory = value;
  }
  // The functions in tables are found in the tables, so these come first.
  for (const cell of generation.cells) cell.fn = cell.find(exports);
  generation.entries?.moveTo(exports);
  generation.stack = new ShadowStack(exports, wasm);
  generation.onAbort = abortHandler(/** @type {WebAssembly.Instance} */ ({ exports }), wasm);
}

/** @param {WebAssembly.Exports} exports the instance's own @param {string} prefix of names that end in a number */
export function numbered(exports, prefix) {
  const whole = OWN + prefix;
  return Object.keys(exports)
    .filter((name) => name.startsWith(whole))
    .sort((one, other) => Number(one.slice(whole.length)) - Number(other.slice(whole.length)))
    .map((name) => /** @type {any} */ (exports[name]));
}

/**
 * Has the generation's calls rolled back when they fail, if the module was rewritten for that.
 * @param {WebAssembly.Exports} exports the instance's own @param {Generation} generation
 */
function openTransactions(exports, generation) {
  const { holder, owner } = generation;
  if (holder === null || owner.cards === null) return;
  const [globals, tables] = [numbered(exports, "global_"), numbered(exports, "table_")];
  const stackPointer = /** @type {any} */ (exports)[`${OWN}global_${owner.cards.stackPointer}`];
  const transaction = new Transaction(generation, owner.cards, globals, tables, globals.indexOf(stackPointer));
  holder.shadow = transaction.shadow;
  holder.transaction = transaction;
  generation.transaction = transaction;
  generation.entries = generation.closures.entries = new Entries(generation, exports);
}

/** @param {WebAssembly.Exports} exports the instance's own @param {Generation} generation */
function runStartFirst(exports, generation) {
  if (typeof exports[OWN_START] !== "function") return;
  const find = (/** @type {WebAssembly.Exports} */ { [OWN_START]: start }) => /** @type {Function} */ (start);
  const guarded = guardExport(find(exports), null, OWN_START, generation, find);
  const { runStart } = generation;
  generation.runStart = () => {
    guarded();
    runStart();
  };
}

/**
 * An export that gives the glue memory to write to: its last result is marked, from the address to the new size.
 * @param {Function} allocate (size, align), or (address, old size, new size, align); older ones know no align
 * @param {Holder} holder
 */
function markAllocated(allocate, holder) {
  // A list of the arguments would take as long as all the rest.
  return (
    /** @type {number} */ first,
    /** @type {number} */ second,
    /** @type {number} */ third,
    /** @type {number} */ fourth,
  ) => {
    const address = allocate(first, second, third, fourth);
    holder.shadow?.mark(address >>> 0, third ?? first);
    return address;
  };
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
  /** @type {Map<number, {value: unknown, guard: Function}>} by index: glue gets the same entry at each call */
  const guards = new Map();
  /** @param {number} index */
  const get = (index) => {
    const value = table.get(index);
    if (!isWasmFunction(value)) return value;
    if (guards.get(index)?.value !== value) {
      const find = () => entered(table.get(index), null, generation);
      guards.set(index, { value, guard: guardExport(find(), null, `${name}[${index}]`, generation, find) });
    }
    return guards.get(index)?.guard;
  };
  return {
    get,
    set: (/** @type {number} */ index, /** @type {unknown} */ value) => table.set(index, value),
    grow: (/** @type {number} */ count) => table.grow(count),
    get length() {
      return table.length;
    },
    /** @param {WebAssembly.Table} other of another instance */
    moveTo(other) {
      table = other;
      for (const [index, entry] of guards) entry.value = table.get(index);
    },
  };
}

/**
 * The externref table as the glue sees it: what glue writes is undone with the call, as what Rust writes.
 * @param {WebAssembly.Table} table @param {Generation} generation
 */
function notingTable(table, generation) {
  return {
    get: (/** @type {number} */ index) => table.get(index),
    set: (/** @type {number} */ index, /** @type {unknown} */ value) => {
      const { transaction } = generation;
      if (transaction?.isRunning) transaction.noteDropped(transaction.tables.indexOf(table), index, table.get(index));
      table.set(index, value);
    },
    grow: (/** @type {number} */ count) => table.grow(count),
    get length() {
      return table.length;
    },
    /** @param {WebAssembly.Table} other of another instance */
    moveTo(other) {
      table = other;
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
