/** The runtime as the Python package loads it: what it calls before there is a module, and the drivers of modules. */

import { absolute, fetchBytes } from "./files/fetching.js";
import { Driver } from "./hosts/python/driver.js";
import { diagnosisFields } from "./hosts/python/fields.js";
import { PythonImports } from "./hosts/python/imports.js";
import { loadModule, loadModuleSync } from "./load/load.js";

export { shortenErrors } from "./hosts/python/uncaught.js";
export { longestText } from "./module/parcel.js";

/** @param {string} url @param {any} how its `signal` ends it */
export async function fetchText(url, { signal }) {
  return new TextDecoder().decode(await fetchBytes(absolute(url), signal));
}

/** @param {any} options as `loadModule` takes them @param {any} how likewise */
export async function load(options, how) {
  try {
    const imports = options.imports ? new PythonImports(options.imports) : null;
    const module = await loadModule(
      { ...options, imports: imports?.imports },
      {
        ...how,
        rewriter: options.rewriter,
        rewrites: options.rewrites,
        wishes: options.wishes,
        keeps: options.keeps,
      },
    );
    // A load may be given up now, before it has arrived in Python. Then Python has nothing to unload.
    how.signal?.addEventListener("abort", () => module.close(), { once: true });
    return new Driver(module, imports);
  } catch (error) {
    throw withDetails(error);
  }
}

/** @param {any} options as `loadModuleSync` takes them @param {any} how likewise */
export function loadSync(options, how) {
  try {
    const imports = options.imports ? new PythonImports(options.imports) : null;
    const { rewriter, rewrites, wishes } = options;
    const module = loadModuleSync({ ...options, imports: imports?.imports }, { ...how, rewriter, rewrites, wishes });
    return new Driver(module, imports);
  } catch (error) {
    throw withDetails(error);
  }
}

/** @param {any} error @returns {unknown} the same; a crash in the start function has its `DiagnosisFields` with it */
function withDetails(error) {
  if (error?.diagnosis) error.details = diagnosisFields(error.diagnosis);
  return error;
}
