/**
 * The names that the compiler and wasm-bindgen give to functions, and which of them a user has to see.
 *
 * An exported method `Tally::count` may be on the stack twice: as `<tally::Tally>::count`, and as the symbol that
 * JavaScript calls, `tally_count`. Where the method was inlined, the symbol alone is there. An exported async function
 * is polled in a function of wasm-bindgen whose type parameters name it.
 */

/** @import {Description, FunctionDescription} from "../types.js" */

/** @typedef {{path: string, shown: string}} Export an exported function: its path, and the name that users see */

// A closure, or the body of an async function.
const CLOSURE = /(?:::\{\{?(?:closure|async_fn_env|async_block_env)[^{}]*\}?\})+$/;
// The function that polls the task of a promise.
const PROMISE = /\bfuture_to_promise\w*::/;
const POLLED = /\bfuture_to_promise\w*::<(.*)>(?:::\{|$)/;
const GENERATED = /__wasm_bindgen_generated_([\w$]+)/;
// A function that calls a closure has the type of the closure in its name:
// `<bank::tick::{closure#0} as wasm_bindgen::closure::WasmClosureFnOnce<...>>::...`
const CALL = /^<+(.+?) as (?:wasm_bindgen::closure|core::ops::function)::/;

// The standard library, and the crates that it is made of.
const LIBRARY = /^(?:<(?:&(?:mut )?|\[|T as )?)?(?:std|core|alloc|hashbrown|compiler_builtins|dlmalloc)::/;
// Where a panic begins, as against where one is caught. The hook runs below this function, and the code that panicked
// is above it.
const PANIC = new RegExp(
  String.raw`^(?:<?(?:std|core)::panicking::(?!(?:catch_unwind|r?#?try|do_call|do_catch|panicking|panic_count)\b)|` +
    String.raw`(?:__rustc::)?(?:rust_begin_unwind|rust_panic|__rust_start_panic)\b)`,
);
// Functions that no user writes.
const MACHINERY = new RegExp(
  [
    "^<*(?:std|core)::(?:panicking|panic|rt|process|intrinsics|ops::function|sys::backtrace)\\b",
    "^alloc::alloc::|^<alloc::boxed::Box<.*core::ops::function",
    "^<*(?:unpanic|console_error_panic_hook|wasm_bindgen|wasm_bindgen_futures|js_sys|__rustc)::",
    "^unpanic\\.\\w+$",
    "^__rust|^_?rust_(?:panic|begin_unwind|oom)|^__r[dg]l?_|^__wbg_|^__wbindgen_|^wasm_bindgen__convert__",
  ].join("|"),
);

/** Does a function of that name begin a panic? @param {string} name */
export function isPanic(name) {
  return PANIC.test(name);
}

/** Does that function belong to the standard library? @param {string} name */
export function isLibrary(name) {
  return LIBRARY.test(name);
}

/** Is that a function that no user writes? @param {string} name */
export function isMachinery(name) {
  return MACHINERY.test(name);
}

/** Does that function poll a promise that Rust owes? @param {string} name */
export function pollsPromise(name) {
  return PROMISE.test(name);
}

/**
 * The export for which wasm-bindgen has generated that function: `slow`, or `Tally_count`.
 * @param {string} name
 * @returns {string | undefined}
 */
export function generatedFor(name) {
  return GENERATED.exec(name)?.[1];
}

/** The name that wasm-bindgen generates for an export. @param {string} path as exported: `slow`, or `Tally.count` */
export function generatedName(path) {
  return path.replaceAll(".", "_");
}

/**
 * The user's own function in the name of one that the toolchain has generated around it.
 * @param {string} name
 * @returns {string | undefined}
 */
export function wrapped(name) {
  const own = CALL.exec(name)?.[1] ?? POLLED.exec(name)?.[1];
  return own === undefined || isLibrary(own) ? undefined : own;
}

/** A name without the closures at its end. @param {string} name @returns {string} */
export function withoutClosure(name) {
  return name.replace(CLOSURE, "");
}

/** Is that a closure, or the body of an async function? @param {string} name */
export function isClosure(name) {
  return CLOSURE.test(name);
}

/**
 * Is that the Rust function behind an export? JavaScript may spell it in its own way.
 * @param {string} name without closures @param {string} path as exported; a constructor's is that of its class
 */
export function isFunctionOf(name, path) {
  if (name.includes(" as ")) return false;
  const [type, own] = inherent(name);
  const [first, second] = path.split(".");
  if (second !== undefined) return type === first && isSpelledLike(own, second);
  return type === "" ? isSpelledLike(own, first) : type === first && own === "new";
}

/** @param {string} name @returns {[string, string]} the type of a method, empty for a function, and its own name */
function inherent(name) {
  const segments = name.replaceAll(/[<>]/g, "").split("::");
  const own = /** @type {string} */ (segments.pop());
  const owner = segments.at(-1) ?? "";
  return [/^[A-Z]/.test(owner) ? owner : "", own];
}

/** @param {string} rust @param {string} javaScript */
function isSpelledLike(rust, javaScript) {
  return rust === javaScript || rust.replaceAll("_", "").toLowerCase() === javaScript.replaceAll("_", "").toLowerCase();
}

/**
 * The exports of a module, by the symbols of the functions that JavaScript calls and by what wasm-bindgen generates.
 * @param {string} module its name @param {Description} description
 * @returns {Map<string, Export>}
 */
export function exportsBySymbol(module, { functions, classes }) {
  /** @type {Map<string, Export>} */
  const exports = new Map();
  /** @param {string[]} symbols @param {string} path @param {string} [shown] */
  const add = (symbols, path, shown = path) => {
    for (const symbol of symbols) exports.set(symbol, { path, shown: `${module}.${shown}` });
  };
  for (const { name, shown } of functions) add([name], name, shown);
  for (const { name, construct, ...members } of classes) {
    const prefix = name.toLowerCase();
    if (construct) add([`${prefix}_new`, `${name}_new`], name);
    /** @param {FunctionDescription[]} described @param {string} [verb] */
    const addAll = (described, verb = "") => {
      for (const member of described) {
        const symbols = [`${prefix}_${verb}${member.name}`, `${name}_${verb}${member.name}`];
        add(symbols, `${name}.${member.name}`, `${name}.${member.shown ?? member.name}`);
      }
    };
    addAll(members.methods);
    addAll(members.statics);
    addAll([...members.getters, ...members.staticGetters]);
    addAll([...members.setters, ...members.staticSetters], "set_");
  }
  return exports;
}
