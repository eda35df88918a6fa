/**
 * The parts of a linked text that make the instance. Whatever the package's own loader does, it finds the one instance
 * that its generation has: every other one would be without guards.
 */

import { instantiatingFunctions, parameterKey, topLevelBindings } from "../glue/glue.js";
import { edit, isFunction, isMember, walk } from "../glue/syntax.js";

/** @import {Bindings} from "./bindings.js" */
/** @import {Module} from "./graph.js" */
/** @import {Names} from "./names.js" */

/**
 * `WebAssembly` for the package: its first instance is the generation's, and every later one is the same. The text also
 * declares what stands for `await` at the top level, and for `import("x.wasm")`.
 * @param {{webAssembly: string, instance: string, module: string, wait: string, load: string}} names of variables
 */
export function webAssemblyText({ webAssembly, instance, module, wait, load }) {
  return `let ${instance} = null, ${module} = null;
const { webAssembly: ${webAssembly}, wait: ${wait}, load: ${load} } = (() => {
  const real = WebAssembly;
  function Instance(compiled, imports) {
    if (${instance} === null) ${instance} = new real.Instance(${module} ?? compiled, imports);
    if (!${instance}) throw new Error("This instance is gone, and the module has started anew: call its init again.");
    return ${instance};
  }
  function Module() { return ${module}; }
  Instance.prototype = real.Instance.prototype;
  Module.prototype = real.Module.prototype;
  Object.setPrototypeOf(Module, real.Module);
  const values = new WeakMap();
  const promised = (make) => {
    let value;
    const promise = (async () => (value = make()))();
    if (value) values.set(promise, value);
    return promise;
  };
  const both = (imports) => ({ module: ${module}, instance: new Instance(${module}, imports) });
  const ignore = (response) => void Promise.resolve(response).then((it) => it?.body?.cancel()).catch(() => {});
  return {
    webAssembly: Object.create(real, Object.getOwnPropertyDescriptors({
      Instance, Module,
      instantiate: (source, imports) =>
        promised(() => (source instanceof real.Module ? new Instance(source, imports) : both(imports))),
      instantiateStreaming: (response, imports) => (ignore(response), promised(() => both(imports))),
      compile: () => promised(() => ${module}),
      compileStreaming: (response) => (ignore(response), promised(() => ${module})),
    })),
    load: () => promised(() => ${instance}.exports),
    wait: (value, url) => {
      if (typeof value?.then !== "function") return value;
      if (values.has(value)) return values.get(value);
      Promise.resolve(value).catch(() => {});
      throw new Error(url + " waits for a promise while it is evaluated (await at the top level), and a module that " +
        "starts anew after a crash cannot wait.");
    },
  };
})();`;
}

/**
 * How the glue of a package makes its instance: an expression for the function, and the key of its argument. Glue
 * without `initSync` has async functions, of which this makes copies that do not wait: users may call the functions
 * themselves and expect promises.
 * @param {Module} glue @param {Bindings} bindings @param {Names} names @param {string} webAssembly
 * @returns {{text: string, key: string | null, copies: string} | null}
 */
export function initializer(glue, { exports, scope }, names, webAssembly) {
  const declared = topLevelBindings(glue.program);
  const finalName = (/** @type {string} */ name) => names.of(/** @type {any} */ (scope.top.get(name)));
  const exported = exports.get("initSync");
  const known = [exported && "local" in exported ? exported.local : "", "initSync"];
  const local = known.find((name) => isFunction(declared.get(name)?.node));
  if (local) return { text: finalName(local), key: parameterKey(declared.get(local)?.node), copies: "" };
  const { functions, entry } = findEntry(declared);
  if (!entry) return null;
  const copies = new Map(functions.map(({ name }) => [name, names.fresh(`$${name}`)]));
  const texts = functions.map(({ name, node }) => {
    const edits = names.edits(glue, () => "").filter(({ start, end }) => node.start <= start && end <= node.end);
    return `const ${copies.get(name)} = (${copyText(glue, node, edits, copies, scope, webAssembly)});`;
  });
  return {
    text: /** @type {string} */ (copies.get(entry.name)),
    key: parameterKey(entry.node),
    copies: texts.join("\n"),
  };
}

/**
 * The function of glue that gets the Wasm file and makes the instance. Functions come before those that call them: what
 * calls this one is the package's own loader.
 * @param {Map<string, any>} declared
 */
function findEntry(declared) {
  const functions = instantiatingFunctions(declared);
  const entry = functions.find(({ node }) => node.params.length === 1) ?? functions.at(-1);
  return { functions, entry };
}

/**
 * The edits that have the glue's own functions give the instance that there is. Newer glue does that by itself, older
 * glue would fetch its Wasm file again.
 * @param {Module} glue @param {string} instance
 */
export function returningEdits({ program }, instance) {
  const { entry } = findEntry(topLevelBindings(program));
  if (entry?.node.body.type !== "BlockStatement") return [];
  const at = entry.node.body.start + 1;
  return [{ start: at, end: at, text: ` if (${instance}) return ${instance}.exports;` }];
}

/**
 * @param {Module} glue @param {any} fn @param {import("./names.js").Edit[]} renamed
 * @param {Map<string, string>} copies @param {Bindings["scope"]} scope @param {string} webAssembly
 */
function copyText({ source }, fn, renamed, copies, scope, webAssembly) {
  /** @type {Map<number, import("./names.js").Edit>} by the place, so that one of them counts */
  const edits = new Map(renamed.map((each) => [each.start, each]));
  for (const [name, copy] of copies) {
    for (const { start, end } of scope.top.get(name)?.mentions ?? []) {
      const isInside = fn.start <= start && end <= fn.end && start !== fn.id?.start;
      if (isInside) edits.set(start, { start, end, text: copy });
    }
  }
  walk(fn, (node) => {
    const { start } = node;
    if (node.type === "AwaitExpression") edits.set(start, { start, end: start + "await".length, text: "" });
    if (isFunction(node) && node.async) edits.set(start, { start, end: start + "async".length, text: "" });
    if (node.type === "CallExpression" && isMember(node.callee, "WebAssembly", "instantiate"))
      edits.set(start, { start, end: node.callee.end, text: `new ${webAssembly}.Instance` });
    else if (isMember(node, "WebAssembly") && !edits.has(start))
      edits.set(start, { start, end: node.object.end, text: webAssembly });
  });
  const inside = [...edits.values()].map((each) => ({
    ...each,
    start: each.start - fn.start,
    end: each.end - fn.start,
  }));
  return edit(source.slice(fn.start, fn.end), inside);
}
