/** Factory files: their place, their source, and the command that writes them. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { factoryBody } from "../../src/glue/factory.js";
import { readGlue } from "../../src/glue/glue.js";
import { factoryPlace, importPrebuilt, makeFactory } from "../../src/glue/prebuilt.js";
import { fixture, rejection, thrown } from "../support.js";

const COMMAND = fileURLToPath(new URL("../../bin/unpanic.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "unpanic-"));
after(() => rmSync(folder, { recursive: true }));

/** @param {string[]} args */
function run(...args) {
  const { status, stdout, stderr } = spawnSync("node", [COMMAND, ...args], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Writes the glue of a fixture into the folder of the tests. @param {string} name @param {string} [change] */
function copyGlue(name, change = "") {
  const { source } = fixture("silent");
  writeFileSync(join(folder, name), source + change);
  return readGlue(source + change, pathToFileURL(join(folder, name)).href);
}

test("a factory file lies beside its glue", () => {
  assert.equal(factoryPlace("https://host/pkg/bank.js?v=1"), "https://host/pkg/bank.factory.js?v=1");
  assert.equal(factoryPlace("pkg.js/bank.mjs"), "pkg.js/bank.factory.js");
  assert.equal(factoryPlace("/pkg/bank"), "/pkg/bank.factory.js");
});

test("the command writes a file that is imported for its glue", async () => {
  const glue = copyGlue("silent.js");
  assert.deepEqual(run("factory", "silent.js"), { status: 0, stdout: "silent.factory.js\n", stderr: "" });
  assert.equal(typeof (await importPrebuilt(glue, factoryBody(glue))), "function");
});

test("a byte order mark does not change the glue", async () => {
  const glue = copyGlue("marked.js");
  writeFileSync(join(folder, "marked.js"), `\ufeff${glue.source}`);
  assert.equal(run("factory", "marked.js").status, 0);
  assert.equal(typeof (await importPrebuilt(glue, factoryBody(glue))), "function");
});

test("a factory file of other glue, or of another version of unpanic, is refused", async () => {
  const glue = copyGlue("other.js");
  assert.equal(run("factory", "other.js").status, 0);
  const changed = copyGlue("other.js", "//");
  for (const [given, body] of [
    [changed, factoryBody(changed)],
    [glue, `${factoryBody(glue)};`],
  ]) {
    const error = await rejection(importPrebuilt(given, body));
    assert.equal(error.name, "GlueError");
    assert.match(
      error.message,
      /other\.factory\.js does not belong to .*Make it anew with `npx unpanic factory other\.js`/,
    );
  }
});

test("a file that is no glue gets no factory file, and the other files get theirs", () => {
  copyGlue("good.js");
  copyFileSync(COMMAND, join(folder, "bad.js"));
  const { status, stdout, stderr } = run("factory", "bad.js", "gone.js", "good.js");
  assert.deepEqual([status, stdout], [1, "good.factory.js\n"]);
  assert.match(stderr, /^unpanic: file:.*bad\.js imports .*, which cannot be read: .*\nunpanic: ENOENT.*gone\.js/);
  assert.match(readFileSync(join(folder, "good.factory.js"), "utf8"), /^\/\/ Made from good\.js by unpanic/);
  assert.equal(thrown(() => readFileSync(join(folder, "bad.factory.js"))).code, "ENOENT");
  assert.equal(thrown(() => makeFactory("", "empty.js")).name, "GlueError");
});

test("wrong arguments print the usage", () => {
  for (const args of [[], ["factory"], ["make", "bank.js"], ["--wrong"]]) {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /usage: unpanic factory GLUE/);
  }
  assert.match(run("--help").stdout, /^usage: unpanic factory GLUE/);
});
