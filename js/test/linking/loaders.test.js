/** Loaders that packages have of their own, around real glue: each finds the guarded instance of its generation. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { GlueError } from "../../src/shared/errors.js";
import { loadModule, loadModuleSync } from "../loading.js";
import { fixture, glueFile, rejection, thrown } from "../support.js";

const WEB = fixture("people");
const BUNDLER = glueFile("../rust/fixtures/people/targets/bundler/people_bg.js");
const WASM = WEB.readFile("./people_bg.wasm");
const BASE64 = Buffer.from(/** @type {Uint8Array} */ (WASM)).toString("base64");

/**
 * A package around the fixture's glue.
 * @param {string} source of its entry @param {Record<string, string | Uint8Array | null>} [beside]
 */
function packageOf(source, beside = {}) {
  /** @type {Record<string, any>} */
  const files = { "./glue.js": WEB.source, "./people_bg.js": BUNDLER.source, "./people_bg.wasm": WASM, ...beside };
  const readFile = (/** @type {string} */ path) => {
    const file = files[path.replace(/^(?:\.\/)?/, "./")] ?? null;
    return typeof file === "string" ? new TextEncoder().encode(file) : file;
  };
  return { source, url: "file:///pkg/index.js", readFile };
}

/** @param {any} module */
function supervised(module) {
  const supervisor = new DefaultSupervisor(module);
  module.host = supervisor;
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

/** Loads a package in each way. @param {any} glue */
const allWays = async (glue) => [
  supervised(await loadModule({ glue })),
  supervised(loadModuleSync({ glue })),
  supervised(await loadModule({ glue, spare: true })),
];

/** Ends a generation by a panic, and waits for the next one. */
async function crash({ exports, module }) {
  const { number } = module.generation;
  assert.equal(thrown(() => exports.Person.named("Eve").age).kind, "panic");
  for (let turns = 0; module.generation.number === number && turns < 50; turns++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(module.generation.number, number + 1);
}

/**
 * The forms of loaders that packages have, after which each is called. `init` is what users call.
 * @type {Record<string, {entry: string, beside?: Record<string, string | null>, init?: string}>}
 */
const LOADERS = {
  "glue that is exported from another file": { entry: 'export * from "./glue.js";' },
  "an init of its own, with the Wasm file in a data: URL": {
    entry:
      'import init, { initSync } from "./glue.js";\nexport * from "./glue.js";\nimport { data } from "./wasm.js";\n' +
      "export async function start() { return await init({ module_or_path: await (await " +
      "fetch(data)).arrayBuffer() }); }\n" +
      'export function startSync() { return initSync({ module: Buffer.from(data.split(",")[1], "base64") }); }',
    beside: { "./wasm.js": `export const data = "data:application/wasm;base64,${BASE64}";`, "./people_bg.wasm": null },
    init: "await start(); startSync();",
  },
  "an instance that is made at once": {
    entry:
      'import { wasm } from "./wasm.js";\nexport * from "./people_bg.js";\n' +
      'import { __wbg_set_wasm } from "./people_bg.js";\n__wbg_set_wasm(wasm);',
    beside: {
      "./wasm.js":
        `import * as imports from "./people_bg.js";\n` +
        `const bytes = Uint8Array.from(atob("${BASE64}"), (c) => c.charCodeAt(0));\n` +
        'const wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes), { "./people_bg.js": imports ' +
        "}).exports;\nexport { wasm };",
      "./people_bg.wasm": null,
    },
  },
  "glue that throws until it is made ready": {
    entry:
      'import * as bindings from "./people_bg.js";\nconst place = new URL("./people_bg.wasm", import.meta.url);\n' +
      "bindings.__wbg_set_wasm(new Proxy({}, { get() { throw new Error('call initAsync first'); } }));\n" +
      "let ready = null;\n" +
      "async function load() {\n" +
      '  const { instance } = await WebAssembly.instantiateStreaming(fetch(place), { "./people_bg.js": bindings });\n' +
      "  bindings.__wbg_set_wasm(instance.exports);\n  instance.exports.__wbindgen_start();\n}\n" +
      'export async function initAsync() { ready ??= load(); await ready; }\nexport * from "./people_bg.js";',
    init: "await initAsync(); await initAsync();",
  },
  "an instance that the user makes": {
    entry:
      'import * as imports from "./people_bg";\nexport async function init(make) {\n' +
      '  const made = await make({ "./people_bg.js": imports });\n  imports.__wbg_set_wasm(made.exports);\n}\n' +
      'export * from "./people_bg";',
    init: "await init((imports) => ({ exports: {} }));",
  },
  "the Wasm file as a module": {
    entry:
      'import * as wasm from "./people_bg.wasm";\nimport { memory } from "./people_bg.wasm";\n' +
      'import { __wbg_set_wasm } from "./people_bg.js";\n__wbg_set_wasm(wasm);\nwasm.__wbindgen_start();\n' +
      'export * from "./people_bg.js";\nexport const size = () => [memory.buffer.byteLength, wasm.memory === memory];',
    init: "if (!size()[0] || !size()[1]) throw new Error('no memory');",
  },
  "the Wasm file as a compiled module": {
    entry:
      'import wasm from "./people_bg.wasm?module";\nimport init, { initSync } from "./glue.js";\n' +
      'export * from "./glue.js";\n' +
      "export const start = async () => { await init({ module_or_path: wasm }); initSync({ module: wasm }); };",
    init: "await start();",
  },
  "the Wasm file as a function": {
    entry:
      'import make from "./people_bg.wasm?init";\nimport * as glue from "./people_bg.js";\n' +
      'export * from "./people_bg.js";\n' +
      'export const start = async () => glue.__wbg_set_wasm((await make({ "./people_bg.js": glue })).exports);',
    init: "await start();",
  },
  "the Wasm file by import()": {
    entry:
      'import * as glue from "./people_bg.js";\nexport * from "./people_bg.js";\n' +
      'export const start = async () => glue.__wbg_set_wasm(await import("./people_bg.wasm"));',
    init: "await start();",
  },
  "promises at the top level": {
    entry:
      'import init, * as glue from "./glue.js";\nexport * from "./glue.js";\nawait init();\n' +
      "const wasm = await init();\n" +
      "const { instance } = await WebAssembly.instantiate(new Uint8Array(8), {});\n" +
      'const loaded = await import("./people_bg.wasm");\nif (loaded !== wasm) await Promise.resolve(1);\n' +
      "export const same = [wasm === instance.exports, loaded === wasm].join();",
    init: "if (same !== 'true,true') throw new Error(same);",
  },
  "a global object in front of WebAssembly": {
    entry:
      'import * as glue from "./people_bg.js";\nexport * from "./people_bg.js";\n' +
      'import * as wasm from "./people_bg.wasm";\n' +
      "const module = new globalThis.WebAssembly.Module(new Uint8Array(8));\n" +
      'glue.__wbg_set_wasm(new self.WebAssembly.Instance(module, { "./people_bg.js": glue }).exports);',
  },
  "only a promise of the glue": {
    entry: 'import init, * as glue from "./glue.js";\nexport default init().then(() => glue);',
  },
  "its Wasm file in the glue itself": {
    entry:
      `${WEB.source}\nconst bytes = Buffer.from("${BASE64}", "base64");\nlet used = false;\n` +
      "function tryInit(module) { try { initSync({ module }); return true; } catch { return false; } }\n" +
      "if (WebAssembly.validate(bytes) && tryInit(bytes)) used = true;\nvar isUsed = used;\nexport { isUsed };",
    beside: { "./people_bg.wasm": null },
    init: "if (!isUsed) throw new Error('not made');",
  },
  "an init that is not exported, and a package around it": {
    entry:
      WEB.source
        .replace(/function initSync[\s\S]*?\n}\n/, "")
        .replace(/export \{ initSync.*/, "")
        .replaceAll("export ", "") +
      "\nfunction waiter(run) { return new Promise((resolve) => { const steps = run(); " +
      "const go = (value) => { const step = steps.next(value); " +
      "step.done ? resolve(step.value) : Promise.resolve(step.value).then(go); }; go(); }); }\n" +
      `function init() { return waiter(function* () { yield __wbg_init({ module_or_path: ` +
      `Buffer.from("${BASE64}", "base64").buffer }); }); }\n` +
      "export { init, Person, invite, setPanicHook };",
    beside: { "./people_bg.wasm": null },
    init: "await init(); await init();",
  },
};

for (const [what, { entry, beside, init = "" }] of Object.entries(LOADERS)) {
  test(`${what}: it loads, and its own init does no harm, before and after a crash`, async () => {
    for (const loaded of await allWays(packageOf(entry, beside))) {
      const { exports, module } = loaded;
      const run = new Function(
        "exports",
        `return (async () => { const { ${Object.keys(exports)} } = exports; ${init} })();`,
      );
      for (let round = 0; round < 3; round++) {
        assert.equal(new exports.Person("Ada").name, "Ada");
        await run(exports);
        const person = new exports.Person("Bob");
        assert.equal(person.name, "Bob");
        await crash(loaded);
        assert.throws(() => person.name, { name: "StaleObjectError" });
      }
      module.close();
    }
  });
}

test("code around the glue uses Rust while it is evaluated, in each generation", async () => {
  const glue = packageOf(
    'import { Person, invite } from "./glue.js";\nimport { Named } from "./named.js";\nexport * from "./glue.js";\n' +
      'invite("first");\nexport const first = new Person("Ada").name;\nexport const made = [first, Named.first];\n' +
      "export let count = 0;\nexport function up() { return (count += 1); }\n" +
      'export var Kind;\n(function (Kind) { Kind[Kind["A"] = 0] = "A"; })(Kind || (Kind = {}));\n' +
      "/** Greets. */\nexport function greet(name, greeting = 'Hello') { return greeting + ', ' + new " +
      "Person(name).name; }",
    {
      "./named.js":
        'import { Person } from "./glue.js";\nexport class Named { static first = new Person("Eve").name;\n' +
        "  constructor(name) { this.person = new Person(name); } hello() { return this.person.name; } }",
    },
  );
  for (const loaded of await allWays(glue)) {
    const { exports, module } = loaded;
    for (let round = 0; round < 2; round++) {
      const { generation } = module;
      assert.equal(exports.first, "Ada");
      assert.deepEqual(generation.exports.made, ["Ada", "Eve"]);
      assert.deepEqual([exports.up(), exports.up(), generation.exports.count], [1, 2, 2]);
      assert.equal(generation.exports.Kind.A, 0);
      assert.equal(exports.greet("Bob"), "Hello, Bob");
      assert.match(thrown(() => exports.Person.named("Eve").age).message, /guests: first\(in|guests: first/);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { functions, constants } = module.description;
    assert.deepEqual(constants.sort(), ["Kind", "count", "first", "made"]);
    assert.match(functions.find(({ name }) => name === "greet").doc, /Greets\./);
    module.close();
  }
});

test("the rest of a package runs after the start function of Rust", async () => {
  const { source, readFile } = fixture("startup");
  const glue = packageOf('export * from "./glue.js"; globalThis.startOrder.push("rest");', {
    "./glue.js": source,
    "./startup_bg.wasm": readFile("./startup_bg.wasm"),
  });
  const order = [];
  const get = () => void order.push("start");
  Object.defineProperties(globalThis, {
    __unpanicFailStart: { get, configurable: true },
    startOrder: { value: order, configurable: true },
  });
  for (const { module } of await allWays(glue)) module.close();
  assert.deepEqual(order.slice(0, 4), ["start", "rest", "start", "rest"]);
  for (const name of ["__unpanicFailStart", "startOrder"]) delete globalThis[name];
});

test("an error of the rest ends the load, and so does a crash", async () => {
  const failing = packageOf('export * from "./glue.js";\nthrow new TypeError("no luck");');
  assert.match((await rejection(loadModule({ glue: failing }))).message, /no luck/);
  assert.match(thrown(() => loadModuleSync({ glue: failing })).message, /no luck/);
  const crashing = packageOf('export * from "./glue.js";\nimport { Person } from "./glue.js";\nnew Person("");');
  const error = await rejection(loadModule({ glue: crashing }));
  assert.equal(error.name, "StartError", error.stack);
  assert.match(error.message, /nobody/);
});

test("an init that goes on after its generation is gone gets no instance", async () => {
  const glue = packageOf(
    'import * as glue from "./people_bg.js";\nexport * from "./people_bg.js";\nlet go;\n' +
      "const later = new Promise((resolve) => { go = resolve; });\nexport const goOn = () => go();\n" +
      "globalThis.lateInit = later.then(() => new WebAssembly.Instance(new WebAssembly.Module(new " +
      "Uint8Array(8)), {}));\n" +
      "globalThis.lateGo ??= go; globalThis.firstInit ??= globalThis.lateInit;",
  );
  const loaded = supervised(await loadModule({ glue }));
  await crash(loaded);
  const globals = /** @type {any} */ (globalThis);
  globals.lateGo();
  assert.match((await rejection(globals.firstInit)).message, /This instance is gone/);
  loaded.module.close();
});

const ERRORS = {
  "another package": [
    packageOf('import x from "other";\nexport * from "./inner.js";', { "./inner.js": 'export * from "./glue.js";' }),
    /index\.js imports "other", which is another package\..* The glue is .*\/glue\.js: load .*\/inner\.js instead/,
  ],
  "another package, in the only file that imports the glue": [
    packageOf('import x from "other";\nexport * from "./glue.js";'),
    /imports "other", .* The glue is .*\/glue\.js: load that instead/,
  ],
  "another package, and no glue": [
    packageOf('export * from "other";\nexport * from "./a.js";', { "./a.js": "" }),
    /imports "other", .* No file beside it is glue\./,
  ],
  "a promise that is needed while it is evaluated": [
    packageOf('export * from "./glue.js";\nexport const facts = await fetch("./facts.json");'),
    /index\.js waits for a promise while it is evaluated \(await at the top level\)/,
  ],
  "two glue files": [
    packageOf('export * as a from "./glue.js";\nexport * as b from "./people_bg.js";'),
    /index\.js joins several modules of Rust\. Load one of their glue files: .*glue\.js, .*people_bg\.js\./,
  ],
  "no glue": [
    packageOf('export * from "./a.js";', { "./a.js": "export const a = 1;" }),
    /index\.js is JavaScript, but neither glue .* These files were read: .*a\.js, .*index\.js\. Load a/,
  ],
  "a file that is missing": [
    packageOf('export * from "./gone";'),
    /index\.js imports "\.\/gone", which cannot be read/,
  ],
};

for (const [what, [glue, message]] of Object.entries(ERRORS)) {
  test(`an error tells what is wrong: ${what}`, async () => {
    for (const error of [await rejection(loadModule({ glue })), thrown(() => loadModuleSync({ glue }))]) {
      assert.ok(error instanceof GlueError || what.startsWith("a promise"), error.stack);
      assert.match(error.message, /** @type {RegExp} */ (message));
    }
  });
}

test("functions of a CommonJS wrapper are those of the generation that lives", async () => {
  const entry =
    'const g = require("./glue.js");\n' +
    'module.exports = { named: (name) => g.Person.named(name).name, crash: () => g.Person.named("Eve").age };';
  const { exports, supervisor } = supervised(await loadModule({ glue: packageOf(entry) }));
  assert.equal(exports.named("Ada"), "Ada");
  const before = exports.named;
  supervisor.reset();
  assert.notEqual(exports.named, before);
  assert.equal(exports.named("Bob"), "Bob");
});
