/** Glue for a bundler: what wasm-bindgen writes today, and packages of 2020 to 2026 with the rules of recovery. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { linkAtOnce } from "../../src/forms.js";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { GlueError } from "../../src/shared/errors.js";
import { ROLLBACK } from "../../src/wasm/rewriting.js";
import { loadModule, loadModuleSync } from "../loading.js";
import { fixture, glueFile, rejection, supervise, thrown } from "../support.js";

const WEB = fixture("people");
const PEOPLE = "../rust/fixtures/people/targets/bundler/people";
const INSTALLED = "../tests/compat/node_modules/";
/** Why a package is not tried. @param {string} path */
const skip = (path) =>
  !existsSync(new URL(`../../${INSTALLED}${path}.js`, import.meta.url)) && "`make compat-packages` installs it";
const rewriter = new Uint8Array(readFileSync(new URL("../../../rust/rewriter/pkg/rewriter.wasm", import.meta.url)));

/** The fixture's file for a bundler. Its Wasm file is the one of the build for the web. @param {string} end */
function people(end) {
  const file = glueFile(PEOPLE + end);
  const readFile = (/** @type {string} */ path) => (path.endsWith(".wasm") ? WEB.readFile(path) : file.readFile(path));
  return { ...file, readFile };
}

/** Loads at once. @param {import("../support.js").GlueFile} glue */
function superviseAtOnce(glue) {
  const module = loadModuleSync({ glue });
  const supervisor = new DefaultSupervisor(module);
  module.host = supervisor;
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

/** A glue file that is a text, with the fixture's Wasm file. @param {(source: string) => string} change */
function changed(change) {
  const file = people("_bg.js");
  return { ...file, source: change(file.source) };
}

const FORMS = [
  ["the entry", () => people(".js")],
  ["the glue itself", () => people("_bg.js")],
  [
    "an entry that exports everything",
    () => ({
      ...people(".js"),
      source:
        'import * as wasm from "./people_bg.wasm";\nexport * from "./people_bg.js";\n' +
        'import { __wbg_set_wasm } from "./people_bg.js";\n__wbg_set_wasm(wasm);',
    }),
  ],
  [
    "an entry without the ending",
    () => ({ ...people(".js"), source: 'import * as wasm from "./people_bg";\nexport * from "./people_bg";' }),
  ],
  [
    "glue that imports its Wasm file and starts itself",
    () =>
      changed(
        (source) =>
          "import * as wasm from './people_bg.wasm';\n" +
          source.replace(/let wasm;\nexport function __wbg_set_wasm[^}]*}/, "") +
          "\nwasm.__wbindgen_start();\n",
      ),
  ],
  [
    "minified glue",
    () =>
      changed((source) =>
        source
          .replace(/\bwasm\b(?=[.; ])/g, "q")
          .replace(/\bval\b(?=[);])/g, "v")
          .replace(/^\s+/gm, ""),
      ),
  ],
];

for (const [what, file] of /** @type {[string, () => any][]} */ (FORMS)) {
  test(`${what} is the same module as that for the web`, async () => {
    const [web, found, atOnce] = [await supervise(WEB), await supervise(file()), superviseAtOnce(file())];
    for (const { module, exports } of [found, atOnce]) {
      assert.equal(module.adapter.target, "bundler");
      assert.deepEqual(Object.keys(exports).sort(), Object.keys(web.exports).sort());
      const names = ({ functions, classes }) => [...functions, ...classes].map(({ name }) => name).sort();
      assert.deepEqual(names(module.description), names(web.module.description));
    }
    assert.equal(web.module.adapter.target, "web");
  });

  test(`${what}: a panic ends a generation, and the next one works`, async () => {
    for (const { module, supervisor, exports } of [await supervise(file()), superviseAtOnce(file())]) {
      const person = new exports.Person("Ada");
      exports.invite("Bob");
      const error = thrown(() => person.age);
      assert.equal(error.kind, "panic", error.stack);
      assert.match(error.message, /Ada has no age; guests: Bob/);
      assert.equal(module.generation.number, 1);
      const other = exports.Person.named("Eve");
      assert.match(thrown(() => other.age).message, /Eve has no age; guests: {2}\(in/);
      supervisor.reset();
      assert.equal(exports.Person.named("Eve").name, "Eve");
      assert.equal(module.generation.number, 3);
    }
  });
}

test("exports of the glue have the descriptions of the build for the web", async () => {
  const [web, found] = [await supervise(WEB), await supervise(people(".js"))];
  assert.deepEqual(found.module.description, web.module.description);
});

test("lines keep their numbers, and nothing but the Wasm file's import and start goes away", () => {
  for (const [, file] of FORMS.slice(4)) {
    const { source, url } = file();
    const before = source.split("\n");
    const after = linkAtOnce({ source, url }, () => assert.fail()).source.split("\n");
    const other = before.flatMap((line, index) => (line === after[index] ? [] : [line]));
    assert.deepEqual(
      other.filter((line) => !/^import \* as wasm|^wasm\.__wbindgen_start\(\);$|^$/.test(line)),
      [],
    );
  }
});

test("an instance is prepared without blocking", async () => {
  const module = await loadModule({ glue: people(".js"), spare: true });
  const supervisor = new DefaultSupervisor(module);
  module.host = supervisor;
  const exports = /** @type {any} */ (makeFacade(module, supervisor));
  for (let round = 1; round <= 3; round++) {
    assert.equal(thrown(() => exports.Person.named("Eve").age).kind, "panic");
    assert.equal(module.generation.number, round);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  module.close();
});

test("a call that panics is undone", () => {
  const module = loadModuleSync({ glue: people(".js"), rollsBack: true }, { rewriter, rewrites: ROLLBACK });
  assert.equal(module.whyNoRollback ?? "", "");
  assert.equal(module.rollsBack, true);
  module.close();
});

/** A part of a Wasm file. @param {number} id @param {number[][]} items */
const section = (id, ...items) => [id, items.flat().length + 1, items.length, ...items.flat()];
/** @param {string} text */
const name = (text) => [text.length, ...Buffer.from(text)];

test("a snippet that the Wasm file itself imports is linked", async () => {
  const wasm = new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, 0, 1, 0x7f]), // () -> i32
    ...section(
      2,
      [...name("./tiny_bg.js"), ...name("__wbg_three_0"), 0, 0],
      [...name("./snippets/a/inline0.js"), ...name("four"), 0, 0],
    ),
    ...section(3, [0], [0]),
    ...section(5, [0, 1]),
    ...section(7, [...name("memory"), 2, 0], [...name("sum"), 0, 2], [...name("__wbindgen_start"), 0, 3]),
    ...section(10, [7, 0, 0x10, 0, 0x10, 1, 0x6a, 0x0b], [4, 0, 0x41, 0, 0x0b]),
  ]);
  const files = {
    "./tiny_bg.js":
      "let wasm;\nexport function __wbg_set_wasm(val) {\n    wasm = val;\n}\n" +
      "export function sum() {\n    return wasm.sum();\n}\nexport function __wbg_three_0() {\n    return 3;\n}\n",
    "./snippets/a/inline0.js": "export const four = () => 4;",
  };
  const glue = {
    source: 'import * as wasm from "./other.wasm";\nexport * from "./tiny_bg.js";\nwasm.__wbindgen_start();',
    url: "file:///pkg/tiny.js",
    readFile: (/** @type {string} */ path) =>
      path === "other.wasm" ? wasm : path in files ? new TextEncoder().encode(files[path]) : null,
  };
  for (const { exports, supervisor } of [await supervise(glue), superviseAtOnce(glue)]) {
    assert.equal(exports.sum(), 7);
    supervisor.reset();
    assert.equal(exports.sum(), 7);
  }
  delete files["./snippets/a/inline0.js"];
  assert.match(thrown(() => loadModuleSync({ glue })).message, /inline0\.js", which is no file beside it/);
});

test("an entry whose glue is gone says so", async () => {
  const gone = { ...people(".js"), readFile: () => null };
  for (const error of [await rejection(loadModule({ glue: gone })), thrown(() => loadModuleSync({ glue: gone }))]) {
    assert.ok(error instanceof GlueError, error.stack);
    assert.match(error.message, /people\.js imports "\.\/people_bg\.js", which cannot be read: .*no file beside it/);
  }
});

const PACKAGES = [
  {
    path: "prql-js/dist/bundler/prql_js",
    use: (e) => {
      const options = new e.CompileOptions();
      options.signature_comment = false;
      options.format = false;
      return e.compile("from x", options);
    },
    gives: "SELECT * FROM x",
    fail: (e) =>
      e.rq_to_sql(
        '{"def": {"version": null, "other": {}}, "tables": [], ' +
          '"relation": {"kind": {"ExternRef": {"LocalTable": ["x"]}}, "columns": []}}',
      ),
    kind: "panic",
  },
  {
    path: "minijinja-js/dist/bundler/minijinja_js",
    use: (e) => new e.Environment().renderStr("{{ a + 1 }}", { a: 2 }),
    gives: "3",
  },
  {
    path: "@cedar-policy/cedar-wasm/esm/cedar_wasm",
    use: (e) => e.policyToJson("permit(principal, action, resource) when { 1 < 2 };").json.effect,
    gives: "permit",
    fail: (e) =>
      e.policyToJson(`permit(principal, action, resource) when { ${"(".repeat(20_000)}1${")".repeat(20_000)} };`),
  },
  {
    path: "@automerge/automerge-wasm/bundler/automerge_wasm",
    use: (e) => {
      const document = e.create({ actor: "aabbcc" });
      document.put("/", "answer", 42);
      return e.load(document.save(), {}).get("/", "answer");
    },
    gives: 42,
  },
  {
    path: "loro-crdt/bundler/loro_wasm",
    use: (e) => {
      const document = new e.LoroDoc();
      document.getText("t").insert(0, "hello");
      return document.toJSON();
    },
    gives: { t: "hello" },
  },
  {
    path: "@kreuzberg/html-to-markdown-wasm/pkg/bundler/html_to_markdown_wasm",
    use: (e) => e.convert("<h1>Rust</h1><p>in <b>Python</b></p>").content,
    gives: "# Rust\n\nin **Python**\n",
    fail: (e) => e.convert("<div>".repeat(20_000)),
  },
  { path: "parquet-wasm/bundler/parquet_wasm", use: (e) => e.WriterVersion.V2, gives: 1 },
  {
    path: "parquet-wasm-0.1/parquet_wasm",
    use: (e) => thrown(() => e.read_parquet(new Uint8Array([1, 2, 3, 4]))) !== null,
    gives: true,
  },
];

for (const { path, use, gives, fail, kind } of PACKAGES) {
  for (const end of [".js", "_bg.js"]) {
    test(`${path}${end} works in each generation, and after a crash`, { skip: skip(path) }, async () => {
      const { module, supervisor, exports } = await supervise(glueFile(INSTALLED + path + end));
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(use(exports), gives);
        if (fail) {
          const error = thrown(() => fail(exports));
          if (kind) assert.equal(error.kind, kind, error.stack);
          else assert.ok(["overflow", "trap", "stack_overflow", "stack"].includes(error.kind), error.kind);
        } else supervisor.reset();
        assert.equal(module.generation.number, round + 1);
      }
      assert.deepEqual(use(exports), gives);
      module.close();
    });
  }
}

const CITEPROC = "@citeproc-rs/wasm/_esm/citeproc_rs_wasm";

test("@citeproc-rs/wasm imports a snippet, which is linked", { skip: skip(CITEPROC) }, async () => {
  for (const end of [".js", "_bg.js"]) {
    const { exports } = await supervise(glueFile(`${INSTALLED}${CITEPROC}${end}`));
    assert.ok(exports.Driver);
  }
});
