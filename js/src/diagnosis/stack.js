/**
 * Engine stack texts, read as data. Crashes keep the text, never the error
 * object: an engine's error pins the instance that it came from until its stack
 * has been read, and Chromium allows only about 125 live memories.
 */

import { isAsyncBoundary, isFrame, isScriptFrame, readWasmFrame, scriptOf } from "./engines.js";
import { generatedFor, isFunctionOf, isLibrary, isMachinery, isPanic, withoutClosure, wrapped } from "./symbols.js";

/** @import {Export} from "./symbols.js" */
/** @import {Frame} from "../types.js" */

const MODULE_PREFIX = /^[\w-]+\.wasm\./;
// Legacy names end in a hash; the newer mangling puts one behind each crate's name.
const HASHES = /::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]/g;

// The functions that wasm-bindgen puts around an import or an export.
const SHIM = / (?:externref|multivalue) shim$| (?:catch|sp) wrapper$/;

// This stands for a function without a name.
const UNNAMED = /^wasm-function\[\d+\]$/;

/**
 * The Rust name of a symbol: legacy mangling undone, module prefix and hash
 * suffix dropped. Names of the newer mangling are demangled by wasm-bindgen
 * when it writes the file.
 * @param {string} symbol
 */
export function demangle(symbol) {
  let name = symbol.replace(MODULE_PREFIX, "");
  const legacy = /^_ZN(.*)E$/.exec(name);
  if (legacy) name = legacyPath(legacy[1]).join("::");
  return name.replace(HASHES, "");
}

/** @param {string} mangled length-prefixed path segments: "4core9panicking" */
function legacyPath(mangled) {
  const escapes = /** @type {Record<string, string>} */ ({
    $LT$: "<",
    $GT$: ">",
    $RF$: "&",
    $BP$: "*",
    $LP$: "(",
    $RP$: ")",
    $C$: ",",
    $u20$: " ",
    $u7b$: "{",
    $u7d$: "}",
    $u5b$: "[",
    $u5d$: "]",
    $u27$: "'",
    $u3b$: ";",
    $u2b$: "+",
  });
  const segments = [];
  for (let rest = mangled; rest; ) {
    const length = /^\d+/.exec(rest);
    if (!length) break;
    const end = length[0].length + Number(length[0]);
    const segment = rest.slice(length[0].length, end).replace(/^_(?=\$)/, "");
    segments.push(segment.replace(/\$\w+\$/g, (sequence) => escapes[sequence] ?? sequence).replaceAll("..", "::"));
    rest = rest.slice(end);
  }
  return segments;
}

/**
 * One line of a stack text as a Wasm frame, or null for a JavaScript frame.
 * @param {string} line
 * @returns {(Frame & {position: string}) | null}
 */
function wasmFrame(line) {
  const frame = readWasmFrame(line);
  if (!frame) return null;
  const { symbol, index, position } = frame;
  return { function: index && !symbol ? `wasm-function[${index}]` : demangle(symbol), position };
}

/**
 * The lines of what is on the stack, without those of whoever queued the task or
 * awaited the promise that runs now: they have returned.
 * @param {string} stack
 */
export function linesOf(stack) {
  const lines = stack.split("\n");
  const end = lines.findIndex((line) => isAsyncBoundary(line));
  return end < 0 ? lines : lines.slice(0, end);
}

/** @param {string} stack */
function wasmFrames(stack) {
  return linesOf(stack)
    .map(wasmFrame)
    .filter((frame) => frame !== null);
}

/**
 * The names of the Rust functions in a stack text, innermost first; empty for one without a name.
 * @param {string} stack
 */
export function namesOf(stack) {
  return wasmFrames(stack).map((frame) => (UNNAMED.test(frame.function) ? "" : frame.function));
}

/**
 * Does a stack text go down to the JavaScript below all Rust frames? Engines stop after so many frames.
 * @param {string} stack
 */
export function isWhole(stack) {
  const outermost = linesOf(stack).filter(isFrame).at(-1);
  return outermost !== undefined && wasmFrame(outermost) === null;
}

/**
 * The Rust functions of a stack text that are the user's, innermost first: the first is the one that panicked.
 * @param {string} stack
 * @param {Map<string, Export>} [exports] by their symbols, see `exportsBySymbol`
 * @param {boolean} [inLibrary] the place of the panic is in the standard library
 * @returns {Frame[]}
 */
export function rustFrames(stack, exports = new Map(), inLibrary = false) {
  const names = wasmFrames(stack)
    .map((frame) => frame.function)
    .filter((name) => !SHIM.test(name));
  const begin = Math.max(names.findIndex(isPanic), 0);
  /** @type {string[]} */
  const shown = [];
  for (const name of names.slice(begin)) {
    if (shown.length || inLibrary || !isLibrary(name)) show(name, shown, exports);
  }
  return shown.map((name) => ({ function: name }));
}

/**
 * Adds what a user has to see of a function, if that is not there already.
 * @param {string} name @param {string[]} shown @param {Map<string, Export>} exports
 */
function show(name, shown, exports) {
  const generated = generatedFor(name);
  const exported = exports.get(generated ?? name);
  const last = shown.at(-1) ?? "";
  if (exported && isFunctionOf(withoutClosure(last), exported.path)) {
    // The body of an async function is that function.
    if (generated) shown[shown.length - 1] = withoutClosure(last);
  } else if (exported) {
    if (last !== exported.shown) shown.push(exported.shown);
  } else if (!generated) {
    const own = wrapped(name) ?? name;
    if (!isMachinery(own) && (own === name || own !== last)) shown.push(own);
  }
}

/**
 * Do the frames show that the code called itself over and over? Then an access
 * out of bounds is the shadow stack running below its end.
 * @param {string} stack
 */
export function recurses(stack) {
  const REPEATS = 3;
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const { position } of wasmFrames(stack).slice(1)) {
    const count = (seen.get(position) ?? 0) + 1;
    if (count >= REPEATS) return true;
    seen.set(position, count);
  }
  return false;
}

/** @param {string} stack @param {RegExp} pattern */
export function anyFrame(stack, pattern) {
  return wasmFrames(stack).some((frame) => pattern.test(frame.function));
}

/** Is there another script than the runtime's on a stack? @param {string} stack text of an error made in the runtime */
export function hasScript(stack) {
  const lines = linesOf(stack).filter(isFrame);
  const runtime = scriptOf(lines[0] ?? "");
  return lines.some((line) => isScriptFrame(line) && scriptOf(line) !== runtime);
}

/**
 * Was a glue function that just called into Rust itself called by JavaScript
 * other than the glue, which could catch what we throw? Without such a caller
 * the event loop would report the error as uncaught.
 *
 * @param {string} stack text of an error made in the guard
 * @param {number} skip frames of the guard on top
 */
export function hasCaller(stack, skip) {
  const lines = linesOf(stack).filter(isFrame);
  const runtime = scriptOf(lines[0] ?? "");
  const scripts = lines
    .slice(skip)
    .filter(isScriptFrame)
    .map(scriptOf)
    .filter((script) => script !== runtime);
  // The export's direct caller is always glue, so its script tells which frames are.
  return scripts.some((script) => script !== scripts[0]);
}
