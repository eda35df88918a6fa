/**
 * Wrappers: functions and classes of a package that are not wasm-bindgen's. They are JavaScript around Rust, so
 * JavaScript's rules hold for them: parameters may be left out, and objects have fields of their own.
 */

import { UNKNOWN } from "../shared/kinds.js";
import { isClass, isFunction } from "./syntax.js";

/** @import {FunctionDescription, Glue, Kind, Parameter, Signature} from "../types.js" */

// wasm-bindgen gives such members to its classes, or frees their objects by such an export.
const RUSTS = /\b__destroy_into_raw\(|\bstatic __wrap\(|\.__wbg_\w+_free\(/;

/**
 * Is it known how this file calls Rust? If no call of an export is found, nothing tells what is wasm-bindgen's.
 * @param {Glue} glue @param {Map<string, Signature | null>} signatures of the exports
 */
export function seesRust(glue, signatures) {
  // A walk through the tree would take as long as to describe all exports.
  const call = new RegExp(`[^\\w$.]${glue.wasmName.replaceAll("$", "\\$")}\\.(\\w+)\\(`, "g");
  for (const [, name] of glue.source.matchAll(call)) {
    if (signatures.has(name) && !/^__(wbindgen|externref)_/.test(name)) return true;
  }
  return false;
}

/**
 * Is that a class that the package's author wrote, even if it inherits from one of wasm-bindgen's?
 * @param {any} node @param {string} source of the glue
 */
export function isOwnClass(node, source) {
  return !RUSTS.test(source.slice(node.start, node.end));
}

/**
 * The fields that a class gives to its objects and to itself, some of them more than once: `this.x = …`, `x = …`,
 * `static x = …`.
 * @param {any} node the class
 * @returns {{name: string, isStatic: boolean}[]}
 */
export function ownFields(node) {
  return node.body.body.flatMap((/** @type {any} */ { type, key, computed, value, static: isStatic }) => {
    const isField = type === "PropertyDefinition" && key.type === "Identifier" && !computed && !isFunction(value);
    const names = isStatic || !value ? [] : assigned(value.body ?? value);
    return [...(isField ? [{ name: key.name, isStatic }] : []), ...names.map((name) => ({ name, isStatic: false }))];
  });
}

/** The names of `this.x = …`, where `this` is the object of the class. @param {any} code @returns {string[]} */
function assigned(code) {
  const names = [];
  const waiting = [code];
  while (waiting.length) {
    const node = waiting.pop();
    const { type, property, object, computed } = node.left ?? {};
    if (node.type === "AssignmentExpression" && type === "MemberExpression" && object.type === "ThisExpression") {
      if (!computed && property.type === "Identifier") names.push(property.name);
    }
    // Other functions have another `this`.
    if (isClass(node) || (isFunction(node) && node.type !== "ArrowFunctionExpression")) continue;
    for (const child of Object.values(node).flat().reverse()) if (typeof child?.type === "string") waiting.push(child);
  }
  return names;
}

/** The getter and the setter of a field. @param {string} name @returns {FunctionDescription[]} */
export function field(name) {
  const own = { name, isAsync: false, doc: "", isWrapper: true };
  const value = { name: "value", kind: UNKNOWN, optional: false, rest: false, consumes: false, shared: true };
  return [
    { ...own, params: [], result: UNKNOWN, isField: true },
    { ...own, params: [value], result: { name: "void" } },
  ];
}

/** A setter: its value is no argument that may be left out. @param {FunctionDescription} setter */
export function given(setter) {
  if (setter.isWrapper) for (const param of setter.params) param.optional = false;
  return setter;
}

/**
 * A parameter of a function that is not wasm-bindgen's. JavaScript's rules hold for it: it may be left out, and what it
 * gets may be kept.
 * @param {Parameter} param
 */
export function asWrapped(param) {
  return { ...param, kind: withoutObjects(param.kind), optional: !param.rest, consumes: false };
}

/**
 * Objects cross by themselves where no Rust takes or gives them: only what Rust gives is always a new one, with one
 * owner.
 * @param {Kind} kind @returns {Kind}
 */
export function withoutObjects(kind) {
  const isObject = kind.name === "object" || (kind.name === "list" && kind.element === "object");
  return isObject ? { name: "any" } : kind;
}
