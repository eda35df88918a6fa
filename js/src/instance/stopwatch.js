/**
 * Ends calls that compute for too long. Nobody can interrupt Wasm from outside, so a module that was rewritten
 * (rust/rewriter) asks here, again and again, for the right to go on: its loops and its recursion use up *fuel*, and
 * where there is none left they call the import `unpanic.refuel`. What that returns is the next amount; 0 ends the call
 * by a trap, which no Rust code can catch.
 *
 * What counts is the time that Rust computes between its entry from outside and the end of that entry: nested entries
 * belong to the outermost one, and the time of Python callbacks does not count. A callback may set a tighter limit for
 * the calls in it, so each level of callbacks has a limit of its own: the end that was set around it, or a nearer one.
 */

import { describeStop } from "../diagnosis/diagnosis.js";
import { findSuspects } from "../diagnosis/suspects.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature, Stopwatch as Counted} from "../types.js" */

/** The module of all imports that the rewriter adds. */
export const OWN_MODULE = "unpanic";
/** The name of the import. */
export const REFUEL = "refuel";

/** The export that holds the fuel. */
export const FUEL = "unpanic.fuel";

/** How often the code looks at the clock. A deadline is missed by at most this time, and a look takes much less. */
const LOOK_MS = 0.5;
/** Fuel stands for instructions. The first amount of an instance is the rewriter's. */
const LEAST = 10_000;
const MOST = 2 ** 28;
/** How much the amount changes at most from one look to the next, because clocks may be coarse. */
const FACTOR = 4;
/**
 * Imports take any time, and no instruction counts it. So now and then an import that returns looks at the clock too,
 * and if the last look was so long ago, the code looks at once.
 */
const IMPORTS_PER_LOOK = 8;
const LATE_MS = 4 * LOOK_MS;
/** How long an abort handler may compute. */
const HANDLER_MS = 100;

export class Stopwatch {
  /**
   * @param {(attended: boolean, polled: number[]) => number} limitMs how long one entry may compute; asked once for
   *   each that takes long. `polled`: if nobody has called, the async calls of which one may be what runs. NaN: it may
   *   not go on, because something was raised meanwhile
   * @param {() => boolean} isInterrupted has the user asked to interrupt what runs? The answer takes the request
   */
  constructor(limitMs, isInterrupted) {
    this.limitMs = limitMs;
    this.isInterrupted = isInterrupted;
    /** How often Rust was entered from outside. */
    this.entries = 0;
    /** Whether a callback runs, so that the time is not Rust's. */
    this.paused = false;
    /** The entry that was seen last, how long it may compute and has computed, and since when. */
    this.entry = 0;
    /** @type {number | null} the time of `usedMs` at which it ends; null: not asked yet */
    this.limit = null;
    /** When a callback has entered Rust again: what was used then, and the end that is set around it. */
    this.base = 0;
    this.around = Infinity;
    this.usedMs = 0;
    this.since = 0;
    this.fuel = LEAST * FACTOR;
    /** How many imports have returned. */
    this.imports = 0;
    /** Whether the time since the last look was all Rust's: only then it tells what fuel is worth. */
    this.isSteady = false;
    /** Whether Python is asked now: Rust may be anywhere then, also in its allocator, so no call may enter it. */
    this.isAsking = false;
  }

  /**
   * The import `refuel` of one generation.
   * @param {Generation} generation
   */
  importFor(generation) {
    // A start section runs without passing an export.
    this.entries++;
    let handlerBegan = 0;
    return () => {
      if (generation.dead === null) return this.refuel(generation);
      if (generation.gone) return 0;
      // The abort handler runs, whatever became of its call, and however little fuel that has left.
      handlerBegan ||= performance.now();
      return performance.now() - handlerBegan < HANDLER_MS ? LEAST : 0;
    };
  }

  /** @param {Generation} generation that asks @returns {number} 0: its call ends here */
  refuel(generation) {
    const elapsed = this.take();
    if (this.isSteady) this.adapt(elapsed);
    this.isSteady = true;
    this.isAsking = true;
    try {
      const limit = this.askLimit(generation);
      if (this.usedMs >= limit) return this.stop(generation, "");
      if (Number.isNaN(limit) || this.isInterrupted()) return this.stop(generation, "interrupted");
    } finally {
      this.isAsking = false;
    }
    return this.fuel;
  }

  /** What follows is timed by itself: a poll, of several in one turn. */
  nextEntry() {
    this.entries++;
  }

  /** An import has returned. @param {Generation} generation whose it is */
  importReturned(generation) {
    if (++this.imports % IMPORTS_PER_LOOK !== 0) return;
    if (generation.fuel === null || performance.now() - this.since < LATE_MS) return;
    generation.fuel.value = 0;
    this.isSteady = false;
  }

  /** Asks for the limit of what runs, unless that was done. @param {Generation} generation */
  askLimit(generation) {
    const attended = generation.owner.active !== 0;
    this.limit ??= Math.min(this.around, this.base + this.limitMs(attended, attended ? [] : polled(generation)));
    return this.limit;
  }

  /**
   * Adds the time since the last look to the entry that runs; a new entry begins with it.
   * @returns {number} that time
   */
  take() {
    const now = performance.now();
    const elapsed = now - this.since;
    this.since = now;
    if (this.entry !== this.entries) {
      this.entry = this.entries;
      this.usedMs = 0;
      this.isSteady = false;
      this.limit = null;
      this.base = 0;
      this.around = Infinity;
    } else this.usedMs += elapsed;
    return elapsed;
  }

  /** @param {number} elapsed in which the last amount was used up */
  adapt(elapsed) {
    const wanted = (this.fuel * LOOK_MS) / Math.max(elapsed, LOOK_MS / FACTOR);
    this.fuel = Math.round(Math.min(MOST, Math.max(LEAST, wanted, this.fuel / FACTOR)));
  }

  /** @param {Generation} generation @param {string} code @returns {0} */
  stop(generation, code) {
    // A limit that a callback has set is for the calls in it.
    const ms = this.limit === this.around ? this.usedMs : this.usedMs - this.base;
    generation.stopped = describeStop(ms / 1000, String(new Error().stack), code);
    return 0;
  }

  /**
   * Runs a callback, whose time does not count.
   * @template T @param {Generation} generation @param {() => T} run @returns {T}
   */
  pauseFor(generation, run) {
    // Nothing runs that could be paused where the event loop itself calls: what the callback calls is timed by itself.
    if (this.paused || generation.depth === 0) return run();
    this.take();
    // The calls of many callbacks together may take longer than what is around them may: they need to know its end.
    if (this.usedMs > LOOK_MS) this.askLimit(generation);
    this.paused = true;
    try {
      return run();
    } finally {
      this.paused = false;
      this.since = performance.now();
      this.isSteady = false;
    }
  }

  /**
   * Runs Rust that a callback has entered, whose time counts.
   * @template T @param {() => T} run @returns {T}
   */
  resumeFor(run) {
    const { limit, base, around } = this;
    this.paused = false;
    this.since = performance.now();
    this.isSteady = false;
    this.base = this.usedMs;
    this.around = limit ?? around;
    this.limit = null;
    try {
      return run();
    } finally {
      this.take();
      this.paused = true;
      this.limit = limit;
      this.base = base;
      this.around = around;
    }
  }
}

/**
 * The async calls of which Rust may be polling one, because nobody has called it.
 * @param {Generation} generation @returns {number[]} their numbers
 */
function polled({ inFlight }) {
  const calls = [...inFlight.values()];
  const { suspects } =
    calls.length < 2 ? { suspects: calls } : findSuspects(calls, { stack: String(new Error().stack) });
  return (suspects.length > 0 ? suspects : calls).map(({ id }) => id);
}

/**
 * An export that tells the stopwatch when Rust is entered. Its guard has counted the frame already.
 * @param {Function} fn @param {Signature | null} signature @param {Generation} generation @param {Counted} stopwatch
 * @returns {Function}
 */
export function countEntries(fn, signature, generation, stopwatch) {
  const enter = (/** @type {unknown[]} */ args) => {
    if (stopwatch.paused) return stopwatch.resumeFor(() => fn(...args));
    if (generation.depth === 1) stopwatch.entries++;
    return fn(...args);
  };
  switch (signature?.params.length ?? fn.length) {
    case 1:
      return (/** @type {unknown} */ a) => {
        if (stopwatch.paused || generation.depth !== 1) return enter([a]);
        stopwatch.entries++;
        return fn(a);
      };
    case 2:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => {
        if (stopwatch.paused || generation.depth !== 1) return enter([a, b]);
        stopwatch.entries++;
        return fn(a, b);
      };
    default:
      return (/** @type {unknown[]} */ ...args) => enter(args);
  }
}
