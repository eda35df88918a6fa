/** The default name of a module. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleName } from "../../src/load/naming.js";

const NAMES = {
  "http://host/pkg/bank.js": "bank",
  "http://host/pkg/bank.mjs?v=1.2/3#top": "bank",
  "http://host/pkg/bank_bg.js": "bank",
  "http://host/my-bank.min.js": "my_bank_min",
  "http://host/node_modules/prql-js/dist/web/index.js": "prql_js",
  "http://host/node_modules/prql-js/dist/web/prql_js.js": "prql_js",
  "http://host/npm/prql-js@0.12.1/dist/web/index.js": "prql_js",
  "http://host/npm/@rometools/wasm-web@0.10.1-next/main.js": "rometools",
  "http://host/npm/@swc/core/wasm.js": "core",
  "http://host/bank/pkg/web.js": "bank",
  "http://host/bank/1.2.0/index.js": "bank",
  "http://host/bank/index.web.min.js": "bank",
  "http://host/web/bank.js": "bank",
  "http://host/website.js": "website",
  "http://host/indexer/main.js": "indexer",
  "http://host/index.js": "index",
  "http://host/pkg/main.js": "main",
  "http://host/%C3%BCber/index.js": "_ber",
  "http://host/%/index.js": "_",
  "http://host/2048/index.js": "index",
  "http://host/2048.js": "_2048",
  "http://host/bank/": "bank",
  "http://host/": "module",
  "file:///home/pyodide/bank/index.js": "bank",
  "file:///lib/python3.14/site-packages/bank/web.js": "bank",
  "": "module",
};

for (const [url, name] of Object.entries(NAMES)) {
  test(`${url || "nothing"} is called ${name}`, () => assert.equal(moduleName(url), name));
}

test("a long meaningless name is read in no time", () => {
  const began = process.cpuUsage().user;
  moduleName(`http://host/bank/${"index.web-wasm_".repeat(5_000)}.js`);
  moduleName(`http://host/bank/${"index.web-wasm_".repeat(5_000)}!.js`);
  assert.ok(process.cpuUsage().user - began < 5e6);
});
