/**
 * The target `bundler`: `bank_bg.js` is the glue, and the entry `bank.js` brings it and the Wasm file together. Since
 * 0.2.84 the entry gives the glue the instance's exports; before, the glue itself imported the Wasm file.
 */

import { readExports } from "../exports.js";
import { edit, findNode, parseModule } from "../syntax.js";

const SET_WASM = "__wbg_set_wasm";
const WASM_FILE = /\.wasm$/;
/** The glue beside its entry. */
const GLUE_FILE = /^\.\/[^/]*_bg(?:\.js)?$/;
/** What entries say. Files that do not are spared the parser. */
const IMPORTS_GLUE = /\b(?:from|import)\s*["']\.\/[^/"']*_bg(?:\.js)?["']/;

export const bundler = {
  name: "bundler",

  /** @param {any} program */
  matches(program) {
    return !program.body.some((/** @type {any} */ { source }) => GLUE_FILE.test(source?.value)) && !!entrance(program);
  },

  /** @param {any} program @param {string} source @param {string} url */
  toWeb(program, source, url) {
    const { variable, statement } = /** @type {Entrance} */ (entrance(program));
    const edits = program.body
      .filter(startsItself)
      .map((/** @type {any} */ { start, end }) => ({ start, end, text: "" }));
    let wasmPath = `${/[^/?#]*(?=[?#]|$)/.exec(url)?.[0].replace(/\.m?js$/, "")}.wasm`;
    if (statement.source) {
      wasmPath = inFolder(statement);
      edits.push({ start: statement.start, end: statement.end, text: `let ${variable};` });
    }
    // The Wasm file imports these from "./bank_bg.js". Bundlers may have renamed that file.
    const own = readExports(program)
      .filter(({ local }) => local)
      .map(({ name, local }) => `${JSON.stringify(name)}: ${local}`);
    const initSync =
      `\nexport function initSync($module, $snippets) { const $own = { ${own.join(", ")} }; ` +
      `${variable} = new WebAssembly.Instance($module, ` +
      "new Proxy({ ...$snippets }, { get: ($known, $name) => $known[$name] ?? $own })).exports; " +
      `${variable}.__wbindgen_start?.(); }\n`;
    return { source: edit(source, edits) + initSync, wasmPath };
  },
};

/**
 * The files that an entry brings together, from its own folder. A file with exports of its own is no mere entry.
 * @param {string} source
 * @returns {{glue: string, wasmPath?: string} | null} null: it is no entry; no Wasm file: the glue tells it
 */
export function readEntry(source) {
  if (!IMPORTS_GLUE.test(source)) return null;
  /** @type {any[]} */
  let body;
  try {
    ({ body } = parseModule(source).program);
  } catch {
    return null; // `readGlue` says why
  }
  const isGlue = (/** @type {any} */ { source }) => GLUE_FILE.test(source?.value);
  const glue = body.filter(isGlue);
  // An entry that does more is linked.
  const isEntry = body.every(
    (statement) =>
      isGlue(statement) ||
      startsItself(statement) ||
      statement.expression?.callee?.name === SET_WASM ||
      (statement.type === "ImportDeclaration" && WASM_FILE.test(statement.source.value)),
  );
  if (!isEntry || glue.length === 0) return null;
  const wasm = body.find(({ source }) => WASM_FILE.test(source?.value));
  return { glue: glue[0].source.value.replace(/(?:\.js)?$/, ".js"), wasmPath: wasm && inFolder(wasm) };
}

/** @typedef {{variable: string, statement: any}} Entrance */

/**
 * Where the Wasm file's exports enter the glue: a statement, and the variable that it sets.
 * @param {any} program
 * @returns {Entrance | null}
 */
function entrance({ body }) {
  for (const statement of body) {
    const { type, declaration, source, specifiers } = statement;
    if (type === "ImportDeclaration" && WASM_FILE.test(source.value) && specifiers[0]?.type.includes("Namespace"))
      return { variable: specifiers[0].local.name, statement };
    if (declaration?.id?.name !== SET_WASM) continue;
    const assignment = findNode(declaration, ({ type }) => type === "AssignmentExpression");
    if (assignment) return { variable: assignment.left.name, statement };
  }
  return null;
}

/** @param {any} statement an import @returns {string} the file's place, from this folder */
function inFolder({ source }) {
  return source.value.replace(/^\.\//, "");
}

/** Is that `wasm.__wbindgen_start()`, in glue that imports its Wasm file? @param {any} statement */
function startsItself({ type, expression }) {
  return type === "ExpressionStatement" && expression.callee?.property?.name === "__wbindgen_start";
}
