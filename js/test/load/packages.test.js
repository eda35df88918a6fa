/** `load` takes packages by their names, as users of plain JavaScript call it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { load, npm } from "../../src/index.js";
import { resolvePackage } from "../../src/packages.js";
import { rejection } from "../support.js";

const MODULES = new URL("../../node_modules/", import.meta.url);
const TYPES = { js: "text/javascript", mjs: "text/javascript", wasm: "application/wasm", json: "application/json" };
const { info } = console;

let server;
let base = "";
let requests = [];
let told = [];

before(async () => {
  server = createServer(async ({ url }, response) => {
    requests.push(url);
    const content = await readFile(new URL(`.${url}`, MODULES)).catch(() => null);
    response.writeHead(content ? 200 : 404, { "content-type": TYPES[url.split(".").at(-1)] ?? "text/plain" });
    response.end(content);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}/{name}/{path}`;
  npm({ base });
  console.info = (text) => told.push(text);
});
afterEach(() => {
  told = [];
  requests = [];
});
after(() => {
  console.info = info;
  npm({});
  server.closeAllConnections();
  server.close();
});

test("a package without a version loads, and the console says which it was", async () => {
  const { exports, unload } = await load("npm:prql-js");
  assert.match(exports.compile("from a"), /^SELECT\s+\*\s+FROM\s+a/);
  unload();
  assert.deepEqual(told, ["unpanic: npm:prql-js is version 0.12.1. To keep it, write npm:prql-js@0.12.1."]);
  const files = ["package.json", "dist/web/prql_js.js", "dist/web/prql_js_bg.wasm"];
  assert.deepEqual(
    requests,
    files.map((file) => `/prql-js/${file}`),
  );
});

test("a version that is written is not told", async () => {
  (await load("npm:@ruvector/exotic-wasm@0.1.29")).unload();
  assert.deepEqual(told, []);
});

test("a path in the package is the glue", async () => {
  const path = "lib/hqx/pkg/squooshhqx.js";
  const { exports, unload } = await load(`npm:@jsquash/resize@2.1.1/${path}`);
  assert.equal(typeof exports.resize, "function");
  unload();
  assert.ok(requests.includes(`/@jsquash/resize/${path}`));
});

test("the Wasm file may be another one", async () => {
  const wasm = `${base.replace("{name}/{path}", "")}oxigraph/web_bg.wasm?mine`;
  (await load("npm:oxigraph@0.5.11", { wasm })).unload();
  assert.deepEqual(requests, ["/oxigraph/package.json", "/oxigraph/web.js", "/oxigraph/web_bg.wasm?mine"]);
});

test("a package that is not there is an error of the load", async () => {
  const error = await rejection(load("npm:prql-jq"));
  assert.deepEqual([error.name, error.status], ["FetchError", 404]);
});

test("Python gets the files and the name of the module in a row", async () => {
  const root = base.replace("{name}/{path}", "@resvg/resvg-wasm/");
  assert.deepEqual(await resolvePackage("npm:@resvg/resvg-wasm", {}), [
    `${root}index.mjs`,
    "",
    `${root}index.d.ts`,
    "resvg_wasm",
    "2.6.2",
    "npm:@resvg/resvg-wasm@2.6.2",
  ]);
});

test("a base that is not in an object is an error, and changes nothing", async () => {
  assert.throws(() => npm("/node_modules/{name}/{path}"), /npm takes an object, such as npm\(\{ base: /);
  await rejection(load("npm:prql-jq"));
  assert.deepEqual(requests, ["/prql-jq/package.json"]);
});
