/** Loaders that take the glue's exports out of its namespace. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseModule } from "../../src/glue/syntax.js";
import { importDestructured } from "../../src/linking/destructuring.js";

const changed = (/** @type {string} */ source) => importDestructured(parseModule(source).program, source);

test("what is taken out of a namespace is imported, and is not in the rest", () => {
  assert.equal(
    changed('import * as glue from "./a_bg.js";\nconst { add, sub: minus, ...rest } = glue;\nexport { add };'),
    'import { add as add, sub as minus } from "./a_bg.js"; import * as glue from "./a_bg.js";\n' +
      "const { add: $taken43, sub: $taken48, ...rest } = glue;\nexport { add };",
  );
});

for (const source of [
  "const { add } = globalThis;",
  'import * as glue from "./a.js"; let { add } = glue;',
  'import * as glue from "./a.js"; const { [key]: add } = glue, { sub = 1 } = glue, { div: { mod } } = glue;',
  'import glue from "./a.js"; const { add } = glue;',
]) {
  test(`nothing is changed in ${source}`, () => assert.equal(changed(source), source));
}
