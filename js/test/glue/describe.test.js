/** Parameters and results of exports, read from glue and Wasm of the fixtures, equal those of the Rust sources. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { describe } from "../../src/glue/describe.js";
import { readGlue } from "../../src/glue/glue.js";
import { load } from "../../src/python.js";
import { fixture, glueFile, supervise } from "../support.js";

const faults = (await supervise(fixture("faults"))).module.description;
const bank = (await supervise(fixture("bank"))).module.description;

/** Returns a kind as the text of its fields. */
const text = ({ name, element, className }) => [name, element, className].filter(Boolean).join(":");

/** Returns a function as "(kind, kind?) result"; the result of an async function is `async result`. */
function shape({ params, result, isAsync }) {
  const kinds = params.map(({ kind, optional, rest }) => `${rest ? "..." : ""}${text(kind)}${optional ? "?" : ""}`);
  return `(${kinds.join(", ")}) ${isAsync ? "async " : ""}${text(result)}`;
}

const shapes = (functions) => Object.fromEntries(functions.map((found) => [found.name, shape(found)]));

const FAULTS = {
  add: "(i32, i32) i32",
  add_f64: "(float, float) float",
  call: "(function) any",
  call_with: "(function, i32) i32",
  consume_thing: "(object:Thing) i32",
  continued: "() bool",
  echo_bool: "(bool) bool",
  echo_char: "(char) string",
  echo_f32: "(float) float",
  echo_f64: "(float) float",
  echo_i8: "(i32) i32",
  echo_i32: "(i32) i32",
  echo_u32: "(i32) i32",
  echo_i64: "(int64) bigint",
  echo_u64: "(int64) bigint",
  echo_js_value: "(any?) any",
  echo_option_i32: "(s32?) i32",
  echo_option_string: "(string?) string",
  echo_string: "(string) string",
  err_later: "(i32) async number",
  fail_later: "(i32) async void",
  fill: "(array:u8) void",
  indirect_call_mismatch: "() float",
  make_adder: "(i32) any",
  next_color: "(enum:Color) enum:Color",
  panic_formatted: "(i32) void",
  string_len: "(string) i32",
  sum: "(object:Thing, object:Thing) i32",
  timer: "(i32, bool) void",
  wait_text: "(i32, string) async string",
};

for (const [name, expected] of Object.entries(FAULTS)) {
  test(`faults.${name} is ${expected}`, () => {
    assert.equal(shapes(faults.functions)[name], expected);
  });
}

test("bytes come out as bytes", () => {
  assert.deepEqual(faults.functions.find(({ name }) => name === "echo_bytes").result, {
    name: "array",
    element: "u8",
  });
});

test("the exports include none of wasm-bindgen's own", () => {
  const names = [...faults.functions, ...faults.classes].map(({ name }) => name).concat(faults.constants);
  assert.deepEqual(
    names.filter((name) => /^(__|init|default|setPanicHook)/.test(name)),
    [],
  );
  assert.deepEqual(faults.constants, ["Color"]);
});

test("a class has its constructor, methods, statics, getters and setters", () => {
  const thing = faults.classes.find(({ name }) => name === "Thing");
  assert.equal(shape(thing.construct), "(i32) word");
  assert.deepEqual(shapes(thing.methods), { consume: "() i32", explode: "() void", with_callback: "(function) any" });
  assert.deepEqual(shapes(thing.statics), { boom: "() void", make: "(i32) object:Thing" });
  assert.deepEqual(shapes(thing.getters), { bad: "() i32", value: "() i32" });
  assert.deepEqual(shapes(thing.setters), { value: "(i32) void" });
});

test("what a class has itself is told from what its objects have", async () => {
  const [gauge] = (await supervise(fixture("gauges"))).module.description.classes;
  assert.deepEqual(shapes(gauge.getters), { level: "() i32" });
  assert.deepEqual(shapes(gauge.setters), {});
  assert.deepEqual(shapes(gauge.staticGetters), {
    brokenLimit: "() i32",
    unit: "() string",
    upperLimit: "() i32",
    usualGauge: "() object:Gauge",
  });
  assert.deepEqual(shapes(gauge.staticSetters), { unit: "(string) void", upperLimit: "(i32) void" });
});

test("the bank is described with the names of its parameters", () => {
  assert.deepEqual(shapes(bank.functions), {
    add: "(i32, i32) i32",
    audit: "(string) bigint",
    balance_later: "(string) async bigint",
    balance_of: "(string) bigint",
    count: "() i32",
    deposit: "(string, i32) bigint",
    open: "(string, i64) void",
    slow: "(i32) async number",
    statements: "(i32) string",
    total: "() bigint",
    transfer: "(string, string, i64) void",
    transfer_later: "(i32, string, string, i64) async void",
    withdraw: "(string, i32) bigint",
  });
  assert.deepEqual(
    bank.functions.find(({ name }) => name === "transfer").params.map(({ name }) => name),
    ["from", "to", "amount"],
  );
  const [account] = bank.classes;
  assert.equal(account.name, "Account");
  assert.equal(shape(account.construct), "(string, i64) word");
  assert.deepEqual(shapes(account.statics), { named: "(string) object:Account" });
  assert.deepEqual(shapes(account.getters), { balance: "() bigint", owner: "() string" });
});

test("every build of a fixture has the same exports, except those that it cannot have", async () => {
  for (const mode of ["reset", "unwind"]) {
    const { functions, classes } = (await supervise(fixture("faults", mode))).module.description;
    const left = shapes(faults.functions);
    if (mode === "unwind") delete left.fill; // wasm-bindgen supports no mutable slices in this build
    assert.deepEqual(shapes(functions), left, mode);
    assert.deepEqual(classes, faults.classes, mode);
  }
});

test("a struct that only Rust can make has no constructor", async () => {
  const { classes } = (await supervise(glueFile("node_modules/@ruvector/exotic-wasm/ruvector_exotic_wasm.js"))).module
    .description;
  assert.ok(classes.every(({ construct }) => construct));
  const glue = readGlue(WRITTEN, "http://host/it.js");
  assert.equal(describe(glue, WASM).classes.find(({ name }) => name === "Private").construct, null);
});

/** Glue written by hand, with forms that no fixture has. */
const WRITTEN = `
let wasm;
export class Private { constructor() { throw new Error("cannot invoke \`new\` directly"); } }
export class Base { free() {} one() { return wasm.one(); } }
export class Derived extends Base { one() { return wasm.two(); } two() {} }
/**
 * @param {number} a
 * @param {number} [b]
 * @param {string | null} [c]
 * @param {{x: number, y: {z: number}}} d
 * @param {(x: number) => void} e
 * @param {...any} rest
 */
export function kinds(a, b, c, d, e, ...rest) { wasm.kinds(a, b); }
export function undocumented(a) { return wasm.undocumented(a); }
/** @param {number} a */
export function after(a) { wasm.kinds(1.5, a); }
const inner = undocumented;
export { inner as alias };
export const Level = Object.freeze({ Low: 0, "0": "Low" });
export default function init(module) {}
export function initSync(module) { wasm = new WebAssembly.Instance(module, {}).exports; }
`;
const signature = (params, results = []) => ({ params, results });
const WASM = /** @type {any} */ ({
  exports: [
    { name: "kinds", signature: signature(["f64", "i32"]) },
    { name: "undocumented", signature: signature(["i32"], ["i32"]) },
    { name: "one", signature: signature([], ["i32"]) },
    { name: "two", signature: signature([], ["i32"]) },
  ],
});

test("JSDoc with optional, nested, function and rest types is read", () => {
  const { functions } = describe(readGlue(WRITTEN, "http://host/it.js"), WASM);
  const all = shapes(functions);
  assert.equal(all.kinds, "(float, i32?, string?, any, function, ...any) void");
  assert.equal(all.after, "(i32) void");
  assert.equal(all.undocumented, "(word) word");
  assert.equal(all.alias, "(word) word");
});

test("a derived class has the members of its base, and its own members override them", () => {
  const { classes } = describe(readGlue(WRITTEN, "http://host/it.js"), WASM);
  const derived = classes.find(({ name }) => name === "Derived");
  assert.deepEqual(
    derived.methods.map(({ name }) => name),
    ["one", "two"],
  );
});

test("an exported enum is a constant, not a class", () => {
  assert.deepEqual(describe(readGlue(WRITTEN, "http://host/it.js"), WASM).constants, ["Level"]);
});

test("in the types for TypeScript users, each async function returns a promise", () => {
  const declared = readFileSync(
    new URL("../../../rust/fixtures/faults/pkg/abort/faults.d.ts", import.meta.url),
    "utf8",
  );
  for (const { name, isAsync } of faults.functions) {
    assert.equal(isAsync, new RegExp(`function ${name}\\(.*\\): Promise<`).test(declared), name);
  }
});

test("comments and string enums are described as in the glue", async () => {
  const { description } = (await supervise(fixture("shapes"))).module;
  const named = Object.fromEntries(description.functions.map((found) => [found.name, found]));
  assert.match(
    named.makeShape.doc,
    /^\*\n \* A shape with the given corners\.\n[\s\S]*@throws \{Error\} when there are no corners/,
  );
  assert.match(description.docs.Fill, /What a shape is filled with/);
  assert.match(description.docs.Point, /A point in the plane/);
  assert.match(description.classes[0].getters.find(({ name }) => name === "y").doc, /Distance from the top/);
  assert.deepEqual(description.enums, { Size: ["small", "extra-large"] });
  assert.equal(shape(named.enlarged), "(enum:Size) enum:Size");
  assert.equal(shape(named.sizeOr), "(enum:Size?) enum:Size");
  assert.equal(shape(named.refilled), "(enum:Fill) enum:Fill");
});

test("a type with the name of one of Rust's numbers is that number", async () => {
  const { description } = (await supervise(fixture("shapes"))).module;
  assert.equal(shape(description.functions.find(({ name }) => name === "double_byte")), "(u8) i32");
  const types = {
    i8: "i8",
    u16: "u16",
    i32: "s32",
    u32: "u32",
    isize: "s32",
    usize: "u32",
    u64: "u64",
    i128: "i128",
    u9: "any",
    f32: "f32",
    f64: "float",
    "u8 | null": "u8",
    "Level & u8": "u8",
    "(0 | 1) & i64": "i64",
    "Level & Part": "any",
  };
  const source = Object.keys(types)
    .map((type, at) => `/** @param {${type}} a */ export function f${at}(a) { wasm.kinds(a); }`)
    .join("\n");
  const kinds = describe(readGlue(WRITTEN + source, "http://host/it.js"), WASM).functions;
  const found = Object.keys(types).map((_, at) => kinds.find(({ name }) => name === `f${at}`).params[0].kind.name);
  assert.deepEqual(found, Object.values(types));
});

test("a parameter is written into if its elements are copied, and not if the array itself goes in", () => {
  const source = `
    /** @param {Uint8Array} data @param {any} more */
    export function whole(data, more) { wasm.kinds(data, more); }
    /** @param {Uint8Array} data */
    export function slice(data) {
      wasm.kinds(passArray8ToWasm0(data, wasm.__wbindgen_malloc), WASM_VECTOR_LEN, data);
    }`;
  const { functions } = describe(readGlue(WRITTEN + source, "http://host/it.js"), WASM);
  const written = functions.filter(({ params }) => params[0]?.mutable).map(({ name }) => name);
  assert.deepEqual(written, ["slice"]);
});

test("an Option of 8 or 16 bits is recognised by the number for None, which is out of its range", async () => {
  const { functions } = (await supervise(fixture("values"))).module.description;
  const found = shapes(functions);
  assert.equal(found.echo_option_u8, "(int16?) i32");
  assert.equal(found.echo_option_bool, "(bool?) bool");
  assert.equal(found.echo_option_char, "(char?) string");
  assert.equal(found.echo_option_u32, "(u32?) i32");
});

test("a kind that Python refines replaces the glue's kind completely", async () => {
  const driver = await load({ glue: fixture("faults") }, {});
  const index = faults.functions.findIndex(({ name }) => name === "consume_thing");
  const before = JSON.parse(driver.describe()).functions[index];
  assert.deepEqual(before.params[0].kind, { name: "object", className: "Thing" });
  const changes = { params: { 0: { kind: { name: "any" } } }, result: { name: "list", element: "string" } };
  driver.refine(JSON.stringify({ functions: { [index]: changes } }));
  const after = JSON.parse(driver.describe()).functions[index];
  assert.deepEqual([after.params[0].kind, after.result], [{ name: "any" }, { name: "list", element: "string" }]);
  assert.deepEqual({ ...after, params: [], result: null }, { ...before, params: [], result: null });
  driver.close();
});
