/** The target `no-modules`: a script that makes one global variable. Inside, it is glue for the web. */

import { edit, findNode, isFunction, isMember } from "../syntax.js";
import { Exporting, isScript } from "./exporting.js";
import { defaultWasmPath } from "./instantiation.js";
import { blanked } from "./statements.js";

/** @typedef {{statement: any, body: any, last: any, init: string, others: string[], exports: string}} Script */

export const noModules = {
  name: "no-modules",

  /** @param {any} program @param {string} source */
  matches(program, source) {
    return isScript(program) && /\b__wb(?:g|indgen)_/.test(source) && findScript(program.body) !== null;
  },

  /** @param {any} program @param {string} source @param {string} url */
  toWeb(program, source, url) {
    const script = /** @type {Script} */ (findScript(program.body));
    const { statement, body, last, init, others } = script;
    const isExports = (/** @type {any} */ node) => node.type === "Identifier" && node.name === script.exports;
    const exporting = new Exporting(body.body, source, isExports, false);
    const exported = [...others, `${init} as default`].join(", ");
    const edits = [
      blanked(source, { start: statement.start, end: body.start + 1 }),
      ...exporting.edits.filter(({ start, end }) => start < last.start || end > last.end),
      { ...blanked(source, last), text: `export { ${exported} };${blanked(source, last).text}` },
      blanked(source, { start: body.end - 1, end: statement.end }),
    ];
    // What stands around it would make the variable known elsewhere.
    for (const other of program.body) if (other !== statement) edits.push(blanked(source, other));
    const declaration = body.body.find((/** @type {any} */ inner) => declares(inner, script.exports));
    if (declaration) edits.push(blanked(source, declaration));
    return { source: edit(source, edits), wasmPath: wasmPathIn(body, url) };
  },
};

/**
 * The Wasm file: the script makes its address of its own, as in `script_src.replace(/\.js$/, "_bg.wasm")`.
 * @param {any} body @param {string} url
 */
function wasmPathIn(body, url) {
  const call = findNode(
    body,
    ({ type, callee, arguments: args }) =>
      type === "CallExpression" &&
      callee.property?.name === "replace" &&
      args[0]?.regex &&
      String(args[1]?.value).endsWith(".wasm"),
  );
  if (!call) return defaultWasmPath(url);
  const [{ regex }, { value }] = call.arguments;
  const name = /[^/?#]*(?=[?#]|$)/.exec(url)?.[0] ?? "";
  return name.replace(new RegExp(regex.pattern, regex.flags), value);
}

/** Is that `const __exports = {};`? @param {any} statement @param {string} name */
function declares({ type, declarations }, name) {
  return type === "VariableDeclaration" && declarations.length === 1 && declarations[0].id.name === name;
}

/**
 * The function that is the script, and its last statement, which is
 * `wasm_bindgen = Object.assign(init, { initSync }, __exports)`, or a `return` of that.
 * @param {any[]} statements @returns {Script | null}
 */
function findScript(statements) {
  for (const statement of statements) {
    const call = statement.expression ?? statement.declarations?.[0]?.init;
    if (call?.type !== "CallExpression" || !isFunction(call.callee)) continue;
    const { body } = call.callee;
    const last = body.body?.at(-1);
    const value = last?.argument ?? last?.expression?.right;
    if (value?.type !== "CallExpression" || !isMember(value.callee, "Object", "assign")) continue;
    const [{ name: init }, ...objects] = value.arguments;
    const exports = objects.at(-1)?.name;
    if (!init || !exports) continue;
    const others = objects
      .flatMap((/** @type {any} */ { properties }) => properties ?? [])
      .map((/** @type {any} */ { key, value: { name } }) => (key.name === name ? name : `${name} as ${key.name}`));
    return { statement, body, last, init, others, exports };
  }
  return null;
}
