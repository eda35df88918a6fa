/**
 * A module that tracks what it writes, and the least that a runtime does with it: calls are undone or kept.
 *
 * Each end of a call is checked. What was kept is in the shadow, byte for byte. What was undone is as it was before,
 * byte for byte: memory, globals, tables.
 */

import { makeShadow } from "./shadow.mjs";

const MARK = "unpanic.rewritten";
const PREFIX = "__unpanic_";
const TABLE_BYTES = 2 ** 20;
const CARD = 4096;
const NONE = 0xffff_ffff;

const ADDED = /^(?:unpanic\.fuel|__unpanic_(cards|mark|start_function|(global|constant|table)_\d+))$/;

/** @param {string} name is it an export that the rewriter added? */
export const isAdded = (name) => ADDED.test(name);

/** @param {WebAssembly.Module} module @returns {{stackPointer: number | null, tableBytes: number, pages: number}} */
export function readFacts(module) {
  const [section] = WebAssembly.Module.customSections(module, MARK);
  const numbers = new DataView(section, 34);
  const [stackPointer, tableBytes, pages] = [0, 4, 8].map((at) => numbers.getUint32(at, true));
  return { stackPointer: stackPointer === NONE ? null : stackPointer, tableBytes, pages };
}

/** The imports of a tracked module, which keep what it overwrites in its tables. */
export class Kept {
  constructor() {
    /** @type {[number, number, unknown][]} */
    this.slots = [];
    const keep = (/** @type {number} */ table, /** @type {number} */ index, /** @type {unknown} */ value) =>
      void this.slots.push([table, index >>> 0, value]);
    this.imports = { keep_externref: keep, keep_funcref: keep };
  }
}

/**
 * The plain code of a tracked instance, which works on its state.
 * @param {WebAssembly.Module} module the plain one @param {Record<string, any>} exports of the tracked instance
 * @param {Record<string, any>} imports of both
 * @returns {Record<string, any>} its exports
 */
export function instantiatePlain(module, exports, imports) {
  const shared = { ...exports, ...imports.unpanic };
  for (const { name } of WebAssembly.Module.imports(module)) {
    const table = exports[name.replace("own_", "")];
    if (name.startsWith(`${PREFIX}own_`))
      shared[name] = new WebAssembly.Table({ element: "anyfunc", initial: table.length });
  }
  return new WebAssembly.Instance(module, { ...imports, unpanic: shared }).exports;
}

/** @param {unknown} a @param {unknown} b */
const isSame = (a, b) => Object.is(a, b);

export class Tracked {
  /**
   * @param {WebAssembly.Module} module @param {Record<string, any>} exports of its instance @param {Kept} kept
   * @param {{plain?: boolean}} [how]
   */
  constructor(module, exports, kept, how) {
    this.exports = exports;
    this.kept = kept;
    this.facts = readFacts(module);
    this.memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
    this.cards = exports[`${PREFIX}cards`].value >>> 0;
    this.globals = this.find("global");
    this.tables = this.find("table");
    this.shadow = makeShadow(this.memory, exports[`${PREFIX}cards`], how);
    this.top = this.stackPointer();
  }

  /** Where the stack ends; 0 if that is not known. */
  stackPointer() {
    const { stackPointer } = this.facts;
    return stackPointer === null ? 0 : this.exports[`${PREFIX}global_${stackPointer}`].value >>> 0;
  }

  /** A call that ended by a trap leaves its frames on the stack, and cannot be kept. */
  canCommit() {
    return this.stackPointer() === this.top;
  }

  /** @param {string} kind @returns {[number, any][]} */
  find(kind) {
    return Object.entries(this.exports).flatMap(([name, value]) => {
      const match = new RegExp(`^${PREFIX}${kind}_(\\d+)$`).exec(name);
      return match ? [/** @type {[number, any]} */ ([Number(match[1]), value])] : [];
    });
  }

  /** The stack, of which nothing is needed outside of a call. @returns {[number, number]} */
  free() {
    return [0, this.top];
  }

  initialise() {
    this.shadow.initialise(...this.free());
    this.begin();
  }

  begin() {
    this.kept.slots.length = 0;
    this.before = {
      memory: Buffer.from(this.memory.buffer.slice(0)),
      globals: this.globals.map(([, global]) => global.value),
      tables: this.tables.map(([, table]) => readTable(table)),
    };
  }

  /** Plain code has run: anything may have changed. */
  markAll() {
    new Uint8Array(this.memory.buffer, this.cards, Math.ceil(this.memory.buffer.byteLength / CARD)).fill(1);
  }

  commit() {
    this.shadow.commit(...this.free());
    const at = this.shadow.differs(...this.free());
    if (at !== -1)
      throw new Error(`the call wrote at ${at >>> 0} (0x${(at >>> 0).toString(16)}), and that has no mark`);
    this.begin();
  }

  rollback() {
    for (const [at, [, global]] of this.globals.entries()) global.value = this.before.globals[at];
    this.shadow.rollback(...this.free());
    const tables = new Map(this.tables);
    for (const [table, index, value] of this.kept.slots.reverse()) tables.get(table).set(index, value);
    this.check();
    this.begin();
  }

  check() {
    const { memory, globals, tables } = this.before;
    const now = Buffer.from(this.memory.buffer);
    const [from, to] = this.free();
    const end = this.cards + TABLE_BYTES;
    for (const [start, stop, expected] of /** @type {[number, number, Buffer][]} */ ([
      [0, Math.min(from, this.cards), memory],
      [Math.min(to, this.cards), this.cards, memory],
      [end, memory.length, memory],
      [memory.length, now.length, Buffer.alloc(now.length)],
    ])) {
      if (start >= stop || !now.compare(expected, start, stop, start, stop)) continue;
      let at = start;
      while (now[at] === expected[at]) at++;
      throw new Error(`the byte at ${at} (0x${at.toString(16)}) did not come back: ${now[at]}, was ${expected[at]}`);
    }
    // Marks beyond the end of memory are those of stores that trapped, and stand for nothing.
    if (now.subarray(this.cards, this.cards + now.length / CARD).some((mark) => mark))
      throw new Error("a mark is left");
    for (const [at, [index, global]] of this.globals.entries())
      if (!isSame(global.value, globals[at])) throw new Error(`global ${index} did not come back`);
    for (const [at, [index, table]] of this.tables.entries()) {
      const slots = readTable(table);
      // What grew does not shrink.
      const slot = tables[at].findIndex((value, i) => !isSame(value, slots[i]));
      if (slot >= 0) throw new Error(`slot ${slot} of table ${index} did not come back`);
    }
  }
}

/** @param {any} table @returns {unknown[]} */
function readTable(table) {
  try {
    return Array.from({ length: table.length }, (_, at) => table.get(at));
  } catch {
    // A table of exceptions, which JavaScript cannot look into: nothing writes there in a tracked module.
    return [];
  }
}
