/** The adapter of a Wasm file that has no glue: only the instance is made anew. Its exports are what the user calls. */

import { begin } from "../instance/adapters.js";
import { Instantiation } from "../instance/instantiate.js";

/** @import {Adapter, Description, WasmInterface} from "../types.js" */
/** @import {Generation} from "../instance/generation.js" */

/**
 * @param {{url: string, imports: WebAssembly.Imports, module: WebAssembly.Module, wasm: WasmInterface,
 *          description: Description, missing: string[]}} parts
 * @returns {Adapter}
 */
export function rawAdapter({ url, imports, module, wasm, description, missing }) {
  /** @param {Instantiation} instantiation */
  const init = (instantiation) => {
    instantiation.generation.exports = instantiation.instantiate(imports).exports;
  };
  const instantiationFor = (/** @type {Generation} */ generation) =>
    new Instantiation(module, wasm, generation, url, []);
  return {
    name: "raw",
    target: "",
    missing,
    canSpare: !wasm.startsByItself,
    canCopy: !wasm.startsByItself,
    description,
    release: () => {},
    make: (/** @type {Generation} */ generation) => init(instantiationFor(generation)),
    async prepare(/** @type {Generation} */ generation) {
      const instantiation = instantiationFor(generation);
      instantiation.take(imports);
      await instantiation.prepare();
      generation.init = () => init(instantiation);
    },
    begin(/** @type {Generation} */ generation) {
      generation.init();
      begin(generation, description);
    },
  };
}
