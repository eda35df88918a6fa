/**
 * Reads what the recovery core needs from a Wasm binary: the signatures of its
 * imports and exports. The `WebAssembly` API tells only their names, and a
 * signature decides how many arguments a guard forwards and which numbers a
 * call may be given without a silent wrap-around.
 *
 * Section layout: https://webassembly.github.io/spec/core/binary/modules.html
 */

import { CompileError } from "../shared/errors.js";

/** @import {Signature, WasmInterface} from "../types.js" */

const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  code: 10,
  tag: 13,
};
const KINDS = /** @type {const} */ (["function", "table", "memory", "global", "tag"]);
const VALUE_TYPES = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);
const FUNCTION_TYPE = 0x60;
const SHARED = 2;
const I32_CONST = 0x41;
const END = 0x0b;
/** What a memory of 32 bit can have. */
const ENGINES_PAGES = 65536;
/**
 * JavaScript's own tag. Glue catches with it where there is an abort handler (`--force-enable-abort-handler`), which makes
 * no unwinding build: destructors do not run there.
 */
export const JAVASCRIPT_TAG = "__wbindgen_jstag";
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

class Reader {
  /** @param {Uint8Array} bytes @param {number} start @param {number} end @param {string} origin */
  constructor(bytes, start, end, origin) {
    this.bytes = bytes;
    this.origin = origin;
    this.at = start;
    this.end = end;
  }

  cutShort() {
    return new CompileError(`${this.origin} is truncated or damaged: it ends within a section.`);
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

/**
 * What was found in place of Wasm, in words.
 * @param {Uint8Array} bytes
 */
function describeOther(bytes) {
  if (bytes.length === 0) return "an empty file";
  const text = new TextDecoder().decode(bytes.subarray(0, 200)).trimStart();
  if (/^<(!doctype|html|\?xml)/i.test(text)) return "an HTML page";
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
function checkHeader(bytes, origin) {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new CompileError(`${origin} is not Wasm: found ${describeOther(bytes)}.`);
  }
  if (bytes.length < 8) throw new CompileError(`${origin} is truncated: ${bytes.length} bytes.`);
  if (bytes[6] !== 0) {
    throw new CompileError(
      `${origin} is a WebAssembly component, not a core module: wasm-bindgen writes core modules.`,
    );
  }
}

/** What comes in of a Wasm file, chunk by chunk: only what lies before the code is kept. */
export class Head {
  constructor() {
    this.bytes = new Uint8Array(0);
    /** Bytes that came in. */
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

/** Where the code begins, behind its section's header, or 0. @param {Uint8Array} bytes of a file that may go on */
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
    // The header itself is cut: more will come.
  }
  return 0;
}

/**
 * The signatures of a module's imports and exports.
 *
 * @param {Uint8Array} bytes a Wasm file, whole or up to its code
 * @param {string} origin where it came from, for messages
 * @param {number} [total] length of the whole file
 * @returns {WasmInterface}
 * @throws {CompileError} not Wasm, or cut short; how much is there is said
 */
export function readInterface(bytes, origin, total = bytes.length) {
  checkHeader(bytes, origin);
  /** @type {(Signature | null)[]} */
  let types = [];
  /** @type {(Signature | null)[]} one for each function, imported ones first */
  const functions = [];
  /** @type {string[]} the element type of each table */
  const tables = [];
  /** @type {WasmInterface} */
  const found = {
    imports: [],
    exports: [],
    unwinds: false,
    startsByItself: false,
    sharesMemory: false,
    stackTop: 0,
    memoryPages: ENGINES_PAGES,
  };
  const file = new Reader(bytes, 8, bytes.length, origin);
  while (file.at < file.end) {
    const id = file.byte();
    const size = file.integer();
    if (file.at + size > total) {
      throw new CompileError(
        `${origin} is truncated: section ${id} should hold ${size} bytes, ${total - file.at} are there.`,
      );
    }
    const section = new Reader(bytes, file.at, file.at + size, origin);
    file.at += size;
    if (id === SECTION.type) types = readTypes(section);
    else if (id === SECTION.import) readImports(section, types, functions, tables, found);
    else if (id === SECTION.function) {
      functions.push(...section.list(() => types[section.integer()] ?? null));
    } else if (id === SECTION.table) readTables(section, tables);
    else if (id === SECTION.memory) section.list(() => readMemory(section, found));
    else if (id === SECTION.global) found.stackTop = readStackTop(section);
    else if (id === SECTION.tag) found.unwinds = true;
    else if (id === SECTION.start) found.startsByItself = true;
    else if (id === SECTION.export) {
      found.exports = section.list(() => {
        const name = section.name();
        const kind = KINDS[section.byte()];
        const index = section.integer();
        const signature = kind === "function" ? (functions[index] ?? null) : null;
        return { name, kind, signature, elements: kind === "table" ? tables[index] : undefined };
      });
    }
  }
  return found;
}

/** @param {Reader} section @returns {(Signature | null)[]} */
function readTypes(section) {
  const count = section.integer();
  /** @type {(Signature | null)[]} */
  const types = [];
  for (let index = 0; index < count; index++) {
    // Struct, array and recursive types of the GC proposal come in no
    // wasm-bindgen output; the signatures after one stay unknown.
    if (section.byte() !== FUNCTION_TYPE) break;
    types.push({
      params: section.list(() => section.valueType()),
      results: section.list(() => section.valueType()),
    });
  }
  return types;
}

/**
 * @param {Reader} section
 * @param {(Signature | null)[]} types
 * @param {(Signature | null)[]} functions
 * @param {string[]} tables
 * @param {WasmInterface} found
 */
function readImports(section, types, functions, tables, found) {
  found.imports = section.list(() => {
    const module = section.name();
    const name = section.name();
    const kind = KINDS[section.byte()];
    let signature = null;
    if (kind === "function") {
      signature = types[section.integer()] ?? null;
      functions.push(signature);
    } else if (kind === "table") tables.push(section.tableType());
    else if (kind === "memory") readMemory(section, found);
    else if (kind === "global") {
      section.valueType();
      section.byte();
    } else {
      section.byte();
      section.integer();
      if (name !== JAVASCRIPT_TAG) found.unwinds = true;
    }
    return { module, name, kind, signature };
  });
}

/** @param {Reader} section @param {WasmInterface} found */
function readMemory(section, found) {
  const { flags, limit } = section.limits();
  if (flags & SHARED) found.sharesMemory = true;
  found.memoryPages = Math.min(limit, ENGINES_PAGES);
}

/**
 * Where the shadow stack begins: the start of its pointer, which is the one global that changes and does not begin at
 * zero. What comes after a global of another form stays unknown.
 * @param {Reader} section
 */
function readStackTop(section) {
  let top = 0;
  for (let left = section.integer(); left > 0; left--) {
    const type = section.valueType();
    const isMutable = section.byte() === 1;
    if (section.byte() !== I32_CONST) return top;
    const value = section.integer();
    if (section.byte() !== END) return top;
    if (type === "i32" && isMutable) top = Math.max(top, value);
  }
  return top;
}

/** @param {Reader} section @param {string[]} tables */
function readTables(section, tables) {
  for (let left = section.integer(); left > 0; left--) {
    // 0x40 0x00 announces a table with an initialiser expression, which has no
    // length of its own: the tables after it stay unknown.
    if (section.bytes[section.at] === 0x40) return;
    tables.push(section.tableType());
  }
}
