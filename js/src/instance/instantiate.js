/**
 * Where the instance of a generation comes from: it is made at once, or it was prepared.
 *
 * On a page's main thread engines refuse to instantiate large modules at once (Chromium above 8 MB), and after its init
 * glue cannot instantiate in another way. So a generation can be prepared: its glue is run until it tells what it
 * imports, the engine instantiates without blocking, and then the glue's init is run again and gets that instance.
 */

import { GlueError } from "../shared/errors.js";
import { sharedMemory } from "../shared/messages.js";
import { guardExports, numbered, replaceExports } from "./exports.js";
import { guardImports } from "./imports.js";
import { PlainCode } from "./plain.js";
import { OWN_MODULE } from "./stopwatch.js";

/** @import {WasmInterface} from "../types.js" */
/** @import {Generation} from "./generation.js" */

/** Ends an init that is run only to learn what it imports. */
const ASKED = Object.freeze({ name: "asked" });

/** `WebAssembly` as the glue of one generation sees it. */
export class Instantiation {
  /**
   * @param {WebAssembly.Module} module @param {WasmInterface} wasm
   * @param {Generation} generation @param {string} url of the glue, for messages
   * @param {string[]} missing exports that the glue calls and the Wasm file lacks
   */
  constructor(module, wasm, generation, url, missing) {
    this.module = module;
    this.wasm = wasm;
    this.generation = generation;
    this.url = url;
    this.missing = missing;
    this.asking = false;
    /** @type {WebAssembly.Imports | null} the guarded imports, once the glue has told them */
    this.imports = null;
    /** @type {WebAssembly.Instance | null} */
    this.prepared = null;
  }

  /**
   * @param {WebAssembly.Imports} imports
   * @returns {WebAssembly.Instance} whose exports are guarded
   */
  instantiate(imports) {
    if (!this.prepared) {
      this.take(imports);
      if (this.asking) throw ASKED;
    }
    const instance =
      this.prepared ?? new WebAssembly.Instance(this.module, /** @type {WebAssembly.Imports} */ (this.imports));
    const given = /** @type {WebAssembly.Imports} */ (this.imports);
    this.allowTransplants();
    // The glue's scope holds this object for ever, and must not hold the instance.
    this.prepared = null;
    this.imports = null;
    const guarded = this.guarded(instance);
    this.allowPlainCode(instance, given);
    return guarded;
  }

  /** @param {WebAssembly.Instance} instance @param {WebAssembly.Imports} imports its own */
  allowPlainCode({ exports }, imports) {
    const transaction = /** @type {any} */ (this.generation.transaction);
    if (transaction === null) return;
    transaction.plain = new PlainCode(this.generation, transaction, this.module, imports);
    transaction.plain.begin(exports);
  }

  /** @param {WebAssembly.Imports} imports the glue's own */
  take(imports) {
    checkImports(imports, this.wasm, this.url);
    this.imports = guardImports(imports, this.wasm, this.generation);
  }

  /** Runs the glue's init up to the point where it wants an instance. @param {() => unknown} init */
  ask(init) {
    this.asking = true;
    try {
      init();
    } catch (error) {
      if (error !== ASKED) throw error;
    } finally {
      this.asking = false;
    }
  }

  /** Has the engine make the instance, with the imports that `take` got. */
  async prepare() {
    this.prepared = await WebAssembly.instantiate(this.module, /** @type {WebAssembly.Imports} */ (this.imports));
    const memory = Object.values(this.prepared.exports).find((value) => value instanceof WebAssembly.Memory);
    this.generation.memory = /** @type {WebAssembly.Memory | undefined} */ (memory) ?? null;
  }

  /**
   * An instance whose memory or tables have grown in a call that is rolled back gives way to another one: neither can
   * shrink.
   */
  allowTransplants() {
    const { module, wasm, generation } = this;
    const imports = /** @type {WebAssembly.Imports} */ (this.imports);
    if (generation.holder === null) return;
    generation.transplant = () => {
      let instance;
      try {
        instance = new WebAssembly.Instance(module, imports);
      } catch {
        return false; // too large for the page's main thread, or there are too many memories
      }
      const { memory } = generation;
      replaceExports(instance, wasm, generation);
      generation.transaction?.moveTo(numbered(instance.exports, "global_"), numbered(instance.exports, "table_"));
      // This detaches the views that the glue keeps, so that it makes new ones.
      memory?.grow(0);
      generation.transaction?.plain?.begin(instance.exports);
      return true;
    };
  }

  /** @param {WebAssembly.Instance} instance */
  guarded(instance) {
    const exports = guardExports(instance, this.wasm, this.generation);
    for (const name of this.missing) exports[name] = missingExport(name, this.url);
    // `instance instanceof WebAssembly.Instance` decides in the glue which result it got.
    return Object.create(WebAssembly.Instance.prototype, { exports: { value: exports } });
  }

  /** `WebAssembly` for the glue's scope: the real one, except for the functions that make instances. */
  guardedWebAssembly() {
    const instantiate = (/** @type {unknown} */ _module, /** @type {WebAssembly.Imports} */ imports) =>
      this.instantiate(imports);
    /** @this {unknown} @param {unknown} _module @param {WebAssembly.Imports} imports */
    function Instance(_module, imports) {
      return instantiate(_module, imports);
    }
    Instance.prototype = WebAssembly.Instance.prototype;
    return Object.create(WebAssembly, {
      Instance: { value: Instance },
      Module: { value: Module },
      instantiate: { value: instantiate },
    });
  }
}

/**
 * `WebAssembly.Module` as the glue sees it. `initSync` of 2022 compiles what it gets, which here is compiled already.
 * @param {any} source
 */
function Module(source) {
  return source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
}
Module.prototype = WebAssembly.Module.prototype;
Object.setPrototypeOf(Module, WebAssembly.Module);

/**
 * Stands for an export that the glue calls and the Wasm file lacks. Where a package makes no objects of a class, its
 * build leaves out the function that frees them. There is nothing to free then, and a finalizer has no caller to report
 * to.
 * @param {string} name @param {string} url of the glue
 */
function missingExport(name, url) {
  if (/^__wbg_\w+_free$/.test(name)) return () => {};
  return () => {
    throw new GlueError(
      `${url} calls the export ${name}, which its Wasm file does not have. Take both from the same build.`,
    );
  };
}

/**
 * @param {WebAssembly.Imports} imports
 * @param {WasmInterface} wasm
 * @param {string} url of the glue
 * @throws {GlueError} if the glue does not offer what the Wasm file needs
 */
function checkImports(imports, wasm, url) {
  for (const { module, name, kind } of wasm.imports) {
    const value = /** @type {any} */ (imports?.[module])?.[name];
    // A module that came compiled does not tell before whether its memory is shared.
    if (kind === "memory" && Object.prototype.toString.call(value?.buffer) === "[object SharedArrayBuffer]")
      throw sharedMemory(url);
  }
  const missing = wasm.imports.find(
    ({ module, name }) => module !== OWN_MODULE && /** @type {any} */ (imports?.[module])?.[name] === undefined,
  );
  if (missing) {
    throw new GlueError(
      `${url} and its Wasm file do not belong together: the Wasm file imports ` +
        `${missing.module}.${missing.name}, which the glue does not have. Take both from the same build.`,
    );
  }
}
