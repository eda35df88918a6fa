/** `FinalizationRegistry` as glue sees it. */

/** @import {Holder, Registration} from "../types.js" */

/**
 * It is made when it is first used. Glue makes one for each class and one for closures, and most generations use none
 * of them. To make them took a fifth of the time for a generation.
 */
export class LazyRegistry {
  /** @param {(held: any) => void} clean */
  constructor(clean) {
    this.clean = clean;
    /** @type {FinalizationRegistry<unknown> | null} */
    this.registry = null;
  }

  /** @param {object} target @param {unknown} held @param {object} [token] */
  register(target, held, token) {
    this.registry ??= new FinalizationRegistry(this.clean);
    this.registry.register(target, held, token);
  }

  /** @param {object} token */
  unregister(token) {
    return this.registry?.unregister(token) ?? false;
  }
}

/**
 * A registry for glue whose calls can be rolled back: the transaction notes which finalizers come and go. Glue gives
 * each registration a token: the object itself, or the state of a closure.
 * @param {Holder} holder of the transaction @returns {typeof LazyRegistry}
 */
export function notingRegistry(holder) {
  return class NotingRegistry extends LazyRegistry {
    /** @param {(held: any) => void} clean */
    constructor(clean) {
      super(clean);
      /** @type {WeakMap<object, Registration>} */
      this.registrations = new WeakMap();
    }

    /** @override @param {object} target @param {any} held @param {object} token */
    register(target, held, token) {
      super.register(target, held, token);
      const isClosure = typeof held === "object" && held !== null;
      const copy = isClosure ? { ...held } : null;
      const registration = { registry: this, target: new WeakRef(target), held, copy };
      this.registrations.set(token, registration);
      holder.transaction?.noteRegistered(token, registration);
    }

    /** @override @param {object} token */
    unregister(token) {
      const registration = this.registrations.get(token);
      if (registration) holder.transaction?.noteUnregistered(token, registration);
      // What is freed twice is not Rust's twice.
      this.registrations.delete(token);
      return super.unregister(token);
    }
  };
}
