/** CommonJS as ES modules: `require` becomes `import`, and what is left of Node's names is declared inside. */

import { edit, isMember, walk } from "../syntax.js";
import { Exporting, isScript } from "./exporting.js";
import { builtIn, isBuiltIn, REQUIRE } from "./host.js";
import { variablesIn, walkNow } from "./statements.js";

/** @typedef {import("./statements.js").Edit} Edit */

const HOST_NAME = /^(?:require|module|exports|__dirname|__filename)$/;

/** @param {any} node */
export const isExports = (node) =>
  isMember(node, "module", "exports") || (node.type === "Identifier" && node.name === "exports");

/** Is that a CommonJS module? Snippets of glue for Node are. @param {any} program @param {string} source */
export function isCommonJs(program, source) {
  return isScript(program) && /\bmodule\.exports\b|\bexports\b|\brequire\(/.test(source);
}

/**
 * A CommonJS module, such as a snippet that glue for Node requires, as an ES module.
 * @param {any} program @param {string} source
 * @param {string[]} names which exports are wanted: CommonJS does not tell them before it runs
 * @returns {string} the lines keep their numbers
 */
export function commonJsToModule({ body }, source, names) {
  const requires = new Requires(body, source);
  const header = requires.header + hostNames(body, requires.edits, ["module", "exports"]);
  const exported = names.map((name, index) => {
    const text = JSON.stringify(name);
    return `const $export${index} = module.exports[${text}]; export { $export${index} as ${text} };`;
  });
  return `${header}${edit(source, requires.edits)}\n${exported.join("\n")}\nexport default module.exports;\n`;
}

/**
 * A CommonJS module that tells its exports by assignments, as an ES module. Glue for a bundler that was turned into
 * CommonJS is like that (`tiktoken_bg.cjs`).
 * @param {any} program @param {string} source
 * @returns {string} the lines keep their numbers
 */
export function commonJsGlueToModule({ body }, source) {
  const exporting = new Exporting(body, source, isExports, false);
  const requires = new Requires(body, source);
  const edits = [...exporting.edits, ...requires.edits];
  const header = requires.header + hostNames(body, edits);
  return header + edit(source, edits);
}

/**
 * Declares what glue still reads of Node's names: nothing of it reaches the page.
 * @param {any[]} body @param {{start: number, end: number}[]} gone parts of the source
 * @param {string[]} [always] names that are declared in any case
 */
export function hostNames(body, gone, always = []) {
  const isGone = (/** @type {{start: number, end: number}} */ { start, end }) =>
    gone.some((part) => part.start <= start && end <= part.end);
  const names = new Set(always);
  for (const statement of body) {
    for (const node of variablesIn(statement)) {
      if (HOST_NAME.test(node.name) && !names.has(node.name) && !isGone(node)) names.add(node.name);
    }
  }
  if (names.has("module")) names.add("exports").add("require");
  const declared = [];
  if (names.has("require")) declared.push(REQUIRE);
  // Some set it themselves: `exports = module.exports = …`.
  if (names.has("exports")) declared.push("let exports = {}; ");
  if (names.has("module")) declared.push("const module = { exports, require }; ");
  for (const name of ["__dirname", "__filename"]) if (names.has(name)) declared.push(`const ${name} = ""; `);
  return declared.join("");
}

/** The calls of `require`. */
export class Requires {
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
      const instead = builtIn(name);
      if (instead !== null) this.edits.push({ start, end, text: instead });
      else if (!isBuiltIn(name) && now.has(node)) {
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
