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
