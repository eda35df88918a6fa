import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

const PYODIDE = ["pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip"];

/** Pyodide looks for its files by their names, so they are copied unchanged beside the bundle. */
const pyodideFiles = {
  name: "pyodide-files",
  generateBundle() {
    for (const file of PYODIDE) {
      const source = readFileSync(new URL(`node_modules/pyodide/${file}`, import.meta.url));
      this.emitFile({ type: "asset", fileName: `pyodide/${file}`, source });
    }
  },
};

export default defineConfig({
  base: "./", // works in any folder of a host
  plugins: [pyodideFiles],
  optimizeDeps: { exclude: ["pyodide"], include: ["unpanic/runtime"] },
});
