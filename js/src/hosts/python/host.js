/**
 * The host for Python: it hands every decision to the handlers of Python's supervisor, each event in one message.
 * raising.js says how their exceptions arrive.
 */

import { describeThrown } from "../../diagnosis/diagnosis.js";
import { saysNoMemoryForInstance } from "../../diagnosis/engines.js";
import { exportsBySymbol } from "../../diagnosis/symbols.js";
import { Crash } from "../../shared/errors.js";
import { isInstance } from "../../shared/isinstance.js";
import { describeDeath } from "../../shared/messages.js";
import { deathMessage, diagnosisFields, errorFields } from "./fields.js";
import { Raised, throwableClass } from "./raising.js";

/** @import {Death, Diagnosis, Host, PanicRecord, PythonHandlers, Reason} from "../../types.js" */
/** @import {SupervisedModule} from "../../module/module.js" */
/** @import {Export} from "../../diagnosis/symbols.js" */

/**
 * Handlers that give the address of what to throw.
 * @typedef {"crashed" | "interrupted" | "retired" | "recover" | "prepared" | "unwound" | "failed" | "inUse" | "gone"}
 * Answering
 */
/**
 * Handlers that end an async call, or have nobody above them.
 * @typedef {"settled" | "settledByError" | "settledByUnwinding" | "settledByRollback" | "caughtPanic"
 *   | "failedUnattended"} Ending
 */
/**
 * @template {keyof PythonHandlers} Name
 * @typedef {PythonHandlers[Name] extends ((...message: infer Message) => unknown) | undefined ? Message : never}
 * MessageOf
 */

// This number stands for no generation, in Python too.
const NONE = -1;

/** How long Rust may take to hand on an exception of a callback that ends the program. */
const HAND_ON_MS = 2;

/** @implements {Host} */
export class PythonHost {
  /**
   * @param {SupervisedModule} module
   * @param {PythonHandlers} handlers functions of Python's supervisor
   * @param {Function} PythonError Pyodide's
   * @param {() => void} [checkInterrupt] Pyodide's: throws if the user has asked to interrupt what runs
   */
  constructor(module, handlers, PythonError, checkInterrupt = () => {}) {
    this.checkInterrupt = checkInterrupt;
    this.module = module;
    this.python = handlers;
    this.Throwable = throwableClass(PythonError);
    /** @type {Map<string, Export> | undefined} made at the first crash */
    this.exports = undefined;
    /** @type {WeakMap<object, number>} when Rust was first seen to run after a callback had raised that */
    this.raisedAt = new WeakMap();
  }

  /** @param {Diagnosis} diagnosis */
  fieldsOf(diagnosis) {
    const { name, description } = this.module;
    this.exports ??= exportsBySymbol(name, description);
    return diagnosisFields(diagnosis, this.exports);
  }

  /** @param {Death} death @param {boolean} clear */
  messageOf(death, clear) {
    return deathMessage(death, clear, (diagnosis) => this.fieldsOf(diagnosis));
  }

  /** @param {number} address of `sys.last_exc` */
  throwable(address) {
    return new this.Throwable(address);
  }

  /** @param {number} address 0: nothing was raised */
  throwIf(address) {
    if (address) throw this.throwable(address);
  }

  /**
   * A generation has died: from here on Python takes nothing of it for alive. This runs no line of Python, so that
   * nothing can be raised by it, whatever becomes of the handler that tells the rest.
   * @param {number} [generation] the number of one that lives again
   */
  mark(generation = NONE) {
    const { supervisor } = this.python;
    if (supervisor) supervisor.generation = generation;
  }

  /**
   * Calls a handler that gives an address. If something is raised in it (a stop button, a log handler, the recursion
   * limit), Python is told so and goes on from where it was. The exception is thrown in the end.
   * @template {Answering} Name
   * @param {Name} name @param {MessageOf<Name>} message
   * @returns {number}
   * @throws what is raised in it twice: then the next call goes on, or this turn's end
   */
  ask(name, ...message) {
    const handler = /** @type {((...message: any[]) => number) | undefined} */ (this.python[name]);
    if (!handler) return 0; // the module was unloaded
    try {
      return handler(...message);
    } catch {
      try {
        this.python.raised?.();
        return handler(...message);
      } catch (again) {
        this.module.recoverSoon();
        throw again;
      }
    }
  }

  /**
   * Calls a handler that ends an async call, and has nobody above it. An exception of the handler ends the call.
   * @template {Ending} Name
   * @param {number} id of the call; 0: none
   * @param {Name} name @param {MessageOf<Name>} message
   */
  tell(id, name, ...message) {
    const handler = /** @type {((...message: any[]) => void) | undefined} */ (this.python[name]);
    try {
      handler?.(...message);
    } catch {
      this.abandon(id, true);
    }
  }

  /** @param {number} id of a call that its handler did not end @param {boolean} again whether to try twice */
  abandon(id, again) {
    try {
      this.python.abandoned?.(id);
    } catch {
      if (again) setTimeout(() => this.abandon(id, false));
    }
  }

  /* ---- calls that compute for long ------------------------------------------- */

  /**
   * How many milliseconds Rust may compute. NaN: something was raised while Python was asked, which ends the call.
   * @param {boolean} attended whether somebody called
   * @param {number[]} polled if nobody did: the async calls of which one may be what runs
   */
  limitMs(attended, polled) {
    try {
      return (this.python.limit?.(attended, polled) ?? Infinity) * 1000;
    } catch {
      return Number.NaN;
    }
  }

  /** @param {string} call @returns {unknown} what to throw; null: it may begin */
  entering(call) {
    const address = this.python.entering?.(call);
    return address ? this.throwable(address) : null;
  }

  /** Has the user asked to interrupt what runs? If so, the exception is in Python's `sys.last_exc`. */
  isInterrupted() {
    const raised = /** @type {any} */ (this.module.lastRaised()?.error);
    if (raised?.endsProgram) return this.isIgnored(raised);
    try {
      this.checkInterrupt();
      return false;
    } catch {
      return true;
    }
  }

  /**
   * A callback has raised what ends the program. Does Rust go on nevertheless? It has a moment to hand it on.
   * @param {object} raised
   */
  isIgnored(raised) {
    const since = this.raisedAt.get(raised);
    if (since !== undefined) return performance.now() - since >= HAND_ON_MS;
    this.raisedAt.set(raised, performance.now());
    return false;
  }

  /* ---- deaths, and what follows them --------------------------------------- */

  /** @param {Death} death @param {boolean} clear */
  crashed(death, clear) {
    if (!this.python.crashed) return this.unavailable(death.call);
    this.mark();
    try {
      return this.throwable(this.ask("crashed", ...this.messageOf(death, clear)));
    } catch (error) {
      return error; // where nobody called, nobody throws it
    }
  }

  /** @param {Death} _death @param {string} call @param {boolean} clear */
  interrupted(_death, call, clear) {
    return this.throwable(this.ask("interrupted", call, clear));
  }

  /** @param {Death} death */
  retired(death) {
    this.mark();
    this.throwIf(this.ask("retired", ...this.messageOf(death, false)));
  }

  /** @param {Death} _death @param {boolean} [attended] whether somebody would get what was raised */
  recover(_death, attended = true) {
    try {
      this.throwIf(this.ask("recover", attended));
    } catch (error) {
      if (attended) throw error; // else the next call goes on
    }
  }

  /** @param {string} failure empty: the next generation is there */
  prepared(failure) {
    try {
      if (!failure) this.ask("prepared", "", "");
      else this.ask("prepared", saysNoMemoryForInstance(failure) ? "memory" : "other", failure);
    } catch {
      // The next call goes on.
    }
  }

  /** @param {string} call */
  unavailable(call) {
    return this.throwable(this.python.unavailable(call));
  }

  /** @param {Death} death what a JavaScript caller of a Rust closure gets */
  errorFor(death) {
    const { thrown, ...rest } = /** @type {Diagnosis} */ (death.diagnosis);
    const record = { ...rest, call: death.call, generation: death.generation };
    return new Crash(describeDeath(death, this.module.name), record);
  }

  /* ---- calls that fail while their generation lives on ----------------------- */

  /** @param {Diagnosis} diagnosis @param {string} call */
  unwound(diagnosis, call) {
    return this.throwable(this.ask("unwound", ...this.fieldsOf(diagnosis), call));
  }

  /** @param {unknown} error @param {string} call @param {Reason} [reason] */
  failed(error, call, reason = "") {
    return this.throwable(this.ask("failed", ...errorFields(error), call, reason));
  }

  /** @param {unknown} error */
  failedUnattended(error) {
    this.tell(0, "failedUnattended", ...errorFields(error));
  }

  /**
   * @param {string} className
   * @param {string} holder
   * @param {string} call
   * @param {unknown} error
   * @param {Reason} reason
   */
  inUse(className, holder, call, error, reason) {
    return this.throwable(this.ask("inUse", className, holder, call, describeThrown(error), reason));
  }

  /** @param {string} call @param {Reason} reason */
  gone(call, reason) {
    return this.throwable(this.ask("gone", call, reason));
  }

  /** @param {string} className @param {string} consumer @param {string} call */
  stale(className, consumer, call) {
    if (!this.python.stale) return this.unavailable(call);
    return this.throwable(this.python.stale(className, consumer, call));
  }

  /** @param {PanicRecord} panic @param {number} generation */
  caughtPanic(panic, generation) {
    this.tell(0, "caughtPanic", ...this.fieldsOf({ kind: "panic", ...panic }), generation);
  }

  /* ---- async calls that end --------------------------------------------------- */

  /** @param {number} id @param {unknown} value */
  settled(id, value) {
    this.tell(id, "settled", id, value);
  }

  /** @param {number} id @param {string} call @param {unknown} reason */
  settledByError(id, call, reason) {
    this.tell(id, "settledByError", id, ...errorFields(reason), call);
  }

  /** @param {number} id @param {string} call @param {Diagnosis} diagnosis */
  settledByUnwinding(id, call, diagnosis) {
    this.tell(id, "settledByUnwinding", id, ...this.fieldsOf(diagnosis), call);
  }

  /** @param {number} id @param {string} call @param {Diagnosis} diagnosis */
  settledByRollback(id, call, diagnosis) {
    this.tell(id, "settledByRollback", id, ...this.fieldsOf(diagnosis), call);
  }

  /* ---- arguments that a numeric lane does not take ----------------------------- */

  /**
   * Pyodide hands keywords over as a plain object in the last place. Nothing else is one there: an object that somebody
   * passed for a number would be refused all the same.
   * @param {number} place of the function @param {ArrayLike<unknown>} args
   */
  decline(place, args) {
    const { decline } = this.python;
    if (!decline) throw this.unavailable("call"); // the module was unloaded
    const values = Array.from(args);
    const named = keywordsIn(values.at(-1));
    if (named.length) values.splice(-1, 1, ...named.map(([, value]) => value));
    const result = decline(place, named.map(([name]) => name).join(), ...values);
    if (isInstance(result, Raised)) throw result.error;
    return result;
  }
}

/** Pyodide hands keywords over as a plain object; what throws when it is read is none. @param {any} last */
function keywordsIn(last) {
  try {
    return last && Object.getPrototypeOf(last) === Object.prototype ? Object.entries(last) : [];
  } catch {
    return [];
  }
}
