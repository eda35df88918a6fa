/** Imported glue, as bundlers leave it, is described and recovers. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { loadModule } from "../loading.js";
import { rejection, thrown } from "../support.js";

const FIXTURES = fileURLToPath(new URL("../../../rust/fixtures/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "unpanic-"));
after(() => rmSync(folder, { recursive: true }));
let bundles = 0;

/** @param {string} name of a fixture */
function files(name) {
  const path = `${FIXTURES}${name}/pkg/reset/${name}`;
  return { glue: `${path}.js`, wasm: new Uint8Array(readFileSync(`${path}_bg.wasm`)) };
}

/** The ways in which a page gets a namespace. Their source imports the glue as `"glue"`. */
const FORMS = {
  "a module": { source: 'export * from "glue";', unbundled: true },
  "a bundle": { source: 'import * as glue from "glue"; export { glue };' },
  "a minified bundle": { source: 'import * as glue from "glue"; export { glue };', minify: true },
  "a minified bundle for older engines": {
    source: 'import * as glue from "glue"; export { glue };',
    minify: true,
    target: "es2017",
  },
  "a bundle that keeps names": {
    source: 'import * as glue from "glue"; export { glue };',
    minify: true,
    keepNames: true,
  },
  "a dynamic import": { source: 'export const glue = await import("glue");', minify: true },
  "CommonJS, required": { source: 'export const glue = require("glue");', minify: true },
  "CommonJS, imported": { source: 'import * as glue from "common"; export { glue };', minify: true },
  "a default export": { source: 'import * as all from "glue"; export const glue = { default: all };', minify: true },
  "an object of the exports": { source: 'import * as all from "glue"; export const glue = { ...all };', minify: true },
};

/**
 * @param {keyof typeof FORMS} form @param {string} glue
 * @returns {Promise<Record<string, any>>} a namespace of the test's own
 */
async function namespaceOf(form, glue) {
  const { source, unbundled, ...options } = FORMS[form];
  const query = `?${++bundles}`;
  if (unbundled) return import(pathToFileURL(glue).href + query);
  const outfile = join(folder, `${bundles}.mjs`);
  const common = { name: "common", setup: (it) => resolveCommon(it, glue) };
  await build({
    stdin: { contents: source, resolveDir: folder },
    alias: { glue },
    plugins: [common],
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    outfile,
    ...options,
  });
  return (await import(pathToFileURL(outfile).href)).glue;
}

/** `common` is the glue after a first bundler has turned it into CommonJS. */
function resolveCommon(it, glue) {
  it.onResolve({ filter: /^common$/ }, () => ({ path: glue, namespace: "common" }));
  it.onLoad({ filter: /.*/, namespace: "common" }, async () => {
    const { outputFiles } = await build({
      entryPoints: [glue],
      bundle: true,
      format: "cjs",
      logLevel: "error",
      write: false,
    });
    return { contents: outputFiles[0].text };
  });
}

/** @param {Record<string, any>} namespace @param {any} wasm */
async function supervise(namespace, wasm) {
  const module = await loadModule({ glue: namespace, wasm });
  const supervisor = new DefaultSupervisor(module);
  module.host = supervisor;
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

/** Returns a copy of a glue file without the comments that state its types, because no bundler keeps all of them. */
function withoutComments(glue) {
  const copy = join(folder, `${++bundles}.js`);
  writeFileSync(copy, readFileSync(glue, "utf8").replace(/\/\*\*[\s\S]*?\*\//g, ""));
  return copy;
}

/** Returns a description without the names of parameters. */
function withoutNames(description) {
  return JSON.parse(
    JSON.stringify(description, (key, value) => (key === "params" ? value.map(({ name: _, ...rest }) => rest) : value)),
  );
}

for (const form of /** @type {(keyof typeof FORMS)[]} */ (Object.keys(FORMS))) {
  test(`${form}: calls, classes, a crash and the reset`, async () => {
    const { glue, wasm } = files("bank");
    const { module, supervisor, exports } = await supervise(await namespaceOf(form, glue), wasm);
    const { Account, add, slow, transfer } = exports;
    const account = new Account("ada", 5n);
    account.deposit(2n);
    assert.deepEqual([add(2, 3), account.balance, account.owner, Account.named("bob").owner], [5, 7n, "ada", "bob"]);
    const inFlight = rejection(slow(10_000));
    const crash = thrown(() => transfer("ada", "bob", 1n));
    assert.deepEqual([crash.kind, crash.location.file], ["panic", "src/lib.rs"]);
    assert.equal((await inFlight).name, "CallInterrupted");
    assert.equal(thrown(() => account.balance).name, "StaleObjectError");
    assert.deepEqual(
      [add(2, 3), new Account("eve", 1n).balance, await slow(1), module.generation.number],
      [5, 1n, 1, 1],
    );
    supervisor.terminate("unloaded");
  });

  test(`${form}: without comments, the description has everything that the module's own has`, async () => {
    for (const name of ["bank", "faults"]) {
      const { glue, wasm } = files(name);
      const bare = withoutComments(glue);
      const plain = await supervise(await namespaceOf("a module", bare), wasm);
      const { module } = await supervise(await namespaceOf(form, bare), wasm);
      assert.deepEqual(withoutNames(module.description), withoutNames(plain.module.description));
    }
  });
}

test("parameters of minified glue are numbered, others keep their names", async () => {
  const { glue, wasm } = files("bank");
  for (const [form, names] of [
    ["a bundle", ["a", "b"]],
    ["a minified bundle", ["arg0", "arg1"]],
  ]) {
    const { module } = await supervise(await namespaceOf(form, glue), wasm);
    const { params } = module.description.functions.find(({ name }) => name === "add");
    assert.deepEqual(
      params.map(({ name }) => name),
      names,
    );
  }
});

test("64-bit integers are known, also for a compiled module", async () => {
  const { glue, wasm } = files("bank");
  const { module } = await supervise(await namespaceOf("a minified bundle", glue), await WebAssembly.compile(wasm));
  const { construct } = module.description.classes.find(({ name }) => name === "Account");
  assert.deepEqual(construct.params[1].kind, { name: "i64" });
});

test("two namespaces of one instance have one supervisor", async () => {
  const { glue, wasm } = files("bank");
  const namespace = await namespaceOf("a bundle", glue);
  const first = await supervise(namespace, wasm);
  const error = await rejection(loadModule({ glue: { ...namespace }, wasm }));
  assert.match(error.message, /unload the other module first/);
  first.supervisor.terminate("unloaded");
  assert.equal((await supervise({ ...namespace }, wasm)).exports.add(1, 2), 3);
});

test("functions that hide their source can be called", async () => {
  const { glue, wasm } = files("bank");
  const namespace = { ...(await namespaceOf("a module", glue)) };
  namespace.add = namespace.add.bind(null);
  assert.equal((await supervise(namespace, wasm)).exports.add(1, 2), 3);
});

test("a class that extends another one of the package has its methods", async () => {
  const { glue, wasm } = files("bank");
  const namespace = { ...(await namespaceOf("a minified bundle", glue)) };
  namespace.Savings = class extends namespace.Account {
    close() {}
  };
  const { module } = await supervise(namespace, wasm);
  const { methods, construct } = module.description.classes.find(({ name }) => name === "Savings");
  assert.deepEqual(methods.map(({ name }) => name).sort(), ["close", "deposit", "withdraw"]);
  assert.equal(construct.params.length, 2);
});

test("exports may have names that no variable can have", async () => {
  const { glue, wasm } = files("bank");
  const all = await namespaceOf("a bundle", glue);
  const { add, total, count, slow } = all;
  const { exports } = await supervise(
    { ...all, delete: add, wasm: total, initSync2: count, "a-b": slow, "module.exports": all },
    wasm,
  );
  assert.deepEqual([exports.delete(1, 2), exports.wasm(), exports["a-b"] instanceof Function], [3, 0n, true]);
  assert.equal("module.exports" in exports, false);
});

test("a namespace that is no glue, or cannot be reset, is refused", async () => {
  const { glue, wasm } = files("bank");
  for (const [namespace, words] of [
    [{ default: {} }, /neither initSync nor a default init function/],
    [{ ...(await namespaceOf("a bundle", glue)), __wbg_reset_state: undefined }, /has no __wbg_reset_state/],
  ]) {
    const error = await rejection(loadModule({ glue: namespace, wasm }));
    assert.equal(error.name, "GlueError");
    assert.match(error.message, words);
  }
});

test("an error shows the beginning of a data: URL, not all that it holds", async () => {
  const namespace = await namespaceOf("a bundle", files("bank").glue);
  const error = await rejection(
    loadModule({ glue: namespace, wasm: `data:application/wasm;base64,${"QUFB".repeat(1000)}` }),
  );
  assert.equal(error.name, "CompileError");
  assert.match(error.message, /data:application\/wasm;base64,QUFB.*…/);
  assert.ok(error.message.length < 300, error.message);
});
