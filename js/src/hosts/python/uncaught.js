/**
 * What leaves Python uncaught is an error of Pyodide's, whose text is Python's traceback and whose stack are some twenty
 * frames of the interpreter. For our errors the text tells all, down to the Rust line: consoles and test runners print
 * the stack, so those frames go.
 *
 * Pyodide offers no place for that; it makes its errors of a class that its private `_api` holds. Where another version
 * holds none there, everything stays as it is.
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
 * @param {string} message which V8 puts before the frames; its lines are none
 */
function withoutInterpreter(stack, message) {
  const begin = stack.indexOf(message);
  const head = begin < 0 ? "" : stack.slice(0, begin + message.length);
  const frames = stack.slice(head.length).split("\n");
  return head + frames.filter((line) => !isInterpreterFrame(line)).join("\n");
}
