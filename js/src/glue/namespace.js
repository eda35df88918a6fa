/**
 * Glue that was imported: it has no source text, but its functions and classes
 * do. A bundler may have renamed everything but what they are exported as.
 */

import { readGlue } from "./glue.js";

/** @import {Glue} from "../types.js" */

// Not exports of Rust: the init functions, and what bundlers add.
const SKIPPED = /^(initSync|default|__esModule|module\.exports)$/;
const CLASS = /^class\b(\s+(?!extends\b)[^\s{]+)?(\s+extends\s+[^\s{(]+)?\s*\{/;
const FUNCTION = /^(async\s+)?function\b|^[^{]*=>/;
const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;

/**
 * What a bundler's interoperation with CommonJS wrapped once more.
 * @param {Record<string, any>} given
 * @returns {Record<string, any>}
 */
export function unwrapNamespace(given) {
  const wrapped = typeof given.initSync !== "function" && typeof given.default?.initSync === "function";
  return wrapped ? given.default : given;
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
    // The first function that assigns the instance's exports tells the variable that holds them.
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
