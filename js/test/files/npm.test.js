/** Packages are found by their names, on jsDelivr or where the user says. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { findPackage, isPackage, usePackagesFrom } from "../../src/files/npm.js";
import { rejection, thrown } from "../support.js";

const CDN = "https://cdn.jsdelivr.net/npm/";
const LISTS = "https://data.jsdelivr.com/v1/packages/npm/";
const MANIFEST = { name: "bank", version: "1.2.0", main: "node/bank.js", browser: "web/bank.js" };
/** As jsDelivr lists them: folders have files of their own. */
const TREE = {
  type: "npm",
  files: [
    { type: "file", name: "package.json", size: 1 },
    {
      type: "directory",
      name: "web",
      files: ["bank.js", "bank.d.ts", "bank_bg.wasm"].map((name) => ({ type: "file", name, size: 1 })),
    },
  ],
};
const VERSIONS = { tags: { latest: "1.2.0", next: "2.0.0-rc.1" }, versions: [] };
for (const version of ["2.0.0-rc.1", "1.2.0", "1.10.0", "1.1.3", "0.9.0"]) VERSIONS.versions.push({ version });

const { fetch } = globalThis;
/** What each URL answers: JSON, text, a status or an error. */
let answers = {};
let requests = [];
let count = 0;
/** No name is asked for twice, because answers are remembered. */
let name = "";

beforeEach(() => {
  name = `bank${++count}`;
  requests = [];
  answers = {
    [LISTS + name]: VERSIONS,
    [`${LISTS}${name}@1.2.0`]: TREE,
    [`${CDN}${name}@1.2.0/package.json`]: MANIFEST,
  };
  globalThis.fetch = async (url) => {
    requests.push(url);
    const answer = answers[url] ?? 404;
    if (answer instanceof Error) throw answer;
    if (typeof answer === "number") return new Response("{}", { status: answer });
    return new Response(typeof answer === "string" ? answer : JSON.stringify(answer));
  };
});
afterEach(() => {
  globalThis.fetch = fetch;
  usePackagesFrom(null);
});

const WEB = () => ({
  glue: `${CDN}${name}@1.2.0/web/bank.js`,
  wasm: undefined,
  types: `${CDN}${name}@1.2.0/web/bank.d.ts`,
  package: name,
  version: "1.2.0",
});

test("texts that begin with npm: are packages", () => {
  assert.deepEqual(["npm:bank", "npm:", "/npm:bank", "bank", 3, null].map(isPackage), [
    true,
    true,
    ...Array(4).fill(false),
  ]);
});

test("an exact version takes its package.json and its list of files", async () => {
  assert.deepEqual(await findPackage(`npm:${name}@1.2.0`), { ...WEB(), pinned: "" });
  assert.deepEqual(requests, [`${CDN}${name}@1.2.0/package.json`, `${LISTS}${name}@1.2.0`]);
});

test("a flat list of files is read too", async () => {
  answers[`${LISTS}${name}@1.2.0`] = { files: [{ name: "/web/bank.js" }, { name: "/web/bank_bg.wasm" }] };
  assert.equal((await findPackage(`npm:${name}@1.2.0`)).glue, WEB().glue);
});

test("the newest version is told, with what pins it", async () => {
  assert.deepEqual(await findPackage(` npm:${name} `), { ...WEB(), pinned: `npm:${name}@1.2.0` });
  assert.equal((await findPackage(`npm:${name}/web`)).pinned, `npm:${name}@1.2.0/web`);
  for (const wanted of ["1.2", "latest"])
    assert.equal((await findPackage(`npm:${name}@${wanted}`)).pinned, `npm:${name}@1.2.0`);
});

test("tags and beginnings of versions are resolved", async () => {
  for (const [wanted, version] of [
    ["next", "2.0.0-rc.1"],
    ["1", "1.10.0"],
    ["1.1", "1.1.3"],
    ["0", "0.9.0"],
  ]) {
    answers[`${LISTS}${name}@${version}`] = TREE;
    answers[`${CDN}${name}@${version}/package.json`] = MANIFEST;
    assert.equal((await findPackage(`npm:${name}@${wanted}`)).version, version, wanted);
  }
});

test("a name is asked for once, also at the same time, and stays the version that it was", async () => {
  await Promise.all([findPackage(`npm:${name}`), findPackage(`npm:${name}`), findPackage(`npm:${name}@1.2.0`)]);
  answers[LISTS + name] = { tags: { latest: "9.9.9" }, versions: [{ version: "9.9.9" }] };
  assert.equal((await findPackage(`npm:${name}`)).version, "1.2.0");
  assert.deepEqual(requests.length, 3);
});

test("what failed is asked for again", async () => {
  const list = answers[LISTS + name];
  answers[LISTS + name] = 503;
  const error = await rejection(findPackage(`npm:${name}`));
  assert.deepEqual([error.name, error.status], ["FetchError", 503]);
  answers[LISTS + name] = list;
  assert.equal((await findPackage(`npm:${name}`)).version, "1.2.0");
});

test("a scope is a part of the name", async () => {
  answers[`${LISTS}@money/${name}@1.2.0`] = TREE;
  answers[`${CDN}@money/${name}@1.2.0/package.json`] = MANIFEST;
  const found = await findPackage(`npm:@money/${name}@1.2.0/web/bank.js`);
  assert.deepEqual([found.package, found.glue], [`@money/${name}`, `${CDN}@money/${name}@1.2.0/web/bank.js`]);
});

test("letters that mean something in a URL are escaped in paths", async () => {
  answers[`${LISTS}${name}@1.2.0`] = { files: [{ name: "/a b#?.js" }] };
  assert.equal((await findPackage(`npm:${name}@1.2.0/a b#?.js`)).glue, `${CDN}${name}@1.2.0/a%20b%23%3F.js`);
});

test("what is no name of a package is refused before anything is asked", async () => {
  for (const text of [
    "npm:",
    "npm:@money",
    "npm:a b",
    "npm:bank@",
    "npm:bank@1.2.0/../../secret.js",
    "npm:/bank",
    "npm:a@b@c",
    "npm:..",
    "npm:@money/..",
    "npm:bank@..",
    "npm:bank@../x.js",
    "npm:bank@1?x",
  ]) {
    const error = await rejection(findPackage(text));
    assert.deepEqual([error.name, error.url], ["FetchError", text]);
    assert.equal(
      error.message,
      `${JSON.stringify(text)} names no package: write npm:NAME, npm:NAME@VERSION or npm:NAME@VERSION/path/to/glue.js.`,
    );
  }
  assert.deepEqual(requests, []);
});

test("a name that does not exist is an error that says so", async () => {
  for (const text of ["npm:banq", "npm:banq@1.0.0", "npm:banq@1"]) {
    const error = await rejection(findPackage(text));
    assert.deepEqual(
      [error.name, error.message, error.status, error.url],
      ["FetchError", 'There is no package "banq" on npm. Check its name.', 404, `${LISTS}banq`],
    );
  }
});

test("a version that does not exist is an error with the nearest one", async () => {
  const nearest = {
    "1.2.1": "1.2.0",
    "1.9.0": "1.10.0",
    "3.0.0": "2.0.0-rc.1",
    0.8: "0.9.0",
    "^1.1.0": "1.1.3",
    beta: "0.9.0",
  };
  for (const [version, near] of Object.entries(nearest)) {
    const error = await rejection(findPackage(`npm:${name}@${version}`));
    const text = `${name} has no version "${version}". Load the nearest: npm:${name}@${near}.`;
    assert.deepEqual([error.name, error.message], ["FetchError", text]);
  }
  answers[LISTS + name] = { versions: [] };
});

test("a path that does not exist is an error with the nearest ones", async () => {
  const error = await rejection(findPackage(`npm:${name}@1.2.0/bank.js`));
  assert.match(
    error.message,
    new RegExp(`^npm:${name}@1.2.0 has no file "bank.js". Load the nearest: npm:${name}@1.2.0/web/bank.js`),
  );
});

test("no network is an error that says so", async () => {
  answers[`${LISTS}${name}@1.2.0`] = new TypeError("Failed to fetch");
  const error = await rejection(findPackage(`npm:${name}@1.2.0`));
  assert.equal(error.name, "FetchError");
  assert.match(error.message, /^Cannot fetch https:\/\/data\.jsdelivr\.com\/.*: offline, no such server, or its CORS/);
  assert.match(
    error.message,
    /\. Check the network, or pass a mirror or a folder that you serve as `base` of `npm`\.$/,
  );
});

test("a package that jsDelivr does not serve is an error with what to do", async () => {
  answers[`${LISTS}${name}@1.2.0`] = 403;
  const { message, status } = await rejection(findPackage(`npm:${name}@1.2.0`));
  assert.equal(status, 403);
  assert.equal(
    message,
    `Cannot fetch ${LISTS}${name}@1.2.0: the server answered 403. ` +
      "Check the network, or pass a mirror or a folder that you serve as `base` of `npm`.",
  );
});

test("a content security policy that forbids it is an error with what to add to it", async (t) => {
  const listeners = new Set();
  globalThis.addEventListener = (_, listen) => listeners.add(listen);
  globalThis.removeEventListener = (_, listen) => listeners.delete(listen);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  globalThis.fetch = async () => {
    for (const listen of listeners) listen({ effectiveDirective: "connect-src" });
    throw new TypeError("Failed to fetch");
  };
  const error = await rejection(findPackage(`npm:${name}`));
  assert.equal(
    error.message,
    `Cannot fetch ${LISTS}${name}: the page's content security policy (connect-src) forbids it: ` +
      "add https://cdn.jsdelivr.net https://data.jsdelivr.com to its connect-src.",
  );
});

test("an aborted search ends, and its answer is there for the next", async () => {
  const controller = new AbortController();
  const search = findPackage(`npm:${name}@1.2.0`, controller.signal);
  controller.abort(new Error("enough"));
  assert.equal((await rejection(search)).message, "enough");
  assert.equal((await findPackage(`npm:${name}@1.2.0`)).version, "1.2.0");
  assert.equal(requests.length, 2);
  assert.equal((await rejection(findPackage(`npm:${name}@1.2.0`, controller.signal))).message, "enough");
});

/* ---- another place ---------------------------------------------------------- */

const HERE = "https://here.example/modules/";

test("a folder has no list, so its package.json decides, and nothing else is asked", async () => {
  usePackagesFrom(`${HERE}{name}/{path}`);
  answers = { [`${HERE}${name}/package.json`]: MANIFEST };
  const glue = `${HERE}${name}/web/bank.js`;
  const types = `${HERE}${name}/web/bank.d.ts`;
  const found = { glue, types, wasm: undefined, package: name, version: "1.2.0" };
  assert.deepEqual(await findPackage(`npm:${name}`), { ...found, pinned: `npm:${name}@1.2.0` });
  assert.deepEqual(await findPackage(`npm:${name}@1.2.0`), { ...found, pinned: "" });
  assert.equal((await findPackage(`npm:${name}@1`)).version, "1.2.0");
  assert.equal((await findPackage(`npm:${name}@next`)).version, "1.2.0");
  assert.deepEqual(requests, [`${HERE}${name}/package.json`]);
});

test("a folder that has another version says which", async () => {
  usePackagesFrom(`${HERE}{name}/{path}`);
  const url = `${HERE}${name}/package.json`;
  answers = { [url]: MANIFEST };
  for (const wanted of ["1.2.1", "1.20", "1.2.0-rc.1"]) {
    const error = await rejection(findPackage(`npm:${name}@${wanted}`));
    assert.equal(
      error.message,
      `${name} has no version "${wanted}" here: ${url} is of 1.2.0. ` +
        `Load npm:${name}@1.2.0, or serve version ${wanted} there.`,
    );
  }
});

test("another CDN keeps versions apart, and tells its newest", async () => {
  usePackagesFrom("https://cdn.example/{name}@{version}/{path}");
  answers = {
    [`https://cdn.example/${name}@latest/package.json`]: MANIFEST,
    [`https://cdn.example/${name}@1.1.0/package.json`]: { ...MANIFEST, version: "1.1.0" },
  };
  const newest = await findPackage(`npm:${name}`);
  assert.deepEqual(
    [newest.glue, newest.pinned],
    [`https://cdn.example/${name}@1.2.0/web/bank.js`, `npm:${name}@1.2.0`],
  );
  assert.equal((await findPackage(`npm:${name}@1.1.0`)).glue, `https://cdn.example/${name}@1.1.0/web/bank.js`);
});

for (const [what, answer] of [
  ["404", 404],
  ["the page of an application", "<!doctype html><title>shop</title>"],
]) {
  test(`a folder that answers with ${what} has no such package`, async () => {
    usePackagesFrom(`${HERE}{name}/{path}`);
    const url = `${HERE}${name}/package.json`;
    answers = { [url]: answer };
    const error = await rejection(findPackage(`npm:${name}`));
    assert.deepEqual([error.name, error.status, error.url], ["FetchError", 404, url]);
    assert.equal(
      error.message,
      `There is no npm:${name} here: ${url} does not exist. ` +
        `Check the name, or \`base\` of \`npm\`, which is ${HERE}{name}/{path}.`,
    );
  });
}

test("a package.json that is none is an error", async () => {
  usePackagesFrom(`${HERE}{name}/{path}`);
  answers = { [`${HERE}${name}/package.json`]: "{,}" };
  assert.match((await rejection(findPackage(`npm:${name}`))).message, /package\.json is not JSON: /);
});

test("a template lacks no place, and has no other", () => {
  for (const base of ["", "/modules", "/{name}", "/{path}", "/{name}/{file}", "/{name}/{path}/{user}"]) {
    const { name: kind, message } = thrown(() => usePackagesFrom(base));
    assert.equal(kind, "TypeError");
    assert.equal(
      message,
      `base=${JSON.stringify(base)}: it must be a URL with {name} and {path} in it, and {version} where versions are ` +
        'kept apart, such as "/node_modules/{name}/{path}".',
    );
  }
});

test("a name or a version cannot lead out of the template", async () => {
  usePackagesFrom(`${HERE}{name}@{version}/{path}`);
  for (const spec of [
    "..",
    "@a/..",
    "bank@..",
    "bank@1?x",
    "bank@1#x",
    "bank@1%2f..",
    "bank@..\\..",
    "bank/a\\..\\x.js",
  ])
    assert.match((await rejection(findPackage(`npm:${spec}`))).message, /names no package: write npm:NAME/);
  assert.deepEqual(requests, []);
});

test("a package.json cannot lead out of its package", async () => {
  usePackagesFrom(`${HERE}{name}/{path}`);
  for (const manifest of [
    { main: "../../x.js" },
    { exports: "./a/../../x.js" },
    { exports: { ".": { types: "../x.d.ts", default: "./x.js" } } },
  ]) {
    name = `bank${++count}`;
    answers = { [`${HERE}${name}/package.json`]: { version: "1.0.0", ...manifest } };
    const { message } = await rejection(findPackage(`npm:${name}`));
    assert.match(message, new RegExp(`^The package.json of npm:${name}@1.0.0 names a file outside of the package: `));
  }
});
