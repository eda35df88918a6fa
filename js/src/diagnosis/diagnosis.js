/** From a thrown value to the kind of death. */

import { isInstance } from "../shared/isinstance.js";
import {
  abovePython,
  GECKO_MEMORY,
  hasWasmFrames,
  saysMemoryIsFull,
  saysStackIsFull,
  trapCode,
  withoutQuote,
} from "./engines.js";
import { anyFrame, recurses, rustFrames } from "./stack.js";

/** @import {Diagnosis, PanicRecord} from "../types.js" */

const PANIC_FRAMES = /^(?:core::panicking::|std::panicking::|rust_begin_unwind|rust_panic|__rust_start_panic)/;
const ALLOCATION_FRAMES =
  /handle_alloc_error|alloc_error_handler|rust_oom|__r[dg]l?_oom|rdl_alloc_error|malloc_failure/;
// wasm-bindgen's allocator entry has one reason to abort.
const ALLOCATOR_ENTRY = /^__wbindgen_(?:malloc|realloc)$/;

// A function with a name: some builds have none.
const NAMED = /^(?!wasm-function\[)/;

/** The code of a foreign exception that Rust threw on purpose. */
export const ON_PURPOSE = "on_purpose";

// The line that sets the panic hook of the crate in rust/unpanic.
const HOOK = "use unpanic as _;";

/** @param {unknown} error */
function isEngineOverflow(error) {
  if (!isInstance(error, Error) || !saysStackIsFull(error.message)) return false;
  return error.name === "InternalError" || isInstance(error, RangeError);
}

/**
 * Is this an error after which an instance cannot go on, also where panics unwind?
 * @param {unknown} error
 */
export function isFatal(error) {
  return (
    isInstance(error, WebAssembly.RuntimeError) || isEngineOverflow(error) || isEngineMemory(error) || isPoison(error)
  );
}

// The message of a poisoned `LazyLock` or `Once`, and of a poisoned `Mutex` or `RwLock` whose `lock()` was unwrapped.
const POISON = /instance has previously been poisoned$|\bPoisonError\b/;

/**
 * Does a panic come from a poisoned static? Such a static fails for ever, also where panics unwind.
 * @param {unknown} error
 */
function isPoison(error) {
  return isPanicError(error) && POISON.test(/** @type {Error} */ (error).message);
}

/** @param {unknown} error */
function isEngineMemory(error) {
  if (error === GECKO_MEMORY) return true;
  return isInstance(error, RangeError) && saysMemoryIsFull(error.message);
}

/** Is that the error that wasm-bindgen throws for a panic in an unwinding build? @param {unknown} error */
export function isPanicError(error) {
  return isInstance(error, Error) && error.name === "PanicError";
}

/**
 * @param {unknown} error that left the export
 * @param {PanicRecord | null} panic that the hook reported during the call
 * @param {string} entry the export through which Rust was entered
 * @param {() => boolean} [isFull] can the memory hardly grow any more?
 * @returns {Diagnosis}
 */
export function diagnose(error, panic, entry, isFull = () => false) {
  // The stack of the hook is deeper. To read the other one would cost more than all the rest.
  if (panic && (isUnreachable(error) || isPanicError(error))) return fromPanic(panic, error);
  const stack = stackOf(error);
  if (isEngineOverflow(error)) return { kind: "stack_overflow", message: "stack overflow", stack };
  if (isEngineMemory(error)) return { kind: "out_of_memory", message: "out of memory", stack };
  if (isInstance(error, WebAssembly.RuntimeError)) return diagnoseTrap(error, entry, stack, isFull);
  if (isPanicError(error)) return { kind: "panic", message: describeThrown(error), stack };
  return { kind: "foreign", message: describeThrown(error), stack, thrown: { value: error } };
}

/** @param {unknown} error */
function isUnreachable(error) {
  return isInstance(error, WebAssembly.RuntimeError) && trapCode(error.message) === "unreachable";
}

/**
 * @param {Error} error @param {string} entry @param {string} stack @param {() => boolean} isFull
 * @returns {Diagnosis}
 */
function diagnoseTrap(error, entry, stack, isFull) {
  const code = trapCode(error.message);
  if (code === "unreachable") {
    const failed = anyFrame(stack, ALLOCATION_FRAMES) || ALLOCATOR_ENTRY.test(entry);
    if (failed || (!anyFrame(stack, NAMED) && isFull())) {
      return { kind: "out_of_memory", message: "out of memory", stack };
    }
    if (anyFrame(stack, PANIC_FRAMES)) {
      const message =
        "a panic without a message (the module has no panic hook: " + `add the line \`${HOOK}\` to its Rust code)`;
      return { kind: "panic", message, stack };
    }
  }
  if (code === "out_of_bounds" && recurses(stack)) {
    return { kind: "stack_overflow", message: "stack overflow", stack };
  }
  return { kind: "trap", code, message: withoutQuote(error.message), stack };
}

/**
 * @param {PanicRecord} panic @param {unknown} error that came after it
 * @returns {Diagnosis}
 */
export function fromPanic({ message, payload, location, stack, quoted }, error) {
  const best = hasWasmFrames(stack) ? abovePython(stack) : stackOf(error) || stack;
  return { kind: "panic", message, payload, location, stack: best, ...(quoted && { quoted }) };
}

/**
 * A call that was ended because it computed for too long, or because the user asked for it.
 * @param {number} seconds that it computed @param {string} stack where it was
 * @param {string} code `interrupted`, or empty
 * @returns {Diagnosis}
 */
export function describeStop(seconds, stack, code) {
  const own = abovePython(stack);
  const named = rustFrames(own, undefined, isAllLibrary(own)).filter((frame) => NAMED.test(frame.function));
  // Helpers of wasm-bindgen, such as `__externref_table_alloc`, say nothing about the author's code.
  const place = named.find((frame) => !frame.function.startsWith("__")) ?? named[0];
  const time = `stopped after ${seconds < 10 ? seconds.toPrecision(2) : Math.round(seconds)} s`;
  const message = place ? `${time}, in the Rust function ${place.function}` : time;
  return { kind: "timeout", code, message, stack: own };
}

/**
 * Are all Rust frames of the standard library? So it is where a destructor runs that the compiler has inlined there.
 * @param {string} stack
 */
export function isAllLibrary(stack) {
  return rustFrames(stack).length === 0;
}

/** @param {unknown} error */
function stackOf(error) {
  // Once the stack was read, the engine lets go of the instance: see stack.js.
  return isInstance(error, Error) ? abovePython(String(error.stack ?? "")) : "";
}

/** The text of a thrown value. A proxy or a getter may throw when it is read. @param {any} value */
export function describeThrown(value) {
  try {
    return String(value instanceof Error ? value.message || value.name : value);
  } catch {
    return `[object ${typeof value === "function" ? "Function" : "Object"}]`;
  }
}
