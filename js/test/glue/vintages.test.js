/** Real packages from npm: every form of glue since 2021 is described, makes new generations, and can be called. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFactory, factoryBody } from "../../src/glue/factory.js";
import { readGlue } from "../../src/glue/glue.js";
import { glueFile, supervise, thrown } from "../support.js";

// Node has no images.
globalThis.ImageData ??= /** @type {any} */ (
  class {
    constructor(data, width, height) {
      Object.assign(this, { data, width, height });
    }
  }
);

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const TEXT_CODERS = "export const TextDecoder = globalThis.TextDecoder, TextEncoder = globalThis.TextEncoder;";
const OWN_INIT = { name: "initWasm", key: null, async: 3 };
const ASYNC = { name: "init", key: null, async: 2 };
const POSITIONAL = { name: "initSync", key: null, async: 0 };
const OBJECT = { name: "initSync", key: "module", async: 0 };

/**
 * `use` must return `gives` in every generation, and `fail`, if there is one, must crash
 * as `kind`. `externrefs` and `heap` say where the glue keeps JavaScript values.
 */
const PACKAGES = [
  {
    what: "2021, no initSync",
    path: "@jsquash/oxipng/codec/pkg/squoosh_oxipng.js",
    init: ASYNC,
    wasm: "squoosh_oxipng_bg.wasm",
    exports: ["optimise"],
    use: (e) => [...e.optimise(new Uint8Array(Buffer.from(PIXEL, "base64")), 1, false).slice(0, 4)],
    gives: [0x89, 0x50, 0x4e, 0x47],
    fail: (e) => e.optimise(new Uint8Array([1, 2]), 1, false),
  },
  {
    what: "2021, a heap array and an import",
    path: "@pexip/denoise/denoise.js",
    beside: { "./EncoderDecoder": TEXT_CODERS },
    init: ASYNC,
    wasm: "denoise_bg.wasm",
    imports: ["./EncoderDecoder"],
    heap: true,
    exports: ["Denoise"],
    use: (e) => {
      const denoise = e.Denoise.new(480, 1);
      denoise.process_frames();
      return [typeof denoise.input(), denoise.input() !== denoise.output(), denoise.vad(0) >= 0];
    },
    gives: ["number", true, true],
  },
  {
    what: "initSync with the module itself",
    path: "@jsquash/resize/lib/resize/pkg/squoosh_resize.js",
    init: POSITIONAL,
    wasm: "squoosh_resize_bg.wasm",
    exports: ["resize"],
    use: (e) => [...e.resize(new Uint8Array([1, 2, 3, 4]), 1, 1, 2, 1, 0, false, false)],
    gives: [1, 2, 3, 4, 1, 2, 3, 4],
    fail: (e) => e.resize(new Uint8Array([1, 2, 3, 4]), 1, 1, 2, 1, 99, false, false),
    kind: "trap",
  },
  {
    what: "initSync with the module itself, a heap array",
    path: "prql-js/dist/web/prql_js.js",
    init: POSITIONAL,
    wasm: "prql_js_bg.wasm",
    heap: true,
    exports: ["CompileOptions", "compile", "prql_to_pl", "pl_to_prql", "pl_to_rq", "rq_to_sql", "get_targets"],
    use: (e) => {
      const options = new e.CompileOptions();
      options.signature_comment = false;
      options.format = false;
      return e.compile("from x", options);
    },
    gives: "SELECT * FROM x",
  },
  {
    what: "initSync with {module}, an externref table",
    path: "@jsquash/resize/lib/magic-kernel/pkg/jsquash_magic_kernel.js",
    init: OBJECT,
    wasm: "jsquash_magic_kernel_bg.wasm",
    externrefs: true,
    exports: ["resize"],
    use: (e) => e.resize(new Uint8Array(16).fill(7), 2, 2, 1, 1, "magicKernel").data.length,
    gives: 4,
  },
  {
    what: "initSync with {module}, a heap array and classes",
    path: "@ruvector/exotic-wasm/ruvector_exotic_wasm.js",
    init: OBJECT,
    wasm: "ruvector_exotic_wasm_bg.wasm",
    heap: true,
    exports: [
      "ExoticEcosystem",
      "WasmMorphogeneticNetwork",
      "WasmNAO",
      "WasmTimeCrystal",
      "available_mechanisms",
      "init",
      "version",
    ],
    use: (e) => {
      const crystal = e.WasmTimeCrystal.synchronized(8, 10);
      crystal.tick();
      return [e.version(), crystal.oscillatorCount(), crystal.currentStep(), e.available_mechanisms().length];
    },
    gives: ["0.1.29", 8, 1, 3],
  },
  {
    what: "an initWasm of its own that refuses a second call",
    path: "@resvg/resvg-wasm/index.mjs",
    init: OWN_INIT,
    wasm: "index_bg.wasm",
    heap: true,
    exports: ["Resvg"],
    use: (e) => new e.Resvg('<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>').width,
    gives: 3,
    fail: (e) => new e.Resvg("no picture"),
  },
];

for (const {
  what,
  path,
  beside,
  init,
  wasm,
  imports = [],
  heap = false,
  externrefs = false,
  exports,
  use,
  gives,
  fail,
  kind,
} of PACKAGES) {
  const file = glueFile(`node_modules/${path}`, beside);

  test(`${path} (${what}) is described with its features`, () => {
    const glue = readGlue(file.source, file.url);
    const { name, key, asyncFunctions } = glue.init;
    assert.deepEqual({ name, key, async: asyncFunctions.length }, init);
    assert.equal(glue.wasmPath, wasm);
    assert.deepEqual(
      glue.imports.map(({ from }) => from),
      imports,
    );
    assert.equal(glue.usesResetState, false);
    assert.equal(typeof compileFactory(factoryBody(glue), glue.url), "function");
  });

  test(`${path} (${what}) works in two generations that share nothing`, async () => {
    const { module, supervisor, exports: found } = await supervise(file);
    assert.deepEqual(Object.keys(found).sort(), [...exports].sort());
    assert.deepEqual(use(found), gives);
    const first = module.generation;
    assert.equal(first.heap().length > 0, heap);
    assert.equal(first.externrefs !== null, externrefs);
    const { memory } = first;
    const before = Buffer.from(memory.buffer.slice(0));

    supervisor.reset();
    assert.equal(module.generation.number, 1);
    assert.deepEqual(use(found), gives);
    assert.notEqual(module.generation.memory, memory);
    assert.ok(before.equals(Buffer.from(memory.buffer)), "the first generation's memory was touched");
  });

  if (!fail) continue;
  test(`${path} (${what}) works again after a call that failed`, async () => {
    const { module, exports: found } = await supervise(file);
    const error = thrown(() => fail(found));
    assert.equal(error.kind, kind, error.stack);
    assert.equal(module.generation.number, kind ? 1 : 0);
    assert.deepEqual(use(found), gives);
  });
}

test("glue that imports a snippet of wasm-bindgen's own is read with it", () => {
  const { source, url } = glueFile("node_modules/@jsquash/oxipng/codec/pkg-parallel/squoosh_oxipng.js");
  const glue = readGlue(source, url);
  assert.deepEqual(
    glue.imports.map(({ from }) => from),
    ["./snippets/wasm-bindgen-rayon-3d2df09ebec17a22/src/workerHelpers.js"],
  );
  assert.match(factoryBody(glue), /^const startWorkers = \$imports\[0\]\["startWorkers"\];$/m);
  assert.equal(typeof compileFactory(factoryBody(glue), url), "function");
});
