/**
 * Loads a package: from its glue and its Wasm file to a module under supervision. No module is left half loaded,
 * because everything that can fail comes before the first generation is handed out.
 */

import { compileWasm, fetchWasm } from "../files/compiling.js";
import { checkIntegrityAtOnce } from "../files/integrity.js";
import { rejectOtherFormats } from "../glue/formats.js";
import { readGlue } from "../glue/glue.js";
import { chooseAdapter, factoryAtOnce, fromFactory } from "./adapting.js";
import { checkNoImports, findGlue, isWasm, isWasmFile, named, needsGlue, readGlueBeside, withoutGlue } from "./bare.js";
import { isNamespace, loadNamespace } from "./imported.js";
import { open, openAtOnce } from "./opening.js";
import { PARTS } from "./parts.js";
import {
  checkText,
  defaultWasm,
  fetchBeside,
  fetchDefaultWasm,
  fetchGlue,
  importSnippet,
  readBeside,
  readerFrom,
  runSnippet,
  snippetsOf,
} from "./sources.js";

/** @import {SupervisedModule} from "../module/module.js" */
/** @import {Settings} from "./opening.js" */
/** @import {Compiled, Forms, Glue, GlueSource, GlueText, Imports, Linked, LoadOptions} from "../types.js" */
/** @import {ReadFile, WasmSource} from "../types.js" */

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
  if (isAlone && isWasm(glue)) return loadBare(/** @type {WasmSource} */ (glue), null, imports, settings, how);
  if (isNamespace(glue)) return loadNamespace(glue, wasm, settings, how);
  /** @type {GlueText} */
  const text =
    typeof glue === "object" && "source" in glue ? /** @type {GlueText} */ (glue) : await fetchGlue(String(glue), how);
  if (isAlone && isWasmFile(text.bytes)) return loadBare(text.bytes, text, imports, settings, how);
  checkNoImports(imports, text.url);
  return loadPackage(text, wasm, settings, how);
}

/**
 * @param {GlueText} entry @param {WasmSource | Compiled | undefined} wasm @param {Settings} settings
 * @param {LoadOptions} how
 */
async function loadPackage(entry, wasm, settings, how) {
  await checkText(entry, how);
  const { text, glue } = await readPackage(entry, how);
  const importAll = (/** @type {string[]} */ names) => Promise.all(names.map((from) => importSnippet(from, text, how)));
  const imports = await importAll(glue.imports.map(({ from }) => from));
  const fetched = await getWasm(wasm, glue, text, how);
  const names = snippetsOf(glue, fetched);
  const compiled = { ...fetched, snippets: byName(names, await importAll(names)) };
  const adapter = await chooseAdapter(glue, imports, compiled, how);
  return open(glue, adapter, compiled, { ...settings, movedTo: text.movedTo }, how.signal);
}

/**
 * Reads the glue. What is no glue for the web is linked first.
 * @param {GlueText} entry @param {LoadOptions} how
 */
async function readPackage(entry, how) {
  rejectOtherFormats(entry.source, entry.url);
  try {
    return { text: entry, glue: readGlue(entry.source, entry.url) };
  } catch (error) {
    const read = (/** @type {string} */ url) => fetchBeside(url, entry, how);
    return linked(entry, await formsOf(how, error).link(entry, read, error));
  }
}

/** @template {GlueText} Text @param {Text} entry @param {Linked} link */
function linked(entry, link) {
  const readFile = entry.readFile && readerFrom(link.url, entry.url, entry.readFile);
  return { text: { ...entry, ...link, readFile }, glue: readGlue(link.source, link.url, link) };
}

/** @param {Pick<LoadOptions, "forms">} how @param {unknown} [error] if this host has none @returns {Forms} */
function formsOf({ forms }, error) {
  if (!forms) throw error;
  return forms(PARTS);
}

/**
 * @param {WasmSource | Compiled | undefined} wasm @param {Glue} glue @param {GlueText} text @param {LoadOptions} how
 * @returns {Promise<Compiled>}
 */
function getWasm(wasm, glue, text, how) {
  if (wasm === undefined) return text.wasm ? fetchWasm(text.wasm, how) : fetchDefaultWasm(glue, text, how);
  return isCompiled(wasm) ? Promise.resolve(wasm) : fetchWasm(wasm, how);
}

/** @param {WasmSource | Compiled} wasm @returns {wasm is Compiled} */
const isCompiled = (wasm) => typeof wasm === "object" && "module" in wasm && "origin" in wasm;

/**
 * Loads a Wasm file by itself, or with the glue that lies beside it if wasm-bindgen has written it.
 * @param {WasmSource} source @param {GlueText | null} file where it came from, if it was read already
 * @param {Imports | undefined} imports @param {Settings} settings @param {LoadOptions} how
 */
async function loadBare(source, file, imports, settings, how) {
  const compiled = await fetchWasm(source, how);
  const place = file?.url ?? compiled.origin;
  if (!imports && needsGlue(compiled.wasm))
    return loadPackage(await findGlue(place, file, how), compiled, settings, how);
  const adapter = formsOf(how).adaptRaw(compiled, imports);
  return open(withoutGlue(place), adapter, compiled, named(settings, place), how.signal);
}

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
 * @param {Pick<LoadOptions, "integrity" | "digest" | "rewriter" | "rewrites" | "wishes" | "forms">} [how]
 * @returns {SupervisedModule}
 */
export function loadModuleSync({ glue, wasm, imports: given, ...settings }, how = {}) {
  if (wasm === undefined && isWasmFile(glue.bytes)) {
    const compiled = compileWasm(glue.bytes, glue.url, how);
    if (!given && needsGlue(compiled.wasm))
      return loadModuleSync({ ...settings, glue: readGlueBeside(glue.url, glue.readFile), wasm: glue.bytes }, how);
    const adapter = formsOf(how).adaptRaw(compiled, given);
    return openAtOnce(withoutGlue(glue.url), adapter, compiled, named(settings, glue.url));
  }
  checkNoImports(given, glue.url);
  checkIntegrityAtOnce(new TextEncoder().encode(glue.source), glue.url, how);
  const read = (/** @type {string} */ from) => {
    const bytes = readBeside(from, glue.readFile, glue.url);
    checkIntegrityAtOnce(bytes, from, how);
    return bytes;
  };
  const { text, glue: parsed } = readPackageAtOnce(glue, read, how);
  const run = (/** @type {string} */ from) => runSnippet(read(from), from, text.url);
  const imports = parsed.imports.map(({ from }) => run(from));
  const fetched = compileWasm(wasm ?? text.wasm ?? defaultWasm(parsed, text), parsed.wasmPath, how);
  const names = snippetsOf(parsed, fetched);
  const compiled = { ...fetched, snippets: byName(names, names.map(run)) };
  const adapter = fromFactory(parsed, factoryAtOnce(parsed), imports, compiled);
  return openAtOnce(parsed, adapter, compiled, settings);
}

/**
 * @param {GlueText & {readFile: ReadFile}} entry @param {(from: string) => Uint8Array<ArrayBuffer>} read
 * @param {Pick<LoadOptions, "forms">} how
 */
function readPackageAtOnce(entry, read, how) {
  rejectOtherFormats(entry.source, entry.url);
  try {
    return { text: entry, glue: readGlue(entry.source, entry.url) };
  } catch (error) {
    return linked(
      entry,
      formsOf(how, error).linkAtOnce(entry, (url) => ({ url, bytes: read(url) }), error),
    );
  }
}

/** @param {string[]} names @param {unknown[]} values */
function byName(names, values) {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}
