/**
 * The call of a Wasm export inside a glue function. JSDoc says `number` for every width. The signature of the export
 * and the conversions around its call tell 32-bit integers from floats, so that a number that does not fit is refused
 * instead of wrapped.
 */

import { findNode, isMember, walk } from "./syntax.js";

/** @import {Kind, Signature} from "../types.js" */

// An export of this name reads a public field: wasm-bindgen wrote it, not the author.
const FIELD = /^__wbg_get_/;
// An absent Option<i32> crosses as a float that is no 32-bit integer; in newer glue that is `Number.MAX_SAFE_INTEGER`.
const ABSENT_INTEGER = 0x100000001;
// An absent option of 8 or 16 bits crosses as an i32 that is out of their range.
const ABSENT_SHORT = 0xffffff;

/** @param {any} node */
function isAbsentInteger(node) {
  return node.value === ABSENT_INTEGER || isMember(node, "Number", "MAX_SAFE_INTEGER");
}

/** Reads what the call tells about the parameters and the result of the glue function. */
export class WasmCall {
  /** @param {any} node @param {string} wasmName @param {Map<string, Signature | null>} signatures */
  constructor(node, wasmName, signatures) {
    /** @type {{expression: any, type: string | undefined}[]} */
    this.arguments = [];
    /** @type {string[]} */
    this.results = [];
    this.readsField = false;
    /** Whether there is one. */
    this.isFound = false;
    /** @type {Map<string, any>} locals such as `const val0 = BigInt.asIntN(64, amount)` */
    this.locals = new Map();
    /** @type {any} */
    this.node = node;
    this.wasmName = wasmName;
    walk(node, (inner) => {
      if (inner.type === "VariableDeclarator" && inner.id.type === "Identifier" && inner.init) {
        this.locals.set(inner.id.name, inner.init);
      }
      if (inner.type !== "CallExpression" || !isMember(inner.callee, wasmName)) return;
      const name = inner.callee.property.name;
      // The glue also calls the allocator.
      if (!signatures.has(name) || /^__(wbindgen|externref)_/.test(name)) return;
      this.isFound = true;
      // A module that came compiled tells no signatures. Conversions still tell integers of 64 bits.
      this.readsField = FIELD.test(name);
      const { params, results } = signatures.get(name) ?? { params: [], results: [] };
      this.results = results;
      this.arguments = inner.arguments.map((/** @type {any} */ expression, /** @type {number} */ index) => ({
        expression,
        type: params[index],
      }));
    });
  }

  /** @param {string} name @param {Kind} documented the kind that JSDoc tells @returns {Kind} */
  parameterKind(name, documented) {
    if (documented.name === "string" && this.takesCharacter(name)) return { name: "char" };
    if (!["number", "bigint", "unknown"].includes(documented.name)) return documented;
    if (this.takesHighHalf(name)) return { name: "int128" };
    for (const { expression, type } of this.arguments) {
      const carried = this.carrier(expression, name);
      if (!carried) continue;
      if (carried !== "plain") return { name: carried };
      // If JSDoc says nothing, a declaration may tell the type.
      if (type === "i32") return { name: documented.name === "unknown" ? "word" : "i32" };
      if (type === "i64") return { name: "int64" };
      if (type === "f64" || type === "f32") return { name: "float" };
    }
    return documented;
  }

  /** Is an object moved into Rust: `part.__destroy_into_raw()`? @param {string} name */
  consumes(name) {
    return Boolean(
      findNode(
        this.node,
        (inner) => inner.type === "CallExpression" && isMember(inner.callee, name, "__destroy_into_raw"),
      ),
    );
  }

  /** Do 128 bits cross: `value >> BigInt(64)`? @param {string} name */
  takesHighHalf(name) {
    return findNode(this.node, ({ operator, left, right }) => operator === ">>" && left.name === name && right.callee);
  }

  /**
   * Does Rust write into an array (`&mut [T]`)? Then the array goes to Rust beside a copy of its elements, or is set
   * from the copy afterwards.
   * @param {string} name
   */
  writes(name) {
    const isIt = (/** @type {any} */ node) => node?.name === name;
    const lent = this.arguments.some(
      ({ expression: it }) => isIt(it) || (!it.arguments?.[1] && isIt(it.arguments?.[0])),
    );
    return Boolean(this.copies(name) && (lent || findNode(this.node, (inner) => isMember(inner, name, "set"))));
  }

  /** Are the elements of an array copied: `passArray8ToWasm0(values, wasm.__wbindgen_malloc)`? @param {string} name */
  copies(name) {
    return Boolean(
      findNode(
        this.node,
        ({ arguments: args }) => args?.[1] && args[0]?.name === name && isMember(args[1], this.wasmName),
      ),
    );
  }

  /** Is only the first character of a string taken: `value.codePointAt(0)`? @param {string} name */
  takesCharacter(name) {
    return findNode(
      this.node,
      (inner) => inner.type === "CallExpression" && isMember(inner.callee, name, "codePointAt"),
    );
  }

  /**
   * How an argument carries a parameter: as it is, or through a conversion.
   * @param {any} expression @param {string} name
   * @param {string[]} [seen] locals on the way here
   * @returns {"plain" | "int16" | "s32" | "u32" | "i64" | "u64" | null} null: it does not
   */
  carrier(expression, name, seen = []) {
    switch (expression?.type) {
      case "Identifier":
        if (expression.name === name) return "plain";
        if (seen.includes(expression.name)) return null;
        return this.carrier(this.locals.get(expression.name), name, [...seen, expression.name]);
      case "UnaryExpression":
        return this.carrier(expression.argument, name, seen);
      case "ConditionalExpression": {
        const carried = this.carrier(expression.alternate, name, seen);
        return carried === "plain" && expression.consequent.value === ABSENT_SHORT ? "int16" : carried;
      }
      case "BinaryExpression":
        if (!/^>>/.test(expression.operator) || !this.carrier(expression.left, name, seen)) return null;
        return expression.operator === ">>>" ? "u32" : "s32";
      case "CallExpression": {
        if (isMember(expression.callee, "BigInt")) {
          if (!this.carrier(expression.arguments[1], name, seen)) return null;
          return expression.callee.property.name === "asUintN" ? "u64" : "i64";
        }
        return isMember(expression.callee, "Math", "fround") ? this.carrier(expression.arguments[0], name, seen) : null;
      }
      default:
        return null;
    }
  }

  /** @param {Kind} documented the kind that JSDoc tells @returns {Kind} */
  resultKind(documented) {
    if (documented.name !== "number" && documented.name !== "unknown") return documented;
    // `ret === ABSENT ? undefined : ret` stands in results only.
    const maybeAbsent = findNode(this.node, (inner) => inner.operator === "===" && isAbsentInteger(inner.right));
    if (maybeAbsent) return { name: "i32" };
    const readsFloat = findNode(
      this.node,
      (inner) => inner.type === "Identifier" && /^getFloat(32|64)/.test(inner.name),
    );
    if (readsFloat || this.results.some((type) => type === "f64" || type === "f32")) return { name: "float" };
    if (documented.name === "unknown")
      return this.results[0] === "i32" && !this.results[1] ? { name: "word" } : documented;
    return { name: this.results.length ? "i32" : "number" };
  }
}
