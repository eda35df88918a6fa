/**
 * How much Wasm files grow when their loops can be stopped, and how fast the rewriter is: a table in Markdown.
 *
 *     node bench/growth.mjs                 the packages of the compatibility suite, and some fixtures
 *     node bench/growth.mjs FILE.wasm ...
 */

import { readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { NotRewritten, rewrite } from "../tests/fuzz/plain_wasm.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["rust/fixtures", "tests/compat/node_modules"];
/** Of the fixtures' builds, one is enough. */
const FIXTURES = /fixtures\/(bank|faults|kernels|loops|values)\/pkg\/(abort|unwind)\//;
/** Times are the best of so many. */
const ROUNDS = 3;

function* findFiles() {
  const sizes = new Set();
  for (const folder of FOLDERS) {
    for (const name of readdirSync(`${ROOT}/${folder}`, { recursive: true }).map(String).sort()) {
      const file = `${ROOT}/${folder}/${name}`;
      if (!name.endsWith(".wasm") || (file.includes("fixtures/") && !FIXTURES.test(file))) continue;
      const size = readFileSync(file).length;
      // Packages bring the same program for several bundlers.
      if (!sizes.has(size)) yield file;
      sizes.add(size);
    }
  }
}

/** @param {number} bytes */
const kilobytes = (bytes) => Math.round(bytes / 1000).toLocaleString("en");

/** @param {number} before @param {number} after */
const growth = (before, after) => `${((after / before - 1) * 100).toFixed(1)} %`;

/** @param {string} file @returns {string[]} the row */
function measure(file) {
  const bytes = readFileSync(file);
  const times = [];
  let rewritten = bytes;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    rewritten = Buffer.from(rewrite(bytes));
    times.push(performance.now() - began);
  }
  const [small, smallRewritten] = [bytes, rewritten].map((data) => gzipSync(data).length);
  return [
    kilobytes(bytes.length),
    growth(bytes.length, rewritten.length),
    growth(small, smallRewritten),
    (bytes.length / 1000 / Math.min(...times)).toFixed(0),
  ];
}

console.log("| file | kB | grows by | compressed | MB/s |\n| --- | ---: | ---: | ---: | ---: |");
const files = process.argv.length > 2 ? process.argv.slice(2) : findFiles();
for (const file of files) {
  const name = relative(ROOT, file).replace(/^.*(fixtures|node_modules)\//, "");
  try {
    console.log(`| ${[name, ...measure(file)].join(" | ")} |`);
  } catch (error) {
    if (!(error instanceof NotRewritten)) throw error;
    console.log(`| ${name} | ${error.message} | | | |`);
  }
}
