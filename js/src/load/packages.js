/** Packages by their names, as `load` of both hosts takes them. */

import { findPackage } from "../files/npm.js";
import { moduleName } from "./naming.js";

export { isPackage, usePackagesFrom } from "../files/npm.js";

/**
 * The files of a package, and the name of its module, which comes from the package's.
 * @param {string} spec @param {AbortSignal} [signal]
 */
export async function resolvePackage(spec, signal) {
  const found = await findPackage(spec, signal);
  return { ...found, name: moduleName(found.package) };
}
