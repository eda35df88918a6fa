/** Bursts of calls show the timeline when a module worked, and in which generation. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { beginBurst, endBurst } from "../../src/module/activity.js";
import { fixture, supervise, thrown } from "../support.js";

const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Returns the number of calls and the generation of each burst. @param {any} module */
function bursts(module) {
  endBurst(module);
  const found = [];
  for (let at = 0; at < module.bursts.length; at += 4) {
    const [began, ended, calls, generation] = module.bursts.slice(at, at + 4);
    assert.ok(began <= ended && ended <= performance.now(), `${began} ${ended}`);
    found.push([calls, generation]);
  }
  return found;
}

test("the calls of a turn are one burst", async () => {
  const { module, exports: bank } = await supervise(fixture("bank"));
  bank.add(1, 2);
  bank.open("ada", 7n);
  await turn();
  bank.add(1, 2);
  assert.deepEqual(bursts(module), [
    [2, 0],
    [1, 0],
  ]);
});

test("a burst ends at a crash, and later calls of the same turn belong to the next generation", async () => {
  const { module, exports: bank } = await supervise(fixture("bank"));
  for (let round = 0; round < 3; round++) {
    bank.add(1, 2);
    thrown(() => bank.transfer("ada", "bob", 100n));
    bank.add(1, 2);
    bank.add(1, 2);
  }
  assert.deepEqual(bursts(module), [
    [2, 0],
    [4, 1],
    [4, 2],
    [2, 3],
  ]);
});

test("a reset ends a burst as well", async () => {
  const { module, exports: bank } = await supervise(fixture("bank"));
  bank.add(1, 2);
  module.end();
  bank.add(1, 2);
  assert.deepEqual(bursts(module), [
    [1, 0],
    [1, 1],
  ]);
});

test("one timer waits for the end of a turn with any number of crashes", async (context) => {
  const { exports: bank } = await supervise(fixture("bank"));
  const timers = context.mock.method(globalThis, "setTimeout");
  for (let round = 0; round < 50; round++) thrown(() => bank.transfer("ada", "bob", 100n));
  assert.equal(timers.mock.callCount(), 1);
});

test("bursts stay few, because indistinguishable neighbours are joined without losing a call", (context) => {
  let now = 0;
  context.mock.method(performance, "now", () => now);
  const module = /** @type {any} */ ({
    bursts: [],
    calls: 0,
    busy: false,
    awaitsTurn: true,
    generation: { number: 0 },
  });
  const burst = () => {
    beginBurst(module);
    module.calls += 3;
    now += 1;
    endBurst(module);
    now += 9;
  };
  for (let count = 0; count < 50_000; count++) burst();
  assert.ok(module.bursts.length <= 4000);
  const told = bursts(module);
  assert.equal(
    told.reduce((sum, [calls]) => sum + calls, 0),
    150_000,
  );
  assert.ok(told.length > 250);
  // If each burst has its own generation, the newest bursts are kept.
  for (let count = 0; count < 5000; count++) {
    module.generation.number += 1;
    burst();
  }
  const left = bursts(module);
  assert.ok(left.length <= 1000 && left.length >= 500);
  assert.deepEqual(left.at(-1), [3, 5000]);
});
