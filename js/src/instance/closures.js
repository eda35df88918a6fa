/** Rust closures, as the glue wraps them in JavaScript functions. */

/**
 * Is that function a Rust closure? Glue before 2025 keeps the closure's state in a property `original`.
 * @param {any} value
 */
export function isRustClosure(value) {
  if (typeof value !== "function") return false;
  try {
    return typeof value._wbg_cb_unref === "function" || typeof value.original?.cnt === "number";
  } catch {
    return false; // a proxy that throws when it is looked at
  }
}

/** @import {Entries} from "../types.js" */

/** The closures of one generation, by what JavaScript got in their place. */
export class LentClosures {
  constructor() {
    /** @type {WeakMap<Function, {closure: any, serial: number}> | null | undefined} null: the generation is dead */
    this.originals = undefined;
    /** How many closures were lent. */
    this.count = 0;
    /**
     * The closures that the present state of the module does not have, because it went back to an earlier one: the
     * serial number of the first, and that after the last.
     * @type {readonly (readonly [number, number])[]}
     */
    this.undone = [];
    /** @type {Entries | null} what calls of closures go through, in a module that can be rolled back */
    this.entries = null;
  }

  /** @param {Function} lent @param {any} closure */
  add(lent, closure) {
    if (this.originals !== null) (this.originals ??= new WeakMap()).set(lent, { closure, serial: this.count++ });
  }

  /** @param {Function} lent @returns {any} undefined: there is no such closure any more */
  find(lent) {
    return this.isUndone(lent) ? undefined : this.originals?.get(lent)?.closure;
  }

  /** Is that a closure that the present state does not have? @param {any} lent */
  isUndone(lent) {
    const serial = this.undone.length > 0 ? this.originals?.get(lent)?.serial : undefined;
    return serial !== undefined && this.undone.some(([first, end]) => serial >= first && serial < end);
  }
}
