/** The rewriter, and the maker of random modules: Wasm files with a plain interface of numbers (rust/plain.py). */

import { readFile } from "node:fs/promises";

const [rewriter, smith] = await Promise.all(
  ["rewriter", "smith"].map(async (crate) => {
    const file = new URL(`../../rust/${crate}/pkg/${crate}.wasm`, import.meta.url);
    return new WebAssembly.Module(await readFile(file));
  }),
);

/** @param {any} exports @param {Uint8Array} bytes */
function hand(exports, bytes) {
  const address = exports.allocate(bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, address);
}

/** @param {any} exports @param {number} length */
const result = (exports, length) => new Uint8Array(exports.memory.buffer, exports.result_address(), length).slice();

/** The rewriter does not take a module: the message is its reason. */
export class NotRewritten extends Error {}

/**
 * What the rewriter can be asked for: loops that can be stopped; what a call wrote can be undone; with ROLLBACK, the
 * same code without marks, for the state of an instance with them.
 */
export const DEADLINES = 1;
export const ROLLBACK = 2;
export const PLAIN = 4;

/**
 * The plain code for a tracked module.
 * @param {Uint8Array} bytes of the original @param {number} flags
 * @returns {WebAssembly.Module | null} null: the two cannot share what they have
 */
export function makePlain(bytes, flags) {
  try {
    return new WebAssembly.Module(rewrite(bytes, flags + PLAIN));
  } catch (error) {
    if (error instanceof NotRewritten && error.message.includes("cannot share")) return null;
    throw error;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} flags what is wanted, added up
 * @returns {Uint8Array} the rewritten module
 * @throws {NotRewritten}
 */
export function rewrite(bytes, flags = DEADLINES) {
  const { exports } = /** @type {any} */ (new WebAssembly.Instance(rewriter));
  hand(exports, bytes);
  const code = exports.rewrite_module(flags);
  const output = result(exports, exports.result_length());
  if (code === 1 || code === 2) throw new NotRewritten(new TextDecoder().decode(output));
  if (code !== 0) throw new Error(`the rewriter returned ${code}`);
  return output;
}

/**
 * @param {Uint8Array} seed
 * @param {{exceptions?: boolean, endless?: boolean, trackable?: boolean}} options with exception handling; with
 *     loops that need not end; one that can track what it writes
 * @returns {Uint8Array | null} a module, or null where the seed is too short for one
 */
export function makeModule(seed, { exceptions = false, endless = false, trackable = false }) {
  const { exports } = /** @type {any} */ (new WebAssembly.Instance(smith));
  hand(exports, seed);
  const length = exports.generate(Number(exceptions) + 2 * Number(endless) + 4 * Number(trackable));
  return length ? result(exports, length) : null;
}
