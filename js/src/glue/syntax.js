/**
 * The parser, and the few helpers that reading glue needs. acorn reads all JavaScript that wasm-bindgen and bundlers
 * write. It also tells positions, so that glue can be edited instead of printed anew.
 */

import { Parser } from "acorn";

/**
 * acorn recognises a stack overflow by a regular expression, while the stack is still full. If V8 has no room left to
 * compile that expression, it ends the whole process. So this parser lets the error through as it is.
 */
const GlueParser = Parser.extend(
  (Base) =>
    /** @type {any} */ (
      class extends Base {
        /** @param {() => unknown} run */
        catchStackOverflow(run) {
          return run();
        }
      }
    ),
);

/**
 * @param {string} source
 * @returns {{program: any, comments: {start: number, end: number, value: string}[]}}
 */
export function parseModule(source) {
  /** @type {any[]} */
  const comments = [];
  const program = GlueParser.parse(source, {
    ecmaVersion: "latest",
    sourceType: "module",
    allowHashBang: true,
    onComment: (block, value, start, end) => {
      if (block && value.startsWith("*")) comments.push({ start, end, value });
    },
  });
  return { program, comments };
}

/** What `visit` returns to leave out everything below a node. */
export const LEAVE_OUT = Symbol("leave out");

/**
 * Visits a node and everything below it, parents first. There is no recursion, because a file may nest to any depth.
 * @param {any} root
 * @param {(node: any) => unknown} visit
 */
export function walk(root, visit) {
  const waiting = [root];
  while (waiting.length) {
    const node = waiting.pop();
    if (visit(node) === LEAVE_OUT) continue;
    for (const value of Object.values(node).reverse()) {
      for (const child of Array.isArray(value) ? [...value].reverse() : [value]) {
        if (typeof child?.type === "string") waiting.push(child);
      }
    }
  }
}

/**
 * @param {any} root
 * @param {(node: any) => boolean} matches
 * @returns {any} the first node that matches, or undefined
 */
export function findNode(root, matches) {
  /** @type {any} */
  let first;
  walk(root, (node) => {
    if (first === undefined && matches(node)) first = node;
  });
  return first;
}

/** @param {any} node @param {string} object @param {string} [property] */
export function isMember(node, object, property) {
  return (
    node.type === "MemberExpression" &&
    node.object.type === "Identifier" &&
    node.object.name === object &&
    (property === undefined || (!node.computed && node.property.name === property))
  );
}

/** @param {any} node */
export function isImportMeta(node) {
  return node.type === "MetaProperty" && node.meta.name === "import";
}

/** @param {any} node */
export function isFunction(node) {
  return /^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(node?.type);
}

/** @param {any} node */
export function isClass(node) {
  return /^Class/.test(node?.type);
}

/**
 * Replaces parts of a text.
 * @param {string} text
 * @param {{start: number, end: number, text: string}[]} edits they do not overlap
 */
export function edit(text, edits) {
  const pieces = [];
  let at = 0;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start)) {
    pieces.push(text.slice(at, start), replacement);
    at = end;
  }
  pieces.push(text.slice(at));
  return pieces.join("");
}
