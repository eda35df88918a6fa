/**
 * Says what a file is that is not wasm-bindgen's glue. An error must name it, because a wrong guess sends
 * its reader the wrong way.
 */

import { GlueError } from "../shared/errors.js";

const EXPECTED = "Load the file that wasm-bindgen wrote, for whatever target.";

/** Names that wasm-bindgen gives to imports and exports. They survive bundlers and minifiers. */
export const BINDGEN = /__wbindgen_|__wbg_|\w_bg\.(?:wasm|js)\b/;

/** Other tools that write JavaScript around a Wasm file, each with words that survive minifiers. */
const OTHER_TOOLS = /** @type {[RegExp, string][]} */ ([
  [
    /["'](?:napi-wasm|@napi-rs\/wasm-runtime|@emnapi\/[\w-]+)["']|\bnapi_(register_(wasm|module)_v1|create_function)\b/,
    "a Node-API module (napi-rs, napi-wasm)",
  ],
  [/\bENVIRONMENT_IS_(?:WEB|WORKER)\b|\bonRuntimeInitialized\b|\bAborted\(/, "JavaScript that Emscripten wrote"],
  [/\b__lowerString\b|\b__liftString\b/, "JavaScript that AssemblyScript wrote"],
  [/\bglobalThis\.Go = class\b|\bsyscall\/js\.valueGet\b/, "the JavaScript support of Go"],
]);

/**
 * Refuses a file if it can be recognised without parsing it.
 * @param {string} source @param {string} url
 */
export function rejectOtherFormats(source, url) {
  const start = source.slice(0, 200).trimStart();
  let format;
  if (!start) format = "an empty file";
  else if (/^<(!doctype|html|\?xml|!--)/i.test(start))
    format = "an HTML page (does the server answer every path with its index page?)";
  else if (start.startsWith("\0asm")) format = "a Wasm file: pass the glue (.js) as `glue` and this file as `wasm`";
  else if (isJson(source)) format = "JSON";
  if (format) throw new GlueError(`${url} is not wasm-bindgen glue: found ${format}.`);
  if (BINDGEN.test(source)) return;
  const tool = OTHER_TOOLS.find(([words]) => words.test(source));
  if (tool) throw notGlue(url, tool[1]);
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

/**
 * The error that says why a file is no JavaScript module.
 * @param {string} source @param {string} url @param {unknown} cause of the parser
 */
export function explainParseError(source, url, cause) {
  const { message } = /** @type {Error} */ (cause);
  return explainScript(source, url) ?? new GlueError(`${url} is not a JavaScript module: ${message}.`, { cause });
}

/**
 * The error that says why a script, which imports and exports nothing, is no glue; null: that is not known.
 * @param {string} source @param {string} url
 */
function explainScript(source, url) {
  const isCommon = /\bmodule\.exports\b|\bexports\.[\w$]+ ?= ?|\brequire\(/.test(source) && !/^export\b/m.test(source);
  if (!BINDGEN.test(source)) return isCommon ? notGlue(url, "a CommonJS module") : null;
  if (!/\binstantiateStreaming\b/.test(source)) return null;
  const format = isCommon ? "a CommonJS bundle" : "a script";
  return new GlueError(
    `${url} is ${format} with wasm-bindgen's glue in it, not a JavaScript module: ` +
      "load the package's ES module instead.",
  );
}

/** @param {string} url @param {string} format */
function notGlue(url, format) {
  return new GlueError(`${url} is not wasm-bindgen glue: found ${format}. ${EXPECTED}`);
}

/**
 * Refuses files that only wrap glue, and scripts.
 * @param {any} program @param {string} source @param {string} url
 */
export function rejectWrappers({ body }, source, url) {
  const wrapped = body.find((/** @type {any} */ { type, source }) => source && type !== "ImportDeclaration");
  if (wrapped)
    throw new GlueError(
      `${url} is a wrapper that re-exports ${JSON.stringify(wrapped.source.value)}: load that file instead, if it is ` +
        "the glue.",
    );
  const isScript = !body.some((/** @type {any} */ { type }) => /^(?:Import|Export)/.test(type));
  const error = isScript ? explainScript(source, url) : null;
  if (error) throw error;
}

/**
 * The error that says why a JavaScript module is no glue.
 * @param {string} source @param {string} url @param {string} lacks
 */
export function explainOther(source, url, lacks) {
  // Until 0.2.60 the init was a chain of promises; today it is an async function. Bundlers keep the property's name.
  if (/\.__wbindgen_wasm_module\b/.test(source) && /\.then\(/.test(source)) {
    return new GlueError(
      `${url} is glue of wasm-bindgen before 0.2.60 (2019): its init is a chain of promises, which cannot run again ` +
        "at once after a crash. Take a newer version of the package, or build it with a newer wasm-bindgen.",
    );
  }
  return new GlueError(
    `${url} is JavaScript, but not the glue that wasm-bindgen writes: it has no ${lacks}. ${EXPECTED}`,
  );
}
