/**
 * Mutated glue and Wasm files: only documented exceptions come out, and unpanic itself always ends.
 *
 *     node tests/fuzz/files.mjs COUNT [FIRST]   that many cases, in as many processes as there are cores
 *     node tests/fuzz/files.mjs 1 4711          case 4711 alone
 *
 * A mutated program may loop for ever or use up all memory: unpanic does not cover that, so such cases are counted and
 * their process is replaced. What unpanic itself does with a file must end, and is told apart (watchdog.mjs).
 */

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// Module maps never let go of what was imported, so a process is not kept for long.
const BATCH = 200;
const MEMORY_MB = 1024;
// Beyond what the watchdog in the process takes to notice anything.
const SILENCE_MS = 60_000;
const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

/** @type {Record<string, number>} */
const outcomes = {};
/** @type {Record<string, number>} */
const calls = {};
/** @type {string[]} */
const failures = [];

/** @param {Record<string, number>} counts @param {string} name @param {number} [by] */
function count(counts, name, by = 1) {
  counts[name] = (counts[name] ?? 0) + by;
}

/** @param {number} number @param {string} text */
function fail(number, text) {
  failures.push(`case ${number}: ${text}\n    again: node tests/fuzz/files.mjs 1 ${number}`);
  console.log(failures.at(-1));
}

/**
 * Runs cases in one process, until all are done or it ends before that.
 * @param {number} first @param {number} end
 * @returns {Promise<number>} the case that goes on
 */
async function runProcess(first, end) {
  const child = spawn(process.execPath, [`--max-old-space-size=${MEMORY_MB}`, CHILD, String(first), String(end)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const closed = new Promise((resolve) => child.on("close", resolve));
  const silence = setTimeout(() => child.kill("SIGKILL"), SILENCE_MS);
  let next = first;
  let reading = true;
  for await (const line of createInterface({ input: child.stdout })) {
    silence.refresh();
    const found = JSON.parse(line);
    if (found.read) {
      reading = false;
      continue;
    }
    next = found.number + 1;
    reading = true;
    report(found);
  }
  const code = await closed;
  clearTimeout(silence);
  if (next === end || code === null) return next;
  if (reading) fail(next, `the process ended while unpanic read the files (${code}):\n${said.slice(-3000)}`);
  else count(outcomes, "ended the process");
  return next + 1;
}

/** @param {any} found a line of child.mjs */
function report({ number, name, how, outcome, calls: made, problems = [], stuck, frames }) {
  if (stuck === "unpanic") fail(number, `unpanic does not end:\n        ${frames.join("\n        ")}`);
  if (stuck) return count(outcomes, "endless");
  count(outcomes, outcome);
  for (const [what, times] of Object.entries(made)) count(calls, what, /** @type {number} */ (times));
  if (problems.length) fail(number, `${name}, ${how.join(", ")}\n    ${problems.join("\n    ")}`);
}

/** @param {number} first @param {number} end */
async function run(first, end) {
  const queue = [];
  for (let from = first; from < end; from += BATCH) queue.push([from, Math.min(from + BATCH, end)]);
  const work = async () => {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      for (let next = batch[0]; next < batch[1]; ) next = await runProcess(next, batch[1]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

/** @param {Record<string, number>} counts */
function listed(counts) {
  return Object.entries(counts).sort(([, a], [, b]) => b - a).map(([name, number]) => `${name} ${number}`).join(", ");
}

const [cases, first = 0] = process.argv.slice(2).map(Number);
if (!(cases > 0 && first >= 0)) throw new Error("how many cases? node tests/fuzz/files.mjs COUNT [FIRST]");
await run(first, first + cases);
console.log(`${cases} mutated pairs of files: ${listed(outcomes)}\n    their calls: ${listed(calls)}`);
if (failures.length) console.log(`${failures.length} failed`);
process.exitCode = failures.length ? 1 : 0;
