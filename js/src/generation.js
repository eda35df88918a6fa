/**
 * One instance of a module, with everything that was made in it: its objects,
 * its async calls in flight, what its panic hook said. When it dies, all of that
 * is let go in one step, so that nothing keeps a dead instance's memory alive.
 *
 * Every entry into Rust and every import passes through here (see guard.js), so
 * this file is where a death is seen, however Rust was entered.
 */

import { diagnose, fromPanic, isFatal, isPanicError } from "./diagnosis.js";
import { failedCall } from "./inflight.js";
import { isInstance } from "./isinstance.js";
import { readPanic } from "./panic.js";
import { hasCaller } from "./stack.js";

/** @import {Death, Diagnosis, InFlightCall, Owner, PanicRecord} from "./types.js" */

/**
 * Thrown through the frames of a generation that died under them. It carries
 * nothing: who catches it looks at `generation.dead`.
 */
export const INTERRUPT = new Error("unpanic: this WebAssembly instance is dead");

// left() and the guard that calls it: their frames are on top of every stack.
const GUARD_FRAMES = 2;
const UNWOUND_FRAMES = GUARD_FRAMES + 1;

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
    /** @type {Death | null} no call enters any more */
    this.dead = null;
    /** Nothing of it runs any more: also the abort handler has ended. */
    this.gone = false;
    /** Rust asked for a new instance; it comes when no frame is left. */
    this.retiring = false;
    /** @type {(() => void) | null} what Rust registered with `set_on_abort` */
    this.onAbort = null;
    /** What an unwinding frame threw last: no `Err`, although the instance lives. */
    this.escaped = /** @type {{error: unknown, entry: string} | null} */ (null);
    /** @type {WebAssembly.Tag | null} the tag of the glue's own exceptions */
    this.tag = null;
    /** @type {number | null} the page's own, while a panic aborts */
    this.stackTraceLimit = null;
    /** @type {PanicRecord[]} said by the hook and not yet reported */
    this.panics = [];
    /** @type {Map<number, object>} glue objects that the other side holds by number */
    this.objects = new Map();
    /** @type {WeakMap<object, number>} the way back, for objects that come back as they are */
    this.ids = new WeakMap();
    /** @type {Map<number, InFlightCall>} */
    this.inFlight = new Map();
    /** @type {WebAssembly.Memory | null} */
    this.memory = null;
    /** Ends the glue's init, where the instance was prepared; it has run otherwise. */
    this.init = () => {};
    /** @type {Function} the start function, where the glue calls it */
    this.runStart = () => {};
    /** @type {Function[]} the glue's functions, in the order of the description */
    this.functions = [];
    /** @type {any[]} the glue's classes, likewise */
    this.classes = [];
    /** @type {Record<string, any>} everything that the glue exports */
    this.exports = {};
    /** @type {Record<string, any>} classes that it does not export */
    this.hidden = {};
    /** @type {WeakMap<object, {resolve: unknown, settled: boolean}>} for each promise of an unwind build */
    this.settlers = new WeakMap();
    /** @type {() => unknown[]} the glue's heap array, where it has one */
    this.heap = () => [];
    /** @type {WebAssembly.Table | null} the externref table, where it has one */
    this.externrefs = null;
  }

  /**
   * A value as the glue expects it from an export that threw.
   * @param {unknown} error
   */
  wrap(error) {
    return this.tag === null ? error : new WebAssembly.Exception(this.tag, [error]);
  }

  /** @param {unknown} error what left an export @returns {unknown} the JavaScript value in it */
  unwrap(error) {
    const wrapped = this.tag !== null && isInstance(error, WebAssembly.Exception) && error.is(this.tag);
    return wrapped ? error.getArg(/** @type {WebAssembly.Tag} */ (this.tag), 0) : error;
  }

  /**
   * An exception left one of this generation's exports. Returns if nobody is
   * there to catch what this would throw.
   * @param {unknown} thrown
   * @param {string} entry the export's name
   */
  left(thrown, entry) {
    this.depth -= 1;
    this.restoreStackTraces();
    const error = this.unwrap(thrown);
    if (this.dead === null) {
      if (this.unwinds && !isFatal(error)) return this.unwound(error, entry);
      this.die(diagnose(error, this.panics.pop() ?? null, entry));
    }
    if (this.depth > 0 || this.owner.active !== 0) throw this.wrap(INTERRUPT);
    this.owner.diedUnattended(this);
    if (hasCaller(String(new Error().stack), GUARD_FRAMES)) {
      throw this.wrap(this.owner.host.errorFor(/** @type {Death} */ (this.dead)));
    }
  }

  /**
   * A panic or a foreign exception ran the destructors on its way out: the
   * instance stays, and whoever made the call gets the error.
   * @param {unknown} error @param {string} entry
   */
  unwound(error, entry) {
    if (this.depth > 0 || this.owner.active !== 0) {
      this.escaped = { error, entry };
      throw this.wrap(error);
    }
    this.owner.unwoundUnattended(this, this.unwoundDiagnosis(error, entry));
    if (hasCaller(String(new Error().stack), UNWOUND_FRAMES)) throw this.wrap(error);
  }

  /**
   * @param {unknown} error @param {string} entry
   * @returns {Diagnosis}
   */
  unwoundDiagnosis(error, entry) {
    if (!isPanicError(error)) return diagnose(error, null, entry);
    const panic = this.panics.pop();
    const { message, stack } = /** @type {Error} */ (error);
    return panic ? fromPanic(panic, error) : { kind: "panic", message, stack: String(stack ?? "") };
  }

  /**
   * From here on nothing of this generation runs, and it lets go of everything.
   * @param {Diagnosis | null} diagnosis null: it was reset, nothing crashed
   */
  die(diagnosis) {
    const calls = [...this.inFlight.values()];
    const attended = this.owner.active !== 0 || diagnosis === null;
    const failed = attended ? undefined : failedCall(calls, diagnosis);
    this.dead = {
      diagnosis,
      generation: this.number,
      activation: this.owner.active,
      call: failed?.name ?? this.owner.activeName(),
      failed,
      interrupted: calls.filter((call) => call !== failed),
    };
    this.inFlight.clear();
    if (diagnosis !== null) this.sayLastWords();
    this.gone = true;
    this.objects.clear();
    this.panics = [];
    this.escaped = null;
  }

  /** The instance goes when its last frame has left: names of the module may live on, but nothing here holds it. */
  letGo() {
    this.functions = [];
    this.classes = [];
    this.exports = {};
    this.hidden = {};
    this.memory = null;
    this.externrefs = null;
    this.heap = () => [];
    this.init = () => {};
    this.runStart = () => {};
    this.onAbort = null;
  }

  /** Runs the abort handler. What it throws is dropped, as the glue itself does. */
  sayLastWords() {
    if (this.onAbort === null) return;
    this.depth += 1;
    try {
      this.onAbort();
    } catch {
      // The crash that it is about is the one to report.
    } finally {
      this.depth -= 1;
      this.restoreStackTraces();
    }
  }

  /** `schedule_reinit`: this call ends as ever, the next one is to find a new instance. */
  retire() {
    if (this.dead !== null || this.retiring || this.owner.isStarting()) return;
    this.retiring = true;
    if (this.owner.active === 0) this.owner.retireUnattended(this);
  }

  /**
   * The panic hook's voice. Rust is in the middle of a panic: only take note.
   * @param {unknown} payload
   */
  notePanic(payload) {
    this.panics.push(readPanic(payload));
    // One that Rust caught itself is never followed by an exception. Only where panics
    // unwind: a queued microtask keeps the generation alive until the loop turns.
    if (!this.unwinds) {
      // The abort that follows would capture a second stack, which nobody reads.
      if (this.stackTraceLimit === null) this.stackTraceLimit = Error.stackTraceLimit;
      Error.stackTraceLimit = 0;
      return;
    }
    queueMicrotask(() => {
      for (const panic of this.panics.splice(0)) this.owner.host.caughtPanic(panic, this.number);
    });
  }

  /** A panic that aborts turned them off. */
  restoreStackTraces() {
    if (this.stackTraceLimit === null) return;
    Error.stackTraceLimit = this.stackTraceLimit;
    this.stackTraceLimit = null;
  }

  /** @param {object} object @returns {number} the number that stands for it outside */
  keep(object) {
    const id = this.owner.nextId++;
    this.objects.set(id, object);
    this.ids.set(object, id);
    return id;
  }

  /** Does Rust hold a reference to that? @param {unknown} value */
  isHeld(value) {
    if (this.heap().includes(value)) return true;
    const table = this.externrefs;
    for (let index = 0; table && index < table.length; index++) if (table.get(index) === value) return true;
    return false;
  }

  /** Everything that Rust holds a reference to. */
  heldByRust() {
    const held = new Set(this.heap());
    const table = this.externrefs;
    for (let index = 0; table && index < table.length; index++) held.add(table.get(index));
    return held;
  }

  /**
   * The async call whose task was unwound: Rust let go of the function that would
   * have settled its promise.
   * @returns {InFlightCall | undefined}
   */
  abandonedCall() {
    const held = this.heldByRust();
    for (const call of this.inFlight.values()) {
      const settler = this.settlers.get(call.promise);
      if (settler && !settler.settled && !held.has(settler.resolve)) return call;
    }
    return undefined;
  }

  get memoryBytes() {
    return this.memory?.buffer.byteLength ?? 0;
  }
}
