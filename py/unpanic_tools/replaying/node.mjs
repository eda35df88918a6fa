// Runs inside.py in Pyodide. The options are JSON in the first argument, and the answer is JSON on the last line.

import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";

const { pyodide: folder, unpanic, module, capsule, inside, interruptible } = JSON.parse(process.argv[2]);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
// Standard output is for the answer.
const pyodide = await loadPyodide({ stdout: console.error });
// Pyodide does not know Node's Buffer.
const read = async (file) => new Uint8Array(await readFile(file));
pyodide.unpackArchive(await read(unpanic), "wheel");
pyodide.mountNodeFS("/package", dirname(module));
pyodide.FS.writeFile("/capsule", await read(capsule));
pyodide.FS.writeFile("inside.py", await read(inside));
const run = pyodide.pyimport("inside").run;
process.stdout.write(`\n${await run(`/package/${basename(module)}`, "/capsule", interruptible)}\n`);
process.exit();
