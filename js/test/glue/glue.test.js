/** Other files than glue for the web are named, and every form of JavaScript module becomes a factory. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFactory, evaluateSnippet, factoryBody } from "../../src/glue/factory.js";
import { rejectOtherFormats } from "../../src/glue/formats.js";
import { calledExports, readGlue } from "../../src/glue/glue.js";
import { linkAtOnce } from "../../src/linking/link.js";
import { GlueError, LoadError } from "../../src/shared/errors.js";
import { loadModule } from "../loading.js";
import { fixture, rejection, supervise, thrown } from "../support.js";

const URL_ = "http://host/pkg/bank.js";
const EXPECTED = "Load a JavaScript file that wasm-bindgen wrote.";
const found = (what) => `${URL_} is not wasm-bindgen glue: found ${what}`;
const other = (what) => `${URL_} is not wasm-bindgen glue: found ${what}. ${EXPECTED}`;
const notGlue = (lacks) =>
  `${URL_} is JavaScript, but not the glue that wasm-bindgen writes: it has no ${lacks}. ${EXPECTED}`;

const NAPI = "a Node-API module (napi-rs, napi-wasm)";
const EMSCRIPTEN = "JavaScript that Emscripten wrote";

const REFUSED = [
  [
    "napi-wasm",
    'import { Environment, napi } from "napi-wasm";\nlet wasm;\nexport default async function init(input) {\n' +
      "  const { instance } = await WebAssembly.instantiate(await input, { env: napi });\n" +
      "  wasm = new Environment(instance).exports;\n}",
    other(NAPI),
  ],
  [
    "napi-wasm in a CommonJS bundle",
    'var { napi } = require("napi-wasm");\nmodule.exports = { transform: (options) => wasm.transform(options) };',
    other(NAPI),
  ],
  [
    "napi-rs for WASI",
    'import { instantiateNapiModule } from "@napi-rs/wasm-runtime";\n' +
      "const { napiModule } = await instantiateNapiModule(await fetch(url), {});\n" +
      "export const add = napiModule.exports.add;",
    other(NAPI),
  ],
  [
    "Emscripten",
    "var createThing = (() => {\n  return async function (moduleArg = {}) {\n    var Module = moduleArg;\n" +
      "    var ENVIRONMENT_IS_WEB = typeof window == 'object';\n    wasmExports = instance.exports;\n" +
      "    return Module.ready;\n  };\n})();\nexport default createThing;",
    other(EMSCRIPTEN),
  ],
  [
    "Emscripten, minified and for everything",
    "var M=typeof M!='undefined'?M:{};function a(b){b='Aborted('+b+')';throw new WebAssembly.RuntimeError(b)}\n" +
      "if(typeof exports==='object'&&typeof module==='object')module.exports=M;else if(typeof " +
      "define==='function'&&define.amd)define([],()=>M);",
    other(EMSCRIPTEN),
  ],
  [
    "AssemblyScript",
    "export async function instantiate(module, imports = {}) {\n" +
      "  const { exports } = await WebAssembly.instantiate(module, imports);\n" +
      "  function __liftString(pointer) { return pointer; }\n  return exports;\n}",
    found("JavaScript that AssemblyScript wrote. Load its Wasm file instead, and pass what that imports as `imports`."),
  ],
  [
    "Go",
    "(() => {\n  globalThis.Go = class {\n    constructor() { this.importObject = {}; }\n  };\n})();",
    other("the JavaScript support of Go"),
  ],
  [
    "a CommonJS module",
    '"use strict";\nconst helper = require("./helper");\nmodule.exports = { answer: 42 };',
    `${URL_} imports "./helper", which cannot be read: there is none`,
  ],
  [
    "a bundle for everything",
    "(function(g,f){typeof exports=='object'?module.exports=f():g.it=f()})(this,function(){return {}});",
    other("a CommonJS module"),
  ],
  [
    "a CommonJS bundle of glue",
    `"use strict";\nmodule.exports = __toCommonJS(src_exports);\nlet wasm;\nasync function init(input) {\n` +
      `  const { instance } = await WebAssembly.instantiateStreaming(await input, imports);\n` +
      `  wasm = instance.exports;\n  init.__wbindgen_wasm_module = module;\n}`,
    `${URL_} is a CommonJS bundle with wasm-bindgen's glue in it, not a JavaScript module: load the package's ES ` +
      "module instead.",
  ],
  [
    "a script bundle of glue",
    "var it = (function () {\n  let wasm;\n  async function init(input) {\n" +
      "    wasm = (await WebAssembly.instantiateStreaming(await input, { wbg: { __wbindgen_throw() {} } " +
      "})).instance.exports;\n  }\n  return { init };\n})();",
    `${URL_} is a script with wasm-bindgen's glue in it, not a JavaScript module: load the package's ES ` +
      "module instead.",
  ],
  [
    "a module for Node",
    'import { readFileSync } from "node:fs";\nexport const data = readFileSync("data");',
    `${URL_} imports "node:fs", which is another package. Only the files of one package are followed. ` +
      `No file beside it is glue. ${EXPECTED}`,
  ],
  [
    "glue of 2019",
    "let wasm;\nexport function add(a, b) { return wasm.add(a, b); }\nfunction init(module) {\n" +
      "    const imports = { wbg: {} };\n    const result = WebAssembly.instantiateStreaming(fetch(module), " +
      "imports);\n    return result.then(({ instance, module }) => {\n        wasm = instance.exports;\n" +
      "        init.__wbindgen_wasm_module = module;\n        return wasm;\n    });\n}\nexport default init;",
    `${URL_} is glue of wasm-bindgen before 0.2.60 (2019), whose init cannot run again at once after a crash. ` +
      "Load a newer version of the package, or build it with a newer wasm-bindgen.",
  ],
  [
    "an HTML page",
    "<!doctype html>\n<title>App</title>",
    found("an HTML page, which many servers send for a wrong URL. Check the URL."),
  ],
  [
    "a page after white space",
    "\n\n  <html lang=en>",
    found("an HTML page, which many servers send for a wrong URL. Check the URL."),
  ],
  ["JSON", '{"error": "not found"}', other("JSON")],
  ["a JSON string", '"not found"', other("JSON")],
  ["nothing", "", other("an empty file")],
  ["white space", " \n\t", other("an empty file")],
  ["a Wasm file", "\0asm\x01\0\0\0", found("a Wasm file. Pass the glue (.js) as `glue`, and this file as `wasm`.")],
  [
    "a syntax error",
    "let wasm;\nexport function add(a, b {",
    `${URL_} is not a JavaScript module: Unexpected token (2:25). ${EXPECTED}`,
  ],
  [
    "cut glue",
    "let wasm;\nexport function add(a, b) {\n    const ret = wasm.add(a",
    `${URL_} is not a JavaScript module: Unexpected token (3:26). ${EXPECTED}`,
  ],
  ["a module of something else", "export const answer = 42;", notGlue("Wasm instance")],
  [
    "an instance without init",
    "let wasm;\nfunction take(instance) { wasm = instance.exports; }\nexport { take };",
    notGlue("init function"),
  ],
];

for (const [what, source, message] of REFUSED) {
  test(`${what} is refused, and the error names it`, () => {
    const error = thrown(() => {
      rejectOtherFormats(source, URL_);
      const first = thrown(() => readGlue(source, URL_));
      const read = () => {
        throw new GlueError("there is none");
      };
      linkAtOnce({ source, url: URL_ }, read, first);
    });
    assert.ok(error instanceof GlueError, error.stack);
    assert.equal(error.message, message);
  });
}

test("the glue of every fixture is read, and only the reset builds have the state function", () => {
  for (const mode of ["abort", "reset", "unwind"]) {
    for (const name of ["bank", "faults", "hookless", "silent", "startup", "texthook"]) {
      const { source, url } = fixture(name, mode);
      const glue = readGlue(source, url);
      assert.deepEqual(
        [glue.wasmName, glue.wasmPath, glue.init.name, glue.init.key],
        ["wasm", `${name}_bg.wasm`, "initSync", "module"],
      );
      assert.equal(glue.usesResetState, mode === "reset", `${name} ${mode}`);
      assert.ok(calledExports(glue).size > 3);
    }
  }
});

/** Returns glue text around the lines of a test, with everything that makes an instance. */
const glueText = (
  body,
  init = "function initSync(module) { wasm = new WebAssembly.Instance(module, {}).exports; return wasm; }\n" +
    "export { initSync };",
) => `let wasm;\n${body}\n${init}\n`;

const FORMS = [
  ["a declaration", "export function f() { return 1; }", { f: 1 }],
  ["a list with another name", "function inner() { return 2; }\nexport { inner as f };", { f: 2 }],
  ["a string as a name", "function inner() { return 3; }\nexport { inner as 'f-g' };", { "f-g": 3 }],
  ["variables", "export const f = () => 4, g = () => 5;", { f: 4, g: 5 }],
  ["a class", "export class f { static valueOf() { return 6; } }", { f: 6 }],
  ["an alias", "function inner() { return 7; }\nconst f = inner;\nexport { f };", { f: 7 }],
  ["a named default", "export default function f() { return 8; }", { default: 8 }],
  ["a default without a name", "export default () => 9;", { default: 9 }],
  ["a default in parentheses", "export default (() => 9);", { default: 9 }],
  ["a default after a comment", "export /* the */ default (1, 9);", { default: 9 }],
  ["a default that is a name", "function f() { return 10; }\nexport default f;", { default: 10 }],
  ["import.meta", "export const f = () => import.meta.url;", { f: URL_ }],
  ["import()", "export const f = () => import('./late.js');", { f: "late:./late.js" }],
  ["named imports", "import { one, two as other } from './a.js';\nexport const f = () => one + other;", { f: 3 }],
  ["a default import", "import it from './a.js';\nexport const f = () => it;", { f: "default" }],
  ["a namespace import", "import * as it from './a.js';\nexport const f = () => it.two;", { f: 2 }],
  ["an import for its effect", "import './a.js';\nexport const f = () => 11;", { f: 11 }],
  ["Windows line ends", "export function f() {\r\n  return 12;\r\n}\r\n", { f: 12 }],
  [
    "keywords in texts and comments",
    "// export default import.meta\nexport const f = () => 'export { import.meta }';",
    { f: "export { import.meta }" },
  ],
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
  const init =
    "async function load(module, imports) {\n  const made = await WebAssembly.instantiate(module, imports);\n" +
    "  return { instance: made };\n}\n" +
    "async function init(input) {\n  const { instance } = await load(await input, {});\n  wasm = instance.exports;\n" +
    "  return wasm;\n}\nexport default init;";
  const glue = readGlue(glueText("export async function later() { await null; return 1; }", init), URL_);
  assert.deepEqual([glue.init.name, glue.init.asyncFunctions.length], ["init", 2]);
  const body = factoryBody(glue);
  assert.match(body, /async function later\(\) \{ await null;/);
  const scope = Object.create(WebAssembly, { instantiate: { value: () => ({ exports: { it: 1 } }) } });
  const made = compileFactory(body, URL_)([], { url: URL_ }, () => {}, scope, Promise);
  assert.deepEqual(made.init("a module"), { it: 1 });
});

test("the package's own init is used instead of the one that it wraps", () => {
  const init =
    "async function init(input) {\n  wasm = (await WebAssembly.instantiate(input, {})).exports;\n}\n" +
    "async function initWasm(input) { await init(input); }\nexport { init as default, initWasm };";
  const { name, asyncFunctions } = readGlue(glueText("", init), URL_).init;
  assert.deepEqual([name, asyncFunctions.length], ["initWasm", 2]);
});

test("a snippet from files returns its exports and knows its own address", () => {
  const source =
    "let state = 1;\nexport function f() { return ++state; }\nexport default class { }\n" +
    "export const where = () => import.meta.url;";
  const snippet = evaluateSnippet(source, "./snippets/a.js");
  assert.deepEqual(
    [snippet.f(), snippet.f(), typeof snippet.default, snippet.where()],
    [2, 3, "function", "./snippets/a.js"],
  );
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

test("a missing snippet is a GlueError", async () => {
  const { source, url, readFile } = fixture("bank");
  const error = await rejection(
    supervise({ source: `import { a } from './snippets/a.js';\n${source}`, url, readFile }),
  );
  assert.ok(error instanceof GlueError, error.stack);
  assert.equal(error.message, `${url} imports "./snippets/a.js", which is no file beside it. Put it there.`);
});

/** A fixture whose glue calls exports that its Wasm file lacks. */
function lacking(...calls) {
  const { source, url, readFile } = fixture("silent");
  return { source: `${source}\n${calls.join("\n")}`, url, readFile };
}

test("an export that the glue calls and the Wasm file lacks causes a warning, and an error at its use", async () => {
  const { module, exports } = await supervise(
    lacking(
      "export function gone(a) { return wasm.gone(a); }",
      "export async function later() { return wasm.later(); }",
    ),
  );
  assert.equal(module.warnings.length, 1);
  assert.match(module.warnings[0], /calls what the Wasm data does not export: gone, later\. /);
  for (const _ of [1, 2]) {
    assert.equal(exports.add(2, 3), 5);
    const error = thrown(() => exports.gone(1));
    assert.ok(error instanceof GlueError, error.stack);
    assert.match(error.message, /silent\.js calls the export gone, which its Wasm file does not have\./);
    assert.ok((await rejection(exports.later())) instanceof GlueError);
    assert.equal(module.generation.dead, null, "it is no crash");
    thrown(() => exports.boom("on to the next generation"));
  }
});

test("a class without objects has nothing to free", async () => {
  const { module } = await supervise(lacking("export const clean = () => wasm.__wbg_seed_free(0);"));
  assert.match(module.warnings[0], /does not export: __wbg_seed_free\. /);
  module.generation.exports.clean(); // as a finalizer calls it
});

test("glue that finds every export it calls causes no warning", async () => {
  assert.deepEqual((await supervise(fixture("silent"))).module.warnings, []);
});

test("a GlueError is raised if most exports are missing", async () => {
  const calls = Array.from({ length: 20 }, (_, index) => `export const f${index} = () => wasm.f${index}();`);
  const error = await rejection(supervise(lacking(...calls)));
  assert.ok(error instanceof GlueError, error.stack);
  assert.match(error.message, /do not belong together: the Wasm file has no export f0\. /);
});

test("glue of 2022 that compiles in its initSync starts, and starts anew", async () => {
  const { source, url, readFile } = fixture("silent");
  const start = source.indexOf("function initSync(module) {");
  const end = source.indexOf("\n}\n", start);
  const old = `function initSync(bytes) {
    const imports = __wbg_get_imports();
    const module = new WebAssembly.Module(bytes);
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);`;
  assert.ok(start > 0 && end > start);
  const { module, exports } = await supervise({
    source: source.slice(0, start) + old + source.slice(end),
    url,
    readFile,
  });
  assert.equal(exports.add(2, 3), 5);
  thrown(() => exports.boom("on"));
  assert.deepEqual([exports.add(3, 4), module.generation.number], [7, 1]);
});

test("the WebAssembly.Module that glue sees compiles bytes, and otherwise behaves like the real one", async () => {
  const { source, url, readFile } = fixture("silent");
  const probe = `export function probe() {
    const made = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    const length = WebAssembly.Module.exports(made).length;
    return [made instanceof WebAssembly.Module, length, new WebAssembly.Module(made) === made];
  }`;
  const { module } = await supervise({ source: `${source}\n${probe}`, url, readFile });
  assert.deepEqual(module.generation.exports.probe(), [true, 0, true]);
});

/** The fixture with a memory that threads could share. Its glue would have to import the memory. */
function withThreads() {
  const { source, url, readFile } = fixture("silent");
  const memory = [
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    2,
    16,
    1,
    3,
    119,
    98,
    103,
    6,
    ...new TextEncoder().encode("memory"),
    2,
    3,
    1,
    9,
  ];
  return { glue: { source, url, readFile }, bytes: new Uint8Array(memory) };
}

test("a build with threads is refused with the reason, also as a compiled module", async () => {
  const { glue, bytes } = withThreads();
  const exports = /wasm\.(\w+)\(/g;
  // Nothing else is wrong with the build: the glue calls no export, and provides the memory.
  const source = glue.source.replace(exports, "other.$1(") + "\n";
  const offering = source.replace(
    "function initSync(module) {",
    "function initSync(module) {\n    wasm = new WebAssembly.Instance(module, { wbg: { memory: new " +
      "WebAssembly.Memory({ initial: 1, maximum: 9, shared: true }) } }).exports;",
  );
  for (const wasm of [bytes, new WebAssembly.Module(bytes)]) {
    const error = await rejection(loadModule({ glue: { ...glue, source: offering }, wasm }));
    assert.ok(error instanceof LoadError, error.stack);
    assert.match(
      error.message,
      /is a build with threads, under which no crash could be undone\. Load the package's build without threads/,
    );
  }
});

test("glue and Wasm of different builds are a GlueError", async () => {
  const { source, url } = fixture("bank");
  const other = { source, url, readFile: () => fixture("hookless").readFile("hookless_bg.wasm") };
  const error = await rejection(supervise(other));
  assert.ok(error instanceof GlueError, error.stack);
  assert.match(error.message, /do not belong together: .* Take both from the same build\.$/);
});
