/**
 * The factory: glue as a function of its scope. A module is evaluated once for the life of the page. A function can be
 * called again for each generation, and its result can be collected when nobody needs it. Two generations share
 * nothing.
 *
 * `import()` with another query string, or with a new blob URL for each generation, would do the same, but the memory
 * would never be freed: module maps keep every entry.
 */

import { GlueError } from "../shared/errors.js";
import { readExports } from "./exports.js";
import { edit, isImportMeta, parseModule, walk } from "./syntax.js";

/** @import {Glue, GlueFactory} from "../types.js" */

/** The constructors of views, in the order in which a factory takes them. */
export const VIEWS = Object.freeze([
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
]);

/** How it begins where a factory reads a part of a view. */
const READ = "$subarray.call(";

const SCOPE = ["$imports", "$meta", "$import", "WebAssembly", "Promise", "FinalizationRegistry", "$store", ...VIEWS];

/**
 * The glue's source as the body of a function with the parameters SCOPE, which
 * returns its exports.
 * @param {Glue} glue
 */
export function factoryBody(glue) {
  const edits = [];
  glue.imports.forEach(({ node }, index) => {
    edits.push({ start: node.start, end: node.end, text: bindImport(node, `$imports[${index}]`) });
  });
  for (const statement of glue.program.body) edits.push(...exportEdits(statement, glue.source));
  walk(glue.program, (node) => {
    if (isImportMeta(node)) edits.push({ start: node.start, end: node.end, text: "$meta" });
    if (node.type === "ImportExpression") {
      edits.push({ start: node.start, end: node.start + "import".length, text: "$import" });
    }
    if (isStore(node)) edits.push(...storeEdits(node, glue.source));
    if (isRead(node)) edits.push(...readEdits(node.arguments[0], glue.source));
  });
  for (const node of glue.init.asyncFunctions) edits.push(...withoutAsync(node, glue.source));
  // Glue exports no variables, but linked text sets some of its exports later.
  const [get, is, end] = glue.rest ? ["get ", "() { return ", "; }"] : ["", ": ", ""];
  const returned = glue.exports.map(
    ({ name, local }) => `${get}${JSON.stringify(name)}${is}${local ?? "$default"}${end}`,
  );
  const rest = glue.rest ? `, rest: ${glue.rest}` : "";
  const heap = glue.bindings.has("heap") ? ", heap: () => heap" : "";
  const next = glue.bindings.has("heap_next") ? ", nextPlace: ($place = heap_next) => heap_next = $place" : "";
  const drop = variables(glue.program).map((name) => `${name} = $replaced(${name});`);
  const result =
    `{exports: {${returned.join(", ")}}, hidden: {${glue.hiddenClasses.join(", ")}}, ` +
    `init: ${glue.init.name}${heap}${next}${rest}, ` +
    `drop: ($replaced) => { ${drop.join(" ")} }}`;
  const reads = edits.some(({ text }) => text === READ) ? " const { subarray: $subarray } = Uint8Array.prototype;" : "";
  return `"use strict";${reads}\n${edit(glue.source, edits)}\nreturn ${result};`;
}

/**
 * Is that `view()[index] = value`? Glue up to 2024 writes the results of imports to memory like that. A `DataView` of
 * newer glue has methods, which can be overridden.
 * @param {any} node
 */
function isStore(node) {
  if (node.type !== "AssignmentExpression" || node.operator !== "=") return false;
  const { type, computed, object } = node.left;
  return type === "MemberExpression" && computed && object.type === "CallExpression" && object.arguments.length === 0;
}

/** The edits that make it `$store(view(), index, value)`. @param {any} node @param {string} source */
function storeEdits({ start, end, left }, source) {
  return [
    { start, end: start, text: "$store(" },
    { start: left.object.end, end: left.property.start, text: ", " },
    { start: left.property.end, end: source.indexOf("=", left.end) + 1, text: "," },
    { start: end, end, text: ")" },
  ];
}

/**
 * Is that `decode(view().subarray(from, to))`? Glue decodes Rust's strings like that. Every other part of a view may be
 * written to, so a view of a module that can be rolled back marks what `subarray` makes (instance/marking.js).
 * @param {any} node
 */
function isRead(node) {
  if (node.type !== "CallExpression" || node.arguments.length === 0) return false;
  const { callee, arguments: args } = node;
  if (!/^decode(Text)?$/.test((callee.property ?? callee).name)) return false;
  const { type, callee: made, arguments: bounds } = args[0];
  return type === "CallExpression" && made.property?.name === "subarray" && bounds.length > 0;
}

/**
 * The edits that make it `$subarray.call(view(), from, to)`, which marks nothing.
 * @param {any} part @param {string} source
 */
function readEdits({ callee: { start, property }, arguments: [from] }, source) {
  return [
    { start, end: start, text: READ },
    // The view may stand in parentheses.
    { start: source.lastIndexOf(".", property.start), end: from.start, text: ", " },
  ];
}

/** The top-level variables of the glue that can be assigned. @param {any} program @returns {string[]} */
function variables(program) {
  return program.body
    .map((/** @type {any} */ statement) => statement.declaration ?? statement)
    .filter((/** @type {any} */ { type, kind }) => type === "VariableDeclaration" && kind !== "const")
    .flatMap((/** @type {any} */ { declarations }) => declarations.map((/** @type {any} */ { id }) => id))
    .flatMap((/** @type {any} */ { type, name }) => (type === "Identifier" ? [name] : []));
}

/**
 * The declarations that stand for `import a, { b as c } from "…"`.
 * @param {any} node @param {string} namespace
 */
function bindImport(node, namespace) {
  return node.specifiers
    .map((/** @type {any} */ specifier) => {
      const local = specifier.local.name;
      if (specifier.type === "ImportNamespaceSpecifier") return `const ${local} = ${namespace};`;
      const name =
        specifier.type === "ImportDefaultSpecifier" ? "default" : (specifier.imported.name ?? specifier.imported.value);
      return `const ${local} = ${namespace}[${JSON.stringify(name)}];`;
    })
    .join(" ");
}

/** Both keywords, with comments between them. */
const EXPORT_DEFAULT = /^export(?:\s|\/\*[\s\S]*?\*\/|\/\/.*)*default/;

/** @param {any} statement @param {string} source */
function exportEdits(statement, source) {
  const { type, declaration, start, end } = statement;
  if (type === "ExportNamedDeclaration") {
    return [declaration ? { start, end: declaration.start, text: "" } : { start, end, text: "" }];
  }
  if (type !== "ExportDefaultDeclaration") return [];
  if (declaration.type === "Identifier") return [{ start, end, text: "" }];
  const named = /Declaration$/.test(declaration.type) && declaration.id;
  // Not up to the declaration, because an expression may stand in parentheses.
  const keywords = EXPORT_DEFAULT.exec(source.slice(start, declaration.start))?.[0] ?? "";
  return [{ start, end: start + keywords.length, text: named ? "" : "const $default = " }];
}

/**
 * @param {any} fn an async function
 * @param {string} source
 */
function withoutAsync(fn, source) {
  const edits = [
    { start: fn.start, end: fn.start + source.slice(fn.start).indexOf("async") + "async".length, text: "" },
  ];
  walk(fn, (node) => {
    if (node.type === "AwaitExpression") edits.push({ start: node.start, end: node.start + "await".length, text: "" });
  });
  return edits;
}

/**
 * @param {string} body
 * @param {string} url shown in stack traces and by the debugger
 * @returns {GlueFactory}
 * @throws {EvalError} where the page's content security policy forbids it
 * @throws {GlueError} where the engine refuses what the parser took: code that a function cannot hold, or that nests
 *   too deeply
 */
export function compileFactory(body, url) {
  try {
    return /** @type {GlueFactory} */ (new Function(...SCOPE, `${body}\n//# sourceURL=${url}`));
  } catch (cause) {
    if (cause instanceof EvalError) throw cause;
    throw refused(url, cause);
  }
}

/** @param {string} url @param {unknown} cause */
function refused(url, cause) {
  return new GlueError(
    `${url} cannot be made a function, as it must be to start anew: ${/** @type {Error} */ (cause).message}.`,
    { cause },
  );
}

/**
 * A factory as the source of a module whose default export it is.
 * @param {string} body
 */
export function factoryModule(body) {
  return `export default function (${SCOPE.join(", ")}) {${body}\n}`;
}

/**
 * Makes a factory through a blob URL, for policies that allow `blob:` but no `'unsafe-eval'`. It is one module for
 * each load, not one for each generation.
 * @param {string} body @param {string} url
 * @returns {Promise<GlueFactory>}
 * @throws {GlueError} as `compileFactory`
 */
export async function importFactory(body, url) {
  const source = `${factoryModule(body)}\n//# sourceURL=${url}`;
  const blob = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return (await import(/* @vite-ignore */ blob)).default;
  } catch (cause) {
    throw cause instanceof SyntaxError ? refused(url, cause) : cause;
  } finally {
    URL.revokeObjectURL(blob);
  }
}

/**
 * The exports of a snippet that the glue imports, for snippets that are no files on a server.
 * @param {string} source @param {string} url
 * @returns {Record<string, unknown>}
 * @throws {GlueError} it is no JavaScript, imports something itself, or fails
 */
export function evaluateSnippet(source, url) {
  try {
    const { program } = parseModule(source);
    const nested = program.body.find((/** @type {any} */ statement) => statement.source);
    if (nested) throw new Error(`it imports ${nested.source.value}`);
    const names = readExports(program).map(({ name, local }) => `${JSON.stringify(name)}: ${local ?? "$default"}`);
    const edits = program.body.flatMap((/** @type {any} */ statement) => exportEdits(statement, source));
    walk(program, (node) => {
      if (isImportMeta(node)) edits.push({ start: node.start, end: node.end, text: "$meta" });
    });
    const body = `"use strict";\n${edit(source, edits)}\nreturn {${names.join(", ")}};\n//# sourceURL=${url}`;
    return new Function("$meta", body)({ url });
  } catch (cause) {
    throw new GlueError(`The snippet ${url} cannot be loaded from files: ${/** @type {Error} */ (cause).message}.`, {
      cause,
    });
  }
}
