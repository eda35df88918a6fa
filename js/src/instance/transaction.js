/**
 * A transaction: one call from outside into the module, with everything that it calls in turn. It begins when no frame
 * of Rust is on the stack, before the call's arguments become Rust's. If the call crashes, all that the transaction has
 * changed is undone: the memory (shadow.js), and what is kept outside of it, which is noted here.
 *
 * A transaction ends when the next one begins. What happens between two calls (a timer, a finalizer) so belongs to the
 * earlier one, and cannot be undone any more once its call has ended.
 */

import { disown, own } from "./registries.js";
import { Shadow } from "./shadow.js";

/** @import {Generation} from "./generation.js" */
/** @import {Transaction as TransactionOf} from "../types.js" */
/** @import {CardTable, KeptMemory, Registration} from "../types.js" */

/** @implements {TransactionOf} */
export class Transaction {
  /**
   * @param {Generation} generation that has its instance
   * @param {CardTable} table @param {WebAssembly.Global[]} globals that code can change
   * @param {WebAssembly.Table[]} tables of the instance
   * @param {number} stackPointer which of the globals that is; -1: none
   */
  constructor(generation, table, globals, tables, stackPointer = -1) {
    this.generation = generation;
    this.globals = globals;
    this.tables = tables;
    this.stackPointer = stackPointer;
    const stackTop = globals[stackPointer]?.value ?? generation.stack?.top ?? 0; // no code has run yet
    this.shadow = new Shadow(/** @type {WebAssembly.Memory} */ (generation.memory), table, stackTop);
    /** @type {{begin(exports: WebAssembly.Exports): void, count(): void} | null} what long calls run (plain.js) */
    this.plain = null;
    /** Whether a call runs whose changes can be undone. */
    this.isOpen = false;
    /** Whether the event loop has called, and nobody else. */
    this.isEntry = false;
    /** The first number of an object that is handed out in this transaction. */
    this.firstId = 0;
    /** @type {unknown[]} */
    this.values = [];
    /** @type {number[]} of the tables */
    this.lengths = [];
    /** @type {unknown[]} the glue's array of JavaScript values, in glue that has one */
    this.heap = [];
    this.nextPlace = 0;
    this.retiring = false;
    /** @type {[table: number, index: number, value: unknown][]} what Rust dropped from its tables */
    this.dropped = [];
    /** @type {[object: any, key: string, value: unknown][]} the pointers of objects before a call took them */
    this.pointers = [];
    /** @type {[id: number, object: object][]} what calls consumed, of all that the other side holds by number */
    this.moved = [];
    /** @type {[token: object, registration: Registration][]} in the order in which the finalizers were turned off */
    this.unregistered = [];
    /** @type {[token: object, registration: Registration][]} */
    this.registered = [];
    /** @type {Function[]} what JavaScript got in the place of closures */
    this.lent = [];
    /** @type {number[] | null} the lengths that tables should have, which have grown in what was undone */
    this.excess = null;
    /** @type {Map<object, object>} the states of closures before, where glue keeps them in the open */
    this.states = new Map();
  }

  /**
   * Begins a transaction with a call.
   * @throws {RangeError} the browser has no room for a copy of the memory
   */
  begin() {
    const { generation, globals } = this;
    this.isOpen = this.isEntry = false;
    this.shadow.commit();
    this.plain?.count();
    this.forget();
    this.firstId = generation.owner.nextId;
    for (let at = 0; at < globals.length; at++) this.values[at] = globals[at].value;
    for (let at = 0; at < this.tables.length; at++) this.lengths[at] = this.tables[at].length;
    const heap = generation.heap();
    if (heap.length > 0) {
      this.heap = heap.slice();
      this.nextPlace = generation.nextPlace();
    }
    this.retiring = generation.retiring;
    this.isOpen = true;
  }

  /** It did not begin. Nobody knows which marks were cleared, so the next one copies the whole memory. */
  spoil() {
    this.isOpen = false;
    this.shadow.isStale = true;
  }

  /** Its call has returned: what that dropped can be collected, even if no other call follows. */
  end() {
    this.isOpen = false;
    this.forget();
    this.heap = [];
  }

  /** Forgets what was noted. */
  forget() {
    if (this.dropped.length) this.dropped = [];
    if (this.pointers.length) this.pointers = [];
    if (this.moved.length) this.moved = [];
    if (this.unregistered.length) this.unregistered = [];
    if (this.registered.length) this.registered = [];
    if (this.lent.length) this.lent = [];
    if (this.states.size) this.states = new Map();
  }

  /** Does a call run that can be undone? What the event loop does between two calls is not noted. */
  get isRunning() {
    return this.isOpen && (this.isEntry || this.generation.owner.active > 0);
  }

  /** Would a crash undo the transaction? What Python calls while the event loop runs Rust is no entry of its own. */
  get canUndo() {
    return this.isOpen && this.isEntry === (this.generation.owner.active === 0);
  }

  /* ---- what is noted while a transaction runs ------------------------------------ */

  /** Rust overwrites a slot of a table. @param {number} table @param {number} index @param {unknown} value */
  noteDropped(table, index, value) {
    if (this.isRunning) this.dropped.push([table, index, value]);
  }

  /** An object goes into a call, which may consume it. @param {any} object the glue's */
  notePointer(object) {
    const key = "__wbg_ptr" in object ? "__wbg_ptr" : "ptr";
    if (!(key in object)) return; // an object that is not wasm-bindgen's
    this.pointers.push([object, key, object[key]]);
  }

  /** A call has consumed an object. @param {number} id that the other side holds it by @param {object} object */
  noteMoved(id, object) {
    this.moved.push([id, object]);
  }

  /** @param {object} token @param {Registration} registration */
  noteRegistered(token, registration) {
    if (this.isRunning) this.registered.push([token, registration]);
  }

  /** @param {object} token @param {Registration} registration */
  noteUnregistered(token, registration) {
    if (this.isRunning) this.unregistered.push([token, registration]);
  }

  /** @param {Function} lent */
  noteLent(lent) {
    if (this.isRunning) this.lent.push(lent);
  }

  /** A closure is called or dropped. @param {object} state of it, which the glue changes */
  noteState(state) {
    if (this.isRunning && !this.states.has(state)) this.states.set(state, { ...state });
  }

  /** Nobody goes back to that state any more. @param {KeptMemory} kept */
  forgetPoint(kept) {
    this.shadow.kept.delete(kept);
  }

  /* ---- undoing ------------------------------------------------------------------------ */

  /**
   * Brings everything back that the transaction has changed. What it handed out is stale from here on.
   * @returns {number} how many bytes of memory were brought back
   */
  undo() {
    const { generation, dropped, pointers, moved, registered, unregistered, lent, states } = this;
    this.isOpen = false;
    // What follows is noted too, in other lists.
    this.forget();
    // The latest change is undone first: a slot may have changed twice.
    for (const [table, index, value] of dropped.reverse()) this.tables[table].set(index, value);
    const bytes = this.hasGrown() && this.transplant() ? this.shadow.copy.length : this.shadow.restore();
    this.restoreGlobals();
    this.restoreHeap();
    for (const [object, key, value] of pointers.reverse()) object[key] = value;
    for (const [state, copy] of states) Object.assign(state, copy);
    const young = new Set(registered.map(([token]) => token));
    for (const [token, { registry, held }] of registered) {
      registry.unregister(token);
      disown(token, held);
    }
    for (const [token, registration] of unregistered) if (!young.has(token)) own(token, registration);
    for (const [id, object] of moved) {
      generation.objects.set(id, object);
      generation.owner.objects.restore(id);
    }
    for (const closure of lent) generation.closures.originals?.delete(closure);
    for (const id of [...generation.objects.keys()]) if (id >= this.firstId) generation.owner.objects.undo(id);
    generation.retiring = this.retiring;
    this.forget();
    this.verify();
    return bytes;
  }

  /**
   * Looks whether globals and tables are what they were.
   * @throws {Error} one is not, so that the state is that of no moment
   */
  verify() {
    const global = this.globals.findIndex(({ value }, at) => !Object.is(value, this.values[at]));
    if (global >= 0) throw new Error(`global ${global} has another value than before the call`);
    // What had to keep its size for now is given back later.
    const table = this.excess ? -1 : this.tables.findIndex(({ length }, at) => length !== this.lengths[at]);
    if (table >= 0) throw new Error(`table ${table} has another length than before the call`);
  }

  restoreGlobals() {
    this.globals.forEach((global, at) => {
      global.value = this.values[at];
    });
  }

  /**
   * The frames on Rust's stack, of which there is no copy.
   * @returns {() => void} writes them again
   */
  readFrames() {
    const pointer = this.globals[this.stackPointer]?.value;
    if (pointer === undefined) return () => {};
    if (this.shadow.bytes.length === 0) this.shadow.look();
    const frames = this.shadow.bytes.slice(pointer, this.shadow.stackTop);
    return () => this.shadow.bytes.set(frames, pointer);
  }

  /**
   * Gives back what something took that was undone while frames were in the way. There are none now.
   * @throws {Error} a table would keep its size
   * @throws {RangeError} the browser has no room for a copy of the memory
   */
  shrink() {
    const { excess } = this;
    this.excess = null;
    if (excess === null && !this.shadow.hasExcess()) return;
    this.begin();
    this.isOpen = false;
    if (excess !== null) this.lengths = excess;
    // What was not undone may have handed out views of what has grown.
    if (this.transplant(this.shadow.isGivenAway)) this.restoreGlobals();
  }

  /** Has memory or a table grown since the transaction began? */
  hasGrown() {
    return this.shadow.hasGrown() || !this.hasSameTables();
  }

  /** Have all tables the lengths to which the transaction goes back? */
  hasSameTables() {
    return this.tables.every((table, at) => table.length === this.lengths[at]);
  }

  /**
   * Puts another instance in the place of this one. Views of the memory are none by now: growth has detached those of
   * before, and those that came after it are undone too.
   * @param {boolean} [keeps] whether the memory has to stay, as where JavaScript has the memory itself
   * @returns {boolean} false: the browser makes none now. The memory keeps its size, which Rust's allocators bear
   * @throws {Error} a table would keep its size, which wasm-bindgen does not bear
   */
  transplant(keeps = this.shadow.isLent) {
    if (this.generation.depth > 0) return this.keepExcess();
    const hasSameTables = this.hasSameTables();
    if (hasSameTables && keeps) return false;
    if (this.generation.transplant?.()) {
      this.shadow.isGivenAway = this.shadow.isLent;
      return true;
    }
    if (hasSameTables) return false;
    throw new Error("a table has grown, and the browser makes no other instance now");
  }

  /**
   * Frames cannot move to another instance. So what has grown keeps its size until they have left (`shrink`).
   * @returns {false}
   */
  keepExcess() {
    const { memory } = this.shadow;
    if (memory.buffer.byteLength !== this.shadow.copy.length) this.shadow.excess = memory.buffer.byteLength;
    if (this.hasSameTables()) return false;
    // Rust would take another growth for a mistake.
    if (this.excess !== null) throw new Error("tables have grown twice");
    this.excess = [...this.lengths];
    return false;
  }

  /**
   * Brings the state into an instance that has begun with another one.
   * @param {WebAssembly.Global[]} globals @param {WebAssembly.Table[]} tables of that instance
   */
  moveTo(globals, tables) {
    this.shadow.moveTo(/** @type {WebAssembly.Memory} */ (this.generation.memory));
    tables.forEach((table, at) => {
      fillTable(table, this.tables[at], this.lengths[at]);
    });
    this.globals = globals;
    this.tables = tables;
  }

  restoreHeap() {
    const heap = this.generation.heap();
    if (heap.length === 0) return;
    heap.length = 0;
    for (const value of this.heap) heap.push(value);
    this.generation.nextPlace(this.nextPlace);
  }
}

/**
 * Copies JavaScript's values from one table to another. Functions of the module are in the other table already.
 * @param {WebAssembly.Table} table @param {WebAssembly.Table} source @param {number} length of the source
 */
function fillTable(table, source, length) {
  if (length > table.length) table.grow(length - table.length);
  const isOwn = holdsFunctions(table);
  for (let at = 0; at < Math.min(length, source.length); at++) {
    const value = source.get(at);
    if (!isOwn || value === null) table.set(at, value);
  }
}

/**
 * Does a table hold functions of Wasm, and not values of JavaScript? It takes no number then. The functions do not
 * tell: JavaScriptCore gives no name to an import that stands in a table.
 * @param {WebAssembly.Table} table
 */
export function holdsFunctions(table) {
  try {
    table.grow(0, 0);
    return false;
  } catch {
    return true;
  }
}
