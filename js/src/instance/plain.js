/**
 * Plain code: the code of a tracked module without marks (rust/rewriter), which works on the memory, the globals and
 * the tables of the tracked instance. Long calls run plain: they take no longer than in a module that cannot be rolled
 * back, but then nobody knows what they have changed, so the whole memory is copied afterwards. That is done while the
 * page is idle or, if another call comes first, before that one.
 *
 * Which exports are long is learned. The first calls of each export are timed, now and then some more, and for those
 * that are long enough the plain code is compiled. Until it is ready, and for exports that are short, the functions in
 * the guards are the instance's own, so this costs them nothing.
 */

import { compilePlain } from "../wasm/rewriting.js";
import { nudge, tests } from "./shadow.js";

/** @import {Generation} from "./generation.js" */
/** @import {Transaction} from "./transaction.js" */

/** @typedef {Generation["cells"][number]} Cell */

/** How long a call takes that is worth the trouble, and how much of its time the copy may take. */
const LONG_MS = 0.5;
const MOST_OF_IT = 0.08;
/** So many calls of an export are timed in a row; and again after so many calls of the module. */
const TIMED = 8;
const AGAIN = 8192;
/** A function table that the plain code does not share: in the tracked one are the tracked functions. */
const OWN_TABLE = /^__unpanic_own_(table_\d+)$/;

/** @param {() => void} run */
const later = (run) =>
  typeof requestIdleCallback === "function" ? requestIdleCallback(run, { timeout: 1000 }) : setTimeout(run);

export class PlainCode {
  /**
   * @param {Generation} generation @param {Transaction} transaction
   * @param {WebAssembly.Module} module the tracked one @param {WebAssembly.Imports} imports of its instances
   */
  constructor(generation, transaction, module, imports) {
    this.generation = generation;
    this.transaction = transaction;
    this.module = module;
    this.imports = imports;
    /** The exports of the tracked instance, and of the plain one once there is one. */
    /** @type {Record<string, any>} */
    this.tracked = {};
    /** @type {Record<string, any> | null} */
    this.plain = null;
    this.isOrdered = false;
    /** Whether the last call left something to be copied, and how often there was time for that before the next one. */
    this.waits = false;
    this.idle = 0;
    this.isScheduled = false;
    /** @type {Map<Cell, number>} the exports that run plain, and how long a call took */
    this.long = new Map();
    /** @type {Set<Cell>} those whose next calls are timed */
    this.timed = new Set();
    this.begun = 0;
    /** The exports. What guards of tables call comes later. */
    this.cells = [...generation.cells];
  }

  /** The generation has another instance. @param {WebAssembly.Exports} exports its own */
  begin(exports) {
    this.tracked = exports;
    this.plain = null;
    this.long.clear();
    this.timed.clear();
    this.watch();
    if (tests.unpanicPlain) this.order();
  }

  /** A transaction begins. */
  count() {
    if (++this.begun % AGAIN === 0) this.watch();
    if (!this.waits) return;
    this.idle *= 3 / 4;
    this.waits = false;
  }

  /** Has the next calls of all exports timed that run tracked. */
  watch() {
    for (const cell of this.cells) if (!this.long.has(cell) && !this.timed.has(cell)) this.time(cell);
  }

  /** @param {Cell} cell */
  time(cell) {
    const fn = cell.find(this.tracked);
    let left = TIMED;
    let longOnes = 0;
    this.timed.add(cell);
    cell.fn = (/** @type {unknown[]} */ ...args) => {
      const began = performance.now();
      const result = fn(...args);
      const ms = performance.now() - began;
      if (ms >= LONG_MS) this.copySoon();
      if (this.pays(ms)) longOnes++;
      if (longOnes < 2 && --left > 0) return result;
      this.timed.delete(cell);
      cell.fn = fn;
      if (longOnes > 1) {
        this.long.set(cell, ms);
        this.switch(cell);
      }
      return result;
    };
  }

  /** Is a call so long that the copy is cheaper than the marks? @param {number} ms */
  pays(ms) {
    return ms >= LONG_MS && ms * MOST_OF_IT > this.transaction.shadow.copyMs * (1 - this.idle);
  }

  /** Has an export run plain, as soon as there is plain code. @param {Cell} cell */
  switch(cell) {
    const tracked = cell.find(this.tracked);
    const plain = this.plain && cell.find(this.plain);
    cell.fn = tracked;
    if (!this.plain) this.order();
    if (typeof plain !== "function") return;
    const { shadow } = this.transaction;
    let typical = this.long.get(cell) ?? 0;
    cell.fn = (/** @type {unknown[]} */ ...args) => {
      // Of an earlier state that somebody may go back to, each change is saved by itself.
      // In an entry of the event loop, polls are transactions of their own (entries.js).
      const forced = tests.unpanicPlain;
      if (shadow.kept.size > 0 || this.transaction.isEntry || (forced && forced.calls++ % forced.every))
        return tracked(...args);
      shadow.isStale = true;
      this.copySoon();
      const began = performance.now();
      const result = plain(...args);
      typical = nudge(typical, performance.now() - began);
      if (!this.pays(typical) && !forced) {
        this.long.delete(cell);
        this.time(cell);
      }
      return result;
    };
  }

  /** Has the plain code compiled. */
  order() {
    if (this.isOrdered) return;
    this.isOrdered = true;
    this.make().catch(() => {});
  }

  async make() {
    const { imports, generation } = this;
    const module = await compilePlain(this.module);
    // Nothing above may hold an instance: a thousand of them may come and go before the event loop turns.
    const { tracked } = this;
    if (!module || generation.transaction !== this.transaction) return;
    /** @type {Record<string, any>} */
    const own = {};
    for (const { name } of WebAssembly.Module.imports(module)) {
      const table = OWN_TABLE.exec(name)?.[1];
      if (!table) continue;
      const { length } = tracked[`__unpanic_${table}`];
      own[name] = new WebAssembly.Table({ element: "anyfunc", initial: length });
    }
    const { exports } = await WebAssembly.instantiate(module, {
      ...imports,
      unpanic: { ...tracked, ...own, .../** @type {any} */ (imports).unpanic },
    });
    if (generation.transaction !== this.transaction) return;
    this.isOrdered = false;
    if (tracked !== this.tracked) {
      this.order();
      return;
    }
    this.plain = exports;
    for (const cell of tests.unpanicPlain ? this.cells : this.long.keys()) this.switch(cell);
  }

  /** Has the memory copied when nothing else is to be done. */
  copySoon() {
    this.waits = true;
    if (this.isScheduled) return;
    this.isScheduled = true;
    later(() => {
      this.isScheduled = false;
      this.copy();
    });
  }

  copy() {
    const { generation, transaction } = this;
    const isIdle = generation.dead === null && generation.depth === 0 && generation.owner.active === 0;
    // If another call has come first, it has done that.
    if (!this.waits || !isIdle || generation.transaction !== transaction) return;
    this.waits = false;
    this.idle += (1 - this.idle) / 4;
    try {
      transaction.shadow.commit();
    } catch {
      // Without room for the copy, the next transaction will not begin either, and says so.
      transaction.spoil();
    }
  }
}
