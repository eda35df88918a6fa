/**
 * The runtime as Python drives it: the same modules, with a host that hands every
 * decision to Python functions. Only plain values cross, and each event crosses once.
 *
 * How a Python exception gets raised. A JavaScript function that calls a Python
 * function which raises gives the Python caller that very exception, but on the way
 * Pyodide formats the whole traceback (0.5 ms). What restores the exception is its
 * address, compared with `sys.last_exc`. So Python sets `sys.last_exc` and returns
 * the address, and an error that carries nothing else is thrown (30 µs). JavaScript
 * that catches it on the way sees an ordinary `PythonError`.
 * https://github.com/pyodide/pyodide/blob/main/src/core/error_handling.ts
 */

import { endBurst } from "./activity.js";
import { describeDeath, describeUnloaded } from "./messages.js";
import { Crash } from "./errors.js";
import { describeThrown } from "./diagnosis.js";
import { absolute, fetchBytes } from "./fetching.js";
import { isInstance } from "./isinstance.js";
import { loadModule, loadModuleSync } from "./load.js";
import { isNumeric } from "./numbers.js";
import { changed, entriesOf, Parcel, unpack } from "./parcel.js";
import { abovePython, linesOf, rustFrames } from "./stack.js";

/** @import {Death, Diagnosis, Host, PanicRecord, PythonHandlers} from "./types.js" */
/** @import {SupervisedModule} from "./module.js" */

// Pyodide shows the stack of whatever it catches down to its own frames: every version takes this one for its own.
const EMPTY_STACK = "Error\n    at wasm-function:1:1";

/** A Python exception on its way through JavaScript and Rust: they see its text, Python gets it back. */
class CallbackError extends Error {
  /** @param {string} text @param {any} exception */
  constructor(text, exception) {
    super(text);
    this.name = "PythonError";
    this.exception = exception;
  }
}

/** @implements {Host} */
class PythonHost {
  /**
   * @param {SupervisedModule} module
   * @param {PythonHandlers} handlers functions of Python's supervisor
   * @param {Function} PythonError Pyodide's
   */
  constructor(module, handlers, PythonError) {
    this.module = module;
    this.python = handlers;
    /**
     * A `PythonError` without its constructor, which captures the whole stack.
     * @this {any} @param {number} address of `sys.last_exc`
     */
    function Thrown(address) {
      this.__error_address = address;
      this.stack = EMPTY_STACK;
      this.message = "a Python exception raised by unpanic";
    }
    Thrown.prototype = PythonError.prototype;
    this.Thrown = Thrown;
    /** The exception that `decline` ended with. */
    this.refused = 0;
  }

  /** @param {number} address of `sys.last_exc` */
  throwable(address) {
    return new /** @type {any} */ (this.Thrown)(address);
  }

  /** @param {Death} death @param {boolean} clear */
  crashed(death, clear) {
    const { failed, interrupted, call, generation } = death;
    const ids = interrupted.length ? interrupted.map(({ id }) => id) : undefined;
    death.interrupted = [];
    death.failed = undefined;
    const diagnosis = flatten(/** @type {Diagnosis} */ (death.diagnosis));
    const { returned } = this.module;
    return this.throwable(this.python.crashed(...diagnosis, call, generation, returned, clear, failed?.id ?? 0, ids));
  }

  /** @param {Death} _death @param {string} name @param {boolean} clear */
  interrupted(_death, name, clear) {
    return this.throwable(this.python.interrupted(name, clear));
  }

  /** @param {Death} death */
  retired(death) {
    const ids = death.interrupted.map(({ id }) => id);
    death.interrupted = [];
    this.python.retired(ids);
  }

  recover() {
    this.python.recover();
  }

  /** @param {string} failure empty: the next generation is there */
  prepared(failure) {
    this.python.prepared(failure);
  }

  /** @param {string} name */
  unavailable(name) {
    return this.throwable(this.python.unavailable(name));
  }

  /** @param {Diagnosis} diagnosis @param {string} name */
  unwound(diagnosis, name) {
    return this.throwable(this.python.unwound(...flatten(diagnosis), name));
  }

  /** @param {unknown} error @param {string} name */
  failed(error, name) {
    return this.throwable(this.python.failed(...portable(error), name));
  }

  /** @param {string} className @param {string} consumer @param {string} name */
  stale(className, consumer, name) {
    return this.throwable(this.python.stale(className, consumer, name));
  }

  /** @param {number} id @param {unknown} value */
  settled(id, value) {
    this.python.settled(id, value);
  }

  /** @param {number} id @param {string} name @param {unknown} reason */
  settledByError(id, name, reason) {
    this.python.settledByError(id, ...portable(reason), name);
  }

  /** @param {number} id @param {string} name @param {Diagnosis} diagnosis */
  settledByUnwinding(id, name, diagnosis) {
    this.python.settledByUnwinding(id, ...flatten(diagnosis), name);
  }

  /** @param {PanicRecord} panic @param {number} generation */
  caughtPanic({ message, payload, location, stack }, generation) {
    this.python.caughtPanic(...flatten({ kind: "panic", message, payload, location, stack }), generation);
  }

  /** @param {Death} death what a JavaScript caller of a Rust closure gets */
  errorFor(death) {
    const { thrown, ...rest } = /** @type {Diagnosis} */ (death.diagnosis);
    const record = { ...rest, call: death.call, generation: death.generation };
    return new Crash(describeDeath(death, this.module.name), record);
  }

  /**
   * Pyodide hands keywords over as a plain object in the last place. Nothing else is one there: an object that somebody
   * passed for a number would be refused all the same.
   * @param {number} index @param {ArrayLike<unknown>} args
   */
  decline(index, args) {
    if (!this.python.decline) throw this.unavailable("call"); // the module was unloaded
    const given = Array.from(args);
    const named = keywordsIn(given.at(-1));
    if (named.length) given.splice(-1, 1, ...named.map(([, value]) => value));
    const value = this.python.decline(index, named.map(([name]) => name).join(), ...given);
    // To convert an argument may have unloaded the module: then another host takes its place.
    const host = /** @type {PythonHost} */ (this.module.host);
    const address = host.refused;
    host.refused = 0;
    if (address) throw this.throwable(address);
    return value;
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

/**
 * A diagnosis as the leading arguments of a Python handler.
 * @param {Diagnosis} diagnosis
 */
function flatten({ kind, code, message, payload, location, stack, thrown }) {
  const { file, line, column } = location ?? {};
  const cause = thrown && causeOf(thrown.value);
  return [kind, code, message, payload, file, line, column, new StackText(stack), cause];
}

/**
 * A stack text that Python reads when somebody asks for it: to convert its thousands
 * of characters takes as long as making a generation.
 */
class StackText {
  /** @param {string} stack */
  constructor(stack) {
    this.stack = stack;
  }

  text() {
    return abovePython(this.stack);
  }

  /** Names of the Rust functions, one in each line, innermost first. */
  functions() {
    return rustFrames(this.text()).map((frame) => frame.function).join("\n");
  }
}

/**
 * What flew through Rust frames, as the cause of the crash: the Python exception
 * of a callback, or a copy of the error. The original could pin a dead instance.
 * @param {any} thrown
 */
function causeOf(thrown) {
  if (isInstance(thrown, CallbackError)) return thrown.exception;
  const copy = new Error(describeThrown(thrown));
  if (isInstance(thrown, Error)) copy.name = thrown.name;
  copy.stack = isInstance(thrown, Error) ? thrown.stack : "";
  return copy;
}

/**
 * A thrown value as [value, exception, text]: a Python exception that a callback raised
 * comes back as itself, an `Error` as its text.
 * @param {any} error
 */
function portable(error) {
  if (isInstance(error, CallbackError)) return [undefined, error.exception, error.message];
  if (isInstance(error, Error)) return [undefined, undefined, describeThrown(error)];
  return [error, undefined, describeThrown(error)];
}

/**
 * Pyodide makes an int of every whole number, and of -0 one without a sign: as text it keeps it, which `float()` reads.
 * @param {(...args: any[]) => unknown} lane @param {string} result its kind
 */
function signed(lane, result) {
  if (result !== "float") return lane;
  return (/** @type {any[]} */ ...args) => {
    const value = lane(...args);
    return Object.is(value, -0) ? "-0" : value;
  };
}

/** What else a module hands out. @param {any} value */
function roleOf(value) {
  if (typeof value === "function") return "closure";
  if (value[Symbol.asyncIterator]) return "asyncIterator";
  return value[Symbol.iterator] && typeof value.next === "function" ? "iterator" : null;
}

/** Calls a method of an iterator, if it has it. @param {any} iterator @param {string} verb its name, or that of a symbol */
function step(iterator, verb) {
  return iterator[/** @type {any} */ (Symbol)[verb] ?? verb]?.() ?? {};
}

/** What Python calls to drive one module. */
class Driver {
  /** @param {SupervisedModule} module */
  constructor(module) {
    this.module = module;
    this.closureLane = module.lanes.closureLane();
    this.stepLane = module.lanes.closureLane("iterator", "unknown", step);
    this.openLane = module.lanes.closureLane("iterator", "object:iterator", step);
    /** @type {WeakMap<any, number>} the numbers of Python's callables, by their functions */
    this.numbers = new WeakMap();
    this.collected = new FinalizationRegistry((/** @type {number} */ number) => this.host?.python.dropped?.(number));
    /** @type {CallbackError | null} */
    this.raisedError = null;
  }

  describe() {
    const { description, name, adapter, unwinds } = this.module;
    // Only the lanes ask what a parameter consumes.
    const forPython = (/** @type {string} */ key, /** @type {unknown} */ value) => (key === "consumes" ? undefined : value);
    return JSON.stringify({ ...description, name, adapter: adapter.name, unwinds }, forPython);
  }

  /** What declarations tell of parameters and results: where the description says else. @param {string} changes JSON, before any lane is made */
  refine(changes) {
    refine(this.module.description, JSON.parse(changes));
  }

  /** @param {PythonHandlers} handlers after `unload` only `unavailable` @param {Function} PythonError */
  attach(handlers, PythonError) {
    this.host = new PythonHost(this.module, handlers, PythonError);
    this.module.host = this.host;
  }

  /** @param {number} address of the exception that `decline` ends with */
  refuse(address) {
    /** @type {PythonHost} */ (this.host).refused = address;
  }

  /** @param {number} index of a function that is numeric */
  numericLane(index) {
    const { name, params } = this.module.description.functions[index];
    const text = `<Rust function ${this.module.name}.${name}(${params.map((param) => param.name).join(", ")})>`;
    // What Python shows as the function's repr.
    return Object.defineProperties(this.module.lanes.numericLane(index), {
      name: { value: name },
      toString: { value: () => text },
    });
  }

  /** @param {number} index */
  functionLane(index) {
    return signed(this.module.lanes.functionLane(index), this.module.description.functions[index].result);
  }

  /** @param {number} index */
  constructorLane(index) {
    return this.module.lanes.constructorLane(index);
  }

  /** @param {number} generation @param {number} id @param {string} className */
  release(generation, id, className) {
    return this.module.objects.release(generation, id, className);
  }

  /** @param {number} index whether Python may call the bare lane: numbers in, an integer or nothing out */
  isNumeric(index) {
    const { params, result, isAsync } = this.module.description.functions[index];
    return !isAsync && /^(i32|bool|boolean|void)$/.test(result) && params.every((param) => isNumeric(param.kind) && !param.optional);
  }

  /** Makes the next generation. @returns {string} empty, `preparing`, or why it did not start */
  renew() {
    try {
      return this.module.renew();
    } catch (error) {
      return /** @type {Error} */ (error).message || String(error);
    }
  }

  /** Ends the generation. @returns {[boolean, number[]]} is the stack clear, and the calls that are interrupted */
  end() {
    const { death, clear } = this.module.end();
    const ids = death.interrupted.map(({ id }) => id);
    death.interrupted = [];
    return [clear, ids];
  }

  close() {
    this.module.close();
  }

  isClear() {
    return this.module.isClear();
  }

  statistics() {
    const { calls, returned, inFlight, generation, spare } = this.module;
    return [calls, returned, inFlight, generation.memoryBytes, spare.state, spare.memoryBytes];
  }

  /** When calls ran: now, then from, to and how many of each burst, by `performance.now()`. */
  bursts() {
    endBurst(this.module);
    return [performance.now(), ...this.module.bursts];
  }

  /** Milliseconds until the next generation will be there, as far as is known. */
  waitMs() {
    return this.module.spare.waitMs;
  }

  /** @param {string} name a constant that the glue exports */
  constant(name) {
    return this.module.generation.exports[name];
  }

  /** @param {number} index @param {string} name @param {"methods" | "statics" | "getters" | "setters"} role */
  member(index, name, role) {
    const described = this.module.description.classes[index][role].find((member) => member.name === name);
    if (!described) throw new RangeError(`no ${role} ${name}`);
    if (role === "statics") return signed(this.module.lanes.staticLane(index, described), described.result);
    const how = /** @type {const} */ ({ methods: "method", getters: "get", setters: "set" });
    return signed(this.module.lanes.memberLane(index, described, how[role]), described.result);
  }

  /** @param {number} id of a closure that nobody holds any more */
  forget(id) {
    this.module.objects.forget(id);
  }

  /** @param {any} value */
  adopt(value) {
    const { generation, objects } = this.module;
    const number = this.numbers.get(value);
    if (number) return ["callback", number];
    try {
      if (isInstance(value, Error)) return ["error", ...portable(value)];
      if (isInstance(value, Date)) return ["date", value.getTime()];
      const role = roleOf(value);
      return objects.adopt(value) ?? (role && [role, generation.keep(value)]);
    } catch {
      return null; // a proxy that throws when it is looked at
    }
  }

  /**
   * The glue's own object, for JavaScript itself, in a list.
   * @param {number} id @param {string} className @param {string} call
   */
  object(id, className, call) {
    return [this.module.objects.lend(id, className, call)];
  }

  /** What Python packed, without any function in it. @param {any[]} packed */
  unpackPlain(packed) {
    return unpack(packed);
  }

  /**
   * What Python packed, for JavaScript itself, in a list.
   * @param {any[]} packed @param {Iterable<number>} [places] see `Parcel` @param {string} [call]
   */
  unpack(packed, places, call = "") {
    return [new Parcel(packed, places).open((id, className) => this.module.objects.lend(id, className, call)).value];
  }

  /** The same for a call, which opens it. @param {any[]} packed @param {Iterable<number>} [places] */
  parcel(packed, places) {
    return new Parcel(packed, places);
  }

  /** One object for a call. @param {number} id @param {string} className */
  lend(id, className) {
    return new Parcel([0, id, className], [0]);
  }

  /** The properties of an object that Pyodide takes for none; null: it is none. @param {any} value */
  entries(value) {
    try {
      return entriesOf(value);
    } catch {
      return null; // a proxy that throws when it is looked at
    }
  }

  /** Which elements of a typed array differ from what they were. @param {any} now @param {any} before */
  changed(now, before) {
    return changed(now, before);
  }

  /** Has Rust kept it, now that the call is over? @param {unknown} value */
  isKept(value) {
    return this.module.generation.isHeld(value);
  }

  /** @param {number} id of an object @returns {string} what consumed it; empty: nothing did */
  consumer(id) {
    return this.module.objects.consumerOf(id);
  }

  /** @param {number} id of an object that a call in flight may borrow */
  isBusy(id) {
    return this.module.objects.isBusy(id);
  }

  /**
   * A Python callable as a function that Rust can keep. Python lets go of the callable
   * when JavaScript's collector takes this function, or when its generation dies.
   * @param {number} number that stands for it
   */
  callback(number) {
    const call = (/** @type {unknown[]} */ ...args) => {
      const called = this.host?.python.called;
      const value = called ? called(number, ...args) : this.raised(describeUnloaded(this.module.name), null);
      const raised = this.raisedError;
      this.raisedError = null;
      // The timer of a dead generation has nobody to tell: its stack is this frame.
      const isTimer = () => linesOf(String(new Error().stack)).filter((line) => /:\d+:\d/.test(line)).length < 2;
      if (raised && (raised.exception || !isTimer())) throw raised;
      return value;
    };
    this.numbers.set(call, number);
    this.collected.register(call, number);
    return call;
  }

  /** @param {string} text @param {any} exception PyProxy */
  error(text, exception) {
    return new CallbackError(text, exception?.copy?.() ?? exception);
  }

  /** What a module handed out, to go back as it is. @param {number} id */
  handed(id) {
    return this.module.generation.objects.get(id);
  }

  /** @param {string} text @param {any} exception PyProxy of what a callback raised */
  raised(text, exception) {
    this.raisedError = this.error(text, exception);
  }
}

/** @param {any} described @param {any} changes its parts, as far as they change */
function refine(described, changes) {
  for (const [key, value] of Object.entries(changes)) {
    if (typeof value === "object") refine(described[key], value);
    else described[key] = value;
  }
}

export { longestText } from "./parcel.js";

/** @param {string} url @param {any} how its `signal` ends it */
export async function fetchText(url, { signal }) {
  return new TextDecoder().decode(await fetchBytes(absolute(url), signal));
}

/** @param {any} options as `loadModule` takes them @param {any} how likewise */
export async function load(options, how) {
  try {
    const module = await loadModule(options, how);
    // Who gives up when all is done, but has not arrived in Python, has nothing to unload.
    how.signal?.addEventListener("abort", () => module.close(), { once: true });
    return new Driver(module);
  } catch (error) {
    throw withDetails(error);
  }
}

/** @param {any} options as `loadModuleSync` takes them @param {any} how likewise */
export function loadSync(options, how) {
  try {
    return new Driver(loadModuleSync(options, how));
  } catch (error) {
    throw withDetails(error);
  }
}

/** @param {any} error @returns {unknown} the same; a crash in the start function as handlers get crashes */
function withDetails(error) {
  if (error?.diagnosis) error.details = flatten(error.diagnosis);
  return error;
}
