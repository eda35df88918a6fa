/** The words of errors that stand in more than one place. */

import { LoadError } from "./errors.js";

/** @import {Death, EndedCall} from "../types.js" */
/** @import {SupervisedModule} from "../module/module.js" */

/** @param {string} verb what the browser does in workers only */
export function describeTooLarge(verb) {
  return `larger than 8 MB, which this browser ${verb} in workers only. Use the asynchronous \`load\`, or a worker.`;
}

/** Why a build with threads is refused. @param {string} origin */
export function sharedMemory(origin) {
  return new LoadError(
    `${origin} is a build with threads, which unpanic does not take: other workers run in the same memory, so that no crash ` +
      "could be undone, and no instance replaced, under them. Build it without `-Ctarget-feature=+atomics`, or take the " +
      "package's build without threads.",
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

/** @param {string} moduleName of a module whose callback JavaScript still has */
export function describeUnloaded(moduleName) {
  return `This Python callback was given to ${moduleName}, which was unloaded.`;
}

/**
 * Why a call cannot run yet.
 * @param {SupervisedModule} module @param {string} call
 */
export function describeWait({ name, spare }, call) {
  return (
    `${name}.${call} cannot run yet: the next instance is being made, because this browser makes none of that size at once. ` +
    `It will be there in about ${Math.max(1, Math.ceil(spare.waitMs))} ms; async calls wait for it.`
  );
}

/** @param {string} className @param {string} holder empty: it is not known which @param {string} call all with the module's name */
export function describeInUse(className, holder, call) {
  return `This ${className} is in use by ${holder || "a call"}, which has not ended; it cannot be used in ${call} meanwhile.`;
}

/** @param {string} className @param {string} consumer empty: it was freed @param {string} call all with the module's name */
export function describeStale(className, consumer, call) {
  const fate = consumer ? `moved into ${consumer}, which consumed it` : "freed";
  return `This ${className} was ${fate}; it cannot be used in ${call}.`;
}
