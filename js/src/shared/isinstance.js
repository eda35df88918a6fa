/**
 * Questions about values that come from a package. A proxy may throw when it is asked, so these functions answer for
 * any value and never throw.
 */

/**
 * `instanceof`.
 * @template T
 * @param {unknown} value
 * @param {abstract new (...args: any[]) => T} type
 * @returns {value is T}
 */
export function isInstance(value, type) {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/**
 * The items of an array; null for anything else, and for an array that throws when it is read.
 * @param {unknown} value
 * @returns {unknown[] | null}
 */
export function itemsOf(value) {
  try {
    return Array.isArray(value) ? [...value] : null;
  } catch {
    return null;
  }
}
