/** Damaged glue, and glue that wasm-bindgen did not write, raise only documented errors. tests/fuzz found these. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { describe } from "../../src/glue/describe.js";
import { compileFactory, factoryBody } from "../../src/glue/factory.js";
import { readGlue } from "../../src/glue/glue.js";
import { guardImports } from "../../src/instance/imports.js";
import { GlueError, LoadError } from "../../src/shared/errors.js";
import { itemsOf } from "../../src/shared/isinstance.js";
import { rejection, supervise, thrown } from "../support.js";

const URL_ = "http://host/pkg/it.js";
const NOTHING = { imports: [], exports: [], unwinds: false };
const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const INIT =
  "function initSync(module) { wasm = new WebAssembly.Instance(module, {}).exports; return wasm; }\n" +
  "export { initSync };";
const glueText = (body) => `let wasm;\n${body}\n${INIT}\n`;
const glueFile = (body) => ({ source: glueText(body), url: URL_, readFile: () => EMPTY_WASM });

test("glue that nests too deeply for the engine is a GlueError", () => {
  const glue = readGlue(glueText(`a${".b".repeat(20_000)};`), URL_);
  const error = thrown(() => compileFactory(factoryBody(glue), URL_));
  assert.ok(error instanceof GlueError, error.stack);
  assert.equal(
    error.message,
    `${URL_} cannot be made a function, as it must be to start anew: Maximum call stack size exceeded.`,
  );
});

test("glue that nests more deeply than the parser can take ends no process", () => {
  const { href } = new URL("../../src/glue/syntax.js", import.meta.url);
  const parse = `import { parseModule } from ${JSON.stringify(href)};
    try { parseModule("\`\${".repeat(3_000)); } catch (error) { console.log(error.message); }`;
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", parse], { encoding: "utf8" });
  assert.deepEqual([status, stdout], [0, "Maximum call stack size exceeded\n"]);
});

test("code that is allowed only in a module is a GlueError that says so", async () => {
  const error = await rejection(supervise(glueFile("await 0;")));
  assert.ok(error instanceof GlueError, error.stack);
  assert.match(error.message, /cannot be made a function, as it must be to start anew: await is only valid/);
});

test("names that refer to each other, and classes that inherit from each other, can be described", () => {
  const body =
    "const a = b, b = a; export { a };\nclass A extends B { one() {} }\nclass B extends A { two() {} }\n" +
    "export { A, B };\nexport class Own extends Own {}";
  const { classes, constants } = describe(readGlue(glueText(body), URL_), NOTHING);
  assert.deepEqual(constants, ["a"]);
  assert.deepEqual(
    classes.map(({ name, methods }) => [name, methods.map((method) => method.name)]),
    [
      ["A", ["two", "one"]],
      ["B", ["one", "two"]],
      ["Own", []],
    ],
  );
});

for (const [what, value, message] of [
  ["null", "null", "null"],
  ["nothing", "undefined", "undefined"],
  ["a text", "'a text'", "a text"],
  ["what throws when it is looked at", "new Proxy({}, { getPrototypeOf() { throw 1; } })", "[object Object]"],
  [
    "an error whose message cannot be read",
    "Object.defineProperty(new Error(), 'message', { get() { throw 1; } })",
    "[object Object]",
  ],
]) {
  test(`glue that throws ${what} when it is evaluated is a LoadError`, async () => {
    const error = await rejection(supervise(glueFile(`throw ${value};`)));
    assert.ok(error instanceof LoadError, error.stack);
    assert.equal(error.message, `${URL_} cannot be instantiated: ${message}`);
    assert.ok("cause" in error);
  });
}

test("an object of a class without free can be released", async () => {
  const { exports } = await supervise(glueFile("export class Plain { one() { return 1; } }"));
  const plain = new exports.Plain();
  assert.equal(plain.one(), 1);
  assert.equal(plain.free(), undefined);
});

test("a value that throws when it is read is passed on, and does not count as a Rust value", async () => {
  const hostile = "new Proxy(function () {}, { getPrototypeOf() { throw 1; }, get() { throw 2; } })";
  const { exports } = await supervise(
    glueFile(`export function give() { return ${hostile}; }\nexport function fail() { throw ${hostile}; }`),
  );
  assert.equal(typeof exports.give(), "function");
  assert.equal(typeof thrown(() => exports.fail()), "function");
});

test("a promise with a then of its own is awaited like any other", async () => {
  const { exports } = await supervise(
    glueFile("export function give() { return Object.assign(Promise.resolve(1), { then: 5 }); }"),
  );
  assert.equal(await exports.give(), 1);
});

test("an object with a then is awaited like a promise, and an exception of its then is a rejection", async () => {
  const { module, exports } = await supervise(glueFile("export function give(then) { return { then }; }"));
  assert.equal(await exports.give((resolve) => resolve(7)), 7);
  const failing = exports.give(() => {
    throw 2;
  });
  assert.equal(module.inFlight, 1);
  assert.equal(await rejection(failing), 2);
  assert.equal(module.inFlight, 0);
});

for (const [what, give] of [
  ["itself", (promise) => [promise, []]],
  ["its place in the heap", (promise) => [1, [undefined, promise]]],
]) {
  test(`a promise whose function died in Rust (an import that returns ${what}) is not an uncaught error`, async () => {
    const uncaught = [];
    const listen = (reason) => uncaught.push(reason);
    process.on("unhandledRejection", listen);
    const [result, heap] = give(Promise.reject(new Error("died in Rust")));
    const owner = { stopwatch: null };
    const generation = /** @type {any} */ ({ owner, gone: true, heap: () => heap, wrap: (error) => error });
    const wasm = {
      ...NOTHING,
      imports: [{ module: "m", name: "make", kind: "function", signature: { params: [], results: [] } }],
    };
    const { m } = guardImports({ m: { make: () => result } }, wasm, generation);
    assert.match(thrown(() => m.make()).message, /this WebAssembly instance is dead/);
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.removeListener("unhandledRejection", listen);
    assert.deepEqual(uncaught, []);
  });
}

test("an array that throws when it is read does not count as an array", () => {
  const { proxy, revoke } = Proxy.revocable([1], {});
  assert.deepEqual([itemsOf([1, 2]), itemsOf("12"), itemsOf(proxy)], [[1, 2], null, [1]]);
  revoke();
  const counts = new Proxy([1], {
    get: () => {
      throw new Error("no length");
    },
  });
  assert.deepEqual([itemsOf(proxy), itemsOf(counts)], [null, null]);
});
