/**
 * Guards around everything through which Rust is entered or left: exported
 * functions, functions reached through an exported table (closure shims of older
 * glue), and imports. A guard costs a few nanoseconds, so those of common arities
 * are written out; the rest forwards its arguments as a list.
 */

import { INTERRUPT } from "./generation.js";
import { isInstance } from "./isinstance.js";
import { parsePanicText } from "./panic.js";
import { recordAsBefore, recordMore } from "./recording.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature, WasmInterface} from "./types.js" */

/**
 * What a call into a dead instance answers, so that glue which unpacks the
 * result of a timer's or a microtask's call does not stumble over it.
 * @param {Signature | null} signature
 */
function nothing(signature) {
  if (!signature) return undefined;
  if (!nothings.has(signature)) nothings.set(signature, zeroResult(signature));
  return nothings.get(signature);
}

/** @type {WeakMap<Signature, unknown>} one for each type of a module, not for each generation */
const nothings = new WeakMap();

/** @param {Signature} signature */
function zeroResult({ results }) {
  if (results.length === 1) return results[0] === "i64" ? 0n : undefined;
  const zeros = results.map((type) => (type === "i64" ? 0n : /ref$/.test(type) ? undefined : 0));
  return zeros.length ? Object.freeze(zeros) : undefined;
}

/**
 * @param {Function} fn an exported Wasm function
 * @param {Signature | null} signature
 * @param {string} name
 * @param {Generation} generation
 * @returns {Function}
 */
function guardExport(fn, signature, name, generation) {
  const none = nothing(signature);
  /** @param {unknown} result @param {number} limit */
  const leave = (result, limit) => {
    generation.depth -= 1;
    recordAsBefore(limit);
    if (generation.gone) throw generation.wrap(INTERRUPT);
    return result;
  };
  switch (signature?.params.length ?? fn.length) {
    case 0:
      return () => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = fn();
        } catch (error) {
          generation.left(error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
    case 1:
      return (/** @type {unknown} */ a) => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = fn(a);
        } catch (error) {
          generation.left(error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
    case 2:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = fn(a, b);
        } catch (error) {
          generation.left(error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
    default:
      return (/** @type {unknown[]} */ ...args) => {
        if (generation.gone) return none;
        generation.depth += 1;
        const limit = recordMore();
        let result;
        try {
          result = fn(...args);
        } catch (error) {
          generation.left(error, name, limit);
          return none;
        }
        return leave(result, limit);
      };
  }
}

/**
 * An import that comes back into a dead generation must not let its Rust caller
 * go on: a callback in it crashed or reset the module.
 *
 * @param {Function} fn
 * @param {number} arity of the Wasm import: glue's own `length` is 0 where it uses `arguments`
 * @param {Generation} generation
 * @returns {Function}
 */
function guardImport(fn, arity, generation) {
  /** @param {unknown} result */
  const resume = (result) => {
    if (!generation.gone) return result;
    forgive(result, generation);
    throw generation.wrap(INTERRUPT);
  };
  switch (arity) {
    case 0:
      return () => resume(fn());
    case 1:
      return (/** @type {unknown} */ a) => resume(fn(a));
    case 2:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => resume(fn(a, b));
    case 3:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b, /** @type {unknown} */ c) => resume(fn(a, b, c));
    default:
      return (/** @type {unknown[]} */ ...args) => resume(fn(...args));
  }
}

/**
 * Rust that dies in the function given to `new Promise` rejects that promise, which nobody gets to see any more:
 * without a handler the page would report it as uncaught.
 * @param {unknown} result of the import that made it: itself, or its place in the glue's heap
 * @param {Generation} generation
 */
function forgive(result, generation) {
  const made = typeof result === "number" ? generation.heap()[result] : result;
  if (isInstance(made, Promise)) made.catch(() => {});
}

/**
 * `console_error_panic_hook` speaks through an import that calls
 * `console.error`: listen for the time of that call. What is no panic message
 * is printed as ever; a panic is reported by the panic hook instead.
 *
 * @param {Function} fn @param {Generation} generation
 * @returns {Function}
 */
function listenToConsole(fn, generation) {
  return (/** @type {unknown[]} */ ...args) => {
    const print = console.error;
    console.error = (/** @type {unknown[]} */ ...printed) => {
      const panic = typeof printed[0] === "string" ? parsePanicText(printed[0]) : null;
      if (panic) generation.panics.push(panic);
      else print.apply(console, printed);
    };
    try {
      return fn(...args);
    } finally {
      console.error = print;
    }
  };
}

/**
 * The tag under which the glue of an unwind build expects a JavaScript value
 * that left an export; anything else it takes for an abort.
 */
const WRAPPING_TAG = "__wbindgen_wrapped_jstag";

/**
 * The export that glue calls at the end of its init. It runs when the generation
 * begins, which for one that was prepared is later.
 */
const START = "__wbindgen_start";

/** What an import of that name prints with: `error` of the console or of the hook crate. */
const PRINTS = /^__wbg_error_/;

/**
 * The import behind `schedule_reinit`. The glue would note it and put another instance under the next call, wherever
 * that comes from and with its arguments lowered already; the generation does it instead, when no frame is left.
 */
const SCHEDULES = /^(?:__wbg_)?__wbindgen_reinit(?:_|$)/;

/** What an import of that name throws is in a `WebAssembly.Exception`, where there is an abort handler. */
const THROWS = /^(?:__wbg_)?__wbindgen_(?:re)?throw(?:_|$)/;

/**
 * Such glue keeps the tag of its exceptions to itself, unless the build unwinds. It names the tag when it makes one.
 * @param {Function} fn @param {Generation} generation
 * @returns {Function}
 */
function learnTag(fn, generation) {
  return (/** @type {unknown[]} */ ...args) => {
    const { Exception } = WebAssembly;
    /** @param {WebAssembly.Tag} tag @param {any[]} values */
    function Watched(tag, values) {
      generation.tag ??= tag;
      return new Exception(tag, values);
    }
    Watched.prototype = Exception.prototype;
    WebAssembly.Exception = /** @type {any} */ (Watched);
    try {
      return fn(...args);
    } finally {
      WebAssembly.Exception = Exception;
    }
  };
}

/** @param {string} name @param {Function} fn an import @param {Generation} generation @returns {Function} */
function observed(name, fn, generation) {
  if (SCHEDULES.test(name)) return () => generation.retire();
  if (PRINTS.test(name)) return listenToConsole(fn, generation);
  return generation.tag === null && THROWS.test(name) ? learnTag(fn, generation) : fn;
}

/**
 * @param {WebAssembly.Imports} imports what the glue offers
 * @param {WasmInterface} wasm
 * @param {Generation} generation
 * @returns {WebAssembly.Imports}
 */
export function guardImports(imports, wasm, generation) {
  /** @type {Record<string, Record<string, any>>} */
  const guarded = {};
  for (const { module, name, kind, signature } of wasm.imports) {
    const value = /** @type {any} */ (imports[module])?.[name];
    guarded[module] ??= {};
    if (kind !== "function" || typeof value !== "function") {
      guarded[module][name] = value;
      if (name === WRAPPING_TAG) generation.tag = value;
      continue;
    }
    const arity = signature?.params.length ?? -1;
    guarded[module][name] = guardImport(observed(name, value, generation), arity, generation);
  }
  return guarded;
}

/**
 * An exported table as the glue sees it: what `get` returns is guarded, because
 * glue up to 2025 calls closures as `wasm.__wbindgen_export_2.get(index)(a, b)`.
 *
 * @param {WebAssembly.Table} table @param {string} name
 * @param {Generation} generation
 */
function guardTable(table, name, generation) {
  return {
    /** @param {number} index */
    get(index) {
      const value = table.get(index);
      return isWasmFunction(value) ? guardExport(value, null, `${name}[${index}]`, generation) : value;
    },
    set: table.set.bind(table),
    grow: table.grow.bind(table),
    get length() {
      return table.length;
    },
  };
}

/**
 * Exported Wasm functions are named by their index; no other function is.
 * https://webassembly.github.io/spec/js-api/#name-of-the-webassembly-function
 * @param {unknown} value
 */
function isWasmFunction(value) {
  return typeof value === "function" && /^\d+$/.test(value.name);
}

/**
 * @param {WebAssembly.Instance} instance
 * @param {WasmInterface} wasm
 * @param {Generation} generation
 * @returns {Record<string, any>} the instance's exports as the glue sees them
 */
export function guardExports(instance, wasm, generation) {
  // Not Object.create(null), which makes a dictionary: the glue reads from it at every call.
  /** @type {Record<string, any>} */
  const guarded = { __proto__: null };
  for (const { name, kind, signature, elements } of wasm.exports) {
    const value = instance.exports[name];
    if (kind === "function") {
      const fn = /** @type {Function} */ (value);
      guarded[name] = guardExport(fn, signature, name, generation);
    } else if (kind === "table" && elements !== "externref") {
      guarded[name] = guardTable(/** @type {WebAssembly.Table} */ (value), name, generation);
    } else guarded[name] = value;
    if (kind === "table" && elements === "externref") generation.externrefs = /** @type {WebAssembly.Table} */ (value);
    if (value instanceof WebAssembly.Memory) generation.memory ??= value;
    if (name === START) {
      generation.runStart = guarded[name];
      guarded[name] = () => {};
    }
  }
  generation.onAbort = abortHandler(instance, wasm);
  return guarded;
}

/**
 * What Rust registered with `set_on_abort`, as the glue finds it: its place in the function table stands in memory.
 * Without a table the build has no abort handler, and nobody calls what was registered.
 * @param {WebAssembly.Instance} instance
 * @param {WasmInterface} wasm
 * @returns {(() => void) | null}
 */
function abortHandler({ exports }, wasm) {
  const address = exports.__abort_handler;
  const table = wasm.exports.find(({ name, kind }) => kind === "table" && name !== "__wbindgen_externrefs");
  if (!(address instanceof WebAssembly.Global) || !table) return null;
  return () => {
    const { buffer } = /** @type {WebAssembly.Memory} */ (exports.memory);
    const place = new DataView(buffer).getUint32(address.value, true);
    if (place) /** @type {WebAssembly.Table} */ (exports[table.name]).get(place)();
  };
}
