/**
 * From a Wasm file to a compiled module, and to what its binary tells. A file is compiled while it is being downloaded,
 * and once for each URL.
 */

import { isCut, isForbidden, isTooLarge, missingFeature } from "../diagnosis/engines.js";
import { CompileError, LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { describeTooLarge } from "../shared/messages.js";
import { JAVASCRIPT_TAG, readInterface } from "../wasm/binary.js";
import { Head } from "../wasm/head.js";
import { checkRewritten, DEADLINES, keepOriginal, readMark, rewriteWasm } from "../wasm/rewriting.js";
import { absolute, brokenOff, checkStatus, readBytes, request, shown } from "./fetching.js";
import { checkIntegrity, checkIntegrityAtOnce } from "./integrity.js";

/** @import {Compiled, Digest, LoadOptions, OnProgress, WasmInterface, WasmSource} from "../types.js" */

/**
 * @param {WasmSource} source
 * @param {LoadOptions} [options]
 * @returns {Promise<Compiled>}
 * @throws {FetchError | CompileError | LoadError}
 */
export async function fetchWasm(source, options = {}) {
  if (typeof source === "string" || source instanceof URL) return compileUrl(absolute(String(source)), options);
  if (source instanceof Response) {
    const url = source.url || "the response";
    return compileResponse(checkStatus(source, url), url, options);
  }
  return isModule(source) ? namesOf(source, options) : compileBytes(viewOf(source), "the Wasm data", options);
}

/**
 * Compiles at once what is here already.
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module} source @param {string} origin
 * @param {{integrity?: string, digest?: Digest, rewriter?: Uint8Array<ArrayBuffer>,
 *   rewrites?: number, wishes?: number}} [how]
 * @returns {Compiled}
 */
export function compileWasm(source, origin, how = {}) {
  if (isModule(source)) return namesOf(source, how);
  const given = viewOf(source);
  checkIntegrityAtOnce(given, origin, how);
  const { bytes, whyNoRollback } = rewrite(given, origin, how);
  const wasm = readInterface(bytes, origin);
  try {
    const module = new WebAssembly.Module(bytes);
    if (bytes !== given) keepOriginal(module, given);
    return { module, wasm, origin, whyNoRollback };
  } catch (error) {
    throw explainCompileError(error, origin);
  }
}

// TypeScript's WebAssembly.Module has no members, so it cannot narrow by instanceof.
/** @param {WasmSource} source @returns {source is WebAssembly.Module} */
function isModule(source) {
  return source instanceof WebAssembly.Module;
}

/** @param {unknown} source @returns {Uint8Array<ArrayBuffer>} */
function viewOf(source) {
  if (ArrayBuffer.isView(source)) return /** @type {Uint8Array<ArrayBuffer>} */ (source);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const type = Object.prototype.toString.call(source).slice("[object ".length, -1);
  throw new CompileError(
    `Cannot compile ${type}: the Wasm file must come as a URL, as bytes, as a Response or as a WebAssembly.Module.`,
  );
}

/**
 * Reads what a compiled module tells of itself: names without signatures.
 * @param {WebAssembly.Module} module @param {LoadOptions} how
 * @returns {Compiled}
 */
function namesOf(module, { integrity, rewriter, rewrites = DEADLINES, wishes = 0 }) {
  if (integrity)
    throw new LoadError(
      "The integrity of a compiled WebAssembly.Module cannot be checked: pass its URL or its bytes as `wasm`.",
    );
  if (rewriter && rewrites)
    checkRewritten(module, "A compiled WebAssembly.Module", "Pass its URL or its bytes as `wasm`", rewrites);
  const imports = WebAssembly.Module.imports(module).map((described) => ({ ...described, signature: null }));
  const exports = WebAssembly.Module.exports(module).map((described) => ({ ...described, signature: null }));
  const unwinds = imports.some(({ kind, name }) => /** @type {string} */ (kind) === "tag" && name !== JAVASCRIPT_TAG);
  const wasm = /** @type {any} */ ({ imports, exports, unwinds, startsByItself: false, sharesMemory: null });
  const isMissing = wishes && !((readMark(module)?.options ?? 0) & wishes);
  return { module, wasm, origin: "the module", whyNoRollback: isMissing ? "its Wasm file came compiled" : "" };
}

/**
 * Rewrites a file for what is asked for. A wish that cannot be fulfilled is no error. In a build that unwinds there is
 * no wish for rollback.
 * @param {Uint8Array<ArrayBuffer>} bytes @param {string} origin
 * @param {{rewriter?: Uint8Array<ArrayBuffer>, rewrites?: number, wishes?: number}} how
 * @returns {{bytes: Uint8Array<ArrayBuffer>, whyNoRollback: string}}
 */
function rewrite(bytes, origin, { rewriter, rewrites = DEADLINES, wishes = 0 }) {
  if (!rewriter) return { bytes, whyNoRollback: "" };
  let whyNoRollback = "";
  if (wishes && !readInterface(bytes, origin).unwinds) {
    try {
      return { bytes: rewriteWasm(bytes, origin, rewriter, rewrites | wishes), whyNoRollback };
    } catch (error) {
      if (!isInstance(error, CompileError)) throw error;
      whyNoRollback = error.reason;
    }
  }
  return { bytes: rewrites ? rewriteWasm(bytes, origin, rewriter, rewrites) : bytes, whyNoRollback };
}

/**
 * @param {Uint8Array<ArrayBuffer>} given @param {string} origin @param {LoadOptions} options
 * @returns {Promise<Compiled>}
 */
async function compileBytes(given, origin, { integrity, digest, ...how }) {
  await checkIntegrity(given, origin, integrity, digest);
  const { bytes, whyNoRollback } = rewrite(given, origin, how);
  const wasm = readInterface(bytes, origin);
  try {
    const module = await WebAssembly.compile(bytes);
    if (bytes !== given) keepOriginal(module, given);
    return { module, wasm, origin, whyNoRollback };
  } catch (error) {
    throw explainCompileError(error, origin);
  }
}

/**
 * Compiles while the answer comes in. If its integrity has to be checked, all of it is read first.
 * @param {Response} response @param {string} url @param {LoadOptions} options
 * @returns {Promise<Compiled>}
 */
async function compileResponse(response, url, options) {
  const { signal, onProgress, integrity, rewriter } = options;
  if (response.bodyUsed)
    throw new LoadError(`The answer of ${url} has been read already: pass a fresh Response as \`wasm\`.`);
  if (integrity || rewriter || !response.body || typeof WebAssembly.compileStreaming !== "function") {
    const bytes = await readBytes(response, url, signal);
    onProgress?.(bytes.length, bytes.length);
    return compileBytes(bytes, url, options);
  }
  // The engine gets the response itself: it keeps compiled code in the browser's cache, by the response's URL.
  const head = readHead(response.clone(), onProgress);
  const [compiled, read] = await Promise.allSettled([WebAssembly.compileStreaming(asWasm(response)), head]);
  signal?.throwIfAborted();
  if (read.status === "rejected") throw brokenOff(response, url, read.reason);
  const wasm = readInterface(read.value.bytes, url, read.value.total);
  if (compiled.status === "rejected") throw explainCompileError(compiled.reason, url);
  return { module: compiled.value, wasm, origin: url };
}

/**
 * The response with the content type that engines require, and that many servers do not send.
 * @param {Response} response
 */
function asWasm(response) {
  if (response.headers.get("content-type")?.startsWith("application/wasm")) return response;
  return new Response(response.body, { headers: { "content-type": "application/wasm" } });
}

/**
 * Follows a download to its end, and keeps the sections before the code.
 * @param {Response} response @param {OnProgress} [onProgress]
 */
async function readHead(response, onProgress) {
  const { headers, body } = response;
  // If the answer is compressed, the length is that of the compressed bytes, and says nothing about the bytes that
  // arrive.
  const total = headers.has("content-encoding") ? null : Number(headers.get("content-length")) || null;
  const head = new Head();
  const reader = /** @type {ReadableStream<Uint8Array>} */ (body).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    head.add(read.value);
    onProgress?.(head.total, total);
  }
  return head;
}

/* ---- one compile for each URL -------------------------------------------- */

/**
 * @typedef {{validator: string, size: number, module: WeakRef<WebAssembly.Module>, facts: Omit<Compiled, "module">}}
 * Earlier
 */
/**
 * The module that each URL was compiled to. The reference is weak, so that a module that nobody uses can be collected.
 * @type {Map<string, Earlier>}
 */
const compiledUrls = new Map();

/** @type {Map<string, Download>} the downloads that have not ended */
const downloads = new Map();

/**
 * @param {string} url @param {LoadOptions} options
 * @returns {Promise<Compiled>}
 */
function compileUrl(url, options) {
  const rewritten = options.rewriter ? `rewritten ${options.rewrites ?? ""} ${options.wishes ?? ""}` : "";
  const key = `${options.integrity ?? ""} ${rewritten} ${url}`;
  const download = downloads.get(key) ?? new Download(key, url, options);
  return download.join(options);
}

/** One download for all who load a URL at the same time. It ends when the last of them gives up. */
class Download {
  /** @param {string} key @param {string} url @param {LoadOptions} options integrity and digest, the same for all */
  constructor(key, url, { integrity, digest, rewriter, rewrites, wishes }) {
    this.controller = new AbortController();
    this.waiting = 0;
    /** @type {Set<OnProgress>} */
    this.listeners = new Set();
    const onProgress = (/** @type {number} */ loaded, /** @type {number | null} */ total) => {
      for (const listener of this.listeners) listener(loaded, total);
    };
    const { signal } = this.controller;
    this.result = compileAnew(key, url, { integrity, digest, rewriter, rewrites, wishes, signal, onProgress });
    downloads.set(key, this);
    const forget = () => {
      if (downloads.get(key) === this) downloads.delete(key);
    };
    this.result.then(forget, forget);
    signal.addEventListener("abort", forget);
  }

  /** @param {LoadOptions} options @returns {Promise<Compiled>} */
  async join({ signal, onProgress }) {
    signal?.throwIfAborted();
    this.waiting += 1;
    if (onProgress) this.listeners.add(onProgress);
    /** @type {Promise<never>} */
    const aborted = new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
    try {
      return await Promise.race([this.result, aborted]);
    } finally {
      if (onProgress) this.listeners.delete(onProgress);
      this.waiting -= 1;
      if (this.waiting === 0) this.controller.abort();
    }
  }
}

/**
 * Requests a URL, and compiles the answer unless its headers say that it is what was compiled before.
 * @param {string} key @param {string} url @param {LoadOptions} options
 * @returns {Promise<Compiled>}
 */
async function compileAnew(key, url, options) {
  const response = await request(url, options.signal);
  const validator = ["etag", "last-modified", "content-length"].map((name) => response.headers.get(name)).join(" ");
  const earlier = compiledUrls.get(key);
  const module = earlier?.validator === validator ? earlier.module.deref() : undefined;
  if (earlier && module) {
    response.body?.cancel().catch(() => {});
    options.onProgress?.(earlier.size, earlier.size);
    return { ...earlier.facts, module, origin: shown(url) };
  }
  let size = 0;
  const onProgress = (/** @type {number} */ loaded, /** @type {number | null} */ total) => {
    size = loaded;
    options.onProgress?.(loaded, total);
  };
  const compiled = await compileResponse(response, shown(url), { ...options, onProgress });
  const { module: fresh, ...facts } = compiled;
  compiledUrls.set(key, { validator, size, module: new WeakRef(fresh), facts });
  return compiled;
}

/* ---- what went wrong ------------------------------------------------------ */

/** @param {unknown} error @param {string} origin */
export function explainCompileError(error, origin) {
  const { message } = /** @type {Error} */ (error);
  if (isForbidden(message)) {
    return new CompileError(
      `Cannot compile ${origin}: the page's content security policy forbids Wasm. ` +
        "Add 'wasm-unsafe-eval' to its script-src.",
      { cause: error },
    );
  }
  if (isTooLarge(message))
    return new CompileError(`Cannot compile ${origin} at once: it is ${describeTooLarge("does")}`, { cause: error });
  if (isCut(message)) return new CompileError(`${origin} is truncated or damaged: ${message}.`, { cause: error });
  const feature = missingFeature(message);
  if (feature) {
    return new CompileError(
      `Cannot compile ${origin}: it needs a feature that this browser lacks: ${feature} (${message}).`,
      { cause: error },
    );
  }
  return new CompileError(`Cannot compile ${origin}: ${message}.`, { cause: error });
}
