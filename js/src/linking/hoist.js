/**
 * Joins modules to one text with one scope, as bundlers do. Functions and classes stay declarations of the whole text,
 * with their comments, because a description is read from them. Lines of the text are not those of the files.
 */

import { edit, isClass, isFunction, isImportMeta, isMember, walk } from "../glue/syntax.js";
import { lineBreaks } from "../glue/targets/statements.js";
import { GlueError } from "../shared/errors.js";
import { isInert, varsIn, waitingIn } from "./deferring.js";

/** @import {Linkage} from "./bindings.js" */
/** @import {Module} from "./graph.js" */
/** @import {Edit, Names} from "./names.js" */
/** @import {Variable} from "./scope.js" */

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const GLOBAL = /^(?:globalThis|self|window|global)$/;

/**
 * What the modules' own expressions become that mean something else in one text.
 * @typedef {object} Instead
 * @property {(module: Module, name: string) => string} wasm an export of a Wasm file that is imported
 * @property {string} webAssembly the variable that stands for `WebAssembly`
 * @property {(module: Module) => string} meta `import.meta`
 * @property {(module: Module, place: string) => string | null} load `import(place)`; null: as it is
 * @property {(module: Module, call: string | null) => string[]} wait what comes before and after the value for which
 *   `await` waits; `call`: the value is what the function of that name gives
 */

/** The text of modules. */
export class Hoisting {
  /**
   * @param {Linkage} linkage @param {Names} names @param {Instead} instead
   */
  constructor(linkage, names, instead) {
    this.linkage = linkage;
    this.names = names;
    this.instead = instead;
    /** @type {string[]} the texts of the modules */
    this.texts = [];
    /** @type {string[]} the statements that wait for the instance */
    this.rest = [];
    /** @type {Set<Variable>} functions, and classes that are declared at once */
    this.atOnce = new Set();
  }

  /**
   * @param {Module} module
   * @param {(statement: any) => boolean} waits does what that statement does wait for the instance?
   * @param {Edit[]} [more] other edits, which come before all others
   */
  add(module, waits, more = []) {
    this.linkage.checkExports(module);
    const part = new Part(this, module, more);
    for (const statement of module.program.body) part.read(statement, waits(statement));
    const { text, rest } = part.finish();
    this.texts.push(text);
    this.rest.push(...rest);
  }

  /** The declarations of the namespace objects that the texts name. Their members are read when they are asked for. */
  get namespaces() {
    const texts = [];
    const done = new Set();
    // One of them may name others.
    for (let size = -1; size !== done.size; ) {
      size = done.size;
      for (const [module, variable] of this.names.namespaces) {
        if (done.has(module)) continue;
        done.add(module);
        texts.push(`const ${variable} = Object.freeze({ __proto__: null, ${this.members(module)} });`);
      }
    }
    return texts.join("\n");
  }

  /** @param {Module} module */
  members(module) {
    const members = this.exportsOf(module).map(
      ({ name, text }) => `get [${JSON.stringify(name)}]() { return ${text}; }`,
    );
    return [...members, '[Symbol.toStringTag]: "Module"'].join(", ");
  }

  /** What a module exports, and the expressions for it. @param {Module} module */
  exportsOf(module) {
    return [...this.linkage.names(module)].sort().flatMap((name) => {
      const meaning = this.linkage.exported(module, name);
      return meaning ? [{ name, text: this.names.expression(meaning, this.instead.wasm) }] : [];
    });
  }
}

/** Exports as a statement. @param {{name: string, text: string}[]} exported */
export function exportStatement(exported) {
  const variables = exported.filter(({ text }) => IDENTIFIER.test(text));
  const parts = variables.map(({ name, text }) => {
    if (name === text) return name;
    return `${text} as ${IDENTIFIER.test(name) ? name : JSON.stringify(name)}`;
  });
  return `export { ${parts.join(", ")} };`;
}

/** One module of the text. */
class Part {
  /** @param {Hoisting} hoisting @param {Module} module @param {Edit[]} more */
  constructor(hoisting, module, more) {
    this.hoisting = hoisting;
    this.module = module;
    /** @type {{start: number, end: number, text: string}[]} statements that go away, and what takes their places */
    this.gone = [];
    /** @type {{start: number, end: number, before: string, after: string}[]} statements that wait */
    this.late = [];
    const { names, instead } = hoisting;
    this.edits = [...more, ...names.edits(module, instead.wasm), ...this.expressionEdits()];
    const inside = (/** @type {Edit} */ { start, end }) =>
      more.some((whole) => whole.start <= start && end <= whole.end);
    if (more.length) this.edits = this.edits.filter((each, at) => at < more.length || !inside(each));
  }

  /** @returns {Edit[]} */
  expressionEdits() {
    const { module, hoisting } = this;
    const { scope } = hoisting.linkage.of(module);
    const { webAssembly, meta, load } = hoisting.instead;
    const edits = (scope.globals.get("WebAssembly") ?? []).map(({ start, end, isShort }) => ({
      start,
      end,
      text: isShort ? `WebAssembly: ${webAssembly}` : webAssembly,
    }));
    const isGlobal = (/** @type {any} */ node) =>
      GLOBAL.test(node.object?.name) && scope.globals.has(node.object.name) && isMember(node, node.object.name);
    walk(module.program, (node) => {
      const { start, end } = node;
      if (isImportMeta(node)) edits.push({ start, end, text: meta(module) });
      if (isGlobal(node) && !node.computed && node.property.name === "WebAssembly")
        edits.push({ start, end, text: webAssembly });
      if (node.type !== "ImportExpression" || typeof node.source.value !== "string") return;
      const text = load(module, node.source.value);
      if (text !== null) edits.push({ start, end, text });
    });
    return edits;
  }

  /** @param {any} statement @param {boolean} waits */
  read(statement, waits) {
    const { type, start, end, declaration = statement, source } = statement;
    if (
      type === "ImportDeclaration" ||
      type === "ExportAllDeclaration" ||
      (/^Export/.test(type) && !declaration) ||
      source
    )
      this.gone.push({ start, end, text: "" });
    else if (type === "ExportDefaultDeclaration" && !/Declaration$/.test(declaration.type))
      this.readDefault(statement, waits);
    else if (isFunction(declaration)) {
      this.noteAtOnce(declaration.id);
      this.declare(statement);
    } else if (isClass(declaration)) this.readClass(statement, waits);
    else if (!waits) this.declare(statement);
    else if (declaration.type === "VariableDeclaration") this.readVariables(statement);
    else this.defer(statement, statement, "", "");
    if (!/^(Import|Function)/.test(type)) this.readWaiting(statement);
  }

  /** Takes `export` away, and names what has no name. @param {any} statement */
  declare({ type, start, declaration }) {
    if (!declaration) return;
    this.edits.push({ start, end: declaration.start, text: "" });
    if (type !== "ExportDefaultDeclaration" || declaration.id) return;
    const head = /** @type {RegExpExecArray} */ (
      /^(?:async\s+)?(?:function\s*\*?|class)/.exec(this.module.source.slice(declaration.start))
    );
    const at = declaration.start + head[0].length;
    this.edits.push({ start: at, end: at, text: ` ${this.unnamed}` });
  }

  /** The variable of the default export. */
  get unnamed() {
    const { linkage, names } = this.hoisting;
    return names.of(/** @type {Variable} */ (linkage.of(this.module).unnamed));
  }

  /** @param {any} statement `export default` and an expression @param {boolean} waits */
  readDefault(statement, waits) {
    const { start, end, declaration } = statement;
    // The expression may stand in parentheses, which are not part of its node.
    const [head] = /** @type {RegExpExecArray} */ (/^export\s+default/.exec(this.module.source.slice(start, end)));
    const expression = { start: start + head.length, end };
    if (waits && !this.isInert(declaration)) {
      this.defer(statement, expression, `let ${this.unnamed};`, `${this.unnamed} =`);
      return;
    }
    this.edits.push({ start, end: expression.start, text: `const ${this.unnamed} =` });
    this.edits.push({ start: end, end, text: ";" });
  }

  /** @param {any} statement @param {boolean} waits */
  readClass(statement, waits) {
    const { declaration = statement } = statement;
    if (!waits || this.isInert(declaration)) {
      this.noteAtOnce(declaration.id);
      this.declare(statement);
      return;
    }
    const name = declaration.id ? this.finalName(declaration.id.name) : this.unnamed;
    this.defer(statement, declaration, `let ${name};`, `${name} = `);
  }

  /** @param {any} statement */
  readVariables(statement) {
    const { declaration = statement } = statement;
    const { top } = this.hoisting.linkage.of(this.module).scope;
    const staysOne = (/** @type {any} */ { id, init }) =>
      id.type === "Identifier" &&
      this.isInert(init) &&
      (declaration.kind !== "var" || init === null || !top.get(id.name)?.isSet);
    if (declaration.declarations.every(staysOne)) {
      for (const { id, init } of declaration.declarations) if (isFunction(init)) this.noteAtOnce(id);
      this.declare(statement);
      return;
    }
    if (declaration.kind !== "var") this.edits.push(...assignmentEdits(declaration));
    this.defer(statement, declaration, this.declared(declaration), "");
  }

  /** A declaration of the names that a declaration declares. @param {any} declaration */
  declared({ kind, declarations }) {
    const ids = [];
    const parts = declarations.map((/** @type {any} */ { id }) => id);
    for (let node = parts.shift(); node; node = parts.shift()) {
      if (node.type === "Identifier") ids.push(this.finalName(node.name));
      else if (node.type === "AssignmentPattern") parts.push(node.left);
      else if (node.type === "RestElement") parts.push(node.argument);
      else if (node.type === "ArrayPattern") parts.push(...node.elements.filter(Boolean));
      else parts.push(...node.properties.map((/** @type {any} */ property) => property.value ?? property));
    }
    return ids.length ? `${kind === "var" ? "var" : "let"} ${ids.join(", ")};` : "";
  }

  /**
   * Moves a statement to those that wait.
   * @param {any} statement @param {any} node what of it is evaluated
   * @param {string} declaration what stays in its place @param {string} before what comes before the node
   */
  defer(statement, node, declaration, before) {
    const { comments, source } = this.module;
    const comment = isClass(node) ? comments.findLast(({ end }) => end <= statement.start) : null;
    const isIts = comment && !source.slice(comment.end, statement.start).trim();
    const documented = isIts ? `${source.slice(comment.start, comment.end)}\n` : "";
    let text = declaration;
    for (const declared of varsIn(statement)) {
      if (declared !== node) text += this.declared(declared);
      this.edits.push(...assignmentEdits(declared));
    }
    this.gone.push({ start: isIts ? comment.start : statement.start, end: statement.end, text });
    // An expression would go on in the next line.
    this.late.push({ start: node.start, end: node.end, before: documented + before, after: ";" });
  }

  /** @param {any} node */
  isInert(node) {
    return isInert(node, ({ name }) => {
      const { scope, imports } = this.hoisting.linkage.of(this.module);
      const variable = scope.top.get(name);
      if (!variable) return true;
      const reference = imports.get(name);
      const meaning = reference ? this.hoisting.linkage.imported(this.module, reference) : { variable };
      return "variable" in meaning && this.hoisting.atOnce.has(meaning.variable);
    });
  }

  /** @param {any} id */
  noteAtOnce(id) {
    const { scope, unnamed } = this.hoisting.linkage.of(this.module);
    const variable = id ? scope.top.get(id.name) : unnamed;
    if (variable) this.hoisting.atOnce.add(variable);
  }

  /** @param {string} name of a variable of the whole module */
  finalName(name) {
    return this.hoisting.names.of(/** @type {Variable} */ (this.hoisting.linkage.of(this.module).scope.top.get(name)));
  }

  /**
   * The text of a package cannot wait. A statement that only waits goes on without the promise, and others may find
   * that there is none.
   * @param {any} statement
   */
  readWaiting(statement) {
    for (const node of waitingIn(statement)) {
      const { start, end, argument } = node;
      if (!argument)
        throw new GlueError(
          `${this.module.url} waits for a loop while it is evaluated, and a crash cannot wait for it.`,
        );
      const called = argument.type === "CallExpression" && argument.callee.type === "Identifier";
      const [before, after] =
        statement.expression === node
          ? ["", ""]
          : this.hoisting.instead.wait(this.module, called ? argument.callee.name : null);
      this.edits.push({ start, end: start + "await".length, text: before }, { start: end, end, text: after });
    }
  }

  finish() {
    const { source } = this.module;
    const rest = this.late.map(({ start, end, before, after }) => {
      const edits = this.edits
        .filter((part) => start <= part.start && part.end <= end)
        .map((part) => ({ start: part.start - start, end: part.end - start, text: part.text }));
      return `${before}${edit(source.slice(start, end), edits)}${after}`;
    });
    const outside = this.edits.filter(
      (part) => !this.gone.some(({ start, end }) => start <= part.start && part.end <= end),
    );
    const gone = this.gone.map(({ start, end, text }) => ({
      start,
      end,
      // The expression before it would go on behind it.
      text: (text || ";") + lineBreaks(source.slice(start, end)),
    }));
    if (source.startsWith("#!")) outside.push({ start: 0, end: 2, text: "//" });
    // The last expression of the file before would go on here.
    return { text: `;${edit(source, [...outside, ...gone])}`, rest };
  }
}

/**
 * The edits that make a declaration an assignment.
 * @param {any} declaration @returns {Edit[]}
 */
function assignmentEdits({ start, declarations }) {
  const edits = [{ start, end: declarations[0].start, text: "" }];
  for (const { id, init, ...declarator } of declarations) {
    if (!init || id.type === "Identifier") continue;
    edits.push({ start: declarator.start, end: declarator.start, text: "void (" });
    edits.push({ start: declarator.end, end: declarator.end, text: ")" });
  }
  return edits;
}
