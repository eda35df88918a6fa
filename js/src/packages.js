/**
 * Packages by their names, for Python: a file of its own, which only those load who ask for a package by its name. The
 * bundle for plain JavaScript holds it too.
 */

import { resolvePackage as resolve } from "./load/packages.js";

/** @import {PackageAnswer} from "./types.js" */

export { usePackagesFrom } from "./load/packages.js";

/** @param {string} spec @param {any} how its `signal` ends it @returns {Promise<PackageAnswer>} */
export async function resolvePackage(spec, { signal }) {
  const { glue, wasm = "", types = "", name, version, pinned } = await resolve(spec, signal);
  return [glue, wasm, types, name, version, pinned];
}
