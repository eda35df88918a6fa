/** Loads glue that the page has imported: its namespace is here, and its Wasm file is told. */

import { fetchWasm } from "../files/compiling.js";
import { readNamespace, unwrapNamespace } from "../glue/namespace.js";
import { GlueError, LoadError } from "../shared/errors.js";
import { checkRewritten, DEADLINES } from "../wasm/rewriting.js";
import { adaptNamespace } from "./adapting.js";
import { named } from "./bare.js";
import { open } from "./opening.js";

/** @import {Settings} from "./opening.js" */
/** @import {LoadOptions, WasmSource} from "../types.js" */

/** @param {unknown} glue @returns {glue is Record<string, any>} */
export function isNamespace(glue) {
  return typeof glue === "object" && glue !== null && !(glue instanceof URL) && !("source" in glue && "url" in glue);
}

/**
 * @param {Record<string, any>} imported @param {WasmSource | undefined} source
 * @param {Settings} settings @param {LoadOptions} how
 */
export async function loadNamespace(imported, source, settings, how) {
  const url = "the imported namespace";
  if (how.integrity)
    throw new LoadError(`The integrity of ${url} cannot be checked, it has run already: pass the glue's URL instead.`);
  const namespace = unwrapNamespace(imported);
  if (typeof namespace.initSync !== "function" && typeof namespace.default !== "function") {
    throw new GlueError(`${url} is not wasm-bindgen glue: it exports neither initSync nor a default init function.`);
  }
  if (typeof namespace.__wbg_reset_state !== "function") {
    throw new GlueError(
      `${url} has no __wbg_reset_state, so it cannot be reset. Pass the glue's URL instead, ` +
        "or build it with `wasm-bindgen --experimental-reset-state-function`.",
    );
  }
  if (source === undefined) throw new LoadError(`${url} does not tell its Wasm file: pass it as \`wasm\`.`);
  const compiled = await fetchNamespaceWasm(source, how);
  const glue = readNamespace(namespace, url);
  const adapter = adaptNamespace(namespace, glue, compiled);
  return open(glue, adapter, compiled, named(settings, compiled.origin), how.signal);
}

/**
 * The Wasm file of an imported namespace. It is not rewritten here: the page has imported glue that knows nothing of
 * the rewritten file, and may have started it.
 * @param {WasmSource} source @param {LoadOptions} how
 */
async function fetchNamespaceWasm(source, { rewriter, rewrites, ...how }) {
  const compiled = await fetchWasm(source, how);
  // Rollback is refused later: no rewriting makes it possible here.
  const needed = (rewrites ?? DEADLINES) & DEADLINES;
  if (rewriter && needed)
    checkRewritten(compiled.module, "The Wasm file of an imported namespace", "Pass the glue's URL as `glue`", needed);
  return compiled;
}
