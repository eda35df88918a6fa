/** From the runtime's records to the fields of messages for Python (types.d.ts). */

import { describeThrown, isAllLibrary, ON_PURPOSE } from "../../diagnosis/diagnosis.js";
import { abovePython } from "../../diagnosis/engines.js";
import { rustFrames } from "../../diagnosis/stack.js";
import { GlueError } from "../../shared/errors.js";
import { isInstance } from "../../shared/isinstance.js";
import { CallbackError } from "./raising.js";

/** @import {Death, DeathMessage, DetailsFields, Diagnosis, DiagnosisFields, ErrorFields} from "../../types.js" */
/** @import {Export} from "../../diagnosis/symbols.js" */

/** The fields for a generation that was reset: nothing went wrong. @type {DiagnosisFields} */
const NOTHING = /** @type {any} */ (Array(9).fill(undefined));

/**
 * @param {Death} death
 * @param {boolean} clear is no frame of the module left?
 * @param {(diagnosis: Diagnosis) => DiagnosisFields} read
 * @returns {DeathMessage}
 */
export function deathMessage(death, clear, read) {
  const { diagnosis, call, generation, activation, suspects, isCertain, interrupted } = death;
  const facts = diagnosis ? read(diagnosis) : NOTHING;
  return [...facts, call, generation, activation !== 0, clear, idsOf(suspects), idsOf(interrupted), isCertain];
}

/** @param {{id: number}[]} calls @returns {number[] | undefined} undefined crosses more cheaply than an empty list */
function idsOf(calls) {
  return calls.length ? calls.map(({ id }) => id) : undefined;
}

/**
 * @param {Diagnosis} diagnosis
 * @param {Map<string, Export>} [exports] of the module, by their symbols
 * @returns {DiagnosisFields}
 */
export function diagnosisFields({ kind, code, message, payload, location, stack, quoted, thrown }, exports) {
  const { file, line, column } = location ?? {};
  const cause = thrown && (code === ON_PURPOSE ? errorFields(thrown.value) : causeOf(thrown.value));
  const isOfLibrary = isInLibrary(file) || (kind === "timeout" && isAllLibrary(stack));
  const text = new StackText(stack, quoted, exports, isOfLibrary);
  return [kind, code, message, payload, file, line, column, text, cause];
}

/** Is that a file of the standard library? @param {string} [file] */
function isInLibrary(file = "") {
  return /(?:^|\/)library\/(?:std|core|alloc)\/src\//.test(file);
}

/**
 * A stack text that Python reads when somebody asks for it: to convert its thousands of characters takes as long as
 * making a generation.
 */
class StackText {
  /**
   * @param {string} stack
   * @param {string} [quoted] stacks that stood in the message
   * @param {Map<string, Export>} [exports] of the module
   * @param {boolean} [isInLibrary] whether the place of the panic or of the stop is in the standard library
   */
  constructor(stack, quoted = "", exports, isInLibrary) {
    this.stack = stack;
    this.quoted = quoted;
    this.exports = exports;
    this.isInLibrary = isInLibrary;
  }

  text() {
    return [abovePython(this.stack), this.quoted].filter(Boolean).join("\n\n");
  }

  /** Names of the Rust functions, one in each line, innermost first. */
  functions() {
    return rustFrames(abovePython(this.stack), this.exports, this.isInLibrary)
      .map((frame) => frame.function)
      .join("\n");
  }
}

/**
 * The value that flew through Rust frames, as the cause of the crash: the Python exception of a callback, or a copy of
 * the error.
 * The original could pin a dead instance.
 * @param {any} thrown
 */
function causeOf(thrown) {
  if (isInstance(thrown, CallbackError)) return thrown.exception;
  const copy = new Error(describeThrown(thrown));
  if (isInstance(thrown, Error)) copy.name = thrown.name;
  copy.stack = isInstance(thrown, Error) ? thrown.stack : "";
  return copy;
}

/**
 * A thrown value. Of unpanic's own errors one can be among them, and is told by its name: the glue called what the Wasm
 * file lacks.
 * @param {any} error @returns {ErrorFields}
 */
export function errorFields(error) {
  if (isInstance(error, CallbackError)) return [undefined, error.exception, error.message, undefined];
  if (isInstance(error, GlueError)) return [undefined, error.name, error.message, undefined];
  const text = describeThrown(error);
  return isInstance(error, Error) ? [text, undefined, text, detailsOf(error)] : [error, undefined, text, undefined];
}

/** These are told apart from the other properties. */
const TOLD = new Set(["name", "message", "stack", "cause"]);

/**
 * Reads what an `Error` tells besides its text. A property that throws when it is read is left out.
 * @param {any} error @returns {string | DetailsFields} mostly the name is all
 */
function detailsOf(error) {
  const read = (/** @type {string} */ key) => {
    try {
      return [error[key]];
    } catch {
      return [];
    }
  };
  const name = String(read("name")[0] ?? "");
  const own = keysOf(error).filter((key) => !TOLD.has(key) && read(key).length);
  const cause = Object.getOwnPropertyDescriptor(error, "cause") ? read("cause") : [];
  return own.length + cause.length ? [name, own, own.map((key) => read(key)[0]), cause] : name;
}

/** @param {object} error which may be a proxy that throws when it is looked at */
function keysOf(error) {
  try {
    return Object.keys(error);
  } catch {
    return [];
  }
}
