/** Reads the primitive parts of a Wasm binary: numbers, names, lists and types. */

import { CompileError } from "../shared/errors.js";
import { WHOLE } from "./header.js";

const VALUE_TYPES = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

export class Reader {
  /** @param {Uint8Array} bytes @param {number} start @param {number} end @param {string} origin */
  constructor(bytes, start, end, origin) {
    this.bytes = bytes;
    this.origin = origin;
    this.at = start;
    this.end = end;
  }

  cutShort() {
    return new CompileError(`${this.origin} is truncated or damaged: it ends within a section. ${WHOLE}`);
  }

  byte() {
    if (this.at >= this.end) throw this.cutShort();
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 integer of at most 64 bits. */
  integer() {
    let result = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.byte();
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) return result;
    }
    throw new CompileError("The Wasm file is damaged: it holds a number that does not end.");
  }

  name() {
    const length = this.integer();
    const start = this.at;
    this.at += length;
    if (this.at > this.end) throw this.cutShort();
    return new TextDecoder().decode(this.bytes.subarray(start, this.at));
  }

  /** @template T @param {() => T} item @returns {T[]} */
  list(item) {
    const count = this.integer();
    const items = [];
    for (let index = 0; index < count; index++) items.push(item());
    return items;
  }

  valueType() {
    const code = this.byte();
    // (ref null? heap-type): the heap type is a LEB128 integer that follows.
    if (code === 0x63 || code === 0x64) {
      this.integer();
      return "ref";
    }
    return VALUE_TYPES.get(code) ?? "other";
  }

  /** @returns {{flags: number, limit: number}} the upper limit is infinite where none is set */
  limits() {
    const flags = this.byte();
    this.integer();
    const limit = flags & 1 ? this.integer() : Infinity;
    if (flags & 8) this.integer(); // custom page size
    return { flags, limit };
  }

  tableType() {
    const type = this.valueType();
    this.limits();
    return type;
  }
}
