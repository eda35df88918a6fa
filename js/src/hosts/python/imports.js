/** Python functions as the imports of a Wasm file without glue. */

/** @import {Imports} from "../../types.js" */

/**
 * The functions that Python gives. They exist before there is a module that could call them as callbacks: until they
 * are bound, which is while the start function runs, they are called by themselves.
 */
export class PythonImports {
  /** @param {[module: string, name: string, value: unknown, isPython: boolean][]} given */
  constructor(given) {
    /** @type {{module: string, name: string, call: Function}[]} */
    this.slots = [];
    /** @type {Imports} */
    this.imports = {};
    for (const [module, name, value, isPython] of given) {
      this.imports[module] ??= {};
      this.imports[module][name] = isPython ? this.late(module, name, /** @type {Function} */ (value)) : value;
    }
  }

  /** @param {string} module @param {string} name @param {Function} call */
  late(module, name, call) {
    const slot = { module, name, call };
    this.slots.push(slot);
    // Pyodide makes an int of -0.
    return (/** @type {unknown[]} */ ...args) => slot.call(...args.map((arg) => (Object.is(arg, -0) ? "-0" : arg)));
  }

  /** @param {number} place @param {Function} callback */
  bind(place, callback) {
    this.slots[place].call = callback;
  }
}
