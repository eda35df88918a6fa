/**
 * Says what a file is that is not wasm-bindgen's glue, for any target. An error must name it, because a wrong guess
 * sends its reader the wrong way.
 */

import { BINDGEN, EXPECTED } from "../glue/formats.js";
import { isFunction, parseModule, walk } from "../glue/syntax.js";
import { GlueError } from "../shared/errors.js";

/** Other tools that write JavaScript around a Wasm file: words that survive minifiers, and what to load instead. */
const OTHER_TOOLS = /** @type {[RegExp, string, string?][]} */ ([
  [
    /["'](?:napi-wasm|@napi-rs\/wasm-runtime|@emnapi\/[\w-]+)["']|\bnapi_(register_(wasm|module)_v1|create_function)\b/,
    "a Node-API module (napi-rs, napi-wasm)",
  ],
  [/\bENVIRONMENT_IS_(?:WEB|WORKER)\b|\bonRuntimeInitialized\b|\bAborted\(/, "JavaScript that Emscripten wrote"],
  [
    /\b__lowerString\b|\b__liftString\b/,
    "JavaScript that AssemblyScript wrote",
    "Load its Wasm file instead, and pass what that imports as `imports`.",
  ],
  [/\bglobalThis\.Go = class\b|\bsyscall\/js\.valueGet\b/, "the JavaScript support of Go"],
]);

/**
 * @param {string} source @param {string} url @param {unknown} error of `readGlue`
 * @returns {unknown} the error that says more, if there is more to say
 */
export function explain(source, url, error) {
  return explainScript(source, url) ?? error;
}

/**
 * Refuses files that are known to be no glue, before anything that they import is fetched.
 * @param {string} source @param {string} url
 */
export function rejectKnown(source, url) {
  const known = explainTool(source, url) ?? explainOld(source, url);
  if (known) throw known;
}

/** @param {string} source @param {string} url */
function explainTool(source, url) {
  if (BINDGEN.test(source)) return null;
  const tool = OTHER_TOOLS.find(([words]) => words.test(source));
  return tool ? notGlue(url, tool[1], tool[2]) : null;
}

/**
 * The error that says why a script, which imports and exports nothing, is no glue; null: that is not known.
 * @param {string} source @param {string} url
 */
function explainScript(source, url) {
  if (/^\s*(?:import|export)\b/m.test(source)) return null;
  const isCommon = /\bmodule\.exports\b|\bexports\.[\w$]+ ?= ?|\brequire\(/.test(source);
  if (!BINDGEN.test(source)) return isCommon ? notGlue(url, "a CommonJS module") : null;
  if (!/\binstantiateStreaming\b/.test(source)) return null;
  const format = isCommon ? "a CommonJS bundle" : "a script";
  return new GlueError(
    `${url} is ${format} with wasm-bindgen's glue in it, not a JavaScript module: ` +
      "load the package's ES module instead.",
  );
}

/** @param {string} source @param {string} url */
function explainOld(source, url) {
  if (!source.includes("__wbindgen_wasm_module") || !hasChainedInit(parse(source))) return null;
  return new GlueError(
    `${url} is glue of wasm-bindgen before 0.2.60 (2019), whose init cannot run again at once after a crash. ` +
      "Load a newer version of the package, or build it with a newer wasm-bindgen.",
  );
}

/** @param {string} source */
function parse(source) {
  try {
    return parseModule(source).program;
  } catch {
    return { type: "Program", body: [] };
  }
}

/**
 * Is the instance kept in a callback of a promise: `.then(… => { …; init.__wbindgen_wasm_module = module; })`? It was
 * until 0.2.60. Today an async function does that, or one that it calls. Bundlers keep the property's name.
 * @param {any} program
 */
function hasChainedInit(program) {
  /** @type {number[]} */
  const places = [];
  /** @type {{start: number, end: number}[]} */
  const functions = [];
  const callbacks = new Set();
  walk(program, (node) => {
    if (node.left?.property?.name === "__wbindgen_wasm_module") places.push(node.start);
    if (isFunction(node)) functions.push(node);
    if (node.callee?.property?.name === "then") for (const argument of node.arguments) callbacks.add(argument);
  });
  return places.some((place) => {
    // Parents come first, so the last one is the innermost.
    const innermost = functions.findLast(({ start, end }) => start <= place && place < end);
    return callbacks.has(innermost);
  });
}

/** @param {string} url @param {string} format @param {string} [remedy] */
function notGlue(url, format, remedy = EXPECTED) {
  return new GlueError(`${url} is not wasm-bindgen glue: found ${format}. ${remedy}`);
}
