/**
 * How a Python exception crosses JavaScript. There are two ways, because it goes to two places.
 *
 * 1. To the Python code that called Rust. A JavaScript function that calls a Python function which raises gives its own
 *    Python caller that very exception, but on the way Pyodide formats the whole traceback (0.5 ms). It finds the
 *    exception again by its address, which it compares with that of `sys.last_exc`. So Python raises nothing: it sets
 *    `sys.last_exc` and gives the address (`throw` in py/unpanic/_bridge/crashes.py), and JavaScript throws an error
 *    that carries nothing else (30 µs). JavaScript that catches it on the way sees an ordinary `PythonError`.
 *    https://github.com/pyodide/pyodide/blob/main/src/core/error_handling.ts
 * 2. To JavaScript and Rust, which called a Python function or await a promise of Python's. They get a `CallbackError`
 *    with a text, which carries the exception: where it comes back to Python, it is that exception again.
 *
 * A handler whose result is an address says by 0 that it raised nothing. One whose result can be any value (`decline`,
 * `called`) gives a `Raised` in the place of the value.
 */

// Pyodide shows the stack of what it catches down to its own frames, and every version takes this one for its own.
const EMPTY_STACK = "Error\n    at wasm-function:1:1";

/**
 * A maker of errors that Pyodide takes for the exception in `sys.last_exc`. They are of its class but skip its
 * constructor, which captures the whole stack.
 * @param {Function} PythonError Pyodide's
 * @returns {new (address: number) => Error} address: of `sys.last_exc`
 */
export function throwableClass(PythonError) {
  /** @this {any} @param {number} address */
  function Throwable(address) {
    this.__error_address = address;
    this.stack = EMPTY_STACK;
    this.message = "a Python exception raised by unpanic";
  }
  Throwable.prototype = PythonError.prototype;
  return /** @type {any} */ (Throwable);
}

/** A Python exception on its way through JavaScript and Rust: they see its text, Python gets it back. */
export class CallbackError extends Error {
  /**
   * @param {string} text @param {any} exception PyProxy; null: unpanic itself says something
   * @param {boolean} [endsProgram] whether it is one like `KeyboardInterrupt`, which nobody should ignore
   */
  constructor(text, exception, endsProgram = false) {
    super(text);
    this.name = "PythonError";
    this.exception = exception;
    this.endsProgram = endsProgram;
  }
}

/** A Python function that raised gives this instead of a value. */
export class Raised {
  /** @param {Error} error to be thrown where the value was asked for */
  constructor(error) {
    this.error = error;
  }
}
