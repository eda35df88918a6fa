/**
 * What the glue's exports take and give, read from the JSDoc that wasm-bindgen
 * writes and from the Wasm signatures behind it. JSDoc says `number` for every
 * width; the signature and the glue's own conversions tell 32-bit integers from
 * floats, so that a number that does not fit is refused instead of wrapped.
 */

import { findNode, isClass, isFunction, isMember, walk } from "./syntax.js";

/** @import {ClassDescription, Description, Element, FunctionDescription, Glue, Kind, Parameter, PlainKind, Signature, WasmInterface} from "../types.js" */

// Exported by the glue, but nothing that a user of the Rust module calls.
const INTERNAL = /^(default|initSync|setPanicHook|__unpanic_.*|__wbg_.*|__wbindgen_.*)$/;
// The values of an enum whose variants are strings: `const __wbindgen_enum_Size = ["small", "large"];`
const STRING_ENUM = "__wbindgen_enum_";
const INTERNAL_MEMBER = /^(__|constructor$|free$)/;
// What reads a public field: wasm-bindgen itself writes it.
const FIELD = /^__wbg_get_/;
// How an absent Option<i32> crosses: as a float that no 32-bit integer is, newer glue as `Number.MAX_SAFE_INTEGER`.
const ABSENT_INTEGER = 0x100000001;
// The same of 8 and of 16 bits: an i32 that none of them is.
const ABSENT_SHORT = 0xffffff;

/**
 * @param {Glue} glue
 * @param {WasmInterface} wasm
 * @returns {Description}
 */
export function describe(glue, wasm) {
  const signatures = new Map(wasm.exports.map(({ name, signature }) => [name, signature]));
  const context = new Context(glue, signatures);
  /** @type {Description} */
  const description = { functions: [], classes: [], constants: [], enums: {}, docs: {} };
  for (const [local, { node }] of glue.bindings) {
    const values = local.startsWith(STRING_ENUM) && node.elements;
    if (values)
      description.enums[local.slice(STRING_ENUM.length)] = values.map((/** @type {any} */ { value }) => value);
  }
  const initializers = new Set([glue.init.node, ...glue.init.asyncFunctions]);
  for (const { name, local } of glue.exports) {
    if (!local || INTERNAL.test(name)) continue;
    const node = context.resolve(local);
    if (!node || initializers.has(node)) continue;
    const doc = context.documentation(local);
    if (isFunction(node)) description.functions.push(context.readFunction(name, node, doc));
    else {
      if (isClass(node)) description.classes.push(context.readClass(name, node));
      else description.constants.push(name);
      description.docs[name] = doc;
    }
  }
  for (const name of glue.hiddenClasses) {
    description.classes.push({ ...context.readClass(name, context.resolve(name)), construct: null, hidden: true });
  }
  return description;
}

class Context {
  /** @param {Glue} glue @param {Map<string, Signature | null>} signatures */
  constructor(glue, signatures) {
    this.glue = glue;
    this.signatures = signatures;
    /** Names of parameters say nothing then. */
    this.minified = !/wasm/i.test(glue.wasmName);
    this.names = new Map(glue.exports.map(({ name, local }) => [name, local ? this.resolve(local) : null]));
    for (const name of glue.hiddenClasses) if (!this.names.has(name)) this.names.set(name, this.resolve(name));
  }

  /** @param {string} local @returns {any} the declaring node, through aliases */
  resolve(local) {
    const seen = new Set();
    for (let name = local; ; ) {
      const node = this.glue.bindings.get(name)?.node;
      if (node?.type !== "Identifier" || seen.has(name)) return node;
      seen.add(name);
      name = node.name;
    }
  }

  /** @param {string} local */
  documentation(local) {
    return this.commentBefore(this.glue.bindings.get(local)?.documented ?? -1);
  }

  /** @param {number} position @returns {string} */
  commentBefore(position) {
    const comment = this.glue.comments.findLast(({ end }) => end <= position);
    const adjacent = comment && !this.glue.source.slice(comment.end, position).trim();
    return adjacent ? comment.value : "";
  }

  /**
   * @param {string} name @param {any} node @param {string} jsdoc
   * @returns {FunctionDescription}
   */
  readFunction(name, node, jsdoc) {
    const types = jsdocTypes(jsdoc);
    const call = new WasmCall(node, this.glue.wasmName, this.signatures);
    const returns = types.returns ?? (returnsValue(node) ? "unknown" : "void");
    const promised = /^Promise<(.*)>$/.exec(returns);
    return {
      name,
      params: node.params.map((/** @type {any} */ param, /** @type {number} */ index) => {
        const found = this.readParameter(param, types.params, call);
        return this.minified ? { ...found, name: `arg${index}` } : found;
      }),
      result: promised ? this.valueKind(promised[1]) : call.resultKind(this.valueKind(returns)),
      isAsync: Boolean(promised),
      doc: jsdoc,
      ...(call.readsField && { isField: true }),
    };
  }

  /**
   * @param {any} param @param {Map<string, {type: string, optional: boolean}>} types @param {WasmCall} call
   * @returns {Parameter}
   */
  readParameter(param, types, call) {
    const target = param.type === "AssignmentPattern" ? param.left : param;
    const rest = param.type === "RestElement";
    const name = target.name ?? target.argument?.name ?? "argument";
    const said = types.get(name);
    const kind = this.valueKind(said?.type ?? "unknown");
    return {
      name,
      kind: rest ? { name: "any" } : call.parameterKind(name, kind),
      // A JsValue takes `undefined`, which is what JavaScript passes for an argument that is left out.
      optional: Boolean(said?.optional) || said?.type === "any" || target !== param,
      rest,
      consumes: call.consumes(name) || this.isObjectList(said?.type ?? ""),
      ...(call.writes(name) && { mutable: true }),
      // A declaration may say that what the glue does not tell is a typed array.
      ...((kind.name === "array" || kind.name === "unknown") && !call.copies(name) && { shared: true }),
    };
  }

  /** `Vec<Part>`: the list's objects go into Rust. @param {string} type a JSDoc type */
  isObjectList(type) {
    return isClass(this.names.get(itemOf(type)));
  }

  /** @param {string} name */
  isEnum(name) {
    const node = this.names.get(name);
    return Boolean(node && !isFunction(node) && !isClass(node)) || this.glue.bindings.has(STRING_ENUM + name);
  }

  /**
   * @param {string} type a JSDoc type
   * @returns {Kind}
   */
  valueKind(type) {
    const bare = type
      .replace(/^\{|\}$/g, "")
      .replace(/\s*\|\s*(null|undefined|number\[\]|bigint\[\])(?!\w)/g, "")
      .trim();
    const plain = /** @type {Record<string, PlainKind>} */ ({
      number: "number",
      bigint: "bigint",
      string: "string",
      boolean: "bool",
      void: "void",
      undefined: "void",
      Function: "function",
      unknown: "unknown",
      ReadableStream: "stream",
    });
    if (Object.hasOwn(plain, bare)) return { name: plain[bare] };
    if (bare === "string[]") return { name: "list", element: "string" };
    if (this.isObjectList(bare)) return { name: "list", element: "object", className: itemOf(bare) };
    // As Rust's authors name it in `unchecked_param_type`.
    if (/^[iu](8|16|32|64|128|size)$/.test(bare)) {
      return { name: /** @type {PlainKind} */ (bare.replace("size", "32").replace("i32", "s32")) };
    }
    const array = /^(?:Big)?(Int|Uint|Float)(8|16|32|64)(?:Clamped)?Array$/.exec(bare);
    if (array) return { name: "array", element: /** @type {Element} */ (array[1][0].toLowerCase() + array[2]) };
    if (isClass(this.names.get(bare))) return { name: "object", className: bare };
    if (this.isEnum(bare)) return { name: "enum", className: bare };
    if (this.isEnum(itemOf(bare))) return { name: "list", element: "enum", className: itemOf(bare) };
    if (/^\(.*=>/.test(bare)) return { name: "function" };
    return { name: "any" };
  }

  /**
   * @param {string} name @param {any} node
   * @param {any[]} [derived] the classes that inherit from it; one of them as its own base ends in an error of the glue
   * @returns {ClassDescription}
   */
  readClass(name, node, derived = []) {
    /** @type {ClassDescription} */
    const found = { name, hidden: false, construct: null, methods: [], statics: [], getters: [], setters: [] };
    const base = node.superClass?.type === "Identifier" ? this.resolve(node.superClass.name) : null;
    if (isClass(base) && base !== node && !derived.includes(base)) {
      Object.assign(found, this.readClass(name, base, [...derived, node]));
    }
    for (const member of node.body.body) {
      if (member.type !== "MethodDefinition" || member.key.type !== "Identifier" || member.computed) continue;
      const key = member.key.name;
      const described = () => this.readFunction(key, member.value, this.commentBefore(member.start));
      if (member.kind === "constructor") {
        if (!throwsOnly(member.value)) found.construct = described();
      } else if (INTERNAL_MEMBER.test(key)) continue;
      else if (member.kind === "get") put(found.getters, described());
      else if (member.kind === "set") put(found.setters, described());
      else put(member.static ? found.statics : found.methods, described());
    }
    return found;
  }
}

/** Of what a type is a list, if it is one. @param {string} type @returns {string} */
function itemOf(type) {
  return /^(\w+)\[\]$/.exec(type)?.[1] ?? "";
}

/** Adds a member, in place of one that it overrides. @param {FunctionDescription[]} members @param {FunctionDescription} member */
function put(members, member) {
  const index = members.findIndex(({ name }) => name === member.name);
  if (index < 0) members.push(member);
  else members[index] = member;
}

/** @param {any} fn */
function returnsValue(fn) {
  return Boolean(findNode(fn, (inner) => inner.type === "ReturnStatement" && inner.argument));
}

/** A private constructor: `constructor() { throw new Error("cannot invoke `new` directly"); }` @param {any} fn */
function throwsOnly(fn) {
  return fn.body.body[0]?.type === "ThrowStatement";
}

/**
 * @param {string} jsdoc
 * @returns {{params: Map<string, {type: string, optional: boolean}>, returns: string | null}}
 */
function jsdocTypes(jsdoc) {
  const params = new Map();
  let returns = null;
  for (const line of jsdoc.split("\n")) {
    const tag = /@(param|returns)\s+\{/.exec(line);
    if (!tag) continue;
    const [type, rest] = bracedType(line.slice(tag.index + tag[0].length));
    if (tag[1] === "returns") returns = type;
    else {
      const name = /^\s*(\[?)(?:\.\.\.)?([\w$]+)/.exec(rest);
      if (name) params.set(name[2], { type, optional: Boolean(name[1]) || /\b(null|undefined)\b/.test(type) });
    }
  }
  return { params, returns };
}

/** Splits "number} a" behind its opening brace; types may hold braces. @param {string} text */
function bracedType(text) {
  let depth = 1;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}" && --depth === 0) return [text.slice(0, index), text.slice(index + 1)];
  }
  return [text, ""];
}

/** @param {any} node */
function isAbsentInteger(node) {
  return node.value === ABSENT_INTEGER || isMember(node, "Number", "MAX_SAFE_INTEGER");
}

/** The call of a Wasm export inside a glue function, and how its arguments come from the parameters. */
class WasmCall {
  /** @param {any} node @param {string} wasmName @param {Map<string, Signature | null>} signatures */
  constructor(node, wasmName, signatures) {
    /** @type {{expression: any, type: string | undefined}[]} */
    this.arguments = [];
    /** @type {string[]} */
    this.results = [];
    this.readsField = false;
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
      // The allocator's calls come before the export's own.
      if (!signatures.has(name) || /^__(wbindgen|externref)_/.test(name)) return;
      // A module that came compiled tells no signatures: conversions still tell of 64 bits.
      this.readsField = FIELD.test(name);
      const { params, results } = signatures.get(name) ?? { params: [], results: [] };
      this.results = results;
      this.arguments = inner.arguments.map((/** @type {any} */ expression, /** @type {number} */ index) => ({
        expression,
        type: params[index],
      }));
    });
  }

  /** @param {string} name @param {Kind} said the kind that JSDoc tells @returns {Kind} */
  parameterKind(name, said) {
    if (said.name === "string" && this.takesCharacter(name)) return { name: "char" };
    if (!["number", "bigint", "unknown"].includes(said.name)) return said;
    if (this.takesHighHalf(name)) return { name: "int128" };
    for (const { expression, type } of this.arguments) {
      const carried = this.carrier(expression, name);
      if (!carried) continue;
      if (carried !== "plain") return { name: carried };
      // Of whatever type: a declaration may tell.
      if (type === "i32") return { name: said.name === "unknown" ? "word" : "i32" };
      if (type === "i64") return { name: "int64" };
      if (type === "f64" || type === "f32") return { name: "float" };
    }
    return said;
  }

  /** `part.__destroy_into_raw()` @param {string} name */
  consumes(name) {
    return Boolean(
      findNode(
        this.node,
        (inner) => inner.type === "CallExpression" && isMember(inner.callee, name, "__destroy_into_raw"),
      ),
    );
  }

  /** `value >> BigInt(64)` @param {string} name */
  takesHighHalf(name) {
    return findNode(this.node, ({ operator, left, right }) => operator === ">>" && left.name === name && right.callee);
  }

  /**
   * `&mut [T]`: the array goes to Rust beside a copy of its elements, or is set from them afterwards.
   * @param {string} name
   */
  writes(name) {
    const isIt = (/** @type {any} */ node) => node?.name === name;
    const lent = this.arguments.some(
      ({ expression: it }) => isIt(it) || (!it.arguments?.[1] && isIt(it.arguments?.[0])),
    );
    return Boolean(this.copies(name) && (lent || findNode(this.node, (inner) => isMember(inner, name, "set"))));
  }

  /** `passArray8ToWasm0(values, wasm.__wbindgen_malloc)` @param {string} name */
  copies(name) {
    return Boolean(
      findNode(
        this.node,
        ({ arguments: given }) => given?.[1] && given[0]?.name === name && isMember(given[1], this.wasmName),
      ),
    );
  }

  /** `value.codePointAt(0)`: of a string only the first character is taken. @param {string} name */
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

  /** @param {Kind} said the kind that JSDoc tells @returns {Kind} */
  resultKind(said) {
    if (said.name !== "number" && said.name !== "unknown") return said;
    // `ret === ABSENT ? undefined : ret`: it is compared in results only.
    const maybeAbsent = findNode(this.node, (inner) => inner.operator === "===" && isAbsentInteger(inner.right));
    if (maybeAbsent) return { name: "i32" };
    const readsFloat = findNode(
      this.node,
      (inner) => inner.type === "Identifier" && /^getFloat(32|64)/.test(inner.name),
    );
    if (readsFloat || this.results.some((type) => type === "f64" || type === "f32")) return { name: "float" };
    if (said.name === "unknown") return this.results[0] === "i32" && !this.results[1] ? { name: "word" } : said;
    return { name: this.results.length ? "i32" : "number" };
  }
}
