/** A package that itself requests resets, with wasm-bindgen's `schedule_reinit`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CallInterrupted } from "../../src/shared/errors.js";
import { fixture, rejection, supervise, thrown } from "../support.js";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (const mode of ["abort", "reset", "unwind", "unwind-reset"]) {
  test(`${mode}: a call that schedules a reset ends as usual, and the next call finds a new instance`, async () => {
    const { module, exports: reinit } = await supervise(fixture("reinit", mode));
    reinit.bump();
    assert.equal(reinit.schedule_and_say("a text"), "a text");
    assert.deepEqual([reinit.bump(), reinit.shout("another"), module.generation.number], [1, "ANOTHER", 1]);
    assert.equal(thrown(() => reinit.schedule_and_fail()).message, "an ordinary error");
    assert.deepEqual([reinit.bump(), module.generation.number], [1, 2]);
  });
}

test("the reset happens when the loop turns, and onReset is called", async () => {
  let resets = 0;
  const { module, exports: reinit } = await supervise(fixture("reinit"), { onReset: () => resets++ });
  reinit.schedule();
  assert.deepEqual([module.generation.number, resets], [0, 0]);
  await sleep(1);
  assert.deepEqual([module.generation.number, resets], [1, 1]);
});

test("calls in flight are interrupted, and so is a promise that the scheduling call returns", async () => {
  const { exports: reinit } = await supervise(fixture("reinit"));
  const waiting = rejection(reinit.wait(300));
  const own = reinit.schedule_and_call(() => new Promise(() => {}));
  for (const error of [await waiting, await rejection(own)]) assert.ok(error instanceof CallInterrupted, error.stack);
});

test("an async call that schedules a reset returns its value", async () => {
  const { module, exports: reinit } = await supervise(fixture("reinit"));
  assert.equal(await reinit.schedule_later(1), 1);
  await sleep(1);
  assert.equal(module.generation.number, 1);
});

test("under a frame of the module the reset waits for the outermost call", async () => {
  const { module, exports: reinit } = await supervise(fixture("reinit"));
  const inside = [];
  reinit.bump();
  reinit.schedule_and_call(() => inside.push(reinit.bump(), reinit.shout("a text"), module.generation.number));
  assert.deepEqual([inside, reinit.bump(), module.generation.number], [[2, "A TEXT", 0], 1, 1]);
});

test("a closure of the event loop that schedules a reset is followed by a new instance", async () => {
  const { module, exports: reinit } = await supervise(fixture("reinit"));
  reinit.bump_later(1);
  reinit.schedule_later(2).catch(() => {});
  while (module.generation.number === 0) await sleep(1);
  assert.deepEqual([module.generation.number, reinit.bump()], [1, 1]);
});
