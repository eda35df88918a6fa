/**
 * Which JavaScript numbers a Wasm parameter takes without a change. The engine itself would wrap 2**40 into an i32, and
 * cut 2.5 down to 2.
 */

/** @import {Kind} from "../types.js" */

/** @param {Kind["name"]} kind the name of a parameter's kind @param {unknown} value */
export function fits(kind, value) {
  switch (kind) {
    case "i32":
      // The glue does not tell u32 from i32: either range is taken.
      return typeof value === "number" && ((value | 0) === value || value >>> 0 === value);
    case "float":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    default:
      return false;
  }
}

/** @param {Kind} kind */
export function isNumeric({ name }) {
  return name === "i32" || name === "float" || name === "bool";
}
