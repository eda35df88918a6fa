/**
 * Calls exports with random arguments from Python, in Pyodide under Node. Only documented exceptions may come out, and
 * the module must work after every batch. Needs the built wheel (`make dist`).
 *
 *     node tests/fuzz/arguments.mjs COUNT [FIRST]   that many lists, from batch FIRST on
 *     node tests/fuzz/pyodide_child.mjs 47 48 aloud   batch 47 alone, each list printed before it is called
 */

import { Counts, fail, readRange, runProcess, spread } from "./processes.mjs";

const LISTS_OF_A_BATCH = 100;
const BATCHES_OF_A_PROCESS = 100;
// On a busy machine Pyodide takes a minute to start.
const OPTIONS = { silenceMs: 300_000 };

const [count, first] = readRange("how many? node tests/fuzz/arguments.mjs COUNT [FIRST]");
const batches = Math.ceil(count / LISTS_OF_A_BATCH);
const counts = new Counts();
let lists = 0;

/** @param {number} number @param {string} text */
function failed(number, text) {
  fail(`batch ${number}: ${text}`, `node tests/fuzz/pyodide_child.mjs ${number} ${number + 1} aloud`);
}

const size = Math.min(BATCHES_OF_A_PROCESS, Math.ceil(batches / 2));
await spread(first, first + batches, size, async (from, end) => {
  let running = from;
  const { code, said } = await runProcess("pyodide_child.mjs", [from, end], OPTIONS, (line) => {
    if (line.begins) return;
    running = line.number + 1;
    if (line.fatal) return failed(line.number, `Pyodide failed: ${line.fatal}`);
    lists += line.lists;
    counts.addAll(line.counts);
    for (const problem of line.problems) failed(line.number, problem);
  });
  if (running === end || (code === 1 && running > from)) return running;
  failed(running, code === null ? "it did not end" : `the process ended (${code}): ${said}`);
  return running + 1;
});
console.log(`${lists} argument lists: ${counts}`);
