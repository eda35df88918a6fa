/**
 * Chooses the way to put a package under supervision. A factory needs nothing but permission to compile source text.
 * Where a content security policy forbids that, a factory file that was made ahead of time is imported, or the glue
 * itself.
 */

import { describe } from "../glue/describe.js";
import { compileFactory, factoryBody, importFactory } from "../glue/factory.js";
import { calledExports } from "../glue/glue.js";
import { explainPolicy, FORBIDDEN, importPrebuilt, isLocal } from "../glue/prebuilt.js";
import { factoryAdapter, nativeAdapter } from "../instance/adapters.js";
import { GlueError, LoadError } from "../shared/errors.js";
import { sharedMemory } from "../shared/messages.js";

/** @import {Adapter, Compiled, Glue, GlueFactory, LoadOptions} from "../types.js" */

/**
 * The reset function of each namespace that is under supervision: two supervisors would reset each other's instance.
 */
const supervised = new WeakSet();

/**
 * @param {Glue} glue @param {unknown[]} imports @param {Compiled} compiled @param {LoadOptions} how
 * @returns {Promise<Adapter>}
 */
export async function chooseAdapter(glue, imports, compiled, { integrity }) {
  const body = factoryBody(glue);
  try {
    return fromFactory(glue, await factoryDespitePolicy(body, glue, integrity), imports, compiled);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (!glue.usesResetState || isLocal(glue.url)) throw explainPolicy(glue, error.cause);
    return adaptNamespace(await import(/* @vite-ignore */ glue.url), glue, compiled);
  }
}

/** The policy of the page allows no way to make a factory. */
class PolicyError extends Error {}

/**
 * Makes a factory in the first way that the page's content security policy allows.
 * @param {string} body @param {Glue} glue @param {string | undefined} integrity @returns {Promise<GlueFactory>}
 */
async function factoryDespitePolicy(body, glue, integrity) {
  try {
    return compileFactory(body, glue.url);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
  }
  try {
    return await importFactory(body, glue.url);
  } catch {
    // blob: is forbidden too.
  }
  if (integrity) {
    throw new GlueError(
      `${glue.url} cannot be supervised: ${FORBIDDEN}, or leave \`integrity\` out: a file that is imported instead ` +
        "cannot be checked.",
    );
  }
  try {
    return await importPrebuilt(glue, body);
  } catch (cause) {
    if (cause instanceof GlueError) throw cause;
    throw new PolicyError("no way to compile", { cause });
  }
}

/** @param {Glue} glue @returns {GlueFactory} */
export function factoryAtOnce(glue) {
  try {
    return compileFactory(factoryBody(glue), glue.url);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    throw explainPolicy(glue, error);
  }
}

/** @param {Glue} glue @param {GlueFactory} factory @param {unknown[]} imports @param {Compiled} compiled */
export function fromFactory(glue, factory, imports, { module, wasm, origin, snippets }) {
  const { url } = glue; // not `glue`, because the function below outlives the syntax tree
  const missing = missingExports(glue, wasm, origin);
  const importModule = (/** @type {string} */ from) => import(/* @vite-ignore */ new URL(from, url).href);
  const description = describe(glue, wasm);
  return factoryAdapter({ glue, factory, imports, importModule, module, wasm, description, missing, snippets });
}

/**
 * @param {Record<string, any>} namespace @param {Glue} glue @param {Compiled} compiled
 * @returns {Adapter}
 */
export function adaptNamespace(namespace, glue, { module, wasm, origin }) {
  const missing = missingExports(glue, wasm, origin);
  // A bundler can make several namespaces of one module, so the namespace itself is not remembered.
  const identity = namespace.__wbg_reset_state;
  if (supervised.has(identity)) {
    throw new LoadError(
      `${glue.url} is loaded already, and its instance can have one supervisor only: unload the other module first.`,
    );
  }
  const description = describe(glue, wasm);
  supervised.add(identity);
  return nativeAdapter({
    namespace,
    url: glue.url,
    module,
    wasm,
    description,
    missing,
    release: () => supervised.delete(identity),
  });
}

/**
 * The exports that the glue calls and the Wasm file lacks. A package may work without some of them: they were optimised
 * away, or belong to a feature that its build does not have. If most are missing, the files are of two builds.
 * @param {Glue} glue @param {Compiled["wasm"]} wasm @param {string} origin
 * @returns {string[]}
 * @throws {LoadError} they do not belong together, or the build has threads
 */
function missingExports(glue, wasm, origin) {
  if (wasm.sharesMemory) throw sharedMemory(origin);
  const present = new Set(wasm.exports.map(({ name }) => name));
  // A module without this export has nothing to start.
  const called = [...calledExports(glue)].filter((name) => name !== "__wbindgen_start");
  const missing = called.filter((name) => !present.has(name));
  if (missing.length * 2 <= called.length) return missing;
  throw new GlueError(
    `${glue.url} and ${origin} do not belong together: the Wasm file has no export ${missing[0]}. ` +
      "Take both from the same build.",
  );
}
