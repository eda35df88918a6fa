/**
 * Lanes: the JavaScript functions through which all calls of an export go. A lane is made once, and looks the current
 * generation up at each call.
 */

import { noteGiven } from "../instance/giving.js";
import { isInstance } from "../shared/isinstance.js";
import { objectParameter, UNKNOWN } from "../shared/kinds.js";
import { fits } from "../shared/numbers.js";
import { call, numericPath } from "./call.js";
import { InFlight, track } from "./in-flight.js";
import { Thenable } from "./objects.js";
import { Parcel } from "./parcel.js";

/** @import {FunctionDescription, Kind, Lane, Parameter} from "../types.js" */
/** @import {Generation} from "../instance/generation.js" */
/** @import {ModuleCore} from "./core.js" */
/** @import {Objects} from "./objects.js" */

/** @typedef {"method" | "get" | "set"} Use what a lane does with a member */

/** @type {number[]} */
const NONE = [];

// The integers that cross as bigints.
const BIGINT = /^([iu](64|128)|int(64|128)|bigint)\??$/;

export class Lanes {
  /** @param {ModuleCore} module @param {Objects} objects that it has handed out */
  constructor(module, objects) {
    this.module = module;
    this.objects = objects;
  }

  /**
   * The lane of a function whose parameters are all numbers. Python calls it without a wrapper. Arguments that do not
   * fit go to the host, which converts them or says what is wrong.
   * @param {number} index
   */
  numericLane(index) {
    const { module } = this;
    const described = module.description.functions[index];
    const { params } = described;
    const lane = laneOf(described);
    const kinds = params.map(({ kind }) => kind.name);
    if (kinds.length === 2) return numericPath(module, index, lane, kinds[0], kinds[1]);
    return (/** @type {any[]} */ ...args) => {
      if (args.length !== params.length || !kinds.every((kind, at) => fits(kind, args[at]))) {
        return module.host.decline(index, args);
      }
      return call(module, lane, (generation) => generation.functions[index](...args), args);
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

  /**
   * The lane of a static method, or of a getter or setter of the class itself.
   * @param {number} index of a class @param {FunctionDescription} described @param {Use} [use]
   */
  staticLane(index, described, use = "method") {
    const lane = laneOf(described, this.module.description.classes[index].name);
    return this.makeLane(lane, described, ({ classes }, args) => useMember(classes[index], described.name, use, args));
  }

  /**
   * The lane of a method, getter or setter: its first argument is the object's number.
   * @param {number} index of a class @param {FunctionDescription} described
   * @param {Use} use
   */
  memberLane(index, described, use) {
    const className = this.module.description.classes[index].name;
    const lane = laneOf(described, className);
    const params = [objectParameter("self", className), ...described.params];
    return this.makeLane(
      lane,
      { ...described, params },
      (_generation, [object, ...args]) => useMember(object, described.name, use, args),
      use !== "get",
    );
  }

  /**
   * @param {Lane} lane
   * @param {FunctionDescription} described
   * @param {(generation: Generation, args: any[]) => unknown} run calls the glue's function
   * @param {boolean} [changes] whether that may change the objects among its arguments
   */
  makeLane(lane, described, run, changes = true) {
    const { module, objects } = this;
    const { result, isAsync } = described;
    const isObject = result.name === "object";
    const { owned, consumed, bigints } = placesIn(described.params);
    return (/** @type {any[]} */ ...args) =>
      call(
        module,
        lane,
        (generation) => {
          for (const at of bigints) if (typeof args[at] === "number") args[at] = BigInt(args[at]);
          const lent = this.openParcels(generation, args, lane);
          const ids = owned.length ? this.lookUpObjects(generation, args, owned, lane) : NONE;
          if (consumed.length) objects.refuseTwice(generation, args, consumed, lane.name);
          const outer = objects.held;
          const held = { call: module.active, name: lane.name, ids, lent, outer };
          objects.held = held;
          let value;
          try {
            value = run(generation, args);
          } finally {
            objects.held = outer;
            // Also after an `Err`: the glue gives an object away before it calls.
            if (ids.length) objects.noteMoved(generation, ids, lane, changes);
            if (held.lent.length) objects.noteMoved(generation, held.lent, lane);
          }
          noteGiven(value, generation);
          if (isAsync) return track(module, Promise.resolve(value), lane, result, ids);
          if (isObject) return value == null ? value : generation.keep(/** @type {object} */ (value));
          // Pyodide would make a promise of its own of what no declaration announced.
          if (!isThenable(value)) return value;
          if (objects.owns(value)) return new Thenable(value);
          return new InFlight(track(module, Promise.resolve(value), lane, UNKNOWN, ids), lane.name);
        },
        args,
      );
  }

  /**
   * Puts the content of each parcel among the arguments in its place.
   * @param {Generation} generation @param {any[]} args @param {Lane} lane
   * @returns {number[]} the numbers of all objects that were lent for the call
   */
  openParcels(generation, args, lane) {
    const { objects } = this;
    let lent = NONE;
    for (let at = 0; at < args.length; at++) {
      if (typeof args[at] !== "object" || !isInstance(args[at], Parcel)) continue;
      const { value, ids } = args[at].open((/** @type {number} */ id, /** @type {string} */ className) =>
        objects.lookUp(generation, id, className, lane),
      );
      args[at] = value;
      if (ids.length) lent = [...lent, ...ids];
    }
    return lent;
  }

  /**
   * Puts the glue's object in the place of each number that stands for one.
   * @param {Generation} generation @param {any[]} args
   * @param {{at: number, className: string}[]} owned the parameters that take objects @param {Lane} lane
   * @returns {number[]} the numbers
   */
  lookUpObjects(generation, args, owned, lane) {
    /** @type {number[]} */
    const ids = [];
    for (const { at, className } of owned) {
      const id = args[at];
      if (typeof id !== "number") continue;
      ids.push(id);
      args[at] = this.objects.lookUp(generation, id, className, lane);
    }
    return ids;
  }

  /**
   * The lane of something that a module handed out: a closure, an iterator. Its first argument is the number of that.
   * @param {string} [name] @param {Kind} [result] @param {(target: any, ...args: any[]) => unknown} [run]
   */
  closureLane(name = "closure", result = UNKNOWN, run = callClosure) {
    const params = [objectParameter(name, name)];
    const described = { name, params, result, isAsync: false, doc: "" };
    return this.makeLane({ name, path: "" }, described, (_generation, [target, ...args]) => run(target, ...args));
  }
}

/** @param {any} owner an object, or a class @param {string} name of its member @param {Use} use @param {any[]} args */
function useMember(owner, name, use, args) {
  if (use === "get") return owner[name];
  if (use === "method") return owner[name](...args);
  owner[name] = args[0];
  return undefined;
}

/**
 * The build hook writes into glue what a closure takes: `rustTypes`, kinds with commas between them.
 * @param {any} closure @param {any[]} args
 */
function callClosure(closure, ...args) {
  const kinds = closure.rustTypes?.split(",") ?? [];
  return closure(...args.map((arg, at) => (BIGINT.test(kinds[at]) && typeof arg === "number" ? BigInt(arg) : arg)));
}

/** Which parameters need more than to be handed on. @param {Parameter[]} params */
function placesIn(params) {
  return {
    owned: params.flatMap(({ kind }, at) => (kind.name === "object" ? [{ at, className: kind.className }] : [])),
    consumed: params.flatMap(({ consumes }, at) => (consumes ? [at] : [])),
    bigints: params.flatMap(({ kind }, at) => (BIGINT.test(kind.name) ? [at] : [])),
  };
}

/** @param {FunctionDescription} described @param {string} [owner] the class that it is a member of @returns {Lane} */
function laneOf({ name, shown = name, isAsync }, owner = "") {
  const prefix = owner && `${owner}.`;
  return { name: prefix + shown, path: prefix + name, isAsync };
}

/** Would JavaScript await that? It may be a promise of another library or realm. @param {any} value */
function isThenable(value) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  try {
    return typeof value.then === "function";
  } catch {
    return false; // a proxy that throws when it is looked at
  }
}
