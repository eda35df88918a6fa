/** A Wasm file without glue: its exports, memories, globals and imports, and what a crash leads to. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { Driver } from "../../src/hosts/python/driver.js";
import { PythonImports } from "../../src/hosts/python/imports.js";
import { readParameterNames } from "../../src/raw/names.js";
import { GlueError, LoadError } from "../../src/shared/errors.js";
import { loadModule, loadModuleSync } from "../loading.js";
import { fixture, rejection, thrown } from "../support.js";

const read = (path) => new Uint8Array(readFileSync(new URL(`../../../rust/${path}`, import.meta.url)));
const PLAIN = read("raw/pkg/plain.wasm");
const REWRITER = read("rewriter/pkg/rewriter.wasm");
const env = () => ({ log: () => {}, pick: (value) => value });

/** Loads as `load` does for users of plain JavaScript. */
async function supervise(glue, imports = { env: env() }) {
  const module = await loadModule({ glue, imports });
  const supervisor = (module.host = new DefaultSupervisor(module));
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

/** Loads so that calls can be rolled back and stopped; the host rolls every crash back, as Python's does. */
function track(imports = { env: env() }, rewrites = 3) {
  const file = { source: "", url: "https://example.org/plain.wasm", bytes: PLAIN, readFile: () => null };
  const module = loadModuleSync({ glue: file, imports, rollsBack: true }, { rewriter: REWRITER, rewrites });
  module.host = /** @type {any} */ (
    new Proxy(
      {
        crashed: (death) => {
          const { obstacle } = module.rollBack(true);
          return new Error(`${death.diagnosis.code || death.diagnosis.kind} ${obstacle}`);
        },
        limitMs: () => 20,
        isInterrupted: () => false,
        failed: (error) => error,
      },
      { get: (host, name) => host[name] ?? (() => new Error(`unexpected ${String(name)}`)), has: () => true },
    )
  );
  return {
    module,
    driver: new Driver(module),
    call: (name) => module.lanes.functionLane(module.description.functions.findIndex((one) => one.name === name)),
  };
}

test("exports of numbers are functions with types and names from the file", async () => {
  const { module, exports } = await supervise(PLAIN);
  const described = Object.fromEntries(module.description.functions.map((one) => [one.name, one]));
  const shape = ({ params, result }) => [
    params.map(({ name, kind }) => `${name}: ${kind.name}`).join(", "),
    result.name,
  ];
  assert.deepEqual(shape(described.add), ["left: i32, right: i32", "i32"]);
  assert.deepEqual(shape(described.double), ["value: int64", "bigint"]);
  assert.deepEqual(shape(described.half), ["value: float", "float"]);
  assert.deepEqual(shape(described.scale), ["value: float, arg1: float", "float"]);
  assert.deepEqual(shape(described.both), ["arg0: i32", "any"]);
  assert.deepEqual(shape(described.store), ["at: i32, value: i32", "void"]);
  assert.equal(exports.add(2, 3), 5);
  assert.equal(exports.double(2n ** 40n), 2n ** 41n);
  assert.deepEqual(exports.both(-3), [-3, -3n]);
  assert.equal(module.name, "module");
  assert.equal(module.adapter.name, "raw");
  assert.match(module.warnings[0], /other types than numbers, which are left out: reference\./);
});

test("a memory and globals are those of the generation that lives", async () => {
  const { exports, supervisor } = await supervise(PLAIN);
  const view = new Uint8Array(exports.memory.buffer);
  view[5] = 42;
  assert.equal(exports.load(5), 42);
  exports.counter.value = 20;
  assert.equal(exports.bump(), 21);
  assert.equal(exports.limit.value, 9007199254740993n);
  assert.throws(() => {
    exports.limit.value = 1n;
  }, TypeError);
  exports.memory.grow(1);
  assert.equal(exports.memory.buffer.byteLength, 2 * 65536);
  supervisor.reset();
  assert.equal(exports.memory.buffer.byteLength, 65536);
  assert.equal(exports.load(5), 0);
  assert.equal(exports.counter.value, 7);
});

test("a crash costs its caller an error, and the next call finds a fresh instance", async () => {
  const { exports, module } = await supervise(PLAIN);
  exports.store(9, 1);
  assert.throws(() => exports.divide(1, 0), /divide by zero.*module\.divide/);
  assert.equal(module.generation.number, 1);
  assert.deepEqual([exports.load(9), exports.load(0), exports.counter.value], [0, 0, 7]);
});

test("imports are called with numbers, and a number is good for 64 bits", async () => {
  const calls = [];
  const { exports } = await supervise(PLAIN, { env: { log: (...args) => calls.push(args), pick: () => 12 } });
  exports.tell(4);
  assert.deepEqual(calls, [[4, 1]]);
  assert.equal(exports.ask(1n), 12n);
});

const LIST = "It imports env.log(i32, f64), env.pick(i64) -> i64.";
const WRONG = {
  nothing: [
    undefined,
    `the Wasm data needs imports that were not given. Add to \`imports\`: ${LIST.slice("It imports ".length)}`,
  ],
  "one of two": [
    { env: { log() {} } },
    `the Wasm data needs imports that were not given. Add to \`imports\`: env.pick(i64) -> i64.`,
  ],
  "one too many": [
    { env: { ...env(), print() {} }, js: { now() {} } },
    `the Wasm data does not import env.print, js.now: take that out of \`imports\`. ${LIST}`,
  ],
  "no function": [
    { env: { ...env(), log: 5 } },
    `The import env.log of the Wasm data must be a function, not number. ${LIST}`,
  ],
};
for (const [what, [imports, message]] of Object.entries(WRONG)) {
  test(`imports with ${what} are an error that lists what is wanted`, async () => {
    const error = await rejection(loadModule({ glue: PLAIN, imports }));
    assert.ok(error instanceof LoadError);
    assert.equal(error.message, message);
  });
}

/** The bytes of a module that imports one function of no arguments. */
const importing = (module, name, kind = [0, 0]) => {
  const text = (string) => [string.length, ...new TextEncoder().encode(string)];
  const section = (id, content) => [id, content.length, ...content];
  return new Uint8Array([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...text(module), ...text(name), ...kind]),
  ]);
};

test("WASI is named", async () => {
  const error = await rejection(loadModule({ glue: importing("wasi_snapshot_preview1", "fd_write") }));
  assert.match(error.message, /was built for WASI \(it imports wasi_snapshot_preview1\.fd_write\), which unpanic/);
});

test("an imported memory is refused", async () => {
  const error = await rejection(loadModule({ glue: importing("env", "memory", [2, 0, 1]) }));
  assert.match(error.message, /imports its memory \(env\.memory\), which cannot be given/);
});

test("a file of wasm-bindgen's is loaded with the glue beside it, or says where that should be", () => {
  const { url, readFile } = fixture("silent");
  const bytes = readFile("silent_bg.wasm");
  const glue = { source: "", url: url.replace(".js", "_bg.wasm"), bytes, readFile };
  const module = loadModuleSync({ glue });
  assert.deepEqual([module.adapter.name, module.name], ["factory", "silent"]);
  const error = thrown(() => loadModuleSync({ glue: { ...glue, readFile: () => null } }));
  assert.ok(error instanceof GlueError);
  assert.match(
    error.message,
    /silent_bg\.wasm was written by wasm-bindgen and needs its glue, .* none at .*\/silent\.js/,
  );
});

test("the same at leisure", async () => {
  const { url, readFile } = fixture("silent");
  const glue = { source: "", url: url.replace(".js", "_bg.wasm"), bytes: readFile("silent_bg.wasm"), readFile };
  const module = await loadModule({ glue });
  assert.equal(module.adapter.name, "factory");
});

test("imports for glue are refused", () => {
  assert.match(
    thrown(() => loadModuleSync({ glue: fixture("silent"), imports: {} })).message,
    /is no Wasm file: `imports`/,
  );
});

test("a compiled module does not tell types", async () => {
  const error = await rejection(loadModule({ glue: await WebAssembly.compile(PLAIN), imports: { env: env() } }));
  assert.match(error.message, /came compiled and does not tell the types/);
});

test("names of parameters come from the name section, damaged or not", () => {
  const names = readParameterNames(new WebAssembly.Module(PLAIN));
  assert.deepEqual(names.get(2), ["left", "right"]);
});

/* ---- rollback and deadlines, as Python has them ------------------------------------ */

test("a crash is rolled back: memory, globals, and what was written through the view before", () => {
  const { driver, call } = track();
  assert.equal(driver.memoryLength("memory"), 65536);
  assert.ok(driver.writeMemory("memory", 0, new Uint8Array([1, 2, 3])));
  driver.writeGlobal("counter", 30);
  driver.writeGlobal("ratio", 0.25);
  assert.throws(() => call("divide")(1, 0), /divide_by_zero $/);
  assert.deepEqual([...driver.readMemory("memory", 0, 4)], [1, 2, 3, 0]);
  assert.deepEqual([driver.readGlobal("counter"), driver.readGlobal("ratio")], [30, 0.25]);
  assert.equal(call("bump")(), 31);
});

test("what an import writes is rolled back with the call", () => {
  const { driver, call } = track({
    env: {
      ...env(),
      log: (code) => {
        driver.writeMemory("memory", 100, new Uint8Array([code + 1, 8]));
        driver.writeGlobal("counter", 50);
      },
    },
  });
  call("tell")(3);
  assert.deepEqual([...driver.readMemory("memory", 100, 102), driver.readGlobal("counter")], [4, 8, 50]);
  driver.writeGlobal("counter", 51);
  assert.throws(() => call("tell")(0), /unreachable $/);
  assert.deepEqual([...driver.readMemory("memory", 100, 102), driver.readGlobal("counter")], [4, 8, 51]);
});

test("an import that throws is rolled back too", () => {
  const failure = new TypeError("no");
  const { driver, call } = track({
    env: {
      ...env(),
      pick: () => {
        driver.writeMemory("memory", 0, new Uint8Array([9]));
        throw failure;
      },
    },
  });
  assert.throws(() => call("ask")(1n), /foreign/);
  assert.equal(driver.readMemory("memory", 0, 1)[0], 0);
});

test("the bounds of a memory follow its growth, and an undone growth", () => {
  const { driver, call } = track();
  assert.equal(driver.growMemory("memory", 1), (65536 + 2 ** 20) / 65536);
  const grown = driver.memoryLength("memory");
  assert.ok(driver.writeMemory("memory", grown - 1, new Uint8Array([5])));
  assert.throws(() => call("divide")(1, 0), /divide_by_zero $/);
  assert.deepEqual([driver.memoryLength("memory"), driver.readMemory("memory", grown - 1, grown)[0]], [grown, 5]);
  assert.equal(driver.writeMemory("memory", 65530, new Uint8Array(20)), false);
  assert.equal(driver.growMemory("memory", 60000), -1);
});

test("a call that computes too long is stopped", () => {
  const { driver, call } = track();
  driver.writeMemory("memory", 3, new Uint8Array([7]));
  assert.throws(() => call("spin")(), /timeout/);
  assert.equal(call("load")(3), 7);
});

test("a trap of a file with little memory is that trap", async () => {
  const type = [1, 4, 1, 0x60, 0, 0];
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...type, 3, 2, 1, 0, 5, 4, 1, 1, 1, 1],
    ...[7, 12, 2, 4, 102, 97, 105, 108, 0, 0, 1, 109, 2, 0, 10, 5, 1, 3, 0, 0, 0x0b],
  ];
  const { exports } = await supervise(new Uint8Array(bytes), {});
  assert.throws(() => exports.fail(), /unreachable.*module\.fail/);
});

test("imports of Python's are called by themselves until they are bound", () => {
  const imports = new PythonImports([
    ["env", "log", (code, weight) => calls.push([code, weight]), true],
    ["env", "pick", () => 3, true],
  ]);
  const calls = [];
  const { call } = track(imports.imports);
  call("tell")(1);
  imports.bind(1, () => 4);
  assert.deepEqual([calls, call("ask")(0n)], [[[1, 1]], 4n]);
});

test("a memory with addresses of 64 bits grows", () => {
  const { module, driver } = track();
  const grow = (pages) => {
    if (typeof pages !== "bigint") throw new TypeError(`Cannot convert ${pages} to a BigInt`);
    return 3n;
  };
  module.generation.exports = { ...module.generation.exports, memory: { grow } };
  assert.equal(driver.growMemory("memory", 1), 3);
  assert.equal(driver.growMemory("memory", 2 ** 16 + 1), -1);
});

test("a constant for a global of 64 bits must be an integer", async () => {
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 8, 1, 1, 0x65, 1, 0x67, 3, 0x7e, 0]);
  const { message } = await rejection(loadModule({ glue: bytes, imports: { e: { g: 1.5 } } }));
  assert.match(message, /^The import e\.g of the Wasm data must be an integer, not 1\.5\. It imports e\.g /);
});
