/**
 * How many frames of a stack the engine records. V8 stops at ten, which in a panic are all taken by its machinery, and
 * it records at the moment of the throw. So the limit is raised while Rust runs: by the guard that lets a call in, which
 * puts it back when the call leaves (half a nanosecond for both).
 */

/** Enough for the machinery and a hundred frames of the user's; a number that nobody else sets. */
const FRAMES = 128;

/** @returns {number} the limit until now, for `recordAsBefore` */
export function recordMore() {
  const limit = Error.stackTraceLimit;
  // It is undefined where there is no limit.
  if (limit < FRAMES) assign(FRAMES);
  return limit;
}

/** @param {number} limit what `recordMore` gave; somebody who has changed it meanwhile keeps the change */
export function recordAsBefore(limit) {
  if (limit < FRAMES && Error.stackTraceLimit === FRAMES) assign(limit);
}

/** @returns {number} likewise, for `recordAgain` */
export function recordNothing() {
  const limit = Error.stackTraceLimit;
  if (limit !== undefined) assign(0);
  return limit;
}

/** @param {number} limit what `recordNothing` gave */
export function recordAgain(limit) {
  if (Error.stackTraceLimit === 0) assign(limit);
}

/** @param {number} limit */
function assign(limit) {
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // The page has frozen what the language brings.
  }
}
