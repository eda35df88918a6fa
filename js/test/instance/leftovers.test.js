/**
 * Leftovers of a dead module in JavaScript hold no memory of the module, and do nothing: timers, listeners,
 * observers, sleeping futures, streams, objects, closures, errors.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { loadModule } from "../loading.js";
import { fixture, rejection, supervise, thrown } from "../support.js";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");
const turn = () => new Promise((resolve) => setImmediate(resolve));
const LONG = 60_000;
const CRASHES = 40;

// Node has no global events.
const target = new EventTarget();
globalThis.addEventListener ??= /** @type {any} */ (
  (type, listener) => {
    // Each listener has its own target, because Node warns of many listeners on one target.
    const own = new EventTarget();
    own.addEventListener(type, listener);
    target.addEventListener(type, (event) => own.dispatchEvent(new Event(event.type)), { once: true });
  }
);
process.setMaxListeners(0);
(await import("node:events")).setMaxListeners(0, target);

/** @type {unknown[]} the values that the page holds for ever */
const kept = [];
globalThis.leftovers = kept;

/** Runs `use` and afterwards ends the timers that it started. @param {() => Promise<void>} use */
async function withTimers(use) {
  const { setTimeout: timeout, setInterval: interval } = globalThis;
  const timers = [];
  globalThis.setTimeout = /** @type {any} */ ((...args) => timers[timers.push(timeout(...args)) - 1]);
  globalThis.setInterval = /** @type {any} */ ((...args) => timers[timers.push(interval(...args)) - 1]);
  try {
    await use();
  } finally {
    Object.assign(globalThis, { setTimeout: timeout, setInterval: interval });
    for (const timer of timers) clearTimeout(timer);
    kept.length = 0;
  }
}

/**
 * Runs `use` with weak references to the memories of all instances that are made meanwhile.
 * @param {(memories: WeakRef<any>[]) => Promise<void>} use
 */
async function withMemories(use) {
  const { Instance } = WebAssembly;
  const memories = [];
  WebAssembly.Instance = /** @type {any} */ (
    function Watched(module, imports) {
      const instance = new Instance(module, imports);
      memories.push(new WeakRef(instance.exports.memory));
      return instance;
    }
  );
  WebAssembly.Instance.prototype = Instance.prototype;
  try {
    await withTimers(() => use(memories));
  } finally {
    WebAssembly.Instance = Instance;
  }
}

/** Hardly any memory is alive: V8 may take a word on its stack for a reference. @param {WeakRef<any>[]} memories */
async function few(memories) {
  for (let round = 0; round < 3; round++) {
    await turn();
    collect();
  }
  const alive = memories.filter((memory) => memory.deref()).length;
  assert.ok(alive <= 3, `${alive} memories of ${memories.length} are alive`);
}

/** @param {string} build */
async function load(build) {
  if (build !== "native") return supervise(fixture("leftovers", build));
  const folder = new URL("../../../rust/fixtures/leftovers/pkg/reset/", import.meta.url);
  const glue = await import(`${new URL("leftovers.js", folder)}?${Math.random()}`);
  const module = await loadModule({ glue, wasm: new Uint8Array(readFileSync(new URL("leftovers_bg.wasm", folder))) });
  const supervisor = new DefaultSupervisor(module);
  module.host = supervisor;
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

for (const build of ["abort", "unwind"]) {
  test(
    `${build}: generations that die in one turn of the event loop hold no memory, although calls and panics ` +
      "queued microtasks",
    async () => {
      const { module, exports } = await load(build);
      const calls = [];
      await turn();
      const before = externalBytes();
      for (let crash = 0; crash < CRASHES; crash++) {
        calls.push(rejection(exports.sleep(LONG)));
        if (build === "unwind") thrown(() => exports.fail("unwound"));
        thrown(() => exports.trap());
      }
      // No `WeakRef` here: it would keep the memories until the loop turns. Each is 1.1 MB.
      const left = externalBytes() - before;
      assert.ok(left < 5_000_000, `${left} bytes are left`);
      assert.equal(module.generation.number, CRASHES);
      assert.deepEqual([...new Set((await Promise.all(calls)).map(({ name }) => name))], ["CallInterrupted"]);
    },
  );
}

/** Bytes outside of V8's heap: those of Wasm memories, among others. */
function externalBytes() {
  for (let round = 0; round < 3; round++) collect();
  return process.memoryUsage().external;
}

const KINDS = {
  timer: (exports) => exports.leave_timer(LONG),
  interval: (exports) => exports.leave_interval(LONG),
  listener: (exports) => exports.leave_listener(),
  observer: (exports) => exports.leave_observer(),
  task: (exports) => exports.leave_task(LONG),
  future: (exports) => exports.sleep(LONG).catch(() => {}),
  stream: (exports) => exports.leave_stream(LONG),
  object: (exports) => exports.leave_object(),
  closure: (exports) => exports.leave_closure(),
  error: (exports) => kept.push(thrown(() => exports.refuse())),
};

for (const build of ["abort", "reset", "native", "unwind"]) {
  for (const [kind, leave] of Object.entries(KINDS)) {
    test(
      `${build}: ${CRASHES} generations that each left a ${kind} behind leave no memory, nor does the last at its ` +
        "end",
      () =>
        withMemories(async (memories) => {
          const { module, supervisor, exports } = await load(build);
          for (let crash = 0; crash < CRASHES; crash++) {
            leave(exports);
            await turn(); // futures begin to sleep
            assert.equal(thrown(() => exports.trap()).kind, "trap");
          }
          leave(exports);
          await turn();
          assert.deepEqual([module.generation.number, exports.add(1, 2), memories.length], [CRASHES, 3, CRASHES + 1]);
          await few(memories);
          supervisor.terminate("unloaded");
          await few(memories);
        }),
    );
  }

  test(`${build}: leftovers of a generation that was reset hold no memory`, () =>
    withMemories(async (memories) => {
      const { supervisor, exports } = await load(build);
      for (const leave of Object.values(KINDS)) {
        leave(exports);
        await turn();
        supervisor.reset();
      }
      assert.equal(exports.add(1, 2), 3);
      await few(memories);
    }));

  test(`${build}: leftovers of modules that ended in their own call hold no memory`, () =>
    withMemories(async (memories) => {
      for (let module = 0; module < 10; module++) {
        const { supervisor, exports } = await load(build);
        exports.leave_listener();
        exports.leave_object();
        // Rust calls the observer's constructor, so its frames are still there when the module ends.
        const { PerformanceObserver } = globalThis;
        globalThis.PerformanceObserver = /** @type {any} */ (
          function Terminating() {
            supervisor.terminate("in its own call");
            return { observe() {} };
          }
        );
        const error = thrown(() => exports.leave_observer());
        globalThis.PerformanceObserver = PerformanceObserver;
        assert.equal(error.name, "CallInterrupted");
      }
      await few(memories);
    }));

  test(`${build}: events and timers that reach leftovers run nothing and throw nothing`, () =>
    withTimers(async () => {
      const { module, exports } = await load(build);
      for (let crash = 0; crash < 3; crash++) {
        exports.leave_timer(1);
        exports.leave_interval(1);
        exports.leave_listener();
        exports.leave_observer();
        exports.leave_closure();
        thrown(() => exports.trap());
      }
      const entered = module.generation;
      target.dispatchEvent(new Event("leftover"));
      performance.mark("leftover");
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(
        kept.map((closure) => /** @type {any} */ (closure)("é")),
        [undefined, undefined, undefined],
      );
      assert.equal(module.generation, entered);
    }));
}

for (const build of ["abort", "reset", "unwind"]) {
  test(`${build}: an object that is left over returns nothing, and frees nothing`, () =>
    withTimers(async () => {
      const { exports } = await load(build);
      exports.leave_object();
      thrown(() => exports.trap());
      const [object] = /** @type {any[]} */ (kept);
      const words = Array.from({ length: 3000 }, () => "word");
      assert.equal(object.join(words), "");
      object.pull();
      object.free();
      assert.equal(exports.add(1, 2), 3);
    }));

  test(`${build}: a stream that is left over ends no other generation`, () =>
    withTimers(async () => {
      const { module, exports } = await load(build);
      exports.leave_stream(1);
      thrown(() => exports.trap());
      const [stream] = /** @type {any[]} */ (kept);
      const reader = stream.getReader();
      reader.read().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      await reader.cancel();
      assert.equal(module.generation.number, 1);
    }));
}

/* ---- glue that keeps values in an array, as until 2024 -------------------- */

const section = (id, ...content) => [id, content.length, ...content];
const name = (text) => [text.length, ...Buffer.from(text)];
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];

// `make(index, n)` gets a closure from the glue, `trap` is unreachable, and the closure is called through `call`.
const HEAP_WASM = new Uint8Array([
  0,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0,
  ...section(1, 2, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f),
  ...section(2, 1, ...name("wbg"), ...name("__wbindgen_closure_wrapper7"), 0, 1),
  ...section(3, 3, 0, 0, 0),
  ...section(4, 1, 0x70, 0, 2),
  ...section(5, 1, 0, 1),
  ...section(
    7,
    5,
    ...name("memory"),
    2,
    0,
    ...name("__wbindgen_export_2"),
    1,
    0,
    ...name("make"),
    0,
    1,
    ...name("trap"),
    0,
    2,
    ...name("call"),
    0,
    3,
  ),
  ...section(9, 1, 0, 0x41, 1, 0x0b, 1, 3),
  ...section(
    10,
    3,
    ...body(0x20, 0, 0x20, 1, 0x41, 1, 0x10, 0), // the import, with the place of `call` in the table
    ...body(0x00), // unreachable
    ...body(0x20, 0, 0x20, 1, 0x6a), // the sum
  ),
]);

const HEAP_GLUE = `
let wasm;
const heap = new Array(32).fill(undefined);
heap.push(undefined, null, true, false);
let heap_next = heap.length;
function addHeapObject(obj) {
    if (heap_next === heap.length) heap.push(heap.length + 1);
    const idx = heap_next;
    heap_next = heap[idx];
    heap[idx] = obj;
    return idx;
}
function takeObject(idx) {
    const ret = heap[idx];
    heap[idx] = heap_next;
    heap_next = idx;
    return ret;
}
let cachedInt32Memory0 = new Int32Array();
function getInt32Memory0() {
    if (cachedInt32Memory0.byteLength === 0) cachedInt32Memory0 = new Int32Array(wasm.memory.buffer);
    return cachedInt32Memory0;
}
function makeMutClosure(arg0, arg1, dtor, f) {
    const state = { a: arg0, b: arg1, cnt: 1, dtor };
    const real = (...args) => {
        state.cnt++;
        try {
            return f(state.a, state.b, ...args);
        } finally {
            if (--state.cnt === 0) wasm.__wbindgen_export_2.get(state.dtor)(state.a, state.b);
        }
    };
    real.original = state;
    return real;
}
function lowering(arg0, arg1, arg2) {
    return wasm.__wbindgen_export_2.get(arg0)(arg1, addHeapObject(arg2)) - getInt32Memory0()[0];
}
/** @param {number} index @param {number} n @returns {any} */
export function make(index, n) { return takeObject(wasm.make(index, n)); }
/** @param {any} value @returns {number} */
export function store(value) { return addHeapObject(value); }
export function trap() { wasm.trap(0, 0); }
function initSync(module) {
    const imports = { wbg: { __wbindgen_closure_wrapper7: function(arg0, arg1, arg2) {
        return addHeapObject(makeMutClosure(arg0, arg1, arg2, lowering));
    } } };
    wasm = new WebAssembly.Instance(module, imports).exports;
    return wasm;
}
export { initSync };
`;

const heapFile = { source: HEAP_GLUE, url: "http://host/heap.js", readFile: () => HEAP_WASM };

test("glue with a heap array: a closure works, and holds no memory when its generation is gone", () =>
  withMemories(async (memories) => {
    const { module, exports } = await supervise(heapFile);
    for (let crash = 0; crash < CRASHES; crash++) {
      const closure = /** @type {any} */ (module.generation).exports.make(1, 10);
      assert.ok(closure({}) > 10);
      kept.push(closure);
      thrown(() => exports.trap());
    }
    await few(memories);
    assert.ok(kept.every((closure) => /** @type {any} */ (closure)({}) === undefined));
  }));

test("glue with a heap array: leftovers store nothing any more", async () => {
  const { module, exports } = await supervise(heapFile);
  const { exports: glue } = module.generation;
  const held = new WeakRef(keepIn(glue));
  thrown(() => exports.trap());
  await turn();
  collect();
  assert.equal(held.deref(), undefined);
  glue.store({}); // takes the free place
  const late = new WeakRef(keepIn(glue));
  const places = [Symbol("a"), Object.create(null), {}, "1"].map(glue.store);
  await turn();
  collect();
  assert.deepEqual([late.deref(), places], [undefined, [undefined, undefined, undefined, undefined]]);
});

/** @param {any} glue */
function keepIn(glue) {
  const value = {};
  glue.store(value);
  return value;
}
