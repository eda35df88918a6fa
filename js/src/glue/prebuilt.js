/**
 * Factories that were made ahead of time. Where a content security policy forbids to compile source text and to import
 * blob: URLs, a file beside the glue can still be imported. The file for `pkg/bank.js` is `pkg/bank.factory.js`.
 */

import { GlueError } from "../shared/errors.js";
import { factoryBody, factoryModule } from "./factory.js";
import { readGlue } from "./glue.js";

/** @import {Glue, GlueFactory, Linked} from "../types.js" */

const SUFFIX = ".factory.js";
export const FORBIDDEN =
  "the page's content security policy forbids it. Allow 'unsafe-eval' or blob: in its script-src";

/** The command that makes the file. @param {string} url of the glue */
function command(url) {
  return `npx unpanic factory ${nameOf(url)}`;
}

/** @param {string} url @returns {string} its last part */
function nameOf(url) {
  return /[^/?#]*(?=$|[?#])/.exec(url)?.[0] ?? url;
}

/** The place of the factory of a glue file. @param {string} url a URL or a path */
export function factoryPlace(url) {
  return url.replace(/(?:\.m?js)?(?=$|[?#])/, SUFFIX);
}

/**
 * The text of a factory file.
 * @param {string} source of the glue
 * @param {string} url its name, for messages
 * @param {Partial<Linked>} [link] how it was linked, if it is no glue for the web
 * @throws {GlueError} it is not wasm-bindgen's output for the web
 */
export function makeFactory(source, url, link) {
  const body = factoryBody(readGlue(source, url, link));
  return (
    `// Made from ${nameOf(url)} by unpanic, for pages whose content security policy lets nothing compile it there.\n` +
    `export const digest = ${JSON.stringify(digest(source, body))};\n${factoryModule(body)}\n`
  );
}

/**
 * @param {Glue} glue @param {string} body of its factory
 * @returns {Promise<GlueFactory>}
 * @throws {GlueError} the file was made from another version of the glue, or by another version of unpanic
 * @throws {TypeError} there is no such file
 */
export async function importPrebuilt(glue, body) {
  const place = factoryPlace(glue.url);
  const prebuilt = await import(/* @vite-ignore */ place);
  if (prebuilt.digest === digest(glue.source, body)) return prebuilt.default;
  throw new GlueError(
    `${place} does not belong to ${glue.url}: one of the two is of another build, or unpanic is of another version. ` +
      `Make it anew with \`${command(glue.url)}\`.`,
  );
}

/**
 * The error that says what to do where the policy allows no other way.
 * @param {Glue} glue @param {unknown} cause that `importPrebuilt` threw
 */
export function explainPolicy({ url }, cause) {
  const makes = `\`${command(url)}\` makes`;
  const remedy = isLocal(url)
    ? `load the package from a URL, with what ${makes} beside it`
    : `serve what ${makes} beside it`;
  return new GlueError(`${url} cannot be supervised: ${FORBIDDEN}, or ${remedy}.`, { cause });
}

/** Is that a file of Pyodide's file system? @param {string} url */
export function isLocal(url) {
  return url.startsWith("file:");
}

/**
 * A digest that tells two builds apart; it is no protection. The browser's own digests exist on secure origins only.
 * This is two FNV hashes, chained.
 * @param {string} source of the glue
 * @param {string} body of its factory, which also depends on the version of unpanic
 */
function digest(source, body) {
  const hashes = [0x811c9dc5, 0x01000193];
  for (const text of [source, factoryModule(body)]) {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      hashes[0] = Math.imul(hashes[0] ^ unit, 0x01000193);
      hashes[1] = Math.imul(hashes[1] ^ unit, 0x01000197) ^ hashes[0];
    }
  }
  return hashes.map((hash) => (hash >>> 0).toString(16).padStart(8, "0")).join("");
}
