/**
 * The target `nodejs`: a CommonJS module, which reads its Wasm file at once. Until 0.2.105 its exports were also what
 * the Wasm file imports.
 */

import { edit, isMember } from "../syntax.js";
import { hostNames, isExports, Requires } from "./commonjs.js";
import { Exporting, isScript } from "./exporting.js";
import { deferInstance, findInstantiation, makesInstance } from "./instantiation.js";

/** An entry for a bundler's glue, which some packages write for Node by hand, requires that glue. */
const REQUIRES_GLUE = /\brequire\(["'][^"']*_bg(?:\.c?js)?["']\)/;

export const nodejs = {
  name: "nodejs",

  /** @param {any} program @param {string} source */
  matches(program, source) {
    if (!isScript(program) || !/\bexports\b/.test(source) || REQUIRES_GLUE.test(source)) return false;
    return makesInstance(program.body, source);
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
    const { edits, loading, initSync, ...wasm } = deferInstance(body, source, url, instantiation, {
      isHandled: (statement) => handled.has(statement),
      inner,
      before,
    });
    // Statements that moved, or went away, took their parts with them.
    const outside = inner.filter(
      ({ start, end }) => !edits.some((whole) => whole.start < whole.end && whole.start <= start && end <= whole.end),
    );
    const text = edit(source, [...outside, ...edits]);
    const gone = [...loading, ...inner, instantiation.bytes];
    const header = requires.header + hostNames(body, gone);
    const whole = /\bexports = /.test(header) ? `Object.assign(exports, ${exporting.object});\n` : "";
    return { source: `${header}${text}\n${whole}${initSync}`, ...wasm };
  },
};

/** Is that `imports['__wbindgen_placeholder__'] = module.exports`? @param {any} statement */
function isPlaceholder({ type, expression }) {
  if (type !== "ExpressionStatement" || expression.type !== "AssignmentExpression") return false;
  return expression.left.type === "MemberExpression" && isMember(expression.right, "module", "exports");
}
