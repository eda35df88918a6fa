/**
 * Random modules whose loops need not end: rewritten, every call into them can be stopped.
 *
 *     node tests/fuzz/stopped.mjs COUNT [FIRST]   that many cases
 *     node tests/fuzz/stopped.mjs 1 4711          case 4711 alone
 *
 * Each call gets more fuel a number of times, and then no more. It must end. This checks the looks that the rewriter
 * leaves out: a loop or a cycle of calls without a look at the counter would never end. Neither would one that gets its
 * fuel back when an exception is caught.
 */

import { runInThisContext } from "node:vm";

import { makeModule, rewrite } from "./plain_wasm.mjs";
import { Counts, fail, readRange } from "./processes.mjs";
import { Random } from "./random.mjs";

const SEED_BYTES = 6_000;
const FUEL = 1_000;
const ASKS = 100;
/** A call takes milliseconds. What takes as long as this has no end. */
const ENDLESS_MS = 20_000;

/** The calls into one module. */
class Calls {
  constructor() {
    this.asked = 0;
    this.name = "start";
    /** @type {Set<string>} how calls ended */
    this.ends = new Set();
    const refuel = () => (this.asked++ < ASKS ? FUEL : 0);
    const world = {
      note() {},
      number: () => 1,
      long: (/** @type {bigint} */ value) => value + 1n,
      float: (/** @type {number} */ a) => a / 2,
    };
    this.imports = { world, unpanic: { refuel } };
  }

  /**
   * Runs a call, and ends it from outside should it not end: then it throws an error with a code.
   * @param {string} name @param {() => unknown} run
   */
  attempt(name, run) {
    this.name = name;
    this.asked = 0;
    const call = () => {
      try {
        run();
        return "returned";
      } catch (error) {
        return this.asked > ASKS ? "was stopped" : /** @type {Error} */ (error).name;
      }
    };
    Object.assign(globalThis, { unpanicCall: call });
    const end = runInThisContext("unpanicCall()", { timeout: ENDLESS_MS });
    if (this.asked > ASKS + 1) throw new Error(`${name} asked ${this.asked - ASKS} times after it got no more fuel`);
    this.ends.add(end);
  }
}

/** @param {Random} random */
const argument = (random) => random.pick([0, 1, -1, 2 ** 31, random.below(2 ** 32)]);

/** @param {number} number */
function check(number) {
  const random = new Random(number);
  const bytes = makeModule(random.bytes(SEED_BYTES), { exceptions: number % 3 === 0, endless: true });
  if (!bytes) return "too few bytes";
  if (!WebAssembly.validate(bytes)) return "unknown to this engine";
  const calls = new Calls();
  try {
    const module = new WebAssembly.Module(rewrite(bytes));
    /** @type {Record<string, any>} */
    let exports = {};
    calls.attempt("start", () => {
      exports = new WebAssembly.Instance(module, calls.imports).exports;
    });
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== "function") continue;
      const numbers = Array.from({ length: value.length }, () => argument(random));
      calls.attempt(name, () => value(...numbers));
      calls.attempt(name, () => value(...numbers.map(BigInt)));
    }
  } catch (error) {
    fail(
      `case ${number}, ${calls.name}: ${/** @type {Error} */ (error).stack}`,
      `node tests/fuzz/stopped.mjs 1 ${number}`,
    );
  }
  return calls.ends.has("was stopped") ? "stopped" : "ended by themselves";
}

const [count, first] = readRange("how many? node tests/fuzz/stopped.mjs COUNT [FIRST]");
const outcomes = new Counts();
for (let number = first; number < first + count; number++) outcomes.add(check(number));
console.log(`${count} random modules with endless loops: ${outcomes}`);
