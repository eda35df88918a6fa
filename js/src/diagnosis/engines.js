/**
 * The texts of engines: every pattern that reads an error message or a stack of V8 (Chromium, Node), SpiderMonkey
 * (Firefox) or JavaScriptCore (Safari) is in this file, so that a new version of an engine concerns no other. Other
 * files decide what follows from a text.
 */

/* ---- traps and other ends of a call --------------------------------------- */

// Where the engines differ, the order is V8, SpiderMonkey, JavaScriptCore.
const TRAPS = /** @type {[string, RegExp][]} */ ([
  ["unreachable", /unreachable/i],
  ["indirect_call", /function signature mismatch|null function|indirect call|call_indirect|table index|table entry/i],
  ["out_of_bounds", /out of bounds/i],
  ["divide_by_zero", /(?:divide|remainder|division) by zero/i],
  ["integer_overflow", /divide result unrepresentable|integer overflow|out of range/i],
  ["invalid_conversion", /float unrepresentable|invalid conversion/i],
  ["unaligned", /unaligned/i],
]);

/**
 * The message of a trap without the call that JavaScriptCore quotes, which is one of the runtime's:
 * "Division by zero (evaluating 'a.fn(b)')".
 * @param {string} message
 */
export function withoutQuote(message) {
  return message.replace(/ \(evaluating '.*'\)$/s, "");
}

/** The code of a trap. @param {string} message of a `WebAssembly.RuntimeError` */
export function trapCode(message) {
  return TRAPS.find(([, pattern]) => pattern.test(message))?.[0] ?? "other";
}

/**
 * Does the message of a `RangeError`, or of SpiderMonkey's `InternalError`, say that the engine's own stack is full?
 * @param {string} message
 */
export function saysStackIsFull(message) {
  return /call stack|too much recursion/i.test(message);
}

/**
 * Does the message of a `RangeError` say that a memory or an array could not be made, or could not grow?
 * @param {string} message
 */
export function saysMemoryIsFull(message) {
  return /out of memory|allocation failed|Memory\.grow|failed to grow memory/i.test(message);
}

/** SpiderMonkey throws this string when it has no memory for an `Error` either. */
export const GECKO_MEMORY = "out of memory";

/* ---- instances and files that an engine refuses ----------------------------- */

/**
 * Is there no memory for an instance? Chromium allows about 125 live Wasm memories in one process.
 * @param {string} message
 */
export function saysNoMemoryForInstance(message) {
  return /out of memory|could not allocate memory/i.test(message);
}

/** Is this how Chromium refuses more than 8 MB at once, on a page's main thread? @param {string} message */
export function isTooLarge(message) {
  return /disallowed on the main thread/i.test(message);
}

/** Does a content security policy forbid Wasm? @param {string} message of a compile error */
export function isForbidden(message) {
  return /content security policy|unsafe-eval|disallowed by embedder/i.test(message);
}

/** Does the file end too early? @param {string} message of a compile error */
export function isCut(message) {
  return /extends past end|fell off end|reached end|unexpected end|end of (?:file|module)|overflow Module's size|can't get .* length/i.test(
    message,
  );
}

/**
 * Can the engine compile a file while it arrives, and keep the names of its functions? JavaScriptCore, whose errors
 * tell their `line`, loses the names of those that are compiled before the names have arrived, which come last.
 */
export function compilesStreams() {
  return typeof WebAssembly.compileStreaming === "function" && !("line" in new Error());
}

// V8 names the flag of a missing feature, SpiderMonkey and JavaScriptCore describe the feature.
const FEATURES = /** @type {[RegExp, string][]} */ ([
  [/--(?:experimental-)?wasm-([\w-]+)/, ""],
  [/: ([\w -]+?) (?:is |are )?not enabled/, ""],
  [/multiple memor|multi-?memory|more than one memory/i, "multiple memories"],
  [/memory64|64-bit memor|i64 memory|limits flag .*0x0[4-7]\b/i, "64-bit memory"],
  [/exnref|try_table|exception handling|exceptions? not enabled/i, "exception handling"],
  [/shared memor|atomic/i, "threads"],
  [/simd|v128/i, "SIMD"],
  // The flags of a memory type, which V8 and SpiderMonkey only number: 8 is the one for the page size.
  [/custom.page|limits flags? .*0x0?[89a-f]\b|bits set in flags: (?:8|9|1[0-5])\b/i, "custom page sizes"],
  [/limits flag|bits set in flags/i, "a memory type"],
  // SpiderMonkey and JavaScriptCore say no more of a type that they do not know.
  [
    /bad type|expected type form|is non-Func, non-Struct|can't get \d+th (?:argument|return|value) Type/i,
    "a newer kind of type",
  ],
]);

/**
 * The feature that this engine lacks for a file; empty: it is not for want of one.
 * @param {string} message of a compile error
 */
export function missingFeature(message) {
  for (const [pattern, feature] of FEATURES) {
    const match = pattern.exec(message);
    if (match) return feature || match[1];
  }
  return "";
}

/* ---- stacks ----------------------------------------------------------------- */

// V8: "at bank.wasm.core::panicking::panic::h0123 (wasm://wasm/af:wasm-function[12]:0x3f)"
const V8_WASM = /^\s*at (?:(.*) \()?(.*wasm-function\[(\d+)\]:0x([0-9a-f]+))\)?$/;
// SpiderMonkey: "core::panicking::panic@http://host/glue.js line 3 > WebAssembly.Module:wasm-function[12]:0x3f"
// JavaScriptCore: "core::panicking::panic@bank.wasm:wasm-function[12]", and "12@<?>:wasm-function[12]" without names
const OTHER_WASM = /^(.*)@(.*wasm-function\[(\d+)\](?::0x([0-9a-f]+))?)$/;
// JavaScriptCore before 2025: "<?>.wasm-function[core::panicking::panic]@[wasm code]"
const OLD_JSC_WASM = /^(?:.*\.)?wasm-function\[(.*)\]@\[wasm code\]$/;

/**
 * A line of a stack as a Wasm frame: its symbol, which is empty where the file has no names, the index of its function,
 * and a position that is the same whenever the function is there again. JavaScriptCore tells no offset, so there a
 * function has one position.
 * @param {string} line
 * @returns {{symbol: string, index: string, position: string} | null} null: it is none
 */
export function readWasmFrame(line) {
  const match = V8_WASM.exec(line) ?? OTHER_WASM.exec(line);
  if (match) {
    const [, symbol = "", , index, offset] = match;
    return { symbol: symbol === index ? "" : symbol, index, position: `wasm-function[${index}]:0x${offset}` };
  }
  const jsc = OLD_JSC_WASM.exec(line);
  return jsc && { symbol: jsc[1], index: "", position: jsc[1] };
}

/** Are there Wasm frames in a stack? @param {string} stack */
export function hasWasmFrames(stack) {
  return stack.includes("wasm-function[");
}

// SpiderMonkey, where a debugger is attached: "setTimeout handler*run@http://host/page.js:3:1"
const GECKO_ASYNC = /^\w[\w. ]*\*.*@/;

/** Does that line begin the frames of whoever queued the task that runs now? @param {string} line */
export function isAsyncBoundary(line) {
  return GECKO_ASYNC.test(line);
}

/** Is that line a frame, and not the message above the frames? @param {string} line */
export function isFrame(line) {
  return /^\s*at |@/.test(line);
}

/** Is that a frame of a script, and not of the engine, of Node or of whoever awaits? @param {string} line */
export function isScriptFrame(line) {
  return !/^\s*at async |<anonymous>\)?$|\[native code\]|[( ]node:[\w/]+:\d/.test(line);
}

/** Does a line name a place in a script? @param {string} line */
export function hasPlace(line) {
  return /:\d+:\d/.test(line);
}

/** The script of a frame, without the place in it. @param {string} line */
export function scriptOf(line) {
  return line.replace(/^.*?(?:\(|@|at )(?=[^(@]*$)/, "").replace(/(?::\d+){1,2}\)?$/, "");
}

/**
 * The part of a stack down to the call from Python: below it are frames of Python's interpreter. A script that Pyodide
 * evaluated, or Wasm that was compiled from there, has Pyodide's address too, in SpiderMonkey: "pyodide.asm.mjs line 1
 * > eval:1:2".
 * @param {string} stack
 */
export function abovePython(stack) {
  const end = stack.search(/\n[^\n]*pyodide\.asm\.m?js\S*:\d/);
  return end < 0 ? stack : stack.slice(0, end);
}

/** Is that a frame of Python's interpreter? @param {string} line */
export function isInterpreterFrame(line) {
  return /pyodide\.asm\.m?js|wasm:\/\/wasm\/|pyodide\.asm\.wasm|wasm-function\[|\[wasm code\]/.test(line);
}

// V8: "    at f (http://…:1:2)"; elsewhere "f@http://…:1:2", or "f@bank.wasm:wasm-function[3]". The group is what
// comes after the frame in the same line.
const QUOTED_FRAMES = [
  /^\s+at .* \(.*(?::\d+:\d+|:0x[\da-f]+|<anonymous>)\)(.*)$/,
  /^\s+at \S*(?::\d+:\d+|:0x[\da-f]+)(.*)$/,
  /^[^@]*@(?:[\w+.-]*:?\/.*(?::\d+:\d+|:0x[\da-f]+)|\S*:wasm-function\[\d+\])(.*)$/,
  /^(?:\w+ code|[\w$.]*)@(?:\[native code\](.*))?$/, // of code that was evaluated
];

/**
 * Reads what follows a frame in a line of a text that quotes a stack.
 * @param {string} line
 * @returns {string | null} null: there is no frame in it
 */
export function afterQuotedFrame(line) {
  for (const pattern of QUOTED_FRAMES) {
    const match = pattern.exec(line);
    if (match) return match[1] ?? "";
  }
  return null;
}
