// Lets Rust's allocator ask before each allocation whether it is to fail. The user's file stays as it is: a copy of
// its bytes gets the question, and is compiled for the test.
//
// All that is new comes last in its section, so that nothing gets another number: a type, a table with the function
// that is asked, a global that says whether it is there, and an export of each. The allocator's functions are found by
// the names in the file.

import { leb, Reader, text, vector } from "./encoding.mjs";

export const TABLE = "unpanic.inject.table";
export const ARMED = "unpanic.inject.armed";

// The first of these that a file has. Rust's own allocator is dlmalloc: all that gives out memory comes to `malloc`.
const ALLOCATORS = [/\bDlmalloc<.*>::malloc(?:::h[0-9a-f]{16})?$/, /(?:^|::)__rust_(?:alloc|alloc_zeroed|realloc)$/];
const [TYPE, FUNCTION, TABLES, GLOBALS, EXPORTS, CODE] = [1, 3, 4, 6, 7, 10];
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
const FUNC = 0x60;
const I32 = 0x7f;
const FUNCREF = 0x70;
const FUNCTION_NAMES = 1;
// The magic number, and the version.
const HEADER = 8;
// Such a type of a value has more than one byte.
const isLong = (byte) => byte === 0x63 || byte === 0x64;

/**
 * @param {WebAssembly.Module} module @param {Uint8Array} bytes what it was compiled from
 * @returns {Uint8Array | null} null: the allocator is not known
 */
export function askBeforeAllocations(module, bytes) {
  const { sections, custom } = readSections(bytes);
  const types = readTypes(sections.get(TYPE));
  const allocators = findAllocators(module, types, sections.get(FUNCTION));
  if (allocators.size === 0) return null;
  const count = (id) => (sections.has(id) ? new Reader(sections.get(id)).number() : 0);
  const [table, global] = [imported(module, "table") + count(TABLES), imported(module, "global") + count(GLOBALS)];
  append(sections, TYPE, [FUNC, ...vector([]), ...vector([[I32]])]);
  append(sections, TABLES, [FUNCREF, 0, 1]);
  append(sections, GLOBALS, [I32, 1, 0x41, 0, 0x0b]);
  append(sections, EXPORTS, [...text(TABLE), 1, ...leb(table)]);
  append(sections, EXPORTS, [...text(ARMED), 3, ...leb(global)]);
  // (if (global.get) (then (if (call_indirect 0) (then (return (i32.const 0))))))
  const question = [
    ...[0x23, ...leb(global), 0x04, 0x40, 0x41, 0, 0x11, ...leb(types.length), ...leb(table)],
    ...[0x04, 0x40, 0x41, 0, 0x0f, 0x0b, 0x0b],
  ];
  sections.set(CODE, withQuestion(sections.get(CODE), allocators, question));
  const written = ORDER.filter((id) => sections.has(id)).map((id) => whole(id, sections.get(id)));
  return join(bytes.subarray(0, HEADER), ...written, ...custom.map((content) => whole(0, content)));
}

/** The contents of the sections, by their numbers, and those of custom sections. */
function readSections(bytes) {
  const reader = new Reader(bytes, HEADER);
  const sections = new Map();
  const custom = [];
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const content = reader.take(reader.number());
    if (id === 0) custom.push(content);
    else sections.set(id, content);
  }
  return { sections, custom };
}

/** Whether a function returns one number of 32 bits, for each type. After a type of a newer kind, none is known. */
function readTypes(content) {
  const reader = new Reader(content);
  const types = new Array(reader.number()).fill(false);
  for (let at = 0; at < types.length; at++) {
    if (reader.byte() !== FUNC) throw new Error("a newer kind of type");
    const [, results] = [readValueTypes(reader), readValueTypes(reader)];
    types[at] = results.length === 1 && results[0] === I32;
  }
  return types;
}

function readValueTypes(reader) {
  return Array.from({ length: reader.number() }, () => readValueType(reader));
}

function readValueType(reader) {
  const byte = reader.byte();
  if (isLong(byte)) reader.number();
  return byte;
}

/** The numbers of the allocator's functions, among those that the file defines. */
function findAllocators(module, types, content) {
  const first = imported(module, "function");
  const reader = new Reader(content);
  const returns = Array.from({ length: reader.number() }, () => types[reader.number()]);
  const names = [...readNames(module)];
  const pattern = ALLOCATORS.find((each) => names.some(([, name]) => each.test(name)));
  const found = pattern ? names.filter(([number, name]) => pattern.test(name) && returns[number - first]) : [];
  return new Set(found.map(([number]) => number - first));
}

/** The numbers and names of functions. */
function* readNames(module) {
  const [section] = WebAssembly.Module.customSections(module, "name");
  const reader = new Reader(new Uint8Array(section ?? 0));
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const part = new Reader(reader.take(reader.number()));
    if (id !== FUNCTION_NAMES) continue;
    for (let left = part.number(); left > 0; left--) yield [part.number(), part.text()];
  }
}

const imported = (module, kind) => WebAssembly.Module.imports(module).filter((each) => each.kind === kind).length;

/** Adds an item to the list in a section. */
function append(sections, id, item) {
  const reader = new Reader(sections.get(id) ?? new Uint8Array([0]));
  const count = reader.number();
  sections.set(id, join(leb(count + 1), reader.bytes.subarray(reader.place), item));
}

/** The code, with instructions at the beginning of some functions. */
function withQuestion(content, functions, question) {
  const reader = new Reader(content);
  const count = reader.number();
  const parts = [leb(count)];
  for (let at = 0; at < count; at++) {
    const body = reader.take(reader.number());
    const locals = functions.has(at) ? afterLocals(body) : 0;
    const added = functions.has(at) ? question : [];
    parts.push(leb(body.length + added.length), body.subarray(0, locals), added, body.subarray(locals));
  }
  return join(...parts);
}

function afterLocals(body) {
  const reader = new Reader(body);
  for (let left = reader.number(); left > 0; left--) {
    reader.number();
    readValueType(reader);
  }
  return reader.place;
}

const whole = (id, content) => join([id], leb(content.length), content);

function join(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    joined.set(part, place);
    place += part.length;
  }
  return joined;
}
