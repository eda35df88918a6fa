/** Which variable each import and each export means, by the rules of ES modules. */

import { GlueError } from "../shared/errors.js";
import { nameOf } from "./graph.js";
import { readScope } from "./scope.js";

/** @import {Module} from "./graph.js" */
/** @import {ModuleScope, Variable} from "./scope.js" */

/** What an export means. A Wasm file's is no variable, but a property of its instance's exports. */
/** @typedef {{variable: Variable} | {namespace: Module} | {wasm: Module, name: string}} Meaning */
/** @typedef {{from: Module | null, name: string}} Reference from: null for another package; name: "*" for all of it */

const AMBIGUOUS = Symbol("ambiguous");
/** The variable that holds a default export which has no name. */
const DEFAULT = "*default*";

/** What a module declares, imports and exports. */
export class Bindings {
  /** @param {Module} module */
  constructor(module) {
    this.module = module;
    /** @type {ModuleScope} */
    this.scope = readScope(module.program);
    /** @type {Map<string, Reference>} by local name */
    this.imports = new Map();
    /** @type {Map<string, Reference | {local: string}>} by exported name */
    this.exports = new Map();
    /** @type {Module[]} modules of which all is exported */
    this.stars = [];
    for (const statement of module.program.body) this.read(statement);
  }

  /** @param {any} statement */
  read({ type, source, specifiers = [], declaration, exported }) {
    const from = source ? (this.module.dependencies.get(source.value) ?? null) : null;
    if (type === "ImportDeclaration") {
      for (const { type: kind, local, imported } of specifiers) {
        const name = kind === "ImportNamespaceSpecifier" ? "*" : imported ? nameOf(imported) : "default";
        // A CommonJS module that requires another one gets what that one exports, not a namespace.
        const isRequired = name === "*" && this.module.commonJs && from?.commonJs;
        this.imports.set(local.name, { from, name: isRequired ? "default" : name });
      }
    } else if (type === "ExportAllDeclaration") {
      if (exported) this.exports.set(nameOf(exported), { from, name: "*" });
      else if (from) this.stars.push(from);
    } else if (type === "ExportDefaultDeclaration") {
      const name = /Declaration$/.test(declaration.type) && declaration.id ? declaration.id.name : DEFAULT;
      if (name === DEFAULT)
        this.scope.top.set(DEFAULT, { name: "$default", kind: "const", mentions: [], isSet: false });
      this.exports.set("default", { local: name });
    } else if (type === "ExportNamedDeclaration") {
      for (const { local, exported: as } of specifiers)
        this.exports.set(nameOf(as), source ? { from, name: nameOf(local) } : { local: local.name });
      if (!declaration) return;
      for (const name of declaration.id ? [declaration.id.name] : namesOf(declaration))
        this.exports.set(name, { local: name });
    }
  }

  /** The variable of an unnamed default export. @returns {Variable | undefined} */
  get unnamed() {
    return this.scope.top.get(DEFAULT);
  }
}

/** @param {any} declaration of variables @returns {string[]} */
function namesOf({ declarations }) {
  const names = [];
  const parts = declarations.map((/** @type {any} */ { id }) => id);
  for (let node = parts.shift(); node; node = parts.shift()) {
    if (node.type === "Identifier") names.push(node.name);
    else if (node.type === "AssignmentPattern") parts.push(node.left);
    else if (node.type === "RestElement") parts.push(node.argument);
    else if (node.type === "ArrayPattern") parts.push(...node.elements.filter(Boolean));
    else parts.push(...node.properties.map((/** @type {any} */ property) => property.value ?? property));
  }
  return names;
}

/** The bindings of all modules. */
export class Linkage {
  /** @param {Module[]} modules */
  constructor(modules) {
    /** @type {Map<Module, Bindings>} */
    this.bindings = new Map(modules.map((module) => [module, new Bindings(module)]));
  }

  /** @param {Module} module @returns {Bindings} */
  of(module) {
    return /** @type {Bindings} */ (this.bindings.get(module));
  }

  /**
   * What a name means that a module imports, or exports from another one.
   * @param {Module} module @param {Reference} reference
   * @returns {Meaning}
   * @throws {GlueError} it means nothing
   */
  imported(module, { from, name }) {
    const meaning = this.follow({ from, name }, new Map());
    if (meaning !== null && meaning !== AMBIGUOUS) return /** @type {Meaning} */ (meaning);
    throw new GlueError(
      `${module.url} imports ${JSON.stringify(name)} from ${from?.url}, which ` +
        `${meaning ? "gets two different exports of that name from others" : "does not export it"}.`,
    );
  }

  /** Throws if one of the exports means nothing. @param {Module} module */
  checkExports(module) {
    for (const reference of this.of(module).exports.values()) {
      if (!("local" in reference)) this.imported(module, reference);
    }
  }

  /** @param {Module} module @param {string} name @returns {Meaning | null} null: it is no export of the module */
  exported(module, name) {
    const meaning = this.resolve(module, name, new Map());
    return meaning === AMBIGUOUS ? null : /** @type {Meaning | null} */ (meaning);
  }

  /**
   * @param {Reference} reference @param {Map<Module, Set<string>>} seen
   * @returns {Meaning | typeof AMBIGUOUS | null}
   */
  follow({ from, name }, seen) {
    if (!from) return null;
    if (name !== "*") return this.resolve(from, name, seen);
    return from.wasm === null ? { namespace: from } : { wasm: from, name };
  }

  /**
   * ResolveExport of the language's specification.
   * @param {Module} module @param {string} name @param {Map<Module, Set<string>>} seen
   * @returns {Meaning | typeof AMBIGUOUS | null}
   */
  resolve(module, name, seen) {
    if (module.wasm !== null) return { wasm: module, name };
    const names = seen.get(module) ?? new Set();
    if (names.has(name)) return null;
    seen.set(module, names.add(name));
    const { exports, stars } = this.of(module);
    const own = exports.get(name);
    if (own) return "local" in own ? this.local(module, own.local, seen) : this.follow(own, seen);
    if (name === "default") return null;
    /** @type {Meaning | null} */
    let first = null;
    for (const star of stars) {
      if (star.wasm !== null) continue; // its exports are for the glue
      const meaning = this.resolve(star, name, seen);
      if (meaning === AMBIGUOUS) return AMBIGUOUS;
      if (meaning === null) continue;
      if (first !== null && !isSame(first, /** @type {Meaning} */ (meaning))) return AMBIGUOUS;
      first = /** @type {Meaning} */ (meaning);
    }
    return first;
  }

  /** @param {Module} module @param {string} local @param {Map<Module, Set<string>>} seen */
  local(module, local, seen) {
    const { imports, scope } = this.of(module);
    const reference = imports.get(local);
    if (reference) return this.follow(reference, seen);
    const variable = scope.top.get(local);
    if (variable) return { variable };
    throw new GlueError(`${module.url} exports ${local}, which it does not declare.`);
  }

  /**
   * The names that a module exports, those of other modules included.
   * @param {Module} module @param {Set<Module>} [seen]
   * @returns {Set<string>}
   */
  names(module, seen = new Set()) {
    if (seen.has(module) || module.wasm !== null) return new Set();
    seen.add(module);
    const { exports, stars } = this.of(module);
    const names = new Set(exports.keys());
    for (const star of stars) for (const name of this.names(star, seen)) if (name !== "default") names.add(name);
    return names;
  }
}

/** @param {Meaning} one @param {Meaning} other */
function isSame(one, other) {
  const [first, second] = /** @type {any[]} */ ([one, other]);
  return first.variable === second.variable && first.namespace === second.namespace && first.wasm === second.wasm;
}
