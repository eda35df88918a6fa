/**
 * Runs batches of argument lists in one Pyodide: `node pyodide_child.mjs FIRST END [aloud]`. Prints one line of JSON
 * for each batch, and with `aloud` each list before its call.
 */

import { readdirSync, readFileSync, writeSync } from "node:fs";
import { loadPyodide } from "../../js/node_modules/pyodide/pyodide.mjs";

const LONGEST_DELAY_MS = 5;
const root = new URL("../../", import.meta.url);
const [first, end] = process.argv.slice(2, 4).map(Number);
const aloud = process.argv[4] === "aloud";

/** @param {unknown} line */
function print(line) {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Shortens random delays, and ends the intervals of a batch with the batch. */
function shortenTimers() {
  const { setTimeout: wait, setInterval: repeat } = globalThis;
  /** @type {any[]} */
  let intervals = [];
  const short = (/** @type {unknown} */ ms) => Math.min(Number(ms) || 0, LONGEST_DELAY_MS);
  globalThis.setTimeout = /** @type {any} */ (
    (/** @type {any} */ f, /** @type {unknown} */ ms, /** @type {any[]} */ ...args) => wait(f, short(ms), ...args)
  );
  globalThis.setInterval = /** @type {any} */ (
    (/** @type {any} */ f, /** @type {unknown} */ ms) => {
      intervals.push(repeat(f, short(ms)));
      return intervals.length;
    }
  );
  return () => {
    for (const interval of intervals) clearInterval(interval);
    intervals = [];
  };
}

/** @param {any} pyodide the fixtures as files of its file system */
function copyFixtures(pyodide) {
  for (const name of readdirSync(new URL("rust/fixtures", root))) {
    for (const mode of ["abort", "reset", "unwind"]) {
      pyodide.FS.mkdirTree(`/fixtures/${name}/${mode}`);
      for (const file of [`${name}.js`, `${name}.d.ts`, `${name}_bg.wasm`]) {
        pyodide.FS.writeFile(
          `/fixtures/${name}/${mode}/${file}`,
          readFileSync(new URL(`rust/fixtures/${name}/pkg/${mode}/${file}`, root)),
        );
      }
    }
  }
}

const pyodide = await loadPyodide({ stdout: () => {}, stderr: () => {} });
const [wheel] = readdirSync(new URL("dist", root)).filter((name) => /^unpanic-.*\.whl$/.test(name));
pyodide.unpackArchive(new Uint8Array(readFileSync(new URL(`dist/${wheel}`, root))), "wheel");
copyFixtures(pyodide);
for (const file of ["lists.py", "python_values.py"])
  pyodide.FS.writeFile(file, readFileSync(new URL(file, import.meta.url)));
/** @type {any} */ (globalThis).importGlue = (/** @type {string} */ name) =>
  import(new URL(`rust/fixtures/${name}/pkg/reset/${name}.js`, root).href);
// The output of a panic hook is useless here.
console.error = () => {};
const endIntervals = shortenTimers();
const lists = pyodide.pyimport("lists");
const log = (/** @type {string} */ text) => aloud && writeSync(2, `${text}\n`);

/** @type {string[]} */
const uncaught = [];
for (const event of ["unhandledRejection", "uncaughtException"])
  process.on(event, (error) => uncaught.push(`${event}: ${error?.stack ?? error}`));
// Modules that roll back compare memory with its shadow at each commit. A difference is a problem of the batch.
/** @type {any} */ (globalThis).unpanicCheckCommits = (/** @type {Error} */ error) => uncaught.push(`${error.stack}`);

for (let number = first; number < end; number++) {
  print({ number, begins: true });
  try {
    const result = JSON.parse(await lists.run_batch(number, log));
    result.problems.push(...uncaught.splice(0));
    print({ number, ...result });
  } catch (error) {
    print({ number, fatal: `${/** @type {Error} */ (error).stack}` });
    process.exit(1);
  }
  endIntervals();
}
process.exit(0);
