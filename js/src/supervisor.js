/**
 * The supervisor of plain JavaScript users: every crash resets, a crash loop or a
 * crash at the start ends the module. Python brings its own, with more to decide.
 */

import { NULL_POINTER } from "./diagnosis.js";
import { CallInterrupted, Crash, ModuleTerminated, StaleObjectError } from "./errors.js";
import { describeDeath, describeStale, describeWait } from "./messages.js";
import { PREPARING } from "./module.js";

/** @import {Death, Diagnosis, Host, PanicRecord} from "./types.js" */
/** @import {SupervisedModule} from "./module.js" */

const RESTART_BUDGET = 100;

const GONE = "An object was used that had been freed, or moved into a Rust call";

/** @implements {Host} */
export class DefaultSupervisor {
  /** @param {SupervisedModule} module @param {{onPanic?: (panic: PanicRecord) => void, onReset?: () => void}} [hooks] */
  constructor(module, hooks = {}) {
    this.module = module;
    this.hooks = hooks;
    /** @type {Map<number, {resolve: (value: unknown) => void, reject: (reason: unknown) => void}>} */
    this.promises = new Map();
    this.restarts = 0;
    this.returnedAtRestart = -1;
    this.end = "";
    /** @type {Death | null} the one to recover from, while the next generation is on its way */
    this.recovering = null;
    /** @type {(() => void)[]} async calls that wait for it */
    this.waiting = [];
  }

  /** @param {number} id of a call in flight */
  promise(id) {
    const { dead } = this.module.generation;
    // Its own call asked for a reset.
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
    const error = this.errorFor(death);
    this.interruptAll(death, error);
    if (death.diagnosis?.kind === "panic") this.hooks.onPanic?.(toPanic(death.diagnosis));
    if (clear) this.recover(death);
    return error;
  }

  /** @param {Death} death @param {string} name @param {boolean} clear */
  interrupted(death, name, clear) {
    if (clear) this.recover(death);
    return new CallInterrupted(`${this.module.name}.${name} was interrupted: ${describeDeath(death, this.module.name)}`, null);
  }

  /** @param {Death} death */
  retired(death) {
    this.interruptAll(death);
  }

  /** @param {Death} death @param {unknown} [error] what those get that may be to blame */
  interruptAll(death, error = this.errorFor(death)) {
    for (const { id } of death.suspects) this.take(id)?.reject(error);
    for (const { id, name } of death.interrupted) this.take(id)?.reject(this.interrupted(death, name, false));
    death.suspects = [];
    death.interrupted = [];
  }

  /** @param {Death} death */
  recover(death) {
    const { module } = this;
    if (module.closed) return;
    if (this.recovering) return this.renew(death);
    this.restarts = module.returned === this.returnedAtRestart ? this.restarts + 1 : 1;
    this.returnedAtRestart = module.returned;
    if (this.restarts > RESTART_BUDGET) return this.terminate(`${RESTART_BUDGET} resets without one call that returned`);
    this.renew(death);
  }

  /** @param {Death} death */
  renew(death) {
    this.recovering = null;
    try {
      if (this.module.renew() === PREPARING) {
        this.recovering = death;
        return;
      }
    } catch (error) {
      return this.terminate(`the next generation did not start: ${/** @type {Error} */ (error).message}`);
    }
    this.hooks.onReset?.();
    this.wake();
  }

  /** @param {string} failure empty: the next generation is there */
  prepared(failure) {
    if (!this.recovering) return;
    if (failure) this.terminate(`the next generation could not be made: ${failure}`);
    else if (this.module.isClear()) this.renew(this.recovering);
  }

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
    return new Promise((/** @type {(value: void) => void} */ resolve) => this.waiting.push(resolve)).then(() => this.whenReady(run));
  }

  /** @param {string} why */
  terminate(why) {
    this.end = why;
    this.interruptAll(this.module.end().death);
    this.module.close();
    this.recovering = null;
    this.wake();
  }

  reset() {
    if (this.module.closed) throw this.unavailable("reset");
    if (this.recovering) return;
    const { death, clear } = this.module.end();
    this.interruptAll(death);
    if (clear) this.recover(death);
  }

  /** @param {string} name */
  unavailable(name) {
    if (this.recovering) return new CallInterrupted(describeWait(this.module, name), null);
    return new ModuleTerminated(`${this.module.name}.${name}: the module has ended (${this.end || "unloaded"}).`);
  }

  /** @param {Diagnosis} diagnosis @param {string} name */
  unwound(diagnosis, name) {
    if (diagnosis.kind === "panic") this.hooks.onPanic?.(toPanic(diagnosis));
    return this.errorFor({ diagnosis, call: name, generation: this.module.generation.number, activation: 0, suspects: [], interrupted: [] });
  }

  /** @param {unknown} error an `Err`, or what the glue itself threw */
  failed(error) {
    return error;
  }

  /** @param {string} className @param {string} consumer @param {string} name */
  stale(className, consumer, name) {
    return new StaleObjectError(describeStale(`${this.module.name}.${className}`, consumer, `${this.module.name}.${name}`));
  }

  /** @param {number} id @param {unknown} value */
  settled(id, value) {
    this.take(id)?.resolve(value);
  }

  /** @param {number} id @param {string} _name @param {unknown} reason */
  settledByError(id, _name, reason) {
    this.take(id)?.reject(reason);
  }

  /** @param {number} id @param {string} name @param {Diagnosis} diagnosis */
  settledByUnwinding(id, name, diagnosis) {
    this.take(id)?.reject(this.unwound(diagnosis, name));
  }

  /** @param {PanicRecord} panic */
  caughtPanic(panic) {
    this.hooks.onPanic?.(panic);
  }

  /** @param {Death} death */
  errorFor(death) {
    const text = describeDeath(death, this.module.name);
    if (!death.diagnosis) return new CallInterrupted(text, null);
    const { thrown, ...rest } = death.diagnosis;
    const error = new Crash(text, { ...rest, call: death.call, generation: death.generation });
    if (thrown) error.cause = thrown.value;
    return rest.code === NULL_POINTER ? new StaleObjectError(`${GONE} (${text})`, { cause: error }) : error;
  }

  /** @param {number} index @param {ArrayLike<unknown>} args */
  decline(index, args) {
    return this.module.lanes.functionLane(index)(...Array.from(args));
  }
}

/** @param {Diagnosis} diagnosis @returns {PanicRecord} */
function toPanic({ message, payload = "", location = null, stack }) {
  return { message, payload, location, stack };
}
