/**
 * Entries from the event loop: it calls Rust closures, for a timer, a listener, a promise. In a module that can be
 * rolled back each such entry is a transaction. If it crashes, it is undone, and nobody loses anything by it.
 *
 * One kind of entry has several transactions. The executor of `wasm-bindgen-futures` is a closure that polls all
 * futures that were woken. A module with an executor was rewritten so that the calls that may be polls come here
 * (rust/rewriter/src/polls.rs). Each poll is a transaction then. If it crashes, it is undone, and the executor hears
 * that the future is ready: so it drops the future, as it was before the poll, and never polls it again.
 */

import { ON_PURPOSE } from "../diagnosis/diagnosis.js";
import { isInstance } from "../shared/isinstance.js";
import { diagnoseUnwound, explainPoll } from "./exits.js";
import { INTERRUPT } from "./generation.js";
import { owedPromises } from "./promises.js";
import { findTask, READY } from "./tasks.js";

/** @import {Generation} from "./generation.js" */
/** @import {Diagnosis, EndedCall, Entries as EntriesOf, InFlightCall, Settler, Transaction} from "../types.js" */

/**
 * A poll, or a whole entry, that was undone.
 * @typedef {object} Undone
 * @property {Diagnosis} diagnosis
 * @property {EndedCall[]} calls that will never end, because what would have ended them is gone
 * @property {Settler[]} settlers of the promises that nobody will settle
 */

/** Stands for the call where nobody called. */
const NOBODY = { id: 0, name: "" };

/** @implements {EntriesOf} */
export class Entries {
  /** @param {Generation} generation @param {WebAssembly.Exports} exports the instance's own */
  constructor(generation, exports) {
    this.generation = generation;
    this.moveTo(exports);
    /** Does an entry run? */
    this.isRunning = false;
    /** How many polls the entry has had. */
    this.polls = 0;
    /** @type {number[]} the cards that the frames around the polls take for marked */
    this.marked = [];
    /** @type {Undone[]} what was undone in this entry, and nobody has heard yet */
    this.undone = [];
    /**
     * The future that has failed: where it is in its task until the executor drops it, and what it may have owed.
     * @type {{diagnosis: Diagnosis, place: number, future: number, owed: Set<Settler>,
     *   isTold: boolean} | null}
     *   isTold: its promise was rejected
     */
    this.failed = null;
    /** @type {{reason: object} | null} a panic with which the poll that runs has rejected a promise */
    this.rejected = null;
    /** @type {WeakMap<object, Diagnosis>} such panics, whose polls were undone */
    this.reasons = new WeakMap();
    /** @type {WeakSet<Function>} closures that will not be called again unless they run now */
    this.continuations = new WeakSet();
  }

  /** @param {WebAssembly.Exports} exports of the instance, or of one in its place */
  moveTo({ __unpanic_watching: watching, __unpanic_poll: call }) {
    this.watching = /** @type {WebAssembly.Global | undefined} */ (watching);
    /** Calls a function of the table: as a poll, while that is watched. */
    this.call = /** @type {any} */ (call);
  }

  /** @param {boolean} on whether calls that may be polls come here */
  watch(on) {
    if (this.watching !== undefined) this.watching.value = Number(on);
  }

  /**
   * Runs a closure that JavaScript calls.
   * @param {Function} closure @param {Function} lent what JavaScript has in its place @param {unknown[]} args
   */
  run(closure, lent, args) {
    const { generation } = this;
    const { transaction, owner } = generation;
    /** @type {{error: unknown} | null} */
    let failure = null;
    const isOuter = generation.depth === 0 && owner.active === 0 && generation.dead === null;
    // Something that is to be undone as a whole waits, and would be undone together with this.
    if (isOuter && owner.isWatched) owner.host.entering?.("");
    if (!isOuter || transaction === null || this.isRunning || !this.begin(transaction, lent))
      return this.enter(closure, args);
    let result;
    try {
      result = this.enter(closure, args);
    } catch (error) {
      if (!generation.dead?.canRollBack) throw error;
    } finally {
      failure = this.end(transaction);
    }
    // Its caller would go on as if it had done what it was called for.
    if (failure !== null && generation.isCalled()) throw failure.error;
    return result;
  }

  /** @param {any} closure @param {unknown[]} args */
  enter(closure, args) {
    // While it runs, it may be dropped.
    if (closure.original) this.generation.transaction?.noteState(closure.original);
    return closure(...args);
  }

  /** @param {Transaction} transaction @param {Function} lent @returns {boolean} false: it has no transaction */
  begin(transaction, lent) {
    try {
      transaction.begin();
    } catch (error) {
      this.generation.giveUpRollback(error);
      return false;
    }
    // The state before the call that failed last is gone.
    this.generation.owner.failedArguments = null;
    this.isRunning = true;
    this.polls = 0;
    this.marked = [];
    // What waits for a continuation would wait for ever, if that never happened.
    transaction.isOpen = !this.continuations.has(lent);
    transaction.isEntry = true;
    this.watch(true);
    return true;
  }

  /**
   * The entry has ended, and no frame is left.
   * @param {Transaction} transaction @returns {{error: unknown} | null} what a caller gets, if the entry has crashed
   */
  end(transaction) {
    const { generation } = this;
    this.watch(false);
    const failure = this.undoEntry();
    if (generation.dead === null && !this.settleFailed()) generation.owner.diedUnattended(generation);
    transaction.isOpen = transaction.isEntry = this.isRunning = false;
    if (generation.dead === null && !this.shrink(transaction)) generation.owner.diedUnattended(generation);
    for (const undone of this.undone.splice(0)) this.report(undone);
    return failure;
  }

  /** Undoes the whole entry, if it has crashed. @returns {{error: unknown} | null} see `end` */
  undoEntry() {
    const { generation } = this;
    const { dead } = generation;
    if (!dead?.canRollBack || dead.activation !== 0) return null;
    const diagnosis = /** @type {Diagnosis} */ (dead.diagnosis);
    if (this.undo(diagnosis)) this.undone.push({ diagnosis, calls: [], settlers: [] });
    else generation.owner.diedUnattended(generation);
    return { error: this.errorOf(diagnosis, "") };
  }

  /**
   * Gives back what was taken by what was undone.
   * @param {Transaction} transaction @returns {boolean} false: that cannot be done, so that the generation has died
   */
  shrink(transaction) {
    const { generation } = this;
    try {
      transaction.shrink();
    } catch (error) {
      if (isInstance(error, RangeError)) generation.giveUpRollback(error);
      else {
        const [{ diagnosis }] = this.undone;
        for (const { calls } of this.undone.splice(0))
          for (const call of calls) generation.inFlight.set(call.id, /** @type {InFlightCall} */ (call));
        generation.die(diagnosis);
        return false;
      }
    }
    return true;
  }

  /**
   * Brings back what the present transaction has changed.
   * @param {Diagnosis} diagnosis why @returns {boolean} false: the generation has died instead
   */
  undo(diagnosis) {
    const { generation } = this;
    if (generation.dead === null) generation.fail(diagnosis);
    try {
      // What was refused since is no other entry.
      generation.hasMissed = false;
      const calls = generation.rollBack();
      // A callback of the poll had begun them: there are no such tasks any more.
      if (calls.length > 0) this.undone.push({ diagnosis, calls, settlers: [] });
      return true;
    } catch {
      generation.bury();
      return false;
    }
  }

  /** What JavaScript gets thrown. @param {Diagnosis} diagnosis @param {string} call @returns {unknown} */
  errorOf(diagnosis, call) {
    const { generation } = this;
    if (diagnosis.code === ON_PURPOSE) return diagnosis.thrown?.value;
    return generation.owner.host.errorFor(generation.deathOf(diagnosis, call));
  }

  /* ---- polls -------------------------------------------------------------------- */

  /**
   * Rust calls a function that may poll a future: the import of rust/rewriter/src/polls.rs.
   * @param {number} future @param {number} context @param {number} slot of the function in the table
   * @returns {number} what it returns
   */
  poll(future, context, slot) {
    const { generation } = this;
    const { transaction, owner } = generation;
    this.watch(false);
    if (!this.isRunning || transaction === null || owner.active !== 0) return this.call(future, context, slot);
    const place = findTask(/** @type {WebAssembly.Memory} */ (generation.memory), future, context, slot);
    // An executor polls first of all. So what calls another function first is none, and is left in peace.
    if (place === 0 && this.polls === 0) return this.call(future, context, slot);
    try {
      if (place === 0) return this.call(future, context, slot);
      return this.pollTask(transaction, future, context, slot, place);
    } finally {
      this.watch(true);
    }
  }

  /**
   * @param {Transaction} transaction @param {number} future @param {number} context @param {number} slot
   * @param {number} place of the future in its task
   */
  pollTask(transaction, future, context, slot, place) {
    const { generation } = this;
    if (!this.settleFailed()) throw generation.wrap(INTERRUPT);
    this.polls++;
    this.marked = transaction.shadow.markedCards();
    const frames = transaction.readFrames();
    try {
      transaction.begin();
    } catch (error) {
      generation.giveUpRollback(error);
      return this.call(future, context, slot);
    }
    transaction.isEntry = true;
    const { stopwatch } = generation.owner;
    stopwatch?.nextEntry();
    this.rejected = null;
    let failed = null;
    try {
      const result = this.call(future, context, slot);
      failed = this.takeRejected();
      if (failed === null) return result;
    } catch (error) {
      failed = transaction.isOpen ? explainPoll(generation, error) : null;
      if (failed === null) throw error;
    } finally {
      if (failed === null) this.commit(transaction);
      stopwatch?.nextEntry();
    }
    if (!this.undo(failed)) throw generation.wrap(INTERRUPT);
    frames();
    transaction.isOpen = false;
    transaction.shadow.markCards(this.marked);
    this.failed = { diagnosis: failed, place, future, owed: owedPromises(generation), isTold: this.rejected !== null };
    return READY;
  }

  /**
   * What a poll has written stays. What is marked from here on was marked by the frames around the polls.
   * @param {Transaction} transaction
   */
  commit(transaction) {
    transaction.isOpen = false;
    try {
      transaction.shadow.commit();
      transaction.shadow.markCards(this.marked);
    } catch (error) {
      this.generation.giveUpRollback(error);
    }
  }

  /** @returns {Diagnosis | null} of the panic that has ended the poll, if Rust has caught one */
  takeRejected() {
    if (this.rejected === null) return null;
    const { reason } = this.rejected;
    const diagnosis = diagnoseUnwound(this.generation, reason, "");
    this.reasons.set(reason, diagnosis);
    return diagnosis;
  }

  /** A panic that Rust has caught ends a call. @param {object} reason */
  noteRejected(reason) {
    this.rejected = { reason };
  }

  /** The generation dies while an executor drops a future that has failed. @returns {Diagnosis | undefined} of that */
  takeFailed() {
    const { failed } = this;
    this.failed = null;
    return failed?.diagnosis;
  }

  /**
   * The executor has dropped the future that failed. What that owed, nobody will settle any more.
   * @returns {boolean} false: it has not, and would poll it again, so that the generation has died
   */
  settleFailed() {
    const { generation, failed } = this;
    if (failed === null) return true;
    this.failed = null;
    const words = new Uint32Array(/** @type {WebAssembly.Memory} */ (generation.memory).buffer);
    const { diagnosis, place, future, owed, isTold } = failed;
    if (words[place >>> 2] === future && words[(place >>> 2) + 1] !== 0) {
      generation.die(diagnosis);
      return false;
    }
    const left = owedPromises(generation);
    const settlers = [...owed].filter((settler) => !settler.settled && !left.has(settler));
    const promises = settlers.map(({ promise }) => promise);
    const calls = [...generation.inFlight.values()].filter(({ promise }) => promises.includes(promise));
    for (const call of calls) generation.settle(call);
    if (!isTold || calls.length > 0) this.undone.push({ diagnosis, calls, settlers });
    return true;
  }

  /** Tells the host. @param {Undone} undone */
  report({ diagnosis, calls, settlers }) {
    const { host } = this.generation.owner;
    if (diagnosis.code !== ON_PURPOSE) {
      for (const { id, name } of calls.length > 0 ? calls : [NOBODY]) host.settledByRollback(id, name, diagnosis);
    } else if (calls.length === 0) host.failedUnattended(diagnosis.thrown?.value);
    else for (const { id, name } of calls) host.settledByError(id, name, diagnosis.thrown?.value);
    // Who else waits for these promises, in Rust or in JavaScript, must not wait for ever.
    for (const { reject } of settlers) reject(this.errorOf(diagnosis, calls[0]?.name ?? ""));
  }
}

/**
 * An import that calls a function later, once: remembers which.
 * @param {Function} fn @param {Generation} generation @returns {Function}
 */
export function noteContinuations(fn, generation) {
  return (/** @type {unknown[]} */ ...args) => {
    for (const arg of args) {
      const value = typeof arg === "number" ? generation.heap()[arg] : arg;
      if (typeof value === "function") generation.entries?.continuations.add(value);
    }
    return fn(...args);
  };
}
