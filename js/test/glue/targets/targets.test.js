/** What wasm-bindgen writes today for other targets than the web: the same module, with every rule of recovery. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readGlue } from "../../../src/glue/glue.js";
import { makeFacade } from "../../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../../src/hosts/plain/supervisor.js";
import { ROLLBACK } from "../../../src/wasm/rewriting.js";
import { loadModuleSync } from "../../loading.js";
import { fixture, supervise, thrown } from "../../support.js";
import { targetsOf, toWeb, webFile } from "./support.js";

const NAMES = ["deno", "experimental-nodejs-module", "module", "no-modules", "nodejs"];
const web = fixture("people");
const { module: webModule, exports: webExports } = await supervise(web);
const rewriter = new Uint8Array(readFileSync(new URL("../../../../rust/rewriter/pkg/rewriter.wasm", import.meta.url)));
const pathOf = (name) => `rust/fixtures/people/targets/${name}/people.js`;
const sourceOf = (name) => readFileSync(new URL(`../../../../${pathOf(name)}`, import.meta.url), "utf8");
/** Only the web's build has a Wasm file. */
const fileOf = (name) => {
  const file = webFile(pathOf(name));
  return { ...file, readFile: () => web.readFile("people_bg.wasm") };
};

for (const name of NAMES) {
  test(`${name}: its glue is recognised, and as nothing else`, () => {
    assert.deepEqual(targetsOf(sourceOf(name)), [name]);
    assert.equal(fileOf(name).wasmPath, "people_bg.wasm");
  });

  test(`${name}: exports and their descriptions are those of the build for the web`, async () => {
    const { module, exports } = await supervise(fileOf(name));
    assert.deepEqual(Object.keys(exports).sort(), Object.keys(webExports).sort());
    // A script is indented.
    const text = (description) => JSON.stringify(description, null, 2).replace(/(?<=\\n) +(?=\*|")/g, " ");
    assert.equal(text(module.description), text(webModule.description));
  });

  test(`${name}: a panic ends a generation, and the next one works`, async () => {
    const { module, exports } = await supervise(fileOf(name));
    const person = new exports.Person("Ada");
    assert.equal(person.name, "Ada");
    exports.invite("Bob");
    const error = thrown(() => person.age);
    assert.equal(error.kind, "panic", error.stack);
    assert.match(error.message, /Ada has no age; guests: Bob/);
    assert.equal(module.generation.number, 1);
    const other = exports.Person.named("Eve");
    assert.equal(other.name, "Eve");
    assert.match(thrown(() => other.age).message, /Eve has no age; guests: {2}\(in/);
    assert.equal(module.generation.number, 2);
    assert.throws(() => person.name, /no longer exists|stale|earlier/i);
  });

  test(`${name}: a call that panics is rolled back`, () => {
    const module = loadModuleSync({ glue: fileOf(name), rollsBack: true }, { rewriter, rewrites: ROLLBACK });
    const supervisor = new DefaultSupervisor(module);
    supervisor.crashed = (death) => {
      assert.deepEqual(module.rollBack(true), { obstacle: "", interrupted: [] });
      return supervisor.errorFor(death);
    };
    module.host = supervisor;
    const exports = /** @type {any} */ (makeFacade(module, supervisor));
    exports.invite("Bob");
    const person = new exports.Person("Ada");
    for (const text of ["Eve", "Zoe"]) {
      assert.match(thrown(() => person.rename(text)).message, new RegExp(`Ada becomes ${text}; guests: Bob`));
      assert.equal(person.name, "Ada");
    }
    assert.equal(module.generation.number, 0);
  });

  test(`${name}: lines keep their numbers`, () => {
    const source = sourceOf(name).split("\n");
    const edited = toWeb(sourceOf(name), "people.js").source.split("\n");
    for (const [index, line] of source.entries()) {
      if (!/^\s*(?:(?:export )?function \w+\(|\w+\(\w*\) \{$)/.test(line)) continue;
      assert.equal(edited[index], line, `line ${index + 1}`);
    }
  });

  test(`${name}: nothing of its host is left`, () => {
    const { source } = toWeb(sourceOf(name), "people.js");
    assert.doesNotMatch(source, /\brequire\(|\bmodule\.exports|\b__dirname\b|\bfetch\(new|\bDeno\b|\bwasm_bindgen\b/);
    assert.deepEqual(readGlue(source, "people.js").imports, []);
  });
}

test("nothing leaks into the page", async () => {
  const before = Object.getOwnPropertyNames(globalThis);
  for (const name of NAMES) await supervise(fileOf(name));
  assert.deepEqual(Object.getOwnPropertyNames(globalThis), before);
});

test("glue for the web is none of these targets", () => {
  assert.deepEqual(targetsOf(web.source), []);
});
