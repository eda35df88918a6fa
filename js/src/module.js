/**
 * A module under supervision. It owns the current generation and the one path
 * that every call takes; it makes and drops generations when its host says so.
 * What to do at a crash is the host's decision: Python's supervisor, or the
 * default one of plain JavaScript (supervisor.js).
 */

import { describeThrown } from "./diagnosis.js";
import { StartError } from "./errors.js";
import { Generation, INTERRUPT } from "./generation.js";
import { isInstance } from "./isinstance.js";
import { describeDeath } from "./messages.js";
import { fits } from "./numbers.js";

/** @import {Adapter, Death, Description, Diagnosis, FunctionDescription, Host, InFlightCall, Lane, Preparation} from "./types.js" */

/** `active` while a generation starts: no lane, but not the event loop either. */
const STARTING = -1;

/** What Chromium says to more than 8 MB on a page's main thread. */
export const REFUSED = /disallowed on the main thread/i;

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
    /** @type {Map<number, string>} objects that a call consumed, and which call; of all generations */
    this.moved = new Map();
    /** @type {number[]} objects that were handed to a parameter without a type, for the call that comes next */
    this.lent = [];
    this.closed = false;
    this.wantsSpare = spare;
    /** Whether the engine makes instances at once. */
    this.atOnce = true;
    /** @type {Preparation | null} the next generation, on its way or there */
    this.next = null;
    /** How long the engine took to prepare the latest one. */
    this.preparationMs = 0;
    this.generation = new Generation(this, 0, unwinds);
  }

  /** Makes the first generation at once. @throws what `begin` throws, and what the engine says */
  openAtOnce() {
    this.adapter.make(this.generation);
    this.begin(this.generation);
    this.orderSpare();
  }

  /** Makes the first generation, at once where the engine allows that. */
  async open() {
    try {
      this.adapter.make(this.generation);
    } catch (error) {
      if (!REFUSED.test(describeThrown(error))) throw error;
      this.atOnce = false;
      this.generation = new Generation(this, 0, this.unwinds);
      await this.prepareNext(this.generation);
      this.next = null;
    }
    this.begin(this.generation);
    this.wantsSpare ??= !this.atOnce;
    this.orderSpare();
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
    const number = this.generation.number + 1;
    const { next } = this;
    if (next && !next.ready) return PREPARING;
    if (!next && !this.atOnce) {
      this.prepareSoon();
      return PREPARING;
    }
    this.next = null;
    const generation = next?.generation ?? new Generation(this, number, this.unwinds);
    if (!next) this.adapter.make(generation);
    this.begin(generation);
    this.generation = generation;
    this.orderSpare();
    return "";
  }

  /* ---- a generation ahead of need --------------------------------------- */

  /** Has a spare made when nobody waits. */
  orderSpare() {
    if (!this.wantsSpare || !this.adapter.canSpare) return;
    setTimeout(() => {
      if (!this.closed && this.next === null) this.prepareSoon();
    });
  }

  /** Prepares the next generation; the host hears when it is there, or why not. */
  prepareSoon() {
    // A spare can be there before the host is.
    const announce = (/** @type {string} */ failure) => this.closed || this.host?.prepared(failure);
    this.prepareNext(new Generation(this, this.generation.number + 1, this.unwinds)).then(
      () => announce(""),
      (error) => {
        this.next = null;
        announce(describeThrown(error));
      },
    );
  }

  /** @param {Generation} generation */
  async prepareNext(generation) {
    const next = { generation, began: performance.now(), ready: false };
    this.next = next;
    await this.adapter.prepare(generation);
    this.preparationMs = performance.now() - next.began;
    next.ready = true;
    if (this.closed) this.next = null;
  }

  /** Whether the next generation is on its way. */
  get isPreparing() {
    return this.next !== null && !this.next.ready;
  }

  /** Milliseconds until the next generation is there, as far as the last one tells. */
  get waitMs() {
    const { next } = this;
    return next && !next.ready ? Math.max(0, this.preparationMs - (performance.now() - next.began)) : 0;
  }

  /** @returns {"off" | "preparing" | "ready"} */
  get spareState() {
    if (this.next) return this.next.ready ? "ready" : "preparing";
    return this.wantsSpare && this.adapter.canSpare && !this.closed ? "preparing" : "off";
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
    this.next = null;
    this.adapter.release();
    // The instance goes when its last frame has left; nothing here holds it.
    this.generation.functions = [];
    this.generation.classes = [];
    this.generation.exports = {};
    this.generation.memory = null;
    this.generation.externrefs = null;
    this.generation.heap = () => [];
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
   * lane, which is the same written out.
   * @param {Lane} lane
   * @param {(generation: Generation) => unknown} run
   */
  call(lane, run) {
    const generation = this.generation.dead === null ? this.generation : this.revive(lane);
    const outer = this.active;
    const outerLane = this.lane;
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

  /**
   * The lane of a function whose parameters are all numbers: Python calls it
   * without a wrapper. What does not fit goes to the host, which converts it or
   * says what is wrong.
   * @param {number} index
   */
  numericLane(index) {
    const self = this;
    const { name, params } = this.description.functions[index];
    const lane = { name };
    const [first, second] = params.map(({ kind }) => kind);
    /** @param {unknown} error @param {Generation} generation @param {number} me @param {number} outer @param {Lane | null} outerLane */
    const fail = (error, generation, me, outer, outerLane) => {
      self.active = outer;
      self.lane = outerLane;
      return self.failure(error, generation, me, lane);
    };
    if (params.length === 2) {
      return function (/** @type {any} */ a, /** @type {any} */ b) {
        if (arguments.length !== 2 || !fits(first, a) || !fits(second, b)) return self.host.decline(index, arguments);
        const generation = self.generation.dead === null ? self.generation : self.revive(lane);
        const outer = self.active;
        const outerLane = self.lane;
        const me = ++self.calls;
        self.active = me;
        self.lane = lane;
        let result;
        try {
          result = generation.functions[index](a, b);
        } catch (error) {
          throw fail(error, generation, me, outer, outerLane);
        }
        if (generation.dead !== null) throw fail(INTERRUPT, generation, me, outer, outerLane);
        self.active = outer;
        self.lane = outerLane;
        self.returned++;
        if (generation.retiring) self.retire(generation);
        return result;
      };
    }
    return function (/** @type {any[]} */ ...args) {
      if (args.length !== params.length || !params.every(({ kind }, at) => fits(kind, args[at]))) {
        return self.host.decline(index, args);
      }
      return self.call(lane, (generation) => generation.functions[index](...args));
    };
  }

  /** @param {number} index of a function @returns {(...args: any[]) => unknown} */
  functionLane(index) {
    const described = this.description.functions[index];
    return this.makeLane(described.name, described, (generation, args) => generation.functions[index](...args));
  }

  /** @param {number} index of a class @returns {(...args: any[]) => unknown} the object's number */
  constructorLane(index) {
    const { name, construct } = this.description.classes[index];
    const described = { ...(construct ?? { name, params: [], isAsync: false }), result: `object:${name}` };
    return this.makeLane(name, described, (generation, args) => new generation.classes[index](...args));
  }

  /** @param {number} index of a class @param {FunctionDescription} described */
  staticLane(index, described) {
    const name = `${this.description.classes[index].name}.${described.name}`;
    return this.makeLane(name, described, (generation, args) => generation.classes[index][described.name](...args));
  }

  /**
   * The lane of a method, getter or setter: its first argument is the object's number.
   * @param {number} index of a class @param {FunctionDescription} described
   * @param {"method" | "get" | "set"} role
   */
  memberLane(index, described, role) {
    const className = this.description.classes[index].name;
    const name = `${className}.${described.name}`;
    const params = [{ name: "self", kind: `object:${className}`, optional: false, rest: false, consumes: false }, ...described.params];
    return this.makeLane(name, { ...described, params }, (_generation, [object, ...args]) => {
      if (role === "get") return object[described.name];
      if (role === "set") object[described.name] = args[0];
      else return object[described.name](...args);
      return undefined;
    });
  }

  /**
   * @param {string} name
   * @param {FunctionDescription} described
   * @param {(generation: Generation, args: any[]) => unknown} run
   */
  makeLane(name, described, run) {
    const lane = { name };
    const objects = described.params.flatMap(({ kind }, at) =>
      kind.startsWith("object:") ? [{ at, className: kind.slice("object:".length) }] : [],
    );
    const consumed = described.params.flatMap(({ consumes }, at) => (consumes ? [at] : []));
    const bigints = described.params.flatMap(({ kind }, at) => (/^(u64|i64|int64|bigint)$/.test(kind) ? [at] : []));
    const { result, isAsync } = described;
    return (/** @type {any[]} */ ...args) =>
      this.call(lane, (generation) => {
        for (const at of bigints) if (typeof args[at] === "number") args[at] = BigInt(args[at]);
        const ids = this.lent;
        if (ids.length) this.lent = [];
        const given = /** @type {number[]} */ ([]);
        for (const { at, className } of objects) {
          const id = args[at];
          if (typeof id !== "number") continue;
          given.push(id);
          args[at] = this.lookUp(generation, id, className, lane);
        }
        if (consumed.length) this.refuseTwice(generation, args, consumed, name);
        let value;
        try {
          value = run(generation, args);
        } finally {
          // Also after an `Err`: the glue gives an object away before it calls.
          if (given.length) this.noteMoved(generation, given, lane);
          if (ids.length) this.noteMoved(generation, ids, lane);
          if (this.lent.length) this.noteMoved(generation, this.lent.splice(0), lane);
        }
        if (isAsync) return this.track(Promise.resolve(value), lane.name, result);
        if (result.startsWith("object:")) return value == null ? value : generation.keep(/** @type {object} */ (value));
        // Pyodide would take a promise that no declaration announced for its own.
        return isThenable(value) ? new InFlight(this.track(Promise.resolve(value), lane.name), lane.name) : value;
      });
  }

  /**
   * The glue's object behind a number.
   * @param {Generation} generation @param {number} id @param {string} className @param {Lane} lane
   */
  lookUp(generation, id, className, lane) {
    const object = generation.objects.get(id);
    if (object !== undefined && pointerOf(object) !== 0) return object;
    const movedBy = this.moved.get(id) ?? (object && "");
    throw new Refusal(this.host.stale(className, movedBy === undefined ? "" : this.consumer(movedBy), lane.name));
  }

  /**
   * The same object for two parameters, or twice in a list: one of them would take it away from the other.
   * @param {Generation} generation @param {any[]} args @param {number[]} consumed @param {string} name
   */
  refuseTwice(generation, args, consumed, name) {
    const objects = args.flat().filter((value) => typeof value === "object" && value !== null);
    if (new Set(objects).size === objects.length) return;
    const taken = consumed.flatMap((at) => args[at]).find((value) => objects.indexOf(value) !== objects.lastIndexOf(value));
    const index = generation.classes.findIndex((made) => taken instanceof made);
    if (index < 0) return;
    throw new Refusal(this.host.stale(this.description.classes[index].name, this.consumer(name), name));
  }

  /** @param {string} call empty: something consumed an object outside of all calls @returns {string} */
  consumer(call) {
    return call ? `${this.name}.${call}` : "Rust";
  }

  /**
   * The same for a parameter without a type, before its call.
   * @param {number} id @param {string} className @param {string} call
   */
  lend(id, className, call) {
    try {
      const object = this.lookUp(this.generation, id, className, { name: call });
      this.lent.push(id);
      return object;
    } catch (error) {
      throw error instanceof Refusal ? error.throwable : error;
    }
  }

  /** @param {Generation} generation @param {number[]} ids @param {Lane} lane */
  noteMoved(generation, ids, lane) {
    for (const id of ids) {
      const object = generation.objects.get(id);
      if (object === undefined || pointerOf(object) !== 0) continue;
      generation.objects.delete(id);
      this.moved.set(id, lane.name);
    }
  }

  /**
   * Frees an object, once.
   * @param {number} generation the number of the one that made it
   * @param {number} id @param {string} className
   * @returns {string} what had consumed it before; empty: nothing
   */
  release(generation, id, className) {
    const movedBy = this.moved.get(id);
    this.moved.delete(id);
    if (movedBy) return this.consumer(movedBy);
    const current = this.generation;
    const object = current.number === generation ? current.objects.get(id) : undefined;
    if (object === undefined) return "";
    current.objects.delete(id);
    if (pointerOf(object) === 0 || current.dead !== null) return "";
    this.call({ name: `${className}.free` }, () => /** @type {any} */ (object).free?.());
    return "";
  }

  /**
   * What a value is that an export gave without saying so, as [role, number]: an
   * object of an exported class, a Rust closure, a promise (and its call); or null.
   * @param {any} value
   * @returns {[string, number, string?] | null}
   */
  adopt(value) {
    const { generation } = this;
    if (isRustClosure(value)) return ["closure", generation.keep(value)];
    if (isInstance(value, InFlight)) return ["promise", value.id, value.name];
    if (isInstance(value, Promise)) return ["promise", this.track(value, "")];
    const index = generation.classes.findIndex((constructor) => isInstance(value, constructor));
    return index < 0 ? null : [this.description.classes[index].name, generation.ids.get(value) ?? generation.keep(value)];
  }

  /** Is that an object of an exported class? @param {unknown} value */
  owns(value) {
    return this.generation.classes.some((made) => value instanceof made);
  }

  /** Nobody holds that closure any more. @param {number} id */
  forget(id) {
    this.generation.objects.delete(id);
  }

  /** The lane of Rust closures: their first argument is the closure's number. */
  closureLane() {
    const params = [{ name: "closure", kind: "object:closure", optional: false, rest: false, consumes: false }];
    const described = { name: "closure", params, result: "unknown", isAsync: false };
    return this.makeLane("closure", described, (_generation, [closure, ...args]) => closure(...args));
  }

  /* ---- calls in flight --------------------------------------------------- */

  /**
   * Enters a promise into the in-flight table.
   * @param {Promise<unknown>} promise @param {string} name @param {string} [result] the kind of what it brings
   * @returns {number} its number; the host hears `settled` once, or gets it in `Death.interrupted`
   */
  track(promise, name, result = "unknown") {
    const { generation } = this;
    const id = this.nextId++;
    if (generation.dead === null) generation.inFlight.set(id, { id, name, promise });
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

/** What JavaScript would await: a promise, also of another library or realm. @param {any} value */
function isThenable(value) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return typeof value.then === "function";
  } catch {
    return false; // a proxy that throws when it is looked at
  }
}

/** Stands for a call in flight, see `adopt`. */
class InFlight {
  /** @param {number} id @param {string} name of the call */
  constructor(id, name) {
    this.id = id;
    this.name = name;
  }
}

/** Carries a throwable out of a call that was refused before it began. */
export class Refusal {
  /** @param {unknown} throwable */
  constructor(throwable) {
    this.throwable = throwable;
  }
}

/** @param {any} object a glue object @returns {unknown} 0 once it was freed or moved; glue up to 2023 calls it `ptr` */
function pointerOf(object) {
  return object.__wbg_ptr ?? object.ptr;
}

/** @param {any} value a closure as glue wraps it; before 2025 it carries its state as `original` */
function isRustClosure(value) {
  if (typeof value !== "function") return false;
  try {
    return typeof value._wbg_cb_unref === "function" || typeof value.original?.cnt === "number";
  } catch {
    return false; // a proxy that throws when it is looked at
  }
}
