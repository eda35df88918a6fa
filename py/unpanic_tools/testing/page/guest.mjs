// What is the same in a browser and in Node: the verbs that guest.py does not have.

import { generations } from "./generations.mjs";
import { watch } from "./inject.mjs";

// Files of Python, by the names that they have in Pyodide.
const FILES = {
  unpanic_capturing: "capturing.py",
  unpanic_frames: "frames.py",
  unpanic_guest: "guest.py",
  unpanic_injecting: "injecting.py",
  unpanic_measuring: "measuring.py",
  unpanic_plain: "plain.py",
  unpanic_subtests: "subtests.py",
};

/** What was printed, by the name of its stream, since somebody took it. */
const printed = { out: [], err: [] };

/**
 * Keeps what is printed to a stream, and shows it to the page at once: it is all that remains of a test that hangs.
 * Python's own streams stay as they are, because Pyodide reads them to describe an exception.
 */
function kept(name) {
  const decoder = new TextDecoder();
  return {
    write(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      printed[name].push(text);
      for (const line of text.split("\n")) if (line.trim()) console.debug(line);
      return bytes.length;
    },
  };
}

/** Returns what was printed to a stream, and forgets it. */
globalThis.unpanicPrinted = (name) => printed[name].splice(0).join("");

/**
 * Puts the plugin's Python into a Pyodide.
 * @param {object} pyodide
 * @param {(url: string) => Promise<ArrayBuffer | Uint8Array>} bytes reads a file of this folder, or a wheel
 * @returns {Promise<(verb: string, text: string) => Promise<string>>} calls a verb of guest.py, or `install` with the
 *   address of a wheel, or `register` with a name and the address of a file of JavaScript, as JSON, or `watch`: from
 *   then on, until the test has ended, calls of modules that are loaded can be made to die
 */
export async function prepared(pyodide, bytes) {
  pyodide.setStdout(kept("out"));
  pyodide.setStderr(kept("err"));
  for (const [name, file] of Object.entries(FILES))
    pyodide.FS.writeFile(`${name}.py`, new Uint8Array(await bytes(file)));
  const guest = pyodide.pyimport("unpanic_guest");
  // Not all versions of Pyodide choose this folder for a wheel.
  const extractDir = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
  const verbs = {
    async install(url) {
      pyodide.unpackArchive(await bytes(url), "wheel", { extractDir });
      return "";
    },
    ...generations,
    async register(text) {
      const [name, url] = JSON.parse(text);
      pyodide.registerJsModule(name, await import(url));
      return "";
    },
    async watch() {
      watch();
      return "";
    },
  };
  return async (verb, text) => (verbs[verb] ?? guest[verb])(text);
}
