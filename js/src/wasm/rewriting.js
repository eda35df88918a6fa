/**
 * Rewrites a Wasm file so that calls into it can be stopped or undone. The rewriter (rust/rewriter) is a Wasm file
 * itself, with a plain interface of numbers. An instance of it rewrites one file and is thrown away: it is given files
 * of strangers, and whatever happens to it costs that file only.
 */

import { CompileError, LoadError } from "../shared/errors.js";
import { MAGIC } from "./header.js";

/** The section that a rewritten file has. */
const MARK = "unpanic.rewritten";
/** The first byte of that section: how the code is rewritten. */
const FORMAT = 1;
/** What the rewriter is asked for, and the section's second byte: loops and recursion can be stopped. */
export const DEADLINES = 1;
/** The same: the module tracks what it writes, so that a failed call can be undone. */
export const ROLLBACK = 2;
/** How to rewrite a file at build time. */
const AHEAD = "rewrite the file when you build it: `unpanic rewrite in.wasm out.wasm";
/** For each option: how the command calls it, and what of `load` asks for it. */
const OPTIONS = [
  { flag: DEADLINES, option: "--deadlines", asked: "`timeout`" },
  { flag: ROLLBACK, option: "--rollback", asked: '`recovery="rollback"`' },
];

/** @param {number} flags */
const asked = (flags) => OPTIONS.flatMap(({ flag, asked }) => (flags & flag ? [asked] : [])).join(" and ");
/** @param {number} flags */
const ahead = (flags) =>
  `${[AHEAD, ...OPTIONS.flatMap(({ flag, option }) => (flags & flag ? [option] : []))].join(" ")}\``;

/** @type {WebAssembly.Module | null} */
let compiled = null;

/**
 * @param {Uint8Array} bytes of the Wasm file @param {string} origin @param {Uint8Array<ArrayBuffer>} rewriter
 * @param {number} [flags] what is wanted, added up
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {CompileError} it is not Wasm, or uses what the rewriter does not know
 */
export function rewriteWasm(bytes, origin, rewriter, flags = DEADLINES) {
  // What is not Wasm gets the words that it gets without a rewriter.
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  let code;
  let output;
  try {
    compiled ??= new WebAssembly.Module(rewriter);
    const exports = /** @type {any} */ (new WebAssembly.Instance(compiled).exports);
    const address = exports.allocate(bytes.length);
    new Uint8Array(exports.memory.buffer).set(bytes, address);
    code = exports.rewrite_module(flags);
    output = new Uint8Array(exports.memory.buffer, exports.result_address(), exports.result_length()).slice();
  } catch (cause) {
    const reason = /** @type {Error} */ (cause).message;
    throw new CompileError(`${origin} cannot be rewritten for ${asked(flags)}: the rewriter failed (${reason}).`, {
      cause,
    });
  }
  if (code === 0) return output;
  throw new CompileError(`${origin} cannot be loaded with ${asked(flags)}: ${new TextDecoder().decode(output)}.`);
}

/**
 * A compiled module cannot be rewritten any more; its file may have been before.
 * @param {WebAssembly.Module} module @param {string} origin @param {string} way what to do about it, besides that
 * @param {number} [flags] what it should have been rewritten for, added up
 * @throws {LoadError} it was not
 */
export function checkRewritten(module, origin, way, flags = DEADLINES) {
  const [mark] = WebAssembly.Module.customSections(module, MARK);
  const [format, options] = new Uint8Array(mark ?? new ArrayBuffer(0));
  if (format === FORMAT && options === flags) return;
  const reason = mark
    ? "it was rewritten by another version of unpanic, or for something else"
    : "it cannot be rewritten any more";
  throw new LoadError(`${origin} cannot be loaded with ${asked(flags)}: ${reason}. ${way}, or ${ahead(flags)}.`);
}

/**
 * @typedef {object} Tracked what a runtime has to know of a module that tracks what it writes
 * @property {number | null} stackPointer the number of the global that points to the end of the Rust stack, if known
 * @property {number} tableBytes the size of the table of cards
 * @property {number} pages the pages of memory that a new instance of the original has; the table comes after them
 */

/** Where the three numbers are in the section, after the format, the options and the hash of the original. */
const NUMBERS = 34;
const NO_GLOBAL = 0xffff_ffff;

/**
 * @param {WebAssembly.Module} module
 * @returns {Tracked | null} null if it does not track
 */
export function readTracked(module) {
  const [mark] = WebAssembly.Module.customSections(module, MARK);
  if (!mark || mark.byteLength !== NUMBERS + 12) return null;
  const view = new DataView(mark);
  if (view.getUint8(0) !== FORMAT || !(view.getUint8(1) & ROLLBACK)) return null;
  const [global, tableBytes, pages] = [0, 4, 8].map((at) => view.getUint32(NUMBERS + at, true));
  return { stackPointer: global === NO_GLOBAL ? null : global, tableBytes, pages };
}
