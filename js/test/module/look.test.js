/** Getters are read in a copy, so they cannot change the generation. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { look } from "../../src/module/look.js";
import { loadModule } from "../loading.js";
import { fixture, glueFile, supervise } from "../support.js";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");

/**
 * Makes objects by number, and reads getters of them.
 * @param {import("../../src/module/module.js").SupervisedModule} module
 */
function looking(module) {
  const indexOf = (name) => module.description.classes.findIndex((described) => described.name === name);
  return {
    make: (name, ...args) => module.lanes.constructorLane(indexOf(name))(...args),
    look: (id, name, ...getters) => look(module, id, indexOf(name), getters),
  };
}

/** Everything that looking could change. @param {import("../../src/module/module.js").SupervisedModule} module */
function state({ generation, calls, host }) {
  const { memory, externrefs, panics, heap } = generation;
  return {
    number: generation.number,
    dead: generation.dead,
    memory: Buffer.from(memory.buffer.slice(0)).toString("base64"),
    references: externrefs && Array.from({ length: externrefs.length }, (_, place) => externrefs.get(place)),
    heap: [...heap()],
    panics: panics.length,
    stackTraceLimit: Error.stackTraceLimit,
    calls,
    crashes: /** @type {any} */ (host).restarts,
  };
}

for (const build of ["abort", "reset", "unwind"]) {
  test(`${build}: plain data is read, and nothing has changed afterwards`, async () => {
    const { module } = await supervise(fixture("dials", build));
    const { make, look } = looking(module);
    const dial = make("Dial", 2.5, "é", "a note");
    const before = state(module);
    for (let round = 0; round < 3; round++) {
      const [failed, ...read] = look(dial, "Dial", "value", "label", "reads", "cost", "letters", "note");
      assert.equal(failed, "");
      assert.deepEqual(read, [
        true,
        2.5,
        true,
        "é",
        true,
        1,
        true,
        4 << 20,
        true,
        new Uint8Array(Buffer.from("é")),
        true,
        "a note",
      ]);
    }
    assert.deepEqual(state(module), before);
  });

  test(`${build}: values that refer to the copy stay there`, async () => {
    const { module } = await supervise(fixture("dials", build));
    const { make, look } = looking(module);
    const dial = make("Dial", 1, "x", { its: "own" });
    assert.deepEqual(look(dial, "Dial", "twin", "note", "value"), ["", false, undefined, false, undefined, true, 1]);
  });

  test(`${build}: a getter that itself looks at an object finds no copy`, async () => {
    const { module } = await supervise(fixture("dials", build));
    const { make, look } = looking(module);
    const inside = [];
    const dial = make("Dial", 1, "x", () => inside.push(look(dial, "Dial", "value")));
    assert.deepEqual(look(dial, "Dial", "called"), ["", true, 1]);
    assert.deepEqual(inside, [[""]]);
  });

  for (const [how, kind] of Object.entries({
    panic: "panic",
    trap: "trap",
    overflow: "stack_overflow",
    throw: "foreign",
    err: "error",
  })) {
    test(`${build}: a getter that ends in ${how} ends the reading, and nothing has changed afterwards`, async () => {
      const heard = [];
      const { module, exports } = await supervise(fixture("dials", build), {
        onPanic: (panic) => heard.push(panic),
        onReset: () => heard.push("reset"),
      });
      const { make, look } = looking(module);
      const broken = make("Broken", how);
      const before = state(module);
      const [failed, ...read] = look(broken, "Broken", "how", "reading", "how");
      assert.deepEqual(read, [true, how]);
      assert.ok(failed === kind || (build === "unwind" && how === "throw"), `${failed}`);
      assert.deepEqual(state(module), before);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual([heard, exports.add(1, 2), module.generation.number], [[], 3, 0]);
    });
  }

  test(`${build}: looking leaves no memory behind`, async () => {
    const { module } = await supervise(fixture("dials", build));
    const { make, look } = looking(module);
    const objects = [make("Dial", 1, "x", () => 3), make("Broken", "panic")];
    const bytes = () => {
      for (let round = 0; round < 3; round++) collect();
      return process.memoryUsage().external;
    };
    look(objects[0], "Dial", "called");
    const before = bytes();
    for (let round = 0; round < 20; round++) {
      look(objects[0], "Dial", "value", "label", "called", "twin");
      look(objects[1], "Broken", "reading");
    }
    assert.ok(bytes() - before < 3_000_000, `${bytes() - before} bytes are left`);
  });
}

test("an object of glue with a heap array is looked at", async () => {
  const { module } = await supervise(glueFile("node_modules/@resvg/resvg-wasm/index.mjs"));
  const { make, look } = looking(module);
  const picture = make("Resvg", '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>');
  const before = state(module);
  assert.deepEqual(look(picture, "Resvg", "width", "height"), ["", true, 3, true, 2]);
  assert.deepEqual(state(module), before);
});

test("the getters of a dead object are not read", async () => {
  const { module, supervisor } = await supervise(fixture("dials"));
  const { make, look } = looking(module);
  const dial = make("Dial", 1, "x", null);
  supervisor.reset();
  assert.deepEqual(look(dial, "Dial", "value"), [""]);
});

test("only public fields are read of an imported namespace, whose glue serves one instance", async () => {
  const folder = new URL("../../../rust/fixtures/dials/pkg/reset/", import.meta.url);
  const glue = await import(new URL("dials.js", folder).href);
  const module = await loadModule({ glue, wasm: new Uint8Array(readFileSync(new URL("dials_bg.wasm", folder))) });
  module.host = new DefaultSupervisor(module);
  const { make, look } = looking(module);
  assert.deepEqual(look(make("Dial", 1, "x", null), "Dial", "label", "value", "reads"), [
    "",
    false,
    undefined,
    true,
    1,
    false,
    undefined,
  ]);
  assert.deepEqual(look(make("Broken", "panic"), "Broken", "reading"), ["", false, undefined]);
  assert.equal(module.generation.number, 0);
});
