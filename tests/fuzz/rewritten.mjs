/**
 * Random modules, as they are and rewritten: both return, throw and leave behind the same.
 *
 *     node tests/fuzz/rewritten.mjs COUNT [FIRST]   that many cases
 *     node tests/fuzz/rewritten.mjs 1 4711          case 4711 alone
 *
 * Compared are results, traps, calls of imports, memories, tables and globals, after each call of each export.
 *
 * Two of three are rewritten so that calls can be undone. Some of their calls are, and are undone in the original by
 * brute force, so that the two stay alike. Where there is plain code for them, about half of the calls run that.
 */

import { DEADLINES, makeModule, makePlain, NotRewritten, ROLLBACK, rewrite } from "./plain_wasm.mjs";
import { Counts, fail, readRange } from "./processes.mjs";
import { Random } from "./random.mjs";
import { instantiatePlain, isAdded, Kept, Tracked } from "./tracked.mjs";

const SEED_BYTES = 6_000;
/** What `refuel` returns: little, so that the code asks often. */
const FUEL = 200;

/** @param {unknown} value */
const shown = (value) => (Object.is(value, -0) ? "-0" : typeof value === "function" ? "a function" : String(value));

/**
 * One run of a module: what can be seen from outside.
 */
class Run {
  /**
   * @param {WebAssembly.Module} module
   * @param {{isTracked?: boolean, plain?: boolean, plainCode?: WebAssembly.Module | null}} [how]
   */
  constructor(module, { isTracked = false, plain = false, plainCode = null } = {}) {
    /** @type {string[]} */
    this.told = [];
    /** @type {Tracked | null} */
    this.tracked = null;
    /** @type {Record<string, any> | null} the exports of the plain code */
    this.plain = null;
    this.asked = 0;
    const tell = (/** @type {unknown[]} */ ...what) => this.told.push(what.map(shown).join(" "));
    const world = {
      note: (/** @type {number} */ value) => void tell("note", value),
      number: () => tell("number"),
      long(/** @type {bigint} */ value) {
        tell("long", value);
        return value + 1n;
      },
      float(/** @type {number} */ a, /** @type {number} */ b) {
        tell("float", a, b);
        return a / 2;
      },
    };
    const refuel = () => {
      this.asked++;
      return FUEL;
    };
    const kept = new Kept();
    const unpanic = { refuel, ...kept.imports };
    this.attempt("start", () => {
      const { exports } = new WebAssembly.Instance(module, { world, unpanic });
      if (isTracked) {
        this.tracked = new Tracked(module, exports, kept, { plain });
        this.tracked.initialise();
        this.plain = plainCode && instantiatePlain(plainCode, exports, { world, unpanic });
        /** @type {any} */ (exports).__unpanic_start_function?.();
      }
      this.exports = exports;
    });
    this.names = Object.keys(this.exports ?? {}).filter((name) => !isAdded(name));
    this.memory = Object.values(this.exports ?? {}).find((value) => value instanceof WebAssembly.Memory);
    this.bytes = this.memory?.buffer.byteLength ?? 0;
  }

  hasGrown() {
    return (this.memory?.buffer.byteLength ?? 0) !== this.bytes;
  }

  /** What it has, to be put back by `restore`. */
  save() {
    return this.names.map((name) => {
      const value = /** @type {any} */ (this.exports)[name];
      if (value instanceof WebAssembly.Memory) return value.buffer.slice(0);
      try {
        if (value instanceof WebAssembly.Global) return value.value;
        if (value instanceof WebAssembly.Table) return Array.from({ length: value.length }, (_, at) => value.get(at));
      } catch {
        return null;
      }
      return null;
    });
  }

  /** @param {any[]} saved */
  restore(saved) {
    for (const [at, name] of this.names.entries()) {
      const value = /** @type {any} */ (this.exports)[name];
      try {
        if (value instanceof WebAssembly.Memory) new Uint8Array(value.buffer).set(new Uint8Array(saved[at]));
        if (value instanceof WebAssembly.Global) value.value = saved[at];
        if (value instanceof WebAssembly.Table)
          for (const [slot, old] of saved[at].entries()) if (value.get(slot) !== old) value.set(slot, old);
      } catch {
        // A global that cannot change, or a value that JavaScript does not know.
      }
    }
  }

  /** @param {string} name @param {() => unknown} run */
  attempt(name, run) {
    try {
      this.told.push(`${name}: ${[run()].flat().map(shown).join(", ")}`);
    } catch (error) {
      const { name: kind, message } = /** @type {Error} */ (error);
      this.overflowed = kind === "RangeError";
      // The memory of a tracked module is larger.
      const text = String(message).replace(/memory size \d+/, "");
      this.told.push(`${name}: ${kind} ${kind === "TypeError" ? "" : text}`);
    }
  }

  /** @param {string} name of an export @param {unknown[]} args @param {boolean} [isPlain] does its plain code run? */
  call(name, args, isPlain = false) {
    const { exports, plain, tracked } = /** @type {any} */ (this);
    if (!plain || !isPlain) return this.attempt(name, () => exports[name](...args));
    this.attempt(name, () => plain[name](...args));
    tracked.markAll();
  }

  /** What the exports hold. */
  look() {
    for (const name of this.names) {
      const value = /** @type {any} */ (this.exports)[name];
      if (value instanceof WebAssembly.Memory) {
        // The table of a tracked module begins where the memory of the original ends.
        const words = new BigUint64Array(value.buffer, 0, (this.tracked?.cards ?? value.buffer.byteLength) / 8);
        let sum = 0n;
        for (let at = 0; at < words.length; at++)
          if (words[at]) sum = BigInt.asUintN(64, sum * 31n + words[at] + BigInt(at));
        this.told.push(`${name}: ${words.length} words, ${sum}`);
      } else if (value instanceof WebAssembly.Global) {
        this.attempt(name, () => value.value);
      } else if (value instanceof WebAssembly.Table) {
        this.attempt(name, () => Array.from({ length: value.length }, (_, at) => value.get(at)));
      }
    }
  }
}

/** @param {Random} random @returns {unknown} */
const argument = (random) => random.pick([0, 1, -1, 7, 2 ** 31, 0.5, random.below(2 ** 32)]);

/** How the two may differ: an outcome that ends the comparison. */
const GREW = "grew, and went other ways";
const REACHED = "reached into the table";
const OUTSIDE = "memory access out of bounds";

/**
 * Compares what two runs told since they were compared last.
 * @param {Run} before @param {Run} after
 * @param {boolean} [isOutside] the original's last call ended where its memory ends
 * @returns {string | null} why they cannot be compared any more
 */
function compare(before, after, isOutside = false) {
  const at = before.told.findIndex((line, i) => line !== after.told[i]);
  const isSame = at < 0 && before.told.length === after.told.length;
  // The table of cards lies where the original's memory ends. What grows is behind it, and its address another one.
  if (before.hasGrown()) return GREW;
  if (isSame) {
    for (const run of [before, after]) run.told.length = 0;
    return null;
  }
  if (after.tracked && (isOutside || before.told[at]?.includes(OUTSIDE))) return REACHED;
  throw new Error(`${before.told[at]}\n    rewritten: ${after.told[at]}`);
}

/**
 * Calls an export in both; in a tracked module the call is kept or undone.
 * @param {Run} before @param {Run} after @param {string} name @param {unknown[]} args
 * @param {{isUndone: boolean, isPlain: boolean}} how
 */
function call(before, after, name, args, { isUndone, isPlain }) {
  const saved = isUndone ? before.save() : [];
  for (const run of [before, after]) run.call(name, args, isPlain);
  // How deep a stack can get is nobody's promise.
  if (before.overflowed || after.overflowed) return "overflowed the stack";
  const isOutside = before.told.at(-1)?.includes(OUTSIDE);
  const why = compare(before, after);
  if (why === REACHED) return why;
  if (after.tracked) {
    if (isUndone) after.tracked.rollback();
    else after.tracked.commit();
  }
  if (why) return why;
  if (isUndone) before.restore(saved);
  for (const run of [before, after]) run.look();
  return compare(before, after, isOutside);
}

/** What goes on alone is checked as long as it goes on. @param {Run} run @param {Random} random */
function goOn(run, random) {
  for (const name of run.names) {
    if (typeof run.exports?.[name] !== "function") continue;
    const args = Array.from({ length: run.exports[name].length }, () => argument(random));
    run.call(name, args, random.chance(0.5));
    if (random.chance(0.5)) run.tracked?.rollback();
    else run.tracked?.commit();
  }
}

/** @param {number} number */
function check(number) {
  const random = new Random(number);
  const flags = [DEADLINES, ROLLBACK, DEADLINES + ROLLBACK][Math.floor(number / 3) % 3];
  const isTracked = (flags & ROLLBACK) !== 0;
  const bytes = makeModule(random.bytes(SEED_BYTES), { exceptions: number % 3 === 0, trackable: isTracked });
  if (!bytes) return "too few bytes";
  let module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch {
    return "unknown to this engine";
  }
  let rewritten;
  try {
    rewritten = rewrite(bytes, flags);
  } catch (error) {
    if (error instanceof NotRewritten && isTracked) return /** @type {Error} */ (error).message;
    throw error;
  }
  const before = new Run(module);
  const plainCode = isTracked ? makePlain(bytes, flags) : null;
  const after = new Run(new WebAssembly.Module(rewritten), { isTracked, plain: number % 2 === 0, plainCode });
  after.tracked?.commit();
  if (before.overflowed || after.overflowed) return "overflowed the stack";
  let why = compare(before, after);
  // The start function grew it.
  if (after.tracked && before.memory && before.bytes !== after.tracked.cards) why ??= GREW;
  for (const name of before.names) {
    if (why) break;
    if (typeof before.exports?.[name] !== "function") continue;
    const count = before.exports[name].length;
    const numbers = Array.from({ length: count }, () => argument(random));
    // A long takes a BigInt and nothing else; what is wrong is refused alike.
    for (const args of [numbers, numbers.map((value) => BigInt(Math.trunc(Number(value))))]) {
      const how = { isUndone: isTracked && random.chance(0.4), isPlain: random.chance(0.5) };
      why = call(before, after, name, args, how);
      if (why) break;
    }
  }
  if (why === GREW && isTracked) goOn(after, random);
  const outcome = why ?? (after.asked ? "the same, and asked for more" : "the same");
  if (!isTracked) return outcome;
  return `${after.plain ? "tracked, and plain" : "tracked"}: ${outcome}`;
}

const [count, first] = readRange("how many? node tests/fuzz/rewritten.mjs COUNT [FIRST]");
const outcomes = new Counts();
for (let number = first; number < first + count; number++) {
  try {
    outcomes.add(check(number));
  } catch (error) {
    fail(`case ${number}: ${/** @type {Error} */ (error).stack}`, `node tests/fuzz/rewritten.mjs 1 ${number}`);
  }
}
console.log(`${count} random modules: ${outcomes}`);
