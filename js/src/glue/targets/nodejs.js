/**
 * The target `nodejs`: a CommonJS module, which reads its Wasm file at once. Until 0.2.104 its exports were also what
 * the Wasm file imports.
 */

import { edit, isMember, walk } from "../syntax.js";
import { Exporting, isScript } from "./exporting.js";
import { builtIn, isBuiltIn, REQUIRE } from "./host.js";
import { deferInstance, findInstantiation, variablesIn, walkNow } from "./instantiation.js";

/** @typedef {import("./instantiation.js").Edit} Edit */

/** @param {any} node */
const isExports = (node) => isMember(node, "module", "exports") || (node.type === "Identifier" && node.name === "exports");

const HOST_NAME = /^(?:require|module|exports|__dirname|__filename)$/;

export const nodejs = {
  name: "nodejs",

  /** @param {any} program @param {string} source */
  matches(program, source) {
    return isScript(program) && /\bexports\b/.test(source) && findInstantiation(program.body) !== null;
  },

  /** @param {any} program @param {string} source @param {string} url */
  toWeb({ body }, source, url) {
    const placeholder = body.find(isPlaceholder);
    const exporting = new Exporting(body, source, isExports, Boolean(placeholder));
    const requires = new Requires(body, source);
    const inner = [...exporting.edits, ...requires.edits];
    const handled = new Set([...exporting.statements, ...requires.statements]);
    let before = "";
    if (placeholder) {
      const { start, end, expression } = placeholder;
      handled.add(placeholder);
      inner.push({ start, end, text: "" });
      before = `${source.slice(expression.left.start, expression.left.end)} = ${exporting.object}; `;
    }
    const instantiation = /** @type {any} */ (findInstantiation(body));
    const { edits, loading, initSync, wasmPath } = deferInstance(
      body,
      source,
      url,
      instantiation,
      { isHandled: (statement) => handled.has(statement), inner, before },
    );
    // Statements that moved, or went away, took their parts with them.
    const outside = inner.filter(
      ({ start, end }) => !edits.some((whole) => whole.start < whole.end && whole.start <= start && end <= whole.end),
    );
    const text = edit(source, [...outside, ...edits]);
    const gone = [...loading, ...inner, instantiation.bytes];
    const header = requires.header + hostNames(body, gone);
    const whole = /\bexports = /.test(header) ? `Object.assign(exports, ${exporting.object});\n` : "";
    return { source: `${header}${text}\n${whole}${initSync}`, wasmPath };
  },
};

/** Is that `imports['__wbindgen_placeholder__'] = module.exports`? @param {any} statement */
function isPlaceholder({ type, expression }) {
  if (type !== "ExpressionStatement" || expression.type !== "AssignmentExpression") return false;
  return expression.left.type === "MemberExpression" && isMember(expression.right, "module", "exports");
}

/**
 * Declares what glue still reads of Node's names: nothing of it reaches the page.
 * @param {any[]} body @param {{start: number, end: number}[]} gone parts of the source
 */
function hostNames(body, gone) {
  const isGone = (/** @type {any} */ { start, end }) => gone.some((part) => part.start <= start && end <= part.end);
  const names = new Set();
  for (const statement of body) {
    for (const node of variablesIn(statement)) {
      if (HOST_NAME.test(node.name) && !names.has(node.name) && !isGone(node)) names.add(node.name);
    }
  }
  if (names.has("module")) names.add("exports").add("require");
  const declared = [];
  if (names.has("require")) declared.push(REQUIRE);
  if (names.has("exports")) declared.push("const exports = {}; ");
  if (names.has("module")) declared.push("const module = { exports, require }; ");
  for (const name of ["__dirname", "__filename"]) if (names.has(name)) declared.push(`const ${name} = ""; `);
  return declared.join("");
}

/** The calls of `require`. */
class Requires {
  /** @param {any[]} body @param {string} source */
  constructor(body, source) {
    this.source = source;
    /** @type {Edit[]} */
    this.edits = [];
    /** @type {Set<any>} statements that became imports */
    this.statements = new Set();
    this.header = "";
    this.count = 0;
    for (const statement of body) {
      if (!this.readDeclaration(statement)) this.readUses(statement);
    }
  }

  /** Makes `const { a, b: c } = require("…")` an import. @param {any} statement */
  readDeclaration(statement) {
    const { type, declarations, start, end } = statement;
    if (type !== "VariableDeclaration" || declarations.length !== 1) return false;
    const [{ id, init }] = declarations;
    const name = requiredBy(init);
    if (name === null || isBuiltIn(name)) return false;
    const specifiers = specifiersOf(id);
    if (specifiers === null) return false;
    this.edits.push({ start, end, text: `import ${specifiers} from ${JSON.stringify(name)};` });
    this.statements.add(statement);
    return true;
  }

  /** @param {any} statement */
  readUses(statement) {
    /** @type {Set<any>} */
    const now = new Set();
    walkNow(statement, (node) => now.add(node));
    walk(statement, (node) => {
      const name = requiredBy(node);
      if (name === null) return;
      const { start, end } = node;
      if (isBuiltIn(name)) this.edits.push({ start, end, text: builtIn(name) });
      else if (now.has(node)) {
        const variable = `$required${this.count++}`;
        this.header += `import * as ${variable} from ${JSON.stringify(name)}; `;
        this.edits.push({ start, end, text: variable });
      }
    });
  }
}

/** The module that is required by a call. @param {any} node @returns {string | null} null: it is no such call */
function requiredBy(node) {
  if (node?.type !== "CallExpression" || node.callee.name !== "require" || node.arguments.length !== 1) return null;
  const [argument] = node.arguments;
  // Older glue has String.raw`./snippets/…`.
  const template = argument.quasi ?? argument;
  const value = template.type === "TemplateLiteral" ? template.quasis[0].value.cooked : template.value;
  const isWhole = template.type !== "TemplateLiteral" || template.quasis.length === 1;
  return isWhole && typeof value === "string" ? value : null;
}

/** @param {any} id what a declaration declares @returns {string | null} null: no import can say that */
function specifiersOf(id) {
  if (id.type === "Identifier") return `* as ${id.name}`;
  if (id.type !== "ObjectPattern") return null;
  const parts = [];
  for (const { key, value, computed } of id.properties) {
    if (computed || key?.type !== "Identifier" || value.type !== "Identifier") return null;
    parts.push(key.name === value.name ? key.name : `${key.name} as ${value.name}`);
  }
  return `{ ${parts.join(", ")} }`;
}
