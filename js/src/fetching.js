/**
 * Brings glue and Wasm here: URLs are fetched and what came is checked, so that
 * an error says what was found instead of what could not be parsed.
 */

import { readInterface } from "./binary.js";
import { CompileError, FetchError } from "./errors.js";

/** @import {WasmInterface, WasmSource} from "./types.js" */

/** Relative to the page, or to the worker's script. @param {string} url */
export function absolute(url) {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return new URL(url, base).href;
  } catch (cause) {
    // Under Node there is no page that it could be relative to.
    const what = base ? "not a valid URL" : "neither a file that is here nor a full URL";
    throw new FetchError(`${JSON.stringify(url)} is ${what}.`, { url, cause });
  }
}

/** As messages show it: data: URLs hold whole files. @param {string} url */
function shown(url) {
  return url.startsWith("data:") ? `${url.slice(0, 40)}…` : url;
}

/** @param {string} url @returns {Promise<Response>} */
async function request(url) {
  const violation = watchPolicy();
  let response;
  try {
    response = await fetch(url);
  } catch (cause) {
    // The event of a violated policy comes right after the rejection.
    await new Promise((resolve) => setTimeout(resolve));
    throw new FetchError(`Cannot fetch ${shown(url)}: ${explainRefusal(url, violation.directive)}.`, { url, cause });
  } finally {
    violation.stop();
  }
  return checkStatus(response, url);
}

/** @param {string} url @param {string} directive that was violated */
function explainRefusal(url, directive) {
  if (directive) return `the page's content security policy (${directive}) forbids it`;
  if (url.startsWith("file:")) return "`fetch` reads no files; pass a path in Pyodide's file system instead";
  return "offline, no such server, or its CORS headers forbid it";
}

function watchPolicy() {
  const watch = { directive: "", stop: () => {} };
  if (typeof globalThis.addEventListener !== "function") return watch;
  const listen = (/** @type {any} */ event) => {
    watch.directive = event.effectiveDirective;
  };
  globalThis.addEventListener("securitypolicyviolation", listen);
  watch.stop = () => globalThis.removeEventListener("securitypolicyviolation", listen);
  return watch;
}

/** @param {Response} response @param {string} url */
function checkStatus(response, url) {
  if (response.ok) return response;
  const { status, statusText } = response;
  throw new FetchError(`Cannot fetch ${url}: the server answered ${`${status} ${statusText}`.trim()}.`, { url, status });
}

/** @param {string} url */
export async function fetchText(url) {
  return readBody(await request(url), "text", url);
}

/**
 * The body of an answer; the connection can break before its end.
 * @template {"text" | "arrayBuffer"} How
 * @param {Response} response @param {How} how @param {string} url
 * @returns {Promise<Awaited<ReturnType<Response[How]>>>}
 */
async function readBody(response, how, url) {
  try {
    return /** @type {any} */ (await response[how]());
  } catch (cause) {
    const { message } = /** @type {Error} */ (cause);
    throw new FetchError(`Cannot read the answer of ${url} to its end: ${message}.`, { url, status: response.status, cause });
  }
}

/**
 * @param {WasmSource} source
 * @returns {Promise<{module: WebAssembly.Module, wasm: WasmInterface, origin: string}>}
 * @throws {FetchError | CompileError}
 */
export async function fetchWasm(source) {
  if (isModule(source)) return { module: source, wasm: namesOf(source), origin: "the module" };
  const { bytes, origin } = await readBytes(source);
  const wasm = readInterface(bytes, origin);
  try {
    return { module: await WebAssembly.compile(/** @type {any} */ (bytes)), wasm, origin };
  } catch (error) {
    throw explainCompileError(error, origin);
  }
}

/**
 * The same for what is here already, at once.
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} source @param {string} origin
 */
export function compileWasm(source, origin) {
  if (isModule(source)) return { module: source, wasm: namesOf(source), origin };
  const bytes = viewOf(source);
  const wasm = readInterface(bytes, origin);
  try {
    return { module: new WebAssembly.Module(/** @type {any} */ (bytes)), wasm, origin };
  } catch (error) {
    throw explainCompileError(error, origin);
  }
}

// TypeScript's WebAssembly.Module has no members, so it cannot narrow by instanceof.
/** @param {WasmSource} source @returns {source is WebAssembly.Module} */
function isModule(source) {
  return source instanceof WebAssembly.Module;
}

/** @param {WasmSource} source */
async function readBytes(source) {
  if (typeof source === "string" || source instanceof URL) {
    const url = absolute(String(source));
    return { bytes: new Uint8Array(await readBody(await request(url), "arrayBuffer", url)), origin: shown(url) };
  }
  if (source instanceof Response) {
    const url = source.url || "the response";
    return { bytes: new Uint8Array(await readBody(checkStatus(source, url), "arrayBuffer", url)), origin: url };
  }
  return { bytes: viewOf(/** @type {ArrayBuffer | Uint8Array<ArrayBuffer>} */ (source)), origin: "the Wasm data" };
}

/** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} source */
function viewOf(source) {
  if (ArrayBuffer.isView(source)) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const found = Object.prototype.toString.call(source).slice("[object ".length, -1);
  throw new CompileError(
    `Cannot compile ${found}: the Wasm file must come as a URL, as bytes, as a Response or as a WebAssembly.Module.`,
  );
}

/**
 * What a compiled module tells by itself: names without signatures.
 * @param {WebAssembly.Module} module
 * @returns {WasmInterface}
 */
function namesOf(module) {
  const imports = WebAssembly.Module.imports(module).map((found) => ({ ...found, signature: null }));
  const exports = WebAssembly.Module.exports(module).map((found) => ({ ...found, signature: null }));
  const unwinds = imports.some(({ kind }) => /** @type {string} */ (kind) === "tag");
  return /** @type {any} */ ({ imports, exports, unwinds });
}

// V8 names the flag of a missing feature, Gecko and JavaScriptCore describe it.
const FEATURES = /** @type {[RegExp, string][]} */ ([
  [/--(?:experimental-)?wasm-([\w-]+)/, ""],
  [/multiple memor|multi-?memory/i, "multiple memories"],
  [/memory64|64-bit memor|i64 memory/i, "64-bit memory"],
  [/exnref|try_table|exception handling|exceptions? not enabled/i, "exception handling"],
  [/shared memor|atomic/i, "threads"],
  [/simd|v128/i, "SIMD"],
  // The flags of a memory type, which V8 only numbers: 8 is the one for the page size.
  [/custom.page|memory limits flags 0x[89a-f]\b/i, "custom page sizes"],
  [/memory limits flags/i, "a memory type"],
]);

/** @param {unknown} error @param {string} origin */
function explainCompileError(error, origin) {
  const { message } = /** @type {Error} */ (error);
  if (/content security policy|unsafe-eval|disallowed by embedder/i.test(message)) {
    return new CompileError(
      `Cannot compile ${origin}: the page's content security policy forbids Wasm. ` +
        "Add 'wasm-unsafe-eval' to its script-src.",
      { cause: error },
    );
  }
  for (const [pattern, feature] of FEATURES) {
    const match = pattern.exec(message);
    if (match) {
      return new CompileError(
        `Cannot compile ${origin}: it needs a feature that this browser lacks: ${feature || match[1]} (${message}).`,
        { cause: error },
      );
    }
  }
  return new CompileError(`Cannot compile ${origin}: ${message}.`, { cause: error });
}
