/** The files of an npm package follow from its package.json and the list of its files. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chooseFiles } from "../../src/files/manifest.js";
import { thrown } from "../support.js";

const MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));

function installed(name) {
  const root = `${MODULES}${name}/`;
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll("//", "/").slice(root.length));
  return { manifest: JSON.parse(readFileSync(`${root}package.json`, "utf8")), files };
}

/** Packages as they are: the glue by the list of files, and where there is none. */
const INSTALLED = {
  "prql-js": ["dist/web/prql_js.js", "dist/web/prql_js.js"],
  oxigraph: ["web.js", "web.js"],
  "@resvg/resvg-wasm": ["index.mjs", "index.mjs"],
  "@pexip/denoise": ["denoise.js", "denoise.js"],
  "@ruvector/exotic-wasm": ["ruvector_exotic_wasm.js", "ruvector_exotic_wasm.js"],
  "@jsquash/oxipng": ["codec/pkg/squoosh_oxipng.js", "index.js"],
};

for (const [name, [byList, byManifest]] of Object.entries(INSTALLED)) {
  test(`${name} has the glue ${byList}`, () => {
    const { manifest, files } = installed(name);
    assert.equal(chooseFiles(manifest, files, "", name).glue, byList);
    assert.equal(chooseFiles(manifest, null, "", name).glue, byManifest);
  });
}

/** One build by wasm-bindgen. @param {string} stem @param {boolean} [isBundled] */
const build = (stem, isBundled) => [
  `${stem}.js`,
  `${stem}_bg.wasm`,
  `${stem}.d.ts`,
  ...(isBundled ? [`${stem}_bg.js`] : []),
];

/** @param {Record<string, any>} manifest @param {string[] | null} files @param {string} [path] */
const choose = (manifest, files, path = "") => chooseFiles(manifest, files, path, "npm:bank@1.0.0");
const glueOf = (...parts) => choose(...parts).glue;

test("the build for the web comes before all others, whatever package.json prefers", () => {
  const files = ["bundler/bank", "node/bank", "deno/bank", "no_modules/bank", "web/bank"].flatMap((stem) =>
    build(stem, stem === "bundler/bank"),
  );
  const manifest = { main: "node/bank.js", module: "bundler/bank.js" };
  assert.equal(glueOf(manifest, files), "web/bank.js");
  const without = files.filter((file) => !file.startsWith("web"));
  assert.equal(glueOf(manifest, without), "bundler/bank.js");
  const last = without.filter((file) => !file.startsWith("bundler"));
  assert.equal(glueOf({ module: "deno/bank.js" }, last), "deno/bank.js");
  assert.equal(glueOf({ main: "node/bank.js" }, build("node/bank")), "node/bank.js");
});

test("a file that only others get comes after one that browsers get", () => {
  const files = [...build("bank"), ...build("esm/bank", true)];
  const exports = { ".": { node: "./bank.js", browser: "./esm/bank.js" } };
  assert.equal(glueOf({ exports }, files), "esm/bank.js");
  assert.equal(glueOf({ main: "bank.js", module: "esm/bank.js" }, files), "esm/bank.js");
  assert.equal(glueOf({ main: "bank.js" }, files), "bank.js");
});

test("conditions of exports count in the order in which package.json has them", () => {
  const manifest = (root) => ({ exports: { ".": root } });
  const cases = [
    [{ types: "./a.d.ts", development: "./dev.js", browser: { node: "./n.js", default: "./b.js" } }, "b.js"],
    [{ require: "./a.cjs", import: "./a.mjs" }, "a.mjs"],
    [{ default: "./d.js", import: "./i.js" }, "d.js"],
    [[{ workerd: "./w.js" }, "./second.js"], "second.js"],
    [{ browser: null, default: "./d.js" }, "d.js"],
  ];
  for (const [root, expected] of cases) assert.equal(glueOf(manifest(root), null), expected, JSON.stringify(root));
  assert.equal(glueOf({ exports: "./only.js", main: "other.js" }, null), "only.js");
  assert.equal(glueOf({ exports: { import: "./sugar.js" } }, null), "sugar.js");
});

test("fields without exports count in the order browser, module, main", () => {
  assert.equal(glueOf({ main: "m.js", module: "e.js", browser: "b.js" }, null), "b.js");
  assert.equal(glueOf({ main: "m.js", module: "e.js" }, null), "e.js");
  assert.equal(glueOf({ main: "./m.js", browser: { "./m.js": "./b.js", fs: false } }, null), "b.js");
  assert.equal(glueOf({ main: "lib" }, ["lib/index.js", "package.json"]), "lib/index.js");
  assert.equal(glueOf({ main: "lib" }, null), "lib.js");
});

test("glue comes before a wrapper around it, also if package.json names only the wrapper", () => {
  const files = ["index.js", "index.d.ts", ...build("pkg/bank")];
  assert.deepEqual(choose({ main: "index.js", types: "index.d.ts" }, files), {
    glue: "pkg/bank.js",
    wasm: undefined,
    types: "pkg/bank.d.ts",
  });
  assert.equal(glueOf({ main: "index.js" }, null), "index.js");
  assert.equal(glueOf({ main: "index.js" }, ["index.js"]), "index.js");
});

test("builds with threads, tests and examples are the last choice", () => {
  const files = ["node_modules/web/bank", "pkg-parallel/bank", "examples/web/bank", "pkg/bank"].flatMap((stem) =>
    build(stem),
  );
  assert.equal(glueOf({}, files), "pkg/bank.js");
});

test("a folder that has one of several equal files of glue is listed in place of the file", () => {
  const files = [...build("lib/one/pkg/one"), ...build("lib/two/pkg/two"), ...build("lib/two/pkg/three")];
  const error = thrown(() => choose({}, files));
  const paths = ["npm:bank@1.0.0/lib/one", "npm:bank@1.0.0/lib/two/pkg/two.js", "npm:bank@1.0.0/lib/two/pkg/three.js"];
  assert.equal(error.message, `npm:bank@1.0.0 has 3 files of glue. Load one of them: ${paths.join(", ")}.`);
  assert.equal(choose({}, files, "lib/one").glue, "lib/one/pkg/one.js");
});

test("a long list of files ends with how many more there are", () => {
  const files = ["a", "b", "c", "d"].flatMap((name) => build(`${name}/${"x".repeat(60)}/${name}`));
  const places = { exports: Object.fromEntries(["a", "b", "c", "d"].map((name) => [`./${name}`, "./other.js"])) };
  const { message } = thrown(() => choose(places, files));
  assert.equal(
    message,
    `npm:bank@1.0.0 has 4 files of glue. Load one of them: npm:bank@1.0.0/a/${"x".repeat(60)} and 3 more.`,
  );
});

test("several equal files of glue are listed as they are typed", () => {
  const files = [...build("lib/one"), ...build("lib/two"), "index.js"];
  const error = thrown(() => choose({ main: "index.js" }, files));
  assert.equal(error.name, "GlueError");
  assert.equal(
    error.message,
    "npm:bank@1.0.0 has 2 files of glue. " + "Load one of them: npm:bank@1.0.0/lib/one.js, npm:bank@1.0.0/lib/two.js.",
  );
  assert.equal(glueOf({ module: "lib/two.js" }, files), "lib/two.js");
});

test("two endings of one file are one candidate", () => {
  assert.equal(glueOf({}, ["bank.cjs", "bank.js", "bank.mjs", "bank_bg.wasm"]), "bank.mjs");
});

test("a package without glue says so, and lists its files", () => {
  const error = thrown(() => choose({}, ["a.js", "b.mjs", "c.txt"]));
  assert.equal(error.name, "GlueError");
  assert.equal(
    error.message,
    "npm:bank@1.0.0 has no glue of wasm-bindgen: no .js file beside a _bg.wasm file. " +
      "If one of its files is glue, load it: npm:bank@1.0.0/a.js, npm:bank@1.0.0/b.mjs.",
  );
  assert.match(thrown(() => choose({}, ["c.txt"])).message, /Load another package: it has no JavaScript\.$/);
});

test("a path is a file, a place in exports, a folder, or a file without its ending", () => {
  const files = [...build("web/bank"), ...build("lib/bank", true), "tool.js"];
  const exports = { "./slim": { import: "./lib/bank.js" }, "./raw/*": "./web/*", "./any/*.js": "./web/*.js" };
  const cases = {
    "tool.js": "tool.js",
    "web/bank.js": "web/bank.js",
    "web/bank_bg.wasm": "web/bank_bg.wasm",
    slim: "lib/bank.js",
    "raw/bank.js": "web/bank.js",
    "any/bank.js": "web/bank.js",
    lib: "lib/bank.js",
    "lib/": "lib/bank.js",
    "web/bank": "web/bank.js",
  };
  for (const [path, glue] of Object.entries(cases)) assert.equal(glueOf({ exports }, files, path), glue, path);
  // Where nobody has a list, what package.json does not know is taken at its word.
  assert.equal(glueOf({ exports }, null, "slim"), "lib/bank.js");
  assert.equal(glueOf({}, null, "deep/bank.js"), "deep/bank.js");
});

test("a path that does not exist is an error with the nearest ones", () => {
  const error = thrown(() => choose({ exports: { "./*": "./*" } }, [...build("dist/web/bank"), "x.js"], "web/bank.js"));
  assert.deepEqual([error.name, error.url], ["FetchError", "npm:bank@1.0.0/web/bank.js"]);
  assert.match(
    error.message,
    /^npm:bank@1\.0\.0 has no file "web\/bank\.js"\. Load the nearest: npm:bank@1\.0\.0\/dist\/web/,
  );
  assert.match(thrown(() => choose({}, ["a.txt"], "b.js")).message, /Load another package: it has no JavaScript\.$/);
});

test("the Wasm file is named only if it is not beside the glue, and there is one", () => {
  assert.equal(choose({ main: "bank.js" }, ["bank.js", "assets/bank.wasm"]).wasm, "assets/bank.wasm");
  assert.equal(choose({ main: "bank.js" }, build("bank")).wasm, undefined);
  assert.equal(choose({ main: "bank.js" }, ["bank.js", "a.wasm", "b.wasm"]).wasm, undefined);
  assert.equal(choose({ main: "bank.js" }, null).wasm, undefined);
});

test("types are beside the glue, in its place of exports, or for all builds", () => {
  const typesOf = (...parts) => choose(...parts).types;
  const bare = ["web/bank.js", "web/bank_bg.wasm", "node/bank.js", "node/bank_bg.wasm", "index.d.ts"];
  assert.equal(typesOf({ types: "index.d.ts" }, [...build("bank"), "index.d.ts"]), "bank.d.ts");
  const own = { exports: { ".": { types: "./t.d.mts", import: "./bank.mjs" } } };
  assert.equal(typesOf(own, null), "t.d.mts");
  assert.equal(typesOf({ exports: { ".": { import: "./bank.mjs", types: "./t.d.ts" } } }, null), "t.d.ts");
  assert.equal(typesOf({ main: "node/bank.js", types: "./index.d.ts" }, bare), "index.d.ts");
  // Those of a wrapper tell nothing about the glue.
  assert.equal(
    typesOf({ main: "index.js", types: "index.d.ts" }, [...bare.slice(0, 2), "index.d.ts"]),
    "web/bank.d.ts",
  );
  // Without a list, those of another build are not taken either: wasm-bindgen writes them beside each.
  const two = { main: "node/bank.js", browser: "web/bank.js", types: "node/bank.d.ts" };
  assert.equal(typesOf(two, null), "web/bank.d.ts");
  assert.equal(choose({}, build("bank"), "bank_bg.wasm").types, undefined);
});

test("a package.json with nonsense in it is read", () => {
  for (const exports of [null, 3, [], {}, { ".": {} }, { ".": [null, 3] }, { import: 5 }, "./types.d.ts"])
    assert.equal(glueOf({ exports, main: "m.js", browser: false, module: null, files: null }, null), "m.js");
  assert.match(thrown(() => choose({}, null)).message, /^The package\.json of npm:bank@1\.0\.0 names no file of JavaS/);
});
