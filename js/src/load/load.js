/**
 * Loads a package: from its glue and its Wasm file to a module under supervision. No module is left half loaded,
 * because everything that can fail comes before the first generation is handed out.
 */

import { compileWasm, fetchWasm } from "../files/compiling.js";
import { checkIntegrityAtOnce } from "../files/integrity.js";
import { readGlue } from "../glue/glue.js";
import { readNamespace, unwrapNamespace } from "../glue/namespace.js";
import { GlueError, LoadError } from "../shared/errors.js";
import { checkRewritten, DEADLINES } from "../wasm/rewriting.js";
import { adaptNamespace, chooseAdapter, factoryAtOnce, fromFactory } from "./adapting.js";
import { moduleName } from "./naming.js";
import { open, openAtOnce } from "./opening.js";
import {
  checkText,
  defaultWasm,
  fetchDefaultWasm,
  fetchGlue,
  followEntry,
  followEntryAtOnce,
  importSnippet,
  readBeside,
  runSnippet,
  snippetsOf,
} from "./sources.js";

/** @import {SupervisedModule} from "../module/module.js" */
/** @import {Settings} from "./opening.js" */
/** @import {Digest, GlueSource, GlueText, LoadOptions, ReadFile, WasmSource} from "../types.js" */

/**
 * @param {object} options
 * @param {GlueSource} options.glue URL, text with its URL, or an imported namespace
 * @param {WasmSource} [options.wasm] default: what the glue itself would fetch
 * @param {string} [options.name] default: see `moduleName`
 * @param {boolean} [options.rollsBack] whether calls that crash are rolled back, if the Wasm file is rewritten for that
 * @param {boolean | null} [options.spare] whether to keep a generation made ahead of need;
 *   default: where the engine refuses to make one at once
 * @param {number} [options.startMs] how long the start function may compute, where calls can be stopped
 * @param {LoadOptions} [how]
 * @returns {Promise<SupervisedModule>}
 * @throws {LoadError}
 * @throws the signal's reason, when it was aborted
 */
export async function loadModule({ glue, wasm, name, rollsBack, spare, startMs }, how = {}) {
  const { signal } = how;
  signal?.throwIfAborted();
  if (isNamespace(glue)) return loadNamespace(glue, wasm, { name, rollsBack, spare, startMs }, how);
  /** @type {GlueText} */
  const named =
    typeof glue === "object" && "source" in glue ? /** @type {GlueText} */ (glue) : await fetchGlue(String(glue), how);
  await checkText(named, how);
  const text = await followEntry(named, how);
  const parsed = readGlue(text.source, text.url);
  const importAll = (/** @type {string[]} */ names) => Promise.all(names.map((from) => importSnippet(from, text, how)));
  const imports = await importAll(parsed.imports.map(({ from }) => from));
  const fetched = await (wasm === undefined ? fetchDefaultWasm(parsed, text, how) : fetchWasm(wasm, how));
  const names = snippetsOf(parsed, fetched);
  const compiled = { ...fetched, snippets: byName(names, await importAll(names)) };
  const adapter = await chooseAdapter(parsed, imports, compiled, how);
  return open(parsed, adapter, compiled, { name, rollsBack, spare, startMs, movedTo: text.movedTo }, signal);
}

/**
 * Loads a package at once: nothing of it needs the network.
 * @param {object} options
 * @param {GlueText & {readFile: ReadFile}} options.glue
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} [options.wasm] default: the file beside the glue
 * @param {string} [options.name]
 * @param {boolean} [options.rollsBack]
 * @param {boolean | null} [options.spare]
 * @param {number} [options.startMs]
 * @param {{integrity?: string, digest?: Digest, rewriter?: Uint8Array<ArrayBuffer>, rewrites?: number,
 *   wishes?: number}} [how]
 */
export function loadModuleSync({ glue, wasm, name, rollsBack, spare, startMs }, how = {}) {
  checkIntegrityAtOnce(new TextEncoder().encode(glue.source), glue.url, how);
  const read = (/** @type {string} */ from) => {
    const bytes = readBeside(from, glue.readFile, glue.url);
    checkIntegrityAtOnce(bytes, from, how);
    return bytes;
  };
  const text = followEntryAtOnce(glue, read);
  const parsed = readGlue(text.source, text.url);
  const run = (/** @type {string} */ from) => runSnippet(read(from), from, text.url);
  const imports = parsed.imports.map(({ from }) => run(from));
  const fetched = compileWasm(wasm ?? defaultWasm(parsed, text), parsed.wasmPath, how);
  const names = snippetsOf(parsed, fetched);
  const compiled = { ...fetched, snippets: byName(names, names.map(run)) };
  const adapter = fromFactory(parsed, factoryAtOnce(parsed), imports, compiled);
  return openAtOnce(parsed, adapter, compiled, { name, rollsBack, spare, startMs });
}

/** @param {string[]} names @param {unknown[]} values */
function byName(names, values) {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** @param {unknown} glue @returns {glue is Record<string, any>} */
function isNamespace(glue) {
  return typeof glue === "object" && glue !== null && !(glue instanceof URL) && !("source" in glue && "url" in glue);
}

/**
 * Loads glue that was imported: its namespace is here, and its Wasm file is told.
 * @param {Record<string, any>} imported @param {WasmSource | undefined} source
 * @param {Settings} settings @param {LoadOptions} how
 */
async function loadNamespace(imported, source, settings, how) {
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
  // Bytes, modules, data: URLs and blob: URLs have no address that a name could come from.
  const address = /^[\w+-]+:\/\//.test(compiled.origin) ? compiled.origin : "";
  const fileName = moduleName(address.replace(/(_bg)?\.wasm(?=$|[?#])/, ".js"));
  const adapter = adaptNamespace(namespace, glue, compiled);
  return open(glue, adapter, compiled, { ...settings, name: settings.name ?? fileName }, how.signal);
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
