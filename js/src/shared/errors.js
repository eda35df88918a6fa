/**
 * The errors that plain JavaScript gets. Those of a load go to Python too, which has classes of the same names.
 *
 *     UnpanicError
 *     ├── LoadError ── FetchError, GlueError, CompileError, StartError
 *     ├── Crash                a fatal error; `record` holds what is known
 *     ├── CallInterrupted      in flight when another call crashed
 *     ├── StaleObjectError     made by an earlier generation, freed, or moved
 *     └── ModuleTerminated     no generation will follow
 */

/** @import {CrashRecord, Diagnosis} from "../types.js" */

export class UnpanicError extends Error {
  /** @param {string} message @param {ErrorOptions} [options] */
  constructor(message, options) {
    super(message, options);
    // From the prototype, not from the class: a minifier renames classes.
    this.name = /** @type {any} */ (new.target).errorName;
  }
  static errorName = "UnpanicError";
}

export class LoadError extends UnpanicError {
  /** @override */
  static errorName = "LoadError";
}

export class FetchError extends LoadError {
  /** @override */
  static errorName = "FetchError";
  /**
   * @param {string} message
   * @param {{url: string, status?: number, cause?: unknown}} details
   */
  constructor(message, { url, status, cause }) {
    super(message, { cause });
    this.url = url;
    this.status = status;
  }
}

export class GlueError extends LoadError {
  /** @override */
  static errorName = "GlueError";
}

export class CompileError extends LoadError {
  /** @override */
  static errorName = "CompileError";
  /** What the rewriter says about a file that it refuses; else empty. */
  reason = "";
}

export class StartError extends LoadError {
  /** @override */
  static errorName = "StartError";
  /** @param {string} message @param {Diagnosis} diagnosis */
  constructor(message, diagnosis) {
    super(message);
    this.diagnosis = diagnosis;
  }
}

export class Crash extends UnpanicError {
  /** @override */
  static errorName = "Crash";
  /** @param {string} message @param {CrashRecord} record */
  constructor(message, record) {
    super(message);
    this.record = record;
    this.kind = record.kind;
    this.location = record.location;
  }
}

export class CallInterrupted extends UnpanicError {
  /** @override */
  static errorName = "CallInterrupted";
  /** @param {string} message @param {CrashRecord | null} crash */
  constructor(message, crash) {
    super(message);
    this.crash = crash;
  }
}

export class StaleObjectError extends UnpanicError {
  /** @override */
  static errorName = "StaleObjectError";
}

export class ModuleTerminated extends UnpanicError {
  /** @override */
  static errorName = "ModuleTerminated";
}
