/** What somebody may have meant: paths and versions. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { matchVersion, nearestVersion, similar } from "../../src/files/similar.js";

const FILES = ["dist/web/bank.js", "dist/node/bank.js", "bonk.js", "README.js", "dist/web/bank_bg.wasm"];

test("names that differ least come first, also if only their folders differ", () => {
  assert.deepEqual(similar("dist/web/bnk.js", FILES, 1), ["dist/web/bank.js"]);
  assert.deepEqual(similar("web/bank.js", FILES, 2), ["dist/web/bank.js", "dist/node/bank.js"]);
  assert.deepEqual(similar("bank_bg.wasm", FILES, 1), ["dist/web/bank_bg.wasm"]);
  assert.deepEqual(similar("bank.js", [], 3), []);
});

const VERSIONS = ["0.9.0", "1.2.0", "1.2.10", "1.2.9", "2.0.0-rc.1", "2.0.0-rc.2", "1.10.0"];

test("numbers of versions are compared as numbers", () => {
  assert.equal(matchVersion("1.2", VERSIONS, {}), "1.2.10");
  assert.equal(matchVersion("1", VERSIONS, {}), "1.10.0");
  assert.equal(matchVersion(undefined, VERSIONS, {}), "1.10.0");
});

test("tags count, a pre-release only if it is asked for, and what is unknown is nothing", () => {
  assert.equal(matchVersion(undefined, VERSIONS, { latest: "1.2.9" }), "1.2.9");
  assert.equal(matchVersion("next", VERSIONS, { next: "2.0.0-rc.2" }), "2.0.0-rc.2");
  assert.equal(matchVersion("2.0.0-rc.1", VERSIONS, {}), "2.0.0-rc.1");
  for (const wanted of ["2", "3", "1.3", "toString", "^1.2"])
    assert.equal(matchVersion(wanted, VERSIONS, {}), undefined, wanted);
});

test("the nearest version differs least in its first numbers", () => {
  const nearest = { "1.2.8": "1.2.9", "1.2.11": "1.2.10", "1.9.9": "1.10.0", "2.0.0": "2.0.0-rc.1", 0.1: "0.9.0" };
  for (const [wanted, version] of Object.entries(nearest)) assert.equal(nearestVersion(wanted, VERSIONS), version);
  assert.equal(nearestVersion("1.0.0", []), undefined);
  assert.equal(nearestVersion("v1.2.0", VERSIONS), "1.2.0");
});
