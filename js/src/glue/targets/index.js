/**
 * The targets of wasm-bindgen. Glue for each of them is rewritten as glue for the web, by edits of its text, so that
 * everything else sees one form: a module that exports an `initSync`.
 */

import { bundler } from "./bundler.js";

/**
 * @typedef {object} Target
 * @property {string} name as wasm-bindgen calls it
 * @property {(program: any, source: string) => boolean} matches
 * @property {(program: any, source: string, url: string) => {source: string, wasmPath: string}} toWeb
 */

/** @type {Target[]} */
const TARGETS = [bundler];

/**
 * @param {any} program @param {string} source @param {string} url
 * @returns {{target: string, source: string, wasmPath: string | null}} the text of the glue for the web; wasmPath: null
 *   where that text tells it
 */
export function toWeb(program, source, url) {
  const target = TARGETS.find(({ matches }) => matches(program, source));
  if (!target) return { target: "web", source, wasmPath: null };
  return { target: target.name, ...target.toWeb(program, source, url) };
}
