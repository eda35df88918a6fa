/** Forms of glue for Node, Deno and scripts, which packages edit by hand or which only some versions write. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFactory, factoryBody, VIEWS } from "../../../src/glue/factory.js";
import { readGlue } from "../../../src/glue/glue.js";
import { parseModule } from "../../../src/glue/syntax.js";
import { commonJsGlueToModule, commonJsToModule, isCommonJs } from "../../../src/glue/targets/commonjs.js";
import { targetsOf, toWeb } from "./support.js";

const URL_OF_GLUE = "http://localhost/pkg/x.js";

/** What glue exports after its init. Its Wasm instance exports `one`, and `__wbindgen_start`, which counts. */
function run(source, { imports = [], module = {} } = {}) {
  const web = toWeb(source, URL_OF_GLUE);
  const glue = readGlue(web.source, URL_OF_GLUE);
  const seen = { started: 0, imports: null, from: glue.imports.map(({ from }) => from), wasmPath: web.wasmPath };
  const scope = {
    Instance: class {
      constructor(given, wanted) {
        assert.equal(given, module);
        seen.imports = wanted;
        this.exports = { one: () => 1, __wbindgen_start: () => seen.started++ };
      }
    },
  };
  const views = VIEWS.map((name) => globalThis[name]);
  const factory = compileFactory(factoryBody(glue), URL_OF_GLUE);
  const made = factory(imports, { url: URL_OF_GLUE }, null, scope, Promise, FinalizationRegistry, null, ...views);
  made.init(module);
  return { ...seen, glue, exports: made.exports, text: web.source, bytes: web.bytes };
}

const OLD_HEAD = "let imports = {};\nimports['__wbindgen_placeholder__'] = module.exports;\nlet wasm;\n";
const OLD_TAIL =
  "const path = require('path').join(__dirname, 'x_bg.wasm');\nconst bytes = require('fs').readFileSync(path);\n\n" +
  "const wasmModule = new WebAssembly.Module(bytes);\n" +
  "const wasmInstance = new WebAssembly.Instance(wasmModule, imports);\n" +
  "wasm = wasmInstance.exports;\nmodule.exports.__wasm = wasm;\n\nwasm.__wbindgen_start();\n";
const old = (body) => run(`${OLD_HEAD}${body}\n${OLD_TAIL}`);

const NEW_TAIL =
  "const wasmBytes = require('fs').readFileSync(__dirname + '/x_bg.wasm');\n" +
  "const wasmModule = new WebAssembly.Module(wasmBytes);\n" +
  "let wasm = new WebAssembly.Instance(wasmModule, {}).exports;\nwasm.__wbindgen_start();\n";
const modern = (body, options) => run(`${body}\n${NEW_TAIL}`, options);

test("exports get their names, also names that no variable can have", () => {
  const { exports } = old(
    "let heap = [7];\nmodule.exports.delete = function(a) { return a + wasm.one(); };\n" +
      "module.exports.heap = function() { return heap[0]; };\nmodule.exports['a-b'] = 5;\n" +
      "module.exports.later = async function () { return 6 };\nmodule.exports.Kind = Object.freeze({ A: 0 })\n" +
      "module.exports.Thing = class Thing {};\nmodule.exports.many = function* (a) { yield a; }",
  );
  assert.deepEqual(Object.keys(exports).sort(), "Kind Thing a-b delete heap initSync later many".split(" "));
  assert.deepEqual([exports.delete(1), exports.heap(), exports["a-b"], exports.Kind.A], [2, 7, 5, 0]);
  assert.deepEqual([exports.later() instanceof Promise, ...exports.many(3)], [true, 3]);
  assert.equal(exports.Thing.name, "Thing");
});

test("an export with the name of a global variable does not hide it from the glue", () => {
  const { exports } = old(
    "module.exports.Error = function() { return 2; };\n" +
      "module.exports.parse = function f() { return new Error('x').message; };\n" +
      "module.exports.Math = Math;",
  );
  assert.deepEqual([exports.Error(), exports.parse(), exports.Math], [2, "x", Math]);
});

test("what only the Wasm file needs is imported, and not exported", () => {
  const { exports, imports, started } = old(
    "module.exports.add = function() {};\nmodule.exports.__wbindgen_throw = function() { return 'thrown'; };\n" +
      "module.exports.__wbg_floor_1 = Math.floor;",
  );
  assert.deepEqual(Object.keys(exports), ["add", "initSync"]);
  const { add, __wbindgen_throw: throws, __wbg_floor_1: floor } = imports.__wbindgen_placeholder__;
  assert.deepEqual([add, throws(), floor(1.5), started], [exports.add, "thrown", 1, 1]);
});

test("an object of exports is read", () => {
  const { exports } = modern("function add() { return 3; }\nmodule.exports = { add, sub: add, size: 4 };");
  assert.deepEqual([exports.add(), exports.sub(), exports.size], [3, 3, 4]);
});

test("exports may read each other", () => {
  const { exports } = modern(
    "exports.one = function() { return wasm.one(); };\n" +
      "exports.two = function() { return exports.one() + module.exports.one(); };",
  );
  assert.equal(exports.two(), 2);
});

test("variables of functions may have the names of those that hold the Wasm file", () => {
  const { exports, text } = old(
    "module.exports.first = function(path) { return path[0]; };\n" +
      "module.exports.size = () => { const bytes = [1]; return bytes.length; };",
  );
  assert.deepEqual([exports.first("ab"), exports.size()], ["a", 1]);
  assert.doesNotMatch(text, /require|__dirname/);
});

test("other modules are imported", () => {
  const snippet = { a: 1, b: 2 };
  const { exports, from } = modern(
    "const { a, b: c } = require(String.raw`./snippets/x/inline0.js`);\nconst whole = require('./other.js');\n" +
      "exports.get = () => [a, c, whole.a, require(`bare`).b];",
    { imports: [snippet, snippet] },
  );
  assert.deepEqual(from, ["./snippets/x/inline0.js", "./other.js"]);
  assert.throws(exports.get().at(-1), /^Error: bare\.b exists in Node, not in browsers\.$/);
  assert.deepEqual(exports.get().slice(0, 3), [1, 2, 1]);
  const inline = modern("exports.value = require('./snippets/y.js').a;", { imports: [snippet] });
  assert.deepEqual([inline.from, inline.exports.value], [["./snippets/y.js"], 1]);
});

test("Node's own modules are not there, and the error says which one is missing", () => {
  const { exports } = modern(
    "const { readFileSync } = require('fs');\nconst { inspect, TextDecoder } = require('node:util');\n" +
      "exports.read = () => readFileSync('x');\n" +
      "exports.parts = [typeof inspect.custom, new TextDecoder().encoding];\n" +
      "exports.fill = () => module.require('crypto').randomFillSync();",
  );
  assert.throws(exports.read, /fs\.readFileSync exists in Node, not in browsers/);
  assert.throws(exports.fill, /crypto\.randomFillSync exists in Node, not in browsers/);
  assert.deepEqual(exports.parts, ["symbol", "utf-8"]);
});

test("what follows the instance runs with it", () => {
  const late = run(
    `let log = [];\nexports.log = () => log;\n${NEW_TAIL}const memory = wasm.one();\nlog.push(memory);\n` +
      "for (const name of ['a']) { log.push(name); }\nfunction unused() {}\nexports.unused = unused;\n",
  );
  assert.deepEqual([late.exports.log(), late.started], [[1, "a"], 1]);
  assert.equal(typeof late.exports.unused, "function");
});

test("the Wasm file inside of glue is found, and so is one of another name", () => {
  const bytes = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 1, 0]).toString("base64");
  const inside = run(
    `const { Buffer } = require('node:buffer');\n` +
      `exports.a = () => wasm.__wbindgen_malloc && wasm;\nconst bytes = Buffer.from('${bytes}', 'base64');\n` +
      "const wasm = exports.__wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;\n",
  );
  assert.deepEqual([...inside.bytes.slice(0, 4)], [0, 0x61, 0x73, 0x6d]);
  assert.deepEqual([Object.keys(inside.exports), inside.exports.a()], [["a", "initSync"], undefined]);
  const other = run(
    "exports.a = () => wasm.__wbindgen_malloc;\n" +
      "const path = require('path').join(__dirname, '..', 'lib', 'other.wasm');\n" +
      "const wasm = new WebAssembly.Instance(new WebAssembly.Module(require('fs').readFileSync(path)), {}).exports;\n",
  );
  assert.equal(other.wasmPath, "../lib/other.wasm");
});

test("deno's forms of waiting are read", () => {
  const head = "export function one() { return wasm.one(); }\nconst url = new URL('x_bg.wasm', import.meta.url);\n";
  for (const tail of [
    "const { instance, module } = await WebAssembly.instantiateStreaming(fetch(url), {});\n" +
      "const wasm = instance.exports;",
    "const wasm = (await WebAssembly.instantiate(await Deno.readFile(url), {})).instance.exports;\n" +
      "export const __wasm = wasm;",
    "let code = '';\nif (url.protocol === 'file:') code = await Deno.readFile(url);\nelse code = await fetch(url);\n" +
      "const wasmInstance = (await WebAssembly.instantiate(code, {})).instance;\nconst wasm = wasmInstance.exports;",
  ]) {
    assert.deepEqual(targetsOf(head + tail), ["deno"]);
    const { exports, text, wasmPath } = run(head + tail);
    assert.deepEqual([exports.one(), wasmPath, Object.keys(exports)], [1, "x_bg.wasm", ["one", "initSync"]]);
    assert.doesNotMatch(text, /\bfetch|\bDeno/);
  }
});

test("a module for Node may import other modules of Node", () => {
  const { exports, from, text } = run(
    "import { readFileSync, existsSync } from 'node:fs';\nimport * as path from 'node:path';\n" +
      "import { TextDecoder as Decoder } from 'util';\nimport { a } from './snippets/x.js';\n" +
      "export const parts = [a, new Decoder().encoding];\nexport function has(path) { return existsSync(path); }\n" +
      "const bytes = readFileSync(path.join(path.dirname(new URL(import.meta.url).pathname), 'x_bg.wasm'));\n" +
      "const wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;\n",
    { imports: [{ a: 3 }] },
  );
  assert.deepEqual([exports.parts, from], [[3, "utf-8"], ["./snippets/x.js"]]);
  assert.throws(() => exports.has("x"), /fs\.existsSync exists in Node, not in browsers/);
  assert.doesNotMatch(text, /\bimport .*(?:fs|path|util)|path\.join/);
});

test("a script may have another name, and may name another file", () => {
  const script = (head, tail) =>
    `${head}(function() {\n    const __exports = {};\n    let script_src;\n    let wasm;\n` +
    "    __exports.one = function() { return wasm.one(); };\n    function __wbg_get_imports() { return {}; }\n" +
    "    function initSync(module) { wasm = new WebAssembly.Instance(module, __wbg_get_imports()).exports; }\n" +
    "    async function init(input) { input ??= script_src.replace(/x\\.js$/, 'y.wasm'); }\n" +
    `    ${tail}Object.assign(init, { initSync }, __exports);\n})();\nself.other = 1;\n`;
  for (const source of [
    script("", "self.rust = "),
    script("let rust;\n", "rust = "),
    script("const rust = ", "return "),
  ]) {
    assert.deepEqual(targetsOf(source), ["no-modules"]);
    const { exports, wasmPath } = run(source);
    assert.deepEqual([exports.one(), wasmPath], [1, "y.wasm"]);
    assert.deepEqual(Object.keys(exports).sort(), ["default", "initSync", "one"]);
  }
  assert.equal(globalThis.rust, undefined);
});

test("a CommonJS snippet becomes a module", () => {
  const snippet =
    "'use strict'\nconst assert = require('assert');\nconst helper = require('./helper.js');\n" +
    "if (typeof module !== 'undefined') { module.exports = {}; module.exports.log = () => helper; }\n" +
    "0 && (module.exports = { log });\n";
  const { program } = parseModule(snippet);
  assert.ok(isCommonJs(program, snippet));
  const text = commonJsToModule(program, snippet, ["log", "set"]);
  assert.match(text.split("\n")[2], /^import \* as helper from "\.\/helper\.js";$/);
  const body = text.replace(/^import .*$/m, "const helper = 8;").replace(/export default .*/, "");
  const exported = new Function(`${body.replace(/export \{.*$/gm, "")}\nreturn [$export0, $export1];`)();
  assert.deepEqual([exported[0](), exported[1]], [8, undefined]);
  assert.ok(!isCommonJs(parseModule("export const a = 1;").program, "export const a = 1;"));
});

test("glue for a bundler that was turned into CommonJS becomes a module again", () => {
  const source =
    "let wasm;\nmodule.exports.__wbg_set_wasm = function(val) {\n    wasm = val;\n};\n" +
    "class Part {}\nmodule.exports.Part = Part;\nmodule.exports.__wbindgen_throw = function(a) { throw a; };\n";
  const text = commonJsGlueToModule(parseModule(source).program, source);
  assert.equal(
    text,
    "let wasm;\nexport function __wbg_set_wasm(val) {\n    wasm = val;\n};\n" +
      "class Part {}\nexport { Part };\nexport function __wbindgen_throw(a) { throw a; };\n",
  );
});

test("wrappers and other scripts are none of these targets", () => {
  for (const source of [
    "const wasm = require('./x_bg.cjs');\nexports.a = new WebAssembly.Instance(wasm.module, {}).exports;",
    "import * as imports from './x_bg.js';\nimport { readFileSync } from 'node:fs';\n" +
      "const wasm = new WebAssembly.Instance(new WebAssembly.Module(readFileSync('x')), { imports }).exports;",
    "exports.a = 1;",
    "exports.a = new WebAssembly.Instance(new WebAssembly.Module(require('fs').readFileSync('x.wasm')), {}).exports;",
    "(function() { self.other = Object.assign(a, b); })();",
    "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;",
  ])
    assert.deepEqual(targetsOf(source), [], source);
});
