// The service worker. The tests play the browser around it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const source = readFileSync(new URL("../src/service-worker.js", import.meta.url), "utf8");
const ORIGIN = "http://localhost";
const LACKING = { body: { value: undefined } };
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** The browser engine: its locks, its cache and its clients, which outlive a worker. */
class Engine {
  constructor() {
    this.locks = new Map();
    this.cached = new Set();
    this.clients = new Map();
    this.claims = 0;
  }

  /** Adds a client with a lock for a prefix. Its Python calls `answer` with the port of a request. */
  serve(client, prefix, answer, since = 1, seconds = 0) {
    const lock = `unpanic-service ${client} ${since} ${seconds} ${prefix}`;
    this.locks.set(lock, []);
    this.clients.set(client, {
      id: client,
      postMessage(message, [port]) {
        assert.equal(message.unpanic, lock);
        port.onmessage = ({ data }) => port.heard?.(data);
        answer(message, port);
      },
    });
    return lock;
  }

  /** Removes the client. */
  release(lock) {
    const waiting = this.locks.get(lock);
    this.locks.delete(lock);
    for (const granted of waiting) granted();
  }

  /** Starts a new worker. */
  start(globals = {}) {
    const listeners = {};
    const self = {
      ...globals,
      addEventListener: (type, listener) => (listeners[type] = listener),
      skipWaiting: () => (this.skipped = true),
      clients: { get: async (id) => this.clients.get(id), claim: async () => this.claims++ },
    };
    const cache = {
      keys: async () => [...this.cached].map((prefix) => ({ url: ORIGIN + prefix })),
      put: async (prefix) => this.cached.add(prefix),
      delete: async (prefix) => this.cached.delete(prefix),
    };
    const navigator = {
      locks: {
        query: async () => ({ held: [{ name: "another lock" }, ...[...this.locks.keys()].map((name) => ({ name }))] }),
        request: async (name, { signal }, granted) => {
          this.locks.get(name).push(() => signal.aborted || granted());
        },
      },
    };
    const fetch = async () => new Response("network");
    const open = { open: async () => cache };
    new Function("self", "caches", "navigator", "location", "fetch", "VERSION", source)(
      self,
      open,
      navigator,
      { origin: ORIGIN },
      fetch,
      "1.2.3",
    );

    return {
      /** Returns the response to a request, or undefined if the worker ignores it. */
      fetch(path, { clientId = "page", lacking = false, ...init } = {}) {
        let answer;
        listeners.fetch({
          request: Object.defineProperties(new Request(new URL(path, ORIGIN), init), lacking ? LACKING : {}),
          clientId,
          respondWith: (given) => (answer = given),
          waitUntil: () => {},
        });
        return answer;
      },
      /** Sends a message as a client, and returns the reply. */
      say(data, id = "page", origin = ORIGIN) {
        const { port1, port2 } = new MessageChannel();
        return new Promise((resolve) => {
          port1.onmessage = ({ data }) => resolve(data) ?? port1.close();
          listeners.message({ data, origin, source: { id }, ports: [port2], waitUntil: () => {} });
        });
      },
      tell: (data, origin = ORIGIN) =>
        listeners.message({ data, origin, source: null, ports: [], waitUntil: () => {} }),
    };
  }
}

const text = (words) => (_, port) =>
  port.postMessage({ verb: "head", status: 200, headers: [], body: new TextEncoder().encode(words) }) ?? port.close();

test("the longest prefix decides, and requests without a prefix are ignored", async () => {
  const engine = new Engine();
  const worker = engine.start();
  for (const prefix of ["/a/", "/a/b/"]) {
    engine.serve("page" + prefix, prefix, text(prefix));
    assert.deepEqual(await worker.say({ unpanic: "serve", prefix }), { version: "1.2.3", client: "page" });
  }
  assert.equal(engine.claims, 2);
  assert.equal(await (await worker.fetch("/a/x")).text(), "/a/");
  assert.equal(await (await worker.fetch("/a/b/x")).text(), "/a/b/");
  for (const path of ["/", "/a", "/ab/", "http://elsewhere/a/x"]) assert.equal(worker.fetch(path), undefined);
});

test("a new worker learns which clients serve, and passes on other requests", async () => {
  const engine = new Engine();
  engine.serve("page", "/a/", text("python"));
  const worker = engine.start();
  const answers = [
    worker.fetch("/a/x"),
    worker.fetch("/b"),
    worker.fetch("/c", { cache: "only-if-cached", mode: "same-origin" }),
  ];
  assert.equal(await (await answers[0]).text(), "python");
  assert.equal(await (await answers[1]).text(), "network");
  assert.equal(answers[2], undefined);
  assert.equal(worker.fetch("/b"), undefined); // the worker has learnt it
});

test("an imported worker handles only the prefixes in its configuration", async () => {
  const engine = new Engine();
  engine.serve("page", "/a/", text("python"));
  const worker = engine.start({ UNPANIC_PREFIXES: ["/a/"] });
  assert.equal(worker.fetch("/b"), undefined);
  assert.equal(await (await worker.fetch("/a/x")).text(), "python");
});

test("a client answers its own requests, and otherwise the newest client answers", async () => {
  const engine = new Engine();
  engine.serve("old", "/a/", text("old"), 9);
  engine.serve("new", "/a/", text("new"), 10);
  engine.serve("gone", "/a/", text("gone"), 11);
  engine.clients.delete("gone"); // its lock is released a moment later
  const worker = engine.start();
  assert.equal(await (await worker.fetch("/a/x", { clientId: "old" })).text(), "old");
  assert.equal(await (await worker.fetch("/a/x", { clientId: "third" })).text(), "new");
});

test("without Python the response is a 503, until the prefix is forgotten", async () => {
  const engine = new Engine();
  const lock = engine.serve("page", "/a/", () => {});
  await engine.start().say({ unpanic: "serve", prefix: "/a/" });
  const worker = engine.start();
  const waiting = worker.fetch("/a/x");
  await turn();
  engine.release(lock); // while the request waits
  for (const answer of [await waiting, await worker.fetch("/a/x")]) {
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.equal(answer.headers.get("retry-after"), "1");
    assert.equal((await answer.json()).title, "Service Unavailable");
  }
  await worker.say({ unpanic: "forget", prefix: "/a/", lock });
  assert.equal(worker.fetch("/a/x"), undefined);
  assert.deepEqual([...engine.cached], []);
});

test("a prefix is not forgotten while another client serves it", async () => {
  const engine = new Engine();
  const lock = engine.serve("page", "/a/", text("mine"));
  engine.serve("other", "/a/", text("other's"));
  const worker = engine.start();
  await worker.say({ unpanic: "serve", prefix: "/a/" });
  await worker.say({ unpanic: "forget", prefix: "/a/", lock });
  assert.equal(await (await worker.fetch("/a/x", { clientId: "other" })).text(), "other's");
});

const FROM = { mode: "same-origin", referrer: `${ORIGIN}/page`, referrerPolicy: "origin" };
const asked = [
  ["chunk by chunk", false, [3, 4]],
  ["at once where the engine has no stream", true, [7]],
];
for (const [how, lacking, sizes] of asked)
  test(`a request reaches Python, its body ${how}`, async () => {
    const engine = new Engine();
    engine.serve("page", "/a/", (message, port) => {
      const { method, url, headers, body, mode, referrer, referrerPolicy, asked } = message;
      assert.deepEqual([mode, referrer, referrerPolicy], ["same-origin", `${ORIGIN}/page`, "origin"]);
      assert.ok(Math.abs(Date.now() - asked) < 60_000);
      const parts = [];
      port.heard = ({ verb, value }) => {
        assert.equal(verb, "chunk");
        if (value) parts.push(value.length);
        const seen = JSON.stringify({ method, url, body, header: Object.fromEntries(headers)["x-a"], parts });
        if (value) port.postMessage({ verb: "read" });
        else text(seen)(message, port);
      };
      port.postMessage({ verb: "read" });
    });
    const body = new ReadableStream({
      start(controller) {
        for (const size of [3, 4]) controller.enqueue(new Uint8Array(size));
        controller.close();
      },
    });
    const worker = engine.start();
    const init = { method: "POST", body, duplex: "half", headers: { "X-A": "1" }, lacking, ...FROM };
    const answer = await worker.fetch("/a/x?y", init);
    const seen = { method: "POST", url: `${ORIGIN}/a/x?y`, body: true, header: "1", parts: sizes };
    assert.deepEqual(await answer.json(), seen);
  });

/** Plays Python, and streams the results of `pull`: texts, null at the end, or an error. */
function streaming(pull, heard = []) {
  return (_, port) => {
    port.heard = ({ verb }) => {
      heard.push(verb);
      if (verb !== "pull") return;
      const next = pull();
      if (next instanceof Error) port.postMessage({ verb: "error", message: next.message });
      else if (next === null) port.postMessage({ verb: "end" });
      else port.postMessage({ verb: "chunk", value: new TextEncoder().encode(next) });
    };
    port.postMessage({ verb: "head", status: 201, headers: [["x-a", "1"]], body: undefined });
  };
}

test("a stream requests each part, and ends normally or with an error", async () => {
  const engine = new Engine();
  const parts = ["a", "b", null];
  engine.serve(
    "page",
    "/a/",
    streaming(() => parts.shift()),
  );
  engine.serve(
    "other",
    "/b/",
    streaming(() => new Error("broke")),
  );
  const worker = engine.start();
  const answer = await worker.fetch("/a/x");
  assert.deepEqual([answer.status, answer.headers.get("x-a"), parts.length], [201, "1", 3]);
  assert.equal(await answer.text(), "ab");
  await assert.rejects((await worker.fetch("/b/x")).text(), { name: "TypeError", message: "broke" });
});

test("Python learns that a stream was cancelled, and the page learns that Python has gone", async () => {
  const engine = new Engine();
  const heard = [];
  const lock = engine.serve(
    "page",
    "/a/",
    streaming(() => "a", heard),
  );
  const worker = engine.start();
  const reader = (await worker.fetch("/a/x")).body.getReader();
  await reader.read();
  await reader.cancel();
  await turn();
  assert.equal(heard.at(-1), "abort");

  const other = (await worker.fetch("/a/x")).body.getReader();
  await other.read();
  engine.release(lock);
  await assert.rejects(other.read(), /is gone/);
});

test("an abort that the engine reports ends the request", async () => {
  const engine = new Engine();
  const heard = [];
  engine.serve("page", "/a/", (_, port) => (port.heard = ({ verb }) => heard.push(verb)));
  const stop = new AbortController();
  const answer = engine.start().fetch("/a/x", { signal: stop.signal });
  await turn();
  stop.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await turn();
  assert.deepEqual(heard, ["abort"]);
});

const LATE = { seconds: 0.02, status: 504, title: "Gateway Timeout" };

test("after the deadline the worker answers for a busy Python, and reports it to Python", async () => {
  const engine = new Engine();
  const heard = [];
  engine.serve("page", "/a/", (_, port) => (port.heard = ({ verb }) => heard.push(verb)), 1, LATE.seconds);
  const answer = await engine.start().fetch("/a/x");
  const { status, title, detail } = await answer.json();
  assert.deepEqual([answer.status, status, title], [504, 504, LATE.title]);
  assert.match(detail, /^Python did not answer within 0\.02 s: something keeps the page busy that serves \/a\/\.$/);
  await turn();
  assert.deepEqual(heard, ["abort"]);
});

test("an engine that waits for a busy page delays no response, and Python does not notice", async () => {
  const engine = new Engine();
  engine.serve("page", "/a/", () => assert.fail("was asked after its deadline"), 1, LATE.seconds);
  const client = engine.clients.get("page");
  let free;
  engine.clients.set("page", new Promise((resolve) => (free = () => resolve(client))));
  assert.equal((await engine.start().fetch("/a/x")).status, 504);
  free();
  await turn();
});

test("before the deadline Python answers, and a stream goes on after the deadline", async () => {
  const engine = new Engine();
  engine.serve("page", "/a/", text("whole"), 1, LATE.seconds);
  const parts = ["a", "b", null];
  engine.serve(
    "other",
    "/b/",
    streaming(() => parts.shift()),
    1,
    LATE.seconds,
  );
  const worker = engine.start();
  const [whole, stream] = [await worker.fetch("/a/x"), await worker.fetch("/b/x")];
  await new Promise((resolve) => setTimeout(resolve, 400)); // longer than the deadline and its tolerance
  assert.equal(await whole.text(), "whole");
  assert.equal(await stream.text(), "ab");
});

const REFUSED = [
  ["a header", { status: 200, headers: [["x", "ž"]], body: new Uint8Array(1) }],
  ["a status", { status: 99, headers: [], body: new Uint8Array(1) }],
  ["a body where none may be", { status: 204, headers: [] }],
];
for (const [what, head] of REFUSED)
  test(`${what} that the browser refuses is a 500 that says why`, async () => {
    const engine = new Engine();
    const heard = [];
    engine.serve("page", "/a/", (_, port) => {
      port.heard = ({ verb }) => heard.push(verb);
      port.postMessage({ verb: "head", ...head });
    });
    const answer = await engine.start().fetch("/a/x");
    assert.equal(answer.status, 500);
    assert.match((await answer.json()).detail, /^The browser refuses this response: (Type|Range)Error: ./);
    await turn();
    assert.deepEqual(heard, ["abort"]);
  });

test("messages of other origins are ignored", async () => {
  const engine = new Engine();
  const worker = engine.start();
  worker.tell({ unpanic: "activate" }, "http://elsewhere");
  assert.equal(engine.skipped, undefined);
});

test("a newer version of the worker takes over when Python says so", () => {
  const engine = new Engine();
  const worker = engine.start();
  worker.tell({ unpanic: "activate" });
  assert.equal(engine.skipped, true);
  worker.tell("something else"); // the worker ignores the page's own messages
  worker.tell(null);
});
