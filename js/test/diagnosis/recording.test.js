/** The number of frames that engines record: more while Rust runs, and the page's own number otherwise. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { rustFrames } from "../../src/diagnosis/stack.js";
import { fixture, supervise, thrown } from "../support.js";

const LIMIT = Error.stackTraceLimit;
afterEach(() => {
  Error.stackTraceLimit = LIMIT;
});

for (const [what, call] of [
  ["a panic", (module) => module.deep(150)],
  [
    "a panic that no hook reports",
    (module) => {
      module.silence();
      module.deep(150);
    },
  ],
  ["a trap", (module) => module.allocates()],
]) {
  test(`after ${what} the limit is the same as before`, async () => {
    const { exports } = await supervise(fixture("blame"));
    for (const limit of [10, 3, 1000, Infinity]) {
      Error.stackTraceLimit = limit;
      thrown(() => call(exports));
      assert.equal(Error.stackTraceLimit, limit);
      exports.silence();
      assert.equal(Error.stackTraceLimit, limit);
    }
  });
}

test("a hundred of the user's frames are recorded, even if no hook reports the panic", async () => {
  const { exports } = await supervise(fixture("blame"));
  Error.stackTraceLimit = 5;
  const told = thrown(() => exports.deep(300)).record;
  exports.silence();
  const untold = thrown(() => exports.deep(300)).record;
  for (const { stack } of [told, untold]) assert.ok(rustFrames(stack).length >= 100, stack);
});

test("a page that wants more frames gets more", async () => {
  const { exports } = await supervise(fixture("blame"));
  Error.stackTraceLimit = 400;
  assert.ok(rustFrames(thrown(() => exports.deep(300)).record.stack).length > 300);
});

test("a limit that is changed while Rust runs stays changed", async () => {
  const { exports } = await supervise(fixture("faults"));
  let seen = 0;
  exports.call_catch(() => {
    seen = Error.stackTraceLimit;
    Error.stackTraceLimit = 42;
  });
  assert.ok(seen >= 100);
  assert.equal(Error.stackTraceLimit, 42);
  thrown(() =>
    exports.call_then_panic(() => {
      Error.stackTraceLimit = 43;
    }),
  );
  assert.equal(Error.stackTraceLimit, 43);
});

test("a timer's panic leaves the limit as it was", async () => {
  const { exports } = await supervise(fixture("blame"));
  exports.tick_later(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(Error.stackTraceLimit, LIMIT);
});

test("a page that has frozen the limit, or has none, loses only frames", async () => {
  const found = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit");
  const { exports } = await supervise(fixture("blame"));
  try {
    Object.defineProperty(Error, "stackTraceLimit", { writable: false });
    assert.equal(thrown(() => exports.deep(3)).kind, "panic");
    assert.equal(thrown(() => exports.deep(3)).kind, "panic");
    Object.defineProperty(Error, "stackTraceLimit", { writable: true });
    delete Error.stackTraceLimit;
    assert.equal(thrown(() => exports.deep(3)).kind, "panic");
    assert.equal("stackTraceLimit" in Error, false);
  } finally {
    Object.defineProperty(Error, "stackTraceLimit", found);
  }
});
