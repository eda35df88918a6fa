/** js/expand.mjs makes the committed copies of functions from their templates. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { expand, expandText, placeOf, templates } from "../expand.mjs";

test("there are templates", () => {
  assert.deepEqual(templates().sort(), ["instance/guard.template.js", "module/call.template.js"]);
});

for (const path of templates()) {
  test(`the committed file equals the expansion of ${path} (node js/expand.mjs writes it)`, () => {
    assert.equal(readFileSync(placeOf(path), "utf8"), expand(path));
  });
}

test("a branch is copied for each number of arguments", () => {
  const template = [
    "  switch (count) {",
    "    // @copies for 0, 2 arguments",
    "    default:",
    "      return (/** @type {unknown[]} */ ...args) => run(...args);",
    "    // @end",
    "  }",
    "",
  ];
  const text = [
    "  switch (count) {",
    "    case 0:",
    "      return () => run();",
    "    case 2:",
    "      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => run(a, b);",
    "    default:",
    "      return (/** @type {unknown[]} */ ...args) => run(...args);",
    "  }",
    "",
  ];
  assert.equal(expandText(template.join("\n")), text.join("\n"));
});

test("a block is inserted with other words, at the indentation of the comment", () => {
  const block = ["  // @block path", "  before();", "  if (ready) {", "    run(it);", "  }", "  // @end"];
  const insertion = ["    // @insert path with run(it) as add(a, b)", ""];
  const copy = ["    before();", "    if (ready) {", "      add(a, b);", "    }", ""];
  assert.equal(expandText([...block, ...insertion].join("\n")), [...block.slice(1, -1), ...copy].join("\n"));
});

test("a block that is not there, or has nothing to replace, is an error", () => {
  assert.throws(() => expandText("// @insert path with a as b\n"), /There is no block path with a in it/);
  assert.throws(() => expandText("// @block path\nc\n// @end\n// @insert path with a as b\n"), /no block path with a/);
});
