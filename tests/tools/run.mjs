// Runs Python in Pyodide under Node, with wheels installed: node run.mjs FOLDER-OF-PYODIDE FILE.py WHEEL…

import { readFile } from "node:fs/promises";

const [folder, file, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
const pyodide = await loadPyodide();
for (const wheel of wheels) pyodide.unpackArchive(new Uint8Array(await readFile(wheel)), "wheel");
try {
  await pyodide.runPythonAsync(await readFile(file, "utf8"));
} catch (error) {
  // Node itself would print the line of Pyodide's code, which is a megabyte.
  console.error(error.message);
  process.exit(1);
}
