/**
 * Gives all variables of a package's modules names that fit into one scope. Glue keeps its names as far as possible,
 * because its description is read from them.
 */

import { hiding } from "./scope.js";

/** @import {Module} from "./graph.js" */
/** @import {Linkage, Meaning} from "./bindings.js" */
/** @import {Mention, Variable} from "./scope.js" */
/** @typedef {{start: number, end: number, text: string}} Edit */

/** What a factory (glue/factory.js) declares, and words that are no names of variables. */
const TAKEN =
  "$imports $meta $import $store $subarray $place $replaced $default WebAssembly Promise FinalizationRegistry " +
  "Int8Array Uint8Array " +
  "Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array " +
  "BigUint64Array DataView initSync await arguments eval";

export class Names {
  /** @param {Linkage} linkage @param {Module[]} modules those first that keep their names first */
  constructor(linkage, modules) {
    this.linkage = linkage;
    /** @type {Map<Variable, string>} */
    this.final = new Map();
    /** @type {Map<Module, string>} the variables that hold namespace objects */
    this.namespaces = new Map();
    /** All names that occur anywhere: a new one meets none of them. */
    this.taken = new Set(TAKEN.split(" "));
    /** Names that mean something outside of the modules. */
    const globals = new Set(this.taken);
    for (const { scope } of linkage.bindings.values()) {
      for (const name of scope.names) this.taken.add(name);
      for (const name of scope.globals.keys()) globals.add(name);
    }
    this.used = globals;
    for (const module of modules) {
      const { imports, unnamed, scope } = linkage.of(module);
      for (const [key, variable] of scope.top) {
        if (imports.has(key)) continue;
        const isFree = variable !== unnamed && !this.used.has(variable.name);
        this.final.set(variable, isFree ? variable.name : this.fresh(variable.name));
        this.used.add(this.of(variable));
      }
    }
  }

  /** @param {Variable} variable @returns {string} */
  of(variable) {
    return /** @type {string} */ (this.final.get(variable));
  }

  /** A name that occurs nowhere. @param {string} base */
  fresh(base) {
    let name = base.includes("$") ? base : `${base}$1`;
    for (let count = 1; this.taken.has(name) || this.used.has(name); count++) name = `${base}$${count}`;
    this.taken.add(name);
    return name;
  }

  /** @param {Module} module @returns {string} the variable that holds its namespace object */
  namespace(module) {
    let name = this.namespaces.get(module);
    if (!name) {
      name = this.fresh("$namespace");
      this.namespaces.set(module, name);
    }
    return name;
  }

  /**
   * The expression that stands for what an import means.
   * @param {Meaning} meaning @param {(module: Module, name: string) => string} wasmText
   */
  expression(meaning, wasmText) {
    if ("variable" in meaning) return this.of(meaning.variable);
    return "namespace" in meaning ? this.namespace(meaning.namespace) : wasmText(meaning.wasm, meaning.name);
  }

  /**
   * The edits that give the names of a module their new ones.
   * @param {Module} module @param {(module: Module, name: string) => string} wasmText
   * @returns {Edit[]}
   */
  edits(module, wasmText) {
    const { scope, imports } = this.linkage.of(module);
    /** @type {Map<Variable, string>} */
    const inner = new Map();
    /** @type {Edit[]} */
    const edits = [];
    for (const [key, variable] of scope.top) {
      const reference = imports.get(key);
      const name = reference ? this.expression(this.linkage.imported(module, reference), wasmText) : this.of(variable);
      if (name === variable.name) continue;
      const [root] = /** @type {RegExpExecArray} */ (/^\(?[\w$]+|^/.exec(name));
      for (const hidden of hiding(variable.mentions, root))
        if (!inner.has(hidden)) inner.set(hidden, this.fresh(hidden.name));
      edits.push(...variable.mentions.map((mention) => renaming(mention, name)));
    }
    for (const [variable, name] of inner) edits.push(...variable.mentions.map((mention) => renaming(mention, name)));
    return edits;
  }
}

/** @param {Mention} mention @param {string} text @returns {Edit} */
export function renaming({ start, end, name, isShort }, text) {
  return { start, end, text: isShort ? `${name}: ${text}` : text };
}
