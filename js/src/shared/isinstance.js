/**
 * Questions about values that come out of a package: a proxy among them may throw when
 * it is asked, and an error that nobody looked at would be no crash.
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
 * The items of an array, or null for anything else; also for an array that throws when it is read.
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
