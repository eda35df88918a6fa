/** Python callables as functions of JavaScript. */

import { hasPlace } from "../../diagnosis/engines.js";
import { recordAgain, recordNothing } from "../../diagnosis/recording.js";
import { linesOf } from "../../diagnosis/stack.js";
import { refuseCallback } from "../../module/look.js";
import { isInstance } from "../../shared/isinstance.js";
import { CallbackError, Raised } from "./raising.js";

/** @import {PythonHandlers} from "../../types.js" */
/** @import {SupervisedModule} from "../../module/module.js" */

export class Callbacks {
  /**
   * @param {SupervisedModule} module
   * @param {() => PythonHandlers | undefined} handlers Python's, as long as the module is loaded
   */
  constructor(module, handlers) {
    this.module = module;
    this.handlers = handlers;
    /** @type {WeakMap<any, number>} the numbers of Python's callables, by their functions */
    this.numbers = new WeakMap();
    this.collected = new FinalizationRegistry((/** @type {number} */ number) => handlers()?.dropped?.(number));
  }

  /**
   * A Python callable as a function that Rust can keep. Python lets go of the callable when JavaScript's collector
   * takes this function, or when its generation dies.
   * @param {number} number that stands for it
   */
  make(number) {
    const call = (/** @type {unknown[]} */ ...args) => {
      if (refuseCallback()) throw new Error("unpanic: nothing is called while an object is looked at");
      const result = this.call(number, args);
      if (!isInstance(result, Raised)) return result;
      const { error } = result;
      const { exception } = /** @type {CallbackError} */ (error);
      if (exception) this.module.noteRaised(error);
      // The timer of a dead generation has nobody to tell.
      else if (isOnlyFrame(String(new Error().stack))) return undefined;
      throw error;
    };
    this.numbers.set(call, number);
    this.collected.register(call, number);
    return call;
  }

  /** Runs the callable. Its time is not Rust's. @param {number} number @param {unknown[]} args */
  call(number, args) {
    const handlers = this.handlers();
    if (!handlers?.called) return new Raised(this.unloadedError());
    const { stopwatch, generation } = this.module;
    if (!stopwatch) return run(handlers, number, args);
    // The same call was to end: Rust has ignored that, and must not do so for ever.
    const last = /** @type {any} */ (this.module.lastRaised()?.error);
    if (last?.endsProgram) return new Raised(last);
    return stopwatch.pauseFor(generation, () => run(handlers, number, args));
  }

  unloadedError() {
    return callbackError(`This Python callback was given to ${this.module.name}, which was unloaded.`, null);
  }
}

/** @param {PythonHandlers} handlers @param {number} number @param {unknown[]} args */
function run(handlers, number, args) {
  try {
    return handlers.called?.(number, ...args);
  } catch (error) {
    // A stop button was pressed before the handler had begun to catch exceptions.
    const raised = handlers.escaped?.();
    if (raised === undefined) throw error;
    return raised;
  }
}

/** Was the function that made this stack called by the event loop? @param {string} stack */
function isOnlyFrame(stack) {
  return linesOf(stack).filter(hasPlace).length < 2;
}

/** @param {string} text @param {any} exception PyProxy @param {boolean} [endsProgram] see `CallbackError` */
export function callbackError(text, exception, endsProgram) {
  // Its stack would be the interpreter's, and while Rust runs a long one.
  const limit = recordNothing();
  const error = new CallbackError(text, exception?.copy?.() ?? exception, endsProgram);
  recordAgain(limit);
  return error;
}
