/**
 * Loads mutated glue and Wasm files. Only documented exceptions may come out, and unpanic itself must always end.
 *
 *     node tests/fuzz/files.mjs COUNT [FIRST]   that many cases, in as many processes as there are cores
 *     node tests/fuzz/files.mjs 1 4711          case 4711 alone
 *
 * A mutated program may loop for ever or use up all memory. unpanic does not cover that, so such cases are counted and
 * their process is replaced. unpanic's own work on a file must end, and watchdog.mjs recognises it.
 */

import { Counts, fail, readRange, runProcess, spread } from "./processes.mjs";

// Module maps never free imported modules, so a process runs only a few cases.
const CASES_OF_A_PROCESS = 200;
// Longer than the silence that the watchdog in the process allows.
const OPTIONS = { silenceMs: 300_000, node: ["--max-old-space-size=1024"] };

const [count, first] = readRange("how many? node tests/fuzz/files.mjs COUNT [FIRST]");
const outcomes = new Counts();
const calls = new Counts();

/** @param {number} number @param {string} text */
function failed(number, text) {
  fail(`case ${number}: ${text}`, `node tests/fuzz/files.mjs 1 ${number}`);
}

/** @param {any} line a line of child.mjs */
function report({ number, name, how, outcome, calls: callCounts, problems, stuck, frames }) {
  if (stuck === "unpanic") failed(number, `unpanic does not end:\n        ${frames.join("\n        ")}`);
  if (stuck) return outcomes.add("endless");
  outcomes.add(outcome);
  calls.addAll(callCounts);
  if (problems.length) failed(number, `${name}, ${how.join(", ")}\n    ${problems.join("\n    ")}`);
}

await spread(first, first + count, CASES_OF_A_PROCESS, async (from, end) => {
  let next = from;
  let reading = true;
  const { code, said } = await runProcess("child.mjs", [from, end], OPTIONS, (line) => {
    reading = !line.read;
    if (line.read) return;
    next = line.number + 1;
    report(line);
  });
  // The watchdog has reported the case that it ended.
  if (next === end || (code === null && next > from && reading)) return next;
  if (reading) failed(next, `the process ended while unpanic read the files (${code}): ${said}`);
  else if (said.includes("a mistake of the harness")) failed(next, said);
  else outcomes.add("ended the process");
  return next + 1;
});
console.log(`${count} mutated pairs of files: ${outcomes}\n    their calls: ${calls}`);
