/**
 * Which JavaScript numbers a Wasm parameter takes without changing them. The
 * engine itself would wrap 2**40 into an i32 and cut 2.5 down to 2.
 */

/** @type {Record<string, [number, number]>} of integers whose Rust type is known */
const RANGES = {};
for (const bits of [8, 16, 32]) {
  RANGES[`u${bits}`] = [0, 2 ** bits - 1];
  RANGES[`s${bits}`] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

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
      const [low, high] = RANGES[kind] ?? [1, 0];
      return Number.isInteger(value) && /** @type {number} */ (value) >= low && /** @type {number} */ (value) <= high;
  }
}

/** @param {string} kind */
export function isNumeric(kind) {
  return kind === "i32" || kind === "float" || kind === "bool" || kind in RANGES;
}
