/**
 * Rewritten files that the browser keeps for the next page load, in `caches`. They are found by the hash of the
 * original and what it was rewritten for, and each rewriter has a cache of its own. A *note* says which of them the
 * answer of a URL becomes, so that a file that the server has not changed need not be downloaded again.
 *
 * All of it is an attempt: where there is no `caches`, where it is full or forbidden, nothing is found and nothing
 * kept.
 */

import { compilesStreams } from "../diagnosis/engines.js";
import { readMark, toHex } from "../wasm/rewriting.js";

const PREFIX = "unpanic-rewritten-";
/** Requests stand for entries, and must have the form of a URL. */
const PLACE = "https://unpanic.invalid/";
const MOST_BYTES = 64_000_000;
const MOST_ENTRIES = 100;

/**
 * What a URL is loaded for, and what its answer was.
 * @typedef {{url: string, purpose: string, validator: string}} Note
 */

/** @type {Promise<Cache | null> | null} */
let opened = null;

/**
 * The cache for what this rewriter has written.
 * @param {Uint8Array<ArrayBuffer>} rewriter @returns {Promise<Cache | null>} null: there is none
 */
export function openStore(rewriter) {
  opened ??= attempt(async () => {
    const name = PREFIX + toHex(await hashOf(rewriter)).slice(0, 16);
    const store = await caches.open(name);
    // Nobody waits for this.
    attempt(async () => {
      for (const other of await caches.keys())
        if (other.startsWith(PREFIX) && other !== name) await caches.delete(other);
    });
    return store;
  });
  return opened;
}

/**
 * The hash of a file. Without `crypto.subtle`, which only secure contexts have, there is no cache either.
 * @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Uint8Array<ArrayBuffer> | null>}
 */
export function hashFile(bytes) {
  return attempt(() => hashOf(bytes));
}

/**
 * A file that was rewritten before. What is damaged, or was rewritten from another file, is dropped.
 * @param {Cache} store @param {string} fingerprint
 * @returns {Promise<{module: WebAssembly.Module, bytes: Uint8Array<ArrayBuffer>} | null>}
 */
export async function findKept(store, fingerprint) {
  const found = await attempt(async () => {
    const response = await store.match(PLACE + fingerprint);
    if (!response) return undefined;
    const read = response.clone().arrayBuffer();
    const streams = compilesStreams();
    const compiled = streams ? WebAssembly.compileStreaming(response) : read.then((file) => WebAssembly.compile(file));
    const [module, buffer] = await Promise.all([compiled, read]);
    const bytes = new Uint8Array(buffer);
    const isWhole = toHex(await hashOf(bytes)) === response.headers.get("hash");
    return isWhole && readMark(module)?.fingerprint === fingerprint ? { module, bytes } : null;
  });
  if (found === null) await attempt(() => store.delete(PLACE + fingerprint));
  return found ?? null;
}

/**
 * Keeps a rewritten file. What was kept first is dropped, if there is too much.
 * @param {Cache} store @param {string} fingerprint @param {Uint8Array<ArrayBuffer>} bytes
 */
export function keep(store, fingerprint, bytes) {
  return attempt(async () => {
    const headers = { "content-type": "application/wasm", hash: toHex(await hashOf(bytes)), size: `${bytes.length}` };
    await store.put(PLACE + fingerprint, new Response(bytes, { headers }));
    await drop(store);
  });
}

/** @param {Cache} store */
async function drop(store) {
  const [requests, responses] = await Promise.all([store.keys(), store.matchAll()]);
  let bytes = 0;
  for (let at = requests.length - 1; at >= 0; at--) {
    bytes += Number(responses[at]?.headers.get("size"));
    if (bytes > MOST_BYTES || requests.length - at > MOST_ENTRIES) await store.delete(requests[at]);
  }
}

/** @param {string} url @param {string} purpose what the file is rewritten for */
const placeOf = (url, purpose) => `${PLACE}${purpose}/${encodeURIComponent(url)}`;

/**
 * The validator and the fingerprint of the file that the answer of a URL has become.
 * @param {Cache} store @param {string} url @param {string} purpose
 * @returns {Promise<{validator: string, fingerprint: string} | null>}
 */
export function findNote(store, url, purpose) {
  return attempt(async () => {
    const headers = (await store.match(placeOf(url, purpose)))?.headers;
    const [validator, fingerprint] = [headers?.get("validator"), headers?.get("fingerprint")];
    return validator && fingerprint ? { validator, fingerprint } : null;
  });
}

/** @param {Cache} store @param {Note} note @param {string} fingerprint */
export function note(store, { url, purpose, validator }, fingerprint) {
  const headers = { validator, fingerprint };
  return attempt(() => store.put(placeOf(url, purpose), new Response(null, { headers })));
}

/** @template T @param {() => Promise<T>} work @returns {Promise<T | null>} */
async function attempt(work) {
  try {
    return await work();
  } catch {
    return null;
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function hashOf(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
