/** Whoever looks for leaks hears of each generation that lets go of its instance. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { tests } from "../../src/instance/shadow.js";
import { fixture, supervise } from "../support.js";

for (const build of ["abort", "reset", "unwind"]) {
  test(`${build}: each dead generation is told once, while it has its memory`, async (t) => {
    /** @type {unknown[]} */
    const told = [];
    tests.unpanicNoteDead = ({ owner, number, memory }) =>
      told.push([owner.name, number, memory instanceof WebAssembly.Memory]);
    t.after(() => {
      tests.unpanicNoteDead = null;
    });
    const { supervisor } = await supervise(fixture("faults", build));
    assert.deepEqual(told, []);
    supervisor.reset();
    assert.deepEqual(told, [["faults", 0, true]]);
    supervisor.terminate("unloaded");
    assert.deepEqual(told.slice(1), [["faults", 1, true]]);
  });
}
