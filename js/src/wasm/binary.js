/**
 * Reads what the runtime needs from a Wasm binary, most of all the signatures of its imports and exports. The
 * `WebAssembly` API tells only their names. A signature decides how many arguments a guard forwards, and which numbers
 * a call takes without wrapping them.
 *
 * Section layout: https://webassembly.github.io/spec/core/binary/modules.html
 */

import { CompileError } from "../shared/errors.js";
import { checkHeader, WHOLE } from "./header.js";
import { Reader } from "./reader.js";

/** @import {Signature, WasmInterface} from "../types.js" */

export const SECTION = {
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
const FUNCTION_TYPE = 0x60;
const SHARED = 2;
const I32_CONST = 0x41;
const END = 0x0b;
/** The instructions of a global's first value: those with a number behind them, and what the others have there. */
const WITH_NUMBER = new Set([I32_CONST, 0x42, 0x23, 0xd0, 0xd2]);
const OPERANDS = new Map([
  [0x43, 4], // f32.const
  [0x44, 8], // f64.const
  ...[0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e].map((operator) => /** @type {[number, number]} */ ([operator, 0])),
]);
/** How many pages a memory with 32-bit addresses can have. */
const MOST_PAGES = 65536;
/**
 * JavaScript's own exception tag. Glue with an abort handler (`--force-enable-abort-handler`) catches with it. Such a
 * build is no unwinding build: destructors do not run.
 */
export const JAVASCRIPT_TAG = "__wbindgen_jstag";

/**
 * The facts that a file tells about its module.
 *
 * @param {Uint8Array} bytes a Wasm file, whole or up to its code
 * @param {string} origin where it came from, for messages
 * @param {number} [total] length of the whole file
 * @returns {WasmInterface}
 * @throws {CompileError} it is not Wasm, or is cut short; the message says how much is there
 */
export function readInterface(bytes, origin, total = bytes.length) {
  checkHeader(bytes, origin);
  /** @type {Draft} */
  const draft = { types: [], functions: [], tables: [], globals: [], result: emptyInterface() };
  const file = new Reader(bytes, 8, bytes.length, origin);
  while (file.at < file.end) {
    const id = file.byte();
    const size = file.integer();
    if (file.at + size > total) {
      throw new CompileError(
        `${origin} is truncated: section ${id} should hold ${size} bytes, ${total - file.at} are there. ${WHOLE}`,
      );
    }
    readSection(id, new Reader(bytes, file.at, file.at + size, origin), draft);
    file.at += size;
  }
  return draft.result;
}

/**
 * The parts of a file that have been read, and that later sections refer to by index.
 * @typedef {object} Draft
 * @property {(Signature | null)[]} types
 * @property {(Signature | null)[]} functions one for each function, imported ones first
 * @property {string[]} tables the element type of each table
 * @property {{type: string, mutable: boolean}[]} globals
 * @property {WasmInterface} result
 */

/** @returns {WasmInterface} */
function emptyInterface() {
  return {
    imports: [],
    exports: [],
    unwinds: false,
    startsByItself: false,
    sharesMemory: false,
    stackTop: 0,
    memoryPages: MOST_PAGES,
  };
}

/** @param {number} id @param {Reader} section @param {Draft} draft gets what is in the section */
function readSection(id, section, draft) {
  const { types, functions, tables, result } = draft;
  if (id === SECTION.type) draft.types = readTypes(section);
  else if (id === SECTION.import) readImports(section, draft);
  else if (id === SECTION.function) functions.push(...section.list(() => types[section.integer()] ?? null));
  else if (id === SECTION.table) readTables(section, tables);
  else if (id === SECTION.memory) section.list(() => readMemory(section, result));
  else if (id === SECTION.global) result.stackTop = readGlobals(section, draft.globals);
  else if (id === SECTION.tag) result.unwinds = true;
  else if (id === SECTION.start) result.startsByItself = true;
  else if (id === SECTION.export) result.exports = section.list(() => readExport(section, draft));
}

/** @param {Reader} section @param {Draft} draft @returns {WasmInterface["exports"][number]} */
function readExport(section, { functions, tables, globals }) {
  const name = section.name();
  const kind = KINDS[section.byte()];
  const index = section.integer();
  const signature = kind === "function" ? (functions[index] ?? null) : null;
  const elements = kind === "table" ? tables[index] : undefined;
  return { name, kind, index, signature, elements, ...(kind === "global" && { global: globals[index] }) };
}

/** @param {Reader} section @returns {(Signature | null)[]} */
function readTypes(section) {
  const count = section.integer();
  /** @type {(Signature | null)[]} */
  const types = [];
  for (let index = 0; index < count; index++) {
    // wasm-bindgen writes no struct, array and recursive types of the GC proposal. The signatures after one stay
    // unknown.
    if (section.byte() !== FUNCTION_TYPE) break;
    types.push({
      params: section.list(() => section.valueType()),
      results: section.list(() => section.valueType()),
    });
  }
  return types;
}

/** @param {Reader} section @param {Draft} draft gets the imports */
function readImports(section, { types, functions, tables, globals, result }) {
  result.imports = section.list(() => {
    const module = section.name();
    const name = section.name();
    const kind = KINDS[section.byte()];
    let signature = null;
    let global;
    if (kind === "function") {
      signature = types[section.integer()] ?? null;
      functions.push(signature);
    } else if (kind === "table") tables.push(section.tableType());
    else if (kind === "memory") readMemory(section, result);
    else if (kind === "global") {
      global = { type: section.valueType(), mutable: section.byte() === 1 };
      globals.push(global);
    } else {
      section.byte();
      section.integer();
      if (name !== JAVASCRIPT_TAG) result.unwinds = true;
    }
    return { module, name, kind, signature, ...(global && { global }) };
  });
}

/** @param {Reader} section @param {WasmInterface} result */
function readMemory(section, result) {
  const { flags, limit } = section.limits();
  if (flags & SHARED) result.sharesMemory = true;
  result.memoryPages = Math.min(limit, MOST_PAGES);
}

/**
 * Reads the globals, and where the shadow stack begins: at the first value of its pointer, which is the only mutable
 * global that does not begin at zero. What comes after a first value of an unknown form stays unknown.
 * @param {Reader} section @param {Draft["globals"]} globals get what is there
 */
function readGlobals(section, globals) {
  let top = 0;
  for (let left = section.integer(); left > 0; left--) {
    const type = section.valueType();
    const mutable = section.byte() === 1;
    globals.push({ type, mutable });
    const first = section.byte();
    const value = readOperand(section, first);
    if (Number.isNaN(value)) return top;
    let next = section.byte();
    if (next === END && first === I32_CONST && mutable) top = Math.max(top, value);
    for (; next !== END; next = section.byte()) if (Number.isNaN(readOperand(section, next))) return top;
  }
  return top;
}

/**
 * What follows an instruction.
 * @param {Reader} section @param {number} instruction
 * @returns {number} NaN: it is not known, and neither is what comes after it
 */
function readOperand(section, instruction) {
  const length = OPERANDS.get(instruction);
  if (length === undefined) return WITH_NUMBER.has(instruction) ? section.integer() : NaN;
  section.at += length;
  return 0;
}

/** @param {Reader} section @param {string[]} tables */
function readTables(section, tables) {
  for (let left = section.integer(); left > 0; left--) {
    // 0x40 0x00 announces a table with an initialiser expression. Its length is not told, so the tables after it stay
    // unknown.
    if (section.bytes[section.at] === 0x40) return;
    tables.push(section.tableType());
  }
}
