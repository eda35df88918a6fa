// A Pyodide in Node: a request on each line of standard input, an outcome on each line of standard output, as JSON.
// unpanic_tools/testing/node.py drives it.

import { readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { prepared } from "./guest.mjs";

const { pyodide: folder, root } = JSON.parse(process.argv[2]);
const tell = (outcome) => process.stdout.write(`${JSON.stringify(outcome)}\n`);

// As in a browser, an error that nobody catches is told, and ends nothing.
for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (error) => tell({ uncaught: error?.stack ?? `${error}` }));
// Node lacks this function.
globalThis.reportError = (error) =>
  queueMicrotask(() => {
    throw error;
  });
// Standard output is for outcomes alone.
for (const name of ["debug", "log", "info"]) console[name] = console.error;

/** Makes the project's folders folders of Pyodide's file system, but for those that it has itself. */
function mount(pyodide) {
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (!name.startsWith(".") && statSync(path).isDirectory() && !pyodide.FS.analyzePath(`/${name}`).exists)
      pyodide.mountNodeFS(`/${name}`, path);
  }
}

async function start() {
  const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
  const pyodide = await loadPyodide({ stdout: console.error, stderr: console.error });
  mount(pyodide);
  // Pyodide does not know Node's Buffer.
  return prepared(pyodide, async (path) => new Uint8Array(await readFile(new URL(path, import.meta.url))));
}

const starting = start();
starting.catch(() => {}); // each call says so

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, text] = JSON.parse(line);
  try {
    tell({ text: await (await starting)(verb, text) });
  } catch (error) {
    tell({ fatal: `${error}\n${error?.stack}` });
  }
}
process.exit();
