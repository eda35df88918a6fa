/** The Wasm reader and the engine read the same facts from the same files. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { compileWasm } from "../../src/files/compiling.js";
import { CompileError } from "../../src/shared/errors.js";
import { readInterface } from "../../src/wasm/binary.js";
import { Head } from "../../src/wasm/head.js";
import { thrown } from "../support.js";

const FIXTURES = fileURLToPath(new URL("../../../rust/fixtures", import.meta.url));
// This file has the newer encoding of exceptions, which not every Node can compile.
const HANDLER = "reinit/pkg/handler/reinit_bg.wasm";
const HANDLERS = /\/handler\//;
const FILES = readdirSync(FIXTURES, { recursive: true })
  .map(String)
  .filter((path) => /pkg.*\.wasm$/.test(path) && !HANDLERS.test(path))
  .sort();
const read = (path) => new Uint8Array(readFileSync(`${FIXTURES}/${path}`));
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Makes an instance of a module, with imports that do nothing. */
function instantiate(module) {
  const make = {
    function: () => () => {},
    tag: () => new WebAssembly.Tag({ parameters: ["externref"] }),
    memory: () => new WebAssembly.Memory({ initial: 32 }),
  };
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = make[kind]();
  }
  return new WebAssembly.Instance(module, imports);
}

test("there are fixtures of every build to read", () => {
  for (const mode of ["abort", "reset", "unwind", "unwind-reset", "mvp"])
    assert.ok(
      FILES.some((path) => path.includes(`/${mode}/`)),
      mode,
    );
});

for (const path of FILES) {
  test(`names, kinds and parameter counts of ${path} equal those of the engine`, () => {
    const bytes = read(path);
    const module = new WebAssembly.Module(bytes);
    const found = readInterface(bytes, path);
    const bare = ({ module: from, name, kind }) => ({ ...(from !== undefined && { module: from }), name, kind });
    assert.deepEqual(found.imports.map(bare), WebAssembly.Module.imports(module).map(bare));
    assert.deepEqual(found.exports.map(bare), WebAssembly.Module.exports(module).map(bare));
    assert.deepEqual([found.stackTop, found.memoryPages], [2 ** 20, 2 ** 16]);
    assert.equal(found.unwinds, /\/unwind(-reset)?\//.test(path));
    const { exports } = instantiate(module);
    const functions = found.exports.filter(({ kind }) => kind === "function");
    assert.ok(functions.length > 0);
    for (const { name, signature } of functions) assert.equal(signature.params.length, exports[name].length, name);
    for (const { signature, kind } of found.imports) assert.equal(signature !== null, kind === "function");
  });
}

for (const chunk of [1, 7, 65_536]) {
  test(`the part of a file before its code has the same facts, also in pieces of ${chunk} bytes`, () => {
    const bytes = read(FILES[0]);
    const head = new Head();
    for (let at = 0; at < Math.min(bytes.length, 100_000); at += chunk) head.add(bytes.subarray(at, at + chunk));
    assert.ok(head.complete);
    assert.ok(head.bytes.length < bytes.length / 4, `${head.bytes.length} of ${bytes.length} bytes were kept`);
    assert.deepEqual(readInterface(head.bytes, "it", bytes.length), readInterface(bytes, "it"));
    assert.match(
      thrown(() => readInterface(head.bytes, "it", bytes.length / 2)).message,
      /^it is truncated: section 10 should hold/,
    );
  });
}

/** Returns a section: its id, the size of its content, and its content. */
const section = (id, ...content) => [id, content.length, ...content];
const name = (text) => [text.length, ...new TextEncoder().encode(text)];

test("a start section is reported", () => {
  const bytes = new Uint8Array([
    ...HEADER,
    ...section(1, 1, 0x60, 0, 0),
    ...section(3, 1, 0),
    ...section(8, 0),
    ...section(10, 1, 2, 0, 0x0b),
  ]);
  new WebAssembly.Module(bytes);
  assert.equal(readInterface(bytes, "it").startsByItself, true);
});

for (const [what, bytes] of [
  ["imported", section(2, 1, ...name("m"), ...name("mem"), 2, 3, 1, 9)],
  ["of its own", section(5, 1, 3, 1, 9)],
]) {
  test(`a shared memory, ${what}, is reported, and a memory that is not shared is not`, () => {
    const file = new Uint8Array([...HEADER, ...bytes]);
    new WebAssembly.Module(file);
    assert.equal(readInterface(file, "it").sharesMemory, true);
    file[file.length - 3] = 1;
    new WebAssembly.Module(file);
    assert.equal(readInterface(file, "it").sharesMemory, false);
  });
}

test("a build with an abort handler does not count as unwinding, although it imports a tag", () => {
  const { imports, unwinds } = readInterface(read(HANDLER), HANDLER);
  assert.deepEqual(
    [imports.filter(({ kind }) => kind === "tag").map(({ name }) => name), unwinds],
    [["__wbindgen_jstag"], false],
  );
});

test("signatures, table elements and tags are read", () => {
  const bytes = new Uint8Array([
    ...HEADER,
    ...section(
      1,
      3,
      0x60,
      5,
      0x7f,
      0x7e,
      0x7d,
      0x7c,
      0x6f,
      2,
      0x7f,
      0x7b,
      0x60,
      0,
      0,
      0x60,
      1,
      0x63,
      0x70,
      1,
      0x64,
      0x6f,
    ),
    ...section(2, 2, ...name("m"), ...name("f"), 0, 1, ...name("m"), ...name("g"), 3, 0x7f, 0),
    ...section(3, 2, 0, 2),
    ...section(4, 2, 0x70, 0, 1, 0x6f, 1, 1, 2),
    ...section(5, 1, 1, 2, 30),
    ...section(
      6,
      4,
      0x7f,
      0,
      0x41,
      0x80,
      0x80,
      4,
      0x0b,
      0x7f,
      1,
      0x41,
      0,
      0x0b,
      0x7f,
      1,
      0x41,
      0x80,
      8,
      0x0b,
      0x7c,
      1,
      0x44,
      ...new Array(8).fill(0),
      0x0b,
    ),
    ...section(
      7,
      5,
      ...name("all"),
      0,
      1,
      ...name("ref"),
      0,
      2,
      ...name("f"),
      0,
      0,
      ...name("t"),
      1,
      0,
      ...name("x"),
      1,
      1,
    ),
  ]);
  const none = { params: [], results: [] };
  assert.deepEqual(readInterface(bytes, "it"), {
    unwinds: false,
    startsByItself: false,
    sharesMemory: false,
    memoryPages: 30,
    stackTop: 1024,
    imports: [
      { module: "m", name: "f", kind: "function", signature: none },
      { module: "m", name: "g", kind: "global", signature: null, global: { type: "i32", mutable: false } },
    ],
    exports: [
      {
        name: "all",
        kind: "function",
        index: 1,
        signature: { params: ["i32", "i64", "f32", "f64", "externref"], results: ["i32", "v128"] },
        elements: undefined,
      },
      {
        name: "ref",
        kind: "function",
        index: 2,
        signature: { params: ["ref"], results: ["ref"] },
        elements: undefined,
      },
      { name: "f", kind: "function", index: 0, signature: none, elements: undefined },
      { name: "t", kind: "table", index: 0, signature: null, elements: "funcref" },
      { name: "x", kind: "table", index: 1, signature: null, elements: "externref" },
    ],
  });
  assert.equal(readInterface(new Uint8Array([...HEADER, ...section(13, 1, 0, 0)]), "it").unwinds, true);
});

test("globals are read whatever their first values are, up to one of an unknown form", () => {
  const values = [
    [0x7e, 0, 0x42, 0xff, 0x01, 0x0b],
    [0x7d, 1, 0x43, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b],
    [0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x0b],
    [0x70, 0, 0xd0, 0x70, 0x0b],
    [0x7b, 1, 0xfd, 0x0c, ...new Array(16).fill(0), 0x0b],
    [0x7f, 1, 0x41, 5, 0x0b],
  ];
  const exported = values.flatMap((_, at) => [...name(`g${at}`), 3, at]);
  const bytes = [...HEADER, ...section(6, values.length, ...values.flat()), ...section(7, values.length, ...exported)];
  const { exports, stackTop } = readInterface(new Uint8Array(bytes), "it");
  assert.deepEqual(
    exports.map(({ global }) => global && `${global.type}${global.mutable ? " mut" : ""}`),
    ["i64", "f32 mut", "i32", "funcref", "v128 mut", undefined],
  );
  assert.equal(stackTop, 0);
});

test("the signatures before a struct in a type section are read", () => {
  const bytes = new Uint8Array([
    ...HEADER,
    ...section(1, 2, 0x60, 0, 1, 0x7f, 0x5f, 0),
    ...section(3, 2, 0, 1),
    ...section(7, 2, ...name("a"), 0, 0, ...name("b"), 0, 1),
  ]);
  const { exports } = readInterface(bytes, "it");
  assert.deepEqual(
    exports.map(({ signature }) => signature),
    [{ params: [], results: ["i32"] }, null],
  );
});

/** Returns the start of each section, and the end of the file. */
function boundaries(bytes) {
  const found = [];
  for (let at = 8; at < bytes.length; ) {
    found.push(at++);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return found;
}

/** Returns random numbers below `limit`, which are the same in every run. */
function numbers(count, limit, seed = 1) {
  return Array.from({ length: count }, () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % limit;
  });
}

test("a file that is cut anywhere is a CompileError or still valid Wasm", () => {
  const bytes = read("faults/pkg/unwind/faults_bg.wasm");
  const edges = boundaries(bytes);
  assert.ok(edges.length > 8);
  const cuts = [...edges.flatMap((edge) => [edge - 1, edge, edge + 1, edge + 2]), ...numbers(150, bytes.length)];
  let refused = 0;
  for (const cut of cuts) {
    const part = bytes.subarray(0, cut);
    if (WebAssembly.validate(part)) continue;
    const error = thrown(() => compileWasm(part, "cut.wasm"));
    assert.ok(error instanceof CompileError, `cut at ${cut}: ${error.stack}`);
    assert.match(error.message, /truncated|Cannot compile cut\.wasm/, `cut at ${cut}`);
    refused++;
  }
  assert.ok(refused > 100, String(refused));
});

test("a file with wrong bytes is readable or a CompileError", () => {
  const bytes = read("bank/pkg/abort/bank_bg.wasm").slice(0, 4000);
  for (const [round, at] of numbers(400, bytes.length - 8).entries()) {
    const broken = bytes.slice();
    broken.set(numbers(3, 256, round + 2), at + 8 > broken.length - 3 ? 8 : at + 8);
    try {
      readInterface(broken, "broken.wasm");
    } catch (error) {
      assert.ok(error instanceof CompileError, error.stack);
    }
  }
});

test("a number that never ends is a CompileError, not an endless loop", () => {
  const endless = new Uint8Array([...HEADER, 1, ...Array(400).fill(0x80), 0, 0]);
  const error = thrown(() => readInterface(endless, "endless.wasm"));
  assert.ok(error instanceof CompileError);
  assert.equal(error.message, "The Wasm file is damaged: it holds a number that does not end.");
});

test("reading an impossible count of tables ends at the first table that cannot be read", () => {
  const many = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
  const { exports } = readInterface(
    new Uint8Array([...HEADER, ...section(4, ...many, 0x40, 0, 0x70, 0, 1), ...section(7, 0)]),
    "it",
  );
  assert.deepEqual(exports, []);
});

const text = (source) => new TextEncoder().encode(source);
const REFUSED = [
  [new Uint8Array(), "it is not Wasm: found an empty file."],
  [text("<!DOCTYPE html><title>404</title>"), "it is not Wasm: found an HTML page. Check the URL."],
  [text("\n  <html>"), "it is not Wasm: found an HTML page. Check the URL."],
  [text('{"error": 1}'), "it is not Wasm: found JSON."],
  [text("version https://git-lfs.github.com/spec/v1\n"), "it is not Wasm: found a Git LFS pointer."],
  [new Uint8Array(gzipSync("\0asm")), "it is not Wasm: found gzip data that nobody decompressed."],
  [new Uint8Array([1, 0xfe, 3, 4, 5]), "it is not Wasm: found bytes that start with 01 fe 03 04."],
  [new Uint8Array(HEADER.slice(0, 6)), "it is truncated: 6 bytes. Take the whole file."],
  [
    new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
    "it is a WebAssembly component, not a core module: wasm-bindgen writes core modules.",
  ],
  [
    new Uint8Array([...HEADER, 1, 40, 1, 2]),
    "it is truncated: section 1 should hold 40 bytes, 2 are there. Take the whole file.",
  ],
];

for (const [bytes, message] of REFUSED) {
  test(`a file that is no Wasm is named: ${message}`, () => {
    const error = thrown(() => readInterface(bytes, "it"));
    assert.ok(error instanceof CompileError);
    assert.equal(error.message, message);
  });
}
