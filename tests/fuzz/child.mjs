/**
 * Runs cases in a process of their own, and prints one line of JSON for each. `node child.mjs FIRST END`.
 *
 * A thread watches the process. If a step does not end in time, the thread reports its code and ends the process.
 */

import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { Case } from "./case.mjs";
import { judgeCall } from "./judge.mjs";

/** Milliseconds for one step. They suffice for unpanic's own reading; mutated code ends at once or never. */
const LIMITS = { read: 20_000, load: 10_000, run: 2_000 };

const [first, end] = process.argv.slice(2).map(Number);
// [steps so far, milliseconds for the running step, number of the case, whether the step only reads]
const progress = new Int32Array(new SharedArrayBuffer(16));
/** @type {Case | null} */
let running = null;

/** @param {keyof LIMITS} phase */
function step(phase) {
  Atomics.store(progress, 1, LIMITS[phase]);
  Atomics.store(progress, 3, phase === "read" ? 1 : 0);
  Atomics.add(progress, 0, 1);
  if (phase === "load") print({ read: true });
}

/** @param {unknown} line */
function print(line) {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** @param {unknown} error an error without a caller */
function uncaught(error) {
  if (!running) throw error; // a mistake of the harness itself
  running.count("thrown at nobody");
  running.note("uncaught", judgeCall(error));
}

/** Mutated glue must not affect later cases, so assigning to a global is an error, like assigning to a constant. */
function lockGlobals() {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const { configurable, writable, value } = /** @type {PropertyDescriptor} */ (
      Object.getOwnPropertyDescriptor(globalThis, name)
    );
    if (configurable && writable && typeof value === "function")
      Object.defineProperty(globalThis, name, { writable: false });
  }
}

/** Ends the timers of a case with the case. */
function collectTimers() {
  /** @type {(() => void)[]} */
  let clears = [];
  for (const [set, clear] of /** @type {const} */ ([
    ["setTimeout", "clearTimeout"],
    ["setInterval", "clearInterval"],
  ])) {
    const real = /** @type {any} */ (globalThis[set]);
    /** @type {any} */ (globalThis)[set] = (/** @type {any[]} */ ...args) => {
      const timer = real(...args);
      clears.push(() => globalThis[clear](timer));
      return timer;
    };
  }
  return () => {
    for (const clear of clears) clear();
    clears = [];
  };
}

process.on("unhandledRejection", uncaught);
process.on("uncaughtException", uncaught);
// Node has no images, and the output of mutated glue is useless.
globalThis.ImageData ??= /** @type {any} */ (class {});
for (const name of /** @type {const} */ (["log", "info", "warn", "error", "debug"])) console[name] = () => {};
const clearTimers = collectTimers();
lockGlobals();
const watchdog = new Worker(new URL("watchdog.mjs", import.meta.url), { workerData: progress });

for (let number = first; number < end; number++) {
  Atomics.store(progress, 2, number);
  running = new Case(number, step);
  await running.run().catch((mistake) => {
    writeSync(2, `a mistake of the harness: ${mistake?.stack}\n`);
    process.kill(process.pid, "SIGKILL");
  });
  clearTimers();
  const { name, how, outcome, calls, problems } = running;
  print({ number, name, how, outcome, calls, problems });
  running = null;
}
await watchdog.terminate();
process.exit();
