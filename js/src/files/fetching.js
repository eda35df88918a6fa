/** Fetches files. The errors say why a file did not come. Nothing is retried. */

import { FetchError } from "../shared/errors.js";

/** Relative to the page, or to the worker's script. @param {string} url */
export function absolute(url) {
  const { href, origin } = globalThis.location ?? {};
  // No URL is relative to a blob, and PyScript makes its workers from blobs.
  const base = globalThis.document?.baseURI ?? (href?.startsWith("blob:") ? origin : href);
  try {
    return new URL(url, base).href;
  } catch (cause) {
    // Under Node there is no page that the URL could be relative to.
    const problem = base ? "not a valid URL" : "neither a file that is here nor a full URL";
    throw new FetchError(`${JSON.stringify(url)} is ${problem}.`, { url, cause });
  }
}

/** A URL as messages show it: a data: URL holds a whole file. @param {string} url */
export function shown(url) {
  return url.startsWith("data:") ? `${url.slice(0, 40)}…` : url;
}

/**
 * @param {string} url @param {AbortSignal} [signal]
 * @param {string[]} [origins] what a content security policy must allow; default: the origin of the URL
 * @returns {Promise<Response>}
 * @throws {FetchError} there is no answer, or it is no success
 * @throws the reason with which the signal was aborted
 */
export async function request(url, signal, origins) {
  const violation = watchPolicy();
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    // The event of a violated policy comes right after the rejection.
    await new Promise((resolve) => setTimeout(resolve));
    const reason = explainRefusal(url, violation.directive, origins);
    throw new FetchError(`Cannot fetch ${shown(url)}: ${reason}.`, { url, cause });
  } finally {
    violation.stop();
  }
  return checkStatus(response, url);
}

/** @param {string} url @param {string} directive that was violated @param {string[]} [origins] */
function explainRefusal(url, directive, origins) {
  if (directive) return explainViolation(url, directive, origins);
  if (url.startsWith("file:")) return "`fetch` reads no files; pass a path in Pyodide's file system instead";
  // A server on this machine needs no network.
  const isFar = !/^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
  if (isFar && globalThis.navigator?.onLine === false) return "the browser is offline. Check the network";
  return "offline, no such server, or its CORS headers forbid it. Check the URL, and that the server allows this page";
}

/**
 * @param {string} url @param {string} directive that was violated
 * @param {string[]} [origins] what it must allow; default: the origin of the URL
 */
export function explainViolation(url, directive, origins) {
  const { protocol, origin } = new URL(url);
  const sources = origins ?? [
    origin === "null" ? protocol : origin === globalThis.location?.origin ? "'self'" : origin,
  ];
  // The policy of elements is that of scripts, where the page states no other.
  const name = directive.replace(/^script-src-elem$/, "script-src");
  return `the page's content security policy (${directive}) forbids it: add ${sources.join(" ")} to its ${name}`;
}

/** Notes which directive of the page's content security policy is violated, until `stop` is called. */
export function watchPolicy() {
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
export function checkStatus(response, url) {
  if (response.ok) return response;
  const { status, statusText } = response;
  const answer = `${status} ${statusText}`.trim();
  const remedy = `Check the ${status === 404 ? "URL" : "server"}.`;
  throw new FetchError(`Cannot fetch ${url}: the server answered ${answer}. ${remedy}`, { url, status });
}

/**
 * @param {string} url @param {AbortSignal} [signal] @param {string[]} [origins] as `request` takes them
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function fetchBytes(url, signal, origins) {
  const response = await request(url, signal, origins);
  return readBytes(response, url, signal);
}

/**
 * @param {Response} response @param {string} url @param {AbortSignal} [signal]
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function readBytes(response, url, signal) {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw brokenOff(response, url, cause);
  }
}

/**
 * The error for a connection that broke before the end of an answer.
 * @param {Response} response @param {string} url @param {unknown} cause
 */
export function brokenOff(response, url, cause) {
  const { message } = /** @type {Error} */ (cause);
  return new FetchError(`Cannot read the answer of ${url} to its end: ${message}.`, {
    url,
    status: response.status,
    cause,
  });
}
