/** The rewriter in front of the compiler: what comes out runs the same, and nothing that goes in breaks it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileWasm, fetchWasm } from "../../src/files/compiling.js";
import { CompileError, LoadError } from "../../src/shared/errors.js";
import { checkRewritten, DEADLINES, ROLLBACK, readMark, rewriteWasm } from "../../src/wasm/rewriting.js";
import { loadModule, loadModuleSync } from "../loading.js";
import { fixture, rejection, thrown } from "../support.js";

const RUST = fileURLToPath(new URL("../../../rust", import.meta.url));
const read = (path) => new Uint8Array(readFileSync(`${RUST}/${path}`));
const rewriter = read("rewriter/pkg/rewriter.wasm");
const WASM = "fixtures/loops/pkg/abort/loops_bg.wasm";
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A section: id, then a size that is right for its content. */
const section = (id, ...content) => [id, content.length, ...content];
const name = (text) => [text.length, ...new TextEncoder().encode(text)];
const asks = (module) => WebAssembly.Module.imports(module).some(({ module: from }) => from === "unpanic");

for (const mode of readdirSync(`${RUST}/fixtures/loops/pkg`)) {
  test(`${mode}: the rewritten file asks for fuel, and has all that it had`, () => {
    const bytes = read(`fixtures/loops/pkg/${mode}/loops_bg.wasm`);
    const [before, after] = [bytes, rewriteWasm(bytes, "it", rewriter)].map((file) => new WebAssembly.Module(file));
    assert.deepEqual([asks(before), asks(after)], [false, true]);
    const own = WebAssembly.Module.imports(after).filter(({ module }) => module !== "unpanic");
    assert.deepEqual(own, WebAssembly.Module.imports(before));
    const names = WebAssembly.Module.exports(after).map((exported) => exported.name);
    for (const exported of WebAssembly.Module.exports(before)) assert.ok(names.includes(exported.name), exported.name);
  });
}

test("a file that was rewritten ahead of time stays as it is, byte for byte", () => {
  const once = rewriteWasm(read(WASM), "it", rewriter);
  assert.deepEqual(rewriteWasm(once, "it", rewriter), once);
});

test("the bytes that came in stay as they were", () => {
  const bytes = read(WASM);
  rewriteWasm(bytes, "it", rewriter);
  assert.deepEqual(bytes, read(WASM));
});

/** What cannot be rewritten, and how the message names it. */
const REFUSED = {
  "a shared memory": [section(5, 1, 3, 1, 9), "the module cannot be rewritten: it uses threads (a shared memory)"],
  "an imported shared memory": [
    section(2, 1, ...name("m"), ...name("mem"), 2, 3, 1, 9),
    "the module cannot be rewritten: it uses threads (a shared memory)",
  ],
  "a struct type": [
    section(1, 1, 0x5f, 0),
    "the module cannot be rewritten: it uses garbage collection (types that are no functions)",
  ],
  "a section cut off": [[1, 50, 1], "this is not a Wasm module: "],
  "functions without bodies": [
    [...section(1, 1, 0x60, 0, 0), ...section(3, 1, 0)],
    "this is not a Wasm module: function section has non-zero count but code section is absent",
  ],
  "the mark of another format": [
    section(0, ...name("unpanic.rewritten"), 99, 1, ...new Array(32).fill(0)),
    "the module cannot be rewritten: it was rewritten in format 99, and this is format 1; rewrite the original again",
  ],
  "a mark without content": [
    section(0, ...name("unpanic.rewritten")),
    "the module cannot be rewritten: its section unpanic.rewritten cannot be read",
  ],
};

for (const [what, [content, reason]] of Object.entries(REFUSED)) {
  test(`${what} is a CompileError with the reason`, () => {
    const error = thrown(() => compileWasm(new Uint8Array([...HEADER, ...content]), "bank.wasm", { rewriter }));
    assert.ok(error instanceof CompileError, error.stack);
    assert.ok(error.message.startsWith(`bank.wasm cannot be loaded with \`timeout\`: ${reason}`), error.message);
  });
}

test("a file that is no Wasm gets the words that it gets without a rewriter", () => {
  for (const text of ["<!doctype html>", "", "\0as", "\0asM\x01\0\0\0"]) {
    const bytes = new TextEncoder().encode(text);
    const [without, withIt] = [{}, { rewriter }].map((how) => thrown(() => compileWasm(bytes, "it", how)));
    assert.ok(withIt instanceof CompileError);
    assert.equal(withIt.message, without.message);
  }
});

test("damaged files are a CompileError or valid Wasm, and the next file is rewritten as ever", () => {
  const bytes = read("fixtures/silent/pkg/abort/silent_bg.wasm");
  const good = rewriteWasm(bytes, "it", rewriter);
  let [seed, refused] = [1, 0];
  const below = (/** @type {number} */ limit) => (seed = (seed * 48271) % 0x7fffffff) % limit;
  for (let round = 0; round < 150; round++) {
    const damaged = round % 3 ? bytes.slice() : bytes.slice(0, below(bytes.length));
    for (let count = 0; count < 1 + (round % 5); count++) damaged[8 + below(damaged.length)] = below(256);
    try {
      new WebAssembly.Module(rewriteWasm(damaged, "it", rewriter));
    } catch (error) {
      const isOurs = error instanceof CompileError || error instanceof WebAssembly.CompileError;
      assert.ok(isOurs, `round ${round}: ${error.stack}`);
      refused++;
    }
  }
  assert.ok(refused > 30, `only ${refused} were refused`);
  assert.deepEqual(rewriteWasm(bytes, "it", rewriter), good);
});

test("a rewriter that traps costs that file only", () => {
  // Its sizes say more than it has: the rewriter must not believe them.
  const huge = new Uint8Array([...HEADER, 10, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]);
  assert.ok(thrown(() => rewriteWasm(huge, "it", rewriter)) instanceof CompileError);
  assert.ok(asks(new WebAssembly.Module(rewriteWasm(read(WASM), "it", rewriter))));
});

test("an engine that makes no more memories is quoted, whatever it throws", () => {
  const { Instance } = WebAssembly;
  for (const cause of ["out of memory", new RangeError("out of memory")]) {
    const Refusing = class {
      constructor() {
        throw cause;
      }
    };
    WebAssembly.Instance = /** @type {any} */ (Refusing);
    try {
      const error = thrown(() => rewriteWasm(read(WASM), "it", rewriter));
      assert.equal(error.message, "it cannot be rewritten for `timeout`: the rewriter failed (out of memory).");
    } finally {
      WebAssembly.Instance = Instance;
    }
  }
});

test("a compiled module is taken if its file was rewritten, and the message says how that is done", async () => {
  const [plain, rewritten] = [read(WASM), rewriteWasm(read(WASM), "it", rewriter)].map(
    (file) => new WebAssembly.Module(file),
  );
  const error = thrown(() => compileWasm(plain, "it", { rewriter }));
  assert.ok(error instanceof LoadError && !(error instanceof CompileError));
  assert.equal(
    error.message,
    "A compiled WebAssembly.Module cannot be loaded with `timeout`: it cannot be rewritten any more. Pass its URL or " +
      "its bytes as `wasm`, or rewrite the file when you build it: `unpanic rewrite in.wasm out.wasm --deadlines`.",
  );
  assert.equal((await rejection(fetchWasm(plain, { rewriter }))).message, error.message);
  assert.equal(compileWasm(rewritten, "it", { rewriter }).module, rewritten);
});

for (const [what, mark] of [
  ["format", [2, 1]],
  ["options", [1, 0]],
  ["length", []],
]) {
  test(`a compiled module whose mark has another ${what} is refused`, () => {
    const bytes = new Uint8Array([...HEADER, ...section(0, ...name("unpanic.rewritten"), ...mark)]);
    const error = thrown(() => compileWasm(new WebAssembly.Module(bytes), "it", { rewriter }));
    assert.ok(error instanceof LoadError);
    assert.match(error.message, /it was rewritten by another version of unpanic, or for something else\. Pass/);
  });
}

/** What an import of the glue gives: enough of it for the checks of a load. */
const namespace = { initSync() {}, default() {}, __wbg_reset_state() {} };

test("the Wasm file of an imported namespace must have been rewritten", async () => {
  const error = await rejection(loadModule({ glue: namespace, wasm: read(WASM) }, { rewriter }));
  assert.ok(error instanceof LoadError);
  assert.equal(
    error.message,
    "The Wasm file of an imported namespace cannot be loaded with `timeout`: it cannot be rewritten any more. " +
      "Pass the " +
      "glue's URL as `glue`, or rewrite the file when you build it: `unpanic rewrite in.wasm out.wasm --deadlines`.",
  );
});

test("without a rewriter nothing is rewritten; a module says whether its calls can be stopped", () => {
  const glue = fixture("loops");
  const plain = loadModuleSync({ glue });
  const stoppable = loadModuleSync({ glue }, { rewriter });
  const ahead = loadModuleSync({ glue, wasm: rewriteWasm(read(WASM), "it", rewriter) });
  assert.deepEqual([plain.stopwatch, ahead.stopwatch !== null, stoppable.stopwatch !== null], [null, true, true]);
});

test("a module that tracks what it writes says what a runtime needs; one with half of the options is refused", () => {
  const [stoppable, tracked, both] = [DEADLINES, ROLLBACK, DEADLINES + ROLLBACK].map(
    (flags) => new WebAssembly.Module(rewriteWasm(read(WASM), "it", rewriter, flags)),
  );
  assert.equal(readMark(stoppable)?.cards, null);
  for (const module of [tracked, both]) {
    const facts = /** @type {any} */ (readMark(module)?.cards);
    assert.equal(facts.length, 2 ** 20);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    for (const name of ["cards", "mark", `global_${facts.stackPointer}`])
      assert.ok(names.includes(`__unpanic_${name}`), name);
  }
  checkRewritten(both, "It", "", DEADLINES + ROLLBACK);
  for (const module of [stoppable, tracked]) {
    const error = thrown(() => checkRewritten(module, "It", "Pass its bytes", DEADLINES + ROLLBACK));
    assert.equal(
      error.message,
      'It cannot be loaded with `timeout` and `recovery="rollback"`: it was rewritten by another version of unpanic, ' +
        "or for something else. Pass its bytes, or rewrite the file when you build it: " +
        "`unpanic rewrite in.wasm out.wasm --deadlines --rollback`.",
    );
  }
});

test("memory that is filled counts by its length, so a loop of a few long instructions ends soon", () => {
  // (memory (export "m") 160) (func (export "f") (loop (memory.fill (i32.const 0) (i32.const 0) (local.get 0)) (br 0)))
  const wasm = Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 1, 0x7f, 0],
    ...[3, 2, 1, 0],
    ...[5, 4, 1, 0, 0xa0, 0x01],
    ...[7, 5, 1, 1, 0x66, 0, 0],
    ...[10, 18, 1, 16, 0, 3, 0x40, 0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 11, 0, 0x0c, 0, 0x0b, 0x0b],
  );
  let asked = 0;
  // Without the length, so much fuel would be enough for millions of turns of ten megabytes each.
  const refuel = () => (asked++ < 3 ? 2 ** 24 : 0);
  const module = new WebAssembly.Module(rewriteWasm(wasm, "fill.wasm", rewriter));
  const { exports } = new WebAssembly.Instance(module, { unpanic: { refuel } });
  assert.throws(() => /** @type {any} */ (exports).f(10_000_000), WebAssembly.RuntimeError);
  assert.equal(asked, 4);
});
