/**
 * Two ways to put a package under supervision, behind one interface: `make(generation)`
 * fills a generation with a new instance, at once. Both hand the glue an instance
 * whose exports are guarded; they differ in what they make anew.
 *
 * - factory: the glue and the instance. Generations share nothing.
 * - native: the instance alone, through the glue's own `__wbg_reset_state`. For
 *   glue that comes as an imported namespace, and where a content security policy
 *   forbids to compile the factory.
 */

import { GlueError } from "./errors.js";
import { guardExports, guardImports } from "./guard.js";

/** @import {Adapter, Description, Glue, GlueFactory, WasmInterface} from "./types.js" */
/** @import {Generation} from "./generation.js" */

/**
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Imports} imports
 * @param {WasmInterface} wasm
 * @param {string} url of the glue
 * @throws {GlueError} if the glue does not offer what the Wasm file needs
 */
function checkImports(module, imports, wasm, url) {
  const missing = wasm.imports.find((wanted) => /** @type {any} */ (imports?.[wanted.module])?.[wanted.name] === undefined);
  if (missing) {
    throw new GlueError(
      `${url} and its Wasm file do not belong together: the Wasm file imports ` +
        `${missing.module}.${missing.name}, which the glue does not have. Were both written by the same build?`,
    );
  }
}

/**
 * `WebAssembly` as the glue of one generation sees it: the real namespace, but
 * instances are made at once, of the given module, with guards around them.
 *
 * @param {WebAssembly.Module} module
 * @param {WasmInterface} wasm
 * @param {Generation} generation
 * @param {string} url
 */
function guardedWebAssembly(module, wasm, generation, url) {
  /** @param {WebAssembly.Imports} imports */
  const instantiate = (imports) => {
    checkImports(module, imports, wasm, url);
    const instance = new WebAssembly.Instance(module, guardImports(imports, wasm, generation));
    const exports = guardExports(instance, wasm, generation);
    // `instance instanceof WebAssembly.Instance` decides in the glue which result it got.
    return Object.create(WebAssembly.Instance.prototype, { exports: { value: exports } });
  };
  /** @this {unknown} @param {unknown} _module @param {WebAssembly.Imports} imports */
  function Instance(_module, imports) {
    return instantiate(imports);
  }
  Instance.prototype = WebAssembly.Instance.prototype;
  return Object.create(WebAssembly, {
    Instance: { value: Instance },
    instantiate: { value: (/** @type {unknown} */ _module, /** @type {WebAssembly.Imports} */ imports) => instantiate(imports) },
  });
}

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
        settler.resolve = (/** @type {any} */ value) => {
          settler.settled = true;
          resolve(value);
        };
        executor(settler.resolve, (/** @type {unknown} */ reason) => {
          settler.settled = true;
          reject(reason);
        });
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
 * @param {Generation} generation
 * @param {Description} description
 * @param {Record<string, any>} exports
 */
function adopt(generation, description, exports) {
  generation.exports = exports;
  generation.functions = description.functions.map(({ name }) => exports[name]);
  generation.classes = description.classes.map(({ name }) => exports[name]);
  if (typeof exports.setPanicHook === "function") {
    exports.setPanicHook((/** @type {unknown} */ payload) => generation.notePanic(payload));
  }
}

/**
 * @param {{glue: Glue, factory: GlueFactory, imports: unknown[], importModule: Function,
 *          module: WebAssembly.Module, wasm: WasmInterface, description: Description}} parts
 * @returns {Adapter}
 */
export function factoryAdapter({ glue, factory, imports, importModule, module, wasm, description }) {
  const argument = glue.init.key === null ? module : { [glue.init.key]: module };
  return {
    name: "factory",
    description,
    release: () => {},
    make(generation) {
      const scope = guardedWebAssembly(module, wasm, generation, glue.url);
      const promise = generation.unwinds ? watchedPromise(generation) : Promise;
      const evaluated = factory(imports, { url: glue.url }, importModule, scope, promise, LazyRegistry);
      evaluated.init(argument);
      if (evaluated.heap) generation.heap = evaluated.heap;
      adopt(generation, description, evaluated.exports);
    },
  };
}

/**
 * @param {{namespace: Record<string, any>, url: string, module: WebAssembly.Module,
 *          wasm: WasmInterface, description: Description, release: () => void}} parts
 * @returns {Adapter}
 */
export function nativeAdapter({ namespace, url, module, wasm, description, release }) {
  /**
   * Runs a function of the glue while it sees a guarded `WebAssembly`. Its own
   * scope is out of reach, but it looks the name up at every call.
   * @param {Generation} generation @param {() => void} run
   */
  const underGuard = (generation, run) => {
    const { Instance } = WebAssembly;
    const guarded = guardedWebAssembly(module, wasm, generation, url);
    /** @param {unknown} given @param {WebAssembly.Imports} imports */
    function Guarded(given, imports) {
      WebAssembly.Instance = Instance;
      return new guarded.Instance(given, guardClosures(imports, generation));
    }
    Guarded.prototype = Instance.prototype;
    WebAssembly.Instance = /** @type {any} */ (Guarded);
    try {
      run();
    } finally {
      WebAssembly.Instance = Instance;
    }
  };
  let made = false;
  return {
    name: "native",
    description,
    release() {
      if (made) dropInstance(namespace);
      release();
    },
    make(generation) {
      underGuard(generation, () => {
        // The first time `initSync` does it, unless the page has called it before.
        if (generation.number === 0) namespace.initSync({ module });
        if (generation.memory === null) namespace.__wbg_reset_state();
      });
      made = true;
      adopt(generation, description, namespace);
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
  WebAssembly.Instance = /** @type {any} */ (function Empty() {
    return { exports };
  });
  try {
    namespace.__wbg_reset_state();
  } finally {
    WebAssembly.Instance = Instance;
  }
}

/**
 * A closure of an earlier generation throws when a timer calls it, before it gets
 * to a guarded export; here it does nothing instead.
 * @param {WebAssembly.Imports} imports
 * @param {Generation} generation
 */
function guardClosures(imports, generation) {
  for (const functions of /** @type {Record<string, any>[]} */ (Object.values(imports))) {
    for (const [name, make] of Object.entries(functions)) {
      if (typeof make !== "function" || !/^__wbindgen_(closure_wrapper|cast_|generic_)/.test(name)) continue;
      functions[name] = (/** @type {unknown[]} */ ...args) => {
        const made = make(...args);
        return typeof made?._wbg_cb_unref === "function" ? muteWhenDead(made, generation) : made;
      };
    }
  }
  return imports;
}

/** @param {any} closure @param {Generation} generation */
function muteWhenDead(closure, generation) {
  const muted = (/** @type {unknown[]} */ ...args) => (generation.dead === null ? closure(...args) : undefined);
  muted._wbg_cb_unref = () => {
    if (generation.dead === null) closure._wbg_cb_unref();
  };
  return muted;
}
