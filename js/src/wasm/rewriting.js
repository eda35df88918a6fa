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
const DEADLINES = 1;
/** How to rewrite a file at build time. */
const AHEAD = "rewrite the file when you build it: `unpanic rewrite in.wasm out.wasm --deadlines`";

/** @type {WebAssembly.Module | null} */
let compiled = null;

/**
 * @param {Uint8Array} bytes of the Wasm file @param {string} origin @param {Uint8Array<ArrayBuffer>} rewriter
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {CompileError} it is not Wasm, or uses what the rewriter does not know
 */
export function rewriteWasm(bytes, origin, rewriter) {
  // What is not Wasm gets the words that it gets without a rewriter.
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  let code;
  let output;
  try {
    compiled ??= new WebAssembly.Module(rewriter);
    const exports = /** @type {any} */ (new WebAssembly.Instance(compiled).exports);
    const address = exports.allocate(bytes.length);
    new Uint8Array(exports.memory.buffer).set(bytes, address);
    code = exports.rewrite_module(DEADLINES);
    output = new Uint8Array(exports.memory.buffer, exports.result_address(), exports.result_length()).slice();
  } catch (cause) {
    throw new CompileError(
      `${origin} cannot be rewritten for \`timeout\`: the rewriter failed (${describeCause(cause)}).`,
      { cause },
    );
  }
  if (code === 0) return output;
  throw new CompileError(`${origin} cannot be loaded with \`timeout\`: ${new TextDecoder().decode(output)}.`);
}

/** Firefox throws a text where it makes no more memories. @param {any} cause @returns {string} */
const describeCause = (cause) => String(cause?.message ?? cause);

/**
 * A compiled module cannot be rewritten any more; its file may have been before.
 * @param {WebAssembly.Module} module @param {string} origin @param {string} way what to do about it, besides that
 * @throws {LoadError} it was not
 */
export function checkRewritten(module, origin, way) {
  const [mark] = WebAssembly.Module.customSections(module, MARK);
  const [format, options] = new Uint8Array(mark ?? new ArrayBuffer(0));
  if (format === FORMAT && options & DEADLINES) return;
  const reason = mark
    ? "it was rewritten by another version of unpanic, or for something else"
    : "it cannot be rewritten any more";
  throw new LoadError(`${origin} cannot be loaded with \`timeout\`: ${reason}. ${way}, or ${AHEAD}.`);
}
