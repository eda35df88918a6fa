import { loadPyodide } from "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/pyodide.mjs";

const starting = start();

async function start() {
  const pyodide = await loadPyodide();
  await pyodide.loadPackage("./unpanic-0.1.0-py3-none-any.whl");
  const source = await fetch("commands.py");
  await pyodide.runPythonAsync(await source.text(), { filename: "commands.py" });
  self.postMessage("ready");
  return pyodide;
}

// This is set before Python has started, so that no message is missed.
self.onmessage = async ({ data: { interrupts, call } }) => {
  const pyodide = await starting;
  if (interrupts) pyodide.setInterruptBuffer(interrupts);
  else self.postMessage(pyodide.globals.get("run")(call));
};
