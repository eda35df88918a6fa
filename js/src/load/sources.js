/** Where the parts of a package come from: its glue, the snippets that the glue imports, and its Wasm file. */

import { fetchWasm } from "../files/compiling.js";
import { absolute, explainViolation, fetchBytes, readBytes, request, watchPolicy } from "../files/fetching.js";
import { checkIntegrity } from "../files/integrity.js";
import { evaluateSnippet } from "../glue/factory.js";
import { FetchError, GlueError, LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";

/** @import {Compiled, Glue, GlueText, LoadOptions, ReadFile, WasmSource} from "../types.js" */

/**
 * Fetches a glue file. After a redirect its URL is the one that it came from, because the package's other files are
 * beside that one.
 * @param {string} place @param {LoadOptions} how
 */
export async function fetchGlue(place, { signal }) {
  const requested = absolute(place);
  const response = await request(requested, signal);
  const bytes = await readBytes(response, requested, signal);
  const movedTo = response.redirected ? response.url : "";
  return { source: new TextDecoder().decode(bytes), url: movedTo || requested, movedTo, bytes };
}

/** Checks the glue's integrity. @param {GlueText} glue @param {LoadOptions} how */
export function checkText({ source, url, bytes }, { integrity, digest }) {
  return checkIntegrity(bytes ?? new TextEncoder().encode(source), url, integrity, digest);
}

/**
 * A module that the glue imports. If it has to be checked, it is fetched, and what was checked is what runs.
 * @param {string} from @param {GlueText} text of the glue @param {LoadOptions} how
 */
export async function importSnippet(from, text, how) {
  if (!text.readFile && !how.integrity) return importBeside(from, text.url);
  return runSnippet((await fetchBeside(from, text, how)).bytes, from, text.url);
}

/**
 * @param {string} from relative to the file that names it, or a URL
 * @param {GlueText} text of that file @param {LoadOptions} how
 * @returns {Promise<{bytes: Uint8Array<ArrayBuffer>, url: string}>}
 */
export async function fetchBeside(from, { url, readFile }, { signal, integrity, digest }) {
  const address = new URL(from, url).href;
  const bytes = readFile ? readBeside(from, readFile, url) : await fetchBytes(address, signal);
  await checkIntegrity(bytes, address, integrity, digest);
  return { bytes, url: address };
}

/**
 * The modules that the Wasm file itself imports from beside the glue. Glue for a bundler does not import them.
 * @param {Glue} glue @param {Compiled} compiled
 */
export function snippetsOf({ target }, { wasm }) {
  const names = target === "bundler" ? wasm.imports.map(({ module }) => module) : [];
  return [...new Set(names)].filter((name) => /^\.{1,2}\/(?!.*_bg\.js$)/.test(name));
}

/** @param {string} from @param {string} url of the glue */
async function importBeside(from, url) {
  const violation = watchPolicy();
  const address = new URL(from, url).href;
  try {
    return await import(/* @vite-ignore */ address);
  } catch (cause) {
    await new Promise((resolve) => setTimeout(resolve));
    const { directive } = violation;
    if (directive)
      throw new FetchError(`Cannot import ${address}: ${explainViolation(address, directive)}.`, {
        url: address,
        cause,
      });
    throw new GlueError(
      `${url} imports ${JSON.stringify(from)}, which cannot be loaded (${/** @type {Error} */ (cause).message}). ` +
        "Serve it there, or bundle it.",
      { cause },
    );
  } finally {
    violation.stop();
  }
}

/** @param {string} from @param {ReadFile} readFile @param {string} url of the glue */
export function readBeside(from, readFile, url) {
  const isBeside = /^\.{1,2}\//.test(from) || from.startsWith("file:");
  const bytes = isBeside ? readFile(relative(from, url)) : undefined;
  if (!bytes) throw new GlueError(`${url} imports ${JSON.stringify(from)}, which is no file beside it. Put it there.`);
  return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
}

/**
 * Reads what lies beside one file, by a function that reads what lies beside another one.
 * @param {string} url of the first @param {string} other URL of the other @param {ReadFile} readFile
 * @returns {ReadFile}
 */
export function readerFrom(url, other, readFile) {
  if (new URL(".", url).href === new URL(".", other).href) return readFile;
  return (from) => readFile(relative(new URL(from, url).href, other));
}

/** The path of a file, from the folder of another one. @param {string} from a path, or a URL @param {string} url */
function relative(from, url) {
  if (!from.startsWith("file:")) return from;
  const [to, here] = [from, url].map((place) => decodeURIComponent(new URL(place).pathname).split("/"));
  while (to.length > 1 && here.length > 1 && to[0] === here[0]) {
    to.shift();
    here.shift();
  }
  return [...here.slice(1).map(() => ".."), ...to].join("/").replace(/^(?!\.\.\/)/, "./");
}

/** @param {Uint8Array} bytes @param {string} from @param {string} url of the glue */
export function runSnippet(bytes, from, url) {
  return evaluateSnippet(new TextDecoder().decode(bytes), new URL(from, url).href);
}

/**
 * The Wasm file that the glue itself would fetch: its URL, or its bytes where files are read at once.
 * @template {GlueText} Given
 * @param {Glue} glue @param {Given} text
 * @returns {Given extends {readFile: ReadFile} ? Uint8Array<ArrayBuffer> : WasmSource}
 */
export function defaultWasm(glue, { url, readFile, wasmPath = glue.wasmPath }) {
  const beside = new URL(wasmPath, url).href;
  if (!readFile) return /** @type {any} */ (beside);
  const bytes = readFile(wasmPath);
  if (!bytes)
    throw new FetchError(`There is no file ${JSON.stringify(wasmPath)} beside ${url}. ${ELSEWHERE}`, { url: beside });
  return /** @type {any} */ (bytes);
}

const ELSEWHERE = "Put the Wasm file there, or pass it as `wasm`: a URL, a path or bytes.";

/** @param {Glue} glue @param {GlueText} text @param {LoadOptions} how */
export async function fetchDefaultWasm(glue, text, how) {
  const source = defaultWasm(glue, text);
  try {
    return await fetchWasm(source, how);
  } catch (error) {
    // Some servers answer with a page in place of a file that they do not have.
    const isAbsent =
      isInstance(error, LoadError) &&
      (isInstance(error, FetchError) ? error.status : / is not Wasm: /.test(error.message));
    // Others who load the same file get the same error.
    if (isAbsent) error.message = error.message.replace(/( (Check|Put) the .*)?$/, ` ${ELSEWHERE}`);
    throw error;
  }
}
