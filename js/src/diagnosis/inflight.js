/**
 * Which async call is to blame? All futures of a module are polled from one microtask, and in a `panic=abort` build
 * nothing is cleaned up that could tell them apart (an unwound task is known exactly: Generation.abandonedCall).
 * JavaScript sees neither which task is polled nor where one ends and the next begins. What tells is the Rust stack:
 * the function that polls the promise of an export has the export's name in its own, or right above itself.
 *
 * A call is blamed only if that is certain. Where there are no names, or the stack was too long to see who polls, each
 * call may be to blame; where the stack shows a timer or a task that nobody waits for, none is.
 */

import { isWhole, namesOf } from "./stack.js";
import {
  generatedFor,
  generatedName,
  isClosure,
  isFunctionOf,
  pollsPromise,
  withoutClosure,
  wrapped,
} from "./symbols.js";

/** @import {Diagnosis, InFlightCall} from "../types.js" */

/** @typedef {{suspects: InFlightCall[], isCertain: boolean}} Blame certain: it is one of these, or none if there are none */

/** @type {Blame} */
export const NOBODY = { suspects: [], isCertain: true };

/**
 * @param {InFlightCall[]} calls in flight when Rust died under the event loop
 * @param {Diagnosis} diagnosis
 * @returns {Blame}
 */
export function blame(calls, { stack }) {
  if (!calls.length) return NOBODY;
  const names = namesOf(stack);
  const polling = names.findLastIndex(pollsPromise);
  if (polling >= 0) return blameNamed(calls, names.slice(0, polling + 1).reverse());
  const isKnown = names.length > 0 && !names.includes("") && isWhole(stack);
  return isKnown ? NOBODY : { suspects: calls, isCertain: false };
}

/**
 * @param {InFlightCall[]} calls
 * @param {string[]} names of functions, from the one that polls a promise to the innermost
 * @returns {Blame}
 */
function blameNamed(calls, [polling, next = "", ...rest]) {
  const generated = [polling, next, ...rest].map(generatedFor).find((name) => name !== undefined);
  if (generated) return certainly(calls.filter(({ path }) => generatedName(path) === generated));
  // A promise that Rust made by itself, or, where names tell no types, the body of an export.
  const body = wrapped(polling) ?? next;
  const named = isClosure(body) ? calls.filter(({ path }) => path && isFunctionOf(withoutClosure(body), path)) : [];
  if (named.length) return certainly(named);
  const others = wrapped(polling) ? calls.filter(({ isAsync }) => !isAsync) : calls;
  return others.length ? { suspects: others, isCertain: false } : NOBODY;
}

/** @param {InFlightCall[]} suspects @returns {Blame} */
function certainly(suspects) {
  return { suspects, isCertain: true };
}
