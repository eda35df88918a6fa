/** Helpers of several tests: they load the Rust fixtures and packages from npm under Node. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { makeFacade } from "../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../src/hosts/plain/supervisor.js";
import { loadModule } from "./loading.js";

/** @typedef {{source: string, url: string, readFile: (path: string) => Uint8Array | null}} GlueFile */

/**
 * Returns a glue file with the files beside it.
 * @param {string} path below js/
 * @param {Record<string, string>} [beside] files that the package lacks
 * @returns {GlueFile}
 */
export function glueFile(path, beside = {}) {
  const url = new URL(`../${path}`, import.meta.url);
  const readFile = (/** @type {string} */ relative) => {
    if (relative in beside) return new TextEncoder().encode(beside[relative]);
    const file = fileURLToPath(new URL(relative, url));
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : null;
  };
  return { source: readFileSync(url, "utf8"), url: url.href, readFile };
}

/** Returns the glue of a Rust fixture. @param {string} name @param {string} [mode] */
export function fixture(name, mode = "abort") {
  return glueFile(`../rust/fixtures/${name}/pkg/${mode}/${name}.js`);
}

/**
 * Loads as `load` does for users of plain JavaScript, and returns the inner parts too. The
 * public `load` fetches its files, but Node does not fetch local files.
 * @param {GlueFile} glue
 * @param {{onPanic?: (panic: any) => void, onReset?: () => void}} [hooks]
 */
export async function supervise(glue, hooks) {
  const module = await loadModule({ glue });
  const supervisor = new DefaultSupervisor(module, hooks);
  module.host = supervisor;
  return { module, supervisor, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

/** Runs `run`, which must throw, and returns what it threw. @param {() => unknown} run */
export function thrown(run) {
  try {
    run();
  } catch (error) {
    return /** @type {any} */ (error);
  }
  throw new Error("nothing was thrown");
}

/** Awaits a promise that must reject, and returns the reason. @param {Promise<unknown>} promise */
export async function rejection(promise) {
  const outcome = await promise.then(
    () => null,
    (reason) => ({ reason }),
  );
  if (!outcome) throw new Error("the promise was not rejected");
  return /** @type {any} */ (outcome.reason);
}
