/**
 * A supervised module as plain JavaScript sees it: functions as functions, classes as classes. All of them use the
 * generation that lives when they are called.
 */

import { Parcel } from "../../module/parcel.js";
import { access } from "../../module/raw.js";
import { StaleObjectError } from "../../shared/errors.js";
import { itemsOf } from "../../shared/isinstance.js";
import { objectParameter, UNKNOWN } from "../../shared/kinds.js";
import { describeOutlived } from "./messages.js";

/** @import {ClassDescription, FunctionDescription, Kind, Parameter} from "../../types.js" */
/** @import {SupervisedModule} from "../../module/module.js" */
/** @import {Use} from "../../module/lanes.js" */
/** @import {DefaultSupervisor} from "./supervisor.js" */

/**
 * @typedef {{id: number, generation: number, className: string, isShared: boolean}} Handle the object of the glue that
 *   an object stands for; isShared: whether JavaScript may keep it, so that only its collector may free it
 */

/** @param {SupervisedModule} module @param {DefaultSupervisor} supervisor */
export function makeFacade(module, supervisor) {
  const facade = new Facade(module, supervisor);
  /** @type {Record<string, unknown>} */
  const exports = Object.create(null);
  module.description.classes.forEach((described, index) => {
    const type = facade.makeClass(described, index);
    if (!described.hidden) exports[described.name] = type;
  });
  module.description.functions.forEach((described, index) => {
    exports[described.name] = facade.wrap(described.name, module.lanes.functionLane(index), described);
  });
  // Such a constant may be a function, of which each generation has its own: CommonJS has no other exports.
  for (const name of module.description.constants)
    Object.defineProperty(exports, name, { enumerable: true, get: () => module.generation.exports[name] });
  for (const name of module.description.memories ?? []) exports[name] = makeMemory(module, name);
  for (const { name } of module.description.globals ?? []) exports[name] = makeGlobal(module, name);
  return exports;
}

/**
 * The memory of the generation that lives. A view of it is of that generation.
 * @param {SupervisedModule} module @param {string} name
 */
function makeMemory(module, name) {
  return {
    /** @returns {ArrayBuffer} */
    get buffer() {
      return access(module, name, ({ buffer }) => buffer);
    },
    /** @param {number} pages */
    grow: (pages) => access(module, name, (memory) => memory.grow(pages)),
  };
}

/** @param {SupervisedModule} module @param {string} name */
function makeGlobal(module, name) {
  return {
    get value() {
      return access(module, name, ({ value }) => value);
    },
    set value(value) {
      access(module, name, (global) => {
        global.value = value;
      });
    },
  };
}

/** An argument with objects of the module in it, which are looked up inside of the call that it is for. */
class Loan extends Parcel {
  /** @param {Facade} facade @param {unknown} value */
  constructor(facade, value) {
    super([0, value], null);
    this.facade = facade;
    this.value = value;
  }

  /**
   * @override
   * @param {(id: number, className: string) => object} lookUp
   */
  open(lookUp) {
    const { facade } = this;
    /** @type {number[]} */
    const ids = [];
    /** @param {unknown} value @returns {unknown} */
    const open = (value) => {
      const handle = facade.handleOf(value);
      if (!handle) return facade.handlesIn(value).length ? itemsOf(value)?.map(open) : value;
      handle.isShared = true;
      ids.push(handle.id);
      return lookUp(handle.id, handle.className);
    };
    return { value: open(this.value), ids };
  }
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
    /** @type {Map<number, WeakRef<object>>} the objects that stand for those of the glue, by the numbers of these */
    this.known = new Map();
    const { functions, classes } = module.description;
    /** The classes that are the package's own JavaScript. */
    this.wrappers = new Set(classes.filter(({ isWrapper }) => isWrapper).map(({ name }) => name));
    /** Whether JavaScript of the package's own may keep what it hands out. */
    this.hasWrappers = [...functions, ...classes.flatMap(everyMember)].some(({ isWrapper }) => isWrapper);
    this.finalizers = new FinalizationRegistry((/** @type {Handle} */ handle) => this.forget(handle));
  }

  /**
   * A lane as a function for users.
   * @param {string} name @param {(...args: any[]) => unknown} lane @param {FunctionDescription} described
   */
  wrap(name, lane, described) {
    const call = (/** @type {unknown[]} */ args) =>
      this.receive(lane(...this.giveAll(args, described.params, name)), described);
    if (!described.isAsync) return (/** @type {unknown[]} */ ...args) => call(args);
    return (/** @type {unknown[]} */ ...args) => this.supervisor.whenReady(() => call(args));
  }

  /** @param {unknown[]} args @param {Parameter[]} params @param {string} call */
  giveAll(args, params, call) {
    return args.map((value, at) => this.give(value, call, params[at]?.kind.name === "object"));
  }

  /** @param {unknown} value @returns {Handle | undefined} what stands for it, if it is an object of the module */
  handleOf(value) {
    return typeof value === "object" && value !== null ? this.handles.get(value) : undefined;
  }

  /**
   * An argument: the number of an object for a parameter of its class. For one without a type a loan, of which the lane
   * makes the glue's own object when the call begins.
   * @param {unknown} value @param {string} call @param {boolean} [asNumber] whether the lane takes the object's number
   * @returns {unknown}
   */
  give(value, call, asNumber = false) {
    const handles = this.handlesIn(value);
    if (!handles.length) return value;
    for (const handle of handles) this.checkHandle(handle, call);
    return asNumber && this.handleOf(value) ? handles[0].id : new Loan(this, value);
  }

  /** @param {unknown} value @returns {Handle[]} of the object that it is, or of those in a list */
  handlesIn(value) {
    const handle = this.handleOf(value);
    if (handle) return [handle];
    const items = itemsOf(value);
    return items?.some((item) => this.handleOf(item)) ? items.flatMap((item) => this.handlesIn(item)) : [];
  }

  /** @param {Handle} handle @param {string} call @throws {StaleObjectError} its generation is gone */
  checkHandle({ id, generation, className }, call) {
    const { module } = this;
    if (generation === module.generation.number && module.generation.dead === null) return;
    const consumer = module.objects.consumerOf(id);
    if (consumer) throw this.supervisor.stale(className, consumer, call);
    throw new StaleObjectError(describeOutlived(`${module.name}.${className}`, generation));
  }

  /** @param {any} value @param {FunctionDescription} described @returns {unknown} */
  receive(value, { result, isAsync }) {
    return isAsync
      ? this.supervisor.promise(value).then((settled) => this.wrapped(settled, result))
      : this.wrapped(value, result);
  }

  /** A result as its caller gets it. @param {any} value @param {Kind} result @returns {unknown} */
  wrapped(value, result) {
    if (result.name === "object") return value == null ? value : this.makeObject(result.className, value);
    if (value === null || !/^(object|function)$/.test(typeof value)) return value;
    const items = itemsOf(value);
    if (items?.some((item) => this.module.objects.owns(item))) return items.map((item) => this.wrapped(item, UNKNOWN));
    const [role, id] = this.module.objects.register(value) ?? [];
    if (id === undefined || role === undefined) return value;
    if (role === "promise") return this.supervisor.promise(id);
    return role === "closure" ? this.makeClosure(id) : this.makeObject(role, id, this.hasWrappers);
  }

  /** A Rust closure, which can be called as long as its generation lives. @param {number} id */
  makeClosure(id) {
    const generation = this.module.generation.number;
    const call = this.module.lanes.closureLane();
    return (/** @type {unknown[]} */ ...args) => {
      this.checkHandle({ id, generation, className: "closure", isShared: true }, "closure");
      return call(id, ...this.giveAll(args, [], "closure"));
    };
  }

  /** An object that was handed out. @param {string} className @param {number} id @param {boolean} [isShared] */
  makeObject(className, id, isShared = false) {
    const known = this.known.get(id)?.deref();
    const handle = this.handleOf(known);
    if (handle?.className === className) {
      handle.isShared ||= isShared;
      return known;
    }
    const object = Object.create(this.classes.get(className).prototype);
    this.register(object, id, className, isShared);
    return object;
  }

  /** @param {object} object @param {number} id @param {string} className @param {boolean} [isShared] */
  register(object, id, className, isShared = false) {
    const generation = this.module.generation.number;
    const handle = { id, generation, className, isShared: isShared || this.wrappers.has(className) };
    this.handles.set(object, handle);
    this.known.set(id, new WeakRef(object));
    this.finalizers.register(object, handle, object);
  }

  /** Nobody holds the object any more that stood for one of the glue. @param {Handle} handle */
  forget({ id, generation, className, isShared }) {
    if (this.known.get(id)?.deref()) return; // another one stands for it
    this.known.delete(id);
    if (isShared) this.module.objects.forget(id);
    else this.module.objects.release(generation, id, className);
  }

  /** @param {ClassDescription} described @param {number} index */
  makeClass(described, index) {
    const facade = this;
    const { module } = this;
    const { name } = described;
    const construct = module.lanes.constructorLane(index);
    const type = {
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
          if (!handle) return;
          facade.known.delete(handle.id);
          module.objects.release(handle.generation, handle.id, name);
        }
      },
    }[name];
    this.classes.set(name, type);
    const own = (/** @type {FunctionDescription} */ member, /** @type {Use} */ use) =>
      this.wrap(`${name}.${member.name}`, module.lanes.staticLane(index, member, use), member);
    for (const method of described.statics) Object.defineProperty(type, method.name, { value: own(method, "method") });
    defineAccessors(type, described.staticGetters, described.staticSetters, own);
    this.defineMembers(type.prototype, described, index);
    return type;
  }

  /** @param {object} prototype @param {ClassDescription} described @param {number} index */
  defineMembers(prototype, described, index) {
    /** @param {FunctionDescription} member @param {Use} use */
    const bind = (member, use) => {
      const self = objectParameter("self", described.name);
      const lane = this.module.lanes.memberLane(index, member, use);
      const call = this.wrap(`${described.name}.${member.name}`, lane, { ...member, params: [self, ...member.params] });
      return /** @this {object} */ function (/** @type {unknown[]} */ ...args) {
        return call(this, ...args);
      };
    };
    for (const method of described.methods) {
      Object.defineProperty(prototype, method.name, { value: bind(method, "method"), configurable: true });
    }
    defineAccessors(prototype, described.getters, described.setters, bind);
  }
}

/** @param {ClassDescription} described @returns {FunctionDescription[]} */
function everyMember({ construct, methods, statics, getters, setters, staticGetters, staticSetters }) {
  const accessors = [...getters, ...setters, ...staticGetters, ...staticSetters];
  return [...(construct ? [construct] : []), ...methods, ...statics, ...accessors];
}

/**
 * Gives a class, or its objects, their getters and setters.
 * @param {object} owner @param {FunctionDescription[]} getters @param {FunctionDescription[]} setters
 * @param {(member: FunctionDescription, use: Use) => (...args: any[]) => unknown} make the function for one of them
 */
function defineAccessors(owner, getters, setters, make) {
  for (const name of new Set([...getters, ...setters].map((member) => member.name))) {
    const get = getters.find((getter) => getter.name === name);
    const set = setters.find((setter) => setter.name === name);
    Object.defineProperty(owner, name, {
      get: get && make(get, "get"),
      set: set && make(set, "set"),
      configurable: true,
    });
  }
}
