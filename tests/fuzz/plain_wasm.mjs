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

/**
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} the module with loops that can be stopped
 * @throws {Error} with the rewriter's reason
 */
export function rewrite(bytes) {
  const { exports } = /** @type {any} */ (new WebAssembly.Instance(rewriter));
  hand(exports, bytes);
  const code = exports.rewrite_module(1);
  const output = result(exports, exports.result_length());
  if (code) throw new Error(new TextDecoder().decode(output));
  return output;
}

/**
 * @param {Uint8Array} seed
 * @param {boolean} exceptions with exception handling
 * @returns {Uint8Array | null} a module, or null where the seed is too short for one
 */
export function makeModule(seed, exceptions) {
  const { exports } = /** @type {any} */ (new WebAssembly.Instance(smith));
  hand(exports, seed);
  const length = exports.generate(exceptions ? 1 : 0);
  return length ? result(exports, length) : null;
}
