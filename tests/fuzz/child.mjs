/**
 * Runs cases in a process of their own, and prints one line of JSON for each. `node child.mjs FIRST END`.
 *
 * A thread watches it: when no step ends in time, it looks several times at what is running, says so, and ends the
 * process.
 */

import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { Case } from "./case.mjs";
import { judgeCall } from "./judge.mjs";

/**
 * Milliseconds for one step. unpanic's own reading has time enough on a busy machine; mutated code ends at once or
 * never.
 */
const LIMITS = { read: 20_000, load: 10_000, run: 2_000 };

const [first, end] = process.argv.slice(2).map(Number);
// [steps so far, milliseconds for the step that runs, number of the case, is it a step that reads]
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

/** @param {unknown} error thrown with nobody above it but the event loop */
function uncaught(error) {
  if (!running) throw error; // a mistake of the harness itself
  running.count("thrown at nobody");
  running.note("uncaught", judgeCall(error));
}

/** Mutated glue must not change what later cases use: assigning to a global is an error, as it is to a constant. */
function lockGlobals() {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const { configurable, writable, value } = /** @type {PropertyDescriptor} */ (
      Object.getOwnPropertyDescriptor(globalThis, name)
    );
    if (configurable && writable && typeof value === "function")
      Object.defineProperty(globalThis, name, { writable: false });
  }
}

/** Timers of a case end with it. */
function collectTimers() {
  /** @type {(() => void)[]} */
  let made = [];
  for (const [set, clear] of /** @type {const} */ ([
    ["setTimeout", "clearTimeout"],
    ["setInterval", "clearInterval"],
  ])) {
    const real = /** @type {any} */ (globalThis[set]);
    /** @type {any} */ (globalThis)[set] = (/** @type {any[]} */ ...args) => {
      const timer = real(...args);
      made.push(() => globalThis[clear](timer));
      return timer;
    };
  }
  return () => {
    for (const clear of made) clear();
    made = [];
  };
}

process.on("unhandledRejection", uncaught);
process.on("uncaughtException", uncaught);
// Node has no images, and what mutated glue prints is of no use to anybody.
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
