/**
 * The imports as the Wasm instance of a generation gets them. All are guarded. Some are also observed, because they
 * tell what Rust does: print a panic, make a closure, wait for a promise, throw, ask for a new instance.
 */

import { parsePanicText } from "../diagnosis/panic.js";
import { isInstance } from "../shared/isinstance.js";
import { JAVASCRIPT_TAG } from "../wasm/binary.js";
import { isRustClosure } from "./closures.js";
import { noteContinuations } from "./entries.js";
import { watchGiving } from "./giving.js";
import { guardImport } from "./guard.js";
import { OWN_MODULE, REFUEL } from "./stopwatch.js";
import { WAKES_LATER } from "./tasks.js";
import { THROWS } from "./throws.js";

/** @import {Generation} from "./generation.js" */
/** @import {Entries, Stopwatch, WasmInterface} from "../types.js" */

/**
 * The tag under which the glue of an unwind build expects a JavaScript value that left an export. It takes every other
 * exception for an abort.
 */
const WRAPPING_TAG = "__wbindgen_wrapped_jstag";

/** An import of this name prints: it is `error` of the console, or of the crate `console_error_panic_hook`. */
const PRINTS = /^__wbg_error_/;

/**
 * The import behind `schedule_reinit`. The glue would put another instance under the next call, wherever that call
 * comes from, and after its arguments were lowered. The generation does it instead, when no frame of the module is
 * left.
 */
const SCHEDULES = /^(?:__wbg_)?__wbindgen_reinit(?:_|$)/;

/** An import of this name may make a Rust closure. */
const MAKES_CLOSURES = /^(?:__wbg_)?__wbindgen_(?:closure_wrapper|cast_|generic_)/;

/** The import that calls what may poll a future. */
const POLL = "poll";

/** With an import of this name Rust drops a closure, in older glue, which keeps the closure's state in the open. */
const DROPS_CLOSURE = /^__wbindgen_cb_drop/;

/** With an import of this name Rust waits for a promise. */
const WAITS = /^__wbg_then_/;

/** With an import of this name Rust has its tasks go on soon. Another one of the name only looks for the function. */
const QUEUES = /^__wbg_queueMicrotask_/;

/**
 * @param {WebAssembly.Imports} imports what the glue offers
 * @param {WasmInterface} wasm
 * @param {Generation} generation
 * @returns {WebAssembly.Imports}
 */
export function guardImports(imports, wasm, generation) {
  /** @type {Record<string, Record<string, any>>} */
  const guarded = {};
  const watched = generation.holder === null ? null : watchGiving(functionsOf(imports, wasm), generation);
  for (const { module, name, kind, signature } of wasm.imports) {
    if (module === OWN_MODULE) {
      guarded[module] = { ...guarded[module], [name]: ownImport(name, generation) };
      continue;
    }
    const value = /** @type {any} */ (imports[module])?.[name];
    guarded[module] ??= {};
    if (kind !== "function" || typeof value !== "function") {
      guarded[module][name] = value;
      if (name === WRAPPING_TAG) generation.tag = value;
      if (name === JAVASCRIPT_TAG) generation.javascriptTag = value;
      continue;
    }
    const arity = signature?.params.length ?? -1;
    const fn = watched?.get(name) ?? value;
    guarded[module][name] = guardImport(observeImport(name, fn, generation, arity), arity, generation, name);
  }
  return guarded;
}

/**
 * The functions of the glue that the module imports.
 * @param {WebAssembly.Imports} imports @param {WasmInterface} wasm
 */
function functionsOf(imports, wasm) {
  return wasm.imports
    .map(({ module, name }) => /** @type {[string, any]} */ ([name, /** @type {any} */ (imports[module])?.[name]]))
    .filter(([, value]) => typeof value === "function");
}

/** @param {string} name of an import that the rewriter has added @param {Generation} generation @returns {Function} */
function ownImport(name, generation) {
  const { holder, owner } = generation;
  // A module with this import has a stopwatch, also if it was rewritten ahead of time and loaded without a limit.
  if (name === REFUEL) return /** @type {Stopwatch} */ (owner.stopwatch).importFor(generation);
  if (name === POLL)
    return (/** @type {number} */ future, /** @type {number} */ context, /** @type {number} */ slot) =>
      /** @type {Entries} */ (generation.entries).poll(future, context, slot);
  return (/** @type {number} */ table, /** @type {number} */ index, /** @type {unknown} */ value) =>
    holder?.transaction?.noteDropped(table, index, value);
}

/**
 * An import with what observes it, if its name says that it tells something.
 * @param {string} name @param {Function} fn the import @param {Generation} generation @param {number} arity
 * @returns {Function}
 */
function observeImport(name, fn, generation, arity) {
  if (MAKES_CLOSURES.test(name)) return lendClosures(fn, generation);
  if (DROPS_CLOSURE.test(name)) return noteClosure(fn, generation);
  if (SCHEDULES.test(name)) return () => generation.retire();
  if (PRINTS.test(name)) return listenToConsole(fn, generation);
  if (WAKES_LATER.test(name)) {
    const watched = WAITS.test(name) && arity === 3 ? watchPromise(fn, generation) : fn;
    if (generation.holder === null) return watched;
    if (QUEUES.test(name)) return noteContinuations(noteQueued(watched, generation), generation);
    return noteContinuations(arity === 2 ? noteAwaited(watched, generation) : watched, generation);
  }
  return generation.tag === null && THROWS.test(name) ? learnTag(fn, generation) : fn;
}

/**
 * `console_error_panic_hook` reports a panic by an import that calls `console.error`. While that import runs,
 * `console.error` is replaced: a panic message goes to the generation, and everything else is printed as ever.
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
 * Remembers the reason of a rejected promise before Rust hears of it.
 * @param {Function} fn takes the promise, and the functions that hear of its end @param {Generation} generation
 * @returns {Function}
 */
function watchPromise(fn, generation) {
  const { owner } = generation;
  return (/** @type {unknown} */ place, /** @type {unknown[]} */ ...settlers) => {
    const promise = typeof place === "number" ? generation.heap()[place] : place;
    // The promise may never be settled, so its handler holds the owner and not the generation.
    if (isInstance(promise, Promise))
      Promise.prototype.then.call(promise, undefined, (reason) => owner.noteRaised(reason));
    return fn(place, ...settlers);
  };
}

/**
 * Notes what waits for the end of the turn: whoever goes back to a state from before that has to queue it again.
 * @param {Function} fn @param {Generation} generation
 * @returns {Function}
 */
function noteQueued(fn, generation) {
  const { queued } = generation;
  return (/** @type {unknown[]} */ ...args) => {
    const again = () => {
      const result = fn(...args);
      // The one that looks for the function has a result.
      if (result === undefined) {
        queued.add(again);
        queueMicrotask(() => queued.delete(again));
      }
      return result;
    };
    return again();
  };
}

/**
 * The same for what waits for a promise. Where there is no `queueMicrotask`, and in packages up to 2023, the tasks of
 * Rust wait for a promise that is settled already.
 * @param {Function} fn takes the promise, and the function that hears of its end @param {Generation} generation
 * @returns {Function}
 */
function noteAwaited(fn, generation) {
  const { queued } = generation;
  const { then } = Promise.prototype;
  return (/** @type {unknown[]} */ ...args) => {
    const result = fn(...args);
    const [promise, closure] = args.map((arg) => (typeof arg === "number" ? generation.heap()[arg] : arg));
    if (!isInstance(promise, Promise)) return result;
    const again = () => {
      then.call(promise, /** @type {any} */ (closure));
      note();
    };
    const over = () => queued.delete(again);
    const note = () => {
      queued.add(again);
      then.call(promise, over, over);
    };
    note();
    return result;
  };
}

/**
 * Glue with an abort handler throws a `WebAssembly.Exception` on purpose. Unless the build unwinds, the tag of that
 * exception is in no import; it can be read only while the glue makes the exception.
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
 * Replaces each Rust closure that the import makes by a function that lets go of it when the generation dies. The
 * import returns the closure itself, or its index in the glue's heap.
 * @param {Function} fn @param {Generation} generation
 * @returns {Function}
 */
function lendClosures(fn, generation) {
  // Such an import takes at most three arguments: two words of data and the index of a function, or one value.
  return (/** @type {unknown} */ a, /** @type {unknown} */ b, /** @type {unknown} */ c) => {
    const result = fn(a, b, c);
    if (typeof result !== "number") return isRustClosure(result) ? generation.lend(result) : result;
    const heap = generation.heap();
    if (isRustClosure(heap[result])) heap[result] = generation.lend(heap[result]);
    return result;
  };
}

/**
 * @param {Function} fn takes the closure, or its index in the glue's heap, and marks its state as dropped
 * @param {Generation} generation
 */
function noteClosure(fn, generation) {
  return (/** @type {any} */ place) => {
    const closure = typeof place === "number" ? generation.heap()[place] : place;
    if (isRustClosure(closure)) generation.transaction?.noteState(/** @type {any} */ (closure).original);
    return fn(place);
  };
}
