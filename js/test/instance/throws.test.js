/**
 * An exception that Rust throws on purpose arrives unchanged, and the instance goes on if that is safe.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readPanic } from "../../src/diagnosis/panic.js";
import { exceptionStore, readHabits } from "../../src/instance/habits.js";
import { ShadowStack } from "../../src/instance/shadow-stack.js";
import { Thrown } from "../../src/instance/throws.js";
import { Crash, UnpanicError } from "../../src/shared/errors.js";
import { fixture, rejection, supervise, thrown } from "../support.js";

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));
// The browser tests cover the newer encoding of exceptions, which not every Node can compile.
const BUILDS = ["abort", "reset", "mvp", "unwind"];

for (const mode of BUILDS) {
  test(`${mode}: texts, values and unwrap_throw arrive unchanged, and the state is kept`, async () => {
    const { module, exports: throws } = await supervise(fixture("throws", mode));
    throws.bump();
    assert.equal(thrown(() => throws.reject("bad query", 1)).message, "bad query");
    assert.equal(
      thrown(() => throws.reject_value(42)),
      42,
    );
    assert.equal(thrown(() => throws.unwrap_nothing()).message, "nothing to unwrap");
    const mine = new TypeError("mine");
    const fail = () => {
      throw mine;
    };
    assert.equal(
      thrown(() => throws.call_and_throw(fail)),
      mine,
    );
    assert.deepEqual([throws.bump(), module.generation.number], [2, 0]);
  });

  test(`${mode}: an exception that flies through Rust is a crash, also if it was once thrown on purpose`, async () => {
    const { exports: throws } = await supervise(fixture("throws", mode));
    const again = () => throws.reject("inner", 1);
    const error = thrown(() => throws.call_through(again));
    assert.ok(error instanceof Crash, error.stack);
    assert.deepEqual([error.kind, error.cause.message], ["foreign", "inner"]);
  });

  test(`${mode}: an object that another call has borrowed is named with that call`, async () => {
    const { module, exports: throws } = await supervise(fixture("throws", mode));
    const vault = new throws.Vault(7);
    let error;
    vault.open(() => {
      error = thrown(() => vault.put(1));
    });
    assert.ok(error instanceof UnpanicError, error.stack);
    assert.equal(
      error.message,
      "This throws.Vault is in use by throws.Vault.open, which has not ended; it cannot be used in throws.Vault.put " +
        "meanwhile.",
    );
    assert.deepEqual([vault.put(1), module.generation.number], [8, 0]);
  });
}

for (const mode of BUILDS) {
  test(`${mode}: if the call's object stays borrowed, the generation is replaced after the call`, async () => {
    let refilled = 0;
    const { module, exports: throws } = await supervise(fixture("throws", mode), { onReset: () => refilled++ });
    const vault = new throws.Vault(7);
    assert.equal(thrown(() => vault.reject("no")).message, "no");
    assert.equal(throws.bump(), 1);
    assert.deepEqual([module.generation.number, refilled], [1, 1]);
    const other = new throws.Vault(1);
    assert.equal(thrown(() => other.complain("no")).message, "no");
    await tick();
    assert.equal(module.generation.number, 2);
  });

  test(`${mode}: a conflict after another object was borrowed stays a crash`, async () => {
    const { module, exports: throws } = await supervise(fixture("throws", mode));
    const [vault, other] = [new throws.Vault(7), new throws.Vault(8)];
    const error = thrown(() => vault.open(() => other.rob(vault)));
    assert.equal(error.name, "CallInterrupted", error.stack);
    assert.equal(module.generation.number, 1);
  });

  if (mode === "unwind") continue;
  test(`${mode}: an async call that throws on purpose rejects with that, and the others are interrupted`, async () => {
    const { module, exports: throws } = await supervise(fixture("throws", mode));
    const [failed, other] = [throws.reject_later(1, "later"), throws.wait(1000)];
    assert.equal((await rejection(failed)).message, "later");
    assert.equal((await rejection(other)).name, "CallInterrupted");
    assert.equal(throws.bump(), 1);
    assert.equal(module.generation.number, 1);
  });
}

test("a stack whose pointer can be moved is the same after any number of throws, also inside callbacks", async () => {
  const { module, exports: throws } = await supervise(fixture("throws", "mvp"));
  const before = throws.shadow_stack_address();
  for (let round = 0; round < 3000; round++) thrown(() => throws.reject("no", 4));
  for (let round = 0; round < 3000; round++) throws.call(() => thrown(() => throws.reject("no", 4)));
  assert.deepEqual([throws.shadow_stack_address(), module.generation.number], [before, 0]);
});

test("a stack whose pointer cannot be moved is used up to half, and then the generation is replaced", async () => {
  const { module, exports: throws } = await supervise(fixture("throws"));
  const ends = [];
  for (let round = 0; round < 1000; round++) {
    assert.equal(thrown(() => throws.reject("no", 4)).message, "no");
    if (module.generation.dead !== null) ends.push(round);
    assert.ok(throws.bump() > 0);
  }
  const [first, second] = ends;
  assert.ok(first > 50 && first < 130, `a throw loses 4 KB of 512: ${ends}`);
  assert.equal(second - first, first + 1);
});

test("frames that a throw leaves on purpose are kept", async () => {
  const { module, exports: throws } = await supervise(fixture("throws", "mvp"));
  const before = throws.shadow_stack_address();
  thrown(() => throws.run_event_loop());
  const kept = throws.shadow_stack_address();
  thrown(() => throws.reject("no", 4));
  assert.equal(throws.shadow_stack_address(), kept);
  assert.ok(kept <= before);
  assert.equal(module.generation.number, 0);
});

test("a call of a freed closure is an error without a caller, and costs nothing", async (context) => {
  const printed = context.mock.method(console, "error", () => {});
  const { module, exports: throws } = await supervise(fixture("throws", "mvp"));
  throws.bump();
  throws.drop_timer(1);
  await tick();
  assert.match(printed.mock.calls[0].arguments[0].message, /^closure invoked recursively or after being dropped/);
  assert.deepEqual([throws.bump(), module.generation.number], [2, 0]);
});

for (const mode of BUILDS) {
  test(`${mode}: the last error of a callback or a promise is the cause of a panic`, async () => {
    const { exports: throws } = await supervise(fixture("throws", mode));
    const mine = new TypeError("mine");
    const fail = () => {
      throw mine;
    };
    for (const name of ["call_and_unwrap", "call_and_abort", "call_and_boom"]) {
      assert.equal(thrown(() => throws[name](fail)).cause, mine, name);
    }
    assert.equal((await rejection(throws.wait_and_unwrap(Promise.reject(mine)))).cause, mine);
    await tick();
    assert.equal(thrown(() => throws.boom("alone")).cause, undefined);
    assert.equal(
      throws.call(() => 1),
      1,
    );
    thrown(() => throws.call(fail));
    assert.equal(thrown(() => throws.boom("alone")).cause, undefined);
  });
}

test("a build without names reports that it is out of memory if the memory is nearly full", async () => {
  const glue = fixture("throws");
  const { readFile } = glue;
  glue.readFile = (path) => withMemory(withoutNames(/** @type {any} */ (readFile(path))), 400);
  const { module, exports: throws } = await supervise(glue);
  assert.equal(module.memoryPages, 400);
  assert.equal(thrown(() => throws.exhaust(1)).kind, "out_of_memory");
  assert.equal(thrown(() => throws.fill_and_abort(1)).kind, "trap");
  assert.equal(thrown(() => throws.fill_and_abort(20)).kind, "out_of_memory");
});

/** The sections of a Wasm file: id, and where each begins and ends. @param {Uint8Array} bytes */
function* sections(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const start = at;
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = bytes[at++];
      size |= (byte & 0x7f) << shift;
    }
    yield { id, start, body: at, end: at + size };
    at += size;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {(part: {id: number, start: number, body: number, end: number}) => Uint8Array | number[]} edit
 */
function edited(bytes, edit) {
  return new Uint8Array([...bytes.subarray(0, 8), ...[...sections(bytes)].flatMap((part) => [...edit(part)])]);
}

/** @param {Uint8Array} bytes */
function withoutNames(bytes) {
  const isNames = ({ id, body }) => id === 0 && String.fromCharCode(...bytes.subarray(body, body + 5)) === "\x04name";
  return edited(bytes, (part) => (isNames(part) ? [] : bytes.subarray(part.start, part.end)));
}

/** @param {Uint8Array} bytes @param {number} pages at most */
function withMemory(bytes, pages) {
  const limit = [(pages & 0x7f) | 0x80, pages >> 7];
  return edited(bytes, ({ id, start, body, end }) => {
    if (id !== 5) return bytes.subarray(start, end);
    const minimum = [...bytes.subarray(body + 2, end)];
    return [5, 2 + minimum.length + limit.length, 1, 1, ...minimum, ...limit];
  });
}

for (const [what, exports, expected] of [
  ["a global", { __stack_pointer: new WebAssembly.Global({ value: "i32", mutable: true }, 100) }, [100, true]],
  ["nothing", {}, [64, false]],
]) {
  test(`the stack pointer is read from ${what}`, () => {
    const stack = new ShadowStack(exports, { stackTop: 64 });
    if (exports.__stack_pointer) exports.__stack_pointer.value = 20;
    assert.deepEqual([stack.top, stack.clear()], expected);
    if (exports.__stack_pointer) assert.equal(exports.__stack_pointer.value, 100);
  });
}

test("a stack is worn if more than half of it was in use, or if nothing is known of it", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const stack = new ShadowStack({}, { stackTop: 65536 });
  const words = new Uint32Array(memory.buffer);
  words[16000] = 1;
  assert.equal(stack.isWorn(memory), false);
  words[8000] = 1;
  assert.deepEqual(
    [stack.isWorn(memory), stack.isWorn(null), new ShadowStack({}, { stackTop: 0 }).isWorn(memory)],
    [true, true, true],
  );
});

for (const [text, refused] of [
  ["recursive use of an object detected which would lead to unsafe aliasing in rust", "in use"],
  ["attempted to take ownership of Rust value while it was borrowed", "in use"],
  ["null pointer passed to rust", "gone"],
  ["closure invoked recursively or after being dropped", "closure"],
  ["no such account", null],
]) {
  test(`"${text}" is refused: ${refused}`, () => {
    assert.equal(new Thrown(new Error(text), "__wbindgen_throw").refused, refused);
  });
}

for (const [name, onPurpose, again] of [
  ["__wbindgen_throw", true, false],
  ["__wbg___wbindgen_throw_4c88d8bf264fd984", true, false],
  ["__wbindgen_rethrow", true, true],
  ["__wbindgen_rethrow_critical", false, true],
  ["__wbg_call_6c4ea719458624eb", false, false],
]) {
  test(`an exception of ${name} is ${onPurpose ? "" : "not "}thrown on purpose`, () => {
    const found = new Thrown(1, name);
    assert.deepEqual([found.onPurpose, found.again], [onPurpose, again]);
  });
}

test("an Err leaves old glue as an exception: the version is in the Wasm file", () => {
  const module = (version) => {
    const fields = ["producers", ...(version ? ["wasm-bindgen", version] : [])].map((text) => [
      text.length,
      ...Buffer.from(text),
    ]);
    const body = fields.flat();
    return new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, body.length, ...body]));
  };
  const found = ["0.2.72 (44d577f6b)", "0.2.78", "0.2.79", "0.2.100 (2405ec2b4)", "0.3.0", "1.0.0", ""].map((version) =>
    readHabits(module(version), true),
  );
  assert.deepEqual(
    found.map((habits) => habits.throwsErr),
    [true, true, false, false, false, false, false],
  );
  assert.deepEqual(
    found.map((habits) => habits.restoresStack),
    [false, false, false, false, true, true, false],
  );
  assert.equal(readHabits(module("0.2.130"), false).restoresStack, false);
  const empty = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  assert.deepEqual(readHabits(empty, true), { throwsErr: false, restoresStack: false });
  const oxipng = new URL("../../node_modules/@jsquash/oxipng/codec/pkg/squoosh_oxipng_bg.wasm", import.meta.url);
  assert.equal(readHabits(new WebAssembly.Module(readFileSync(oxipng)), false).throwsErr, true);
});

const V8 =
  "Error: boom\n    at f (http://a/b.js:1:2)\n    at http://a/b.js:3:4\n" +
  "    at c.wasm.d (wasm://wasm/c:wasm-function[7]:0x1f)";
const GECKO = "f@http://a/b.js:1:2\n@http://a/b.js:3:4\ndeep@http://a/b.mjs line 1 > eval:1:35\n";
for (const [message, expected, quoted] of [
  [
    `found JsValue(Error: boom\n${V8}), which is wrong`,
    "found JsValue(Error: boom), which is wrong",
    V8.replace("Error: boom\n", ""),
  ],
  [
    `found JsValue(Error: boom\n${GECKO}), which is wrong`,
    "found JsValue(Error: boom), which is wrong",
    GECKO.trimEnd(),
  ],
  ["found JsValue(7)\n    at f (a.js:1:2)\nand more", "found JsValue(7)\nand more", "    at f (a.js:1:2)"],
  ["not of JavaScript\n    at f (a.js:1:2)", "not of JavaScript\n    at f (a.js:1:2)", undefined],
  ["JsValue(1): write to a@b.org by 10:20:30", "JsValue(1): write to a@b.org by 10:20:30", undefined],
  ['found JsValue("x")', 'found JsValue("x")', undefined],
]) {
  test(`a message ends where a stack begins: ${expected}`, () => {
    const found = readPanic({ message, file: "a.rs", line: 1, column: 2, stack: "its own" });
    assert.deepEqual([found.message, found.quoted, found.stack], [expected, quoted, "its own"]);
  });
}

for (const [source, expected] of [
  ["wasm.__wbindgen_exn_store(addHeapObject(e));", "__wbindgen_exn_store"],
  ["wasm.__wbindgen_export_2(addHeapObject(e));", "__wbindgen_export_2"],
  ["wasm.__wbindgen_export_3(arg0, arg1, addHeapObject(arg2));", "__wbindgen_exn_store"],
]) {
  test(`the export that takes an exception is known from: ${source}`, () =>
    assert.equal(exceptionStore(source), expected));
}
