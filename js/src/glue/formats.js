/**
 * Says what a file is that is not wasm-bindgen's glue. An error must name it, because a wrong guess sends
 * its reader the wrong way.
 */

import { GlueError } from "../shared/errors.js";

export const EXPECTED = "Load a JavaScript file that wasm-bindgen wrote.";

/** Names that wasm-bindgen gives to imports and exports. They survive bundlers and minifiers. */
export const BINDGEN = /__wbindgen_|__wbg_|\w_bg\.(?:wasm|js)\b/;

/**
 * Refuses a file if it can be recognised without parsing it.
 * @param {string} source @param {string} url
 */
export function rejectOtherFormats(source, url) {
  const start = source.slice(0, 200).trimStart();
  let format;
  let remedy = EXPECTED;
  if (!start) format = "an empty file";
  else if (/^<(!doctype|html|\?xml|!--)/i.test(start))
    [format, remedy] = ["an HTML page, which many servers send for a wrong URL", "Check the URL."];
  else if (start.startsWith("\0asm"))
    [format, remedy] = ["a Wasm file", "Pass the glue (.js) as `glue`, and this file as `wasm`."];
  else if (isJson(source)) format = "JSON";
  if (format) throw new GlueError(`${url} is not wasm-bindgen glue: found ${format}. ${remedy}`);
}

/** @param {string} source */
function isJson(source) {
  if (!/^\s*[[{"]/.test(source)) return false;
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
}

/** The error that says why a file is no JavaScript module. @param {string} url @param {unknown} cause of the parser */
export function explainParseError(url, cause) {
  return new GlueError(`${url} is not a JavaScript module: ${/** @type {Error} */ (cause).message}. ${EXPECTED}`, {
    cause,
  });
}

/** Is that a Node-API module? Its init looks like that of glue. @param {string} source */
export const isNodeApi = (source) => /["']napi-wasm["']/.test(source) && !BINDGEN.test(source);

/** Refuses files that only wrap glue. @param {any} program @param {string} url */
export function rejectWrappers({ body }, url) {
  const wrapped = body.find((/** @type {any} */ { type, source }) => source && type !== "ImportDeclaration");
  if (wrapped)
    throw new GlueError(
      `${url} is a wrapper that re-exports ${JSON.stringify(wrapped.source.value)}: load that file instead, if it is ` +
        "the glue.",
    );
}

/** The error that says why a JavaScript module is no glue. @param {string} url @param {string} lacks */
export function explainOther(url, lacks) {
  return new GlueError(
    `${url} is JavaScript, but not the glue that wasm-bindgen writes: it has no ${lacks}. ${EXPECTED}`,
  );
}
