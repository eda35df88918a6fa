/** What is no glue for the web is named, and every form of JavaScript module becomes a factory. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { GlueError } from "../src/errors.js";
import { compileFactory, evaluateSnippet, factoryBody } from "../src/factory.js";
import { calledExports, readGlue } from "../src/glue.js";
import { fixture, rejection, supervise, thrown } from "./support.js";

const URL_ = "http://host/pkg/bank.js";
const BUILD = "Build it with `wasm-bindgen --target web` (or `wasm-pack build --target web`).";
const target = (name) => `${URL_} is glue for wasm-bindgen's target \`${name}\`, not \`web\`. ${BUILD}`;
const found = (what) => `${URL_} is not wasm-bindgen glue: found ${what}.`;
const notGlue = (lacks) => `${URL_} is JavaScript, but not the glue that wasm-bindgen writes: it has no ${lacks}. ${BUILD}`;

// The lines of wasm-bindgen 0.2.130's outputs that tell the targets apart.
const INSTANCE = "let wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());\nlet wasm = wasmInstance.exports;";
const REFUSED = [
  ["bundler", 'import * as wasm from "./bank_bg.wasm";\nimport { __wbg_set_wasm } from "./bank_bg.js";\n__wbg_set_wasm(wasm);\nexport { add } from "./bank_bg.js";', target("bundler")],
  ["bundler's inner file", "let wasm;\nexport function __wbg_set_wasm(val) {\n    wasm = val;\n}\nexport function add(a, b) { return wasm.add(a, b); }", target("bundler")],
  ["nodejs", `exports.add = function (a, b) { return wasm.add(a, b); };\nconst wasmPath = \`\${__dirname}/bank_bg.wasm\`;\nconst wasmModule = new WebAssembly.Module(require('fs').readFileSync(wasmPath));\n${INSTANCE}`, target("nodejs")],
  ["nodejs of 2023", "let imports = {};\nimports['__wbindgen_placeholder__'] = module.exports;\nlet wasm;\nconst path = require('path').join(__dirname, 'bank_bg.wasm');", target("nodejs")],
  ["no-modules", "let wasm_bindgen = (function(exports) {\n    let wasm;\n    exports.add = function(a, b) { return wasm.add(a, b); };\n    return Object.assign(__wbg_init, { initSync }, exports);\n})({ __proto__: null });", target("no-modules")],
  ["deno", "export function add(a, b) { return wasm.add(a, b); }\nconst wasmUrl = new URL('bank_bg.wasm', import.meta.url);\nconst wasmInstantiated = await WebAssembly.instantiateStreaming(fetch(wasmUrl), __wbg_get_imports());\nconst wasmInstance = wasmInstantiated.instance;\nconst wasm = wasmInstance.exports;", target("deno")],
  ["deno of 2022", "let wasm;\nconst wasmCode = await Deno.readFile(new URL('bank_bg.wasm', import.meta.url));\nconst wasmInstance = (await WebAssembly.instantiate(wasmCode, imports)).instance;\nwasm = wasmInstance.exports;", target("deno")],
  ["module", `import source wasmModule from "./bank_bg.wasm";\nexport function add(a, b) { return wasm.add(a, b); }\n${INSTANCE}`, target("module")],
  ["experimental-nodejs-module", `import { readFileSync } from 'node:fs';\nexport function add(a, b) { return wasm.add(a, b); }\nconst wasmModule = new WebAssembly.Module(readFileSync(wasmUrl));\n${INSTANCE}`, target("experimental-nodejs-module")],
  ["an HTML page", "<!doctype html>\n<title>App</title>", found("an HTML page (does the server answer every path with its index page?)")],
  ["a page after white space", "\n\n  <html lang=en>", found("an HTML page (does the server answer every path with its index page?)")],
  ["JSON", '{"error": "not found"}', found("JSON")],
  ["a JSON string", '"not found"', found("JSON")],
  ["nothing", "", found("an empty file")],
  ["white space", " \n\t", found("an empty file")],
  ["a Wasm file", "\0asm\x01\0\0\0", found("a Wasm file: pass the glue (.js) as `glue` and this file as `wasm`")],
  ["a syntax error", "let wasm;\nexport function add(a, b {", `${URL_} is not a JavaScript module: Unexpected token (2:25).`],
  ["cut glue", "let wasm;\nexport function add(a, b) {\n    const ret = wasm.add(a", `${URL_} is not a JavaScript module: Unexpected token (3:26).`],
  ["a module of something else", "export const answer = 42;", notGlue("Wasm instance")],
  ["an instance without init", "let wasm;\nfunction take(instance) { wasm = instance.exports; }\nexport { take };", notGlue("init function")],
];

for (const [what, source, message] of REFUSED) {
  test(`${what} is refused with what was found`, () => {
    const error = thrown(() => readGlue(source, URL_));
    assert.ok(error instanceof GlueError, error.stack);
    assert.equal(error.message, message);
  });
}

test("the glue of every fixture is read, and only the reset builds have the state function", () => {
  for (const mode of ["abort", "reset", "unwind"]) {
    for (const name of ["bank", "faults", "hookless", "silent", "startup", "texthook"]) {
      const { source, url } = fixture(name, mode);
      const glue = readGlue(source, url);
      assert.deepEqual([glue.wasmName, glue.wasmPath, glue.init.name, glue.init.key], ["wasm", `${name}_bg.wasm`, "initSync", "module"]);
      assert.equal(glue.usesResetState, mode === "reset", `${name} ${mode}`);
      assert.ok(calledExports(glue).size > 3);
    }
  }
});

/** Glue text with everything that makes an instance, around what a test is about. */
const glueText = (body, init = "function initSync(module) { wasm = new WebAssembly.Instance(module, {}).exports; return wasm; }\nexport { initSync };") =>
  `let wasm;\n${body}\n${init}\n`;

const FORMS = [
  ["a declaration", "export function f() { return 1; }", { f: 1 }],
  ["a list with another name", "function inner() { return 2; }\nexport { inner as f };", { f: 2 }],
  ["a string as a name", "function inner() { return 3; }\nexport { inner as 'f-g' };", { "f-g": 3 }],
  ["variables", "export const f = () => 4, g = () => 5;", { f: 4, g: 5 }],
  ["a class", "export class f { static valueOf() { return 6; } }", { f: 6 }],
  ["an alias", "function inner() { return 7; }\nconst f = inner;\nexport { f };", { f: 7 }],
  ["a named default", "export default function f() { return 8; }", { default: 8 }],
  ["a default without a name", "export default () => 9;", { default: 9 }],
  ["a default that is a name", "function f() { return 10; }\nexport default f;", { default: 10 }],
  ["import.meta", "export const f = () => import.meta.url;", { f: URL_ }],
  ["import()", "export const f = () => import('./late.js');", { f: "late:./late.js" }],
  ["named imports", "import { one, two as other } from './a.js';\nexport const f = () => one + other;", { f: 3 }],
  ["a default import", "import it from './a.js';\nexport const f = () => it;", { f: "default" }],
  ["a namespace import", "import * as it from './a.js';\nexport const f = () => it.two;", { f: 2 }],
  ["an import for its effect", "import './a.js';\nexport const f = () => 11;", { f: 11 }],
  ["Windows line ends", "export function f() {\r\n  return 12;\r\n}\r\n", { f: 12 }],
  ["keywords in texts and comments", "// export default import.meta\nexport const f = () => 'export { import.meta }';", { f: "export { import.meta }" }],
];

for (const [what, body, values] of FORMS) {
  test(`a factory keeps the meaning of ${what}`, () => {
    const glue = readGlue(glueText(body), URL_);
    const factory = compileFactory(factoryBody(glue), URL_);
    const imports = [{ one: 1, two: 2, default: "default" }];
    const { exports } = factory(imports, { url: URL_ }, (from) => `late:${from}`, WebAssembly, Promise);
    for (const [name, value] of Object.entries(values)) {
      const it = exports[name];
      assert.equal(typeof it === "function" && !/^class/.test(String(it)) ? it() : Number(it), value);
    }
  });
}

test("two calls of a factory share no variable", () => {
  const glue = readGlue(glueText("let count = 0;\nexport const f = () => ++count;"), URL_);
  const factory = compileFactory(factoryBody(glue), URL_);
  const [first, second] = [1, 2].map(() => factory([], { url: URL_ }, () => {}, WebAssembly, Promise).exports);
  assert.deepEqual([first.f(), first.f(), second.f()], [1, 2, 1]);
});

test("async init functions lose their async and await, and nothing else does", () => {
  const init = "async function load(module, imports) {\n  const made = await WebAssembly.instantiate(module, imports);\n  return { instance: made };\n}\n" +
    "async function init(input) {\n  const { instance } = await load(await input, {});\n  wasm = instance.exports;\n  return wasm;\n}\nexport default init;";
  const glue = readGlue(glueText("export async function later() { await null; return 1; }", init), URL_);
  assert.deepEqual([glue.init.name, glue.init.asyncFunctions.length], ["init", 2]);
  const body = factoryBody(glue);
  assert.match(body, /async function later\(\) \{ await null;/);
  const scope = Object.create(WebAssembly, { instantiate: { value: () => ({ exports: { it: 1 } }) } });
  const made = compileFactory(body, URL_)([], { url: URL_ }, () => {}, scope, Promise);
  assert.deepEqual(made.init("a module"), { it: 1 });
});

test("a package's own init goes before the one that it wraps", () => {
  const init = "async function init(input) {\n  wasm = (await WebAssembly.instantiate(input, {})).exports;\n}\n" +
    "async function initWasm(input) { await init(input); }\nexport { init as default, initWasm };";
  const { name, asyncFunctions } = readGlue(glueText("", init), URL_).init;
  assert.deepEqual([name, asyncFunctions.length], ["initWasm", 2]);
});

test("a snippet from files gives its exports and knows its own address", () => {
  const source = "let state = 1;\nexport function f() { return ++state; }\nexport default class { }\nexport const where = () => import.meta.url;";
  const snippet = evaluateSnippet(source, "./snippets/a.js");
  assert.deepEqual([snippet.f(), snippet.f(), typeof snippet.default, snippet.where()], [2, 3, "function", "./snippets/a.js"]);
});

for (const [what, source, why] of [
  ["imports something itself", "import { a } from './b.js';", "it imports ./b.js"],
  ["is no JavaScript", "export const = 1;", "Unexpected token (1:13)"],
  ["fails when it runs", "export const a = nothing.here;", "nothing is not defined"],
]) {
  test(`a snippet that ${what} is a GlueError`, () => {
    const error = thrown(() => evaluateSnippet(source, "./a.js"));
    assert.ok(error instanceof GlueError, error.stack);
    assert.equal(error.message, `The snippet ./a.js cannot be loaded from files: ${why}.`);
  });
}

test("a snippet that is not there is a GlueError", async () => {
  const { source, url, readFile } = fixture("bank");
  const error = await rejection(supervise({ source: `import { a } from './snippets/a.js';\n${source}`, url, readFile }));
  assert.ok(error instanceof GlueError, error.stack);
  assert.equal(error.message, `${url} imports "./snippets/a.js", which is no file beside it.`);
});

test("glue and Wasm of different builds are a GlueError", async () => {
  const { source, url } = fixture("bank");
  const other = { source, url, readFile: () => fixture("hookless").readFile("hookless_bg.wasm") };
  const error = await rejection(supervise(other));
  assert.ok(error instanceof GlueError, error.stack);
  assert.match(error.message, /do not belong together: .* Were both written by the same build\?$/);
});
