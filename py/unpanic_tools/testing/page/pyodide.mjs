// A Pyodide with the inner half of the plugin (guest.py) in it.

import { install } from "./inject.mjs";

let starting;

async function start() {
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", location.href).href);
  const pyodide = await loadPyodide();
  install();
  pyodide.FS.writeFile("unpanic_guest.py", await (await fetchOk("guest.py")).text());
  return { pyodide, guest: pyodide.pyimport("unpanic_guest") };
}

async function fetchOk(url) {
  const response = await fetch(new URL(url, location.href));
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return response;
}

/**
 * Calls a verb of guest.py, or `install` with the address of a wheel. It never rejects: an error here becomes an
 * outcome which says that this Pyodide is broken.
 */
export async function call(verb, text) {
  try {
    const { pyodide, guest } = await (starting ??= start());
    if (verb === "install") {
      pyodide.unpackArchive(await (await fetchOk(text)).arrayBuffer(), "wheel");
      return { text: "" };
    }
    return { text: await guest[verb](text) };
  } catch (error) {
    return { fatal: `${error}\n${error?.stack}` };
  }
}
