/**
 * Which statements of a package's own code wait for the instance. The text of a package is evaluated before there is an
 * instance, and code around glue may use one while it is evaluated. So functions and classes are declared at once, and
 * the rest runs later, in the same order.
 */

import { findNode, isClass, isFunction, isMember, LEAVE_OUT, walk } from "../glue/syntax.js";
import { walkNow } from "../glue/targets/statements.js";

/**
 * @typedef {(node: any) => boolean} IsKnown is that the name of a class that is declared at once, or of a global one?
 */

/**
 * Does it make no difference when a value is made?
 * @param {any} node @param {IsKnown} isKnown
 * @returns {boolean}
 */
export function isInert(node, isKnown) {
  if (node === null || isFunction(node)) return true;
  if (isClass(node)) return isInertClass(node, isKnown);
  if (node.type === "UnaryExpression") return /^[-+!]$|^void$/.test(node.operator) && node.argument.type === "Literal";
  return node.type === "Literal" && !node.regex;
}

/** @param {any} node @param {IsKnown} isKnown */
function isInertClass({ superClass, body, decorators = [] }, isKnown) {
  if (decorators.length || (superClass && (superClass.type !== "Identifier" || !isKnown(superClass)))) return false;
  return body.body.every((/** @type {any} */ member) => {
    if (member.type === "StaticBlock" || member.decorators?.length) return false;
    if (member.computed && member.key.type !== "Literal" && !isMember(member.key, "Symbol")) return false;
    return member.type !== "PropertyDefinition" || !member.static || isInert(member.value, isKnown);
  });
}

/**
 * Where a module begins to make its instance while it is evaluated.
 * @param {any} program
 * @returns {any | undefined} the first such statement
 */
export function firstInstance({ body }) {
  const makers = makersIn(body);
  return body.find((/** @type {any} */ statement) => {
    const declaration = statement.declaration ?? statement;
    return !isFunction(declaration) && !isClass(declaration) && makesNow(declaration, makers);
  });
}

/** The functions that make an instance when they are called, by their names. @param {any[]} body */
function makersIn(body) {
  /** @type {Map<string, any>} */
  const functions = new Map();
  for (const statement of body) {
    const { id, declarations = [], ...declaration } = statement.declaration ?? statement;
    if (id) functions.set(id.name, declaration);
    for (const { id: name, init } of declarations) if (isFunction(init)) functions.set(name.name, init);
  }
  /** @type {Set<string>} */
  const makers = new Set();
  for (let size = -1; size !== makers.size; ) {
    size = makers.size;
    for (const [name, node] of functions)
      if (isFunction(node) && findNode(node, (inner) => isMaking(inner, makers))) makers.add(name);
  }
  return makers;
}

/** @param {any} node @param {Set<string>} makers */
function isMaking({ type, callee }, makers) {
  if (type === "CallExpression" && callee.type === "Identifier") return makers.has(callee.name);
  if (type !== "CallExpression" && type !== "NewExpression") return false;
  return isMember(callee, "WebAssembly") && /^(Instance|instantiate(Streaming)?)$/.test(callee.property.name);
}

/** @param {any} statement @param {Set<string>} makers */
function makesNow(statement, makers) {
  let makes = false;
  walkNow(statement, (node) => {
    makes ||= isMaking(node, makers);
    // A function that is called where it stands.
    const { type, callee } = node;
    if (type === "CallExpression" && isFunction(callee) && findNode(callee, (inner) => isMaking(inner, makers)))
      makes = true;
  });
  return makes;
}

/** Where a module waits while it is evaluated. @param {any} statement @returns {any[]} */
export function waitingIn(statement) {
  /** @type {any[]} */
  const nodes = [];
  walkNow(statement, (node) => {
    if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await)) nodes.push(node);
  });
  return nodes;
}

/**
 * The `var` declarations of a statement that declare for the whole module.
 * @param {any} statement @returns {any[]}
 */
export function varsIn(statement) {
  /** @type {any[]} */
  const declarations = [];
  walk(statement, (node) => {
    if (node.type === "VariableDeclaration" && node.kind === "var") declarations.push(node);
    return isFunction(node) || node.type === "StaticBlock" ? LEAVE_OUT : undefined;
  });
  return declarations;
}
