/**
 * Follows the imports of a package's entry: which files it consists of, and which of them is glue. Only what the files
 * import from beside themselves is followed, because nobody says where another package lies.
 */

import { readExports } from "../glue/exports.js";
import { BINDGEN, explainParseError } from "../glue/formats.js";

import { instantiatingFunctions, topLevelBindings, wasmVariable } from "../glue/glue.js";
import { findNode, isFunction, isMember, parseModule, walk } from "../glue/syntax.js";
import { commonJsToModule, isCommonJs, isExports } from "../glue/targets/commonjs.js";
import { toWeb } from "../glue/targets/index.js";
import { withoutPhase } from "../glue/targets/sourcePhase.js";
import { importDestructured } from "./destructuring.js";

/** @import {FileRead} from "../types.js" */

/**
 * A file of a package.
 * @typedef {object} Module
 * @property {string} url
 * @property {string} source as an ES module; glue: as glue for the web
 * @property {any} program
 * @property {{start: number, end: number, value: string}[]} comments
 * @property {Map<string, Module>} dependencies by the names that it gives them
 * @property {{target: string, wasmPath?: string, wasm?: Uint8Array<ArrayBuffer>} | null} glue
 * @property {{program: any, source: string} | null} commonJs what it was written as
 * @property {string | null} wasm it is a Wasm file; the query of its URL tells what its default export is
 */
/**
 * @typedef {{entry: Module, modules: Module[], bare: {module: Module, name: string}[]}} Graph modules: in order of
 *   evaluation
 */
/** @typedef {FileRead | {error: unknown}} Answer */

const RELATIVE = /^(?:\.{0,2}\/|https?:|file:|blob:|data:)/;
const HAS_ENDING = /\.(?:[cm]?js|json|wasm)$/;

/**
 * @param {{source: string, url: string}} entry
 * @returns {Generator<string[], Graph, Answer[]>} yields URLs of files, which may be read at the same time
 */
export function* follow({ source, url }) {
  const following = new Following();
  const entry = following.add(url, makeModule(source, url));
  for (let level = [entry]; level.length; ) level = yield* following.next(level);
  following.finish(entry);
  return { entry, modules: inOrder(entry), bare: following.bare };
}

class Following {
  constructor() {
    /** @type {Map<string, Module>} by URL */
    this.known = new Map();
    /** @type {{module: Module, name: string}[]} imports of other packages */
    this.bare = [];
  }

  /** @param {string} url @param {Module} module */
  add(url, module) {
    this.known.set(url, module);
    return module;
  }

  /**
   * Reads what some modules import.
   * @param {Module[]} importers
   * @returns {Generator<string[], Module[], Answer[]>} the modules that were new
   */
  *next(importers) {
    const before = new Set(this.known.values());
    /** @type {{module: Module, name: string, places: string[]}[]} */
    let waiting = [];
    for (const module of importers) {
      for (const name of importedNames(module.program)) {
        if (RELATIVE.test(name)) waiting.push({ module, name, places: placesOf(new URL(name, module.url).href) });
        else this.bare.push({ module, name });
      }
    }
    while (waiting.length) {
      waiting = waiting.filter((wanted) => !this.isKnown(wanted));
      const urls = [...new Set(waiting.map(({ places }) => places[0]))];
      const answers = urls.length ? yield urls : [];
      urls.forEach((url, at) => {
        this.take(url, answers[at]);
      });
      for (const wanted of waiting) {
        const answer = answers[urls.indexOf(wanted.places[0])];
        if ("error" in answer && !this.isKnown(wanted)) this.tryNext(wanted, answer.error);
      }
    }
    return [...new Set(this.known.values())].filter((module) => !before.has(module));
  }

  /** @param {{module: Module, name: string, places: string[]}} wanted */
  isKnown({ module, name, places: [place] }) {
    const found = this.known.get(place) ?? withoutReading(place);
    if (!found) return false;
    this.add(place, found);
    module.dependencies.set(name, found);
    return true;
  }

  /** @param {string} url @param {Answer} answer */
  take(url, answer) {
    if ("error" in answer) return;
    const found = this.known.get(answer.url) ?? makeModule(new TextDecoder().decode(answer.bytes), answer.url);
    this.add(answer.url, found);
    this.add(url, found);
  }

  /** @param {{module: Module, name: string, places: string[]}} wanted @param {unknown} error */
  tryNext({ module, name, places }, error) {
    places.shift();
    if (places.length) return;
    throw unreadable(module.url, name, error);
  }

  /**
   * Gives CommonJS modules their exports: those that the package's files ask for, and those that they tell.
   * @param {Module} entry
   */
  finish(entry) {
    const modules = new Set(this.known.values());
    /** @type {Map<Module, Set<string>>} */
    const wanted = new Map();
    const want = (/** @type {Module | undefined} */ module, /** @type {string[]} */ names) => {
      if (module?.commonJs) wanted.set(module, new Set([...(wanted.get(module) ?? []), ...names]));
    };
    for (const module of modules) {
      for (const { source, specifiers = [] } of module.program.body) {
        if (!source) continue;
        const names = specifiers.map((/** @type {any} */ { imported, local, type }) =>
          type === "ExportSpecifier" ? nameOf(local) : nameOf(imported),
        );
        want(module.dependencies.get(source.value), names.filter(Boolean));
      }
    }
    want(entry, []);
    for (const module of modules) {
      if (!module.commonJs) continue;
      const { program, source } = module.commonJs;
      const names = new Set([...(wanted.get(module) ?? []), ...this.namesOf(module)]);
      names.delete("default");
      module.source = commonJsToModule(program, source, [...names]);
      Object.assign(module, parseModule(module.source));
    }
  }

  /**
   * The names of the exports of a CommonJS module, as far as its text tells them.
   * @param {Module} module @param {Set<Module>} [seen] @returns {string[]}
   */
  namesOf(module, seen = new Set()) {
    if (seen.has(module)) return [];
    seen.add(module);
    if (!module.commonJs) return readExports(module.program).map(({ name }) => name);
    /** @type {string[]} */
    const names = [];
    const variables = requiredVariables(module.commonJs.program);
    const from = (/** @type {any} */ given) => {
      const node = variables.get(given?.name) ?? given;
      const isRequired = node?.type === "CallExpression" && node.callee.name === "require";
      const dependency = isRequired && module.dependencies.get(node.arguments[0]?.value);
      if (dependency) names.push(...this.namesOf(dependency, seen));
    };
    walk(module.commonJs.program, ({ type, left, right, callee, arguments: args }) => {
      if (type === "AssignmentExpression" && left.type === "MemberExpression") {
        const name = left.computed ? left.property.value : left.property.name;
        if (isExports(left.object) && typeof name === "string") names.push(name);
        if (isMember(left, "module", "exports")) {
          from(right);
          for (const { key, argument, computed } of right.properties ?? []) {
            if (argument) from(argument);
            else if (!computed) names.push(nameOf(key));
          }
        }
      }
      // `Object.assign(exports, require("./a"))`, and what compilers write: `__exportStar(require("./a"), exports)`.
      if (type === "CallExpression" && args.some(isExports)) args.map(from);
      if (type === "CallExpression" && isMember(callee, "Object", "defineProperty") && isExports(args[0]))
        if (typeof args[1]?.value === "string") names.push(args[1].value);
    });
    return names.filter((name) => name !== "__esModule");
  }
}

/**
 * What the variables of a CommonJS module hold that a whole other one is required for: `const a = require("./a")`.
 * @param {any} program @returns {Map<string | undefined, any>}
 */
function requiredVariables({ body }) {
  const declarators = body.flatMap((/** @type {any} */ { declarations = [] }) => declarations);
  return new Map(
    declarators
      .filter((/** @type {any} */ { id, init }) => id.type === "Identifier" && init?.type === "CallExpression")
      .map((/** @type {any} */ { id, init }) => [id.name, init]),
  );
}

/**
 * The error that says who imports a file that is not there.
 * @param {string} url of the importer @param {string} name what it imports @param {any} error of the reading
 */
export function unreadable(url, name, error) {
  error.message = `${url} imports ${JSON.stringify(name)}, which cannot be read: ${error.message}`;
  return error;
}

/** The name that an import or an export gives. @param {any} node */
export const nameOf = (node) => node?.name ?? node?.value;

/**
 * Where a file may lie. Bundlers find `./math` as `./math.js`, and `./shapes` as `./shapes/index.js`. A file without an
 * ending comes last: packages have none, and a server needs a while to say so.
 * @param {string} url
 */
function placesOf(url) {
  if (url.startsWith("data:") || HAS_ENDING.test(new URL(url).pathname)) return [url];
  const [, path, query] = /** @type {RegExpExecArray} */ (/^([^?#]*)(.*)$/s.exec(url));
  const folder = path.replace(/\/$/, "");
  const inside = [`${folder}/index.js${query}`, `${folder}/index.mjs${query}`];
  return path.endsWith("/") ? inside : [`${path}.js${query}`, inside[0], `${path}.mjs${query}`, inside[1], url];
}

/** A module that is known by its URL alone. @param {string} url */
function withoutReading(url) {
  if (/^data:application\/wasm\b/.test(url)) return { ...makeModule("", url), wasm: "" };
  if (url.startsWith("data:")) return makeModule(textOfData(url), url);
  const { pathname, search } = new URL(url);
  return pathname.endsWith(".wasm") ? { ...makeModule("", url), wasm: search } : null;
}

/** @param {string} url of the scheme `data:` */
function textOfData(url) {
  const [, type, data] = /** @type {RegExpExecArray} */ (/^data:([^,]*),(.*)$/s.exec(url));
  if (!/;\s*base64$/.test(type)) return decodeURIComponent(data);
  return new TextDecoder().decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
}

/** The modules that a program imports and exports from, each once. @param {any} program @returns {Set<string>} */
function importedNames({ body }) {
  return new Set(
    body.filter((/** @type {any} */ { source }) => source).map((/** @type {any} */ { source }) => String(source.value)),
  );
}

/** The modules that a module imports, in the order of its text. @param {Module} module @returns {Module[]} */
function dependenciesOf({ program, dependencies }) {
  return [...importedNames(program)].flatMap((name) => dependencies.get(name) ?? []);
}

/** @param {string} text @param {string} url @returns {Module} */
function makeModule(text, url) {
  const bare = { url, dependencies: new Map(), glue: null, commonJs: null, wasm: null };
  let source = withoutPhase(text);
  if (/\.json$/.test(url.replace(/[?#].*/, ""))) source = `module.exports = ${text};`;
  const parsed = parse(source, url);
  const web = toWeb(parsed.program, text, url);
  if (web && (web.target !== "bundler" || callsWasm(parsed.program))) {
    const { source: written, ...glue } = web;
    return { ...bare, source: written, ...parse(written, url), glue };
  }
  if (isCommonJs(parsed.program, source)) {
    const written = commonJsToModule(parsed.program, source, []);
    return { ...bare, source: written, ...parse(written, url), commonJs: { program: parsed.program, source } };
  }
  const direct = importDestructured(parsed.program, source);
  if (direct !== source) return { ...bare, source: direct, ...parse(direct, url) };
  return { ...bare, source, ...parsed, glue: isWebGlue(parsed.program, source) ? { target: "web" } : null };
}

/** @param {string} source @param {string} url */
function parse(source, url) {
  try {
    return parseModule(source);
  } catch (error) {
    throw explainParseError(url, error);
  }
}

/** Does it call more of an instance than its start? Entries call that alone. @param {any} program */
function callsWasm(program) {
  const isExport = (/** @type {any} */ { type, object, computed, property }) =>
    type === "MemberExpression" && object.type === "Identifier" && !computed && property.name !== "__wbindgen_start";
  const functions = program.body
    .map((/** @type {any} */ statement) => statement.declaration ?? statement)
    .filter((/** @type {any} */ node) => isFunction(node) || node.type === "ClassDeclaration");
  const variables = new Set(
    program.body
      .flatMap((/** @type {any} */ { type, specifiers, source, declaration, ...statement }) => {
        if (type === "ImportDeclaration" && /\.wasm$/.test(source.value)) return specifiers;
        const { declarations = [] } = declaration ?? statement;
        return declarations.map((/** @type {any} */ { id }) => ({ local: id }));
      })
      .map((/** @type {any} */ { local }) => local.name),
  );
  return functions.some((/** @type {any} */ node) =>
    findNode(
      node,
      ({ type, callee }) => type === "CallExpression" && isExport(callee) && variables.has(callee.object.name),
    ),
  );
}

/** @param {any} program @param {string} source */
function isWebGlue(program, source) {
  if (!BINDGEN.test(source) || !wasmVariable(program)) return false;
  const bindings = topLevelBindings(program);
  return isFunction(bindings.get("initSync")?.node) || instantiatingFunctions(bindings).length > 0;
}

/**
 * The modules in the order in which they are evaluated: each after those that it imports, unless they import it.
 * @param {Module} entry
 */
function inOrder(entry) {
  /** @type {Module[]} */
  const ordered = [];
  const seen = new Set([entry]);
  const waiting = [{ module: entry, rest: dependenciesOf(entry) }];
  for (let top = waiting.at(-1); top; top = waiting.at(-1)) {
    const next = top.rest.shift();
    if (next === undefined) {
      ordered.push(top.module);
      waiting.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      waiting.push({ module: next, rest: dependenciesOf(next) });
    }
  }
  return ordered;
}
