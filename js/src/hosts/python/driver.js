/** The driver: what Python calls to drive one module. Only plain values cross, and objects of Rust as numbers. */

import { describeThrown } from "../../diagnosis/diagnosis.js";
import { saysNoMemoryForInstance } from "../../diagnosis/engines.js";
import { look } from "../../module/look.js";
import { changed, entriesOf, Parcel, unpack } from "../../module/parcel.js";
import { dropPoint, goToPacked, goToPoint, packPoint, takePoint } from "../../module/points.js";
import { access, memoryLength, readMemory, writeMemory } from "../../module/raw.js";
import { StartError } from "../../shared/errors.js";
import { isInstance } from "../../shared/isinstance.js";
import { UNKNOWN } from "../../shared/kinds.js";
import { isFloat, isNumeric } from "../../shared/numbers.js";
import { Callbacks, callbackError } from "./callbacks.js";
import { PythonHost } from "./host.js";
import { enter, identify, remove } from "./identify.js";
import { Raised } from "./raising.js";

/** @import {BurstsAnswer, DeathMessage, GoBackAnswer, Kind, PackAnswer, PythonHandlers} from "../../types.js" */
/** @import {RenewAnswer, Role, RollBackAnswer, StatisticsAnswer, UnloadedMessage} from "../../types.js" */
/** @import {SupervisedModule} from "../../module/module.js" */
/** @import {PythonImports} from "./imports.js" */

/** A memory with addresses of 32 bits has no more. */
const MOST_PAGES = 2 ** 16;

let driversMade = 0;

export class Driver {
  /** @param {SupervisedModule} module @param {PythonImports | null} [imports] what Python has given it */
  constructor(module, imports = null) {
    this.module = module;
    this.imports = imports;
    /** It stands for the module where another one hands out what this one made. */
    this.number = ++driversMade;
    this.reference = new WeakRef(this);
    enter(this.reference);
    this.closureLane = module.lanes.closureLane();
    this.stepLane = module.lanes.closureLane("iterator", UNKNOWN, step);
    this.openLane = module.lanes.closureLane("iterator", { name: "object", className: "iterator" }, step);
    /** @type {PythonHost | undefined} */
    this.host = undefined;
    /** Whether a transaction of Python's is open. */
    this.isOpen = false;
    this.callbacks = new Callbacks(module, () => this.host?.python);
  }

  describe() {
    const { description, name, adapter, unwinds, warnings, stopwatch, rollsBack, whyNoRollback } = this.module;
    const { atOnce, spare } = this.module;
    // Only the lanes ask what a parameter consumes.
    const forPython = (/** @type {string} */ key, /** @type {unknown} */ value) =>
      key === "consumes" ? undefined : value;
    return JSON.stringify(
      {
        ...description,
        name,
        adapter: adapter.name,
        target: adapter.target,
        unwinds,
        warnings,
        isInterruptible: stopwatch !== null,
        rollsBack,
        whyNoRollback,
        waits: !atOnce || spare.wanted,
      },
      forPython,
    );
  }

  /** The URL that the glue's was redirected to; empty if it was not. */
  movedTo() {
    return this.module.movedTo;
  }

  /**
   * Takes corrections of the description from Python, which has read the `.d.ts`.
   * @param {string} changes JSON, before any lane is made
   */
  refine(changes) {
    refine(this.module.description, JSON.parse(changes));
  }

  /**
   * @param {PythonHandlers} handlers @param {Function} PythonError Pyodide's
   * @param {() => void} [checkInterrupt] Pyodide's
   */
  attach(handlers, PythonError, checkInterrupt) {
    // The host stays: `unload` can come from inside a call that has yet to learn from it how it ends.
    this.host ??= new PythonHost(this.module, handlers, PythonError, checkInterrupt);
    this.host.python = handlers;
    this.module.host = this.host;
  }

  /**
   * The module was unloaded: nothing of Python's that belongs to it is held from here on.
   * @param {(...message: UnloadedMessage) => number} unloaded answers for all such modules
   */
  leave(unloaded) {
    if (!this.host) return;
    const { name } = this.module;
    this.host.python = {
      unavailable: (call) => unloaded(name, call, false),
      interrupted: (call) => unloaded(name, call, true),
    };
  }

  /* ---- generations ------------------------------------------------------------- */

  /** Makes the next generation, if there is none. @returns {number | RenewAnswer} its number, or why there is none */
  renew() {
    try {
      if (this.module.generation.dead !== null && this.module.renew()) return ["preparing", ""];
      return this.module.generation.number;
    } catch (error) {
      const text = describeThrown(error);
      if (isInstance(error, StartError)) return ["start", text];
      return [saysNoMemoryForInstance(text) ? "memory" : "other", text];
    }
  }

  /**
   * Rolls back the call that failed. This can be done again: the answer is the same.
   * @param {boolean} isWanted false: its generation dies of the failure
   * @returns {RollBackAnswer | undefined} undefined: it was, and no call in flight ends. A list costs Python 10 µs
   */
  rollBack(isWanted) {
    const { obstacle, interrupted } = this.module.rollBack(isWanted);
    // Python takes the generation for alive as soon as it is, whatever becomes of the answer.
    if (!obstacle) this.host?.mark(this.module.generation.number);
    if (obstacle === "" && interrupted.length === 0) return undefined;
    return [obstacle, interrupted.map(({ id }) => id)];
  }

  /* ---- points: states to go back to --------------------------------------------- */

  /** Takes a point. @returns {number} what stands for it; 0: calls of this module cannot be rolled back */
  takePoint() {
    return takePoint(this.module);
  }

  /** @param {number} point @returns {GoBackAnswer} */
  goBack(point) {
    return this.answer(goToPoint(this.module, point));
  }

  /** @param {ReturnType<typeof goToPoint>} outcome @returns {GoBackAnswer} */
  answer({ obstacle, interrupted, objects }) {
    if (this.module.generation.dead !== null) this.host?.mark();
    return [obstacle, interrupted.map(({ id }) => id), objects];
  }

  /** @param {number} point that nobody goes back to any more */
  dropPoint(point) {
    dropPoint(this.module, point);
  }

  /** @param {number} point */
  hasPoint(point) {
    return this.module.generation.points.has(point);
  }

  /** How many bytes a point takes by now, and of how many. @param {number} point @returns {number[]} */
  measurePoint(point) {
    const found = this.module.generation.points.get(point);
    return found ? [found.byteLength, found.memory.size] : [0, 0];
  }

  /** Which Wasm file it is, and how it was rewritten. */
  fingerprint() {
    return this.module.fingerprint;
  }

  /** The state of a point, to go elsewhere. @param {number} point @returns {PackAnswer} */
  packPoint(point) {
    const { obstacle, memory, rest } = packPoint(this.module, point);
    return [obstacle, memory, rest];
  }

  /** @param {Uint8Array} memory @param {string} rest of a state with the same fingerprint @returns {GoBackAnswer} */
  goToPacked(memory, rest) {
    return this.answer(goToPacked(this.module, memory, rest));
  }

  /** Another module from the same files, with an instance of its own. */
  twin() {
    return new Driver(this.module.twin());
  }

  /** The arguments of the call that failed, until the next one begins. */
  failedArguments() {
    return this.module.failedArguments;
  }

  /** The address of an object in Rust's memory. @param {number} id */
  addressOf(id) {
    return this.module.objects.addressOf(id);
  }

  /** Makes an object of what lies there. @param {string} className @param {number} address */
  adopt(className, address) {
    return this.module.objects.adopt(className, address);
  }

  /**
   * Has Python asked before Rust is entered, while a transaction is open: from when the code that runs now has ended,
   * because nobody else can call before.
   * @param {boolean} isOpen whether one is @param {boolean} isWatched whether the event loop asks, too
   */
  guard(isOpen, isWatched) {
    const { module } = this;
    module.isWatched = isWatched;
    this.isOpen = isOpen;
    if (!isOpen) module.isGuarded = false;
    else if (!module.isGuarded)
      queueMicrotask(() => {
        module.isGuarded = this.isOpen;
      });
  }

  /** Ends the generation; `death` tells of it. @returns {boolean} is the stack clear? */
  end() {
    this.host?.mark();
    return this.module.end().clear;
  }

  /** The message about the death of the current generation. @returns {DeathMessage | undefined} undefined: it lives */
  death() {
    const { dead } = this.module.generation;
    return dead ? this.host?.messageOf(dead, this.module.isClear()) : undefined;
  }

  /** Python could not go on with the current generation: the next call, or the loop's next turn, makes another. */
  abandon() {
    if (this.module.closed) return;
    // A call that can be rolled back is rolled back then.
    if (!this.module.generation.dead?.canRollBack) this.end();
    this.module.recoverSoon();
  }

  close() {
    remove(this.reference);
    this.module.close();
  }

  isClear() {
    return this.module.isClear();
  }

  /** Has the generation replaced when the call has ended that runs now. */
  retire() {
    this.module.leave();
  }

  /** @returns {StatisticsAnswer} */
  statistics() {
    const { calls, returned, inFlight, generation, spare } = this.module;
    const { memoryBytes, shadowBytes, transaction, obstacle } = generation;
    const isGivenAway = transaction?.shadow.isGivenAway ?? false;
    return [calls, returned, inFlight, memoryBytes, spare.state, spare.memoryBytes, shadowBytes, isGivenAway, obstacle];
  }

  /** @returns {BurstsAnswer} */
  bursts() {
    this.module.endBurst();
    return [performance.now(), ...this.module.bursts];
  }

  /** Milliseconds until the next generation will be there, as far as is known. */
  waitMs() {
    return this.module.spare.waitMs;
  }

  /* ---- calls --------------------------------------------------------------------- */

  /** @param {string} name a constant that the glue exports */
  constant(name) {
    return this.module.generation.exports[name];
  }

  /* ---- a Wasm file without glue ----------------------------------------------------- */

  /** From now on an import is a callback. @param {number} place among them @param {number} number that stands for it */
  bindImport(place, number) {
    this.imports?.bind(place, this.callbacks.make(number));
  }

  /** @param {string} name */
  memoryLength(name) {
    return memoryLength(this.module, name);
  }

  /** @param {string} name @param {number} from @param {number} to */
  readMemory(name, from, to) {
    return readMemory(this.module, name, from, to);
  }

  /** @param {string} name @param {number} at @param {Uint8Array} bytes */
  writeMemory(name, at, bytes) {
    return writeMemory(this.module, name, at, bytes);
  }

  /** @param {string} name @param {number} pages @returns {number} how many there were; -1: it cannot grow by so many */
  growMemory(name, pages) {
    return access(this.module, name, (memory) => {
      try {
        return grow(memory, pages);
      } catch {
        return -1;
      }
    });
  }

  /** @param {string} name */
  readGlobal(name) {
    const value = access(this.module, name, (global) => global.value);
    return Object.is(value, -0) ? "-0" : value; // as in `signed`
  }

  /** @param {string} name @param {any} value */
  writeGlobal(name, value) {
    access(this.module, name, (global) => {
      global.value = typeof global.value === "bigint" ? BigInt(value) : value;
    });
  }

  /** @param {number} place of a function: may Python call the bare lane, with numbers in, an integer or nothing out? */
  isNumeric(place) {
    const { params, result, isAsync } = this.module.description.functions[place];
    return (
      !isAsync &&
      /^(i32|bool|void)$/.test(result.name) &&
      params.every((param) => isNumeric(param.kind) && !param.optional)
    );
  }

  /** @param {number} place of a function that is numeric */
  numericLane(place) {
    const { name, params } = this.module.description.functions[place];
    const text = `<Rust function ${this.module.name}.${name}(${params.map((param) => param.name).join(", ")})>`;
    // Python shows this as the function's repr.
    return Object.defineProperties(this.module.lanes.numericLane(place), {
      name: { value: name },
      toString: { value: () => text },
    });
  }

  /** @param {number} place of a function */
  functionLane(place) {
    return signed(this.module.lanes.functionLane(place), this.module.description.functions[place].result);
  }

  /** @param {number} place of a class */
  constructorLane(place) {
    return this.module.lanes.constructorLane(place);
  }

  /**
   * @param {number} place of a class
   * @param {string} name
   * @param {Role} role
   */
  member(place, name, role) {
    const { lanes, description } = this.module;
    const described = description.classes[place][role].find((member) => member.name === name);
    if (!described) throw new RangeError(`no ${role} ${name}`);
    const use = /etters$/.test(role) ? (/getters$/i.test(role) ? "get" : "set") : "method";
    const lane = /^static/.test(role)
      ? lanes.staticLane(place, described, use)
      : lanes.memberLane(place, described, use);
    return signed(lane, described.result);
  }

  /** @param {number} address of the exception that `decline` ends with */
  refuse(address) {
    return new Raised(/** @type {PythonHost} */ (this.host).throwable(address));
  }

  /* ---- objects and other values that the module hands out ------------------------- */

  /** @param {any} value */
  identify(value) {
    return identify(value, this);
  }

  /** The value that a module handed out, to go back as it is. @param {number} id */
  handed(id) {
    return this.module.generation.objects.get(id);
  }

  /** @param {number} id of a closure that nobody holds any more */
  forget(id) {
    this.module.objects.forget(id);
  }

  /** @param {number} generation @param {number} id @param {string} className */
  release(generation, id, className) {
    return this.module.objects.release(generation, id, className);
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

  /** @param {number} id of an object @param {number} place of its class @param {string} names of getters, in lines */
  look(id, place, names) {
    const members = names.split("\n");
    const read = look(this.module, id, place, members);
    const { getters } = this.module.description.classes[place];
    const results = new Map(getters.map(({ name, result }) => [name, result]));
    members.forEach((name, at) => {
      const result = results.get(name);
      if (Object.is(read[2 * at + 2], -0) && result && isFloat(result)) read[2 * at + 2] = "-0"; // as in `signed`
    });
    return read;
  }

  /* ---- values for JavaScript ------------------------------------------------------- */

  /**
   * The glue's own object, for JavaScript itself, in a list.
   * @param {number} id @param {string} className @param {string} call
   */
  object(id, className, call) {
    return [this.module.objects.lend(id, className, call)];
  }

  /** One object for a call. @param {number} id @param {string} className */
  lend(id, className) {
    return new Parcel([0, id, className], [0]);
  }

  /** A value that Python packed, without any function in it. @param {any[]} packed */
  unpackPlain(packed) {
    return unpack(packed);
  }

  /**
   * A value that Python packed for JavaScript itself, in a list.
   * @param {any[]} packed @param {Iterable<number>} [places] see `Parcel` @param {string} [call]
   */
  unpack(packed, places, call = "") {
    return [new Parcel(packed, places).open((id, className) => this.module.objects.lend(id, className, call)).value];
  }

  /** The same for a call, which opens it. @param {any[]} packed @param {Iterable<number>} [places] */
  parcel(packed, places) {
    return new Parcel(packed, places);
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

  /** A Python callable as a function. @param {number} number that stands for it */
  callback(number) {
    return this.callbacks.make(number);
  }

  /** A Python exception for JavaScript, as a value. @param {string} text @param {any} exception PyProxy */
  error(text, exception) {
    return callbackError(text, exception);
  }

  /**
   * An error for what a callback raised.
   * @param {string} text @param {any} exception PyProxy @param {boolean} [endsProgram]
   */
  raised(text, exception, endsProgram) {
    return new Raised(callbackError(text, exception, endsProgram));
  }
}

/** The keys of kinds in a description: a kind is replaced as a whole. */
const KINDS = new Set(["kind", "result"]);

/** @param {any} described @param {any} changes its parts, as far as they change */
function refine(described, changes) {
  for (const [key, value] of Object.entries(changes)) {
    // A list of parameters replaces the one that the glue has, and keeps what only the glue tells of each.
    if (Array.isArray(value))
      described[key] = value.map((param, at) => ({ consumes: false, ...described[key][at], ...param }));
    else if (typeof value === "object" && !KINDS.has(key)) refine(described[key], value);
    else described[key] = value;
  }
}

/**
 * Pyodide makes an int of every whole number, and of -0 one without a sign: as text it keeps it, which `float()` reads.
 * @param {(...args: any[]) => unknown} lane @param {Kind} result its kind
 */
function signed(lane, result) {
  if (!isFloat(result)) return lane;
  return (/** @type {any[]} */ ...args) => {
    const value = lane(...args);
    return Object.is(value, -0) ? "-0" : value;
  };
}

/**
 * Calls a method of an iterator, if it has it.
 * @param {any} iterator
 * @param {string} verb its name, or that of a symbol
 */
function step(iterator, verb) {
  // The streams of WebKit are not iterable.
  if (verb === "asyncIterator" && !iterator[Symbol[verb]]) {
    const reader = iterator.getReader();
    return Object.assign(reader, { next: reader.read, return: reader.cancel });
  }
  return iterator[/** @type {any} */ (Symbol)[verb] ?? verb]?.() ?? {};
}

/** @param {any} memory @param {number} pages @returns {number} how many there were */
function grow(memory, pages) {
  try {
    return memory.grow(pages);
  } catch (error) {
    // A memory with addresses of 64 bits takes a bigint alone. Python gives no more pages than one of 32 bits can have.
    if (!(error instanceof TypeError) || pages > MOST_PAGES) throw error;
    return Number(memory.grow(BigInt(pages)));
  }
}
