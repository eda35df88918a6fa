/** Starts the processes of cases, which may hang or die, reads their output, and counts outcomes. */

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * Runs a script, and ends it if it prints nothing for too long.
 * @param {string} script a file beside this one @param {unknown[]} args
 * @param {{silenceMs: number, node?: string[]}} options
 * @param {(line: any) => void} take gets each line of its output, which is JSON
 * @returns {Promise<{code: number | null, said: string}>} null: it was ended by a signal; what it said on stderr
 */
export async function runProcess(script, args, { silenceMs, node = [] }, take) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...node, file, ...args.map(String)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => (said = (said + text).slice(-3000)));
  const closed = new Promise((resolve) => child.on("close", resolve));
  const silence = setTimeout(() => child.kill("SIGKILL"), silenceMs);
  for await (const line of createInterface({ input: child.stdout })) {
    silence.refresh();
    take(JSON.parse(line));
  }
  const code = await closed;
  clearTimeout(silence);
  return { code, said };
}

/**
 * Spreads numbers over as many processes as there are cores.
 * @param {number} first @param {number} end @param {number} size of the part that one process gets
 * @param {(first: number, end: number) => Promise<number>} run gives the number that goes on, should the process have
 * ended early
 */
export async function spread(first, end, size, run) {
  const parts = [];
  for (let from = first; from < end; from += size) parts.push([from, Math.min(from + size, end)]);
  const work = async () => {
    for (let part = parts.shift(); part; part = parts.shift()) {
      for (let next = part[0]; next < part[1]; ) next = await run(next, part[1]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

/** The number of each outcome, by name. */
export class Counts {
  constructor() {
    /** @type {Map<string, number>} */
    this.counts = new Map();
  }

  /** @param {string} name @param {number} [by] */
  add(name, by = 1) {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  /** @param {Record<string, number>} counts */
  addAll(counts) {
    for (const [name, number] of Object.entries(counts)) this.add(name, number);
  }

  toString() {
    return [...this.counts]
      .sort(([, a], [, b]) => b - a)
      .map(([name, number]) => `${name} ${number}`)
      .join(", ");
  }
}

/** Prints a failure, which fails the run. @param {string} text @param {string} command that shows it again */
export function fail(text, command) {
  console.log(`${text}\n    again: ${command}`);
  process.exitCode = 1;
}

/** COUNT [FIRST], from the command line. @param {string} usage @returns {[number, number]} */
export function readRange(usage) {
  const [count, first = 0] = process.argv.slice(2).map(Number);
  if (!(count > 0 && first >= 0)) throw new Error(usage);
  return [count, first];
}
