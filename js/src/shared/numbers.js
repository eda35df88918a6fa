/**
 * Which JavaScript numbers a Wasm parameter takes without a change. The engine itself would wrap 2**40 into an i32, and
 * cut 2.5 down to 2.
 */

/**
 * @param {string} kind of a parameter, see types.d.ts
 * @param {unknown} value
 */
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

/** @param {string} kind */
export function isNumeric(kind) {
  return kind === "i32" || kind === "float" || kind === "bool";
}
