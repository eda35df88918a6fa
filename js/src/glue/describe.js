/**
 * Describes the exports of a glue file: functions, classes, enums and constants, with what they take and return. That
 * is read from the JSDoc that wasm-bindgen writes, and from the call of the Wasm export in each function
 * (wasm-call.js).
 */

import { UNKNOWN } from "../shared/kinds.js";
import { jsdocTypes } from "./jsdoc.js";
import { findNode, isClass, isFunction } from "./syntax.js";
import { WasmCall } from "./wasm-call.js";
import { asWrapped, field, given, isOwnClass, ownFields, seesRust, withoutObjects } from "./wrappers.js";

/** @import {ClassDescription, Description, Element, FunctionDescription, Glue, Kind, Parameter} from "../types.js" */
/** @import {PlainKind, Signature, WasmInterface} from "../types.js" */

// The glue exports these, but no user of the Rust module calls them.
const INTERNAL = /^(default|initSync|setPanicHook|__unpanic_.*|__wbg_.*|__wbindgen_.*)$/;
// The values of an enum whose variants are strings are in a constant:
// `const __wbindgen_enum_Size = ["small", "large"];`
const STRING_ENUM = "__wbindgen_enum_";
// Names that Rust's authors give in `unchecked_param_type`, and the build hook of unpanic-tools to every number.
const RUST_NUMBER = /^([iu](8|16|32|64|128|size)|f32|f64)$/;
const INTERNAL_MEMBER = /^(__|constructor$|free$)/;
// How many parameters a constructor may take that is not known.
const ANY_NUMBER = { name: "args", kind: { name: "any" }, optional: false, rest: true, consumes: false };

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
    if (values) {
      description.enums[local.slice(STRING_ENUM.length)] = values.map((/** @type {any} */ { value }) => value);
    }
  }
  const initializers = new Set([glue.init.node, ...glue.init.asyncFunctions]);
  for (const { name, local } of glue.exports) {
    if (!local || INTERNAL.test(name) || local === glue.wasmName) continue;
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
    /** Whether the names of parameters are meaningless. */
    this.minified = !/wasm/i.test(glue.wasmName);
    this.names = new Map(glue.exports.map(({ name, local }) => [name, local ? this.resolve(local) : null]));
    for (const name of glue.hiddenClasses) if (!this.names.has(name)) this.names.set(name, this.resolve(name));
    /** @type {boolean | undefined} */
    this.seesRust = undefined;
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
   * @param {boolean} [isRusts] whether wasm-bindgen wrote it even if it calls no export
   * @returns {FunctionDescription}
   */
  readFunction(name, node, jsdoc, isRusts = false) {
    const types = jsdocTypes(jsdoc);
    const call = new WasmCall(node, this.glue.wasmName, this.signatures);
    const isWrapper = !isRusts && !call.isFound && this.hasWrappers();
    const returns = types.returns ?? (returnsValue(node) ? "unknown" : "void");
    const promised = /^Promise<(.*)>$/.exec(returns);
    const kind = this.valueKind(promised?.[1] ?? returns);
    return {
      name,
      params: node.params.map((/** @type {any} */ param, /** @type {number} */ index) => {
        const described = this.readParameter(param, types.params, call);
        const named = this.minified ? { ...described, name: `arg${index}` } : described;
        return isWrapper ? asWrapped(named) : named;
      }),
      result: isWrapper ? withoutObjects(kind) : promised ? kind : call.resultKind(kind),
      isAsync: Boolean(promised) || (node.async && !node.generator),
      doc: jsdoc,
      ...(call.readsField && { isField: true }),
      ...(isWrapper && { isWrapper }),
    };
  }

  /** Can it be told what in this file is not wasm-bindgen's? */
  hasWrappers() {
    this.seesRust ??= seesRust(this.glue, this.signatures);
    return this.seesRust;
  }

  /**
   * @param {any} param @param {Map<string, {type: string, optional: boolean}>} types @param {WasmCall} call
   * @returns {Parameter}
   */
  readParameter(param, types, call) {
    const target = param.type === "AssignmentPattern" ? param.left : param;
    const rest = param.type === "RestElement";
    const name = target.name ?? target.argument?.name ?? "argument";
    const documented = types.get(name);
    const kind = this.valueKind(documented?.type ?? "unknown");
    return {
      name,
      kind: rest ? { name: "any" } : call.parameterKind(name, kind),
      // A JsValue takes `undefined`, which JavaScript passes for an argument that is left out.
      optional: Boolean(documented?.optional) || documented?.type === "any" || target !== param,
      rest,
      consumes: call.consumes(name) || this.isObjectList(documented?.type ?? ""),
      ...(call.writes(name) && { mutable: true }),
      // A declaration may say that what the glue does not tell is a typed array.
      ...((kind.name === "array" || kind.name === "unknown") && !call.copies(name) && { shared: true }),
    };
  }

  /** Is that a `Vec<Part>`, whose objects are moved into Rust? @param {string} type a JSDoc type */
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
    // An author's own type, and the number that Rust takes: `Level & u8`, as the build hook writes it.
    const number = RUST_NUMBER.exec(/ & (\w+)$/.exec(type)?.[1] ?? "");
    const bare = (number?.[0] ?? type)
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
    if (RUST_NUMBER.test(bare)) {
      return {
        name: /** @type {PlainKind} */ (bare.replace("size", "32").replace("i32", "s32").replace("f64", "float")),
      };
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
   * @param {any[]} [derived] the classes that inherit from it, so that a circle of them ends
   * @returns {ClassDescription}
   */
  readClass(name, node, derived = []) {
    /** @type {ClassDescription} */
    const described = {
      name,
      hidden: false,
      construct: null,
      methods: [],
      statics: [],
      getters: [],
      setters: [],
      staticGetters: [],
      staticSetters: [],
    };
    const base = node.superClass?.type === "Identifier" ? this.resolve(node.superClass.name) : null;
    const isOwn = isOwnClass(node, this.glue.source) && this.hasWrappers();
    const isDerived = isClass(base) && base !== node && !derived.includes(base);
    if (isDerived) Object.assign(described, this.readClass(name, base, [...derived, node]));
    if (isOwn) {
      described.isWrapper = !isDerived || described.isWrapper;
      if (!isDerived) described.construct = this.implicitConstructor(node);
    }
    for (const member of node.body.body) {
      if (member.computed || member.key?.type !== "Identifier") continue;
      if (member.type === "MethodDefinition" || (isOwn && isFunction(member.value))) {
        this.readMember(described, member, member.key.name, !isOwn);
      }
    }
    if (isOwn) for (const each of ownFields(node)) addField(described, each);
    return described;
  }

  /** The constructor that JavaScript gives a class without one. @param {any} node the class */
  implicitConstructor(node) {
    const params = node.superClass ? [/** @type {Parameter} */ ({ ...ANY_NUMBER })] : [];
    return { name: "constructor", params, result: UNKNOWN, isAsync: false, doc: "", isWrapper: true };
  }

  /**
   * @param {ClassDescription} described gets the member @param {any} member @param {string} key its name
   * @param {boolean} isRusts see `readFunction`
   */
  readMember(described, member, key, isRusts) {
    const read = () => this.readFunction(key, member.value, this.commentBefore(member.start), isRusts);
    if (member.kind === "constructor") {
      described.construct = throwsOnly(member.value) ? null : read();
    } else if (INTERNAL_MEMBER.test(key)) return;
    else if (member.kind === "get") put(member.static ? described.staticGetters : described.getters, read());
    else if (member.kind === "set") put(member.static ? described.staticSetters : described.setters, given(read()));
    else put(member.static ? described.statics : described.methods, read());
  }
}

/** The type of a list's items. @param {string} type @returns {string} empty: it is no list */
function itemOf(type) {
  return /^(\w+)\[\]$/.exec(type)?.[1] ?? "";
}

/**
 * Adds a member; it replaces the one that it overrides.
 * @param {FunctionDescription[]} members @param {FunctionDescription} member
 */
function put(members, member) {
  const index = members.findIndex(({ name }) => name === member.name);
  if (index < 0) members.push(member);
  else members[index] = member;
}

/**
 * Adds a field as a getter and a setter, unless the class has a member of that name: then an assignment calls the
 * setter, or it is a method that is bound.
 * @param {ClassDescription} described @param {{name: string, isStatic: boolean}} own
 */
function addField(described, { name, isStatic }) {
  if (INTERNAL_MEMBER.test(name)) return;
  const [methods, getters, setters] = isStatic
    ? [described.statics, described.staticGetters, described.staticSetters]
    : [described.methods, described.getters, described.setters];
  if ([methods, getters, setters].some((members) => members.some((member) => member.name === name))) return;
  const [getter, setter] = field(name);
  getters.push(getter);
  setters.push(setter);
}

/** @param {any} fn */
function returnsValue(fn) {
  if (fn.generator || fn.expression) return true;
  return Boolean(findNode(fn, (inner) => inner.type === "ReturnStatement" && inner.argument));
}

/** Is that a private constructor, which only throws "cannot invoke `new` directly"? @param {any} fn */
function throwsOnly(fn) {
  return fn.body.body[0]?.type === "ThrowStatement";
}
