/**
 * Words that JavaScript itself shows, in more than one place: why a file is not loaded, and what a crash was. Python
 * makes its own words of what crosses (py/unpanic/_bridge/crashes.py).
 */

import { LoadError } from "./errors.js";

/** @import {Death, EndedCall} from "../types.js" */

/** @param {string} verb the browser does it in workers only */
export function describeTooLarge(verb) {
  return `larger than 8 MB, which this browser ${verb} in workers only. Use the asynchronous \`load\`, or a worker.`;
}

/** Why a build with threads is refused. @param {string} origin */
export function sharedMemory(origin) {
  return new LoadError(
    `${origin} is a build with threads, under which no crash could be undone. ` +
      "Load the package's build without threads, or build it without `-Ctarget-feature=+atomics`.",
  );
}

/** @param {Death} death @param {string} moduleName */
export function describeDeath({ diagnosis, call, generation, suspects, isCertain }, moduleName) {
  if (!diagnosis) return `${moduleName} was reset (generation ${generation} ended)`;
  const { message, location } = diagnosis;
  const caller = call ? `in ${moduleName}.${call}` : describeSuspects(suspects, isCertain, moduleName);
  const where = [caller, location && `${location.file}:${location.line}:${location.column}`];
  const known = where.filter(Boolean).join(", ");
  return known ? `${message} (${known})` : message;
}

/** @param {EndedCall[]} suspects @param {boolean} isCertain @param {string} moduleName */
function describeSuspects(suspects, isCertain, moduleName) {
  const names = [...new Set(suspects.map(({ name }) => (name ? `${moduleName}.${name}` : moduleName)))];
  const perhaps = isCertain ? "" : "perhaps ";
  if (suspects.length < 2) return names.length ? `${perhaps}in ${names[0]}` : "";
  return `${perhaps}in one of ${suspects.length} calls${names.length === 1 ? " of" : ":"} ${names.join(", ")}`;
}
