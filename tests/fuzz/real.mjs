/**
 * Real Wasm files, as they are and rewritten: both are valid, and their exports do the same with numbers.
 *
 *     node tests/fuzz/real.mjs [--rollback] FILE.wasm ...
 *
 * With `--rollback` they are rewritten so that calls can be undone, and after each call what it wrote is kept or
 * undone: what was kept is in the shadow, and what was undone is as before, byte for byte. Where there is plain code
 * for a file, about half of the calls run that.
 *
 * No glue takes part: imports do nothing. So most calls end by a panic or a trap, but on the way there Rust code runs:
 * allocators, formatting, the panic machinery. Compared are results, traps, calls of imports, and memories.
 */

import { readFileSync } from "node:fs";

import { DEADLINES, makePlain, NotRewritten, ROLLBACK, rewrite } from "./plain_wasm.mjs";
import { Counts, fail } from "./processes.mjs";
import { Random } from "./random.mjs";
import { instantiatePlain, isAdded, Kept, Tracked } from "./tracked.mjs";

/** After so much fuel a call is taken to be endless, so that the original is not called. */
const FUEL = 10_000;
const ASKS = 2_000;
/** The bytes of memory that are compared: some exports grow theirs as far as it goes. */
const COMPARED = 16_000_000;
/** So many exports are called in one pair of instances: one that ends by a trap may spoil the others. */
const EXPORTS = 10;
/** Kinds of imports for which there is a stand-in. */
const CALLED = new Set(["function", "tag"]);
/** What JavaScript throws has this tag, which builds that unwind import. */
const TAG = new /** @type {any} */ (WebAssembly).Tag({ parameters: ["externref"] });

/** @param {unknown} value */
const shown = (value) => (Object.is(value, -0) ? "-0" : typeof value === "function" ? "a function" : String(value));

class Run {
  /** @param {WebAssembly.Module} module */
  constructor(module) {
    this.asked = 0;
    this.kept = new Kept();
    /** @type {string[]} */
    this.told = [];
    /** @type {Record<string, Record<string, unknown>>} */
    const imports = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      const note = (/** @type {unknown[]} */ ...args) => void this.told.push(`${name} ${args.map(shown)}`);
      imports[from] ??= {};
      imports[from][name] = kind === "function" ? note : TAG;
    }
    const refuel = () => (this.asked++ < ASKS ? FUEL : 0);
    imports.unpanic = { ...imports.unpanic, ...this.kept.imports, refuel };
    this.imports = imports;
    this.attempt("start", () => {
      this.exports = new WebAssembly.Instance(module, /** @type {any} */ (imports)).exports;
    });
  }

  /** @param {string} name @param {() => unknown} run @returns {string} how it ended */
  attempt(name, run) {
    this.asked = 0;
    let end;
    try {
      end = `returned ${[run()].flat().map(shown)}`;
    } catch (error) {
      end = `${/** @type {Error} */ (error).name} ${/** @type {Error} */ (error).message}`;
    }
    this.told.push(`${name}: ${end}`);
    return this.asked > ASKS ? "endless" : end.startsWith("RangeError") ? "overflowed the stack" : end.split(" ")[0];
  }

  memory() {
    const memory = Object.values(this.exports ?? {}).find((value) => value instanceof WebAssembly.Memory);
    const { buffer } = memory ?? { buffer: new ArrayBuffer(0) };
    return Buffer.from(buffer, 0, Math.min(buffer.byteLength, COMPARED));
  }
}

/** @param {Run} before @param {Run} after */
function compare(before, after) {
  const at = before.told.findIndex((line, i) => line !== after.told[i]);
  if (at >= 0 || before.told.length !== after.told.length)
    throw new Error(`${before.told[at]}\n    rewritten: ${after.told[at]}`);
  if (before.memory().compare(after.memory())) throw new Error(`after ${before.told.at(-1)}, the memories differ`);
}

/**
 * @param {WebAssembly.Module} original @param {WebAssembly.Module} rewritten
 * @param {string[]} names the exports that are called, in this order @param {Random} random
 */
function call(original, rewritten, names, random) {
  const outcomes = [];
  const after = new Run(rewritten);
  const before = new Run(original);
  for (const name of names) {
    const count = /** @type {any} */ (after.exports)[name].length;
    const numbers = Array.from({ length: count }, () => random.pick([0, 1, 8, 1024, 1_050_000, random.below(100)]));
    const [end] = [after, before].map((run) => {
      if (run === before && outcomes.at(-1) === "endless") return "";
      const ended = run.attempt(name, () => /** @type {any} */ (run.exports)[name](...numbers));
      if (run === after) outcomes.push(ended);
      return ended;
    });
    // The two have gone different ways now: the original was not called, or had more room on its stack.
    if (end === "endless" || end === "overflowed the stack") return outcomes;
  }
  compare(before, after);
  return outcomes;
}

/**
 * Calls the exports of a tracked module; each call is kept or undone, and that is checked.
 * @param {WebAssembly.Module} module @param {WebAssembly.Module | null} plainCode @param {Random} random
 */
function track(module, plainCode, random) {
  const names = WebAssembly.Module.exports(module).flatMap(({ name, kind }) => (kind === "function" ? [name] : []));
  /** @type {Run | null} */
  let run = null;
  let tracked = null;
  /** @type {Record<string, any> | null} */
  let plain = null;
  for (const name of names.filter((name) => !isAdded(name))) {
    if (!run || !tracked) {
      run = new Run(module);
      if (!run.exports) return;
      tracked = new Tracked(module, run.exports, run.kept);
      tracked.initialise();
      plain = plainCode && instantiatePlain(plainCode, run.exports, run.imports);
    }
    const { exports, attempt } = /** @type {any} */ (run);
    const numbers = Array.from({ length: exports[name].length }, () => random.pick([0, 1, 8, 1024, 1_050_000]));
    const runs = plain && random.chance(0.5) ? plain : exports;
    calls.add(attempt.call(run, name, () => runs[name](...numbers)));
    if (runs === plain) tracked.markAll();
    if (random.chance(0.7) || !tracked.canCommit()) tracked.rollback();
    else tracked.commit();
    // A memory that has grown far takes long to compare.
    if (tracked.memory.buffer.byteLength > COMPARED) run = null;
  }
}

/** @param {string} file */
function check(file) {
  const bytes = readFileSync(file);
  if (!WebAssembly.validate(bytes)) return "unknown to this engine";
  if (rollback) {
    const module = new WebAssembly.Module(rewrite(bytes, DEADLINES + ROLLBACK));
    const known = WebAssembly.Module.imports(module).every(({ kind }) => CALLED.has(kind));
    const plainCode = makePlain(bytes, DEADLINES + ROLLBACK);
    if (known) track(module, plainCode, new Random(bytes.length));
    return `valid${known ? ", and undone" : ""}${plainCode ? ", with plain code" : ""}`;
  }
  const rewritten = new WebAssembly.Module(rewrite(bytes));
  const original = new WebAssembly.Module(bytes);
  if (WebAssembly.Module.imports(original).some(({ kind }) => !CALLED.has(kind))) return "valid";
  const names = WebAssembly.Module.exports(original).flatMap(({ name, kind }) => (kind === "function" ? [name] : []));
  const random = new Random(bytes.length);
  while (names.length) {
    // Those after an endless one get another pair.
    const ended = call(original, rewritten, names.slice(0, EXPORTS), random);
    names.splice(0, ended.length);
    for (const outcome of ended) calls.add(outcome);
  }
  return "valid, and the same";
}

const rollback = process.argv[2] === "--rollback";
const files = process.argv.slice(rollback ? 3 : 2);
if (!files.length) throw new Error("which? node tests/fuzz/real.mjs [--rollback] FILE.wasm ...");
const outcomes = new Counts();
const calls = new Counts();
for (const file of files) {
  try {
    outcomes.add(check(file));
  } catch (error) {
    if (error instanceof NotRewritten && error.message.includes("threads")) outcomes.add("refused, with threads");
    else fail(`${file}: ${/** @type {Error} */ (error).message}`, `node tests/fuzz/real.mjs ${file}`);
  }
}
console.log(`${files.length} files: ${outcomes}\n    their calls: ${calls}`);
