/**
 * Kinds that the runtime itself names, besides those that it reads from glue. `Kind` in types.d.ts says what a kind is.
 */

/** @import {Kind, Parameter} from "../types.js" */

/** The kind of a value of which nothing is known. @type {Kind} */
export const UNKNOWN = Object.freeze({ name: "unknown" });

/**
 * A parameter that takes an object by its number.
 * @param {string} name @param {string} className @returns {Parameter}
 */
export function objectParameter(name, className) {
  return { name, kind: { name: "object", className }, optional: false, rest: false, consumes: false };
}
