// What is the same in a browser and in Node: the verbs that guest.py does not have.

import { install } from "./inject.mjs";

// Files of Python, by the names that they have in Pyodide.
const FILES = { unpanic_injecting: "injecting.py", unpanic_guest: "guest.py" };

/**
 * Puts the plugin's Python into a Pyodide.
 * @param {object} pyodide
 * @param {(url: string) => Promise<ArrayBuffer | Uint8Array>} bytes reads a file of this folder, or a wheel
 * @returns {Promise<(verb: string, text: string) => Promise<string>>} calls a verb of guest.py, or `install` with the
 *   address of a wheel, or `register` with a name and the address of a file of JavaScript, as JSON, or `watch`: from
 *   then on, until the test has ended, calls of modules that are loaded can be made to die
 */
export async function prepared(pyodide, bytes) {
  install();
  for (const [name, file] of Object.entries(FILES))
    pyodide.FS.writeFile(`${name}.py`, new Uint8Array(await bytes(file)));
  const guest = pyodide.pyimport("unpanic_guest");
  const verbs = {
    async install(url) {
      pyodide.unpackArchive(await bytes(url), "wheel");
      return "";
    },
    async register(text) {
      const [name, url] = JSON.parse(text);
      pyodide.registerJsModule(name, await import(url));
      return "";
    },
    async watch() {
      globalThis.unpanicInject.watch();
      return "";
    },
  };
  return async (verb, text) => (verbs[verb] ?? guest[verb])(text);
}
