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
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} the module with loops that can be stopped
 * @throws {NotRewritten}
 */
export function rewrite(bytes) {
  const { exports } = /** @type {any} */ (new WebAssembly.Instance(rewriter));
  hand(exports, bytes);
  const code = exports.rewrite_module(1);
  const output = result(exports, exports.result_length());
  if (code === 1 || code === 2) throw new NotRewritten(new TextDecoder().decode(output));
  if (code !== 0) throw new Error(`the rewriter returned ${code}`);
  return output;
}

/**
 * @param {Uint8Array} seed
 * @param {{exceptions?: boolean, endless?: boolean}} options with exception handling; with loops that need not end
 * @returns {Uint8Array | null} a module, or null where the seed is too short for one
 */
export function makeModule(seed, { exceptions = false, endless = false }) {
  const { exports } = /** @type {any} */ (new WebAssembly.Instance(smith));
  hand(exports, seed);
  const length = exports.generate(Number(exceptions) + 2 * Number(endless));
  return length ? result(exports, length) : null;
}
