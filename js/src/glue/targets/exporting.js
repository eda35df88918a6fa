/** Glue that exports by assignments: `exports.add = add`, `module.exports.add = function (…) {…}`, `__exports.…`. */

import { isFunction, isMember, walk } from "../syntax.js";
import { blanked, declaredBy, variablesIn } from "./statements.js";

/** @typedef {import("./statements.js").Edit} Edit */

/** Functions for the Wasm file, which older glue exports for Node, too. */
const FOR_WASM = /^__wb(?:g|indgen)_/;
/** wasm-bindgen gives this to debuggers. */
const INSTANCE = "__wasm";
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval " +
    "export extends false finally for function if implements import in instanceof interface let new null " +
    "package private protected public return static super switch this throw true try typeof var void " +
    "while with yield"
  ).split(" "),
);

/** Reads and edits the exports of statements. */
export class Exporting {
  /**
   * @param {any[]} body @param {string} source
   * @param {(node: any) => boolean} isExports is that the object of the exports?
   * @param {boolean} servesWasm do the exports for the Wasm file only serve it, and are no exports for the web?
   */
  constructor(body, source, isExports, servesWasm) {
    this.source = source;
    this.isExports = isExports;
    this.servesWasm = servesWasm;
    /** @type {Edit[]} */
    this.edits = [];
    /** @type {Set<any>} the statements that the edits change */
    this.statements = new Set();
    /** @type {Map<string, string>} exported name to variable */
    this.variables = new Map();
    this.declared = new Set(body.flatMap(declaredBy));
    // An export may have the name of something global that the glue uses, such as `Error`.
    this.taken = new Set([
      ...this.declared,
      ...body.flatMap((statement) => variablesIn(statement).map(({ name }) => name)),
    ]);
    /** @type {Set<any>} nodes that the edits replaced */
    this.seen = new Set();
    for (const statement of body) this.read(statement);
    this.readUses(body);
  }

  /** The name that is exported if `node` is `exports.name`. @param {any} node @returns {string | null} */
  nameOf(node) {
    if (node.type !== "MemberExpression" || !this.isExports(node.object)) return null;
    if (!node.computed) return node.property.name;
    return typeof node.property.value === "string" ? node.property.value : null;
  }

  /** @param {any} statement */
  read(statement) {
    const { type, expression } = statement;
    if (type !== "ExpressionStatement") return;
    if (this.marksModule(expression)) return this.replace(statement, blanked(this.source, statement));
    if (expression.type !== "AssignmentExpression" || expression.operator !== "=") return;
    const { left, right } = expression;
    const name = this.nameOf(left);
    if (name === INSTANCE) this.replace(statement, blanked(this.source, statement));
    else if (name !== null) this.readAssignment(statement, name, right);
    else if (this.isExports(left) && right.type === "ObjectExpression") this.readObject(statement, right);
  }

  /** Is that `Object.defineProperty(exports, "__esModule", …)`? @param {any} expression */
  marksModule({ type, callee, arguments: args }) {
    return type === "CallExpression" && isMember(callee, "Object", "defineProperty") && this.isExports(args[0] ?? {});
  }

  /** @param {any} statement @param {Edit} edited */
  replace(statement, edited) {
    this.edits.push(edited);
    this.statements.add(statement);
    walk(statement.expression.left ?? statement, (node) => this.seen.add(node));
  }

  /**
   * Makes `exports.name = value` a declaration that exports.
   * @param {any} statement @param {string} name @param {any} value
   */
  readAssignment(statement, name, value) {
    const { start, end } = statement;
    const isHidden = this.servesWasm && FOR_WASM.test(name);
    if (value.type === "Identifier" && this.declared.has(value.name)) {
      this.variables.set(name, value.name);
      const text = isHidden ? "" : exporting(value.name, name);
      return this.replace(statement, { start, end, text });
    }
    const variable = this.variableFor(name);
    const declares = isFunction(value) && !value.id && value.type === "FunctionExpression";
    const prefix = isHidden || variable !== name ? "" : "export ";
    const suffix = isHidden || variable === name ? "" : ` ${exporting(variable, name)}`;
    if (declares) {
      const { params } = value;
      const head = this.source.slice(value.start, params[0]?.start ?? value.body.start);
      const edited = head.replace(
        /^(async\s+)?function\s*(\*?)\s*/,
        (_, async = "", star) => `${async}function${star} ${variable}`,
      );
      this.replace(statement, { start, end: value.start + head.length, text: `${prefix}${edited}` });
      // A declaration needs no semicolon, and one after `export function f() {}` is an empty statement.
      if (suffix) this.edits.push({ start: end, end, text: suffix });
      return;
    }
    this.replace(statement, { start, end: value.start, text: `${prefix}const ${variable} = ` });
    const isOpen = this.source[end - 1] !== ";";
    if (suffix || isOpen) this.edits.push({ start: end, end, text: `${isOpen ? ";" : ""}${suffix}` });
  }

  /** Makes `module.exports = { a, b: c }` an export of these. @param {any} statement @param {any} object */
  readObject(statement, object) {
    const parts = [];
    for (const { key, value, computed } of object.properties) {
      if (computed || !key) continue;
      const name = key.name ?? key.value;
      if (value.type === "Identifier" && this.declared.has(value.name)) {
        this.variables.set(name, value.name);
        parts.push(exporting(value.name, name));
      } else {
        const variable = this.variableFor(name);
        parts.push(`const ${variable} = ${this.source.slice(value.start, value.end)}; ${exporting(variable, name)}`);
      }
    }
    const { start, end } = statement;
    this.replace(statement, { start, end, text: parts.join(" ") + blanked(this.source, statement).text });
  }

  /** @param {string} name @returns {string} a variable that holds what is exported under this name */
  variableFor(name) {
    let variable = name;
    if (!IDENTIFIER.test(name) || RESERVED.has(name)) variable = `$export${this.variables.size}`;
    while (this.taken.has(variable)) variable = `$${variable}`;
    this.taken.add(variable);
    this.variables.set(name, variable);
    return variable;
  }

  /** Other places that read or set an export. @param {any[]} body */
  readUses(body) {
    walk({ type: "Program", body }, (node) => {
      const name = this.seen.has(node) ? null : this.nameOf(node);
      const variable = name === null ? undefined : this.variables.get(name);
      if (variable !== undefined) {
        this.edits.push({ start: node.start, end: node.end, text: variable });
        walk(node, (inner) => this.seen.add(inner));
      }
      // `const wasm = exports.__wasm = …`
      const isInner = node.type === "AssignmentExpression" && !this.seen.has(node.left);
      if (!isInner || this.nameOf(node.left) !== INSTANCE) return;
      this.edits.push({ start: node.start, end: node.right.start, text: "" });
      walk(node.left, (inner) => this.seen.add(inner));
    });
  }

  /** The object of all that was exported, as an expression. */
  get object() {
    const entries = [...this.variables].map(([name, variable]) => `${JSON.stringify(name)}: ${variable}`);
    return `{ ${entries.join(", ")} }`;
  }
}

/** @param {string} variable @param {string} name */
function exporting(variable, name) {
  if (variable === name) return `export { ${name} };`;
  return `export { ${variable} as ${IDENTIFIER.test(name) ? name : JSON.stringify(name)} };`;
}

/** Does the program export nothing as a module would? @param {any} program */
export function isScript(program) {
  return !program.body.some((/** @type {any} */ { type }) => /^(?:Import|Export)/.test(type));
}
