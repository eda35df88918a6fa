/** The rules of ES modules, one by one: one text does what Node does with the files. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { GlueError } from "../../src/shared/errors.js";
import { thrown } from "../support.js";
import { Folder, graphOf, joined, shown } from "./support.js";

const folder = new Folder();
after(() => folder.remove());

/** @type {Record<string, Record<string, string>>} */
const PACKAGES = {
  "names that collide": {
    "index.js": 'import { a as one } from "./one.js"; const a = 2; export { a, one }; export const both = { a, one };',
    "one.js": "const a = 1; export { a };",
  },
  "a parameter with the name of what is imported under another name": {
    "index.js":
      'import { version as vers } from "./one.js"; export function f(version = 5) { return [vers(), version]; }',
    "one.js": "export function version() { return 1; }",
  },
  "shorthand properties, also in patterns": {
    "index.js":
      'import { a } from "./one.js"; const o = { a, b: { a } }; const { a: c, d = a } = o;\n' +
      "export function f({ a: e, g = a } = o) { return { e, g, a }; } export { o, c, d };",
    "one.js": "let a = 1; export { a as a }; ",
    "two.js": "",
  },
  "an assignment to a variable in a pattern": {
    "index.js":
      'import { a, set } from "./one.js"; set(); export { a }; let b, c; ({ b, c = 5 } = { b: 1 }); [b] = [b + 1];\n' +
      "export { b, c };",
    "one.js": "export let a = 1; export const set = () => { ({ a } = { a: 7 }); };",
  },
  "a statement without a semicolon before an export that goes away": {
    "index.js": 'import { a } from "./one.js"\n(() => {})()\nexport { a }\n`text`\nexport { b } from "./one.js"',
    "one.js": "export const a = () => 1, b = 2",
  },
  "a file that ends without a semicolon, and a next one that begins with a parenthesis": {
    "index.js": 'export { a } from "./one.js"\nexport * from "./two.js"',
    "one.js": "export const a = () => 1\nconst b = a",
    "two.js": "(() => {})()\nexport const c = 3",
  },
  "a first line for the shell": {
    "index.js": '#!/usr/bin/env node\nexport * from "./one.js";',
    "one.js": "#!x\nexport let a;",
  },
  "live bindings": {
    "index.js":
      'import { count, up } from "./one.js"; import * as one from "./one.js"; up(); up();\n' +
      "export { count }; export const seen = [count, one.count];",
    "one.js": "export let count = 0; export function up() { count++; }",
  },
  "a circle": {
    "index.js": 'import { isEven } from "./even.js"; export const results = [isEven(4), isEven(5)];',
    "even.js": 'import { isOdd } from "./odd.js"; export function isEven(n) { return n === 0 || isOdd(n - 1); }',
    "odd.js": 'import { isEven } from "./even.js"; export function isOdd(n) { return n !== 0 && isEven(n - 1); }',
  },
  "classes that inherit from classes of other files": {
    "index.js":
      'import { Base } from "./base.js"; import { mixin } from "./mixin.js";\n' +
      "export class A extends Base { more() { return super.name(); } }\n" +
      "export class B extends mixin(A) {}\nexport default class extends B {}\n" +
      "export const names = [new A().more(), new B().mixed(), B.made];",
    "base.js": "export class Base { name() { return 1; } static made = new Base().name(); }",
    "mixin.js": "export const mixin = (Class) => class extends Class { mixed() { return [this.name(), 2]; } };",
  },
  "everything of several files, of which one says the same twice": {
    "index.js": 'export * from "./one.js"; export * from "./two.js"; export const own = 1;',
    "one.js": 'export * from "./common.js"; export const clash = 1; export const own = 2; export default 3;',
    "two.js": 'export * from "./common.js"; export const clash = 2;',
    "common.js": "export const common = {};",
  },
  "everything of a file that exports everything of this one": {
    "index.js": 'export * from "./one.js"; export const a = 1;',
    "one.js": 'export * from "./index.js"; export const b = 2;',
  },
  "namespaces, of which one is exported": {
    "index.js":
      'import * as one from "./one.js"; export * as two from "./two.js"; export { one as three };\n' +
      "export const facts = [Object.keys(one), Object.getPrototypeOf(one), Object.prototype.toString.call(one), " +
      "one.default()];",
    "one.js": "export const z = 1, y = 2; export default function named() { return y; }",
    "two.js":
      'import * as me from "./two.js"; export const own = () => Object.keys(me); export { z as x } from "./one.js";',
  },
  "defaults of all kinds": {
    "index.js": [..."abcdefg"].map((name) => `export { default as ${name} } from "./${name}.js";`).join("\n"),
    "a.js": "export default function () { return 1; }",
    "b.js": "export default class { value = 2; }",
    "c.js": "export default (() => 3);",
    "d.js": "const value = 4; export { value as default };",
    "e.js": "let value = 5; export default value; value = 6;",
    "g.js": "let n = 0; export default (n++, n + 8)",
    "f.js": "export default [7]\n;[8].map(String)",
  },
  "names of exports that no variable can have": {
    "index.js": 'export { "a b" as "c d" } from "./one.js"; import { "a b" as e } from "./one.js"; export { e };',
    "one.js": 'const value = 1; export { value as "a b" };',
  },
  "variables of loops and blocks": {
    "index.js":
      'import { a } from "./one.js"; var sum = 0; for (var i = 0, n = 3; i < n; i++) { var last = i; sum += i; }\n' +
      "for (var key in { x: 1 }) sum += key.length; for (var [b, c = 2] of [[1]]) sum += b + c;\n" +
      "if (sum) { var d = sum; let e = 5; { function f() { return e; } var g = f(); } }\n" +
      "export { a, sum, i, last, key, b, c, d, g }; export const all = () => [i, n, last];",
    "one.js": "var i = 9, key = 8; export const a = [i, key];",
  },
  "patterns at the start of a line": {
    "index.js":
      "const f = (x) => x\nvar { a } = f({ a: 1 })\nvar [b] = [a]\nlet { c, ...d } = { c: 3, e: 4 }\n" +
      "export { a, b, c, d }",
  },
  "what a variable is before its declaration": {
    "index.js": "export const before = typeof late; var late = 1; export { late }; late = 2; var late = 3;",
  },
  "the order of evaluation": {
    "index.js": 'import "./a.js"; import { log } from "./log.js"; import "./b.js"; log.push("index"); export { log };',
    "a.js": 'import "./b.js"; import { log } from "./log.js"; log.push("a");',
    "b.js": 'import "./a.js"; import { log } from "./log.js"; log.push("b");',
    "log.js": "export const log = [];",
  },
  "a variable with the name of something global that another file uses": {
    "index.js": 'import { Map as Own } from "./one.js"; export const size = new Map([[1, 2]]).size; export { Own };',
    "one.js": "export class Map { own = 1; }",
  },
  "enums as TypeScript writes them": {
    "index.js":
      'export var Kind;\n(function (Kind) { Kind[Kind["A"] = 0] = "A"; })(Kind || (Kind = {}));\n' +
      "export { Kind as Other }; export const first = Kind.A;",
  },
  "labels, properties and methods keep their names": {
    "index.js":
      'import { a as x } from "./one.js"; const a = 1; export class C { a = 2; static a() { return a; ' +
      "} get b() { return x; } }\n" +
      "a: for (;;) { break a; } export const o = { a: 3, [a]: 4, x() { return x; } }; export const p = o.a + o?.a;",
    "one.js": "export const a = 5;",
  },
  "functions and classes know themselves": {
    "index.js":
      'import { f as g } from "./one.js"; export const f = function g(n) { return n > 0 ? g(n - 1) : typeof g; };\n' +
      "export class A { static make() { return new A(); } made = 1; } export const B = class A { n = A.name; }; " +
      "export { g };",
    "one.js": "export function f() { return typeof f; } export class A { static me = () => A.name.length > 0; }",
  },
  "static blocks and private names": {
    "index.js":
      'import { start } from "./one.js"; export class A { static #n = start(); static { var n = A.#n; ' +
      "A.n = n + 1; } }\n" +
      "export const n = A.n;",
    "one.js": "let n = 4; export const start = () => n++;",
  },
  "an import that is not declared anywhere": {
    "index.js": "export const kind = typeof undeclared; export const t = (() => this)();",
  },
};

for (const [what, files] of Object.entries(PACKAGES)) {
  for (const waits of [false, true]) {
    test(`${what}${waits ? ", if all of it waits" : ""}`, async () => {
      const expected = await folder.import(files);
      const actual = await folder.import({ "index.js": joined(files, waits) });
      assert.deepEqual(Object.keys(actual), Object.keys(expected));
      assert.deepEqual(shown({ ...actual }), shown({ ...expected }));
    });
  }
}

test("comments stay with their functions and classes", () => {
  const text = joined(
    {
      "index.js":
        'import { make } from "./one.js";\n/** Says one. */\nexport function one() {}\n/** Is made later. */\n' +
        "export class Late extends make() {}\n/** Says two. */\nexport function two() {}",
      "one.js": "export const make = () => class {};",
    },
    true,
  );
  assert.match(text, /\/\*\* Says one\. \*\/\s+function one\(\)/);
  assert.match(text, /\/\*\* Says two\. \*\/\s+function two\(\)/);
  assert.match(text, /\/\*\* Is made later\. \*\/\s+Late = class Late/);
});

const ERRORS = {
  'index\\.js imports "b" from .*one\\.js, which does not export it': {
    "index.js": 'import { b } from "./one.js";',
    "one.js": "export const a = 1;",
  },
  'index\\.js imports "a" from .*one\\.js, which gets two different exports': {
    "index.js": 'export { a } from "./one.js";',
    "one.js": 'export * from "./two.js"; export * from "./three.js";',
    "two.js": "export const a = 1;",
    "three.js": "export const a = 1;",
  },
  "index\\.js waits for a loop while it is evaluated": { "index.js": "for await (const a of []);" },
  "one\\.js is not a JavaScript module": { "index.js": 'import "./one.js";', "one.js": "const a = ;" },
  'index\\.js imports "\\./one\\.js", which cannot be read: .* is not there': { "index.js": 'import "./one.js";' },
};

for (const [message, files] of Object.entries(ERRORS)) {
  test(`an error says: ${message.replaceAll("\\", "")}`, () => {
    const error = thrown(() => joined(files, false));
    assert.ok(error instanceof GlueError, error.stack);
    assert.match(error.message, new RegExp(message));
  });
}

test("a value is not waited for", async () => {
  const waiting = "const f = async () => { await null; return 1; };\nlet b;\nif (f.c) ({ b } = await f());\n";
  const text = joined({ "index.js": `${waiting}export const a = [await 1, await (2 + 3)]; export { b };` }, true);
  const { a, b } = await folder.import({ "index.js": text });
  assert.deepEqual([a, b], [[1, 5], undefined]);
  const late = joined({ "index.js": `${waiting}export const a = await f();` }, true);
  await assert.rejects(folder.import({ "index.js": late }), { message: "a promise" });
});

test("a promise that nobody needs is not waited for", async () => {
  const { log } = await folder.import({
    "index.js": joined(
      { "index.js": "export const log = [];\nawait (async () => { log.push(1); })();\nlog.push(2);" },
      true,
    ),
  });
  assert.deepEqual(log, [1, 2]);
});

/** The files that a graph has, in order, and what each imports. */
const filesOf = (files, entry) =>
  graphOf(files, entry).modules.map(({ url }) => (url.startsWith("data:") ? "data:" : url.replace(/.*\/pkg\//, "")));

test("files are found as bundlers find them", () => {
  const found = filesOf({
    "index.js":
      'import "./math"; import "./shapes"; import "./folder/"; import "./old"; import "./plain"; ' +
      'import "./a.b"; import "./x?v=1";',
    "math.js": 'export * from ".";',
    "shapes/index.js": 'import "../math"; import "./deep/file.mjs";',
    "shapes/deep/file.mjs": "",
    "folder/index.mjs": "",
    "old.mjs": "",
    plain: "",
    "a.b.js": "",
    "x.js?v=1": "",
    "index.js.map": "",
  });
  assert.deepEqual(found.slice(0, 3), ["math.js", "shapes/deep/file.mjs", "shapes/index.js"]);
  assert.deepEqual(found.slice(3), ["folder/index.mjs", "old.mjs", "plain", "a.b.js", "x.js?v=1", "index.js"]);
});

test("data: URLs and JSON are modules", async () => {
  const files = {
    "index.js":
      'export { a } from "data:text/javascript,export%20const%20a%20=%201;";\nimport json from "./facts.json";\n' +
      'export { b } from "data:text/javascript;base64,ZXhwb3J0IGNvbnN0IGIgPSAyOw=="; export { json };',
    "facts.json": '{"c": [3]}',
  };
  const { a, b, json } = await folder.import({ "index.js": joined(files, true) });
  assert.deepEqual({ a, b, json }, { a: 1, b: 2, json: { c: [3] } });
});

test("CommonJS modules are followed", async () => {
  const files = {
    "index.js":
      'import { add } from "./math.cjs"; import all from "./all.cjs"; import * as math from "./math.cjs";\n' +
      "export const results = [add(1, 2), all.add(3, 4), all.three, Object.keys(math), all.make().made];",
    "math.cjs": "exports.add = (a, b) => a + b;\nmodule.exports.two = 2;",
    "all.cjs":
      'const make = require("./make"); const esm = require("./esm.js");\n' +
      'module.exports = { ...require("./math.cjs"), make, three: esm.three };',
    "make.js": "module.exports = function make() { return { made: true }; };",
    "esm.js": "export const three = 3;",
  };
  const { results } = await folder.import({ "index.js": joined(files, true) });
  assert.deepEqual(results, [3, 7, 3, ["add", "default", "two"], true]);
  const whole = await folder.import({ "index.js": joined(files, true, "all.cjs") });
  assert.deepEqual([whole.add(1, 1), whole.two, whole.three, typeof whole.make], [2, 2, 3, "function"]);
});

test("each file is read once, and those that import at the same depth together", () => {
  const files = {
    "index.js": 'import "./a.js"; import "./b.js"; import "./a.js";',
    "a.js": 'import "./b.js"; import "./c.js";',
  };
  const steps = [];
  Object.assign(files, { "b.js": 'import "./a.js";', "c.js": "" });
  graphOf(files, "index.js", steps);
  assert.deepEqual(steps, [["a.js", "b.js"], ["c.js"]]);
});

test("CommonJS exports all of another file as compilers write it, sets `exports`, and requires JSON", async () => {
  const files = {
    "index.js":
      '__exportStar(require("./star"), exports); function __exportStar(m, e) { Object.assign(e, m); }\n' +
      'exports.version = require("./data.json").version; const { name } = require("./data.json"); ' +
      "exports.called = name;",
    "star.js": "exports = module.exports = { a: 1 }; exports.b = 2;",
    "data.json": '{ "name": "bank", "version": "1.2" }',
  };
  for (const waits of [false, true]) {
    const { default: _, ...exported } = await folder.import({ "index.js": joined(files, waits) });
    assert.deepEqual(exported, { a: 1, b: 2, called: "bank", version: "1.2" });
  }
});

test("CommonJS exports all that a variable holds which was required", async () => {
  const files = {
    "index.js": 'const one = require("./one"), two = require("./two.js"); module.exports = { ...one, two, ...two };',
    "one.js": "exports.a = 1;",
    "two.js": "export const b = 2;",
  };
  for (const waits of [false, true]) {
    const { a, b, two } = await folder.import({ "index.js": joined(files, waits) });
    assert.deepEqual([a, b, two.b], [1, 2, 2]);
  }
});
