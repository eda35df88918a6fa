/**
 * A module under supervision. It owns the current generation and the one path
 * that every call takes; it makes and drops generations when its host says so.
 * What to do at a crash is the host's decision: Python's supervisor, or the
 * default one of plain JavaScript (supervisor.js).
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { isTooLarge } from "../diagnosis/engines.js";
import { Generation, INTERRUPT } from "../instance/generation.js";
import { StartError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { UNKNOWN } from "../shared/kinds.js";
import { describeDeath } from "../shared/messages.js";
import { beginBurst, endBurst } from "./activity.js";
import { Lanes } from "./lanes.js";
import { Objects, Refusal } from "./objects.js";
import { Spare } from "./spare.js";

/** @import {Escaped} from "../instance/generation.js" */
/** @import {Thrown} from "../instance/throws.js" */

/** @import {Adapter, Death, Description, Diagnosis, Host, InFlightCall, Kind, Lane, Reason} from "../types.js" */

/** `active` while a generation starts: no lane, but not the event loop either. */
const STARTING = -1;

/** What `renew` answers while the next instance is being made. */
export const PREPARING = "preparing";

export class SupervisedModule {
  /**
   * A module without an instance yet: `open` or `openAtOnce` makes the first.
   * @param {{name: string, adapter: Adapter, description: Description, unwinds: boolean, throwsErr?: boolean, restoresStack?: boolean,
   *   storesException?: string, memoryPages?: number, spare?: boolean | null, warnings?: string[], movedTo?: string}} parts
   *   throwsErr, restoresStack: see `readHabits`
   *   storesException: see `exceptionStore`
   *   memoryPages: how many a memory can have
   *   spare: whether to keep a generation made ahead of need; null: where the engine refuses to make one at once
   *   warnings: what whoever loads it has to know
   *   movedTo: where the glue's URL was redirected to
   */
  constructor({
    name,
    adapter,
    description,
    unwinds,
    throwsErr = false,
    restoresStack = false,
    storesException = "",
    memoryPages = Infinity,
    spare = null,
    warnings = [],
    movedTo = "",
  }) {
    this.name = name;
    this.warnings = warnings;
    this.movedTo = movedTo;
    this.adapter = adapter;
    this.description = description;
    this.unwinds = unwinds;
    this.throwsErr = throwsErr;
    this.restoresStack = restoresStack;
    this.storesException = storesException;
    this.memoryPages = memoryPages;
    /** What a callback or a promise raised last, until the event loop turns. @type {{error: unknown, activation: number} | null} */
    this.raised = null;
    this.forgets = false;
    /** @type {Host} */
    this.host = /** @type {any} */ (null);
    /** The lane call that runs now, 0 for none. */
    this.active = 0;
    /** @type {Lane | null} */
    this.lane = null;
    this.calls = 0;
    this.returned = 0;
    this.nextId = 1;
    /** The first number of the current generation: what has a lower one is gone. */
    this.firstId = 1;
    this.closed = false;
    /** Whether a dead generation is being replaced in a microtask. */
    this.isRecoveringSoon = false;
    /** Whether the current burst of calls has been noted. */
    this.busy = false;
    /** Of each burst from, to, its calls and its generation; times by `performance.now()`. @type {number[]} */
    this.bursts = [];
    /** Whether a timer will end the burst of this turn. */
    this.awaitsTurn = false;
    /** Whether the engine makes instances at once. */
    this.atOnce = true;
    this.generation = new Generation(this, 0, unwinds);
    this.spare = new Spare(this, spare);
    this.objects = new Objects(this);
    this.lanes = new Lanes(this);
  }

  /** Makes the first generation at once. @throws what `begin` throws, and what the engine says */
  openAtOnce() {
    this.adapter.make(this.generation);
    this.begin(this.generation);
    this.spare.order();
  }

  /** Makes the first generation, at once where the engine allows that. */
  async open() {
    try {
      this.adapter.make(this.generation);
    } catch (error) {
      if (!isTooLarge(describeThrown(error))) throw error;
      this.atOnce = false;
      this.generation = new Generation(this, 0, this.unwinds);
      await this.spare.prepare(this.generation);
      this.spare.drop();
    }
    this.begin(this.generation);
    this.spare.wanted ??= !this.atOnce;
    this.spare.order();
  }

  /* ---- the verbs of a supervisor -------------------------------------- */

  /**
   * Runs the start function of a generation.
   * @param {Generation} generation which has its instance
   * @throws what the glue throws; a crash of the start function as `StartError`
   */
  begin(generation) {
    const { active, lane } = this;
    this.active = STARTING;
    this.lane = null;
    try {
      this.adapter.begin(generation);
    } catch (error) {
      const { escaped, number } = generation;
      const diagnosis =
        generation.dead?.diagnosis ?? (escaped && generation.unwoundDiagnosis(escaped.error, escaped.entry));
      // What the start function left behind is not to run, nor to hold the instance.
      if (generation.dead === null) generation.die(null);
      generation.letGo();
      if (!diagnosis) throw error;
      const death = {
        diagnosis,
        call: "",
        generation: number,
        activation: 0,
        suspects: [],
        isCertain: true,
        interrupted: [],
      };
      const where = describeDeath(death, this.name);
      throw new StartError(`The start function of ${this.name} crashed: ${where}.`, diagnosis);
    } finally {
      this.active = active;
      this.lane = lane;
    }
  }

  /**
   * The dead generation is dropped, the next one takes its place.
   * @returns {string} empty; PREPARING if the engine takes its time: then the host hears `prepared`
   */
  renew() {
    if (this.spare.isPreparing) return PREPARING;
    if (!this.spare.ready && !this.atOnce) {
      this.spare.make();
      return PREPARING;
    }
    const last = this.generation;
    last.letGo();
    this.generation = this.nextGeneration();
    last.succeeded();
    this.spare.order();
    return "";
  }

  /** @returns {Generation} which has begun */
  nextGeneration() {
    const spare = this.spare.take();
    const generation = spare ?? new Generation(this, this.generation.number + 1, this.unwinds);
    if (!spare) this.adapter.make(generation);
    this.firstId = this.nextId;
    this.begin(generation);
    return generation;
  }

  /**
   * Ends the current generation although nothing crashed.
   * @returns {{death: Death, clear: boolean}} clear: no Rust frame is in the way of the next one
   */
  end() {
    const { generation } = this;
    if (generation.dead === null) generation.die(null);
    return { death: /** @type {Death} */ (generation.dead), clear: this.isClear() };
  }

  /** The current generation is to go when the call has ended that runs now: it cannot go on, although nothing crashed. */
  leave() {
    if (this.generation.dead === null) this.generation.retiring = true;
  }

  /** No generation will follow. */
  close() {
    this.end();
    this.closed = true;
    this.spare.drop();
    this.adapter.release();
    this.generation.letGo();
  }

  /** Is no frame of this module on the stack? */
  isClear() {
    return this.active === 0 && this.generation.depth === 0;
  }

  /** A generation that starts is new: it has no need of another one. */
  isStarting() {
    return this.active === STARTING;
  }

  activeName() {
    return this.lane?.name ?? "";
  }

  endBurst() {
    endBurst(this);
  }

  /* ---- the path of a call ---------------------------------------------- */

  /**
   * @param {Lane} lane
   * @returns {Generation} a live one
   */
  revive(lane) {
    const death = /** @type {Death} */ (this.generation.dead);
    if (this.closed) throw this.host.unavailable(lane.name);
    if (!this.isClear()) throw this.host.interrupted(death, lane.name, false);
    this.host.recover(death);
    if (this.generation.dead !== null) throw this.host.unavailable(lane.name);
    return this.generation;
  }

  /**
   * Calls a glue function; every call of a module ends up here or in a numeric
   * lane (lanes.js), which is the same written out.
   * @param {Lane} lane
   * @param {(generation: Generation) => unknown} run
   */
  call(lane, run) {
    const generation = this.generation.dead === null ? this.generation : this.revive(lane);
    const outer = this.active;
    const outerLane = this.lane;
    if (!this.busy) beginBurst(this);
    const me = ++this.calls;
    this.active = me;
    this.lane = lane;
    let result;
    try {
      result = run(generation);
      if (generation.dead !== null) throw INTERRUPT;
    } catch (error) {
      this.active = outer;
      this.lane = outerLane;
      throw this.failure(error, generation, me, lane);
    }
    this.active = outer;
    this.lane = outerLane;
    this.returned++;
    if (generation.retiring) this.retire(generation);
    return result;
  }

  /**
   * What the caller of a failed call gets thrown.
   * @param {unknown} error @param {Generation} generation
   * @param {number} me the call's number @param {Lane} lane
   */
  failure(error, generation, me, lane) {
    const death = generation.dead;
    if (death === null) {
      const escaped = generation.escaped;
      if (escaped !== null && escaped.error === error) {
        generation.escaped = null;
        if (escaped.thrown) return this.threw(escaped, escaped.thrown, generation, lane);
        return this.host.unwound(generation.unwoundDiagnosis(error, escaped.entry, escaped.raised), lane.name);
      }
      if (isInstance(error, Refusal)) return error.throwable;
      this.returned++;
      const throwable = this.host.failed(error, lane.name);
      if (generation.retiring) this.retire(generation);
      return throwable;
    }
    const clear = this.isClear();
    if (death.activation === me && death.diagnosis) return this.host.crashed(death, clear);
    return this.host.interrupted(death, lane.name, clear);
  }

  /* ---- what is thrown on purpose ------------------------------------------ */

  /**
   * Rust threw something on purpose: an error like an `Err`. What it left behind is mended, or the host hears of it.
   * @param {Escaped} escaped @param {Thrown} thrown @param {Generation} generation @param {Lane} lane
   */
  threw({ error, reason = "", used }, thrown, generation, { name }) {
    this.returned++;
    if (this.isClear()) reason ||= this.mend(generation, thrown);
    const { host } = this;
    try {
      if (used) return host.inUse(used.className, used.holder, name, error, reason);
      if (thrown.refused === "gone") return host.gone(name, reason);
      return host.failed(error, name, reason);
    } finally {
      if (generation.retiring) this.retire(generation);
    }
  }

  /**
   * Gives up the frames that a throw left on the shadow stack, now that none of the module runs.
   * @param {Generation} generation @param {Thrown} thrown
   * @returns {Reason}
   */
  mend({ stack, memory }, thrown) {
    if (stack === null || this.restoresStack) return "";
    if (!thrown.leavesFrames) {
      stack.keep();
      return "";
    }
    return stack.clear() || !stack.isWorn(memory) ? "" : "stack";
  }

  /**
   * The same with nobody but the event loop above Rust: the glue's frames may still be there.
   * @param {Generation} generation @param {Thrown} thrown @param {InFlightCall | undefined} call whose task it was
   */
  threwUnattended(generation, thrown, call) {
    if (call) {
      generation.inFlight.delete(call.id);
      this.host.settledByError(call.id, call.name, thrown.error);
      return;
    }
    this.host.failedUnattended(thrown.error);
    const { number } = generation;
    queueMicrotask(() => {
      if (this.generation.number !== number || this.generation.dead !== null || !this.isClear()) return;
      if (this.mend(this.generation, thrown)) this.generation.retire();
    });
  }

  /** @param {unknown} error what a callback or a promise raised that Rust waits for */
  noteRaised(error) {
    this.raised = { error, activation: this.active };
    if (this.forgets) return;
    this.forgets = true;
    // Whoever panics on it does so before the event loop turns.
    setTimeout(() => {
      this.raised = null;
      this.generation.thrown = null;
      this.forgets = false;
    });
  }

  lastRaised() {
    return this.raised?.activation === this.active ? this.raised : null;
  }

  /* ---- calls in flight --------------------------------------------------- */

  /**
   * Enters a promise into the in-flight table.
   * @param {Promise<unknown>} promise @param {Lane} lane @param {Kind} [result] the kind of what it brings
   * @param {number[]} [given] the objects that went in
   * @returns {number} its number; the host hears `settled` once, or gets it in `Death.interrupted`
   */
  track(promise, { name, path = name, isAsync = false }, result = UNKNOWN, given = []) {
    const { generation } = this;
    const id = this.nextId++;
    /** @type {InFlightCall} */
    const call = { id, name, path, isAsync, promise, given, result, generation };
    if (generation.dead === null) generation.inFlight.set(id, call);
    else call.generation = null;
    follow(call);
    return id;
  }

  /** @param {InFlightCall} call of a generation that lives @param {unknown} value */
  fulfilled({ id, result }, value) {
    const { generation } = this;
    this.returned++;
    const isObject = result.name === "object" && value != null;
    this.host.settled(id, isObject ? generation.keep(/** @type {object} */ (value)) : value);
  }

  /** @param {InFlightCall} call of a generation that lives @param {unknown} reason */
  rejected({ id, name }, reason) {
    const { generation } = this;
    if (generation.unwinds && isInstance(reason, Error) && reason.name === "PanicError") {
      this.host.settledByUnwinding(id, name, generation.unwoundDiagnosis(reason, name));
      return;
    }
    this.returned++;
    this.host.settledByError(id, name, reason);
  }

  /**
   * Rust died with nobody but the event loop above it: a timer, a microtask that
   * polls a future, a finalizer. Glue frames may still be there, so the next
   * generation waits for them to leave.
   * @param {Generation} generation
   */
  diedUnattended(generation) {
    this.recoverSoon(); // first, for the host runs what others wrote
    this.host.crashed(/** @type {Death} */ (generation.dead), false);
  }

  /** The next call would do it, but who waits for a reset should not have to make one. */
  recoverSoon() {
    if (this.isRecoveringSoon) return; // what cannot be done now is the next call's
    // By its number: what a queued microtask refers to stays until the loop turns.
    const { number } = this.generation;
    queueMicrotask(() => {
      const { dead } = this.generation;
      if (dead?.generation !== number || this.closed || !this.isClear()) return;
      this.isRecoveringSoon = true;
      try {
        this.host.recover(dead, false);
      } finally {
        this.isRecoveringSoon = false;
      }
    });
  }

  /**
   * A call has ended in a generation that Rust wants replaced (`schedule_reinit`). From here on the generation is dead;
   * the next one is made by the next call, or when the loop turns, so that this call's result still belongs to it.
   * @param {Generation} generation
   */
  retire(generation) {
    if (generation.dead !== null) return;
    if (!this.isClear()) {
      // Glue that the event loop called is below: an outer call that has yet to end would come here again.
      if (this.active === 0) this.retireUnattended(generation);
      return;
    }
    const { death } = this.end();
    this.recoverSoon();
    this.host.retired(death);
  }

  /**
   * The same where the event loop called Rust. Two turns of its queue later, a promise that the same task settled has told so.
   * @param {Generation} generation
   */
  retireUnattended(generation) {
    queueMicrotask(() =>
      queueMicrotask(() => {
        if (this.isClear()) this.retire(generation);
      }),
    );
  }

  /**
   * A panic unwound to the event loop.
   * @param {Generation} generation @param {Diagnosis} diagnosis
   */
  unwoundUnattended(generation, diagnosis) {
    const call = generation.abandonedCall();
    if (call) generation.settle(call);
    this.host.settledByUnwinding(call?.id ?? 0, call?.name ?? "", diagnosis);
  }

  get inFlight() {
    return this.generation.inFlight.size;
  }
}

/**
 * Has the generation told how a call in flight ends. A timer of the page may hold the promise, and with it what is
 * noted here: the call, which knows its generation only until that dies.
 * @param {InFlightCall} call
 */
function follow(call) {
  // A package may have given its promise another `then`.
  Promise.prototype.then.call(
    call.promise,
    (value) => call.generation?.settle(call).fulfilled(call, value),
    (reason) => call.generation?.settle(call).rejected(call, reason),
  );
}
