/** What statements of glue declare, read and set, and the edits that take them away. */

import { isFunction, LEAVE_OUT, walk } from "../syntax.js";

/** @typedef {{start: number, end: number, text: string}} Edit */

/**
 * Visits a node and what is evaluated with it: the insides of functions are not.
 * @param {any} root @param {(node: any) => void} visit
 */
export function walkNow(root, visit) {
  walk(root, (node) => {
    visit(node);
    return isFunction(node) ? LEAVE_OUT : undefined;
  });
}

/** What `variablesIn` said: each statement is asked for several times. @type {WeakMap<any, any[]>} */
const variablesOf = new WeakMap();

/**
 * The variables of the whole file that are read or set below a node. Names of properties are not among them, nor are
 * the variables of functions, which may have the same names.
 * @param {any} root
 * @returns {any[]} the nodes of their names
 */
export function variablesIn(root) {
  const known = variablesOf.get(root);
  if (known) return known;
  /** @type {any[]} */
  const variables = [];
  variablesOf.set(root, variables);
  /** @type {{node: any, own: Set<string>}[]} */
  const waiting = [{ node: root, own: new Set() }];
  while (waiting.length) {
    const { node: scope, own } = /** @type {{node: any, own: Set<string>}} */ (waiting.pop());
    const properties = new Set();
    walk(scope, (node) => {
      // Its own name is known inside alone.
      if (/^(Function|Class)/.test(node.type) && node.id) properties.add(node.id);
      if (isFunction(node) && node !== scope) {
        waiting.push({ node, own: new Set([...own, ...declaredInside(node)]) });
        return LEAVE_OUT;
      }
      if (node.type === "MemberExpression" && !node.computed) properties.add(node.property);
      if (node.key && !node.computed && !node.shorthand) properties.add(node.key);
      if (node.type === "Identifier" && !properties.has(node) && !own.has(node.name)) variables.push(node);
    });
  }
  return variables;
}

/** The names that a function declares: its parameters and variables. @param {any} fn @returns {string[]} */
function declaredInside(fn) {
  const names = fn.params.flatMap(namesInPattern);
  walk(fn.body, (node) => {
    if (node.type === "VariableDeclarator") names.push(...namesInPattern(node.id));
    return isFunction(node) ? LEAVE_OUT : undefined;
  });
  return names;
}

/** @param {any} root @returns {string[]} */
export const namesIn = (root) => variablesIn(root).map(({ name }) => name);

/** The line breaks of a part of the text, so that what follows keeps its line. @param {string} text */
export function lineBreaks(text) {
  return text.replace(/[^\n]+/g, "");
}

/**
 * The edit that takes a part away.
 * @param {string} source @param {{start: number, end: number}} part @returns {Edit}
 */
export function blanked(source, { start, end }) {
  return { start, end, text: lineBreaks(source.slice(start, end)) };
}

/** The names that a statement declares. @param {any} statement @returns {string[]} */
export function declaredBy(statement) {
  const declaration = statement.declaration ?? statement;
  if (declaration.type === "ImportDeclaration")
    return declaration.specifiers.map((/** @type {any} */ { local }) => local.name);
  if (declaration.type !== "VariableDeclaration") return declaration.id ? [declaration.id.name] : [];
  return declaration.declarations.flatMap((/** @type {any} */ { id }) => namesInPattern(id));
}

/** The names that a pattern declares. @param {any} pattern @returns {string[]} */
function namesInPattern(pattern) {
  const keys = new Set();
  const names = new Set();
  walk(pattern, (node) => {
    if (node.key) keys.add(node.key);
    if (node.type === "Identifier" && !keys.has(node)) names.add(node.name);
  });
  return [...names];
}
