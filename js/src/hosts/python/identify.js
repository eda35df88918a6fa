/**
 * What a value of JavaScript's is to Python, if it is neither data nor a number: an object of Rust's, a callback, a
 * date.
 */

import { isInstance } from "../../shared/isinstance.js";
import { errorFields } from "./fields.js";

/** @import {SupervisedModule} from "../../module/module.js" */
/** @import {Callbacks} from "./callbacks.js" */

/**
 * @typedef {{number: number, module: SupervisedModule, callbacks: Callbacks}} Maker what a driver shows of its module
 */

/** The drivers of all modules: what one module made may come back from another one. @type {Set<WeakRef<Maker>>} */
const drivers = new Set();

/** @param {WeakRef<Maker>} reference */
export function enter(reference) {
  drivers.add(reference);
}

/** @param {WeakRef<Maker>} reference */
export function remove(reference) {
  drivers.delete(reference);
}

/**
 * @param {any} value @param {Maker} driver of the module that gave it
 * @returns {any[] | null} its role, and what belongs to that: a number that stands for it, or what it tells
 */
export function identify(value, driver) {
  const { generation, objects } = driver.module;
  const number = driver.callbacks.numbers.get(value);
  if (number) return ["callback", number];
  try {
    if (isInstance(value, Error)) return ["error", ...errorFields(value)];
    if (isInstance(value, Date)) return ["date", value.getTime()];
    const other = makerOf(value, driver);
    if (other) return ["other", other.number, ...(other.module.objects.register(value) ?? [])];
    const role = roleOf(value);
    return objects.register(value) ?? (role && [role, generation.keep(value), value.rustTypes ?? ""]);
  } catch {
    return null; // a proxy that throws when it is looked at
  }
}

/**
 * Another module that made a value: an object of its classes, or a closure.
 * @param {any} value @param {Maker} driver
 */
function makerOf(value, { module }) {
  if (drivers.size < 2 || isPlain(value) || module.objects.hasMade(value)) return undefined;
  for (const reference of drivers) {
    const other = reference.deref();
    if (!other) drivers.delete(reference);
    else if (other.module.objects.hasMade(value)) return other;
  }
  return undefined;
}

/** Is that data? @param {any} value */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

/** Identifies other things that a module hands out. @param {any} value */
function roleOf(value) {
  if (typeof value === "function") return "closure";
  if (value[Symbol.asyncIterator] || value instanceof ReadableStream) return "asyncIterator";
  return value[Symbol.iterator] && typeof value.next === "function" ? "iterator" : null;
}
