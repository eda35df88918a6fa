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

import { describeThrown, ON_PURPOSE } from "./diagnosis/diagnosis.js";
import { recordAgain, recordNothing } from "./diagnosis/recording.js";
import { abovePython, linesOf, rustFrames } from "./diagnosis/stack.js";
import { exportsBySymbol } from "./diagnosis/symbols.js";
import { absolute, fetchBytes } from "./files/fetching.js";
import { loadModule, loadModuleSync } from "./load/load.js";
import { look, refuseCallback } from "./module/look.js";
import { changed, entriesOf, Parcel, unpack } from "./module/parcel.js";
import { Crash, GlueError } from "./shared/errors.js";
import { isInstance } from "./shared/isinstance.js";
import { describeDeath, describeUnloaded } from "./shared/messages.js";
import { isNumeric } from "./shared/numbers.js";

/** @import {Death, Diagnosis, Host, InFlightCall, PanicRecord, PythonHandlers, Reason} from "./types.js" */
/** @import {SupervisedModule} from "./module/module.js" */
/** @import {Export} from "./diagnosis/symbols.js" */

// What stands for the number of a generation while there is none, in Python too.
const NONE = -1;

// So many arguments `flatten` makes.
const DIAGNOSIS_LENGTH = 9;

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
    /** @type {Map<string, Export> | undefined} made at the first crash */
    this.exports = undefined;
    /** The exception that `decline` ended with. */
    this.refused = 0;
  }

  /** @param {Diagnosis} diagnosis */
  flatten(diagnosis) {
    const { name, description } = this.module;
    this.exports ??= exportsBySymbol(name, description);
    return flatten(diagnosis, this.exports);
  }

  /**
   * What Python is told of a death: the diagnosis, or as many times nothing where the generation was reset, and more.
   * @param {Death} death @param {boolean} clear
   * @returns {any[]}
   */
  eventOf({ diagnosis, call, generation, activation, suspects, isCertain, interrupted }, clear) {
    const facts = diagnosis ? this.flatten(diagnosis) : Array(DIAGNOSIS_LENGTH).fill(undefined);
    return [...facts, call, generation, activation !== 0, clear, idsOf(suspects), idsOf(interrupted), isCertain];
  }

  /** @param {number} address of `sys.last_exc` */
  throwable(address) {
    return new /** @type {any} */ (this.Thrown)(address);
  }

  /**
   * A generation has died: from here on Python takes nothing of it for alive. This runs no line of Python, so that
   * nothing can be raised by it, whatever becomes of the handler that tells the rest.
   */
  mark() {
    const { supervisor } = this.python;
    if (supervisor) supervisor.generation = NONE;
  }

  /**
   * Calls a handler that gives the address of what to throw. If something is raised in it (a stop button, a log handler,
   * the recursion limit), Python is told so and goes on from where it was; what was raised is thrown in the end.
   * @param {"crashed" | "interrupted" | "retired" | "recover" | "prepared"} name @param {any[]} given
   * @throws what is raised in it twice: then the next call goes on, or this turn's end
   */
  ask(name, ...given) {
    const handler = /** @type {((...given: any[]) => number) | undefined} */ (this.python[name]);
    if (!handler) return 0; // the module was unloaded
    try {
      return handler(...given);
    } catch {
      try {
        this.python.raised?.();
        return handler(...given);
      } catch (again) {
        this.module.recoverSoon();
        throw again;
      }
    }
  }

  /**
   * Calls a handler that ends an async call, and has nobody above it. What is raised in it ends the call.
   * @param {number} id of the call; 0: none
   * @param {"settled" | "settledByError" | "settledByUnwinding" | "caughtPanic" | "failedUnattended"} name @param {any[]} given
   */
  tell(id, name, ...given) {
    const handler = /** @type {((...given: any[]) => void) | undefined} */ (this.python[name]);
    try {
      handler?.(...given);
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

  /** @param {Death} death @param {boolean} clear */
  crashed(death, clear) {
    if (!this.python.crashed) return this.unavailable(death.call);
    this.mark();
    try {
      const address = this.ask("crashed", ...this.eventOf(death, clear));
      death.suspects = [];
      death.interrupted = [];
      return this.throwable(address);
    } catch (error) {
      return error; // where nobody called, nobody throws it
    }
  }

  /** @param {Death} _death @param {string} name @param {boolean} clear */
  interrupted(_death, name, clear) {
    return this.throwable(this.ask("interrupted", name, clear));
  }

  /** @param {Death} death */
  retired(death) {
    this.mark();
    this.throwIf(this.ask("retired", ...this.eventOf(death, false)));
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
      this.ask("prepared", failure);
    } catch {
      // The next call goes on.
    }
  }

  /** @param {number} address 0: nothing was raised */
  throwIf(address) {
    if (address) throw this.throwable(address);
  }

  /** @param {string} name */
  unavailable(name) {
    return this.throwable(this.python.unavailable(name));
  }

  /** @param {Diagnosis} diagnosis @param {string} name */
  unwound(diagnosis, name) {
    return this.throwable(this.python.unwound(...this.flatten(diagnosis), name));
  }

  /** @param {unknown} error @param {string} name @param {Reason} [reason] */
  failed(error, name, reason = "") {
    return this.throwable(this.python.failed(...portable(error), name, reason));
  }

  /** @param {unknown} error */
  failedUnattended(error) {
    this.tell(0, "failedUnattended", ...portable(error));
  }

  /** @param {string} className @param {string} holder @param {string} name @param {unknown} error @param {Reason} reason */
  inUse(className, holder, name, error, reason) {
    return this.throwable(this.python.inUse(className, holder, name, describeThrown(error), reason));
  }

  /** @param {string} name @param {Reason} reason */
  gone(name, reason) {
    return this.throwable(this.python.gone(name, reason));
  }

  /** @param {string} className @param {string} consumer @param {string} name */
  stale(className, consumer, name) {
    return this.throwable(this.python.stale(className, consumer, name));
  }

  /** @param {number} id @param {unknown} value */
  settled(id, value) {
    this.tell(id, "settled", id, value);
  }

  /** @param {number} id @param {string} name @param {unknown} reason */
  settledByError(id, name, reason) {
    this.tell(id, "settledByError", id, ...portable(reason), name);
  }

  /** @param {number} id @param {string} name @param {Diagnosis} diagnosis */
  settledByUnwinding(id, name, diagnosis) {
    this.tell(id, "settledByUnwinding", id, ...this.flatten(diagnosis), name);
  }

  /** @param {PanicRecord} panic @param {number} generation */
  caughtPanic(panic, generation) {
    this.tell(0, "caughtPanic", ...this.flatten({ kind: "panic", ...panic }), generation);
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

/** @param {InFlightCall[]} calls @returns {number[] | undefined} undefined crosses more cheaply than an empty list */
function idsOf(calls) {
  return calls.length ? calls.map(({ id }) => id) : undefined;
}

/**
 * A diagnosis as the leading arguments of a Python handler.
 * @param {Diagnosis} diagnosis @param {Map<string, Export>} [exports]
 */
function flatten({ kind, code, message, payload, location, stack, quoted, thrown }, exports) {
  const { file, line, column } = location ?? {};
  const cause = thrown && (code === ON_PURPOSE ? portable(thrown.value) : causeOf(thrown.value));
  return [
    kind,
    code,
    message,
    payload,
    file,
    line,
    column,
    new StackText(stack, quoted, exports, inLibrary(file)),
    cause,
  ];
}

/** Is that a file of the standard library? @param {string} [file] */
function inLibrary(file = "") {
  return /(?:^|\/)library\/(?:std|core|alloc)\/src\//.test(file);
}

/**
 * A stack text that Python reads when somebody asks for it: to convert its thousands
 * of characters takes as long as making a generation.
 */
class StackText {
  /**
   * @param {string} stack
   * @param {string} [quoted] stacks of what the message speaks of
   * @param {Map<string, Export>} [exports] of the module
   * @param {boolean} [isInLibrary]
   */
  constructor(stack, quoted = "", exports, isInLibrary) {
    this.stack = stack;
    this.quoted = quoted;
    this.exports = exports;
    this.isInLibrary = isInLibrary;
  }

  text() {
    return [abovePython(this.stack), this.quoted].filter(Boolean).join("\n\n");
  }

  /** Names of the Rust functions, one in each line, innermost first. */
  functions() {
    return rustFrames(abovePython(this.stack), this.exports, this.isInLibrary)
      .map((frame) => frame.function)
      .join("\n");
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
 * A thrown value as [value, exception, text, more]: a Python exception that a callback raised
 * comes back as itself, an `Error` as its text, with what else it tells. Of unpanic's own there is one, whose name is the
 * exception: the glue called what the Wasm file lacks.
 * @param {any} error
 */
function portable(error) {
  if (isInstance(error, CallbackError)) return [undefined, error.exception, error.message, undefined];
  if (isInstance(error, GlueError)) return [undefined, error.name, error.message, undefined];
  const text = describeThrown(error);
  return isInstance(error, Error) ? [text, undefined, text, detailsOf(error)] : [error, undefined, text, undefined];
}

/** What is told apart from the properties. */
const TOLD = new Set(["name", "message", "stack", "cause"]);

/** @param {object} error which may be a proxy that throws when it is looked at */
function keysOf(error) {
  try {
    return Object.keys(error);
  } catch {
    return [];
  }
}

/**
 * What an `Error` tells besides its text: its name, its own properties as a list of names and one of values, and its
 * cause as a list of that. What throws when it is read is left out.
 * @param {any} error @returns {string | [string, string[], unknown[], unknown[]]} mostly the name is all
 */
function detailsOf(error) {
  const read = (/** @type {string} */ key) => {
    try {
      return [error[key]];
    } catch {
      return [];
    }
  };
  const name = String(read("name")[0] ?? "");
  const own = keysOf(error).filter((key) => !TOLD.has(key) && read(key).length);
  const cause = Object.getOwnPropertyDescriptor(error, "cause") ? read("cause") : [];
  return own.length + cause.length ? [name, own, own.map((key) => read(key)[0]), cause] : name;
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

/** Is that data? @param {any} value */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
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

/** The drivers of all modules: what one module made may come back from another one. @type {Set<WeakRef<Driver>>} */
const drivers = new Set();
let driversMade = 0;

/** What Python calls to drive one module. */
class Driver {
  /** @param {SupervisedModule} module */
  constructor(module) {
    this.module = module;
    /** It stands for the module where another one hands out what this one made. */
    this.number = ++driversMade;
    this.reference = new WeakRef(this);
    drivers.add(this.reference);
    this.closureLane = module.lanes.closureLane();
    this.stepLane = module.lanes.closureLane("iterator", "unknown", step);
    this.openLane = module.lanes.closureLane("iterator", "object:iterator", step);
    /** @type {PythonHost | undefined} */
    this.host = undefined;
    /** @type {WeakMap<any, number>} the numbers of Python's callables, by their functions */
    this.numbers = new WeakMap();
    this.collected = new FinalizationRegistry((/** @type {number} */ number) => this.host?.python.dropped?.(number));
    /** @type {CallbackError | null} */
    this.raisedError = null;
  }

  describe() {
    const { description, name, adapter, unwinds, warnings } = this.module;
    // Only the lanes ask what a parameter consumes.
    const forPython = (/** @type {string} */ key, /** @type {unknown} */ value) =>
      key === "consumes" ? undefined : value;
    return JSON.stringify({ ...description, name, adapter: adapter.name, unwinds, warnings }, forPython);
  }

  /** The URL that the glue's was redirected to; empty if it was not. */
  movedTo() {
    return this.module.movedTo;
  }

  /** What Python knows better than the description, see `Declared` in py/unpanic/_declared.py. @param {string} changes JSON, before any lane is made */
  refine(changes) {
    refine(this.module.description, JSON.parse(changes));
  }

  /** @param {PythonHandlers} handlers @param {Function} PythonError */
  attach(handlers, PythonError) {
    // The host stays: `unload` can come from inside a call that has yet to learn from it how it ends.
    this.host ??= new PythonHost(this.module, handlers, PythonError);
    this.host.python = handlers;
    this.module.host = this.host;
  }

  /**
   * The module was unloaded: nothing of Python's that belongs to it is held from here on.
   * @param {(module: string, call: string, wasRunning: boolean) => number} unloaded answers for all such modules
   */
  leave(unloaded) {
    if (!this.host) return;
    const { name } = this.module;
    this.host.python = /** @type {any} */ ({
      unavailable: (/** @type {string} */ call) => unloaded(name, call, false),
      interrupted: (/** @type {string} */ call) => unloaded(name, call, true),
    });
    this.raisedError = null;
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
    return (
      !isAsync &&
      /^(i32|bool|boolean|void)$/.test(result) &&
      params.every((param) => isNumeric(param.kind) && !param.optional)
    );
  }

  /** Makes the next generation, if there is none. @returns {number | string} its number, `preparing`, or why it did not start */
  renew() {
    try {
      if (this.module.generation.dead !== null) {
        const answer = this.module.renew();
        if (answer) return answer;
      }
      return this.module.generation.number;
    } catch (error) {
      return /** @type {Error} */ (error).message || String(error);
    }
  }

  /** Ends the generation; `death` tells of it. @returns {boolean} is the stack clear? */
  end() {
    this.host?.mark();
    return this.module.end().clear;
  }

  /** What the handlers get of the death of the current generation; nothing if it lives. */
  death() {
    const { dead } = this.module.generation;
    return dead ? this.host?.eventOf(dead, this.module.isClear()) : undefined;
  }

  /** Python could not go on with the current generation: the next call, or the loop's next turn, makes another. */
  abandon() {
    if (this.module.closed) return;
    this.end();
    this.module.recoverSoon();
  }

  close() {
    drivers.delete(this.reference);
    this.module.close();
  }

  isClear() {
    return this.module.isClear();
  }

  /** Has the generation replaced when the call has ended that runs now. */
  retire() {
    this.module.leave();
  }

  statistics() {
    const { calls, returned, inFlight, generation, spare } = this.module;
    return [calls, returned, inFlight, generation.memoryBytes, spare.state, spare.memoryBytes];
  }

  /** When calls ran: now, then of each burst from, to, how many, and the generation; times by `performance.now()`. */
  bursts() {
    this.module.endBurst();
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

  /** @param {number} id of an object @param {number} index of its class @param {string} names of getters, in lines */
  look(id, index, names) {
    const wanted = names.split("\n");
    const found = look(this.module, id, index, wanted);
    const { getters } = this.module.description.classes[index];
    const isFloat = (/** @type {string} */ name) => getters.find((getter) => getter.name === name)?.result === "float";
    wanted.forEach((name, at) => {
      if (Object.is(found[2 * at + 2], -0) && isFloat(name)) found[2 * at + 2] = "-0"; // as in `signed`
    });
    return found;
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
      const other = this.makerOf(value);
      if (other) return ["other", other.number, ...(other.module.objects.register(value) ?? [])];
      const role = roleOf(value);
      return objects.register(value) ?? (role && [role, generation.keep(value)]);
    } catch {
      return null; // a proxy that throws when it is looked at
    }
  }

  /**
   * Another module that made this, an object of its classes or a closure.
   * @param {any} value @returns {Driver | undefined}
   */
  makerOf(value) {
    if (drivers.size < 2 || isPlain(value) || this.module.objects.hasMade(value)) return undefined;
    for (const reference of drivers) {
      const driver = reference.deref();
      if (!driver) drivers.delete(reference);
      else if (driver.module.objects.hasMade(value)) return driver;
    }
    return undefined;
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

  /** @param {number} id of an object, of a generation that is gone */
  wasChanged(id) {
    return this.module.objects.wasChanged(id);
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
      if (refuseCallback()) throw new Error("unpanic: nothing is called while an object is looked at");
      const called = this.host?.python.called;
      const value = called ? called(number, ...args) : this.raised(describeUnloaded(this.module.name), null);
      const raised = this.raisedError;
      this.raisedError = null;
      if (raised?.exception) this.module.noteRaised(raised);
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
    // Its stack would be the interpreter's, and while Rust runs a long one.
    const limit = recordNothing();
    const error = new CallbackError(text, exception?.copy?.() ?? exception);
    recordAgain(limit);
    return error;
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
    // A list of parameters replaces the one that the glue has, and keeps what only the glue tells of each.
    if (Array.isArray(value))
      described[key] = value.map((param, at) => ({ consumes: false, ...described[key][at], ...param }));
    else if (typeof value === "object") refine(described[key], value);
    else described[key] = value;
  }
}

export { shortenErrors } from "./hosts/python/uncaught.js";
export { longestText } from "./module/parcel.js";

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
