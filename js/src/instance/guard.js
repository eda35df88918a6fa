/**
 * Guards around everything through which Rust is entered or left: exported
 * functions, functions reached through an exported table (closure shims of older
 * glue), and imports. A guard costs a few nanoseconds, so those of common arities
 * are written out; the rest forwards its arguments as a list.
 */

import { parsePanicText } from "../diagnosis/panic.js";
import { recordAsBefore, recordMore } from "../diagnosis/recording.js";
import { isRustClosure } from "../module/objects.js";
import { isInstance } from "../shared/isinstance.js";
import { JAVASCRIPT_TAG } from "../wasm/binary.js";
import { INTERRUPT } from "./generation.js";
import { emptyExports, nothing } from "./leftovers.js";
import { ShadowStack, THROWS, Thrown, WRAPS } from "./throws.js";

/** @import {Generation} from "./generation.js" */
/** @import {Signature, WasmInterface} from "../types.js" */

/**
 * @param {Function} fn an exported Wasm function
 * @param {Signature | null} signature
 * @param {string} name
 * @param {Generation} generation
 * @returns {Function}
 */
function guardExport(fn, signature, name, generation) {
  const none = nothing(signature);
  const way = generation.wayTo(fn);
  /** @param {unknown} result @param {number} limit */
  const leave = (result, limit) => {
    generation.depth -= 1;
    recordAsBefore(limit);
    if (generation.gone) generation.returnedDead();
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
          result = way.fn();
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
          result = way.fn(a);
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
          result = way.fn(a, b);
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
          result = way.fn(...args);
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
 * go on: a callback in it crashed or reset the module. What an import throws is
 * remembered, because it tells what leaves the export afterwards.
 *
 * @param {Function} fn
 * @param {number} arity of the Wasm import: glue's own `length` is 0 where it uses `arguments`
 * @param {Generation} generation
 * @param {string} name
 * @returns {Function}
 */
function guardImport(fn, arity, generation, name) {
  /** @param {unknown} result */
  const resume = (result) => {
    if (!generation.gone) return result;
    forgive(result, generation);
    throw generation.wrap(INTERRUPT);
  };
  /** @param {unknown} error */
  const note = (error) => {
    if (WRAPS.test(name)) generation.wrapping = error;
    else generation.noteThrown(new Thrown(generation.unwrap(error), name));
    return error;
  };
  switch (arity) {
    case 0:
      return () => {
        let result;
        try {
          result = fn();
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    case 1:
      return (/** @type {unknown} */ a) => {
        let result;
        try {
          result = fn(a);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    case 2:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b) => {
        let result;
        try {
          result = fn(a, b);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    case 3:
      return (/** @type {unknown} */ a, /** @type {unknown} */ b, /** @type {unknown} */ c) => {
        let result;
        try {
          result = fn(a, b, c);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
    default:
      return (/** @type {unknown[]} */ ...args) => {
        let result;
        try {
          result = fn(...args);
        } catch (error) {
          throw note(error);
        }
        return resume(result);
      };
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

/** What an import of that name makes may be a Rust closure. */
const MAKES_CLOSURES = /^(?:__wbg_)?__wbindgen_(?:closure_wrapper|cast_|generic_)/;

/** With an import of that name Rust waits for a promise. */
const WAITS = /^__wbg_then_/;

/**
 * What a promise is rejected with is remembered before Rust hears of it.
 * @param {Function} fn takes the promise and the functions that hear of its end @param {Generation} generation
 * @returns {Function}
 */
function watchPromise(fn, generation) {
  const { owner } = generation;
  return (/** @type {unknown} */ given, /** @type {unknown[]} */ ...settlers) => {
    const promise = typeof given === "number" ? generation.heap()[given] : given;
    // It may never be settled, so what it holds is not the generation.
    if (isInstance(promise, Promise))
      Promise.prototype.then.call(promise, undefined, (reason) => owner.noteRaised(reason));
    return fn(given, ...settlers);
  };
}

/** @param {Function} store an export, guarded @param {Generation} generation */
function watchExceptions(store, generation) {
  return (/** @type {number} */ place) => {
    generation.owner.noteRaised(generation.externrefs ? generation.externrefs.get(place) : generation.heap()[place]);
    return store(place);
  };
}

/**
 * Glue with an abort handler throws a `WebAssembly.Exception` on purpose, and keeps its tag to itself, unless the build
 * unwinds. It names the tag when it makes one.
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

/**
 * Such an import gives the closure itself, or its place in the glue's heap.
 * @param {Function} fn @param {Generation} generation
 * @returns {Function}
 */
function lendClosures(fn, generation) {
  // Never more: two words of data, and the index of a function; or a value.
  return (/** @type {unknown} */ a, /** @type {unknown} */ b, /** @type {unknown} */ c) => {
    const made = fn(a, b, c);
    if (typeof made !== "number") return isRustClosure(made) ? generation.lend(made) : made;
    const heap = generation.heap();
    if (isRustClosure(heap[made])) heap[made] = generation.lend(heap[made]);
    return made;
  };
}

/** @param {string} name @param {Function} fn an import @param {Generation} generation @param {number} arity @returns {Function} */
function observed(name, fn, generation, arity) {
  if (MAKES_CLOSURES.test(name)) return lendClosures(fn, generation);
  if (SCHEDULES.test(name)) return () => generation.retire();
  if (PRINTS.test(name)) return listenToConsole(fn, generation);
  if (WAITS.test(name) && arity === 3) return watchPromise(fn, generation);
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
      if (name === JAVASCRIPT_TAG) generation.javascriptTag = value;
      continue;
    }
    const arity = signature?.params.length ?? -1;
    guarded[module][name] = guardImport(observed(name, value, generation, arity), arity, generation, name);
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
  /** @type {Map<Function, Function>} the guards, by what they guard: glue gets an entry at each call */
  const guards = new Map();
  /** @param {number} index */
  const get = (index) => {
    const value = table.get(index);
    if (!isWasmFunction(value)) return value;
    if (!guards.has(value)) guards.set(value, guardExport(value, null, `${name}[${index}]`, generation));
    return guards.get(value);
  };
  return {
    get,
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
    if (name === generation.owner.storesException) guarded[name] = watchExceptions(guarded[name], generation);
  }
  generation.stack = new ShadowStack(instance.exports, wasm);
  generation.onAbort = abortHandler(instance, wasm);
  generation.glueExports = guarded;
  generation.cuts.push(() => emptyExports(guarded, wasm));
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
