/**
 * Says what a file is that is not wasm-bindgen's glue for the web. An error must name it, because a wrong guess sends
 * its reader the wrong way.
 */

import { GlueError } from "../shared/errors.js";
import { isFunction, walk } from "./syntax.js";

const WEB_TARGET = "Build it with `wasm-bindgen --target web` (or `wasm-pack build --target web`).";
const EXPECTED = "unpanic loads what `wasm-bindgen --target web` writes.";

/** Names that wasm-bindgen gives to imports and exports. They survive bundlers and minifiers. */
const BINDGEN = /__wbindgen_|__wbg_|\w_bg\.(?:wasm|js)\b/;

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
 * The error that says why a script, which imports and exports nothing, is no glue for the web; null: that is not known.
 * @param {string} source @param {string} url
 */
function explainScript(source, url) {
  if (/^\s*(?:let|var|const) wasm_bindgen\b|\b(?:self|window|globalThis)\.wasm_bindgen = /m.test(source))
    return otherTarget(url, "no-modules");
  // Some parsers do not know this import; acorn is one of them.
  if (/^import source \w+ from\b/m.test(source)) return otherTarget(url, "module");
  const isCommon = /\bmodule\.exports\b|\bexports\.[\w$]+ ?= ?|\brequire\(/.test(source) && !/^export\b/m.test(source);
  if (!BINDGEN.test(source)) return isCommon ? notGlue(url, "a CommonJS module") : null;
  // Glue for Node reads its Wasm file at once. Only glue for the web can take it from the network.
  const bundled = /\binstantiateStreaming\b/.test(source);
  if (!bundled) return isCommon ? otherTarget(url, "nodejs") : null;
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

/** @param {string} url @param {string} target */
function otherTarget(url, target) {
  return new GlueError(`${url} is glue for wasm-bindgen's target \`${target}\`, not \`web\`. ${WEB_TARGET}`);
}

/**
 * Refuses the output of wasm-bindgen's other targets, and files that only wrap glue.
 * @param {any} program @param {string} source @param {string} url
 */
export function rejectOtherTargets(program, source, url) {
  for (const statement of program.body) {
    if (statement.type !== "ImportDeclaration" && !statement.source) continue;
    const from = String(statement.source.value);
    if (statement.phase === "source") throw otherTarget(url, "module");
    if (from.endsWith(".wasm") || from.endsWith("_bg.js")) throw otherTarget(url, "bundler");
    if (/^(node:)?(fs|path|module|url)$/.test(from)) {
      throw BINDGEN.test(source)
        ? otherTarget(url, "experimental-nodejs-module")
        : notGlue(url, `a module for Node, which imports ${JSON.stringify(from)}`);
    }
    if (statement.type !== "ImportDeclaration") {
      throw new GlueError(
        `${url} is a wrapper that re-exports ${JSON.stringify(from)}: load that file instead, if it is the glue.`,
      );
    }
  }
  if (/\bfunction __wbg_set_wasm\b/.test(source)) throw otherTarget(url, "bundler");
  // This glue makes its instance while it is evaluated: `const wasm = …exports` at the top level.
  if (/\bDeno\.(readFile|readFileSync)\b|^const wasmInstantiated = await /m.test(source))
    throw otherTarget(url, "deno");
  const isScript = !program.body.some((/** @type {any} */ { type }) => /^(?:Import|Export)/.test(type));
  const error = isScript ? explainScript(source, url) : null;
  if (error) throw error;
}

/**
 * The error that says why a JavaScript module is no glue.
 * @param {any} program @param {string} url
 * @param {string} lacks
 */
export function explainOther(program, url, lacks) {
  if (hasChainedInit(program)) {
    return new GlueError(
      `${url} is glue of wasm-bindgen before 0.2.60 (2019): its init is a chain of promises, which cannot run again ` +
        "at once after a crash. Take a newer version of the package, or build it with a newer wasm-bindgen.",
    );
  }
  return new GlueError(
    `${url} is JavaScript, but not the glue that wasm-bindgen writes: it has no ${lacks}. ${WEB_TARGET}`,
  );
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
