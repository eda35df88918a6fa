import { loadPyodide } from "pyodide";
import * as runtime from "unpanic/runtime";

import program from "./main.py?raw";
import declarations from "./pkg/bank.d.ts?raw"; // a minifier removes names and types from the glue
import * as glue from "./pkg/bank.js";
import wasm from "./pkg/bank_bg.wasm?url";

const folder = import.meta.env.DEV ? "node_modules/pyodide/" : "pyodide/";
const pyodide = await loadPyodide({ indexURL: new URL(folder, document.baseURI).href });
await pyodide.loadPackage(new URL("unpanic-0.1.0-py3-none-any.whl", document.baseURI).href);
const types = URL.createObjectURL(new Blob([declarations]));
pyodide.registerJsModule("unpanic_runtime", runtime);
pyodide.registerJsModule("bundle", { glue, types, wasm });
await pyodide.runPythonAsync(program, { filename: "main.py" });
