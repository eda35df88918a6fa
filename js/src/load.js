/**
 * From glue and Wasm to a module under supervision. Nothing is left half loaded:
 * all that can fail comes before the first generation is handed out.
 */

import { factoryAdapter, nativeAdapter } from "./adapters.js";
import { describe } from "./describe.js";
import { describeThrown } from "./diagnosis.js";
import { FetchError, GlueError, LoadError } from "./errors.js";
import { compileFactory, evaluateSnippet, factoryBody, importFactory } from "./factory.js";
import { absolute, compileWasm, fetchText, fetchWasm } from "./fetching.js";
import { calledExports, readGlue } from "./glue.js";
import { SupervisedModule } from "./module.js";

/** @import {Adapter, Description, Glue, GlueFactory, GlueSource, GlueText, ReadFile, WasmInterface, WasmSource} from "./types.js" */

/** Namespaces that are under supervision: two supervisors would reset each other's instance. */
const supervised = new WeakSet();

/**
 * @param {object} options
 * @param {GlueSource} options.glue URL, text with its URL, or an imported namespace
 * @param {WasmSource} [options.wasm] default: what the glue itself would fetch
 * @param {string} [options.name] default: the glue's file name
 * @returns {Promise<SupervisedModule>}
 * @throws {LoadError}
 */
export async function loadModule({ glue, wasm, name }) {
  if (isNamespace(glue)) return loadNamespace(glue, wasm, name);
  /** @type {GlueText} */
  const given = typeof glue === "object" && "source" in glue ? /** @type {GlueText} */ (glue) : await fetchGlue(String(glue));
  const { readFile } = given;
  const parsed = readGlue(given.source, given.url);
  const imports = readFile
    ? parsed.imports.map(({ from }) => readSnippet(from, readFile, given.url))
    : await Promise.all(parsed.imports.map(({ from }) => importSnippet(from, given.url)));
  const compiled = await fetchWasm(wasm ?? defaultWasm(parsed, given));
  const adapter = await chooseAdapter(parsed, imports, compiled);
  return begin(parsed, adapter, compiled, name);
}

/**
 * The same where nothing needs the network.
 * @param {object} options
 * @param {GlueText & {readFile: ReadFile}} options.glue
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} [options.wasm] default: the file beside the glue
 * @param {string} [options.name]
 */
export function loadModuleSync({ glue, wasm, name }) {
  const parsed = readGlue(glue.source, glue.url);
  const imports = parsed.imports.map(({ from }) => readSnippet(from, glue.readFile, glue.url));
  const compiled = compileWasm(wasm ?? defaultWasm(parsed, glue), parsed.wasmPath);
  const factory = compileFactory(factoryBody(parsed), parsed.url);
  return begin(parsed, fromFactory(parsed, factory, imports, compiled), compiled, name);
}

/** @typedef {{module: WebAssembly.Module, wasm: WasmInterface, origin: string}} Compiled */

/** @param {unknown} glue @returns {glue is Record<string, any>} */
function isNamespace(glue) {
  return typeof glue === "object" && glue !== null && !(glue instanceof URL) && !("source" in glue && "url" in glue);
}

/** @param {string} given */
async function fetchGlue(given) {
  const url = absolute(given);
  return { source: await fetchText(url), url };
}

/** @param {string} from @param {string} url of the glue */
async function importSnippet(from, url) {
  try {
    return await import(/* @vite-ignore */ new URL(from, url).href);
  } catch (cause) {
    throw new GlueError(`${url} imports ${JSON.stringify(from)}, which cannot be loaded: ${/** @type {Error} */ (cause).message}`, { cause });
  }
}

/** @param {string} from @param {ReadFile} readFile @param {string} url of the glue */
function readSnippet(from, readFile, url) {
  const bytes = /^\.{1,2}\//.test(from) ? readFile(from) : undefined;
  if (!bytes) throw new GlueError(`${url} imports ${JSON.stringify(from)}, which is no file beside it.`);
  return evaluateSnippet(new TextDecoder().decode(bytes), new URL(from, url).href);
}

/**
 * @template {GlueText} Given
 * @param {Glue} glue @param {Given} given
 * @returns {Given extends {readFile: ReadFile} ? Uint8Array<ArrayBuffer> : WasmSource}
 */
function defaultWasm({ wasmPath }, { url, readFile }) {
  const beside = new URL(wasmPath, url).href;
  if (!readFile) return /** @type {any} */ (beside);
  const bytes = readFile(wasmPath);
  if (!bytes) throw new FetchError(`There is no file ${JSON.stringify(wasmPath)} beside ${url}.`, { url: beside });
  return /** @type {any} */ (bytes);
}

/**
 * @param {Glue} glue @param {unknown[]} imports @param {Compiled} compiled
 * @returns {Promise<Adapter>}
 */
async function chooseAdapter(glue, imports, compiled) {
  const body = factoryBody(glue);
  try {
    return fromFactory(glue, await policyPermitting(body, glue.url), imports, compiled);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (glue.usesResetState) return adaptNamespace(await import(/* @vite-ignore */ glue.url), glue, compiled);
    throw new GlueError(
      `${glue.url} cannot be supervised here: the page's content security policy forbids 'unsafe-eval' and blob: ` +
        "scripts, and the glue has no __wbg_reset_state. Allow one of the two, or build the package with " +
        "`wasm-bindgen --experimental-reset-state-function`.",
    );
  }
}

class PolicyError extends Error {}

/** @param {string} body @param {string} url @returns {Promise<GlueFactory>} */
async function policyPermitting(body, url) {
  try {
    return compileFactory(body, url);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
  }
  try {
    return await importFactory(body, url);
  } catch (cause) {
    throw new PolicyError("no way to compile", { cause });
  }
}

/** @param {Glue} glue @param {GlueFactory} factory @param {unknown[]} imports @param {Compiled} compiled */
function fromFactory(glue, factory, imports, { module, wasm }) {
  const importModule = (/** @type {string} */ from) => import(/* @vite-ignore */ new URL(from, glue.url).href);
  const description = describe(glue, wasm);
  return factoryAdapter({ glue, factory, imports, importModule, module, wasm, description });
}

/**
 * @param {Record<string, any>} namespace @param {Glue} glue @param {Compiled} compiled
 * @returns {Adapter}
 */
function adaptNamespace(namespace, glue, { module, wasm }) {
  if (supervised.has(namespace)) {
    throw new LoadError(`${glue.url} is loaded already, and its instance can have one supervisor only: unload the other module first.`);
  }
  const description = describe(glue, wasm);
  supervised.add(namespace);
  return nativeAdapter({
    namespace, url: glue.url, module, wasm, description,
    release: () => supervised.delete(namespace),
  });
}

/**
 * @param {Record<string, any>} namespace @param {WasmSource | undefined} source @param {string | undefined} name
 */
async function loadNamespace(namespace, source, name) {
  const url = "the imported namespace";
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
  const compiled = await fetchWasm(source);
  const glue = readNamespace(namespace, url);
  // Bytes and modules have no address that could name it.
  const address = URL.canParse(compiled.origin) ? compiled.origin : "";
  const fileName = moduleName(address.replace(/(_bg)?\.wasm(?=$|[?#])/, ".js"));
  return begin(glue, adaptNamespace(namespace, glue, compiled), compiled, name ?? fileName);
}

/**
 * Glue that was imported has no source text, but its functions and classes do.
 * @param {Record<string, any>} namespace @param {string} url
 * @returns {Glue}
 */
function readNamespace(namespace, url) {
  const parts = ["let wasm; function initSync(instance) { wasm = instance.exports; }"];
  for (const [name, value] of Object.entries(namespace)) {
    if (name === "initSync" || name === "default") continue;
    if (typeof value !== "function") parts.push(`export const ${name} = null;`);
    else if (/^class\b/.test(String(value))) parts.push(`export const ${name} = ${value};`);
    else parts.push(`export const ${name} = ${String(value).replace(/^(async )?function\s*[\w$]*/, "$1function ")};`);
  }
  return readGlue(parts.join("\n"), url);
}

/**
 * @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {string | undefined} name
 */
function begin(glue, adapter, { wasm, module, origin }, name) {
  const { description } = adapter;
  try {
    checkExports(glue, wasm, origin);
    return new SupervisedModule({ name: name ?? moduleName(glue.url), adapter, description, unwinds: wasm.unwinds });
  } catch (error) {
    adapter.release();
    throw explainInstantiation(error, glue, module);
  }
}

/** @param {Glue} glue @param {WasmInterface} wasm @param {string} origin */
function checkExports(glue, wasm, origin) {
  const there = new Set(wasm.exports.map(({ name }) => name));
  for (const name of calledExports(glue)) {
    // An optional part of the start sequence.
    if (there.has(name) || name === "__wbindgen_start") continue;
    throw new GlueError(
      `${glue.url} and ${origin} do not belong together: the glue calls the export ${name}, which the Wasm file ` +
        "does not have. Were both written by the same build?",
    );
  }
}

/** @param {unknown} error @param {Glue} glue @param {WebAssembly.Module} module */
function explainInstantiation(error, glue, module) {
  if (error instanceof LoadError) return error;
  const message = describeThrown(error);
  if (/disallowed on the main thread/i.test(message)) {
    return new LoadError(
      `${glue.url}: its Wasm file is larger than 8 MB, which this browser instantiates at once in workers only. Load it in a worker.`,
      { cause: error },
    );
  }
  if (/out of memory/i.test(message)) {
    return new LoadError(
      `${glue.url} cannot be instantiated: the browser has no memory left for it (${message}). ` +
        "Chromium allows about 125 live Wasm memories, Firefox 1,000: unload modules that are not needed any more.",
      { cause: error },
    );
  }
  return new LoadError(`${glue.url} cannot be instantiated: ${message}`, { cause: error });
}

/** @param {string} url */
function moduleName(url) {
  const file = /([^/?#]*?)(?:\.m?js)?(?:[?#].*)?$/.exec(url)?.[1] ?? "";
  return file.replace(/\W/g, "_").replace(/^(?=\d)/, "_") || "module";
}
