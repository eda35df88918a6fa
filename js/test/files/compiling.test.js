/** Wasm files from the network are compiled while they download, once for each URL, and are checked. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { compileWasm, fetchWasm } from "../../src/files/compiling.js";
import { rejection, thrown } from "../support.js";

const BANK = new Uint8Array(
  readFileSync(new URL("../../../rust/fixtures/bank/pkg/abort/bank_bg.wasm", import.meta.url)),
);
const FAULTS = new Uint8Array(
  readFileSync(new URL("../../../rust/fixtures/faults/pkg/abort/faults_bg.wasm", import.meta.url)),
);

/**
 * The server's response to each path.
 * @type {Record<string, (response: import("node:http").ServerResponse) => void>}
 */
const answers = {};
let requests = [];
let server;
let origin = "";

before(async () => {
  server = createServer((request, response) => {
    requests.push(request.url);
    answers[request.url](response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const file =
  (bytes, headers = {}) =>
  (response) => {
    response.writeHead(200, { "content-type": "application/wasm", "content-length": bytes.length, ...headers });
    response.end(bytes);
  };
const hash = (bytes, algorithm = "sha384") => `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
const names = ({ wasm }) => wasm.exports.map(({ name }) => name);

for (const type of ["application/wasm", "text/plain"]) {
  test(`a file served as ${type} is compiled while it downloads, and its progress is reported`, async () => {
    answers["/bank.wasm"] = file(BANK, { "content-type": type, etag: type });
    const steps = [];
    const found = await fetchWasm(`${origin}/bank.wasm`, { onProgress: (...step) => steps.push(step) });
    assert.ok(found.module instanceof WebAssembly.Module);
    assert.deepEqual(found.wasm, compileWasm(BANK, "it").wasm);
    assert.equal(found.origin, `${origin}/bank.wasm`);
    assert.deepEqual(steps.at(-1), [BANK.length, BANK.length]);
    assert.ok(steps.every(([loaded], at) => at === 0 || loaded > steps[at - 1][0]));
  });
}

test("the length of a compressed file is not known", async () => {
  answers["/packed.wasm"] = file(BANK, { "content-encoding": "identity" });
  const steps = [];
  await fetchWasm(`${origin}/packed.wasm`, { onProgress: (...step) => steps.push(step) });
  assert.deepEqual(steps.at(-1), [BANK.length, null]);
});

test("a URL is compiled once, until the server has another file", async () => {
  answers["/once.wasm"] = file(BANK, { etag: "1" });
  const load = () => fetchWasm(`${origin}/once.wasm`);
  const [first, second] = await Promise.all([load(), load()]);
  const steps = [];
  const third = await fetchWasm(`${origin}/once.wasm`, { onProgress: (...step) => steps.push(step) });
  assert.deepEqual(steps, [[BANK.length, BANK.length]]);
  assert.equal(second.module, first.module);
  assert.equal(third.module, first.module);
  assert.deepEqual(third.wasm, first.wasm);

  answers["/once.wasm"] = file(FAULTS, { etag: "2" });
  const changed = await load();
  assert.notEqual(changed.module, first.module);
  assert.notDeepEqual(names(changed), names(first));
});

test("without ETag and Last-Modified, a file of the same length may be another one", async () => {
  const named = (letter) => new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 2, 1, letter.charCodeAt(0)]);
  const load = async () => (await fetchWasm(`${origin}/same-length.wasm`)).module;
  answers["/same-length.wasm"] = file(named("a"));
  const first = await load();
  answers["/same-length.wasm"] = file(named("b"));
  const second = await load();
  const sections = [first, second].map((module) => WebAssembly.Module.customSections(module, "b").length);
  assert.deepEqual(sections, [0, 1]);
});

test("two loads of a URL at the same time share one download, and both hear of its progress", async () => {
  answers["/shared.wasm"] = file(BANK);
  requests = [];
  const heard = [[], []];
  await Promise.all(
    heard.map((list) => fetchWasm(`${origin}/shared.wasm`, { onProgress: (loaded) => list.push(loaded) })),
  );
  assert.deepEqual(requests, ["/shared.wasm"]);
  assert.deepEqual(
    heard.map((list) => list.at(-1)),
    [BANK.length, BANK.length],
  );
});

/** A file whose second half waits for a signal. */
function slowFile(path) {
  const state = { closed: new Promise(() => {}), finish: () => {} };
  const begun = new Promise((resolve) => {
    answers[path] = (response) => {
      response.writeHead(200, { "content-type": "application/wasm", "content-length": BANK.length });
      response.write(BANK.subarray(0, 1000));
      state.finish = () => response.end(BANK.subarray(1000));
      state.closed = new Promise((closed) => response.on("close", closed));
      resolve();
    };
  });
  return { state, begun };
}

test("a load that is given up ends the download, unless another load waits for it", async () => {
  const { state, begun } = slowFile("/slow.wasm");
  const [first, second] = [new AbortController(), new AbortController()];
  const one = rejection(fetchWasm(`${origin}/slow.wasm`, { signal: first.signal }));
  const two = fetchWasm(`${origin}/slow.wasm`, { signal: second.signal });
  await begun;
  first.abort(new Error("no longer wanted"));
  assert.equal((await one).message, "no longer wanted");
  state.finish();
  assert.ok((await two).module instanceof WebAssembly.Module);

  const again = slowFile("/slow.wasm");
  const alone = new AbortController();
  const three = rejection(fetchWasm(`${origin}/slow.wasm`, { signal: alone.signal }));
  await again.begun;
  alone.abort();
  assert.equal((await three).name, "AbortError");
  await again.state.closed; // the connection ends, because nobody needs the download

  answers["/slow.wasm"] = file(BANK, { etag: "new" });
  assert.ok((await fetchWasm(`${origin}/slow.wasm`)).module instanceof WebAssembly.Module);
});

test("a broken connection and a file that is cut short are different errors", async () => {
  answers["/broken.wasm"] = (response) => {
    response.writeHead(200, { "content-type": "application/wasm", "content-length": BANK.length });
    response.write(BANK.subarray(0, 5000), () => response.destroy());
  };
  const broken = await rejection(fetchWasm(`${origin}/broken.wasm`));
  assert.equal(broken.name, "FetchError");
  assert.match(broken.message, /^Cannot read the answer of .*broken.wasm to its end/);
  assert.equal(broken.status, 200);

  answers["/cut.wasm"] = file(BANK.subarray(0, BANK.length / 2));
  const cut = await rejection(fetchWasm(`${origin}/cut.wasm`));
  assert.equal(cut.name, "CompileError");
  assert.match(
    cut.message,
    /cut.wasm is truncated: section 10 should hold \d+ bytes, \d+ are there\. Take the whole file\.$/,
  );

  answers["/page.wasm"] = file(new TextEncoder().encode("<!doctype html><p>Sorry"));
  assert.match(
    (await rejection(fetchWasm(`${origin}/page.wasm`))).message,
    /page.wasm is not Wasm: found an HTML page\. Check the URL\.$/,
  );
  answers["/empty.wasm"] = file(new Uint8Array(0));
  assert.match(
    (await rejection(fetchWasm(`${origin}/empty.wasm`))).message,
    /empty.wasm is not Wasm: found an empty file\.$/,
  );
});

test("nothing is retried", async () => {
  requests = [];
  answers["/gone.wasm"] = (response) => response.writeHead(503).end();
  assert.equal((await rejection(fetchWasm(`${origin}/gone.wasm`))).status, 503);
  assert.deepEqual(requests, ["/gone.wasm"]);
});

for (const algorithm of ["sha256", "sha384", "sha512"]) {
  test(`a file must have the ${algorithm} that integrity names`, async () => {
    answers["/checked.wasm"] = file(BANK);
    const right = hash(BANK, algorithm);
    const wrong = hash(FAULTS, algorithm);
    for (const source of [`${origin}/checked.wasm`, BANK, new Response(BANK)]) {
      assert.ok((await fetchWasm(source, { integrity: `${wrong} ${right}` })).module instanceof WebAssembly.Module);
    }
    for (const source of [`${origin}/checked.wasm`, BANK, new Response(BANK)]) {
      const error = await rejection(fetchWasm(source, { integrity: wrong }));
      assert.equal(error.name, "FetchError");
      assert.ok(error.message.includes(`its hash is ${right}. Add that, `), error.message);
    }
  });
}

test("only the strongest of several hashes counts, and a text that is no hash is named", async () => {
  const mixed = `${hash(BANK, "sha256")} ${hash(FAULTS, "sha512")}`;
  assert.equal((await rejection(fetchWasm(BANK, { integrity: mixed }))).name, "FetchError");
  for (const integrity of ["sha1-abc", "sha384-", "nonsense", `${hash(BANK)} md5-x`]) {
    const error = await rejection(fetchWasm(BANK, { integrity }));
    assert.equal(error.name, "LoadError");
    assert.match(error.message, /is no hash; expected one like "sha384-"/);
  }
});

test("the integrity of a compiled module cannot be checked, and a response that was read cannot be used", async () => {
  const module = new WebAssembly.Module(BANK);
  assert.match((await rejection(fetchWasm(module, { integrity: hash(BANK) }))).message, /cannot be checked/);
  assert.match(thrown(() => compileWasm(module, "it", { integrity: hash(BANK) })).message, /cannot be checked/);
  const used = new Response(BANK);
  await used.arrayBuffer();
  assert.match((await rejection(fetchWasm(used))).message, /has been read already/);
});
