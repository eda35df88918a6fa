/**
 * From glue and Wasm to a module under supervision. Nothing is left half loaded:
 * all that can fail comes before the first generation is handed out.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { isTooLarge, saysNoMemoryForInstance } from "../diagnosis/engines.js";
import { compileWasm, fetchWasm } from "../files/compiling.js";
import { absolute, fetchBytes, readBytes, request } from "../files/fetching.js";
import { checkIntegrity, checkIntegrityAtOnce } from "../files/integrity.js";
import { describe } from "../glue/describe.js";
import { compileFactory, evaluateSnippet, factoryBody, importFactory } from "../glue/factory.js";
import { calledExports, readGlue } from "../glue/glue.js";
import { readNamespace, unwrapNamespace } from "../glue/namespace.js";
import { explainPolicy, FORBIDDEN, importPrebuilt, isLocal } from "../glue/prebuilt.js";
import { factoryAdapter, nativeAdapter } from "../instance/adapters.js";
import { exceptionStore, readHabits } from "../instance/throws.js";
import { SupervisedModule } from "../module/module.js";
import { CompileError, FetchError, GlueError, LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { describeTooLarge, sharedMemory } from "../shared/messages.js";
import { moduleName } from "./naming.js";

/** @import {Adapter, Compiled, Digest, Glue, GlueFactory, GlueSource, GlueText, LoadOptions, ReadFile, WasmSource} from "../types.js" */

/** Namespaces that are under supervision, each by its reset function: two supervisors would reset each other's instance. */
const supervised = new WeakSet();

/**
 * @param {object} options
 * @param {GlueSource} options.glue URL, text with its URL, or an imported namespace
 * @param {WasmSource} [options.wasm] default: what the glue itself would fetch
 * @param {string} [options.name] default: see `moduleName`
 * @param {boolean | null} [options.spare] whether to keep a generation made ahead of need;
 *   default: where the engine refuses to make one at once
 * @param {LoadOptions} [how]
 * @returns {Promise<SupervisedModule>}
 * @throws {LoadError}
 * @throws the signal's reason, when it was aborted
 */
export async function loadModule({ glue, wasm, name, spare }, how = {}) {
  const { signal } = how;
  signal?.throwIfAborted();
  if (isNamespace(glue)) return loadNamespace(glue, wasm, { name, spare }, how);
  /** @type {GlueText} */
  const given =
    typeof glue === "object" && "source" in glue ? /** @type {GlueText} */ (glue) : await fetchGlue(String(glue), how);
  await checkText(given, how);
  const parsed = readGlue(given.source, given.url);
  const imports = await Promise.all(parsed.imports.map(({ from }) => importSnippet(from, given, how)));
  const compiled = await (wasm === undefined ? fetchDefaultWasm(parsed, given, how) : fetchWasm(wasm, how));
  const adapter = await chooseAdapter(parsed, imports, compiled, how);
  return open(parsed, adapter, compiled, { name, spare, movedTo: given.movedTo }, signal);
}

/**
 * The same where nothing needs the network.
 * @param {object} options
 * @param {GlueText & {readFile: ReadFile}} options.glue
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} [options.wasm] default: the file beside the glue
 * @param {string} [options.name]
 * @param {boolean | null} [options.spare]
 * @param {{integrity?: string, digest?: Digest}} [how]
 */
export function loadModuleSync({ glue, wasm, name, spare }, how = {}) {
  checkIntegrityAtOnce(new TextEncoder().encode(glue.source), glue.url, how);
  const parsed = readGlue(glue.source, glue.url);
  const imports = parsed.imports.map(({ from }) => {
    const bytes = readBeside(from, glue.readFile, glue.url);
    checkIntegrityAtOnce(bytes, from, how);
    return runSnippet(bytes, from, glue.url);
  });
  const compiled = compileWasm(wasm ?? defaultWasm(parsed, glue), parsed.wasmPath, how);
  return openAtOnce(parsed, fromFactory(parsed, compileAtOnce(parsed), imports, compiled), compiled, { name, spare });
}

/** @param {unknown} glue @returns {glue is Record<string, any>} */
function isNamespace(glue) {
  return typeof glue === "object" && glue !== null && !(glue instanceof URL) && !("source" in glue && "url" in glue);
}

/** What lies beside the glue is beside the place that it came from, not the one that was asked. @param {string} given @param {LoadOptions} how */
async function fetchGlue(given, { signal }) {
  const asked = absolute(given);
  const response = await request(asked, signal);
  const bytes = await readBytes(response, asked, signal);
  const movedTo = response.redirected ? response.url : "";
  return { source: new TextDecoder().decode(bytes), url: movedTo || asked, movedTo, bytes };
}

/** @param {GlueText} glue @param {LoadOptions} how */
function checkText({ source, url, bytes }, { integrity, digest }) {
  return checkIntegrity(bytes ?? new TextEncoder().encode(source), url, integrity, digest);
}

/**
 * A module that the glue imports. One that has to be checked is fetched and run as it came.
 * @param {string} from @param {GlueText} glue @param {LoadOptions} how
 */
async function importSnippet(from, { url, readFile }, { signal, integrity, digest }) {
  if (!readFile && !integrity) return importBeside(from, url);
  const address = new URL(from, url).href;
  const bytes = readFile ? readBeside(from, readFile, url) : await fetchBytes(address, signal);
  await checkIntegrity(bytes, address, integrity, digest);
  return runSnippet(bytes, from, url);
}

/** @param {string} from @param {string} url of the glue */
async function importBeside(from, url) {
  try {
    return await import(/* @vite-ignore */ new URL(from, url).href);
  } catch (cause) {
    throw new GlueError(
      `${url} imports ${JSON.stringify(from)}, which cannot be loaded: ${/** @type {Error} */ (cause).message}`,
      { cause },
    );
  }
}

/** @param {string} from @param {ReadFile} readFile @param {string} url of the glue */
function readBeside(from, readFile, url) {
  const bytes = /^\.{1,2}\//.test(from) ? readFile(from) : undefined;
  if (!bytes) throw new GlueError(`${url} imports ${JSON.stringify(from)}, which is no file beside it.`);
  return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
}

/** @param {Uint8Array} bytes @param {string} from @param {string} url of the glue */
function runSnippet(bytes, from, url) {
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
  if (!bytes)
    throw new FetchError(`There is no file ${JSON.stringify(wasmPath)} beside ${url}. ${ELSEWHERE}`, { url: beside });
  return /** @type {any} */ (bytes);
}

const ELSEWHERE =
  "It was looked for there because nothing else was said: if the Wasm file has another name or place, or is inside another " +
  "file, pass it as `wasm=`: a URL, a path or bytes.";

/** @param {Glue} glue @param {GlueText} given @param {LoadOptions} how */
async function fetchDefaultWasm(glue, given, how) {
  const source = defaultWasm(glue, given);
  try {
    return await fetchWasm(source, how);
  } catch (error) {
    // What a server answers in place of a file that it does not have.
    const isAbsent =
      isInstance(error, FetchError) ||
      (isInstance(error, CompileError) && /is not Wasm: found an HTML page/.test(error.message));
    if (isAbsent) error.message += ` ${ELSEWHERE}`;
    throw error;
  }
}

/**
 * @param {Glue} glue @param {unknown[]} imports @param {Compiled} compiled @param {LoadOptions} how
 * @returns {Promise<Adapter>}
 */
async function chooseAdapter(glue, imports, compiled, { integrity }) {
  const body = factoryBody(glue);
  try {
    return fromFactory(glue, await policyPermitting(body, glue, integrity), imports, compiled);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (!glue.usesResetState || isLocal(glue.url)) throw explainPolicy(glue, error.cause);
    return adaptNamespace(await import(/* @vite-ignore */ glue.url), glue, compiled);
  }
}

class PolicyError extends Error {}

/** @param {string} body @param {Glue} glue @param {string | undefined} integrity @returns {Promise<GlueFactory>} */
async function policyPermitting(body, glue, integrity) {
  try {
    return compileFactory(body, glue.url);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
  }
  try {
    return await importFactory(body, glue.url);
  } catch {
    // blob: is forbidden too.
  }
  if (integrity) {
    throw new GlueError(
      `${glue.url} cannot be supervised here: ${FORBIDDEN}, and the integrity of a file that is imported instead ` +
        "cannot be checked. Allow one of the two, or leave `integrity` out.",
    );
  }
  try {
    return await importPrebuilt(glue, body);
  } catch (cause) {
    if (cause instanceof GlueError) throw cause;
    throw new PolicyError("no way to compile", { cause });
  }
}

/** @param {Glue} glue @returns {GlueFactory} */
function compileAtOnce(glue) {
  try {
    return compileFactory(factoryBody(glue), glue.url);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    throw explainPolicy(glue, error);
  }
}

/** @param {Glue} glue @param {GlueFactory} factory @param {unknown[]} imports @param {Compiled} compiled */
function fromFactory(glue, factory, imports, { module, wasm, origin }) {
  const { url } = glue; // the function outlives the syntax tree
  const missing = missingExports(glue, wasm, origin);
  const importModule = (/** @type {string} */ from) => import(/* @vite-ignore */ new URL(from, url).href);
  const description = describe(glue, wasm);
  return factoryAdapter({ glue, factory, imports, importModule, module, wasm, description, missing });
}

/**
 * @param {Record<string, any>} namespace @param {Glue} glue @param {Compiled} compiled
 * @returns {Adapter}
 */
function adaptNamespace(namespace, glue, { module, wasm, origin }) {
  const missing = missingExports(glue, wasm, origin);
  // Not the namespace itself: a bundler can make several of one module.
  const identity = namespace.__wbg_reset_state;
  if (supervised.has(identity)) {
    throw new LoadError(
      `${glue.url} is loaded already, and its instance can have one supervisor only: unload the other module first.`,
    );
  }
  const description = describe(glue, wasm);
  supervised.add(identity);
  return nativeAdapter({
    namespace,
    url: glue.url,
    module,
    wasm,
    description,
    missing,
    release: () => supervised.delete(identity),
  });
}

/**
 * @param {Record<string, any>} given @param {WasmSource | undefined} source
 * @param {Settings} settings @param {LoadOptions} how
 */
async function loadNamespace(given, source, settings, how) {
  const url = "the imported namespace";
  if (how.integrity)
    throw new LoadError(`The integrity of ${url} cannot be checked, it has run already: pass the glue's URL instead.`);
  const namespace = unwrapNamespace(given);
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
  const compiled = await fetchWasm(source, how);
  const glue = readNamespace(namespace, url);
  // Bytes and modules have no address that could name it, nor have data: and blob: URLs.
  const address = /^[\w+-]+:\/\//.test(compiled.origin) ? compiled.origin : "";
  const fileName = moduleName(address.replace(/(_bg)?\.wasm(?=$|[?#])/, ".js"));
  const adapter = adaptNamespace(namespace, glue, compiled);
  return open(glue, adapter, compiled, { ...settings, name: settings.name ?? fileName }, how.signal);
}

/** @typedef {{name?: string, spare?: boolean | null, movedTo?: string}} Settings */

/** @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings */
function makeModule(glue, adapter, { module, wasm, origin }, { name, ...settings }) {
  const { description, missing } = adapter;
  const { unwinds, memoryPages } = wasm;
  return new SupervisedModule({
    name: name ?? moduleName(glue.url),
    adapter,
    description,
    unwinds,
    memoryPages,
    warnings: missing.length ? [describeMissing(glue, missing, origin)] : [],
    storesException: exceptionStore(glue.source),
    ...readHabits(module, unwinds),
    ...settings,
  });
}

/** @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings */
function openAtOnce(glue, adapter, compiled, settings) {
  try {
    const module = makeModule(glue, adapter, compiled, settings);
    module.openAtOnce();
    return module;
  } catch (error) {
    adapter.release();
    throw explainInstantiation(error, glue);
  }
}

/**
 * @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings
 * @param {AbortSignal | undefined} signal
 */
async function open(glue, adapter, compiled, settings, signal) {
  let module;
  try {
    signal?.throwIfAborted();
    module = makeModule(glue, adapter, compiled, settings);
    await module.open();
    signal?.throwIfAborted();
    return module;
  } catch (error) {
    if (module) module.close();
    else adapter.release();
    throw signal?.aborted ? signal.reason : explainInstantiation(error, glue);
  }
}

/**
 * What the glue calls and the Wasm file lacks. A package may work without some of it, which was optimised away or is a
 * feature of its build; where most is missing, the files are of two builds.
 * @param {Glue} glue @param {Compiled["wasm"]} wasm @param {string} origin
 * @returns {string[]}
 * @throws {LoadError} they do not belong together, or the build has threads
 */
function missingExports(glue, wasm, origin) {
  if (wasm.sharesMemory) throw sharedMemory(origin);
  const there = new Set(wasm.exports.map(({ name }) => name));
  // Where it is not there, nothing is to be started.
  const called = [...calledExports(glue)].filter((name) => name !== "__wbindgen_start");
  const missing = called.filter((name) => !there.has(name));
  if (missing.length * 2 <= called.length) return missing;
  throw new GlueError(
    `${glue.url} and ${origin} do not belong together: the glue calls the export ${missing[0]}, which the Wasm file ` +
      "does not have. Were both written by the same build?",
  );
}

/** @param {Glue} glue @param {string[]} missing @param {string} origin */
function describeMissing(glue, missing, origin) {
  const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
  return (
    `${glue.url} calls what ${origin} does not export: ${shown}. Everything else works; a call that needs it raises ` +
    "GlueError. Were both files written by the same build?"
  );
}

/** @param {unknown} error @param {Glue} glue */
function explainInstantiation(error, glue) {
  if (isInstance(error, LoadError)) return error;
  const message = describeThrown(error);
  if (isTooLarge(message))
    return new LoadError(`${glue.url}: its Wasm file is ${describeTooLarge("instantiates at once")}`, { cause: error });
  if (saysNoMemoryForInstance(message)) {
    return new LoadError(
      `${glue.url} cannot be instantiated: the browser has no memory left for it (${message}). ` +
        "Chromium allows about 125 live Wasm memories, Firefox 1,000: unload modules that are not needed any more.",
      { cause: error },
    );
  }
  return new LoadError(`${glue.url} cannot be instantiated: ${message}`, { cause: error });
}
