// Compiles the Python files of a distribution by the Python that will run them: that of the distribution itself.
// The options are JSON in the first argument: the folder, and the folders of pyodide-build and what it imports.

import { pathToFileURL } from "node:url";

const { folder, packages } = JSON.parse(process.argv[2]);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const pyodide = await loadPyodide();
for (const [name, place] of Object.entries(packages)) pyodide.mountNodeFS(`/tools/${name}`, place);
pyodide.mountNodeFS("/distribution", folder);
try {
  pyodide.runPython(`
import sys
from pathlib import Path

sys.path.append("/tools")
from pyodide_build._py_compile import _py_compile_archive_dir

_py_compile_archive_dir(Path("/distribution"), keep=False, verbose=False)
`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exit();
