// A Pyodide under Node for tests/node/conftest.py: a JSON request on each line in, a JSON outcome on each line out.

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

const { folder, harness: harnessFile, fixtures, wheel } = JSON.parse(process.argv[2]);

/** For `begin_test` of harness.py: makes of an error an uncaught one. That ends the process. */
globalThis.reportLater = (error) =>
  queueMicrotask(() => {
    throw error;
  });
// Node lacks this function.
globalThis.reportError = globalThis.reportLater;

const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
// Standard output is reserved for the outcomes.
const pyodide = await loadPyodide({ stdout: console.error });
pyodide.mountNodeFS("/fixtures", fixtures);
// Pyodide does not know Node's Buffer.
pyodide.unpackArchive(new Uint8Array(await readFile(wheel)), "wheel");
pyodide.FS.writeFile("harness.py", await readFile(harnessFile));
const harness = pyodide.pyimport("harness");

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, text] = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await harness[verb](text))}\n`);
}
process.exit();
