/**
 * The ways to put a package under supervision, behind one interface: `make` fills a generation with a new instance
 * at once, `prepare` lets the engine take its time, and `begin` runs the start function. All of them make
 * instances whose exports are guarded. They differ in what is made anew for each generation:
 *
 * - factory: the glue and the instance. Generations share nothing.
 * - native: the instance alone, by the glue's own `__wbg_reset_state`. This serves glue that comes as an imported
 *   namespace, and glue that cannot be made a factory because a content security policy forbids to compile it.
 * - raw: the instance alone, of a Wasm file that has no glue (raw/adapter.js).
 */

import { VIEWS } from "../glue/factory.js";
import { Instantiation } from "./instantiate.js";
import { replacementFor } from "./leftovers.js";
import { markingStore, markingViews, ordinaryStore, ordinaryViews } from "./marking.js";
import { watchedPromise } from "./promises.js";
import { LazyRegistry, notingRegistry } from "./registries.js";

/** @import {Adapter, Description, Glue, GlueFactory, WasmInterface} from "../types.js" */
/** @import {Generation} from "./generation.js" */

/**
 * Runs the start function of a generation that has its instance, and hands the generation what the glue exports.
 * @param {Generation} generation @param {Description} description
 */
export function begin(generation, description) {
  const { exports, hidden } = generation;
  generation.runStart();
  generation.runRest();
  generation.functions = description.functions.map(({ name }) => exports[name]);
  generation.classes = description.classes.map((described) => (described.hidden ? hidden : exports)[described.name]);
  if (typeof exports.setPanicHook === "function") {
    generation.panicHook = (/** @type {unknown} */ payload) => generation.notePanic(payload);
    exports.setPanicHook(generation.panicHook);
  }
}

/**
 * What the glue gets to reach memory and to register finalizers with: if calls of the module can be rolled back, what
 * it does with them is noted.
 * @param {Generation} generation
 * @returns {[registry: Function, store: Function, ...views: Function[]]} as a factory takes them
 */
function memoryScope(generation) {
  const { holder } = generation;
  if (holder === null) return [LazyRegistry, ordinaryStore, ...ordinaryViews(VIEWS)];
  return [notingRegistry(holder), markingStore(holder), ...markingViews(holder, VIEWS)];
}

/**
 * @param {{glue: Glue, factory: GlueFactory, imports: unknown[], importModule: Function,
 *          module: WebAssembly.Module, wasm: WasmInterface, description: Description, missing: string[],
 *          snippets?: Record<string, unknown>}} parts
 * @returns {Adapter}
 */
export function factoryAdapter({ glue, factory, imports, importModule, module, wasm, description, missing, snippets }) {
  // Nothing below may hold `glue`: its syntax tree would stay for the life of the module.
  const { url, target } = glue;
  const { key } = glue.init;
  const argument = key === null ? module : { [key]: module };
  const isWhole = wasm.imports.every(({ kind }) => kind === "function" || /** @type {string} */ (kind) === "tag");
  const canCopy =
    isWhole && !glue.rest && !wasm.startsByItself && glue.bindings.has("heap") === glue.bindings.has("heap_next");
  /** @param {Generation} generation */
  const evaluate = (generation) => {
    const instantiation = new Instantiation(module, wasm, generation, url, missing);
    const promise = generation.unwinds || generation.holder !== null ? watchedPromise(generation) : Promise;
    const scope = instantiation.guardedWebAssembly();
    const evaluated = factory(imports, { url }, importModule, scope, promise, ...memoryScope(generation));
    if (evaluated.rest) generation.runRest = evaluated.rest;
    if (evaluated.heap) generation.heap = evaluated.heap;
    if (evaluated.nextPlace) generation.nextPlace = evaluated.nextPlace;
    generation.cuts.push(() => evaluated.drop((value) => replacementFor(value, generation, wasm)));
    generation.exports = evaluated.exports;
    generation.hidden = evaluated.hidden;
    return { instantiation, init: () => evaluated.init(argument, snippets) };
  };
  return {
    name: "factory",
    target,
    missing,
    canSpare: !wasm.startsByItself,
    canCopy,
    description,
    release: () => {},
    make: (/** @type {Generation} */ generation) => evaluate(generation).init(),
    async prepare(/** @type {Generation} */ generation) {
      const { instantiation, init } = evaluate(generation);
      instantiation.ask(init);
      await instantiation.prepare();
      generation.init = init;
    },
    begin(/** @type {Generation} */ generation) {
      generation.init();
      begin(generation, description);
    },
  };
}

/**
 * @param {{namespace: Record<string, any>, url: string, module: WebAssembly.Module,
 *          wasm: WasmInterface, description: Description, missing: string[], release: () => void}} parts
 * @returns {Adapter}
 */
export function nativeAdapter({ namespace, url, module, wasm, description, missing, release }) {
  /** @type {WebAssembly.Imports | null} the glue's own; the same functions serve every instance */
  let imports = null;
  /**
   * Runs the glue's init or reset with another `WebAssembly.Instance`. The glue's scope is out of reach, but the glue
   * looks this name up at every call.
   * @param {Instantiation} instantiation
   */
  const init = (instantiation) => {
    const { generation } = instantiation;
    const { Instance } = WebAssembly;
    let hasInstance = false;
    /** @param {unknown} _module @param {WebAssembly.Imports} glueImports */
    function Guarded(_module, glueImports) {
      WebAssembly.Instance = Instance;
      imports = glueImports;
      hasInstance = true;
      return instantiation.instantiate(glueImports);
    }
    Guarded.prototype = Instance.prototype;
    WebAssembly.Instance = /** @type {any} */ (Guarded);
    try {
      // `initSync` makes the first instance, unless the page has called it before.
      if (generation.number === 0) namespace.initSync({ module });
      if (!hasInstance) namespace.__wbg_reset_state();
    } finally {
      WebAssembly.Instance = Instance;
    }
  };
  /** @param {Generation} generation */
  const instantiationFor = (generation) => {
    generation.exports = namespace;
    return new Instantiation(module, wasm, generation, url, missing);
  };
  let begun = false;
  return {
    name: "native",
    target: "web",
    missing,
    canSpare: !wasm.startsByItself,
    canCopy: false,
    description,
    release() {
      if (begun) dropInstance(namespace);
      release();
    },
    make: (/** @type {Generation} */ generation) => init(instantiationFor(generation)),
    async prepare(/** @type {Generation} */ generation) {
      const instantiation = instantiationFor(generation);
      // The state of the glue belongs to the generation that runs, so the init may be run for this only before the
      // first one.
      if (imports === null) instantiation.ask(() => init(instantiation));
      else instantiation.take(imports);
      await instantiation.prepare();
      generation.init = () => init(instantiation);
    },
    begin(/** @type {Generation} */ generation) {
      generation.init();
      begun = true;
      begin(generation, description);
    },
  };
}

/**
 * A namespace lives as long as the page and holds an instance. This gives it an empty one, so that the memory of the
 * last instance can be collected. Code that is still on the stack, or that calls later, gets functions that do nothing.
 * @param {Record<string, any>} namespace
 */
function dropInstance(namespace) {
  const { Instance } = WebAssembly;
  const exports = new Proxy({}, { get: () => () => undefined });
  WebAssembly.Instance = /** @type {any} */ (
    function Empty() {
      return { exports };
    }
  );
  try {
    namespace.__wbg_reset_state();
  } finally {
    WebAssembly.Instance = Instance;
  }
}
