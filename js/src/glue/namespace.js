/**
 * Reads glue that was imported. A namespace has no source text, but its functions and classes do. A bundler may have
 * renamed everything but the names of the exports.
 */

import { readGlue } from "./glue.js";

/** @import {Glue} from "../types.js" */

// These are not exports of Rust: the init functions, and names that bundlers add.
const SKIPPED = /^(initSync|default|__esModule|module\.exports)$/;
const CLASS = /^class\b(\s+(?!extends\b)[^\s{]+)?(\s+extends\s+[^\s{(]+)?\s*\{/;
const FUNCTION = /^(async\s+)?function\b|^[^{]*=>/;
const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;

/**
 * The namespace itself: for CommonJS some bundlers put it into another one, as its default export.
 * @param {Record<string, any>} imported
 * @returns {Record<string, any>}
 */
export function unwrapNamespace(imported) {
  const isWrapped = typeof imported.initSync !== "function" && typeof imported.default?.initSync === "function";
  return isWrapped ? imported.default : imported;
}

/**
 * @param {Record<string, any>} namespace @param {string} url for messages
 * @returns {Glue}
 */
export function readNamespace(namespace, url) {
  const entries = Object.entries(namespace).filter(([name]) => !SKIPPED.test(name));
  const locals = new Map(entries.map(([, value], index) => [value, `$${index}`]));
  const declarations = entries.map(([, value], index) => `const $${index} = ${sourceOf(value, locals)};`);
  const exported = entries.map(([name], index) => `$${index} as ${JSON.stringify(name)}`);
  return readGlue(
    // The variable that holds the instance's exports is known from the first function that assigns them.
    [
      `const reset = ${sourceOf(namespace.__wbg_reset_state, locals)};`,
      "function initSync(instance) { wasm = instance.exports; }",
      ...declarations,
      `export { ${exported.join(", ")} };`,
    ].join("\n"),
    url,
  );
}

/**
 * The source of an exported value, as far as it can be known.
 * @param {unknown} value @param {Map<unknown, string>} locals
 */
function sourceOf(value, locals) {
  if (typeof value !== "function") return "null";
  const source = String(value);
  const base = locals.get(Object.getPrototypeOf(value));
  if (CLASS.test(source)) return base ? source.replace(CLASS, `class extends ${base} {`) : source;
  return FUNCTION.test(source) && !NATIVE.test(source) ? source : "function (...args) { return 0; }";
}
