/**
 * Glue that makes its instance while it is evaluated, as it does outside of browsers: what reads the Wasm file goes
 * away, and what makes the instance, with all that follows, moves into an `initSync`.
 */

import { BINDGEN } from "../formats.js";
import { edit, findNode, isFunction, isMember, walk } from "../syntax.js";
import { blanked, declaredBy, namesIn, walkNow } from "./statements.js";

/** @typedef {import("./statements.js").Edit} Edit */
/** @typedef {{statement: any, node: any, bytes: any, imports: any}} Instantiation */

/** The parameter of `initSync`. The glue's own `module` may mean something else. */
const MODULE = "$module";

/**
 * Where a module makes its instance while it is evaluated.
 * @param {any[]} body the statements
 * @returns {Instantiation | null}
 */
export function findInstantiation(body) {
  for (const statement of body) {
    if (isFunction(statement) || statement.type === "ClassDeclaration") continue;
    /** @type {any} */
    let found = null;
    walkNow(statement, (node) => {
      const inner = node.type === "AwaitExpression" ? node.argument : node;
      const isAwaited = inner !== node && /^instantiate(Streaming)?$/.test(inner.callee?.property?.name);
      if (found || !(isAwaited || inner.type === "NewExpression") || inner.arguments.length < 2) return;
      if (!isMember(inner.callee, "WebAssembly", isAwaited ? undefined : "Instance")) return;
      const [bytes, imports] = inner.arguments;
      found = { statement, node, bytes, imports };
    });
    if (found) return found;
  }
  return null;
}

/** Is that glue which makes its instance while it is evaluated? @param {any[]} body @param {string} source */
export function makesInstance(body, source) {
  return BINDGEN.test(source) && findInstantiation(body) !== null;
}

/**
 * The statements that only serve to get the bytes of the Wasm file.
 * @param {any[]} body @param {Instantiation} instantiation
 * @returns {{statements: Set<any>, keptModule: string | null}} `keptModule`: the rest of the glue reads this variable,
 *   which holds the compiled module
 */
function loadingStatements(body, { statement: instance, bytes }) {
  const names = new Set(namesIn(bytes));
  /** @type {Set<any>} */
  const statements = new Set();
  for (let size = -1; size < statements.size; ) {
    size = statements.size;
    for (const statement of body) {
      if (statement === instance || statements.has(statement) || !sets(statement, names)) continue;
      statements.add(statement);
      for (const name of namesIn(statement)) names.add(name);
    }
  }
  const moduleName = bytes.type === "Identifier" ? bytes.name : null;
  let keptModule = null;
  for (let size = -1; size !== statements.size; ) {
    size = statements.size;
    const others = body.filter((statement) => statement !== instance && !statements.has(statement));
    const used = new Set(others.flatMap(namesIn));
    if (moduleName !== null && used.has(moduleName)) keptModule = moduleName;
    for (const statement of statements) {
      if (declaredBy(statement).some((name) => name !== moduleName && used.has(name))) statements.delete(statement);
    }
  }
  return { statements, keptModule };
}

/** Does a statement declare or assign one of these variables? @param {any} statement @param {Set<string>} names */
function sets(statement, names) {
  if (isFunction(statement) || /^(Class|Export)/.test(statement.type)) return false;
  if (declaredBy(statement).some((name) => names.has(name))) return true;
  let assigns = false;
  walkNow(statement, ({ type, left }) => {
    if (type === "AssignmentExpression" && left.type === "Identifier" && names.has(left.name)) assigns = true;
  });
  return assigns;
}

/**
 * The Wasm file that glue reads.
 * @param {any[]} roots the syntax trees that name it @param {string} url of the glue
 */
function wasmPathIn(roots, url) {
  for (const root of roots) {
    const joined = findNode(root, ({ type, callee }) => type === "CallExpression" && callee.property?.name === "join");
    const parts = (joined?.arguments ?? [])
      .map((/** @type {any} */ { value }) => value)
      .filter((/** @type {unknown} */ value) => typeof value === "string");
    if (/\.wasm$/.test(parts.at(-1) ?? "")) return parts.join("/");
    /** @type {string | null} */
    let path = null;
    walk(root, (node) => {
      const text = node.type === "TemplateElement" ? node.value.cooked : node.value;
      if (typeof text === "string" && text.endsWith(".wasm")) path ??= text.replace(/^\.?\//, "");
    });
    if (path !== null) return path;
  }
  return defaultWasmPath(url);
}

/**
 * The Wasm file that glue holds as base64.
 * @param {any[]} roots the syntax trees that may hold it @returns {Uint8Array | null}
 */
function bytesIn(roots) {
  const isWasm = (/** @type {any} */ { type, value }) => type === "Literal" && /^AGFzbQEAAAA/.test(value);
  const literal = roots.map((root) => findNode(root, isWasm)).find(Boolean);
  if (!literal) return null;
  const text = atob(literal.value);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The Wasm file that wasm-bindgen writes beside a glue file. @param {string} url @returns {string} */
export function defaultWasmPath(url) {
  const name = /[^/?#]*(?=[?#]|$)/.exec(url)?.[0] ?? "";
  return `${name.replace(/\.[cm]?js$/, "")}_bg.wasm`;
}

/**
 * The edits that make an `initSync` of what glue does when it is evaluated.
 *
 * @param {any[]} body the statements @param {string} source
 * @param {string} url of the glue
 * @param {Instantiation} instantiation
 * @param {{isHandled?: (statement: any) => boolean, inner?: Edit[], before?: string}} [also]
 *   isHandled: statements that other edits change; inner: edits of parts that may lie in statements that move; before:
 *   code that makes ready the imports
 * @returns {{edits: Edit[], loading: Set<any>, initSync: string, wasmPath: string, bytes: Uint8Array | null}}
 *   loading: statements that went away; initSync: goes to the end of the text; bytes: the Wasm file, if it is inside
 */
export function deferInstance(
  body,
  source,
  url,
  instantiation,
  { isHandled = () => false, inner = [], before = "" } = {},
) {
  const { statements: loading, keptModule } = loadingStatements(body, instantiation);
  const edits = [...loading].map((statement) => {
    const edited = blanked(source, statement);
    if (keptModule !== null && declaredBy(statement).includes(keptModule))
      edited.text = `let ${keptModule};${edited.text}`;
    return edited;
  });
  const nested = [...inner, instanceEdit(instantiation, source)];
  /** @type {Set<string>} */
  const late = new Set();
  const moved = [];
  for (const statement of body.slice(body.indexOf(instantiation.statement))) {
    if (loading.has(statement) || isHandled(statement)) continue;
    const declaration = statement.declaration ?? statement;
    if (/^(Function|Class|Import|Export)/.test(declaration.type)) continue;
    if (declaration.type === "VariableDeclaration") {
      const isLate = statement === instantiation.statement || namesNow(declaration).some((name) => late.has(name));
      if (!isLate) continue;
      const edited = blanked(source, statement);
      edits.push(edited);
      // `export const __wasm = wasm`: no other target exports that.
      if (statement !== declaration) continue;
      const names = declaredBy(declaration);
      for (const name of names) late.add(name);
      edited.text = `let ${names.join(", ")};${edited.text}`;
      moved.push(...declaration.declarations.map((/** @type {any} */ node) => assignment(node, source, nested)));
    } else {
      walkNow(statement, ({ type, left }) => {
        if (type === "AssignmentExpression" && left.type === "Identifier") late.add(left.name);
      });
      edits.push(blanked(source, statement));
      moved.push(textOf(statement, source, nested));
    }
  }
  const keep = keptModule === null ? "" : `${keptModule} = ${MODULE}; `;
  return {
    edits,
    loading,
    initSync: `function initSync(${MODULE}) { ${before}${keep}${moved.join(" ")} }\nexport { initSync };\n`,
    wasmPath: wasmPathIn([instantiation.bytes, ...loading], url),
    bytes: bytesIn([instantiation.bytes, ...loading]),
  };
}

/** The names that are read when a declaration is evaluated. @param {any} declaration @returns {string[]} */
function namesNow(declaration) {
  return declaration.declarations.flatMap((/** @type {any} */ { init }) =>
    init && !isFunction(init) ? namesIn(init) : [],
  );
}

/** @param {Instantiation} instantiation @param {string} source @returns {Edit} */
function instanceEdit({ node, imports }, source) {
  const { start, end } = node;
  const made = `new WebAssembly.Instance(${MODULE}, ${source.slice(imports.start, imports.end)})`;
  if (node.type !== "AwaitExpression") return { start, end, text: made };
  // `instantiate` gives both for bytes, and the instance itself for a module.
  const both = `(($instance) => ({ instance: $instance, module: ${MODULE}, exports: $instance.exports }))`;
  return { start, end, text: `${both}(${made})` };
}

/** A declarator as an assignment. @param {any} node @param {string} source @param {Edit[]} nested */
function assignment({ id, init }, source, nested) {
  if (!init) return "";
  const text = `${textOf(id, source, [])} = ${textOf(init, source, nested)}`;
  return id.type === "Identifier" ? `${text};` : `(${text});`;
}

/** The edited text of a node. @param {any} node @param {string} source @param {Edit[]} nested */
function textOf({ start, end }, source, nested) {
  const edits = nested
    .filter((part) => part.start >= start && part.end <= end)
    .map(({ start: from, end: to, text }) => ({ start: from - start, end: to - start, text }));
  return edit(source.slice(start, end), edits);
}
