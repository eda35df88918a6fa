/**
 * Lanes: the JavaScript functions through which all calls of an export go. They are made
 * once, when a module is loaded, and look the current generation up at each call.
 */

import { INTERRUPT } from "../instance/generation.js";
import { isInstance } from "../shared/isinstance.js";
import { objectParameter, UNKNOWN } from "../shared/kinds.js";
import { fits } from "../shared/numbers.js";
import { beginBurst } from "./activity.js";
import { Parcel } from "./parcel.js";

/** @import {FunctionDescription, Kind, Lane} from "../types.js" */
/** @import {Generation} from "../instance/generation.js" */
/** @import {SupervisedModule} from "./module.js" */

// The integers that cross as bigints.
const BIGINT = /^([iu](64|128)|int(64|128)|bigint)$/;
/** @type {number[]} */
const NONE = [];

export class Lanes {
  /** @param {SupervisedModule} module */
  constructor(module) {
    this.module = module;
  }

  /**
   * The lane of a function whose parameters are all numbers: Python calls it
   * without a wrapper. What does not fit goes to the host, which converts it or
   * says what is wrong.
   * @param {number} index
   */
  numericLane(index) {
    const { module } = this;
    const described = module.description.functions[index];
    const { params } = described;
    const lane = laneOf(described);
    const kinds = params.map(({ kind }) => kind.name);
    const [first, second] = kinds;
    /** @param {unknown} error @param {Generation} generation @param {number} me @param {number} outer @param {Lane | null} outerLane */
    const fail = (error, generation, me, outer, outerLane) => {
      module.active = outer;
      module.lane = outerLane;
      return module.failure(error, generation, me, lane);
    };
    if (params.length === 2) {
      return function (/** @type {any} */ a, /** @type {any} */ b) {
        if (arguments.length !== 2 || !fits(first, a) || !fits(second, b)) return module.host.decline(index, arguments);
        const generation = module.generation.dead === null ? module.generation : module.revive(lane);
        const outer = module.active;
        const outerLane = module.lane;
        if (!module.busy) beginBurst(module);
        const me = ++module.calls;
        module.active = me;
        module.lane = lane;
        let result;
        try {
          result = generation.functions[index](a, b);
        } catch (error) {
          throw fail(error, generation, me, outer, outerLane);
        }
        if (generation.dead !== null) throw fail(INTERRUPT, generation, me, outer, outerLane);
        module.active = outer;
        module.lane = outerLane;
        module.returned++;
        if (generation.retiring) module.retire(generation);
        return result;
      };
    }
    return function (/** @type {any[]} */ ...args) {
      if (args.length !== params.length || !kinds.every((kind, at) => fits(kind, args[at]))) {
        return module.host.decline(index, args);
      }
      return module.call(lane, (generation) => generation.functions[index](...args));
    };
  }

  /** @param {number} index of a function @returns {(...args: any[]) => unknown} */
  functionLane(index) {
    const described = this.module.description.functions[index];
    return this.makeLane(laneOf(described), described, (generation, args) => generation.functions[index](...args));
  }

  /** @param {number} index of a class @returns {(...args: any[]) => unknown} the object's number */
  constructorLane(index) {
    const { name, construct } = this.module.description.classes[index];
    /** @type {Kind} */
    const result = { name: "object", className: name };
    const described = { ...(construct ?? { name, params: [], isAsync: false, doc: "" }), result };
    return this.makeLane({ name, path: name }, described, (generation, args) => new generation.classes[index](...args));
  }

  /** @param {number} index of a class @param {FunctionDescription} described */
  staticLane(index, described) {
    const lane = laneOf(described, this.module.description.classes[index].name);
    return this.makeLane(lane, described, (generation, args) => generation.classes[index][described.name](...args));
  }

  /**
   * The lane of a method, getter or setter: its first argument is the object's number.
   * @param {number} index of a class @param {FunctionDescription} described
   * @param {"method" | "get" | "set"} role
   */
  memberLane(index, described, role) {
    const className = this.module.description.classes[index].name;
    const lane = laneOf(described, className);
    const params = [objectParameter("self", className), ...described.params];
    return this.makeLane(
      lane,
      { ...described, params },
      (_generation, [object, ...args]) => {
        if (role === "get") return object[described.name];
        if (role === "set") object[described.name] = args[0];
        else return object[described.name](...args);
        return undefined;
      },
      role !== "get",
    );
  }

  /**
   * @param {Lane} lane
   * @param {FunctionDescription} described
   * @param {(generation: Generation, args: any[]) => unknown} run
   * @param {boolean} [changes] whether it may change the objects that go in
   */
  makeLane(lane, described, run, changes = true) {
    const { module } = this;
    const { objects } = module;
    const owned = described.params.flatMap(({ kind }, at) =>
      kind.name === "object" ? [{ at, className: kind.className }] : [],
    );
    const consumed = described.params.flatMap(({ consumes }, at) => (consumes ? [at] : []));
    const bigints = described.params.flatMap(({ kind }, at) => (BIGINT.test(kind.name) ? [at] : []));
    const { result, isAsync } = described;
    const isObject = result.name === "object";
    return (/** @type {any[]} */ ...args) =>
      module.call(lane, (generation) => {
        for (const at of bigints) if (typeof args[at] === "number") args[at] = BigInt(args[at]);
        let lent = NONE;
        for (let at = 0; at < args.length; at++) {
          if (typeof args[at] !== "object" || !isInstance(args[at], Parcel)) continue;
          const { value, ids } = args[at].open((/** @type {number} */ id, /** @type {string} */ className) =>
            objects.lookUp(generation, id, className, lane),
          );
          args[at] = value;
          if (ids.length) lent = [...lent, ...ids];
        }
        const given = /** @type {number[]} */ ([]);
        for (const { at, className } of owned) {
          const id = args[at];
          if (typeof id !== "number") continue;
          given.push(id);
          args[at] = objects.lookUp(generation, id, className, lane);
        }
        if (consumed.length) objects.refuseTwice(generation, args, consumed, lane.name);
        const outer = objects.held;
        const held = { call: module.active, name: lane.name, ids: given, lent, outer };
        objects.held = held;
        let value;
        try {
          value = run(generation, args);
        } finally {
          objects.held = outer;
          // Also after an `Err`: the glue gives an object away before it calls.
          if (given.length) objects.noteMoved(generation, given, lane, changes);
          if (held.lent.length) objects.noteMoved(generation, held.lent, lane);
        }
        if (isAsync) return module.track(Promise.resolve(value), lane, result, given);
        if (isObject) return value == null ? value : generation.keep(/** @type {object} */ (value));
        // Pyodide would take what no declaration announced for a promise of its own.
        if (!isThenable(value)) return value;
        if (objects.owns(value)) return new Thenable(value);
        return new InFlight(module.track(Promise.resolve(value), lane, UNKNOWN, given), lane.name);
      });
  }

  /**
   * The lane of what a module handed out: a closure, an iterator. Its first argument is the number of that.
   * @param {string} [name] @param {Kind} [result] @param {(target: any, ...args: any[]) => unknown} [run]
   */
  closureLane(name = "closure", result = UNKNOWN, run = (closure, ...args) => closure(...args)) {
    const params = [objectParameter(name, name)];
    const described = { name, params, result, isAsync: false, doc: "" };
    return this.makeLane({ name, path: "" }, described, (_generation, [target, ...args]) => run(target, ...args));
  }
}

/** @param {FunctionDescription} described @param {string} [owner] the class that it is a member of @returns {Lane} */
function laneOf({ name, shown = name, isAsync }, owner = "") {
  const prefix = owner && `${owner}.`;
  return { name: prefix + shown, path: prefix + name, isAsync };
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

/** Stands for a call in flight, see `Objects.adopt`. */
export class InFlight {
  /** @param {number} id @param {string} name of the call */
  constructor(id, name) {
    this.id = id;
    this.name = name;
  }
}

/** Stands for an object of an exported class that has a method `then`, see `Objects.adopt`. */
export class Thenable {
  /** @param {unknown} object */
  constructor(object) {
    this.object = object;
  }
}
