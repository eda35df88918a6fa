/** The part of a Wasm file before its code, which can be read while the file is still being downloaded. */

import { SECTION } from "./binary.js";
import { Reader } from "./reader.js";

/** Takes a file chunk by chunk, and keeps only what lies before the code. */
export class Head {
  constructor() {
    this.bytes = new Uint8Array(0);
    /** How many bytes came in. */
    this.total = 0;
    this.complete = false;
  }

  /** @param {Uint8Array} chunk */
  add(chunk) {
    this.total += chunk.length;
    if (this.complete) return;
    const bytes = new Uint8Array(this.bytes.length + chunk.length);
    bytes.set(this.bytes);
    bytes.set(chunk, this.bytes.length);
    const end = startOfCode(bytes);
    this.complete = end > 0;
    this.bytes = this.complete ? bytes.slice(0, end) : bytes;
  }
}

/**
 * Where the code begins, behind the header of its section.
 * @param {Uint8Array} bytes of a file, of which more may come
 * @returns {number} 0: these bytes have no code yet
 */
function startOfCode(bytes) {
  const file = new Reader(bytes, 8, bytes.length, "");
  try {
    while (file.at < file.end) {
      const id = file.byte();
      const size = file.integer();
      if (id === SECTION.code) return file.at;
      file.at += size;
    }
  } catch {
    // The header of a section is cut: more will come.
  }
  return 0;
}
