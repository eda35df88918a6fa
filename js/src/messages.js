/** The words of an error that both hosts use for a JavaScript caller. */

/** @import {Death} from "./types.js" */

/** @param {Death} death @param {string} moduleName */
export function describeDeath({ diagnosis, call, generation }, moduleName) {
  if (!diagnosis) return `${moduleName} was reset (generation ${generation} ended)`;
  const { message, location } = diagnosis;
  const where = [call && `in ${moduleName}.${call}`, location && `${location.file}:${location.line}:${location.column}`];
  const known = where.filter(Boolean).join(", ");
  return known ? `${message} (${known})` : message;
}

/** @param {string} className @param {string} consumer empty: it was freed @param {string} call all with the module's name */
export function describeStale(className, consumer, call) {
  const fate = consumer ? `moved into ${consumer}, which consumed it` : "freed";
  return `This ${className} was ${fate}; it cannot be used in ${call}.`;
}
