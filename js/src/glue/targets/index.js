/**
 * The targets of wasm-bindgen. Glue for each of them is rewritten as glue for the web, by edits of its text, so that
 * everything else sees one form: a module that exports an `initSync`.
 */

import { bundler } from "./bundler.js";
import { deno } from "./deno.js";
import { nodejs } from "./nodejs.js";
import { nodejsModule } from "./nodejsModule.js";
import { noModules } from "./noModules.js";
import { sourcePhase } from "./sourcePhase.js";

/**
 * @typedef {{source: string, wasmPath: string, bytes?: Uint8Array | null}} WebText the text of the glue for the web;
 *   bytes: the Wasm file, if it is in the text
 */
/**
 * @typedef {object} Target
 * @property {string} name as wasm-bindgen calls it
 * @property {(program: any, source: string) => boolean} matches
 * @property {(program: any, source: string, url: string) => WebText} toWeb
 */

/** @type {Target[]} */
const TARGETS = [bundler, sourcePhase, nodejsModule, deno, nodejs, noModules];

/**
 * @param {any} program of `withoutPhase(source)` @param {string} source @param {string} url
 * @returns {{target: string, source: string, wasmPath: string, wasm?: Uint8Array<ArrayBuffer>} | null} null: no target
 *   is known that the text was written for
 */
export function toWeb(program, source, url) {
  const target = TARGETS.find(({ matches }) => matches(program, source));
  if (!target) return null;
  const { bytes, ...web } = target.toWeb(program, source, url);
  return { target: target.name, ...web, wasm: /** @type {any} */ (bytes ?? undefined) };
}
