/**
 * From a Wasm file to a compiled module, and to what its binary tells. A file is compiled while it is being downloaded,
 * and once for each URL.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { compilesStreams, isCut, isForbidden, isTooLarge, missingFeature, withoutQuote } from "../diagnosis/engines.js";
import { CompileError, LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { describeTooLarge } from "../shared/messages.js";
import { JAVASCRIPT_TAG, readInterface } from "../wasm/binary.js";
import { Head } from "../wasm/head.js";
import { WHOLE } from "../wasm/header.js";
import { checkRewritten, DEADLINES, fingerprintOf, keepOriginal, readMark, rewriteWasm } from "../wasm/rewriting.js";
import { absolute, brokenOff, checkStatus, readBytes, request, shown } from "./fetching.js";
import { checkIntegrity, checkIntegrityAtOnce } from "./integrity.js";
import { findKept, findNote, hashFile, keep, note, openStore } from "./kept.js";

/** @import {Note} from "./kept.js" */
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
    if (bytes !== given) keepOriginal(module, given, how.rewriter);
    return { module, wasm, origin, whyNoRollback };
  } catch (error) {
    if (how.wishes) return compileWasm(source, origin, withoutWish(how, error));
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
 * What a file is rewritten for: first with all wishes, then without. A wish that cannot be fulfilled is no error. In a
 * build that unwinds there is no wish for rollback. 0: it is left as it is.
 * @param {Uint8Array<ArrayBuffer>} bytes @param {string} origin
 * @param {{rewriter?: Uint8Array<ArrayBuffer>, rewrites?: number, wishes?: number}} how
 */
function attempts(bytes, origin, { rewriter, rewrites = DEADLINES, wishes = 0 }) {
  if (!rewriter) return [0];
  return wishes && !readInterface(bytes, origin).unwinds ? [rewrites | wishes, rewrites] : [rewrites];
}

/**
 * @param {Uint8Array<ArrayBuffer>} given @param {string} origin
 * @param {{rewriter?: Uint8Array<ArrayBuffer>, rewrites?: number, wishes?: number, whyNoRollback?: string}} how
 * @param {number[]} [options] see `attempts` @param {Uint8Array | null} [hash] of the file
 * @returns {{bytes: Uint8Array<ArrayBuffer>, whyNoRollback: string, options: number}}
 */
function rewrite(given, origin, how, options = attempts(given, origin, how), hash = null) {
  let { whyNoRollback = "" } = how;
  for (const [at, chosen] of options.entries()) {
    if (!chosen) break;
    try {
      const bytes = rewriteWasm(given, origin, /** @type {Uint8Array<ArrayBuffer>} */ (how.rewriter), chosen, hash);
      return { bytes, whyNoRollback, options: chosen };
    } catch (error) {
      if (!isInstance(error, CompileError) || at === options.length - 1) throw error;
      whyNoRollback = error.reason;
    }
  }
  return { bytes: given, whyNoRollback, options: 0 };
}

/**
 * How to go on where the engine does not take a file that was rewritten for a wish: it is larger than the original.
 * @template {{wishes?: number}} How
 * @param {How} how @param {unknown} error of the engine
 */
const withoutWish = (how, error) => ({
  ...how,
  wishes: 0,
  whyNoRollback: `the browser does not compile its rewritten Wasm file (${describeThrown(error)})`,
});

/**
 * @param {Uint8Array<ArrayBuffer>} given @param {string} origin
 * @param {LoadOptions} options @param {Note | null} [noted] of the URL that the file came from
 * @returns {Promise<Compiled>}
 */
async function compileBytes(given, origin, { integrity, digest, ...how }, noted = null) {
  await checkIntegrity(given, origin, integrity, digest);
  const options = attempts(given, origin, how);
  const hash = options[0] ? await hashFile(given) : null;
  const store = hash && (await storeFor(how));
  const fingerprint = hash && fingerprintOf(options[0], hash);
  const earlier = fingerprint && (await findEarlier(fingerprint, store, origin));
  if (fingerprint && earlier) {
    if (store && noted) note(store, noted, fingerprint);
    keepOriginal(earlier.module, given, how.rewriter);
    return earlier;
  }
  const rewritten = rewrite(given, origin, how, options, hash);
  const { bytes, whyNoRollback } = rewritten;
  const wasm = readInterface(bytes, origin);
  let module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch (error) {
    if (how.wishes) return compileBytes(given, origin, withoutWish(how, error), noted);
    throw explainCompileError(error, origin);
  }
  if (bytes !== given) keepOriginal(module, given, how.rewriter);
  // A file that was rewritten at build time has another fingerprint.
  if (fingerprint && readMark(module)?.fingerprint === fingerprint) {
    rewrittenFiles.set(fingerprint, { module: new WeakRef(module), wasm });
    if (store) keep(store, fingerprint, bytes).then(() => noted && note(store, noted, fingerprint));
  }
  return { module, wasm, origin, whyNoRollback };
}

/**
 * Downloads the original of a file whose rewritten form was kept.
 * @param {string} url @param {WebAssembly.Module} module
 */
async function readAgain(url, module) {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const hash = await hashFile(bytes);
  const mark = readMark(module);
  if (!hash || !mark || fingerprintOf(mark.options, hash) !== mark.fingerprint)
    throw new CompileError(`${shown(url)} is another file by now.`);
  return bytes.buffer;
}

/**
 * The modules of files that were rewritten in this page, by their fingerprints.
 * @type {Map<string, {module: WeakRef<WebAssembly.Module>, wasm: WasmInterface}>}
 */
const rewrittenFiles = new Map();

/** @param {LoadOptions} how @returns {Promise<Cache | null>} */
async function storeFor({ rewriter, keeps = true }) {
  return rewriter && keeps ? openStore(rewriter) : null;
}

/**
 * A file that was rewritten before, in this page or in an earlier one.
 * @param {string} fingerprint @param {Cache | null} store @param {string} origin
 * @returns {Promise<Compiled | null>}
 */
async function findEarlier(fingerprint, store, origin) {
  const known = rewrittenFiles.get(fingerprint);
  const module = known?.module.deref();
  if (known && module) return { module, wasm: known.wasm, origin, whyNoRollback: "" };
  const kept = store && (await findKept(store, fingerprint));
  if (!kept) return null;
  const wasm = readInterface(kept.bytes, origin);
  rewrittenFiles.set(fingerprint, { module: new WeakRef(kept.module), wasm });
  return { module: kept.module, wasm, origin, whyNoRollback: "" };
}

/**
 * Compiles while the answer comes in. If its integrity has to be checked, all of it is read first.
 * @param {Response} response @param {string} url @param {LoadOptions} options
 * @param {Note | null} [noted] of the URL
 * @returns {Promise<Compiled>}
 */
async function compileResponse(response, url, options, noted = null) {
  const { signal, onProgress, integrity, rewriter } = options;
  const { body } = response;
  if (response.bodyUsed)
    throw new LoadError(`The answer of ${url} has been read already: pass a fresh Response as \`wasm\`.`);
  if (integrity || rewriter || !body || !compilesStreams()) {
    const reported = body && onProgress && readHead(response.clone(), onProgress);
    const [read] = await Promise.allSettled([readBytes(response, url, signal), reported]);
    if (read.status === "rejected") throw read.reason;
    if (!reported) onProgress?.(read.value.length, read.value.length);
    return compileBytes(read.value, url, options, noted);
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
  constructor(key, url, { integrity, digest, rewriter, rewrites, wishes, keeps }) {
    this.controller = new AbortController();
    this.waiting = 0;
    /** @type {Set<OnProgress>} */
    this.listeners = new Set();
    const onProgress = (/** @type {number} */ loaded, /** @type {number | null} */ total) => {
      for (const listener of this.listeners) listener(loaded, total);
    };
    const { signal } = this.controller;
    const how = { integrity, digest, rewriter, rewrites, wishes, keeps, signal, onProgress };
    this.result = compileAnew(key, url, how);
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
  const earlier = compiledUrls.get(key);
  const purpose = `${options.rewrites} ${options.wishes}`;
  // What an earlier page load has made of the file is read while the server answers.
  const keptBefore = options.integrity || earlier?.module.deref() ? null : findByNote(url, purpose, options);
  const response = await request(url, options.signal);
  const { headers } = response;
  const validator = ["etag", "last-modified", "content-length"].map((name) => headers.get(name)).join(" ");
  // A length alone does not tell whether a file has changed.
  const canBeTold = headers.has("etag") || headers.has("last-modified");
  const module = canBeTold && earlier?.validator === validator ? earlier.module.deref() : undefined;
  if (earlier && module) {
    response.body?.cancel().catch(() => {});
    options.onProgress?.(earlier.size, earlier.size);
    return { ...earlier.facts, module, origin: shown(url) };
  }
  const kept = await keptBefore;
  if (kept?.validator === validator) {
    response.body?.cancel().catch(() => {});
    const total = Number(headers.get("content-length")) || null;
    options.onProgress?.(total ?? 0, total);
    const { module: again } = kept.compiled;
    keepOriginal(again, () => readAgain(url, again), options.rewriter);
    return kept.compiled;
  }
  const noted = canBeTold && /^https?:/.test(url) ? { url, purpose, validator } : null;
  let size = 0;
  const onProgress = (/** @type {number} */ loaded, /** @type {number | null} */ total) => {
    size = loaded;
    options.onProgress?.(loaded, total);
  };
  const compiled = await compileResponse(response, shown(url), { ...options, onProgress }, noted);
  const { module: fresh, ...facts } = compiled;
  compiledUrls.set(key, { validator, size, module: new WeakRef(fresh), facts });
  return compiled;
}

/**
 * What the answer of a URL was rewritten to in an earlier page load.
 * @param {string} url @param {string} purpose @param {LoadOptions} options
 */
async function findByNote(url, purpose, options) {
  const store = await storeFor(options);
  const found = store && (await findNote(store, url, purpose));
  const compiled = found && (await findEarlier(found.fingerprint, store, shown(url)));
  return compiled && { validator: found.validator, compiled };
}

/* ---- what went wrong ------------------------------------------------------ */

/** @param {unknown} error @param {string} origin */
export function explainCompileError(error, origin) {
  const message = withoutQuote(/** @type {Error} */ (error).message);
  if (isForbidden(message)) {
    return new CompileError(
      `Cannot compile ${origin}: the page's content security policy forbids Wasm. ` +
        "Add 'wasm-unsafe-eval' to its script-src.",
      { cause: error },
    );
  }
  if (isTooLarge(message))
    return new CompileError(`Cannot compile ${origin} at once: it is ${describeTooLarge("does")}`, { cause: error });
  if (isCut(message))
    return new CompileError(`${origin} is truncated or damaged: ${message}. ${WHOLE}`, { cause: error });
  const feature = missingFeature(message);
  if (feature) {
    return new CompileError(
      `Cannot compile ${origin}: it needs a feature that this browser lacks: ${feature} ` +
        `(${message.replace(/^WebAssembly\.\w+\(\): /, "")}). Update the browser.`,
      { cause: error },
    );
  }
  return new CompileError(`Cannot compile ${origin}: ${message}.`, { cause: error });
}
