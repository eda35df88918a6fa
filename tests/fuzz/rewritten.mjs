/**
 * Random modules, as they are and rewritten: both return, throw and leave behind the same.
 *
 *     node tests/fuzz/rewritten.mjs COUNT [FIRST]   that many cases
 *     node tests/fuzz/rewritten.mjs 1 4711          case 4711 alone
 *
 * Compared are results, traps, calls of imports, memories, tables and globals, after each call of each export.
 */

import { makeModule, rewrite } from "./plain_wasm.mjs";
import { Counts, fail, readRange } from "./processes.mjs";
import { Random } from "./random.mjs";

/** What the rewriter exports besides. */
const FUEL_EXPORT = "unpanic.fuel";
const SEED_BYTES = 6_000;
/** What `refuel` returns: little, so that the code asks often. */
const FUEL = 200;

/** @param {unknown} value */
const shown = (value) => (Object.is(value, -0) ? "-0" : typeof value === "function" ? "a function" : String(value));

/**
 * One run of a module: what can be seen from outside.
 */
class Run {
  /** @param {WebAssembly.Module} module */
  constructor(module) {
    /** @type {string[]} */
    this.told = [];
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
    const unpanic = { refuel };
    this.attempt("start", () => {
      this.exports = new WebAssembly.Instance(module, { world, unpanic }).exports;
    });
  }

  /** @param {string} name @param {() => unknown} run */
  attempt(name, run) {
    try {
      this.told.push(`${name}: ${[run()].flat().map(shown).join(", ")}`);
    } catch (error) {
      const { name: kind, message } = /** @type {Error} */ (error);
      this.overflowed = kind === "RangeError";
      this.told.push(`${name}: ${kind} ${kind === "TypeError" ? "" : message}`);
    }
  }

  /** What the exports hold. */
  look() {
    for (const [name, value] of Object.entries(this.exports ?? {})) {
      if (name === FUEL_EXPORT) continue;
      if (value instanceof WebAssembly.Memory) {
        const words = new BigUint64Array(value.buffer);
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

/** @param {number} number */
function check(number) {
  const random = new Random(number);
  const bytes = makeModule(random.bytes(SEED_BYTES), { exceptions: number % 3 === 0 });
  if (!bytes) return "too few bytes";
  let module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch {
    return "unknown to this engine";
  }
  const runs = [module, new WebAssembly.Module(rewrite(bytes))].map((of) => new Run(of));
  const [before, after] = runs;
  for (const name of Object.keys(before.exports ?? {})) {
    if (typeof before.exports[name] !== "function") continue;
    const count = before.exports[name].length;
    const numbers = Array.from({ length: count }, () => argument(random));
    // A long takes a BigInt and nothing else; what is wrong is refused alike.
    for (const args of [numbers, numbers.map((value) => BigInt(Math.trunc(Number(value))))]) {
      for (const run of runs) run.attempt(name, () => run.exports[name](...args));
      // How deep a stack can get is nobody's promise.
      if (runs.some((run) => run.overflowed)) return "overflowed the stack";
      for (const run of runs) run.look();
    }
  }
  const at = before.told.findIndex((line, i) => line !== after.told[i]);
  if (at >= 0 || before.told.length !== after.told.length) {
    fail(
      `case ${number}: ${before.told[at]}\n    rewritten: ${after.told[at]}`,
      `node tests/fuzz/rewritten.mjs 1 ${number}`,
    );
  }
  return after.asked ? "the same, and asked for more" : "the same";
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
