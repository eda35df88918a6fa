/**
 * What a module has handed out: objects of exported classes, closures. The other side holds
 * numbers; what became of an object, which call consumed it, is known here, also after a reset.
 */

import { isInstance } from "../shared/isinstance.js";
import { InFlight, Thenable } from "./lanes.js";

/** @import {Held, Lane} from "../types.js" */
/** @import {Generation} from "../instance/generation.js" */
/** @import {SupervisedModule} from "./module.js" */

/** Carries a throwable out of a call that was refused before it began. */
export class Refusal {
  /** @param {unknown} throwable */
  constructor(throwable) {
    this.throwable = throwable;
  }
}

export class Objects {
  /** @param {SupervisedModule} module */
  constructor(module) {
    this.module = module;
    /** @type {Map<number, string>} what a call consumed, and which call; of all generations */
    this.moved = new Map();
    /** @type {Set<number>} what went into a call that may have changed it: any but a getter; of all generations */
    this.changed = new Set();
    /** @type {Held | null} of the innermost call that runs, other than one with numbers only */
    this.held = null;
  }

  /** The objects of the call that runs now. @param {number} call its number @returns {Held | null} */
  heldBy(call) {
    return this.held?.call === call && this.held.ids.length ? this.held : null;
  }

  /** Has Rust borrowed any of them, and not taken it? @param {Generation} generation @param {Held} held */
  areBorrowed(generation, { ids }) {
    return ids.some((id) => pointerOf(generation.objects.get(id) ?? { ptr: 0 }) !== 0);
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
   * @param {Generation} generation @param {number} id @param {Held | null} but a call that wants to
   * @returns {string} its name; empty: none that is known
   */
  holderOf(generation, id, but) {
    for (let held = but ? but.outer : this.held; held; held = held.outer) if (held.ids.includes(id)) return held.name;
    for (const { given, name } of generation.inFlight.values()) if (given.includes(id)) return name;
    return "";
  }

  /** @param {Generation} generation @param {number} id @returns {string} */
  classOf(generation, id) {
    const index = generation.classes.findIndex((made) => isInstance(generation.objects.get(id), made));
    return this.module.description.classes[index]?.name ?? "object";
  }

  /**
   * The glue's object behind a number.
   * @param {Generation} generation @param {number} id @param {string} className @param {Lane} lane
   */
  lookUp(generation, id, className, lane) {
    const object = generation.objects.get(id);
    if (object !== undefined && pointerOf(object) !== 0) return object;
    const movedBy = this.moved.get(id) ?? (object && "");
    // Its generation went after somebody had found it alive: what runs between Python's check and this line is a finalizer.
    if (movedBy === undefined && id < this.module.firstId) {
      const death = {
        diagnosis: null,
        generation: generation.number - 1,
        activation: 0,
        call: "",
        suspects: [],
        isCertain: false,
        interrupted: [],
      };
      throw new Refusal(this.module.host.interrupted(death, lane.name, true));
    }
    throw new Refusal(
      this.module.host.stale(className, movedBy === undefined ? "" : this.consumer(movedBy), lane.name),
    );
  }

  /**
   * The same object for two parameters, or twice in a list: one of them would take it away from the other.
   * @param {Generation} generation @param {any[]} args @param {number[]} consumed @param {string} name
   */
  refuseTwice(generation, args, consumed, name) {
    const objects = args.flat().filter((value) => typeof value === "object" && value !== null);
    if (new Set(objects).size === objects.length) return;
    const taken = consumed
      .flatMap((at) => args[at])
      .find((value) => objects.indexOf(value) !== objects.lastIndexOf(value));
    const index = generation.classes.findIndex((made) => isInstance(taken, made));
    if (index < 0) return;
    throw new Refusal(this.module.host.stale(this.module.description.classes[index].name, this.consumer(name), name));
  }

  /** @param {number} id of an object @returns {string} what consumed it; empty: nothing did */
  consumerOf(id) {
    const movedBy = this.moved.get(id);
    return movedBy ? this.consumer(movedBy) : "";
  }

  /** @param {string} call empty: something consumed an object outside of all calls @returns {string} */
  consumer(call) {
    return call ? `${this.module.name}.${call}` : "Rust";
  }

  /**
   * The glue's object behind a number, for JavaScript itself: what a callback returns, what a promise brings. The call that
   * runs looks whether it was consumed; where none runs, nobody can tell what consumed it.
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

  /** Might it be another than the one that was made, before its generation was gone? Asked once. @param {number} id */
  wasChanged(id) {
    return this.changed.delete(id);
  }

  /** @param {Generation} generation @param {number[]} ids @param {Lane} lane @param {boolean} [changes] */
  noteMoved(generation, ids, lane, changes = true) {
    for (const id of ids) {
      if (changes) this.changed.add(id);
      const object = generation.objects.get(id);
      if (object === undefined || pointerOf(object) !== 0) continue;
      generation.objects.delete(id);
      this.changed.delete(id);
      this.moved.set(id, lane.name);
    }
  }

  /** May a call in flight, or one that runs, still borrow that object? @param {number} id */
  isBusy(id) {
    return this.holderOf(this.module.generation, id, null) !== "";
  }

  /**
   * Frees an object, once. One that Rust still borrows is left to JavaScript's collector, because glue frees it without
   * harm only from there.
   * @param {number} generation the number of the one that made it
   * @param {number} id @param {string} className
   * @returns {string} what had consumed it before; empty: nothing
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
    this.module.call({ name: `${className}.free` }, () => /** @type {any} */ (object).free?.());
    return "";
  }

  /**
   * What a value is that an export gave without saying so, as [role, number]: an
   * object of an exported class, a Rust closure, a promise (and its call); or null.
   * @param {any} value
   * @returns {[string, number, string?] | null}
   */
  adopt(value) {
    const { generation } = this.module;
    if (isInstance(value, Thenable)) return this.adopt(value.object);
    if (isRustClosure(value)) return ["closure", generation.keep(value)];
    if (isInstance(value, InFlight)) return ["promise", value.id, value.name];
    if (isInstance(value, Promise)) return ["promise", this.module.track(value, { name: "", path: "" })];
    const index = generation.classes.findIndex((type) => isInstance(value, type));
    return index < 0
      ? null
      : [this.module.description.classes[index].name, generation.ids.get(value) ?? generation.keep(value)];
  }

  /** Is that an object of the current generation's, or a closure that it handed out? @param {any} value */
  made(value) {
    const { generation } = this.module;
    return this.owns(value) || generation.objects.has(/** @type {number} */ (generation.ids.get(value)));
  }

  /** Is that an object of an exported class? @param {unknown} value */
  owns(value) {
    return this.module.generation.classes.some((made) => isInstance(value, made));
  }

  /** Nobody holds that closure any more. @param {number} id */
  forget(id) {
    const { objects, ids } = this.module.generation;
    this.changed.delete(id);
    ids.delete(/** @type {any} */ (objects.get(id)));
    objects.delete(id);
  }
}

/** @param {any} object a glue object @returns {unknown} 0 once it was freed or moved; glue up to 2023 calls it `ptr` */
function pointerOf(object) {
  return object.__wbg_ptr ?? object.ptr;
}

/** @param {any} value a closure as glue wraps it; before 2025 it carries its state as `original` */
export function isRustClosure(value) {
  if (typeof value !== "function") return false;
  try {
    return typeof value._wbg_cb_unref === "function" || typeof value.original?.cnt === "number";
  } catch {
    return false; // a proxy that throws when it is looked at
  }
}
