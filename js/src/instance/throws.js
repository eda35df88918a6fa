/**
 * Exceptions that an import throws, among them those that Rust throws on purpose: `throw_str`, `throw_val`,
 * `unwrap_throw`, the `Err` of old glue, and what wasm-bindgen itself refuses. To the package's author these are
 * ordinary errors, so they are no crash. But they skip destructors: the frames that such an exception leaves stay on
 * the shadow stack, and what these frames had borrowed stays borrowed.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";

/** @import {Refused} from "../types.js" */

/** An import of this name throws what Rust wants to throw. */
export const THROWS = /^(?:__wbg_)?__wbindgen_(?:re)?throw(?:_(?!critical)|$)/;
const RETHROWS = /rethrow/;

/** In glue with an abort handler, an import of this name wraps what another import threw. */
export const WRAPS = /^(?:__wbg_)?__wbindgen_rethrow_critical/;

// The texts of wasm-bindgen's own errors, which it throws before any code of the author runs.
const REFUSALS = /** @type {[Refused, RegExp][]} */ ([
  [
    "in use",
    /^(?:recursive use of an object detected|attempted to take ownership of Rust value while it was borrowed)/,
  ],
  // The lanes look for such objects first, so this one came twice, or in a list.
  ["gone", /^null pointer passed to rust$/],
  ["closure", /^closure invoked recursively or after being dropped/],
]);

// winit leaves its caller by throwing this, and its callbacks go on using the caller's frames.
const KEEPS_ITS_FRAMES = /^Using exceptions for control flow/;

/** An exception that an import threw. */
export class Thrown {
  /** @param {unknown} error @param {string} name of the import */
  constructor(error, name) {
    this.error = error;
    this.onPurpose = THROWS.test(name);
    this.again = RETHROWS.test(name);
  }

  /**
   * The use that wasm-bindgen refused before any code of the author ran; null: wasm-bindgen refused nothing.
   * @returns {Refused | null}
   */
  get refused() {
    const text = describeThrown(this.error);
    return REFUSALS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
  }

  /** May the frames that it left be given up? */
  get leavesFrames() {
    return !KEEPS_ITS_FRAMES.test(describeThrown(this.error));
  }
}
