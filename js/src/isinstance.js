/**
 * `instanceof` for values that come out of a package: a proxy among them may throw
 * when it is asked, and an error that nobody looked at would be no crash.
 *
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
