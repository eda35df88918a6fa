/**
 * A Wasm file without glue: what it exports, as the description of a module, and what it imports, checked and made
 * ready for instances.
 */

import { OWN } from "../instance/exports.js";
import { OWN_MODULE } from "../instance/stopwatch.js";
import { LoadError } from "../shared/errors.js";
import { sharedMemory } from "../shared/messages.js";
import { rawAdapter } from "./adapter.js";
import { readParameterNames } from "./names.js";

/** @import {Adapter, Compiled, Description, Imports, Kind, Signature, WasmInterface} from "../types.js" */

/** @type {Record<string, Kind>} by the type of a value */
const TAKES = { i32: { name: "i32" }, i64: { name: "int64" }, f32: { name: "float" }, f64: { name: "float" } };
/** @type {Record<string, Kind>} */
const GIVES = { ...TAKES, i64: { name: "bigint" } };

/** How many characters of a list a message shows. */
const MOST_SHOWN = 120;

/**
 * @param {Compiled} compiled @param {Imports | undefined} given
 * @returns {Adapter}
 */
export function adaptRaw(compiled, given) {
  const { module, wasm, origin } = compiled;
  if (wasm.sharesMemory) throw sharedMemory(origin);
  const { description, missing } = describeRaw(compiled);
  const imports = checkImports(given, compiled);
  // A mutable global that begins at 7 is no stack pointer: only the rewriter knows which one is.
  const ownWasm = { ...wasm, stackTop: 0 };
  return rawAdapter({ url: origin, imports, module, wasm: ownWasm, description, missing });
}

/**
 * What the module exports, as far as users can use it: functions of numbers, memories and globals.
 * @param {Compiled} compiled
 * @returns {{description: Description, missing: string[]}} missing: the exports that are left out
 */
function describeRaw({ module, wasm, origin }) {
  /** @type {Description} */
  const description = { functions: [], classes: [], constants: [], enums: {}, docs: {}, memories: [], globals: [] };
  description.imports = wasm.imports.flatMap(({ module, name, signature }) =>
    signature && module !== OWN_MODULE ? [{ module, name, ...signature }] : [],
  );
  const missing = [];
  const names = readParameterNames(module);
  for (const { name, kind, index = -1, signature, global } of wasm.exports) {
    if (name.startsWith(OWN) || kind === "table" || kind === "tag") continue;
    if (kind === "function" && !signature) throw unknownTypes(origin);
    if (kind === "function" && signature && isPlain(signature)) {
      const params = signature.params.map((type, at) => ({
        name: names.get(index)?.[at] || `arg${at}`,
        kind: TAKES[type],
        optional: false,
        rest: false,
        consumes: false,
      }));
      const [result] = signature.results;
      const several = signature.results.length > 1;
      description.functions.push({
        name,
        params,
        result: several ? { name: "any" } : (GIVES[result] ?? { name: "void" }),
        isAsync: false,
        doc: "",
      });
    } else if (kind === "memory") description.memories?.push(name);
    else if (kind === "global" && global && TAKES[global.type]) description.globals?.push({ name, ...global });
    else missing.push(name);
  }
  return { description, missing };
}

/** Do only numbers cross? @param {Signature} signature */
const isPlain = ({ params, results }) => [...params, ...results].every((type) => type in TAKES);

/** @param {string} origin */
const unknownTypes = (origin) =>
  new LoadError(
    `${origin} came compiled and does not tell the types of its functions: pass its URL or its bytes instead.`,
  );

/**
 * Checks the imports that the user has given against those that the file wants.
 * @param {Imports | undefined} given @param {Compiled} compiled
 * @returns {WebAssembly.Imports} as instances take them
 * @throws {LoadError} something is missing, superfluous or of the wrong kind; it lists all that is wanted
 */
function checkImports(given = {}, { wasm, origin }) {
  const wanted = wasm.imports.filter(({ module }) => module !== OWN_MODULE);
  const list = wanted.length ? `It imports ${describeImports(wanted)}.` : "It imports nothing: leave `imports` out.";
  /** @type {Record<string, Record<string, any>>} */
  const imports = {};
  const missing = [];
  for (const one of wanted) {
    const { module, name, kind, signature, global } = one;
    const isState = kind === "global" && global?.mutable;
    if (isState || (kind !== "function" && kind !== "global"))
      throw new LoadError(
        `${origin} imports its ${isState ? "mutable global" : kind} (${module}.${name}), which cannot be given: ` +
          "each instance needs its own. Build it so that it exports it.",
      );
    const value = Object.hasOwn(given, module) ? given[module]?.[name] : undefined;
    if (value === undefined) missing.push(one);
    else {
      const problem = mismatch(value, kind, global?.type);
      if (problem) throw new LoadError(`The import ${module}.${name} of ${origin} must be ${problem}. ${list}`);
      imports[module] ??= {};
      if (kind === "function") imports[module][name] = withBigInts(/** @type {Function} */ (value), signature);
      else imports[module][name] = global?.type === "i64" ? BigInt(/** @type {any} */ (value)) : value;
    }
  }
  if (missing.length) throw explainMissing(missing, origin);
  const superfluous = Object.entries(given).flatMap(([module, values]) =>
    Object.keys(values ?? {})
      .filter((name) => !wanted.some((one) => one.module === module && one.name === name))
      .map((name) => `${module}.${name}`),
  );
  if (superfluous.length)
    throw new LoadError(`${origin} does not import ${inBrief(superfluous)}: take that out of \`imports\`. ${list}`);
  return imports;
}

/**
 * @param {unknown} value @param {string} kind @param {string} [type] of a global
 * @returns {string} what it should be; empty: that is what it is
 */
function mismatch(value, kind, type) {
  if (kind === "function") return typeof value === "function" ? "" : `a function, not ${nameType(value)}`;
  if (type === "i64" && typeof value === "number" && !Number.isInteger(value)) return `an integer, not ${value}`;
  return /^(?:number|bigint)$/.test(typeof value) ? "" : `a number, not ${nameType(value)}`;
}

/** @param {unknown} value */
const nameType = (value) => (typeof value === "object" ? Object.prototype.toString.call(value) : typeof value);

/** @param {WasmInterface["imports"]} missing @param {string} origin */
function explainMissing(missing, origin) {
  const wasi = missing.find(({ module }) => /^wasi[_:]/.test(module));
  if (wasi)
    return new LoadError(
      `${origin} was built for WASI (it imports ${wasi.module}.${wasi.name}), which unpanic does not offer. ` +
        "Build it for wasm32-unknown-unknown, without files, clocks and output.",
    );
  return new LoadError(`${origin} needs imports that were not given. Add to \`imports\`: ${describeImports(missing)}.`);
}

/** @param {WasmInterface["imports"]} wanted */
const describeImports = (wanted) => inBrief(wanted.map(describeImport));

/** As many as fit into a line of a terminal, and how many more there are. @param {string[]} items */
function inBrief(items) {
  let length = 0;
  const shown = items.filter((item, at) => (length += item.length + 2) <= MOST_SHOWN || at === 0);
  const more = items.length - shown.length;
  return shown.join(", ") + (more ? ` and ${more} more` : "");
}

/** @param {WasmInterface["imports"][number]} wanted */
function describeImport({ module, name, kind, signature, global }) {
  if (kind === "function") return `${module}.${name}${signature ? describeSignature(signature) : "(…)"}`;
  return `${module}.${name} (a ${kind}${global ? ` of type ${global.type}` : ""})`;
}

/** @param {Signature} signature */
function describeSignature({ params, results }) {
  const result = results.length > 1 ? `(${results.join(", ")})` : results[0];
  return `(${params.join(", ")})${result ? ` -> ${result}` : ""}`;
}

/**
 * The function with results of 64 bits as Wasm takes them: JavaScript makes a bigint of no number by itself.
 * @param {Function} fn @param {Signature | null} signature
 */
function withBigInts(fn, signature) {
  const results = signature?.results ?? [];
  if (!results.includes("i64")) return fn;
  const convert = (/** @type {any} */ value, /** @type {string} */ type) => (type === "i64" ? BigInt(value) : value);
  return (/** @type {unknown[]} */ ...args) => {
    const result = fn(...args);
    if (results.length === 1) return convert(result, results[0]);
    return Array.from(result, (value, at) => convert(value, results[at]));
  };
}
