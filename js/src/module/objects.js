/**
 * The objects of exported classes, and the closures, that a module has handed out. The other side holds numbers. What
 * became of an object, and which call consumed it, is known here, also after a reset.
 */

import { isRustClosure } from "../instance/closures.js";
import { isInstance } from "../shared/isinstance.js";
import { call } from "./call.js";
import { InFlight, track } from "./in-flight.js";
import { Refusal } from "./refusal.js";

/** @import {Death, Held, Lane, Reason} from "../types.js" */
/** @import {Generation} from "../instance/generation.js" */
/** @import {Thrown} from "../instance/throws.js" */
/** @import {ModuleCore} from "./core.js" */

/** Stands for a call that was rolled back, where the others name the call that consumed an object; in Python too. */
const UNDONE = "rollback";

/** Stands for an object of an exported class that has a method `then`, see `Objects.register`. */
export class Thenable {
  /** @param {unknown} object */
  constructor(object) {
    this.object = object;
  }
}

export class Objects {
  /** @param {ModuleCore} module */
  constructor(module) {
    this.module = module;
    /**
     * @type {Map<number, string>} the objects that calls consumed, each with the name of the call; of all generations
     */
    this.moved = new Map();
    /**
     * @type {Set<number>} the objects that a call may have changed, which is any call but a getter's; of all
     *   generations
     */
    this.changed = new Set();
    /** @type {Held | null} the objects of the innermost call that runs, other than a call with numbers only */
    this.held = null;
  }

  /**
   * Rust threw something on purpose, and so skipped the destructors of the call that runs: what did that leave behind?
   * This holds where panics unwind too: the compiler assumes that no import of wasm-bindgen throws.
   * @param {Generation} generation @param {Thrown} thrown
   * @returns {{reason: Reason, used: {className: string, holder: string} | null}} reason: why the generation has to be
   *   replaced, empty if nothing is left; used: the object that could not be borrowed, and which call has it
   */
  afterThrow(generation, thrown) {
    const { active } = this.module;
    const held = this.held?.call === active && this.held.ids.length ? this.held : null;
    const used = held !== null && thrown.refused === "in use" ? this.usedIn(generation, held) : null;
    return { reason: this.reasonAfter(generation, thrown, held), used };
  }

  /** @param {Generation} generation @param {Thrown} thrown @param {Held | null} held @returns {Reason} */
  reasonAfter(generation, thrown, held) {
    if (held === null) return "";
    // An `Err` of old glue: the call had let go of everything before.
    if (thrown.again && this.module.throwsErr) return "";
    if (thrown.refused !== "in use") return this.areBorrowed(generation, held) ? "borrowed" : "";
    // Rust borrows objects from the first to the last, so where it refused the first, it has borrowed none.
    const isUsed = held.ids.map((id) => this.holderOf(generation, id, held) !== "");
    return isUsed.length === 1 || isUsed.lastIndexOf(true) === 0 ? "" : "crashed";
  }

  /**
   * Has Rust borrowed any of these objects, and not taken it? Closures have no pointer: the glue itself drops them.
   * @param {Generation} generation @param {Held} held
   */
  areBorrowed(generation, { ids }) {
    return ids.some((id) => pointerOf(generation.objects.get(id) ?? { ptr: 0 }));
  }

  /**
   * The object of a call that another call has borrowed.
   * @param {Generation} generation @param {Held} held
   * @returns {{className: string, holder: string}}
   */
  usedIn(generation, held) {
    const id = held.ids.find((id) => this.holderOf(generation, id, held) !== "") ?? held.ids[0];
    return { className: this.classOf(generation, id), holder: this.holderOf(generation, id, held) };
  }

  /**
   * The call that has borrowed an object.
   * @param {Generation} generation @param {number} id @param {Held | null} but the call that wants to borrow it
   * @returns {string} its name; empty: no call that is known
   */
  holderOf(generation, id, but) {
    for (let held = but ? but.outer : this.held; held; held = held.outer) if (held.ids.includes(id)) return held.name;
    for (const { objects, name } of generation.inFlight.values()) if (objects.includes(id)) return name;
    return "";
  }

  /** @param {Generation} generation @param {number} id @returns {string} */
  classOf(generation, id) {
    const index = this.indexOf(generation.objects.get(id));
    return this.module.description.classes[index]?.name ?? "object";
  }

  /**
   * The glue's object behind a number.
   * @param {Generation} generation @param {number} id @param {string} className @param {Lane} lane
   */
  lookUp(generation, id, className, lane) {
    const object = generation.objects.get(id);
    const isUndone = generation.closures.isUndone(object);
    if (object !== undefined && pointerOf(object) !== 0 && !isUndone) {
      generation.transaction?.notePointer(object);
      return object;
    }
    const movedBy = isUndone ? UNDONE : (this.moved.get(id) ?? (object && ""));
    // Its generation died after Python had checked that it lives: a finalizer can run in between.
    if (movedBy === undefined && id < this.module.firstId) {
      throw new Refusal(this.module.host.interrupted(resetOf(generation.number - 1), lane.name, true));
    }
    throw new Refusal(
      this.module.host.stale(className, movedBy === undefined ? "" : this.nameOfConsumer(movedBy), lane.name),
    );
  }

  /**
   * Refuses the same object for two parameters, or twice in a list, if one of them consumes it.
   * @param {Generation} generation @param {any[]} args @param {number[]} consumed @param {string} name
   */
  refuseTwice(generation, args, consumed, name) {
    const objects = args.flat().filter((value) => typeof value === "object" && value !== null);
    if (new Set(objects).size === objects.length) return;
    const twice = consumed
      .flatMap((at) => args[at])
      .find((value) => objects.indexOf(value) !== objects.lastIndexOf(value));
    const index = generation.classes.findIndex((type) => isInstance(twice, type));
    if (index < 0) return;
    throw new Refusal(
      this.module.host.stale(this.module.description.classes[index].name, this.nameOfConsumer(name), name),
    );
  }

  /** The call that consumed an object. @param {number} id @returns {string} empty: none did */
  consumerOf(id) {
    const movedBy = this.moved.get(id);
    return movedBy ? this.nameOfConsumer(movedBy) : "";
  }

  /** The consumer as messages name it. @param {string} call empty: no call consumed the object @returns {string} */
  nameOfConsumer(call) {
    if (call === UNDONE) return UNDONE;
    return call ? `${this.module.name}.${call}` : "Rust";
  }

  /**
   * The glue's object behind a number, for JavaScript itself: a callback returns it, or it is the value of a promise.
   * The call that runs notes later whether it was consumed. Where no call runs, nobody can tell what consumed it.
   * @param {number} id @param {string} className @param {string} call
   */
  lend(id, className, call) {
    try {
      const object = this.lookUp(this.module.generation, id, className, { name: call });
      if (this.held) this.held.lent = [...this.held.lent, id];
      else this.changed.add(id);
      return object;
    } catch (error) {
      throw error instanceof Refusal ? error.throwable : error;
    }
  }

  /** May a call have changed that object before its generation was gone? This can be asked once. @param {number} id */
  wasChanged(id) {
    return this.changed.delete(id);
  }

  /**
   * Notes which objects a call consumed, and that it may have changed the others.
   * @param {Generation} generation @param {number[]} ids @param {Lane} lane @param {boolean} [changes] false: it
   *   changes none
   */
  noteMoved(generation, ids, lane, changes = true) {
    for (const id of ids) {
      if (changes) this.changed.add(id);
      const object = generation.objects.get(id);
      if (object === undefined || pointerOf(object) !== 0) continue;
      generation.transaction?.noteMoved(id, object);
      generation.objects.delete(id);
      this.changed.delete(id);
      this.moved.set(id, lane.name);
    }
  }

  /** The call that consumed an object is undone. @param {number} id */
  restore(id) {
    this.moved.delete(id);
    // Calls before that one may have changed it.
    this.changed.add(id);
  }

  /** The call that made it is undone. @param {number} id */
  undo(id) {
    this.forget(id);
    this.moved.set(id, UNDONE);
  }

  /** May a call in flight, or one that runs, still borrow that object? @param {number} id */
  isBusy(id) {
    return this.holderOf(this.module.generation, id, null) !== "";
  }

  /**
   * Frees an object, once. An object that Rust still borrows is left to JavaScript's collector, because glue frees it
   * without harm only from there.
   * @param {number} generation the number of the generation that made it
   * @param {number} id @param {string} className
   * @returns {string} what had consumed the object before; empty: nothing
   */
  release(generation, id, className) {
    const consumer = this.consumerOf(id);
    this.moved.delete(id);
    this.changed.delete(id);
    if (consumer) return consumer;
    const current = this.module.generation;
    const object = current.number === generation ? current.objects.get(id) : undefined;
    if (object === undefined) return "";
    current.objects.delete(id);
    if (pointerOf(object) === 0 || current.dead !== null || this.isBusy(id)) return "";
    const free = () => call(this.module, { name: `${className}.free` }, () => /** @type {any} */ (object).free?.());
    // Python's collector may run wherever Python does, also while Rust asks it how long it may go on.
    if (!this.module.stopwatch?.isAsking) free();
    else queueMicrotask(() => current.dead === null && free());
    return "";
  }

  /**
   * Gives a number to a value that an export returned without declaring it, as [role, number]. The value can be an
   * object of an exported class, a Rust closure, with what it takes, or a promise, with the name of its call. For
   * everything else the result is null.
   * @param {any} value
   * @returns {[string, number, string?] | null}
   */
  register(value) {
    const { generation } = this.module;
    if (isInstance(value, Thenable)) return this.register(value.object);
    if (isRustClosure(value)) return ["closure", generation.keep(value), value.rustTypes ?? ""];
    if (isInstance(value, InFlight)) return ["promise", value.id, value.name];
    if (isInstance(value, Promise)) return ["promise", track(this.module, value, { name: "", path: "" })];
    const index = this.indexOf(value);
    return index < 0
      ? null
      : [this.module.description.classes[index].name, generation.ids.get(value) ?? generation.keep(value)];
  }

  /** The place of a value's own class, not of one that this inherits from; -1: there is none. @param {any} value */
  indexOf(value) {
    const { classes } = this.module.generation;
    let index = classes.findIndex((type) => isInstance(value, type));
    if (index < 0) return index;
    for (let at = index + 1; at < classes.length; at++) {
      if (isInstance(value, classes[at]) && isInstance(classes[at].prototype, classes[index])) index = at;
    }
    return index;
  }

  /** The address of an object in Rust's memory. @param {number} id */
  addressOf(id) {
    return pointerOf(this.module.generation.objects.get(id) ?? { ptr: 0 });
  }

  /**
   * Makes an object of what lies at an address, in a state that came from elsewhere. No finalizer frees it.
   * @param {string} className @param {number} address
   * @returns {number} its number
   */
  adopt(className, address) {
    const { generation, description } = this.module;
    const type = generation.classes[description.classes.findIndex(({ name }) => name === className)];
    const object = Object.create(type.prototype);
    object[/\b__wbg_ptr\b/.test(String(type)) ? "__wbg_ptr" : "ptr"] = address;
    return generation.keep(object);
  }

  /** Is that an object of the current generation, or a closure that it handed out? @param {any} value */
  hasMade(value) {
    const { generation } = this.module;
    return this.owns(value) || generation.objects.has(/** @type {number} */ (generation.ids.get(value)));
  }

  /** Is that an object of an exported class? @param {unknown} value */
  owns(value) {
    return this.module.generation.classes.some((type) => isInstance(value, type));
  }

  /** Forgets a closure that nobody holds any more. @param {number} id */
  forget(id) {
    const { objects, ids } = this.module.generation;
    this.changed.delete(id);
    this.moved.delete(id);
    ids.delete(/** @type {any} */ (objects.get(id)));
    objects.delete(id);
  }
}

/**
 * The address of a Rust object. Glue up to 2023 keeps it as `ptr`.
 * @param {any} object the glue's object @returns {unknown} 0 after the object was freed or moved
 */
function pointerOf(object) {
  return object.__wbg_ptr ?? object.ptr;
}

/**
 * A reset that nobody has described.
 * @param {number} generation the number of the one that it ended @returns {Death}
 */
function resetOf(generation) {
  const nobody = { activation: 0, call: "", suspects: [], isCertain: false, interrupted: [] };
  return { diagnosis: null, generation, ...nobody, canRollBack: false };
}
