/**
 * How many frames of a stack the engine records. V8 records at the moment of the throw, and stops after ten frames,
 * which in a panic are all of its machinery. So the limit is raised while Rust runs: the guard of an export raises it
 * when a call enters, and restores it when the call leaves. Both together take half a nanosecond.
 */

/** Enough for the machinery and a hundred frames of the user's; a number that nobody else sets. */
const FRAMES = 128;

/** Raises the limit. @returns {number} the limit before, for `recordAsBefore` */
export function recordMore() {
  const limit = Error.stackTraceLimit;
  // It is undefined where there is no limit.
  if (limit < FRAMES) assign(FRAMES);
  return limit;
}

/** Restores the limit, unless somebody has changed it meanwhile. @param {number} limit that `recordMore` returned */
export function recordAsBefore(limit) {
  if (limit < FRAMES && Error.stackTraceLimit === FRAMES) assign(limit);
}

/** Sets the limit to zero. @returns {number} the limit before, for `recordAgain` */
export function recordNothing() {
  const limit = Error.stackTraceLimit;
  if (limit !== undefined) assign(0);
  return limit;
}

/** Restores the limit. @param {number} limit that `recordNothing` returned */
export function recordAgain(limit) {
  if (Error.stackTraceLimit === 0) assign(limit);
}

/** @param {number} limit */
function assign(limit) {
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // The page has frozen the built-in objects.
  }
}
