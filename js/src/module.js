/**
 * A module under supervision. It owns the current generation and the one path
 * that every call takes; it makes and drops generations when its host says so.
 * What to do at a crash is the host's decision: Python's supervisor, or the
 * default one of plain JavaScript (supervisor.js).
 */

import { StartError } from "./errors.js";
import { Generation, INTERRUPT } from "./generation.js";
import { describeDeath } from "./messages.js";
import { fits } from "./numbers.js";

/** @import {Adapter, Death, Description, Diagnosis, FunctionDescription, Host, InFlightCall, Lane} from "./types.js" */

/** `active` while a generation starts: no lane, but not the event loop either. */
const STARTING = -1;

export class SupervisedModule {
  /**
   * @param {{name: string, adapter: Adapter, description: Description, unwinds: boolean}} parts
   */
  constructor({ name, adapter, description, unwinds }) {
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
    this.closed = false;
    this.generation = this.start(0);
  }

  /* ---- the verbs of a supervisor -------------------------------------- */

  /**
   * Makes a generation of that number and runs its start function.
   * @param {number} number
   * @throws what `adapter.make` throws; a crash of the start function as `StartError`
   */
  start(number) {
    const generation = new Generation(this, number, this.unwinds);
    const { active, lane } = this;
    this.active = STARTING;
    this.lane = null;
    try {
      this.adapter.make(generation);
    } catch (error) {
      const { escaped } = generation;
      const diagnosis = generation.dead?.diagnosis ?? (escaped && generation.unwoundDiagnosis(escaped.error, escaped.entry));
      if (!diagnosis) throw error;
      const death = { diagnosis, call: "", generation: number, activation: 0, failed: undefined, interrupted: [] };
      const where = describeDeath(death, this.name);
      throw new StartError(`The start function of ${this.name} crashed: ${where}.`, diagnosis);
    } finally {
      this.active = active;
      this.lane = lane;
    }
    return generation;
  }

  /** The dead generation is dropped, the next one takes its place. */
  renew() {
    this.generation = this.start(this.generation.number + 1);
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
      if (error instanceof Refusal) return error.throwable;
      this.returned++;
      return this.host.failed(error, lane.name);
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
    const params = [{ name: "self", kind: `object:${className}`, optional: false, rest: false }, ...described.params];
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
    const objects = described.params.flatMap(({ kind }, at) => (kind.startsWith("object:") ? [at] : []));
    const untyped = described.params.flatMap(({ kind }, at) => (/^(any|unknown)$/.test(kind) ? [at] : []));
    const bigints = described.params.flatMap(({ kind }, at) => (/^(u64|i64|int64|bigint)$/.test(kind) ? [at] : []));
    const { result, isAsync } = described;
    return (/** @type {any[]} */ ...args) =>
      this.call(lane, (generation) => {
        for (const at of bigints) if (typeof args[at] === "number") args[at] = BigInt(args[at]);
        const ids = objects.map((at) => args[at]);
        objects.forEach((at) => {
          if (typeof args[at] === "number") args[at] = this.lookUp(generation, args[at], lane);
        });
        const value = run(generation, args);
        if (objects.length) this.noteMoved(generation, ids, lane);
        for (const at of untyped) if (args[at] && pointerOf(args[at]) === 0) this.noteMovedObject(generation, args[at], lane);
        if (isAsync) return this.track(Promise.resolve(value), lane.name, result);
        // Pyodide would take a promise that no declaration announced for its own.
        if (value instanceof Promise) return new InFlight(this.track(value, lane.name));
        return result.startsWith("object:") && value != null ? generation.keep(/** @type {object} */ (value)) : value;
      });
  }

  /** @param {Generation} generation @param {number} id @param {Lane} lane */
  lookUp(generation, id, lane) {
    const object = generation.objects.get(id);
    if (object === undefined || pointerOf(object) === 0) {
      throw new Refusal(this.host.stale(id, generation.moved.get(id) ?? "", lane.name));
    }
    return object;
  }

  /** @param {Generation} generation @param {number[]} ids @param {Lane} lane */
  noteMoved(generation, ids, lane) {
    for (const id of ids) {
      const object = generation.objects.get(id);
      if (object === undefined || pointerOf(object) !== 0) continue;
      generation.objects.delete(id);
      generation.moved.set(id, lane.name);
    }
  }

  /** @param {Generation} generation @param {object} moved @param {Lane} lane */
  noteMovedObject(generation, moved, lane) {
    const entry = [...generation.objects].find(([, object]) => object === moved);
    if (entry) this.noteMoved(generation, [entry[0]], lane);
  }

  /**
   * Frees an object, once.
   * @param {number} generation the number of the one that made it
   * @param {number} id @param {string} className
   */
  release(generation, id, className) {
    const current = this.generation;
    const object = current.number === generation ? current.objects.get(id) : undefined;
    if (current.number === generation) current.moved.delete(id);
    if (object === undefined) return;
    current.objects.delete(id);
    if (pointerOf(object) === 0 || current.dead !== null) return;
    this.call({ name: `${className}.free` }, () => /** @type {any} */ (object).free());
  }

  /**
   * What a value is that an export gave without saying so, as [role, number]: an
   * object of an exported class, a Rust closure, a promise; or null.
   * @param {any} value
   * @returns {[string, number] | null}
   */
  adopt(value) {
    const { generation } = this;
    if (isRustClosure(value)) return ["closure", generation.keep(value)];
    if (value instanceof InFlight) return ["promise", value.id];
    if (value instanceof Promise) return ["promise", this.track(value, "")];
    const index = generation.classes.findIndex((constructor) => value instanceof constructor);
    return index < 0 ? null : [this.description.classes[index].name, generation.ids.get(value) ?? generation.keep(value)];
  }

  /** Nobody holds that closure any more. @param {number} id */
  forget(id) {
    this.generation.objects.delete(id);
  }

  /** The lane of Rust closures: their first argument is the closure's number. */
  closureLane() {
    const params = [{ name: "closure", kind: "object:closure", optional: false, rest: false }];
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
    generation.inFlight.set(id, { id, name, promise });
    promise.then(
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
    if (generation.unwinds && reason instanceof Error && reason.name === "PanicError") {
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
    const death = /** @type {Death} */ (generation.dead);
    this.host.crashed(death, false);
    queueMicrotask(() => {
      if (this.generation === generation && !this.closed && this.isClear()) this.host.recover(death);
    });
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

/** Stands for a call in flight, see `adopt`. */
class InFlight {
  /** @param {number} id */
  constructor(id) {
    this.id = id;
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
  return typeof value._wbg_cb_unref === "function" || typeof value.original?.cnt === "number";
}
