/**
 * Which JavaScript numbers a Wasm parameter takes without a change. The engine itself would wrap 2**40 into an i32, and
 * cut 2.5 down to 2.
 */

/** @import {Kind} from "../types.js" */

const NUMERIC = /^(i32|float|bool|[iu](8|16)|s32|u32|f32)$/;

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
    case "u8":
      return typeof value === "number" && (value & 0xff) === value;
    case "i8":
      return typeof value === "number" && (value << 24) >> 24 === value;
    case "u16":
      return typeof value === "number" && (value & 0xffff) === value;
    case "i16":
      return typeof value === "number" && (value << 16) >> 16 === value;
    case "u32":
      return typeof value === "number" && value >>> 0 === value;
    case "s32":
      return typeof value === "number" && (value | 0) === value;
    case "f32":
      return typeof value === "number" && !isTooLarge(value);
    default:
      return false;
  }
}

/** Is a finite number beyond the range of an f32, where it would be infinite? @param {number} value */
function isTooLarge(value) {
  return Number.isFinite(value) && !Number.isFinite(Math.fround(value));
}

/** @param {Kind} kind */
export function isFloat({ name }) {
  return name === "float" || name === "f32";
}

/** @param {Kind} kind */
export function isNumeric({ name }) {
  return NUMERIC.test(name);
}
