/**
 * Rewrites a Wasm file so that calls into it can be stopped. The rewriter (rust/rewriter) is a Wasm file itself, with a
 * plain interface of numbers. An instance of it rewrites one file and is thrown away: it is given files of strangers,
 * and whatever happens to it costs that file only.
 */

import { CompileError, LoadError } from "../shared/errors.js";
import { MAGIC } from "./header.js";

/** The section that a rewritten file has. */
const MARK = "unpanic.rewritten";
/** The first byte of that section: how the code is rewritten. */
const FORMAT = 1;
/** What the rewriter is asked for, and the section's second byte: loops and recursion can be stopped. */
export const DEADLINES = 1;
/** Another bit of it: what a call writes can be undone. */
export const ROLLBACK = 2;
/** With ROLLBACK: the same code without marks, for the state of an instance with them. */
const PLAIN = 4;
/** Tells the rewriter that it gets the hash. */
const HAS_HASH = 8;
/** Where the numbers of a tracked module are in the section: after the format, the options and the original's hash. */
const NUMBERS = 2 + 32;
const NO_GLOBAL = 0xffff_ffff;
const PAGE = 65536;

/** The options of `load` that need it. @param {number} options */
function needs(options) {
  const names = [options & DEADLINES && "`timeout`", options & ROLLBACK && '`recovery="rollback"`'];
  return names.filter(Boolean).join(" and ");
}

/** How to rewrite a file at build time. @param {number} options */
function ahead(options) {
  const flags = [options & DEADLINES && " --deadlines", options & ROLLBACK && " --rollback"].filter(Boolean).join("");
  return `rewrite the file when you build it: \`unpanic rewrite in.wasm out.wasm${flags}\``;
}

/** @import {CardTable, RewrittenMark} from "../types.js" */

/** @type {WebAssembly.Module | null} */
let compiled = null;

/**
 * @param {Uint8Array} bytes of the Wasm file @param {string} origin @param {Uint8Array<ArrayBuffer>} rewriter
 * @param {number} [options] what for
 * @param {Uint8Array | null} [hash] SHA-256 of the bytes, which the rewriter takes longer for than a browser
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {CompileError} it is not Wasm, or uses what the rewriter does not know
 */
export function rewriteWasm(bytes, origin, rewriter, options = DEADLINES, hash = null) {
  // What is not Wasm gets the words that it gets without a rewriter.
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  let code;
  let output;
  try {
    compiled ??= new WebAssembly.Module(rewriter);
    const exports = /** @type {any} */ (new WebAssembly.Instance(compiled).exports);
    const address = exports.allocate(bytes.length);
    new Uint8Array(exports.memory.buffer).set(bytes, address);
    if (hash) new Uint8Array(exports.memory.buffer).set(hash, exports.hash_address());
    code = exports.rewrite_module(options | (hash ? HAS_HASH : 0));
    output = new Uint8Array(exports.memory.buffer, exports.result_address(), exports.result_length()).slice();
  } catch (cause) {
    const reason = `the rewriter failed (${describeCause(cause)})`;
    const text = `${origin} cannot be rewritten for ${needs(options)}: ${reason}.`;
    throw Object.assign(new CompileError(text, { cause }), { reason });
  }
  if (code === 0) return output;
  const reason = new TextDecoder().decode(output);
  throw Object.assign(new CompileError(`${origin} cannot be loaded with ${needs(options)}: ${reason}.`), { reason });
}

/**
 * What the section of a module says that was rewritten by this version.
 * @param {WebAssembly.Module} module
 * @returns {RewrittenMark | null} null: it was not
 */
export function readMark(module) {
  const [section] = WebAssembly.Module.customSections(module, MARK);
  if (!section) return null;
  const bytes = new Uint8Array(section);
  const [format, options] = bytes;
  const fingerprint = toHex(bytes.subarray(0, NUMBERS));
  return format === FORMAT ? { options, fingerprint, cards: options & ROLLBACK ? readCards(section) : null } : null;
}

/** The fingerprint that a file gets. @param {number} options @param {Uint8Array} hash of the original */
export function fingerprintOf(options, hash) {
  return toHex(new Uint8Array([FORMAT, options, ...hash]));
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {ArrayBuffer} section @returns {CardTable} */
function readCards(section) {
  const view = new DataView(section, NUMBERS);
  const [global, length, pages] = [0, 4, 8].map((at) => view.getUint32(at, true));
  return { address: pages * PAGE, length, stackPointer: global === NO_GLOBAL ? null : global };
}

/**
 * How to read the files that were rewritten, by what was compiled, and the plain code that was made of them.
 * @type {WeakMap<WebAssembly.Module, {read: () => Promise<ArrayBuffer>, rewriter: Uint8Array<ArrayBuffer>,
 *   options: number, plain: Promise<WebAssembly.Module> | null}>}
 */
const originals = new WeakMap();

/**
 * Remembers the file of a tracked module. The browser keeps what is in a blob outside of the page's memory.
 * @param {WebAssembly.Module} module
 * @param {Uint8Array<ArrayBuffer> | (() => Promise<ArrayBuffer>)} original its bytes, or what reads them
 * @param {Uint8Array<ArrayBuffer>} [rewriter]
 */
export function keepOriginal(module, original, rewriter) {
  if (!rewriter || originals.has(module)) return;
  const options = readMark(module)?.options ?? 0;
  if (!(options & ROLLBACK)) return;
  const file = typeof original === "function" ? { arrayBuffer: original } : new Blob([original]);
  originals.set(module, { read: () => file.arrayBuffer(), rewriter, options, plain: null });
}

/**
 * The plain code of a tracked module (instance/plain.js).
 * @param {WebAssembly.Module} module @returns {Promise<WebAssembly.Module> | null} null: there is none
 */
export function compilePlain(module) {
  const original = originals.get(module);
  if (!original) return null;
  const { read, rewriter, options } = original;
  original.plain ??= read().then((bytes) =>
    WebAssembly.compile(rewriteWasm(new Uint8Array(bytes), "", rewriter, options | PLAIN)),
  );
  return original.plain;
}

/** Firefox throws a text where it makes no more memories. @param {any} cause @returns {string} */
const describeCause = (cause) => String(cause?.message ?? cause);

/**
 * A compiled module cannot be rewritten any more; its file may have been before.
 * @param {WebAssembly.Module} module @param {string} origin @param {string} way what to do about it, besides that
 * @param {number} [options] what it has to be rewritten for
 * @throws {LoadError} it was not
 */
export function checkRewritten(module, origin, way, options = DEADLINES) {
  if (((readMark(module)?.options ?? 0) & options) === options) return;
  const reason = WebAssembly.Module.customSections(module, MARK).length
    ? "it was rewritten by another version of unpanic, or for something else"
    : "it cannot be rewritten any more";
  throw new LoadError(`${origin} cannot be loaded with ${needs(options)}: ${reason}. ${way}, or ${ahead(options)}.`);
}
