/** Checks that a file is Wasm, and says what it is instead. */

import { CompileError } from "../shared/errors.js";

/** What to do about a file that is cut. */
export const WHOLE = "Take the whole file.";

export const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/**
 * Says in words what a file is that is not Wasm.
 * @param {Uint8Array} bytes
 */
function describeOther(bytes) {
  if (bytes.length === 0) return "an empty file";
  const text = new TextDecoder().decode(bytes.subarray(0, 200)).trimStart();
  if (/^<(!doctype|html|\?xml)/i.test(text)) return "an HTML page. Check the URL";
  if (/^[[{]/.test(text)) return "JSON";
  if (text.startsWith("version https://git-lfs")) return "a Git LFS pointer";
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip data that nobody decompressed";
  const head = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `bytes that start with ${head.join(" ")}`;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} origin where the bytes came from, for messages
 */
export function checkHeader(bytes, origin) {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new CompileError(`${origin} is not Wasm: found ${describeOther(bytes)}.`);
  }
  if (bytes.length < 8) throw new CompileError(`${origin} is truncated: ${bytes.length} bytes. ${WHOLE}`);
  if (bytes[6] !== 0) {
    throw new CompileError(
      `${origin} is a WebAssembly component, not a core module: wasm-bindgen writes core modules.`,
    );
  }
}
