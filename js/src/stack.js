/**
 * Engine stack texts, read as data. Crashes keep the text, never the error
 * object: an engine's error pins the instance that it came from until its stack
 * has been read, and Chromium allows only about 125 live memories.
 */

/** @import {Frame} from "./types.js" */

// V8: "at bank.wasm.core::panicking::panic::h0123 (wasm://wasm/af:wasm-function[12]:0x3f)"
const V8_WASM = /^\s*at (?:(.*) \()?(.*wasm-function\[(\d+)\]:0x([0-9a-f]+))\)?$/;
// Gecko: "core::panicking::panic@http://host/glue.js line 3 > WebAssembly.Module:wasm-function[12]:0x3f"
const GECKO_WASM = /^(.*)@(.*wasm-function\[(\d+)\]:0x([0-9a-f]+))$/;
// JavaScriptCore: "<?>.wasm-function[core::panicking::panic]@[wasm code]"
const JSC_WASM = /^(?:.*\.)?wasm-function\[(.*)\]@\[wasm code\]$/;
const MODULE_PREFIX = /^[\w-]+\.wasm\./;
// Legacy names end in a hash; the newer mangling puts one behind each crate's name.
const HASHES = /::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]/g;

// What the standard library and the toolchain put between a panic and the code
// that panicked. The frame that a user wants to see comes after them.
const MACHINERY = new RegExp(
  [
    "^<?(?:std|core|alloc)::(?:panicking|panic|sys|rt|process|intrinsics|option|result|cell|slice|str|alloc)\\b",
    "^<?(?:(?:unpanic|console_error_panic_hook|wasm_bindgen)::|js_sys::(?!futures))",
    "^__rust|^_?rust_(?:panic|begin_unwind|oom)|^__wbg_|^__wbindgen_",
  ].join("|"),
);

// What wasm-bindgen puts around an import or an export.
const SHIM = / (?:externref|multivalue) shim$| (?:catch|sp) wrapper$/;

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
    $LT$: "<", $GT$: ">", $RF$: "&", $BP$: "*", $LP$: "(", $RP$: ")", $C$: ",", $u20$: " ",
    $u7b$: "{", $u7d$: "}", $u5b$: "[", $u5d$: "]", $u27$: "'", $u3b$: ";", $u2b$: "+",
  });
  const segments = [];
  for (let rest = mangled; rest; ) {
    const length = /^\d+/.exec(rest);
    if (!length) break;
    const end = length[0].length + Number(length[0]);
    const segment = rest.slice(length[0].length, end).replace(/^_(?=\$)/, "");
    segments.push(segment.replace(/\$\w+\$/g, (escape) => escapes[escape] ?? escape).replaceAll("..", "::"));
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
  const match = V8_WASM.exec(line) ?? GECKO_WASM.exec(line);
  if (match) {
    const [, symbol, , index, offset] = match;
    const position = `wasm-function[${index}]:0x${offset}`;
    return { function: symbol ? demangle(symbol) : `wasm-function[${index}]`, position };
  }
  const jsc = JSC_WASM.exec(line);
  return jsc && { function: demangle(jsc[1]), position: jsc[1] };
}

// Gecko, where a debugger is attached: "setTimeout handler*run@http://host/page.js:3:1"
const GECKO_ASYNC = /^\w[\w. ]*\*.*@/;

/**
 * The lines of what is on the stack, without those of whoever queued the task or
 * awaited the promise that runs now: they have returned.
 * @param {string} stack
 */
export function linesOf(stack) {
  const lines = stack.split("\n");
  const end = lines.findIndex((line) => GECKO_ASYNC.test(line));
  return end < 0 ? lines : lines.slice(0, end);
}

/** @param {string} stack */
function wasmFrames(stack) {
  return linesOf(stack).map(wasmFrame).filter((frame) => frame !== null);
}

/**
 * The part of a stack text down to the call from Python: below it are frames of
 * Python's interpreter. A script that Pyodide evaluated, or Wasm that was compiled
 * from there, has Pyodide's address too, in Gecko: "pyodide.asm.mjs line 1 > eval:1:2".
 * @param {string} stack
 */
export function abovePython(stack) {
  const end = stack.search(/\n[^\n]*pyodide\.asm\.m?js\S*:\d/);
  return end < 0 ? stack : stack.slice(0, end);
}

/**
 * The Rust frames of a stack text, innermost first, without the panic machinery
 * on top of the code that panicked.
 * @param {string} stack
 * @returns {Frame[]}
 */
export function rustFrames(stack) {
  const frames = wasmFrames(stack)
    .map((frame) => ({ function: frame.function }))
    .filter((frame) => !SHIM.test(frame.function));
  const first = frames.findIndex((frame) => !MACHINERY.test(frame.function));
  return first > 0 ? frames.slice(first) : frames;
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

/**
 * Was a glue function that just called into Rust itself called by JavaScript
 * other than the glue, which could catch what we throw? Without such a caller
 * the event loop would report the error as uncaught.
 *
 * @param {string} stack text of an error made in the guard
 * @param {number} skip frames of the guard on top
 */
export function hasCaller(stack, skip) {
  const lines = linesOf(stack).filter((line) => /^\s*at |@/.test(line));
  const runtime = scriptOf(lines[0] ?? "");
  const scripts = lines
    .slice(skip)
    .filter((line) => !/^\s*at async |<anonymous>\)?$|\[native code\]|[( ]node:[\w/]+:\d/.test(line))
    .map(scriptOf)
    .filter((script) => script !== runtime);
  // The export's direct caller is always glue, so its script tells which frames are.
  return scripts.some((script) => script !== scripts[0]);
}

/** @param {string} line */
function scriptOf(line) {
  return line.replace(/^.*?(?:\(|@|at )(?=[^(@]*$)/, "").replace(/(?::\d+){1,2}\)?$/, "");
}
