/**
 * Reads a glue file: is it wasm-bindgen's output for the web, how is it initialised, which Wasm file does it fetch,
 * what does it import and export? All forms of glue since 2021 are read here. Glue for other targets, and what wraps
 * glue, is first rewritten as such glue (targets/, ../linking/), so that the rest of the runtime sees one form.
 */

import { GlueError } from "../shared/errors.js";
import { readExports } from "./exports.js";
import { explainOther, explainParseError, isNodeApi, rejectOtherFormats, rejectWrappers } from "./formats.js";
import { findNode, isClass, isFunction, isMember, parseModule, walk } from "./syntax.js";
import { isOwnClass } from "./wrappers.js";

/** @import {Glue, GlueExport, GlueImport, Initializer, Linked} from "../types.js" */

/** A text that holds a Wasm file is linked, so that its own loader finds what is loaded here. */
const WASM_INSIDE = /["'`](?:data:application\/wasm;base64,)?AGFzbQEAAAA[\w+/]/;

/**
 * @param {string} source
 * @param {string} url where it came from
 * @param {Partial<Linked>} [written] what it was before it was rewritten as glue for the web
 * @returns {Glue}
 * @throws {GlueError} it is no glue for the web; the message says what it is
 */
export function readGlue(source, url, { target = "web", wasmName: told, rest } = {}) {
  rejectOtherFormats(source, url);
  const parsed = parseGlue(source, url);
  rejectWrappers(parsed.program, url);
  const bindings = topLevelBindings(parsed.program);
  const exported = readExports(parsed.program);
  const wasmName = told ?? wasmVariable(parsed.program);
  const init = findInitializer(bindings, exported);
  if (!wasmName || !init || isNodeApi(source)) throw explainOther(url, wasmName ? "init function" : "Wasm instance");
  if (!rest && WASM_INSIDE.test(source)) throw new GlueError(`${url} has its Wasm file inside.`);
  return {
    source,
    target,
    url,
    ...parsed,
    bindings,
    imports: readImports(parsed.program),
    exports: exported,
    hiddenClasses: hiddenClasses(bindings, exported, source),
    wasmName,
    init,
    wasmPath: defaultWasmPath(parsed.program, url),
    rest,
    usesResetState: target === "web" && !rest && exported.some(({ name }) => name === "__wbg_reset_state"),
  };
}

/** @param {string} source @param {string} url */
function parseGlue(source, url) {
  try {
    return parseModule(source);
  } catch (error) {
    throw explainParseError(url, error);
  }
}

/**
 * Everything that is declared at the top level: name to declaring node.
 * @param {any} program
 * @param {string} [rest] the function in which linked text sets what is made later
 * @returns {Map<string, any>}
 */
export function topLevelBindings(program, rest) {
  const bindings = new Map();
  for (const statement of program.body) {
    const declaration = statement.declaration ?? statement;
    const documented = statement.start;
    if (declaration.id) bindings.set(declaration.id.name, { node: declaration, documented });
    for (const declarator of declaration.declarations ?? []) {
      if (declarator.id.type !== "Identifier") continue;
      // A variable without a value gets one later: TypeScript writes enums like that.
      bindings.set(declarator.id.name, { node: declarator.init ?? declarator, documented });
    }
  }
  for (const { expression, start } of bindings.get(rest)?.node.body.body ?? [])
    if (expression?.left?.type === "Identifier")
      bindings.set(expression.left.name, { node: expression.right, documented: start });
  return bindings;
}

/** @param {any} program @returns {GlueImport[]} */
function readImports(program) {
  return program.body
    .filter((/** @type {any} */ statement) => statement.type === "ImportDeclaration")
    .map((/** @type {any} */ statement) => ({ node: statement, from: statement.source.value }));
}

/**
 * The variable that holds the instance's exports: `wasm`, unless minified.
 * @param {any} program
 * @returns {string | undefined}
 */
export function wasmVariable(program) {
  const assignment = findNode(
    program,
    (node) =>
      node.type === "AssignmentExpression" &&
      node.left.type === "Identifier" &&
      node.right.type === "MemberExpression" &&
      node.right.property.name === "exports",
  );
  return assignment?.left.name;
}

/**
 * Finds out how to make an instance from a compiled module. `initSync` does it at once. Glue without it (of 2021, and
 * of packages that hide it behind their own `initWasm`) has async functions around `WebAssembly.instantiate`. The
 * factory leaves out their `async` and `await`.
 *
 * @param {Map<string, any>} bindings
 * @param {GlueExport[]} exported
 * @returns {Initializer | null}
 */
function findInitializer(bindings, exported) {
  const sync = bindings.get("initSync");
  if (sync && isFunction(sync.node)) {
    return { name: "initSync", node: sync.node, key: parameterKey(sync.node), asyncFunctions: [] };
  }
  const asyncFunctions = instantiatingFunctions(bindings);
  const names = new Set(asyncFunctions.map(({ name }) => name));
  // The package's own init is preferred: it may set a flag that the rest of the package needs.
  const entry =
    exported.find(({ name, local }) => local && names.has(local) && name !== "default") ??
    exported.find(({ local }) => local && names.has(local));
  if (!entry?.local) return null;
  const { node } = bindings.get(entry.local);
  return {
    name: entry.local,
    node,
    key: parameterKey(node),
    asyncFunctions: asyncFunctions.map((candidate) => candidate.node),
  };
}

/**
 * The async functions at the top level that call `WebAssembly.instantiate`, and
 * those that call them.
 * @param {Map<string, any>} bindings
 */
export function instantiatingFunctions(bindings) {
  const candidates = [...bindings]
    .map(([name, { node }]) => ({ name, node }))
    .filter(({ node }) => isFunction(node) && node.async);
  /** @type {Set<string>} names through which one of them is reached, aliases included */
  const reached = new Set();
  /** @type {typeof candidates} */
  const instantiating = [];
  for (let grew = true; grew; ) {
    grew = false;
    for (const [name, { node }] of bindings) {
      if (node.type === "Identifier" && reached.has(node.name) && !reached.has(name)) {
        reached.add(name);
        grew = true;
      }
    }
    for (const candidate of candidates) {
      if (reached.has(candidate.name)) continue;
      const leads = findNode(
        candidate.node,
        (node) =>
          isMember(node, "WebAssembly", "instantiate") || (node.type === "Identifier" && reached.has(node.name)),
      );
      if (!leads) continue;
      reached.add(candidate.name);
      instantiating.push(candidate);
      grew = true;
    }
  }
  return instantiating;
}

/**
 * The key under which a function of 2024 and later wants its one argument:
 * `initSync({module})`, `init({module_or_path})`.
 * @param {any} node
 * @returns {string | null} null: the argument itself
 */
export function parameterKey(node) {
  if (!findNode(node, (inner) => inner.type === "MemberExpression" && inner.property.name === "getPrototypeOf")) {
    return null;
  }
  const pattern = findNode(node, (inner) => inner.type === "ObjectPattern" && inner.properties.length === 1);
  return pattern?.properties[0].key.name ?? null;
}

/**
 * The Wasm file that the glue itself would fetch, relative to its own URL.
 * @param {any} program @param {string} url
 */
export function defaultWasmPath(program, url) {
  const call = findNode(
    program,
    (node) =>
      node.type === "NewExpression" &&
      node.callee.name === "URL" &&
      /\.wasm$/.test(String(node.arguments[0]?.value ?? "")),
  );
  if (call) return String(call.arguments[0].value);
  const name = /[^/?#]*(?=[?#]|$)/.exec(url)?.[0] ?? "";
  return `${name.replace(/\.[cm]?js$/, "")}_bg.wasm`;
}

/**
 * Names of the classes whose objects Rust or the package hands out, but which the glue does not export. A class of the
 * package's own that extends one of JavaScript's counts as that: a `Map`, an `Error`.
 * @param {Map<string, any>} bindings
 * @param {{name: string, local: string | null}[]} exported
 * @param {string} source of the glue
 */
function hiddenClasses(bindings, exported, source) {
  const names = new Set(exported.map(({ name }) => name));
  const exportedNodes = new Set(exported.map(({ local }) => bindings.get(local ?? "")?.node));
  for (const node of exportedNodes) exportedNodes.add(bindings.get(node?.superClass?.name)?.node);
  const hidden = [...bindings].filter(
    ([name, { node }]) =>
      isClass(node) &&
      !exportedNodes.has(node) &&
      (node.body.body.some((/** @type {any} */ { key }) => key?.name === "__wrap") ||
        (isOwnClass(node, source) && !names.has(name) && (!node.superClass || bindings.has(node.superClass.name)))),
  );
  return hidden.map(([name]) => name);
}

/**
 * The exports of the Wasm file that the glue calls.
 * @param {Glue} glue
 * @returns {Set<string>}
 */
export function calledExports(glue) {
  const names = new Set();
  walk(glue.program, (node) => {
    if (node.type === "CallExpression" && isMember(node.callee, glue.wasmName) && !node.callee.computed) {
      names.add(node.callee.property.name);
    }
  });
  return names;
}

/**
 * The exports that glue functions get as arguments: the allocator's. Where the build shortened their names, only that
 * tells which ones they are.
 * @param {Glue} glue
 * @returns {Set<string>}
 */
export function allocatorsIn(glue) {
  const names = new Set();
  walk(glue.program, (node) => {
    if (node.type !== "CallExpression") return;
    for (const argument of node.arguments) {
      if (isMember(argument, glue.wasmName) && !argument.computed) names.add(argument.property.name);
    }
  });
  return names;
}
