/**
 * A supervised module as plain JavaScript sees it: functions as functions,
 * classes as classes, all of them pointing at the current generation.
 */

import { StaleObjectError } from "../../shared/errors.js";
import { itemsOf } from "../../shared/isinstance.js";

/** @import {ClassDescription, FunctionDescription, Kind, Parameter} from "../../types.js" */
/** @import {SupervisedModule} from "../../module/module.js" */
/** @import {DefaultSupervisor} from "./supervisor.js" */

/** @typedef {{id: number, generation: number, className: string}} Handle what stands for an object */

/** @param {SupervisedModule} module @param {DefaultSupervisor} supervisor */
export function makeFacade(module, supervisor) {
  const facade = new Facade(module, supervisor);
  /** @type {Record<string, unknown>} */
  const exports = Object.create(null);
  module.description.classes.forEach((described, index) => {
    const made = facade.makeClass(described, index);
    if (!described.hidden) exports[described.name] = made;
  });
  module.description.functions.forEach((described, index) => {
    exports[described.name] = facade.wrap(described.name, module.lanes.functionLane(index), described);
  });
  for (const name of module.description.constants) exports[name] = module.generation.exports[name];
  return exports;
}

class Facade {
  /** @param {SupervisedModule} module @param {DefaultSupervisor} supervisor */
  constructor(module, supervisor) {
    this.module = module;
    this.supervisor = supervisor;
    /** @type {Map<string, any>} */
    this.classes = new Map();
    /** @type {WeakMap<object, Handle>} */
    this.handles = new WeakMap();
    this.finalizers = new FinalizationRegistry((/** @type {[number, number, string]} */ held) =>
      module.objects.release(...held),
    );
  }

  /** @param {string} name @param {(...args: any[]) => unknown} lane @param {FunctionDescription} described */
  wrap(name, lane, described) {
    const call = (/** @type {unknown[]} */ args) =>
      this.receive(lane(...this.giveAll(args, described.params, name)), described);
    if (!described.isAsync) return (/** @type {unknown[]} */ ...args) => call(args);
    return (/** @type {unknown[]} */ ...args) => this.supervisor.whenReady(() => call(args));
  }

  /** @param {unknown[]} args @param {Parameter[]} params @param {string} call */
  giveAll(args, params, call) {
    return args.map((value, at) => this.give(value, call, params[at]?.kind));
  }

  /**
   * An argument: the number of an object for a parameter of its class, the glue's own object for one without a type.
   * @param {unknown} value @param {string} call @param {string} [kind]
   * @returns {unknown}
   */
  give(value, call, kind = "any") {
    const items = itemsOf(value);
    if (items?.some((item) => this.handles.has(/** @type {object} */ (item))))
      return items.map((item) => this.give(item, call));
    const handle = typeof value === "object" && value !== null ? this.handles.get(value) : undefined;
    if (!handle) return value;
    this.checkHandle(handle, call);
    return kind.startsWith("object:") ? handle.id : this.module.objects.lend(handle.id, handle.className, call);
  }

  /** @param {Handle} handle @param {string} call */
  checkHandle({ id, generation, className }, call) {
    const { module } = this;
    if (generation === module.generation.number && module.generation.dead === null) return;
    const consumer = module.objects.consumerOf(id);
    if (consumer) throw this.supervisor.stale(className, consumer, call);
    throw new StaleObjectError(
      `This ${module.name}.${className} was made by generation ${generation}, which is gone: make a new one.`,
    );
  }

  /** @param {any} value @param {FunctionDescription} described @returns {unknown} */
  receive(value, { result, isAsync }) {
    return isAsync
      ? this.supervisor.promise(value).then((settled) => this.wrapped(settled, result))
      : this.wrapped(value, result);
  }

  /** @param {any} value @param {Kind} result @returns {unknown} */
  wrapped(value, result) {
    if (result.startsWith("object:")) return value == null ? value : this.adopt(result.slice("object:".length), value);
    if (value === null || !/^(object|function)$/.test(typeof value)) return value;
    const items = itemsOf(value);
    if (items?.some((item) => this.module.objects.owns(item)))
      return items.map((item) => this.wrapped(item, "unknown"));
    const [role, id] = this.module.objects.register(value) ?? [];
    if (id === undefined || role === undefined) return value;
    if (role === "promise") return this.supervisor.promise(id);
    if (role === "closure") {
      const generation = this.module.generation.number;
      const call = this.module.lanes.closureLane();
      return (/** @type {unknown[]} */ ...args) => {
        this.checkHandle({ id, generation, className: "closure" }, "closure");
        return call(id, ...this.giveAll(args, [], "closure"));
      };
    }
    return this.adopt(role, id);
  }

  /** @param {string} className @param {number} id */
  adopt(className, id) {
    const object = Object.create(this.classes.get(className).prototype);
    this.register(object, id, className);
    return object;
  }

  /** @param {object} object @param {number} id @param {string} className */
  register(object, id, className) {
    const generation = this.module.generation.number;
    this.handles.set(object, { id, generation, className });
    this.finalizers.register(object, [generation, id, className], object);
  }

  /** @param {ClassDescription} described @param {number} index */
  makeClass(described, index) {
    const facade = this;
    const { module } = this;
    const { name } = described;
    const construct = module.lanes.constructorLane(index);
    const made = {
      [name]: class {
        /** @param {unknown[]} args */
        constructor(...args) {
          facade.register(
            this,
            /** @type {number} */ (construct(...facade.giveAll(args, described.construct?.params ?? [], name))),
            name,
          );
        }

        free() {
          const handle = facade.handles.get(this);
          facade.finalizers.unregister(this);
          if (handle) module.objects.release(handle.generation, handle.id, name);
        }
      },
    }[name];
    this.classes.set(name, made);
    for (const method of described.statics) {
      Object.defineProperty(made, method.name, {
        value: this.wrap(`${name}.${method.name}`, module.lanes.staticLane(index, method), method),
      });
    }
    this.defineMembers(made.prototype, described, index);
    return made;
  }

  /** @param {object} prototype @param {ClassDescription} described @param {number} index */
  defineMembers(prototype, described, index) {
    /** @param {FunctionDescription} member @param {"method" | "get" | "set"} role */
    const bind = (member, role) => {
      const self = { name: "self", kind: `object:${described.name}`, optional: false, rest: false, consumes: false };
      const lane = this.module.lanes.memberLane(index, member, role);
      const call = this.wrap(`${described.name}.${member.name}`, lane, { ...member, params: [self, ...member.params] });
      return /** @this {object} */ function (/** @type {unknown[]} */ ...args) {
        return call(this, ...args);
      };
    };
    for (const method of described.methods) {
      Object.defineProperty(prototype, method.name, { value: bind(method, "method"), configurable: true });
    }
    const names = new Set([...described.getters, ...described.setters].map(({ name }) => name));
    for (const name of names) {
      const get = described.getters.find((getter) => getter.name === name);
      const set = described.setters.find((setter) => setter.name === name);
      Object.defineProperty(prototype, name, {
        get: get && bind(get, "get"),
        set: set && bind(set, "set"),
        configurable: true,
      });
    }
  }
}
