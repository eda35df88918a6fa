/**
 * The host for plain JavaScript: every crash resets the module, and too many crashes that nobody called for end it.
 * Python has a supervisor of its own, which decides more.
 */

import { ON_PURPOSE } from "../../diagnosis/diagnosis.js";
import { PREPARING } from "../../module/module.js";
import {
  CallInterrupted,
  Crash,
  ModuleTerminated,
  StaleObjectError,
  StartError,
  UnpanicError,
} from "../../shared/errors.js";
import { isInstance } from "../../shared/isinstance.js";
import { describeDeath } from "../../shared/messages.js";
import { describeGone, describeInUse, describeStale, describeWait } from "./messages.js";
import { Uncalled } from "./uncalled.js";

/** @import {Death, Diagnosis, Host, PanicRecord, Reason} from "../../types.js" */
/** @import {SupervisedModule} from "../../module/module.js" */

/** @implements {Host} */
export class DefaultSupervisor {
  /**
   * @param {SupervisedModule} module
   * @param {{onPanic?: (panic: PanicRecord) => void, onReset?: () => void}} [hooks]
   */
  constructor(module, hooks = {}) {
    this.module = module;
    this.hooks = hooks;
    /** @type {Map<number, {resolve: (value: unknown) => void, reject: (reason: unknown) => void}>} */
    this.promises = new Map();
    this.uncalled = new Uncalled();
    /** Whether `onReset` runs. */
    this.filling = false;
    /** Why the module has ended; empty as long as it has not. */
    this.end = "";
    /** @type {Death | null} the death to recover from, while the next generation is on its way */
    this.recovering = null;
    /** @type {(() => void)[]} async calls that wait for it */
    this.waiting = [];
  }

  /** A call or a class as messages name it. @param {string} name */
  nameOf(name) {
    return `${this.module.name}.${name}`;
  }

  /** The promise of a call in flight. @param {number} id of the call */
  promise(id) {
    const { dead } = this.module.generation;
    // The call itself asked for a reset.
    if (dead !== null) return Promise.reject(this.interrupted(dead, "promise", false));
    return new Promise((resolve, reject) => this.promises.set(id, { resolve, reject }));
  }

  /** @param {number} id */
  take(id) {
    const settle = this.promises.get(id);
    this.promises.delete(id);
    return settle;
  }

  /** @param {Death} death @param {boolean} clear */
  crashed(death, clear) {
    const { code, thrown } = /** @type {Diagnosis} */ (death.diagnosis);
    const error = this.errorFor(death);
    // A crash that a caller asked for is his exception, and never counts.
    if (this.filling || (death.activation === 0 && death.suspects.length === 0)) this.uncalled.add(error.message);
    this.interruptAll(death, code === ON_PURPOSE ? thrown?.value : error);
    this.tellPanic(death.diagnosis);
    if (clear && !this.filling) this.recover(death);
    return error;
  }

  /** @param {Diagnosis | null} diagnosis */
  tellPanic(diagnosis) {
    const { onPanic } = this.hooks;
    if (onPanic && diagnosis?.kind === "panic") run(() => onPanic(toPanic(diagnosis)));
  }

  /** @param {Death} death @param {string} name @param {boolean} clear */
  interrupted(death, name, clear) {
    if (clear) this.recover(death);
    const why = describeDeath(death, this.module.name);
    return new CallInterrupted(`${this.nameOf(name)} was interrupted: ${why}`, null);
  }

  /** @param {Death} death */
  retired(death) {
    this.interruptAll(death);
  }

  /**
   * Ends the calls that were in flight.
   * @param {Death} death
   * @param {unknown} [error] for those that may be to blame
   */
  interruptAll(death, error = this.errorFor(death)) {
    for (const { id } of death.suspects) this.take(id)?.reject(error);
    for (const { id, name } of death.interrupted) this.take(id)?.reject(this.interrupted(death, name, false));
  }

  /** @param {Death} death */
  recover(death) {
    if (this.module.closed) return;
    this.renew(death);
    this.fill(death);
    this.wake();
  }

  /** Makes the next generation, or ends the module. @param {Death} death */
  renew(death) {
    this.recovering = null;
    while (!this.uncalled.excess) {
      try {
        if (this.module.renew() === PREPARING) this.recovering = death;
        return;
      } catch (error) {
        if (!isInstance(error, StartError))
          return this.terminate(`the next generation did not start: ${/** @type {Error} */ (error).message}`);
        this.uncalled.add(error.message);
      }
    }
    this.terminate(this.uncalled.excess);
  }

  /**
   * Has `onReset` fill the new generation. One that died meanwhile is followed by another, which is filled.
   * @param {Death} death
   */
  fill(death) {
    const { module } = this;
    const { onReset } = this.hooks;
    if (!onReset || this.filling) return;
    this.filling = true;
    try {
      while (module.generation.dead === null) {
        const { generation } = module;
        run(onReset);
        if (module.generation === generation && generation.dead === null) return;
        if (module.closed) return;
        // After the crash, `onReset` worked on another generation than before. So it begins anew.
        if (module.generation.dead === null) this.interruptAll(module.end().death);
        this.renew(module.generation.dead ?? death);
      }
    } finally {
      this.filling = false;
    }
  }

  /** @param {string} failure empty: the next generation is there */
  prepared(failure) {
    if (!this.recovering) return;
    if (failure) this.terminate(`the next generation could not be made: ${failure}`);
    else if (this.module.isClear()) this.recover(this.recovering);
  }

  /** Lets async calls go on that wait for a generation. */
  wake() {
    for (const go of this.waiting.splice(0)) go();
  }

  /**
   * Runs an async call as soon as there is a generation to run it.
   * @param {() => unknown} run
   * @returns {unknown}
   */
  whenReady(run) {
    if (!this.recovering) return run();
    return new Promise((/** @type {(value: void) => void} */ resolve) => this.waiting.push(resolve)).then(() =>
      this.whenReady(run),
    );
  }

  /** No generation will follow. @param {string} why */
  terminate(why) {
    this.end = why;
    this.interruptAll(this.module.end().death);
    this.module.close();
    this.recovering = null;
    this.wake();
  }

  /** Drops the current generation now. */
  reset() {
    if (this.module.closed) throw this.unavailable("reset");
    if (this.recovering) return;
    const { death, clear } = this.module.end();
    this.interruptAll(death);
    if (this.filling) this.uncalled.add("a reset in onReset");
    else if (clear) this.recover(death);
  }

  /** @param {string} name */
  unavailable(name) {
    const call = this.nameOf(name);
    if (this.recovering) return new CallInterrupted(describeWait(call, this.module.spare.waitMs), null);
    return new ModuleTerminated(`${call}: the module has ended (${this.end || "unloaded"}).`);
  }

  /** @param {Diagnosis} diagnosis @param {string} name */
  unwound(diagnosis, name) {
    this.tellPanic(diagnosis);
    return this.errorFor({
      diagnosis,
      call: name,
      generation: this.module.generation.number,
      activation: 0,
      suspects: [],
      isCertain: true,
      interrupted: [],
      canRollBack: false,
    });
  }

  /** @param {unknown} error an `Err`, or what Rust or the glue threw @param {string} _name @param {Reason} [reason] */
  failed(error, _name, reason) {
    if (reason) this.module.leave();
    return released(error);
  }

  /** @param {unknown} error */
  failedUnattended(error) {
    console.error(error);
  }

  /**
   * @param {string} className
   * @param {string} holder
   * @param {string} name
   * @param {unknown} error
   * @param {Reason} reason
   */
  inUse(className, holder, name, error, reason) {
    const text = describeInUse(this.nameOf(className), holder && this.nameOf(holder), this.nameOf(name));
    return this.failed(new UnpanicError(text, { cause: error }), name, reason);
  }

  /** @param {string} name @param {Reason} reason */
  gone(name, reason) {
    return this.failed(new StaleObjectError(describeGone(this.nameOf(name))), name, reason);
  }

  /** @param {string} className @param {string} consumer @param {string} name */
  stale(className, consumer, name) {
    return new StaleObjectError(describeStale(this.nameOf(className), consumer, this.nameOf(name)));
  }

  /** @param {number} id @param {unknown} value */
  settled(id, value) {
    this.take(id)?.resolve(value);
  }

  /** @param {number} id @param {string} _name @param {unknown} reason */
  settledByError(id, _name, reason) {
    this.take(id)?.reject(released(reason));
  }

  /** @param {number} id @param {string} name @param {Diagnosis} diagnosis */
  settledByUnwinding(id, name, diagnosis) {
    this.take(id)?.reject(this.unwound(diagnosis, name));
  }

  /** @param {number} id @param {string} name @param {Diagnosis} diagnosis */
  settledByRollback(id, name, diagnosis) {
    this.settledByUnwinding(id, name, diagnosis);
  }

  /** @param {PanicRecord} panic */
  caughtPanic(panic) {
    const { onPanic } = this.hooks;
    if (onPanic) run(() => onPanic(panic));
  }

  /** @param {Death} death */
  errorFor(death) {
    const text = describeDeath(death, this.module.name);
    if (!death.diagnosis) return new CallInterrupted(text, null);
    const { thrown, ...rest } = death.diagnosis;
    const error = new Crash(text, { ...rest, call: death.call, generation: death.generation });
    if (thrown) error.cause = thrown.value;
    return error;
  }

  /** @param {number} index @param {ArrayLike<unknown>} args */
  decline(index, args) {
    return this.module.lanes.functionLane(index)(...Array.from(args));
  }
}

/**
 * V8 keeps the instance alive for an error that Rust made, until somebody reads the error's stack.
 * @param {unknown} error
 */
function released(error) {
  if (isInstance(error, Error)) void error.stack;
  return error;
}

/**
 * Runs a function of the user's. An error in it is reported like that of an event listener, and stops nothing.
 * @param {() => void} hook
 */
function run(hook) {
  try {
    hook();
  } catch (error) {
    if (typeof reportError === "function") return reportError(error);
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** @param {Diagnosis} diagnosis @returns {PanicRecord} */
function toPanic({ message, payload = "", location = null, stack }) {
  return { message, payload, location, stack };
}
