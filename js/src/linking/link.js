/**
 * Links a package: from the file that the user named to one text that is glue for the web. Nothing below knows what it
 * was before, except for the name of its target.
 */

import { EXPECTED } from "../glue/formats.js";
import { defaultWasmPath, instantiatingFunctions, topLevelBindings, wasmVariable } from "../glue/glue.js";
import { findNode, isFunction, parseModule, walk } from "../glue/syntax.js";
import { readEntry } from "../glue/targets/bundler.js";
import { toWeb } from "../glue/targets/index.js";
import { withoutPhase } from "../glue/targets/sourcePhase.js";
import { GlueError, LoadError } from "../shared/errors.js";
import { Linkage } from "./bindings.js";
import { firstInstance } from "./deferring.js";
import { explain, rejectKnown } from "./explain.js";
import { follow, unreadable } from "./graph.js";
import { exportStatement, Hoisting } from "./hoist.js";
import { initializer, returningEdits, webAssemblyText } from "./initializing.js";
import { wasmInside } from "./inside.js";
import { Names } from "./names.js";

/** @import {FileRead, GlueText, Linked} from "../types.js" */
/** @import {Answer, Graph, Module} from "./graph.js" */

/**
 * @param {GlueText} entry @param {(url: string) => Promise<FileRead>} read @param {unknown} error why it is no glue for
 *   the web
 * @returns {Promise<Linked>}
 * @throws {GlueError} it is no glue for any target, and wraps none; the message says what it is
 */
export async function link(entry, read, error) {
  const steps = linking(entry, error);
  let step = steps.next();
  while (!step.done) step = steps.next(await Promise.all(step.value.map((url) => read(url).catch(absent))));
  return step.value;
}

/**
 * As `link`.
 * @param {GlueText} entry @param {(url: string) => FileRead} read @param {unknown} error
 * @returns {Linked}
 */
export function linkAtOnce(entry, read, error) {
  const steps = linking(entry, error);
  let step = steps.next();
  while (!step.done) {
    const answers = step.value.map((url) => {
      try {
        return read(url);
      } catch (error) {
        return absent(error);
      }
    });
    step = steps.next(answers);
  }
  return step.value;
}

/** The answer for a file that is not there. Every other error ends the load. @param {any} error @returns {Answer} */
function absent(error) {
  const isAbsent =
    error instanceof GlueError || (error instanceof LoadError && /** @type {any} */ (error).status >= 400);
  if (!isAbsent) throw error;
  return { error };
}

/**
 * @param {GlueText} text @param {unknown} error
 * @returns {Generator<string[], Linked, Answer[]>} yields the URLs of the files that it needs
 */
function* linking({ source, url }, error) {
  const entry = readEntry(source);
  if (entry) {
    const [answer] = yield [new URL(entry.glue, url).href];
    if ("error" in answer) throw unreadable(url, entry.glue, answer.error);
    const { bytes, url: place } = answer;
    const text = new TextDecoder().decode(bytes);
    const web = webOf(text, place);
    if (!web) throw explain(text, place, error);
    return { url: place, ...web, wasmPath: entry.wasmPath ?? web.wasmPath };
  }
  const web = webOf(source, url);
  if (!web) rejectKnown(source, url);
  // What glue for Node requires is CommonJS, which a browser cannot import.
  const requires = web?.target === "nodejs" && /\bfrom ["']\.{1,2}\//.test(web.source);
  const linked = web && !requires ? { url, ...web } : join(yield* follow({ source, url }));
  if (!linked) throw explain(source, url, error);
  return linked;
}

/** The glue for the web that a file for another target is. @param {string} source @param {string} url */
function webOf(source, url) {
  try {
    return toWeb(parseModule(withoutPhase(source)).program, source, url);
  } catch {
    return null; // the error of `readGlue` says why
  }
}

/** @param {Graph} graph @returns {Linked | null} */
function join(graph) {
  const glue = glueOf(graph);
  if (!glue) return null;
  const { entry, modules } = graph;
  const linkage = new Linkage(modules);
  const names = new Names(linkage, [glue, ...modules.filter((module) => module !== glue)]);
  const place = Object.fromEntries(
    ["webAssembly", "instance", "module", "wait", "load", "rest"].map((name) => [name, names.fresh(`$${name}`)]),
  );
  const metas = new Map();
  const hoisting = new Hoisting(linkage, names, {
    webAssembly: place.webAssembly,
    wasm: ({ wasm, url }, name) => wasmText(/** @type {string} */ (wasm), url, name, place),
    meta: (module) => {
      if (module === glue) return "import.meta";
      if (!metas.has(module)) metas.set(module, names.fresh("$meta"));
      return metas.get(module);
    },
    load: (module, name) => loadText(module, name, glue, place),
    wait: (module, call) => {
      const isInit = call !== null && isGlueInit(linkage, module, call, glue);
      return isInit ? ["(", `, ${place.instance}.exports)`] : [`${place.wait}(`, `, ${JSON.stringify(module.url)})`];
    },
  });
  const { wasm = glue.glue?.wasm, edits } = wasmInside(modules);
  const position = modules.indexOf(glue);
  const start = firstInstance(glue.program);
  modules.forEach((module, at) => {
    if (module.wasm !== null) return;
    const waits = (/** @type {any} */ statement) =>
      at > position || (module === glue && start !== undefined && statement.start >= start.start);
    const more = module === glue ? [...settingEdits(module), ...returningEdits(module, place.instance)] : [];
    hoisting.add(module, waits, [...more, ...(edits.get(module) ?? [])]);
  });
  const init = initializer(glue, linkage.of(glue), names, place.webAssembly);
  if (!init) return null;
  const own = [...linkage.names(entry)].some((name) => name !== "default");
  const exported = [...hoisting.exportsOf(entry), ...(own ? [] : hoisting.exportsOf(glue))];
  const argument = init.key === null ? "$module" : `{ ${init.key}: $module }`;
  const source = [
    webAssemblyText(/** @type {any} */ (place)),
    ...[...metas].map(([module, variable]) => `const ${variable} = { url: ${JSON.stringify(module.url)} };`),
    hoisting.namespaces,
    ...hoisting.texts,
    init.copies,
    `function ${place.rest}() {\n${hoisting.rest.join("\n")}\n}`,
    `export function initSync($module, $snippets) { ${place.module} = $module; ` +
      `return ${init.text}(${argument}, $snippets); }`,
    exportStatement(exported.filter(({ name }, at) => isFirst(exported, name, at))),
  ].join("\n");
  const wasmVariableName = /** @type {string} */ (wasmVariable(glue.program));
  return {
    source,
    url: glue.url,
    target: /** @type {any} */ (glue.glue).target,
    wasmPath: wasmPathIn(modules, glue),
    ...(wasm && { wasm }),
    wasmName: names.of(/** @type {any} */ (linkage.of(glue).scope.top.get(wasmVariableName))),
    rest: place.rest,
    files: modules.map(({ url }) => url),
  };
}

/**
 * Is that one of the glue's own functions that make the instance? Their promises give the instance's exports.
 * @param {Linkage} linkage @param {Module} module @param {string} name in that module @param {Module} glue
 */
function isGlueInit(linkage, module, name, glue) {
  const { scope, imports } = linkage.of(module);
  const reference = imports.get(name);
  const meaning = reference ? linkage.imported(module, reference) : { variable: scope.top.get(name) };
  const variables = instantiatingFunctions(topLevelBindings(glue.program)).map((it) =>
    linkage.of(glue).scope.top.get(it.name),
  );
  return "variable" in meaning && meaning.variable !== undefined && variables.includes(meaning.variable);
}

/** @param {{name: string}[]} exported @param {string} name @param {number} at */
function isFirst(exported, name, at) {
  return name !== "initSync" && exported.findIndex((other) => other.name === name) === at;
}

/**
 * The one glue file of a package.
 * @param {Graph} graph @returns {Module | null} null: the entry imports nothing, and is no glue
 * @throws {GlueError} there is none, or more than one, or another package is imported; it names the files
 */
function glueOf({ entry, modules, bare }) {
  const all = modules.filter((module) => module.glue !== null);
  // A loader that makes the instance by itself looks like glue for the web.
  const isLoader = (/** @type {Module} */ { glue, ...module }) =>
    glue?.target === "web" && all.some((other) => other.url !== module.url && reached(module).has(other));
  const glue = all.filter((module) => !isLoader(module));
  if (bare.length) throw importsPackage(bare, modules, glue);
  if (glue.length === 1) return glue[0];
  if (glue.length > 1)
    throw new GlueError(`${entry.url} joins several modules of Rust. Load one of their glue files: ${listed(glue)}.`);
  if (modules.length === 1) return null;
  throw new GlueError(
    `${entry.url} is JavaScript, but neither glue that wasm-bindgen wrote nor a file that imports such glue. ` +
      `These files were read: ${listed(modules)}. Load a JavaScript file that wasm-bindgen wrote.`,
  );
}

/**
 * The error that says that another package is imported, and what to load instead: the file that joins as much of the
 * package as can be followed.
 * @param {Graph["bare"]} bare @param {Module[]} modules @param {Module[]} glue
 */
function importsPackage(bare, modules, glue) {
  const [{ module, name }] = bare;
  const best = modules.findLast((candidate) => {
    const files = reached(candidate);
    return glue.some((file) => files.has(file)) && !bare.some((other) => files.has(other.module));
  });
  let instead = `No file beside it is glue. ${EXPECTED}`;
  if (glue.length) instead = `The glue is ${listed(glue)}: load that instead.`;
  if (best && !glue.includes(best))
    instead = `The glue is ${listed(glue)}: load ${best.url} instead, which imports it.`;
  return new GlueError(
    `${module.url} imports ${JSON.stringify(name)}, which is another package. Only the files of one package are ` +
      `followed. ${instead}`,
  );
}

/** @param {Module[]} files */
const listed = (files) => files.map(({ url }) => url).join(", ");

/** A module and all that it imports. @param {Pick<Module, "dependencies">} module @returns {Set<unknown>} */
function reached(module) {
  const files = new Set([module]);
  for (const { dependencies } of files) for (const file of dependencies.values()) files.add(file);
  return files;
}

/**
 * What an import of a Wasm file means, which bundlers understand differently: its exports, and as a default the
 * compiled module, a function that makes an instance, or its URL.
 * @param {string} query of its URL @param {string} url @param {string} name @param {Record<string, string>} place
 */
function wasmText(query, url, name, { instance, module, webAssembly }) {
  if (name === "*") return `${instance}.exports`;
  if (name !== "default") return `${instance}.exports[${JSON.stringify(name)}]`;
  if (query === "?url") return `(${JSON.stringify(url)})`;
  if (query === "?init") return `(($imports) => ${webAssembly}.instantiate(${module}, $imports))`;
  return module;
}

/**
 * @param {Module} from @param {string} name @param {Module} glue @param {Record<string, string>} place
 * @returns {string | null}
 */
function loadText(from, name, glue, { load }) {
  if (!/^\.{0,2}\//.test(name)) return null;
  if (/\.wasm$/.test(name)) return `${load}()`;
  return from === glue ? null : `import(${JSON.stringify(new URL(name, from.url).href)})`;
}

/**
 * The edits that keep the package from giving its glue other exports than those of the instance: some set a proxy that
 * throws until their own init has run.
 * @param {Module} glue
 */
function settingEdits({ program }) {
  const setter = findNode(program, (node) => isFunction(node) && node.id?.name === "__wbg_set_wasm");
  return setter ? [{ start: setter.body.start, end: setter.body.end, text: "{}" }] : [];
}

/**
 * The Wasm file that a package names, relative to its glue.
 * @param {Module[]} modules @param {Module} glue
 */
function wasmPathIn(modules, glue) {
  const imported = modules.find(({ wasm, url }) => wasm !== null && !url.startsWith("data:"));
  if (imported) return beside(imported.url, glue.url);
  if (glue.glue?.wasmPath) return glue.glue.wasmPath;
  for (const { program, url } of modules) {
    /** @type {string | null} */
    let place = null;
    walk(program, ({ type, callee, arguments: args }) => {
      const isUrl = type === "NewExpression" && callee.name === "URL" && args.length > 1;
      if (isUrl && /\.wasm$/.test(String(args[0].value))) place ??= new URL(args[0].value, url).href;
    });
    if (place !== null) return beside(place, glue.url);
  }
  return defaultWasmPath(glue.program, glue.url);
}

/**
 * The relative path of a file in the same place as another one; else its URL.
 * @param {string} url @param {string} other
 */
function beside(url, other) {
  const [to, from] = [url, other].map((place) => place.replace(/[?#].*/, "").split("/"));
  if (to.slice(0, 3).join("/") !== from.slice(0, 3).join("/")) return url;
  let same = 0;
  while (same < from.length - 1 && to[same] === from[same]) same++;
  return `${"../".repeat(from.length - 1 - same)}${to.slice(same).join("/")}`;
}
