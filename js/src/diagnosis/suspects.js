/**
 * Suspects: the async calls in flight that may be to blame for a crash under the event loop.
 *
 * All futures of a module are polled from one microtask, and JavaScript sees neither which task is polled nor where one
 * ends and the next begins. A `panic=abort` build cleans nothing up that could tell the tasks apart. (In an unwinding
 * build the task is known exactly, see `abandonedCall` in instance/promises.js.) But the Rust stack tells: the function
 * that polls the promise of an export has the name of the export in its own name, or calls a function that has it.
 *
 * A call is blamed only if that is certain. If the stack has no names, or was too long to show who polls, each call may
 * be to blame. If the stack shows a timer, or a task that nobody waits for, no call is to blame.
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

/**
 * @typedef {{suspects: InFlightCall[], isCertain: boolean}} Suspicion certain: it is one of these, or none if there are
 *   none
 */

/** @type {Suspicion} */
export const NO_SUSPECTS = { suspects: [], isCertain: true };

/**
 * @param {InFlightCall[]} calls in flight when Rust died under the event loop
 * @param {Pick<Diagnosis, "stack">} diagnosis
 * @returns {Suspicion}
 */
export function findSuspects(calls, { stack }) {
  if (!calls.length) return NO_SUSPECTS;
  const names = namesOf(stack);
  const polling = names.findLastIndex(pollsPromise);
  if (polling >= 0) return findByNames(calls, names.slice(0, polling + 1).reverse());
  const isKnown = names.length > 0 && !names.includes("") && isWhole(stack);
  return isKnown ? NO_SUSPECTS : { suspects: calls, isCertain: false };
}

/**
 * @param {InFlightCall[]} calls
 * @param {string[]} names of functions, from the one that polls a promise to the innermost
 * @returns {Suspicion}
 */
function findByNames(calls, [polling, next = "", ...rest]) {
  const generated = [polling, next, ...rest].map(generatedFor).find((name) => name !== undefined);
  if (generated) return certainly(calls.filter(({ path }) => generatedName(path) === generated));
  // This is a promise that Rust made by itself or, where names tell no types, the body of an export.
  const body = wrapped(polling) ?? next;
  const named = isClosure(body) ? calls.filter(({ path }) => path && isFunctionOf(withoutClosure(body), path)) : [];
  if (named.length) return certainly(named);
  const others = wrapped(polling) ? calls.filter(({ isAsync }) => !isAsync) : calls;
  return others.length ? { suspects: others, isCertain: false } : NO_SUSPECTS;
}

/** @param {InFlightCall[]} suspects @returns {Suspicion} */
function certainly(suspects) {
  return { suspects, isCertain: true };
}
