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
 * A registry for glue whose calls can be rolled back. The transaction notes which finalizers come and go, and the
 * holder has those that may still run. Glue gives each registration a token: the object itself, or a closure's state.
 * @param {Holder} holder of the transaction @returns {typeof LazyRegistry}
 */
export function notingRegistry(holder) {
  return class NotingRegistry extends LazyRegistry {
    /** @param {(held: any) => void} clean */
    constructor(clean) {
      // One that went back to a state without that object must not free what has its address there.
      super((registration) => {
        if (holder.live.delete(registration)) clean(registration.held);
      });
      this.free = clean;
      /** @type {WeakMap<object, Registration>} */
      this.registrations = new WeakMap();
    }

    /** @override @param {object} target @param {any} held @param {object} token */
    register(target, held, token) {
      // The token of a closure is its state; that of an object is the object itself.
      const copy = held === token ? { ...held } : null;
      const registration = { registry: this, target: new WeakRef(target), held, copy };
      this.renew(target, registration, token);
      holder.transaction?.noteRegistered(token, registration);
    }

    /**
     * Registers what was registered before.
     * @param {object} target @param {Registration} given @param {object} token
     */
    renew(target, given, token) {
      super.register(target, given, token);
      this.registrations.set(token, given);
      holder.live.add(given);
    }

    /** @override @param {object} token */
    unregister(token) {
      const registration = this.registrations.get(token);
      if (registration && holder.live.delete(registration)) holder.transaction?.noteUnregistered(token, registration);
      // What is freed twice is not Rust's twice.
      this.registrations.delete(token);
      return super.unregister(token);
    }
  };
}

/** @param {any} object the glue's @param {number} address */
function setPointer(object, address) {
  if ("__wbg_ptr" in object) object.__wbg_ptr = address;
  else object.ptr = address;
}

/**
 * Rust does not know that object or closure any more: what reaches it later must not call Rust with its address.
 * @param {any} token @param {any} held
 */
export function disown(token, held) {
  if (token === held) held.a = 0;
  else setPointer(token, 0);
}

/** An object or closure that was freed is Rust's again. @param {any} token @param {Registration} registration */
export function own(token, registration) {
  const { registry, target, held, copy } = registration;
  if (token === held) Object.assign(held, copy);
  else setPointer(token, held.ptr ?? held); // glue that can be reset keeps the instance's number beside it
  const object = target.deref();
  if (object === undefined) return;
  registry.unregister(token);
  registry.renew(object, registration, token);
}
