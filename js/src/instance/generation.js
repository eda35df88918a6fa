/**
 * A generation: one instance of a module, with everything that was made in it: its objects, its async calls in flight,
 * what its panic hook said. When it dies, it lets go of all of that in one step, so that nothing keeps the memory of a
 * dead instance alive.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { hasWasmFrames, saysStackIsFull } from "../diagnosis/engines.js";
import { readPanic } from "../diagnosis/panic.js";
import { recordAgain, recordNothing } from "../diagnosis/recording.js";
import { hasCaller, hasScript } from "../diagnosis/stack.js";
import { findSuspects, NO_SUSPECTS } from "../diagnosis/suspects.js";
import { isInstance } from "../shared/isinstance.js";
import { LentClosures } from "./closures.js";
import { noteGiven } from "./giving.js";
import { emptyHeap } from "./leftovers.js";
import { tests } from "./shadow.js";

/** @import {ShadowStack} from "./shadow-stack.js" */
/** @import {Thrown} from "./throws.js" */
/** @import {Death, Diagnosis, EndedCall, Holder, InFlightCall, Owner, PanicRecord, Reason} from "../types.js" */
/** @import {Entries, Settler, Transaction} from "../types.js" */

/**
 * An exception that left Rust although the instance lives on.
 * @typedef {object} Escaped
 * @property {unknown} error
 * @property {string} entry the export that it left
 * @property {{error: unknown} | null} [raised] what a callback of the same call raised before
 * @property {Thrown} [thrown] if Rust threw it on purpose
 * @property {Reason} [reason] why the instance has to be replaced; empty: it can go on
 * @property {{className: string, holder: string} | null} [used] the object that could not be borrowed, and which call
 *   has it
 */

/**
 * Thrown through the frames of a generation that has died. It carries nothing: whoever catches it looks at
 * `generation.dead`.
 */
export const INTERRUPT = new Error("unpanic: this WebAssembly instance is dead");

/**
 * Takes the place of a function whose instance is gone. Guards do not call it, because they see that the generation is
 * gone.
 */
const CLOSED = () => undefined;

/**
 * Takes the place of a death that everybody has heard of: a death can be large, and is held as long as its generation.
 */
const REPORTED = Object.freeze({
  diagnosis: null,
  generation: -1,
  activation: -1,
  call: "",
  suspects: [],
  isCertain: true,
  interrupted: [],
  canRollBack: false,
});

/** @param {InFlightCall} call @returns {EndedCall} */
const ended = ({ id, name }) => ({ id, name });

/**
 * @param {unknown} error @param {WebAssembly.Tag | null} tag
 * @returns {unknown} the value in an exception with that tag; for everything else the error itself
 */
function valueIn(error, tag) {
  return tag !== null && isInstance(error, WebAssembly.Exception) && error.is(tag) ? error.getArg(tag, 0) : error;
}

export class Generation {
  /**
   * @param {Owner} owner
   * @param {number} number
   * @param {boolean} unwinds built with panic=unwind: a panic ends as an error
   */
  constructor(owner, number, unwinds) {
    this.owner = owner;
    this.number = number;
    this.unwinds = unwinds;
    /** Rust frames of this generation on the stack, counted at its exports. */
    this.depth = 0;
    /** @type {Death | null} how it died: no call enters any more */
    this.dead = null;
    /** Nothing of it runs any more: the abort handler has ended too. */
    this.gone = false;
    /** Whether the event loop wanted to run it since. */
    this.hasMissed = false;
    /** The instance is not needed any more. The generation lets go of it when the last frame has left. */
    this.dropped = false;
    /**
     * The functions of the instance: guards hold these cells, not the functions.
     * @type {{fn: Function, find: (exports: WebAssembly.Exports) => Function}[]}
     */
    this.cells = [];
    /**
     * @type {(() => boolean) | null} puts another instance in the place of this one, with the state before the call;
     *   false: the browser makes none
     */
    this.transplant = null;
    /** @type {(() => void)[]} each removes another path from the glue to the instance */
    this.cuts = [];
    /** The glue's closures, by what JavaScript got in their place; null: the generation is dead. */
    this.closures = new LentClosures();
    /** @type {Diagnosis | null} why its call was ended, if the stopwatch ended it: a trap follows */
    this.stopped = null;
    /** @type {WebAssembly.Global | null} how much the code may use before it asks the stopwatch */
    this.fuel = null;
    /** Rust asked for a new instance, which is made when no frame is left. */
    this.retiring = false;
    /** @type {(() => void) | null} what Rust registered with `set_on_abort` */
    this.onAbort = null;
    /**
     * The last exception that left Rust although the instance lives: it unwound Rust's frames, or was thrown on
     * purpose.
     */
    this.escaped = /** @type {Escaped | null} */ (null);
    /** @type {Thrown | null} the last exception of an import */
    this.thrown = null;
    /** The error that glue with an abort handler put around it, if it was not thrown on purpose. @type {unknown} */
    this.wrapping = null;
    /** @type {ShadowStack | null} */
    this.stack = null;
    /** @type {WebAssembly.Tag | null} the tag of the glue's own exceptions */
    this.tag = null;
    /** @type {WebAssembly.Tag | null} the tag of what JavaScript throws, where the glue has its own */
    this.javascriptTag = null;
    /** @type {number | null} how many frames were recorded before a panic that aborts turned recording off */
    this.stackLimit = null;
    /** @type {PanicRecord[]} what the panic hook said, and nobody has heard yet */
    this.panics = [];
    /** @type {Map<number, object>} glue objects that the other side holds by number */
    this.objects = new Map();
    /** @type {WeakMap<object, number>} the numbers of these objects, for objects that come back as they are */
    this.ids = new WeakMap();
    /** @type {Map<number, InFlightCall>} */
    this.inFlight = new Map();
    /** @type {WebAssembly.Memory | null} */
    this.memory = null;
    /** @type {Holder | null} of the transaction, for the glue; null: its calls cannot be rolled back */
    this.holder = owner.rollsBack ? { shadow: null, transaction: null, live: new Set(), lendsMemory: false } : null;
    /** Why its calls cannot be rolled back any more, though the module's can; empty: they can. */
    this.obstacle = "";
    /** @type {Map<number, any>} the states that somebody may go back to (points.js), by number */
    this.points = new Map();
    /** @type {Set<() => void>} queues once more what waits for the end of the turn: the tasks of Rust */
    this.queued = new Set();
    /** @type {EndedCall[]} the calls in flight that the last rollback has ended */
    this.ended = [];
    /** @type {Transaction | null} once there is an instance */
    this.transaction = null;
    /** @type {Entries | null} the entries from the event loop, if its calls can be rolled back */
    this.entries = null;
    /** Ends the glue's init, if the instance was prepared; otherwise the init has run already. */
    this.init = () => {};
    /** @type {Function} the start function, where the glue calls it */
    this.runStart = () => {};
    /** @type {Function} what else of a linked package runs once there is an instance */
    this.runRest = () => {};
    /** @type {Function[]} the glue's functions, in the order of the description */
    this.functions = [];
    /** @type {any[]} the glue's classes, in the same order */
    this.classes = [];
    /** @type {Record<string, any> | null} the instance's exports as the glue has them: guarded */
    this.glueExports = null;
    /** @type {Record<string, any>} everything that the glue exports */
    this.exports = {};
    /** @type {Function | null} what Rust calls when it panics, if it has a panic hook */
    this.panicHook = null;
    /** @type {Record<string, any>} the classes that the glue does not export */
    this.hidden = {};
    /** @type {WeakMap<object, Settler>} by the promise, and by the functions that settle it */
    this.settlers = new WeakMap();
    /** @type {() => unknown[]} the glue's heap array, if it has one */
    this.heap = () => [];
    /** @type {(place?: number) => number} the index in it that is used next, which can be set */
    this.nextPlace = () => 0;
    /** @type {WebAssembly.Table | null} the externref table, if the instance has one */
    this.externrefs = null;
  }

  /**
   * A value as the glue expects it from an export that threw.
   * @param {unknown} error
   */
  wrap(error) {
    return this.tag === null ? error : new WebAssembly.Exception(this.tag, [error]);
  }

  /** @param {unknown} error that left an export @returns {unknown} the JavaScript value in it */
  unwrap(error) {
    return valueIn(error, this.tag);
  }

  /** Remembers what an import threw: it is the cause if Rust panics on it. @param {Thrown} thrown */
  noteThrown(thrown) {
    this.thrown = thrown;
    if (!thrown.onPurpose) this.owner.noteRaised(valueIn(thrown.error, this.javascriptTag));
  }

  /**
   * From here on no code of this generation runs, and it lets go of everything.
   * @param {Diagnosis | null} diagnosis null: nothing crashed, the module was reset
   */
  die(diagnosis) {
    if (diagnosis !== null && this.transaction?.canUndo) {
      this.fail(diagnosis);
      return;
    }
    // What an executor could not drop has led to whatever came next.
    const cause = diagnosis && (this.entries?.takeFailed() ?? diagnosis);
    const calls = [...this.inFlight.values()];
    const attended = this.owner.active !== 0;
    const { suspects, isCertain } = cause === null || attended ? NO_SUSPECTS : findSuspects(calls, cause);
    this.dead = {
      diagnosis: cause,
      generation: this.number,
      activation: this.owner.active,
      call: suspects.length === 1 && isCertain ? suspects[0].name : this.owner.activeName(),
      suspects: suspects.map(ended),
      isCertain,
      interrupted: calls.filter((call) => !suspects.includes(call)).map(ended),
      canRollBack: false,
    };
    for (const call of calls) call.generation = null;
    this.inFlight.clear();
    this.owner.endBurst();
    this.closures.originals = this.closures.entries = null;
    if (diagnosis !== null) this.runAbortHandler();
    this.gone = true;
    this.objects.clear();
    this.forgetFailure();
    if (this.dropped) this.letGo();
  }

  /**
   * A call crashed that can be rolled back. Until it is, nothing enters this generation; then it lives on, with all
   * that it had. `bury` follows if it cannot be rolled back after all.
   * @param {Diagnosis} diagnosis
   */
  fail(diagnosis) {
    const { owner } = this;
    this.dead = this.deathOf(diagnosis, owner.activeName());
    owner.endBurst();
    this.gone = true;
    this.hasMissed = false;
    this.forgetFailure();
  }

  /**
   * A death that costs nothing but its call.
   * @param {Diagnosis} diagnosis @param {string} call @returns {Death}
   */
  deathOf(diagnosis, call) {
    const { number, owner } = this;
    const calls = { suspects: [], isCertain: true, interrupted: [] };
    return { diagnosis, generation: number, activation: owner.active, call, ...calls, canRollBack: true };
  }

  /**
   * Something wants to enter although nothing runs here any more. If that is the event loop, and a call is still to be
   * rolled back, a future would wait for ever for what it missed, so the state cannot be brought back.
   * @returns {true}
   */
  refuse() {
    if (this.depth === 0 && this.owner.active === 0) this.hasMissed = true;
    return true;
  }

  /** Forgets what led to a crash that is known by now. */
  forgetFailure() {
    this.panics = [];
    this.escaped = null;
    this.thrown = null;
    this.wrapping = null;
  }

  /**
   * Rolls the failed call back. No frame of this generation may be left.
   * @returns {EndedCall[]} calls that the failed one had begun: there are no such tasks any more
   */
  rollBack() {
    const { transaction } = this;
    if (this.dead === null) return this.ended;
    if (transaction === null || !this.dead.canRollBack) throw new Error("it has died already");
    if (this.hasMissed) throw new Error("a timer or a task should have run meanwhile");
    this.ended = this.undo();
    this.stopped = null;
    this.gone = false;
    this.dead = null;
    return this.ended;
  }

  /**
   * The call that begins now cannot be rolled back, nor can any later one if the browser has no room for a copy of the
   * memory.
   * @param {unknown} error why
   */
  giveUpRollback(error) {
    this.transaction?.spoil();
    if (saysStackIsFull(describeThrown(error))) return;
    if (!isInstance(error, RangeError)) throw error;
    this.transaction = null;
    this.points.clear();
    if (this.holder !== null) this.holder.shadow = this.holder.transaction = null;
    this.obstacle = `the browser has no room for a copy of its memory (${error.message})`;
  }

  /** Undoes what the last call has changed. @returns {EndedCall[]} the calls in flight that it had begun */
  undo() {
    const transaction = /** @type {Transaction} */ (this.transaction);
    const begun = [...this.inFlight.values()].filter(({ id }) => id >= transaction.firstId);
    transaction.undo();
    for (const call of begun) this.settle(call);
    return begun.map(ended);
  }

  /**
   * A call that failed cannot be rolled back: the generation dies of it.
   * @returns {EndedCall[]} the calls in flight that it interrupts
   */
  bury() {
    const failure = /** @type {Death} */ (this.dead);
    if (!failure.canRollBack) return failure.interrupted;
    this.transaction = null;
    this.dead = null;
    this.die(failure.diagnosis);
    const death = /** @type {Death} */ (/** @type {unknown} */ (this.dead));
    if (failure.activation === 0) return death.interrupted;
    // Who called is to blame, and nobody else.
    const interrupted = [...death.suspects, ...death.interrupted];
    this.dead = { ...failure, interrupted, canRollBack: false };
    return interrupted;
  }

  /**
   * Lets go of the instance, now or when its last frame has left, so that it can be collected whatever still holds a
   * part of this generation: a timer, a stream, a name of the module. Chromium has room for about 125 memories.
   */
  letGo() {
    this.dropped = true;
    if (this.depth > 0 || !this.gone) return;
    if (this.memory !== null) tests.unpanicNoteDead?.(this);
    for (const cell of this.cells) cell.fn = CLOSED;
    for (const cut of this.cuts) cut();
    emptyHeap(this.heap());
    this.queued.clear();
    this.cells = [];
    this.cuts = [];
    this.functions = [];
    this.classes = [];
    this.exports = {};
    this.hidden = {};
    this.glueExports = null;
    this.panicHook = null;
    this.memory = null;
    this.transplant = null;
    this.transaction = null;
    this.entries = null;
    this.points.clear();
    if (this.holder !== null) {
      this.holder.shadow = this.holder.transaction = null;
      this.holder.live.clear();
    }
    this.externrefs = null;
    this.fuel = null;
    this.stack = null;
    this.heap = () => [];
    this.nextPlace = () => 0;
    this.init = () => {};
    this.runStart = () => {};
    this.runRest = () => {};
    this.onAbort = null;
  }

  /** The next generation has taken its place. */
  succeeded() {
    this.letGo();
    this.dead = REPORTED;
  }

  /** Runs the abort handler. An exception of the handler is dropped, as the glue itself does. */
  runAbortHandler() {
    if (this.onAbort === null) return;
    this.depth += 1;
    try {
      this.onAbort();
    } catch {
      // The crash that the handler is about is the one to report.
    } finally {
      this.depth -= 1;
      this.recordStacks();
    }
  }

  /** Rust called `schedule_reinit`: this call ends as ever, and the next call gets a new instance. */
  retire() {
    if (this.dead !== null || this.retiring || this.owner.isStarting()) return;
    this.retiring = true;
    if (this.owner.active === 0) this.owner.retireUnattended(this);
  }

  /**
   * The panic hook reports a panic. Rust is in the middle of it, so this only takes note.
   * @param {unknown} payload
   */
  notePanic(payload) {
    const panic = readPanic(payload);
    this.panics.push(panic);
    if (!this.unwinds) {
      // The abort that follows would capture a second stack, which nobody reads.
      if (hasWasmFrames(panic.stack)) this.stackLimit ??= recordNothing();
      return;
    }
    // No exception follows a panic that Rust caught itself, so whatever panic is left is reported later. It takes two
    // turns of the microtask queue: Rust also catches a panic that ends an async call, and the rejected promise takes
    // that one. This is done only where panics unwind, because a queued microtask keeps the generation alive until the
    // loop turns.
    queueMicrotask(() =>
      queueMicrotask(() => {
        for (const panic of this.panics.splice(0)) this.owner.host.caughtPanic(panic, this.number);
      }),
    );
  }

  /** Turns the recording of stacks on again, if a panic that aborts turned it off. */
  recordStacks() {
    if (this.stackLimit === null) return;
    recordAgain(this.stackLimit);
    this.stackLimit = null;
  }

  /**
   * A cell with a function of the instance. Guards hold the cell, because they outlive the instance.
   * @param {Function} fn @param {(exports: WebAssembly.Exports) => Function} find the same of another instance
   */
  cellFor(fn, find) {
    const cell = { fn, find };
    this.cells.push(cell);
    return cell;
  }

  /**
   * Makes the function that JavaScript gets in place of a Rust closure. A closure holds its glue; this
   * function holds nothing once the generation is dead, and does nothing then. The closure lives as long as the
   * function.
   * @param {any} closure
   */
  lend(closure) {
    const { closures } = this;
    const lent = (/** @type {unknown[]} */ ...args) => {
      const { entries } = closures;
      const found = closures.find(lent);
      const result = entries === null || !found ? found?.(...args) : entries.run(found, lent, args);
      noteGiven(result, this);
      return result;
    };
    if (closure._wbg_cb_unref) lent._wbg_cb_unref = () => closures.find(lent)?._wbg_cb_unref();
    if (closure.original) lent.original = closure.original;
    if (closure.rustTypes) lent.rustTypes = closure.rustTypes;
    closures.add(lent, closure);
    this.transaction?.noteLent(lent);
    return lent;
  }

  /**
   * Is there JavaScript besides the glue that called Rust and can catch an exception? The functions that `lend` makes
   * do not count: they are recognised by the script that they are in, which is why this is in the same one.
   * @param {number} frames of the runtime above
   */
  hasCaller(frames) {
    return hasCaller(String(new Error().stack), frames + 1);
  }

  /** The same where no glue is on the stack any more. */
  isCalled() {
    return hasScript(String(new Error().stack));
  }

  /** Gives an object a number. @param {object} object @returns {number} what stands for it outside */
  keep(object) {
    const id = this.owner.nextId++;
    this.objects.set(id, object);
    this.ids.set(object, id);
    return id;
  }

  /**
   * Takes a call out of the calls in flight.
   * @param {InFlightCall} call @returns {Owner} the module, which reports how the call ended
   */
  settle(call) {
    this.inFlight.delete(call.id);
    call.generation = null;
    return this.owner;
  }

  /** Does Rust hold a reference to that value? @param {unknown} value */
  isHeld(value) {
    if (this.heap().includes(value)) return true;
    const table = this.externrefs;
    for (let index = 0; table && index < table.length; index++) if (table.get(index) === value) return true;
    return false;
  }

  get memoryBytes() {
    return this.memory?.buffer.byteLength ?? 0;
  }

  get shadowBytes() {
    return this.transaction?.shadow.byteLength ?? 0;
  }
}
