/**
 * unpanic for plain JavaScript.
 *
 *     import { load } from "unpanic";
 *     const bank = await load("/pkg/bank.js");
 *     bank.exports.add(2, 3);
 */

import * as forms from "./forms.js";
import { makeFacade } from "./hosts/plain/facade.js";
import { DefaultSupervisor } from "./hosts/plain/supervisor.js";
import { loadModule } from "./load/load.js";
import { isPackage, resolvePackage, usePackagesFrom } from "./load/packages.js";

/** @import {GlueSource, Imports, PanicRecord, WasmSource} from "./types.js" */

export { makeFactory } from "./glue/prebuilt.js";
export * from "./shared/errors.js";

/**
 * Says where packages come from that are loaded by their names: another CDN, a mirror, or a folder that you serve.
 * @param {{base?: string | null}} options a URL with `{name}`, `{path}` and maybe `{version}` in it, such as
 *   "/node_modules/{name}/{path}"; default: jsDelivr
 * @throws {TypeError} it has not these places, or is not in an object
 */
export function npm(options) {
  if (typeof options !== "object" || options === null) {
    throw new TypeError('npm takes an object, such as npm({ base: "/node_modules/{name}/{path}" }).');
  }
  usePackagesFrom(options.base);
}

/**
 * Loads a package that wasm-bindgen wrote, for whatever target, and keeps it running: a
 * crash costs the caller an error, and the next call finds a fresh instance.
 *
 * @param {GlueSource} glue `npm:NAME@VERSION`, the URL of the glue, its imported namespace, or a Wasm file without glue
 * @param {object} [options]
 * @param {WasmSource} [options.wasm] default: the file that the glue would fetch
 * @param {Imports} [options.imports] what a Wasm file without glue imports: `{ env: { log: console.log } }`
 * @param {string} [options.name] default: the name of the glue's file, or of its package or folder
 * @param {(panic: PanicRecord) => void} [options.onPanic] called at every panic
 * @param {() => void} [options.onReset] called when the next generation is ready
 * @param {boolean} [options.spare] whether to keep a generation made ahead of need, which takes
 *   memory twice; default: where the engine refuses to make one at once (Chromium's main thread, above 8 MB)
 * @param {AbortSignal} [options.signal] ends a load that is under way
 * @param {(loaded: number, total: number | null) => void} [options.onProgress] hears of the Wasm
 *   file's bytes as they come; `total` is null where the server does not tell
 * @param {string} [options.integrity] hashes as in HTML (`sha384-…`), with spaces between them: glue,
 *   Wasm file and what the glue imports must each have one of them
 * @throws {import("./shared/errors.js").LoadError} nothing is left half loaded
 */
export async function load(glue, { wasm, imports, name, onPanic, onReset, spare, signal, onProgress, integrity } = {}) {
  const found = isPackage(glue) ? await resolvePackage(glue, signal) : null;
  if (found?.pinned) console.info(`unpanic: ${glue} is version ${found.version}. To keep it, write ${found.pinned}.`);
  const sources = found
    ? { glue: found.glue, wasm: wasm ?? found.wasm, name: name ?? found.name }
    : { glue, wasm, name };
  const how = { signal, onProgress, integrity, forms: () => forms };
  const module = await loadModule({ ...sources, imports, spare }, how);
  for (const warning of module.warnings) console.warn(`unpanic: ${warning}`);
  const supervisor = new DefaultSupervisor(module, { onPanic, onReset });
  module.host = supervisor;
  return {
    exports: makeFacade(module, supervisor),
    /** Drops this generation now; calls in flight are interrupted. */
    reset: () => supervisor.reset(),
    /** Ends the module and frees all. */
    unload: () => supervisor.terminate("unloaded"),
    get generation() {
      return module.generation.number;
    },
  };
}
