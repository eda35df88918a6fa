// Some functions exist in several copies, because one function for all cases would be slower. This script writes the
// copies: from each `name.template.js` in src/ it makes the file `name.js` beside it, which is committed and bundled.
//
//     node js/expand.mjs     (js/build.mjs does the same)
//
// A template is JavaScript with comments that tell this script what to copy:
//
//     // @copies for 0, 1, 2 arguments
//         The lines up to `// @end` are the `default:` branch of a switch, which takes `...args`. The script inserts a
//         branch before it for each of these numbers, with that number of parameters.
//     // @block path
//         Gives a name to the lines up to `// @end`.
//     // @insert path with A as B
//         Inserts the lines of that name, with B in the place of A. There may be `and C as D`.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("src/", import.meta.url));
const SUFFIX = ".template.js";
const PARAMETERS = ["a", "b", "c", "d"];

/** Returns the templates in src/, as paths below it. */
export function templates() {
  return readdirSync(SOURCES, { recursive: true }).filter((path) => path.endsWith(SUFFIX));
}

/** Returns the file of a template's expansion. @param {string} path of a template below src/ */
export function placeOf(path) {
  return `${SOURCES}${path.slice(0, -SUFFIX.length)}.js`;
}

/** Returns the text of a template's expansion. @param {string} path of a template below src/ */
export function expand(path) {
  const name = path.split("/").at(-1);
  const head = `// Written by js/expand.mjs from ${name}: change that file.\n\n`;
  return head + expandText(readFileSync(SOURCES + path, "utf8"));
}

/** @param {string} text of a template */
export function expandText(text) {
  return insertBlocks(insertCopies(text));
}

/** @param {string} text */
function insertCopies(text) {
  return text.replace(/^ *\/\/ @copies for (.*) arguments\n([\s\S]*?)^ *\/\/ @end\n/gm, (_, counts, branch) => {
    const copies = counts.split(", ").map((/** @type {string} */ count) => withParameters(branch, Number(count)));
    return copies.join("") + branch;
  });
}

/** @param {string} branch of a switch, the default one @param {number} count of its arguments */
function withParameters(branch, count) {
  const names = PARAMETERS.slice(0, count);
  return branch
    .replace("default:", `case ${count}:`)
    .replace("/** @type {unknown[]} */ ...args", names.map((name) => `/** @type {unknown} */ ${name}`).join(", "))
    .replaceAll("...args", names.join(", "));
}

/** @param {string} text */
function insertBlocks(text) {
  /** @type {Map<string, string>} */
  const blocks = new Map();
  const withoutMarks = text.replace(/^ *\/\/ @block (\w+)\n([\s\S]*?)^ *\/\/ @end\n/gm, (_, name, lines) => {
    blocks.set(name, lines);
    return lines;
  });
  return withoutMarks.replace(/^( *)\/\/ @insert (\w+) with (.*)\n/gm, (_, indent, name, words) => {
    let block = blocks.get(name);
    for (const pair of words.split(" and ")) {
      const [from, to] = pair.split(" as ");
      if (!block?.includes(from)) throw new Error(`There is no block ${name} with ${from} in it.`);
      block = block.replaceAll(from, to);
    }
    return /** @type {string} */ (block).replaceAll(/^ {2}/gm, indent);
  });
}

/** Writes the expansions that have changed. */
export function expandAll() {
  for (const path of templates()) {
    const text = expand(path);
    if (readFileSync(placeOf(path), "utf8") !== text) writeFileSync(placeOf(path), text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) expandAll();
