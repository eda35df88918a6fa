/**
 * States that leave the page: the memory as it is, and all else as JSON. Of JavaScript's values only plain data can
 * travel, and what every page has: `globalThis`, and the runtime's panic hook.
 */

import { OWN_FUNCTION } from "./points.js";

/** @import {Generation} from "./generation.js" */
/** @import {Point} from "./points.js" */
/** @import {Transaction} from "./transaction.js" */

const CARD = 4096;

/** @typedef {{globals: unknown[], tables: unknown[][], heap: unknown[], nextPlace: number, size: number}} Rest */

/**
 * @param {Generation} generation @param {Point} point of it
 * @returns {{memory: Uint8Array, rest: string}}
 * @throws {TypeError} it holds something that cannot travel; it says what
 */
export function pack({ transaction, panicHook }, point) {
  const encode = (/** @type {unknown} */ value) => encodeValue(value, panicHook);
  const encodeAll = (/** @type {unknown[]} */ values) => values.map(encode);
  const closures = [...point.live].filter(({ copy, target }) => copy !== null && target.deref() !== undefined).length;
  if (closures === 1) throw new TypeError("JavaScript holds a closure of Rust, which calls into this instance");
  if (closures > 0) throw new TypeError(`JavaScript holds ${closures} closures of Rust, which call into this instance`);
  const { globals, tables, heap, nextPlace, memory } = point;
  const rest = { globals: globals.map(encode), tables: tables.map(encodeAll), heap: encodeAll(heap), nextPlace };
  return {
    memory: /** @type {Transaction} */ (transaction).shadow.read(memory),
    rest: JSON.stringify({ ...rest, size: memory.size }),
  };
}

/**
 * @param {any} value @param {Function | null} hook the panic hook
 * @returns {unknown[]} its kind, and what it consists of
 */
function encodeValue(value, hook) {
  if (value === hook && hook !== null) return ["hook"];
  if (value === OWN_FUNCTION) return ["own"];
  if (value === globalThis) return ["global"];
  if (value === null || typeof value === "string" || typeof value === "boolean") return ["", value];
  if (value === undefined) return ["undefined"];
  if (typeof value === "number") return Object.is(value, -0) ? ["number", "-0"] : ["number", String(value)];
  if (typeof value === "bigint") return ["bigint", String(value)];
  if (Array.isArray(value)) return ["array", value.map((part) => encodeValue(part, hook))];
  const prototype = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype === Object.prototype || prototype === null)
    return ["object", Object.entries(value).map(([key, part]) => [key, encodeValue(part, hook)])];
  const name = typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
  throw new TypeError(`Rust holds a JavaScript ${name}, which is no plain data`);
}

/** @param {any[]} encoded @param {Function | null} hook the panic hook @returns {unknown} */
function decodeValue([kind, content], hook) {
  switch (kind) {
    case "hook":
      return hook;
    case "own":
      return OWN_FUNCTION;
    case "global":
      return globalThis;
    case "undefined":
      return undefined;
    case "number":
      return Number(content);
    case "bigint":
      return BigInt(content);
    case "array":
      return content.map((/** @type {any[]} */ part) => decodeValue(part, hook));
    case "object":
      return Object.fromEntries(
        content.map((/** @type {[string, any[]]} */ [key, part]) => [key, decodeValue(part, hook)]),
      );
    default:
      return content;
  }
}

/**
 * The other way round: a point that was not taken here, of which nobody holds anything.
 * @param {Generation} generation @param {Uint8Array} memory @param {string} rest
 * @returns {Point}
 */
export function unpack({ panicHook }, memory, rest) {
  const decode = (/** @type {any[]} */ encoded) => decodeValue(encoded, panicHook);
  const { globals, tables, heap, nextPlace, size } = JSON.parse(rest);
  const cards = new Map();
  for (let at = 0; at < size; at += CARD) cards.set(at / CARD, memory.subarray(at, at + CARD));
  const point = {
    memory: { size, cards },
    globals: globals.map(decode),
    tables: tables.map((/** @type {any[]} */ table) => table.map(decode)),
    heap: heap.map(decode),
    nextPlace,
    retiring: false,
    objects: [],
    live: new Set(),
    lentCount: 0,
    undoneClosures: [],
    // Nothing is in flight, nor queued.
    queued: [],
    nextId: 0,
  };
  return /** @type {Point} */ (/** @type {unknown} */ (point));
}
