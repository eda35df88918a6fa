/**
 * Two ways to put a package under supervision, behind one interface: `make` fills a
 * generation with a new instance at once, `prepare` lets the engine take its time, and
 * `begin` runs the start function. Both hand the glue an instance whose exports are
 * guarded; they differ in what they make anew.
 *
 * - factory: the glue and the instance. Generations share nothing.
 * - native: the instance alone, through the glue's own `__wbg_reset_state`. For
 *   glue that comes as an imported namespace, and where a content security policy
 *   forbids to compile the factory.
 */

import { Instantiation } from "./instantiate.js";
import { replaced } from "./leftovers.js";

/** @import {Adapter, Description, Glue, GlueFactory, WasmInterface} from "../types.js" */
/** @import {Generation} from "./generation.js" */

/**
 * `Promise` as the glue of one generation sees it: it remembers for each promise
 * the function that settles it. Rust holds that function as long as the task
 * that owes the result is alive, which tells whose task a panic unwound.
 * @param {Generation} generation
 */
function watchedPromise(generation) {
  return new Proxy(Promise, {
    construct(target, [executor]) {
      const settler = { resolve: /** @type {unknown} */ (null), settled: false };
      const promise = new target((resolve, reject) => {
        settler.resolve = settling(settler, resolve);
        executor(settler.resolve, settling(settler, reject));
      });
      generation.settlers.set(promise, settler);
      return promise;
    },
    get(target, property) {
      const value = Reflect.get(target, property);
      // Promise.resolve and its siblings are called with the proxy as `this`.
      return typeof value === "function" && property !== "prototype" ? value.bind(target) : value;
    },
  });
}

/**
 * Apart from what knows the generation: a timer may hold it.
 * @param {{settled: boolean}} settler @param {(value: any) => void} settle
 */
function settling(settler, settle) {
  return (/** @type {any} */ value) => {
    settler.settled = true;
    settle(value);
  };
}

/**
 * `FinalizationRegistry` as the glue sees it. Glue makes one for each class and one
 * for closures, and most generations use none: that was a fifth of the time that a
 * generation takes to make.
 */
class LazyRegistry {
  /** @param {(held: any) => void} clean */
  constructor(clean) {
    this.clean = clean;
    /** @type {FinalizationRegistry<unknown> | null} */
    this.registry = null;
  }

  /** @param {object} target @param {unknown} held @param {object} [token] */
  register(target, held, token) {
    this.registry ??= new FinalizationRegistry(this.clean);
    this.registry.register(target, held, token);
  }

  /** @param {object} token */
  unregister(token) {
    return this.registry?.unregister(token) ?? false;
  }
}

/**
 * Runs the start function of a generation that has its instance, and takes its exports over.
 * @param {Generation} generation @param {Description} description
 */
function begin(generation, description) {
  const { exports, hidden } = generation;
  generation.runStart();
  generation.functions = description.functions.map(({ name }) => exports[name]);
  generation.classes = description.classes.map((described) => (described.hidden ? hidden : exports)[described.name]);
  if (typeof exports.setPanicHook === "function") {
    exports.setPanicHook((/** @type {unknown} */ payload) => generation.notePanic(payload));
  }
}

/**
 * @param {{glue: Glue, factory: GlueFactory, imports: unknown[], importModule: Function,
 *          module: WebAssembly.Module, wasm: WasmInterface, description: Description, missing: string[]}} parts
 * @returns {Adapter}
 */
export function factoryAdapter({ glue, factory, imports, importModule, module, wasm, description, missing }) {
  // Nothing below may hold the glue itself, which brings its syntax tree along for the life of the module.
  const { url } = glue;
  const { key } = glue.init;
  const argument = key === null ? module : { [key]: module };
  const isWhole = wasm.imports.every(({ kind }) => kind === "function" || /** @type {string} */ (kind) === "tag");
  const canCopy = isWhole && !wasm.startsByItself && glue.bindings.has("heap") === glue.bindings.has("heap_next");
  /** @param {Generation} generation */
  const evaluate = (generation) => {
    const instantiation = new Instantiation(module, wasm, generation, url, missing);
    const promise = generation.unwinds ? watchedPromise(generation) : Promise;
    const scope = instantiation.namespace();
    const evaluated = factory(imports, { url }, importModule, scope, promise, LazyRegistry);
    if (evaluated.heap) generation.heap = evaluated.heap;
    if (evaluated.nextPlace) generation.nextPlace = evaluated.nextPlace;
    generation.cuts.push(() => evaluated.drop((value) => replaced(value, generation, wasm)));
    generation.exports = evaluated.exports;
    generation.hidden = evaluated.hidden;
    return { instantiation, init: () => evaluated.init(argument) };
  };
  return {
    name: "factory",
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
  /** @type {WebAssembly.Imports | null} the glue's own: the same functions serve every instance */
  let imports = null;
  /**
   * Runs the glue's init or reset while it sees a guarded `WebAssembly`. Its own
   * scope is out of reach, but it looks the name up at every call.
   * @param {Instantiation} instantiation
   */
  const init = (instantiation) => {
    const { generation } = instantiation;
    const { Instance } = WebAssembly;
    let made = false;
    /** @param {unknown} _module @param {WebAssembly.Imports} given */
    function Guarded(_module, given) {
      WebAssembly.Instance = Instance;
      imports = given;
      made = true;
      return instantiation.instantiate(given);
    }
    Guarded.prototype = Instance.prototype;
    WebAssembly.Instance = /** @type {any} */ (Guarded);
    try {
      // The first time `initSync` does it, unless the page has called it before.
      if (generation.number === 0) namespace.initSync({ module });
      if (!made) namespace.__wbg_reset_state();
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
      // The glue's state belongs to the running generation: it may be asked once only, before the first.
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
 * A namespace lives as long as the page and holds an instance: have it hold one that is empty, so that the memory of
 * the last goes. What is still on the stack, or calls later, finds functions that do nothing.
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
