/** Spares, and engines that make no instance synchronously. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { load } from "../../src/python.js";
import { loadModule, loadModuleSync } from "../loading.js";
import { fixture, glueFile, rejection, thrown } from "../support.js";

/** @param {any} source @param {any} [options] */
async function begin(source, options) {
  const module = await loadModule({ ...source, ...options });
  const supervisor = new DefaultSupervisor(module);
  module.host = supervisor;
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

const factory = (mode = "abort") => ({ glue: fixture("faults", mode) });

let copies = 0;
async function native() {
  const { url, readFile } = fixture("faults", "reset");
  const namespace = await import(`${url}?spare=${++copies}`);
  return { glue: namespace, wasm: readFile("./faults_bg.wasm"), name: "faults" };
}

const SOURCES = { factory, "factory, unwind": () => factory("unwind"), native };

/** Waits for the spare. @param {any} module */
async function spared(module) {
  while (module.spare.state !== "ready") await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until the crashed generation is replaced. @param {any} module */
async function nextGeneration(module) {
  while (module.generation.dead) await new Promise((resolve) => setTimeout(resolve, 1));
}

/**
 * Makes no instance synchronously, like Chromium's main thread for files above 8 MB.
 * @param {import("node:test").TestContext} t
 */
function refuseInstances(t) {
  const { Instance } = WebAssembly;
  function Refusing() {
    throw new RangeError(
      "WebAssembly.Instance is disallowed on the main thread, if the buffer size is larger than 8MB.",
    );
  }
  Refusing.prototype = Instance.prototype;
  WebAssembly.Instance = /** @type {any} */ (Refusing);
  t.after(() => {
    WebAssembly.Instance = Instance;
  });
}

for (const [name, source] of Object.entries(SOURCES)) {
  test(`${name}: a spare replaces the crashed generation, and the next spare is made`, async () => {
    const { module, exports } = await begin(await source(), { spare: true });
    for (let round = 0; round < 3; round++) {
      await spared(module);
      const spare = module.spare.generation;
      assert.ok(spare.memoryBytes > 0);
      assert.equal(spare.depth, 0);
      assert.equal(exports.bump(), 1, "the state of application start");
      thrown(() => exports.trap_unreachable());
      assert.equal(module.generation, spare);
      assert.equal(module.generation.number, round + 1);
      assert.equal(exports.echo_string("é"), "é");
      assert.equal(module.spare.generation, null);
    }
  });

  test(`${name}: without a spare a generation is made synchronously`, async () => {
    const { module, exports } = await begin(await source(), { spare: false });
    assert.equal(module.spare.state, "off");
    thrown(() => exports.trap_unreachable());
    assert.equal(module.generation.number, 1);
    assert.equal(exports.add(2, 3), 5);
    assert.equal(module.spare.state, "off");
  });

  test(`${name}: if no instance is made synchronously, async calls wait and others get the reason`, async (t) => {
    const parts = await source();
    refuseInstances(t);
    const { module, exports } = await begin(parts, { spare: false });
    assert.equal(exports.add(2, 3), 5);
    thrown(() => exports.trap_unreachable());
    const refused = thrown(() => exports.add(2, 3));
    assert.equal(refused.name, "CallInterrupted");
    assert.match(
      refused.message,
      /^faults.add cannot run yet: .* It will be there in about \d+ ms; async calls wait for it\.$/,
    );
    // The functions of a namespace do not show whether they are async.
    if (name === "native") await nextGeneration(module);
    assert.equal(await exports.wait(1), 1);
    assert.equal(module.generation.number, 1);
    assert.equal(exports.echo_string("é"), "é");
  });

  test(`${name}: if no instance is made synchronously, the module keeps a spare by default`, async (t) => {
    const parts = await source();
    refuseInstances(t);
    const { module, exports } = await begin(parts);
    await spared(module);
    thrown(() => exports.trap_unreachable());
    assert.equal(exports.add(2, 3), 5);
    assert.equal(module.generation.number, 1);
    // A second crash comes before the second spare.
    thrown(() => exports.trap_unreachable());
    assert.equal(thrown(() => exports.add(2, 3)).name, "CallInterrupted");
    await nextGeneration(module);
    assert.equal(exports.add(2, 3), 5);
    assert.equal(module.generation.number, 2);
  });
}

test("a load that is aborted at the last moment leaves no instance behind", async () => {
  const controller = new AbortController();
  const driver = await load({ glue: fixture("faults") }, { signal: controller.signal });
  assert.equal(driver.module.closed, false);
  controller.abort();
  assert.equal(driver.module.closed, true);
  assert.equal(driver.module.generation.memory, null);
});

test("a reset while the next generation is on its way changes nothing", async (t) => {
  refuseInstances(t);
  const { module, supervisor, exports } = await begin(factory(), { spare: false });
  supervisor.reset();
  supervisor.reset();
  assert.equal(await exports.wait(1), 1);
  assert.equal(module.generation.number, 1);
});

test("an ended module keeps nobody waiting and makes no spare", async (t) => {
  refuseInstances(t);
  const { module, supervisor, exports } = await begin(factory(), { spare: true });
  await spared(module);
  supervisor.reset();
  supervisor.reset();
  const waiting = rejection(exports.wait(1));
  supervisor.terminate("unloaded");
  assert.equal((await waiting).name, "ModuleTerminated");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(module.spare.generation, null);
  assert.equal(module.spare.state, "off");
});

test("the error for an engine that makes no instance synchronously names the remedy", (t) => {
  refuseInstances(t);
  const error = thrown(() => loadModuleSync({ glue: fixture("faults") }));
  assert.equal(error.name, "LoadError");
  const expected =
    "larger than 8 MB, which this browser instantiates at once in workers only. " +
    "Use the asynchronous `load`, or a worker.";
  assert.ok(error.message.endsWith(expected), error.message);
});

const VINTAGES = [
  "@jsquash/oxipng/codec/pkg/squoosh_oxipng.js",
  "@jsquash/resize/lib/resize/pkg/squoosh_resize.js",
  "@jsquash/resize/lib/magic-kernel/pkg/jsquash_magic_kernel.js",
  "@ruvector/exotic-wasm/ruvector_exotic_wasm.js",
  "prql-js/dist/web/prql_js.js",
  "@resvg/resvg-wasm/index.mjs",
];

for (const path of VINTAGES) {
  test(`${path} can be prepared: its init runs twice and keeps the second instance`, async (t) => {
    refuseInstances(t);
    const { module, supervisor } = await begin({ glue: glueFile(`node_modules/${path}`) }, { spare: true });
    const first = module.generation;
    assert.ok(first.memoryBytes > 0);
    await spared(module);
    supervisor.reset();
    assert.equal(module.generation.number, 1);
    assert.notEqual(module.generation.memory, first.memory);
    assert.equal(typeof (module.generation.functions[0] ?? module.generation.classes[0]), "function");
  });
}
