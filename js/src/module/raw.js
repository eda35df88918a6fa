/**
 * Memories and globals that a Wasm file without glue exports. Whoever reads or writes them does so in the generation
 * that lives now, as a call does: a dead one is replaced first, and what is written can be undone with the call around.
 */

import { call } from "./call.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {Generation} from "../instance/generation.js" */

/**
 * @template T
 * @param {ModuleCore} module @param {string} name of the export @param {(value: any, generation: Generation) => T} use
 * @returns {T}
 */
export function access(module, name, use) {
  return call(module, { name, path: name }, (generation) => use(generation.exports[name], generation));
}

/** How many bytes of a memory the module knows of. @param {ModuleCore} module @param {string} name */
export function memoryLength(module, name) {
  return access(module, name, ({ buffer }, generation) => {
    // Behind the memory of a new instance are the marks of what it writes (shadow.js).
    const { table = 0, tableEnd = 0 } = shadowOf(generation, buffer) ?? {};
    return buffer.byteLength === tableEnd ? table : buffer.byteLength;
  });
}

/** A copy of a part. @param {ModuleCore} module @param {string} name @param {number} from @param {number} to */
export function readMemory(module, name, from, to) {
  return access(module, name, ({ buffer }) => new Uint8Array(buffer).slice(from, to));
}

/**
 * @param {ModuleCore} module @param {string} name @param {number} at @param {Uint8Array} bytes
 * @returns {boolean} false: the marks are there, and nothing was written
 */
export function writeMemory(module, name, at, bytes) {
  return access(module, name, ({ buffer }, generation) => {
    const shadow = shadowOf(generation, buffer);
    if (shadow && at < shadow.tableEnd && at + bytes.length > shadow.table) return false;
    shadow?.mark(at, bytes.length);
    new Uint8Array(buffer).set(bytes, at);
    return true;
  });
}

/** @param {Generation} generation @param {ArrayBuffer} buffer of a memory; only one of them can be undone */
function shadowOf({ holder }, buffer) {
  return holder?.shadow?.memory.buffer === buffer ? holder.shadow : null;
}
