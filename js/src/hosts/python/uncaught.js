/**
 * Short stacks for exceptions that leave Python uncaught. Pyodide makes an error of such an exception: its text is
 * Python's traceback, and its stack has some twenty frames of the interpreter. Consoles and test runners print the
 * stack. For unpanic's exceptions the text tells everything, down to the Rust line, so the frames are left out.
 *
 * Pyodide has no option for that. It makes these errors of a class that its private `_api` holds, which is replaced
 * here; where a version of Pyodide has no such class there, nothing changes.
 */

import { isInterpreterFrame } from "../../diagnosis/engines.js";

/**
 * @param {any} api Pyodide's `_api`
 * @param {string[]} names of the Python classes whose errors are ours
 */
export function shortenErrors(api, names) {
  const PythonError = api?.PythonError;
  if (typeof PythonError !== "function" || PythonError.isShortened) return;
  const ours = new Set(names);
  api.PythonError = class extends PythonError {
    static isShortened = true;

    /** @param {string} type @param {string} message @param {number} address */
    constructor(type, message, address) {
      super(type, message, address);
      if (ours.has(type)) this.stack = withoutInterpreter(String(this.stack), message);
    }
  };
}

/**
 * @param {string} stack
 * @param {string} message which V8 puts before the frames: its lines stay
 */
function withoutInterpreter(stack, message) {
  const begin = stack.indexOf(message);
  const head = begin < 0 ? "" : stack.slice(0, begin + message.length);
  const frames = stack.slice(head.length).split("\n");
  return head + frames.filter((line) => !isInterpreterFrame(line)).join("\n");
}
