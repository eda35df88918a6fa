/**
 * One instance of a module, with everything that was made in it: its objects,
 * its async calls in flight, what its panic hook said. When it dies, all of that
 * is let go in one step, so that nothing keeps a dead instance's memory alive.
 *
 * Every entry into Rust and every import passes through here (see guard.js), so
 * this file is where a death is seen, however Rust was entered.
 */

import { diagnose, fromPanic, isFatal, isPanicError, ON_PURPOSE } from "../diagnosis/diagnosis.js";
import { hasWasmFrames } from "../diagnosis/engines.js";
import { blame, NOBODY } from "../diagnosis/inflight.js";
import { readPanic } from "../diagnosis/panic.js";
import { recordAgain, recordAsBefore, recordNothing } from "../diagnosis/recording.js";
import { hasCaller } from "../diagnosis/stack.js";
import { isInstance } from "../shared/isinstance.js";
import { emptyHeap } from "./leftovers.js";
import { leftBy } from "./throws.js";

/** @import {ShadowStack, Thrown} from "./throws.js" */
/**
 * @typedef {object} Escaped
 * @property {unknown} error
 * @property {string} entry the export that it left
 * @property {{error: unknown} | null} [raised] what a callback of the same call raised before
 * @property {Thrown} [thrown] on purpose
 * @property {Reason} [reason] why the instance cannot go on
 * @property {{className: string, holder: string} | null} [used] the object that could not be borrowed, and who has it
 */
/** @import {Death, Diagnosis, EndedCall, InFlightCall, Owner, PanicRecord, Reason} from "../types.js" */

/**
 * Thrown through the frames of a generation that died under them. It carries
 * nothing: who catches it looks at `generation.dead`.
 */
export const INTERRUPT = new Error("unpanic: this WebAssembly instance is dead");

/** In the place of a function whose instance is gone. Guards do not call it: they see that the generation is. */
const CLOSED = () => undefined;

// left() and the guard that calls it: their frames are on top of every stack.
const GUARD_FRAMES = 2;
const UNWOUND_FRAMES = GUARD_FRAMES + 1;

/** In the place of a death that has been told to everybody: it could be large, and is held as long as a generation. */
const TOLD = Object.freeze({
  diagnosis: null,
  generation: -1,
  activation: -1,
  call: "",
  suspects: [],
  isCertain: true,
  interrupted: [],
});
const PAGE_BYTES = 65536;
/** A memory that holds more than this share of what it can have is full: what is asked for next is mostly large. */
const NEARLY = 0.75;

/** @param {InFlightCall} call @returns {EndedCall} */
const ended = ({ id, name }) => ({ id, name });

/** @param {unknown} error @param {WebAssembly.Tag | null} tag @returns {unknown} the value in an exception with that tag; else the error */
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
    /** @type {Death | null} no call enters any more */
    this.dead = null;
    /** Nothing of it runs any more: also the abort handler has ended. */
    this.gone = false;
    /** The instance is not needed any more, and goes when the last frame has left. */
    this.dropped = false;
    /** @type {{fn: Function}[]} the functions of the instance, as guards hold them */
    this.ways = [];
    /** @type {(() => void)[]} each takes away another way from the glue to the instance */
    this.cuts = [];
    /** @type {{made?: WeakMap<Function, any> | null}} the glue's closures, by what JavaScript got in their place; null: it is dead */
    this.closures = { made: undefined };
    /** Rust asked for a new instance; it comes when no frame is left. */
    this.retiring = false;
    /** @type {(() => void) | null} what Rust registered with `set_on_abort` */
    this.onAbort = null;
    /** What left Rust last by exception, although the instance lives: out of an unwinding frame, or thrown on purpose. */
    this.escaped = /** @type {Escaped | null} */ (null);
    /** @type {Thrown | null} what an import threw last */
    this.thrown = null;
    /** What glue with an abort handler made of it, if it was not on purpose. @type {unknown} */
    this.wrapping = null;
    /** @type {ShadowStack | null} */
    this.stack = null;
    /** @type {WebAssembly.Tag | null} the tag of the glue's own exceptions */
    this.tag = null;
    /** @type {WebAssembly.Tag | null} the tag of what JavaScript throws, where glue has one of its own for that */
    this.javascriptTag = null;
    /** @type {number | null} how many frames were recorded before a panic that aborts turned it off */
    this.stackLimit = null;
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
    /** @type {Record<string, any> | null} what the glue calls: the instance's exports, guarded */
    this.glueExports = null;
    /** @type {Record<string, any>} everything that the glue exports */
    this.exports = {};
    /** @type {Record<string, any>} classes that it does not export */
    this.hidden = {};
    /** @type {WeakMap<object, {resolve: unknown, settled: boolean}>} for each promise of an unwind build */
    this.settlers = new WeakMap();
    /** @type {() => unknown[]} the glue's heap array, where it has one */
    this.heap = () => [];
    /** @type {(place?: number) => number} the place in it that is used next, which can be set */
    this.nextPlace = () => 0;
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
    return valueIn(error, this.tag);
  }

  /** Whoever panics on what an import threw has it for a cause. @param {Thrown} thrown */
  noteThrown(thrown) {
    this.thrown = thrown;
    if (!thrown.onPurpose) this.owner.noteRaised(valueIn(thrown.error, this.javascriptTag));
  }

  /**
   * An exception left one of this generation's exports. Returns if nobody is
   * there to catch what this would throw.
   * @param {unknown} thrown
   * @param {string} entry the export's name
   * @param {number} limit how many frames are recorded outside of Rust
   */
  left(thrown, entry, limit) {
    this.depth -= 1;
    this.recordStacks();
    recordAsBefore(limit);
    const error = this.original(thrown);
    if (this.dead === null) {
      const onPurpose = this.takeThrown(error);
      if (onPurpose !== null) {
        if (!this.threw(onPurpose, entry)) return;
      } else if (this.unwinds && !isFatal(error)) return this.unwound(error, entry);
      this.die(this.diagnosed(error, entry, onPurpose));
    } else if (this.dropped) this.letGo();
    if (this.depth > 0 || this.owner.active !== 0) throw this.wrap(INTERRUPT);
    this.owner.diedUnattended(this);
    if (hasCaller(String(new Error().stack), GUARD_FRAMES)) {
      throw this.wrap(this.owner.host.errorFor(/** @type {Death} */ (this.dead)));
    }
  }

  /** An export of this generation returned, although it died meanwhile. @returns {never} */
  returnedDead() {
    if (this.dropped) this.letGo();
    throw this.wrap(INTERRUPT);
  }

  /**
   * What an import threw, where glue with an abort handler has put another error around it.
   * @param {unknown} thrown what left an export
   */
  original(thrown) {
    const error = this.unwrap(thrown);
    return this.thrown !== null && error === this.wrapping ? this.thrown.error : error;
  }

  /**
   * What an import threw on purpose, if that is what left an export. In a start function it is a crash like any other.
   * @param {unknown} error @returns {Thrown | null}
   */
  takeThrown(error) {
    const { thrown } = this;
    this.thrown = null;
    this.wrapping = null;
    if (thrown === null || !thrown.onPurpose || thrown.error !== error || this.owner.isStarting()) return null;
    // An unwound panic leaves by the same import.
    return isPanicError(error) ? null : thrown;
  }

  /**
   * Something was thrown on purpose: whoever is above gets the error, and the instance goes on.
   * @param {Thrown} thrown @param {string} entry the export's name
   * @returns {boolean} it cannot go on; nothing of this comes back if there is somebody to throw it at
   */
  threw(thrown, entry) {
    const { owner } = this;
    const { error } = thrown;
    if (this.depth > 0 || owner.active !== 0) {
      const held = owner.objects.heldBy(owner.active);
      const reason = leftBy(this, thrown, held);
      if (reason === "crashed") return true;
      const used = held !== null && thrown.refused === "in use" ? owner.objects.usedIn(this, held) : null;
      this.escaped = { error, entry, thrown, reason, used };
      throw this.wrap(error);
    }
    // A task may be stuck, unless no code of its author's has run. What an unwound one owed is known.
    const failed = this.unwinds ? this.abandonedCall() : undefined;
    const isSafe = thrown.refused !== null || (this.unwinds && (failed !== undefined || this.inFlight.size === 0));
    if (!isSafe) return true;
    owner.threwUnattended(this, thrown, failed);
    if (hasCaller(String(new Error().stack), UNWOUND_FRAMES)) throw this.wrap(error);
    return false;
  }

  /**
   * A panic or a foreign exception ran the destructors on its way out: the
   * instance stays, and whoever made the call gets the error.
   * @param {unknown} error @param {string} entry
   */
  unwound(error, entry) {
    if (this.depth > 0 || this.owner.active !== 0) {
      this.escaped = { error, entry, raised: this.owner.lastRaised() };
      throw this.wrap(error);
    }
    this.owner.unwoundUnattended(this, this.unwoundDiagnosis(error, entry));
    if (hasCaller(String(new Error().stack), UNWOUND_FRAMES)) throw this.wrap(error);
  }

  /**
   * @param {unknown} error @param {string} entry @param {{error: unknown} | null} [raised] by a callback or a promise before
   * @returns {Diagnosis}
   */
  unwoundDiagnosis(error, entry, raised = this.owner.lastRaised()) {
    if (!isPanicError(error)) return diagnose(error, null, entry);
    const panic = this.panics.pop() ?? readPanic(error);
    return this.withCause(fromPanic(panic, error), raised);
  }

  /**
   * @param {unknown} error what left an export @param {string} entry @param {Thrown | null} onPurpose
   * @returns {Diagnosis}
   */
  diagnosed(error, entry, onPurpose) {
    const diagnosis = diagnose(error, this.panics.pop() ?? null, entry, () => this.isOutOfMemory());
    if (onPurpose !== null && !this.owner.active) diagnosis.code = ON_PURPOSE;
    return this.withCause(diagnosis, this.owner.lastRaised());
  }

  /**
   * A panic has the cause that a callback or a promise of the same call gave.
   * @param {Diagnosis} diagnosis @param {{error: unknown} | null} raised
   */
  withCause(diagnosis, raised) {
    const isPanic = diagnosis.kind === "panic" || diagnosis.code === "unreachable";
    if (isPanic && raised !== null) diagnosis.thrown = { value: raised.error };
    return diagnosis;
  }

  /** Can the memory hardly grow any more? To ask, it grows by a page: the instance is about to go. */
  isOutOfMemory() {
    const { memory } = this;
    if (memory === null) return false;
    if (memory.buffer.byteLength > this.owner.memoryPages * PAGE_BYTES * NEARLY) return true;
    try {
      memory.grow(1);
      return false;
    } catch {
      return true;
    }
  }

  /**
   * From here on nothing of this generation runs, and it lets go of everything.
   * @param {Diagnosis | null} diagnosis null: it was reset, nothing crashed
   */
  die(diagnosis) {
    const calls = [...this.inFlight.values()];
    const attended = this.owner.active !== 0 || diagnosis === null;
    const { suspects, isCertain } = attended ? NOBODY : blame(calls, diagnosis);
    this.dead = {
      diagnosis,
      generation: this.number,
      activation: this.owner.active,
      call: suspects.length === 1 && isCertain ? suspects[0].name : this.owner.activeName(),
      suspects: suspects.map(ended),
      isCertain,
      interrupted: calls.filter((call) => !suspects.includes(call)).map(ended),
    };
    for (const call of calls) call.generation = null;
    this.inFlight.clear();
    this.owner.endBurst();
    this.closures.made = null;
    if (diagnosis !== null) this.sayLastWords();
    this.gone = true;
    this.objects.clear();
    this.panics = [];
    this.escaped = null;
    this.thrown = null;
    this.wrapping = null;
    if (this.dropped) this.letGo();
  }

  /**
   * The instance goes, now or when its last frame has left, whatever still holds something of this generation: a timer,
   * a stream, a name of the module. Chromium has room for about 125 memories.
   */
  letGo() {
    this.dropped = true;
    if (this.depth > 0 || !this.gone) return;
    for (const way of this.ways) way.fn = CLOSED;
    for (const cut of this.cuts) cut();
    emptyHeap(this.heap());
    this.ways = [];
    this.cuts = [];
    this.functions = [];
    this.classes = [];
    this.exports = {};
    this.hidden = {};
    this.glueExports = null;
    this.memory = null;
    this.externrefs = null;
    this.stack = null;
    this.heap = () => [];
    this.nextPlace = () => 0;
    this.init = () => {};
    this.runStart = () => {};
    this.onAbort = null;
  }

  /** The next generation has taken its place. */
  succeeded() {
    this.letGo();
    this.dead = TOLD;
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
      this.recordStacks();
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
    const panic = readPanic(payload);
    this.panics.push(panic);
    // One that Rust caught itself is never followed by an exception. Only where panics
    // unwind: a queued microtask keeps the generation alive until the loop turns.
    if (!this.unwinds) {
      // The abort that follows would capture a second stack, which nobody reads.
      if (hasWasmFrames(panic.stack)) this.stackLimit ??= recordNothing();
      return;
    }
    // Two turns, for one that ends an async call is caught too: its promise, rejected meanwhile, takes the panic.
    queueMicrotask(() =>
      queueMicrotask(() => {
        for (const panic of this.panics.splice(0)) this.owner.host.caughtPanic(panic, this.number);
      }),
    );
  }

  /** A panic that aborts turned it off. */
  recordStacks() {
    if (this.stackLimit === null) return;
    recordAgain(this.stackLimit);
    this.stackLimit = null;
  }

  /**
   * A function of the instance as guards hold it, who outlive it.
   * @param {Function} fn
   */
  wayTo(fn) {
    const way = { fn };
    this.ways.push(way);
    return way;
  }

  /**
   * What JavaScript gets in the place of a Rust closure. Whoever holds a closure holds its glue; this holds nothing once
   * the generation is dead, and then does nothing. The closure lives as long as it.
   * @param {any} closure
   */
  lend(closure) {
    const { closures } = this;
    const lent = (/** @type {unknown[]} */ ...args) => closures.made?.get(lent)(...args);
    if (closure._wbg_cb_unref) lent._wbg_cb_unref = () => closures.made?.get(lent)._wbg_cb_unref();
    if (closure.original) lent.original = closure.original;
    if (closures.made !== null) (closures.made ??= new WeakMap()).set(lent, closure);
    return lent;
  }

  /** @param {object} object @returns {number} the number that stands for it outside */
  keep(object) {
    const id = this.owner.nextId++;
    this.objects.set(id, object);
    this.ids.set(object, id);
    return id;
  }

  /** A call is in flight no more. @param {InFlightCall} call @returns {Owner} who tells how it ended */
  settle(call) {
    this.inFlight.delete(call.id);
    call.generation = null;
    return this.owner;
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
