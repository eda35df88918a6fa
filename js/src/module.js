/**
 * A module under supervision. It owns the current generation and the one path
 * that every call takes; it makes and drops generations when its host says so.
 * What to do at a crash is the host's decision: Python's supervisor, or the
 * default one of plain JavaScript (supervisor.js).
 */

import { beginBurst } from "./activity.js";
import { describeThrown } from "./diagnosis.js";
import { StartError } from "./errors.js";
import { Generation, INTERRUPT } from "./generation.js";
import { isInstance } from "./isinstance.js";
import { Lanes } from "./lanes.js";
import { describeDeath, isTooLarge } from "./messages.js";
import { Objects, Refusal } from "./objects.js";
import { Spare } from "./spare.js";

/** @import {Adapter, Death, Description, Diagnosis, Host, Lane} from "./types.js" */

/** `active` while a generation starts: no lane, but not the event loop either. */
const STARTING = -1;

/** What `renew` answers while the next instance is being made. */
export const PREPARING = "preparing";

export class SupervisedModule {
  /**
   * A module without an instance yet: `open` or `openAtOnce` makes the first.
   * @param {{name: string, adapter: Adapter, description: Description, unwinds: boolean, spare?: boolean | null}} parts
   *   spare: whether to keep a generation made ahead of need; null: where the engine refuses to make one at once
   */
  constructor({ name, adapter, description, unwinds, spare = null }) {
    this.name = name;
    this.adapter = adapter;
    this.description = description;
    this.unwinds = unwinds;
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
    /** Whether the current burst of calls has been noted. */
    this.busy = false;
    /** From, to and the calls of each burst, by `performance.now()`. @type {number[]} */
    this.bursts = [];
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
      const diagnosis = generation.dead?.diagnosis ?? (escaped && generation.unwoundDiagnosis(escaped.error, escaped.entry));
      if (!diagnosis) throw error;
      const death = { diagnosis, call: "", generation: number, activation: 0, failed: undefined, interrupted: [] };
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
    this.generation = this.nextGeneration();
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
        return this.host.unwound(generation.unwoundDiagnosis(error, escaped.entry), lane.name);
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

  /* ---- calls in flight --------------------------------------------------- */

  /**
   * Enters a promise into the in-flight table.
   * @param {Promise<unknown>} promise @param {string} name @param {string} [result] the kind of what it brings
   * @param {number[]} [given] the objects that went in
   * @returns {number} its number; the host hears `settled` once, or gets it in `Death.interrupted`
   */
  track(promise, name, result = "unknown", given = []) {
    const { generation } = this;
    const id = this.nextId++;
    if (generation.dead === null) generation.inFlight.set(id, { id, name, promise, given });
    // A package may have given its promise another `then`.
    Promise.prototype.then.call(
      promise,
      (value) => {
        if (!generation.inFlight.delete(id)) return;
        this.returned++;
        const isObject = result.startsWith("object:") && value != null;
        this.host.settled(id, isObject ? generation.keep(/** @type {object} */ (value)) : value);
      },
      (reason) => {
        if (!generation.inFlight.delete(id)) return;
        this.rejected(generation, id, name, reason);
      },
    );
    return id;
  }

  /** @param {Generation} generation @param {number} id @param {string} name @param {unknown} reason */
  rejected(generation, id, name, reason) {
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
    this.host.crashed(/** @type {Death} */ (generation.dead), false);
    this.recoverSoon();
  }

  /** The next call would do it, but who waits for a reset should not have to make one. */
  recoverSoon() {
    // By its number: what a queued microtask refers to stays until the loop turns.
    const { number } = this.generation;
    queueMicrotask(() => {
      const { dead } = this.generation;
      if (dead?.generation === number && !this.closed && this.isClear()) this.host.recover(dead);
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
    this.host.retired(this.end().death);
    this.recoverSoon();
  }

  /**
   * The same where the event loop called Rust. Two turns of its queue later, a promise that the same task settled has told so.
   * @param {Generation} generation
   */
  retireUnattended(generation) {
    queueMicrotask(() => queueMicrotask(() => {
      if (this.isClear()) this.retire(generation);
    }));
  }

  /**
   * A panic unwound to the event loop.
   * @param {Generation} generation @param {Diagnosis} diagnosis
   */
  unwoundUnattended(generation, diagnosis) {
    const call = generation.abandonedCall();
    if (call) generation.inFlight.delete(call.id);
    this.host.settledByUnwinding(call?.id ?? 0, call?.name ?? "", diagnosis);
  }

  get inFlight() {
    return this.generation.inFlight.size;
  }
}
