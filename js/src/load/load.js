/**
 * Loads a package: from its glue and its Wasm file to a module under supervision. No module is left half loaded,
 * because everything that can fail comes before the first generation is handed out.
 */

import { compileWasm, fetchWasm } from "../files/compiling.js";
import { checkIntegrityAtOnce } from "../files/integrity.js";
import { readGlue } from "../glue/glue.js";
import { readNamespace, unwrapNamespace } from "../glue/namespace.js";
import { FetchError, GlueError, LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { MAGIC } from "../wasm/header.js";
import { checkRewritten, DEADLINES } from "../wasm/rewriting.js";
import { adaptNamespace, chooseAdapter, factoryAtOnce, fromFactory } from "./adapting.js";
import { moduleName } from "./naming.js";
import { open, openAtOnce } from "./opening.js";
import { adaptRaw, checkNoImports, glueBeside, isWasm, needsGlue, noGlue, withoutGlue } from "./raw.js";
import {
  checkText,
  defaultWasm,
  fetchDefaultWasm,
  fetchGlue,
  importSnippet,
  readBeside,
  runSnippet,
} from "./sources.js";

/** @import {SupervisedModule} from "../module/module.js" */
/** @import {Settings} from "./opening.js" */
/** @import {Compiled, Digest, Glue, GlueSource, GlueText, Imports, LoadOptions, ReadFile} from "../types.js" */
/** @import {WasmSource} from "../types.js" */

/**
 * @param {object} options
 * @param {GlueSource} options.glue URL, text with its URL, an imported namespace, or a Wasm file without glue
 * @param {WasmSource} [options.wasm] default: what the glue itself would fetch
 * @param {string} [options.name] default: see `moduleName`
 * @param {Imports} [options.imports] what a Wasm file without glue imports
 * @param {boolean} [options.rollsBack] whether calls that crash are rolled back, if the Wasm file is rewritten for that
 * @param {boolean | null} [options.spare] whether to keep a generation made ahead of need;
 *   default: where the engine refuses to make one at once
 * @param {number} [options.startMs] how long the start function may compute, where calls can be stopped
 * @param {LoadOptions} [how]
 * @returns {Promise<SupervisedModule>}
 * @throws {LoadError}
 * @throws the signal's reason, when it was aborted
 */
export async function loadModule({ glue, wasm, imports, ...settings }, how = {}) {
  how.signal?.throwIfAborted();
  const isAlone = wasm === undefined; // otherwise `glue` has to be glue, and the error says so if it is not
  if (isAlone && isWasm(glue)) return loadWasm(/** @type {WasmSource} */ (glue), null, imports, settings, how);
  if (isNamespace(glue)) return loadNamespace(glue, wasm, settings, how);
  /** @type {GlueText} */
  const text =
    typeof glue === "object" && "source" in glue ? /** @type {GlueText} */ (glue) : await fetchGlue(String(glue), how);
  if (isAlone && text.bytes && isWasmFile(text.bytes)) return loadWasm(text.bytes, text, imports, settings, how);
  checkNoImports(imports, text.url);
  return loadPackage(
    text,
    (parsed) => (wasm === undefined ? fetchDefaultWasm(parsed, text, how) : fetchWasm(wasm, how)),
    settings,
    how,
  );
}

/**
 * @param {GlueText} text @param {(parsed: Glue) => Promise<Compiled>} getWasm @param {Settings} settings
 * @param {LoadOptions} how
 */
async function loadPackage(text, getWasm, settings, how) {
  await checkText(text, how);
  const parsed = readGlue(text.source, text.url);
  const imports = await Promise.all(parsed.imports.map(({ from }) => importSnippet(from, text, how)));
  const compiled = await getWasm(parsed);
  const adapter = await chooseAdapter(parsed, imports, compiled, how);
  return open(parsed, adapter, compiled, { ...settings, movedTo: text.movedTo }, how.signal);
}

/**
 * Loads a Wasm file by itself, or with the glue that lies beside it if wasm-bindgen has written it.
 * @param {WasmSource} source @param {GlueText | null} file where it came from, if it was read already
 * @param {Imports | undefined} imports @param {Settings} settings @param {LoadOptions} how
 */
async function loadWasm(source, file, imports, settings, how) {
  const compiled = await fetchWasm(source, how);
  const place = file?.url ?? compiled.origin;
  if (!imports && needsGlue(compiled.wasm))
    return loadPackage(await findGlue(place, file, how), async () => compiled, settings, how);
  return open(withoutGlue(place), adaptRaw(compiled, imports), compiled, named(settings, place), how.signal);
}

/**
 * @param {string} place of a Wasm file @param {GlueText | null} file @param {LoadOptions} how
 * @returns {Promise<GlueText>}
 */
async function findGlue(place, file, how) {
  const url = glueBeside(place);
  if (url === place) {
    if (file) return file; // which is no glue: the error tells what it is
    throw noGlue(place, "hand");
  }
  if (file?.readFile) return readGlueBeside(url, file.readFile, place);
  try {
    const text = await fetchGlue(url, how);
    return { ...text, movedTo: text.url };
  } catch (error) {
    throw isInstance(error, FetchError) ? noGlue(place, url) : error;
  }
}

/** @param {string} url @param {ReadFile} readFile reads what lies beside @param {string} place of the Wasm file */
function readGlueBeside(url, readFile, place) {
  const bytes = readFile(`./${url.split("/").pop()}`);
  if (!bytes) throw noGlue(place, url);
  return { source: new TextDecoder().decode(bytes), url, movedTo: url, readFile };
}

/** @param {Uint8Array} bytes */
const isWasmFile = (bytes) => MAGIC.every((byte, at) => bytes[at] === byte);

/**
 * Loads a package at once: nothing of it needs the network.
 * @param {object} options
 * @param {GlueText & {readFile: ReadFile}} options.glue or a Wasm file, in its `bytes`
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} [options.wasm] default: the file beside the glue
 * @param {Imports} [options.imports] what a Wasm file without glue imports
 * @param {string} [options.name]
 * @param {boolean} [options.rollsBack]
 * @param {boolean | null} [options.spare]
 * @param {number} [options.startMs]
 * @param {{integrity?: string, digest?: Digest, rewriter?: Uint8Array<ArrayBuffer>, rewrites?: number,
 *   wishes?: number}} [how]
 */
export function loadModuleSync({ glue, wasm, imports: given, ...settings }, how = {}) {
  if (wasm === undefined && glue.bytes && isWasmFile(glue.bytes)) {
    const compiled = compileWasm(glue.bytes, glue.url, how);
    if (given || !needsGlue(compiled.wasm))
      return openAtOnce(withoutGlue(glue.url), adaptRaw(compiled, given), compiled, named(settings, glue.url));
    return loadModuleSync(
      { ...settings, glue: readGlueBeside(glueBeside(glue.url), glue.readFile, glue.url), wasm: glue.bytes },
      how,
    );
  }
  checkNoImports(given, glue.url);
  checkIntegrityAtOnce(new TextEncoder().encode(glue.source), glue.url, how);
  const parsed = readGlue(glue.source, glue.url);
  const imports = parsed.imports.map(({ from }) => {
    const bytes = readBeside(from, glue.readFile, glue.url);
    checkIntegrityAtOnce(bytes, from, how);
    return runSnippet(bytes, from, glue.url);
  });
  const compiled = compileWasm(wasm ?? defaultWasm(parsed, glue), parsed.wasmPath, how);
  const adapter = fromFactory(parsed, factoryAtOnce(parsed), imports, compiled);
  return openAtOnce(parsed, adapter, compiled, settings);
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
  const adapter = adaptNamespace(namespace, glue, compiled);
  return open(glue, adapter, compiled, named(settings, compiled.origin), how.signal);
}

/**
 * The settings of a module that is called after its Wasm file, unless the user says more. Bytes, modules, data: URLs
 * and blob: URLs have no address that a name could come from.
 * @param {Settings} settings @param {string} origin
 * @returns {Settings}
 */
function named(settings, origin) {
  const name = settings.name ?? moduleName(/^[\w+-]+:\/\//.test(origin) ? glueBeside(origin) : "");
  return { ...settings, name };
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
