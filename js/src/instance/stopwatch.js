/**
 * Ends calls that compute for too long. Nobody can interrupt Wasm from outside, so a module that was rewritten
 * (rust/rewriter) asks here, again and again, for the right to go on: its loops and its recursion use up *fuel*, and
 * where there is none left they call the import `unpanic.refuel`. What that returns is the next amount; 0 ends the call
 * by a trap, which no Rust code can catch.
 *
 * What counts is the time that Rust computes between its entry from outside and the end of that entry: nested entries
 * belong to the outermost one, and the time of Python callbacks does not count.
 */

import { describeStop } from "../diagnosis/diagnosis.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature, Stopwatch as Counted} from "../types.js" */

/** The module of all imports that the rewriter adds. */
export const OWN_MODULE = "unpanic";
/** The name of the import. */
export const REFUEL = "refuel";

/** How often the code looks at the clock. A deadline is missed by at most this time, and a look takes much less. */
const LOOK_MS = 0.5;
/** Fuel stands for instructions. The first amount of an instance is the rewriter's. */
const LEAST = 10_000;
const MOST = 2 ** 28;
/** How much the amount changes at most from one look to the next, because clocks may be coarse. */
const FACTOR = 4;

export class Stopwatch {
  /**
   * @param {(attended: boolean) => number} limitMs how long one entry may compute; asked once for each that takes long.
   *   NaN: it may not go on, because something was raised meanwhile
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
    /** @type {number | null} null: not asked yet */
    this.limit = null;
    this.usedMs = 0;
    this.since = 0;
    this.fuel = LEAST * FACTOR;
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
    return () => (generation.dead === null ? this.refuel(generation) : 0);
  }

  /** @param {Generation} generation that asks @returns {number} 0: its call ends here */
  refuel(generation) {
    const { owner } = generation;
    const elapsed = this.take();
    if (this.isSteady) this.adapt(elapsed);
    this.isSteady = true;
    this.isAsking = true;
    try {
      this.limit ??= this.limitMs(owner.active !== 0);
      if (this.usedMs >= this.limit) return this.stop(generation, "");
      if (Number.isNaN(this.limit) || this.isInterrupted()) return this.stop(generation, "interrupted");
    } finally {
      this.isAsking = false;
    }
    return this.fuel;
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
    generation.stopped = describeStop(this.usedMs / 1000, String(new Error().stack), code);
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
    this.paused = false;
    this.since = performance.now();
    this.isSteady = false;
    try {
      return run();
    } finally {
      this.take();
      this.paused = true;
    }
  }
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
