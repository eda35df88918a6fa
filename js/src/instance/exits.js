/**
 * How a call leaves Rust other than by returning. Every exception that leaves an export comes here, whoever called: a
 * lane, a timer, a microtask, a finalizer. This file decides whether the generation lives on or dies.
 */

import { diagnose, fromPanic, isFatal, isPanicError, ON_PURPOSE } from "../diagnosis/diagnosis.js";
import { readPanic } from "../diagnosis/panic.js";
import { recordAsBefore } from "../diagnosis/recording.js";
import { INTERRUPT } from "./generation.js";
import { abandonedCall } from "./promises.js";

/** The code of a call that the user has stopped. */
const INTERRUPTED = "interrupted";

/** @import {Generation} from "./generation.js" */
/** @import {Thrown} from "./throws.js" */
/** @import {Death, Diagnosis} from "../types.js" */

// leaveByException() and the guard that calls it: their frames are on top of every stack.
const GUARD_FRAMES = 2;
// The same with a function that leaveByException() calls.
const INNER_FRAMES = GUARD_FRAMES + 1;

const PAGE_BYTES = 65536;
/**
 * If a memory has this share of the size that it may have, it counts as full: what is requested next is mostly large.
 */
const NEARLY_FULL = 0.75;

/**
 * An exception has left an export. If somebody can catch what this would throw, this throws; else it returns.
 * @param {Generation} generation
 * @param {unknown} exception
 * @param {string} entry the export's name
 * @param {number} limit how many frames of a stack are recorded outside of Rust
 */
export function leaveByException(generation, exception, entry, limit) {
  generation.depth -= 1;
  generation.recordStacks();
  recordAsBefore(limit);
  const error = original(generation, exception);
  if (generation.dead === null) {
    const onPurpose = takeThrown(generation, error);
    if (onPurpose !== null) {
      if (!throwOnPurpose(generation, onPurpose, entry)) return;
    } else if (generation.unwinds && !isFatal(error) && !generation.transaction?.canUndo)
      return unwind(generation, error, entry);
    generation.die(diagnoseDeath(generation, error, entry, onPurpose));
  } else if (generation.dropped) generation.letGo();
  // An entry is undone by who has begun it.
  const isEntry = /** @type {Death} */ (generation.dead).canRollBack;
  if (generation.depth > 0 || generation.owner.active !== 0 || isEntry) throw generation.wrap(INTERRUPT);
  generation.owner.diedUnattended(generation);
  if (generation.hasCaller(GUARD_FRAMES)) {
    throw generation.wrap(generation.owner.host.errorFor(/** @type {Death} */ (generation.dead)));
  }
}

/**
 * An exception has left a poll, whose frames are gone.
 * @param {Generation} generation @param {unknown} exception
 * @returns {Diagnosis | null} null: the generation has died of it, or will
 */
export function explainPoll(generation, exception) {
  generation.recordStacks();
  if (generation.dead !== null) return generation.dead.canRollBack ? generation.dead.diagnosis : null;
  if (generation.stopped?.code === INTERRUPTED) return null; // which is no crash
  const error = original(generation, exception);
  return diagnoseDeath(generation, error, "", takeThrown(generation, error));
}

/** An export has returned, although its generation died meanwhile. @param {Generation} generation @returns {never} */
export function leaveDead(generation) {
  if (generation.dropped) generation.letGo();
  throw generation.wrap(INTERRUPT);
}

/**
 * The error that an import threw. Glue with an abort handler puts another error around it.
 * @param {Generation} generation @param {unknown} exception that left an export
 */
function original(generation, exception) {
  const error = generation.unwrap(exception);
  return generation.thrown !== null && error === generation.wrapping ? generation.thrown.error : error;
}

/**
 * The exception of an import, if Rust threw it on purpose and it is what left the export. In a start function such an
 * exception is a crash like any other.
 * @param {Generation} generation @param {unknown} error @returns {Thrown | null}
 */
function takeThrown(generation, error) {
  const { thrown } = generation;
  generation.thrown = null;
  generation.wrapping = null;
  if (thrown === null || !thrown.onPurpose || thrown.error !== error || generation.owner.isStarting()) return null;
  // A panic that unwinds leaves by the same import.
  return isPanicError(error) ? null : thrown;
}

/**
 * Rust threw something on purpose. The caller gets the error, and the instance goes on if it can.
 * @param {Generation} generation @param {Thrown} thrown @param {string} entry the export's name
 * @returns {boolean} true: the instance cannot go on; false: it can, and nobody is there to catch the error
 */
function throwOnPurpose(generation, thrown, entry) {
  const { owner } = generation;
  const { error } = thrown;
  if (generation.depth > 0 || owner.active !== 0) {
    const { reason, used } = owner.objects.afterThrow(generation, thrown);
    // What is left behind in the middle of another call is undone with that call.
    const isInside = generation.depth > 0 && generation.transaction?.isOpen;
    if (reason === "crashed" || (reason !== "" && isInside)) return true;
    generation.escaped = { error, entry, thrown, reason, used };
    throw generation.wrap(error);
  }
  // A task may be stuck now, unless no code of its author has run. In an unwinding build it is known what the task
  // owed.
  const failed = generation.unwinds ? abandonedCall(generation) : undefined;
  const isSafe =
    thrown.refused !== null || (generation.unwinds && (failed !== undefined || generation.inFlight.size === 0));
  if (!isSafe) return true;
  owner.threwUnattended(generation, thrown, failed);
  if (generation.hasCaller(INNER_FRAMES)) throw generation.wrap(error);
  return false;
}

/**
 * A panic or a foreign exception ran the destructors on its way out. The instance goes on, and the caller gets the
 * error.
 * @param {Generation} generation @param {unknown} error @param {string} entry
 */
function unwind(generation, error, entry) {
  const { owner } = generation;
  if (generation.depth > 0 || owner.active !== 0) {
    generation.escaped = { error, entry, raised: owner.lastRaised() };
    throw generation.wrap(error);
  }
  owner.unwoundUnattended(generation, diagnoseUnwound(generation, error, entry));
  if (generation.hasCaller(INNER_FRAMES)) throw generation.wrap(error);
}

/**
 * @param {Generation} generation @param {unknown} error that unwound Rust's frames @param {string} entry
 * @param {{error: unknown} | null} [raised] what a callback or a promise of the same call raised before
 * @returns {Diagnosis}
 */
export function diagnoseUnwound(generation, error, entry, raised = generation.owner.lastRaised()) {
  if (!isPanicError(error)) return diagnose(error, null, entry);
  const panic = generation.panics.pop() ?? readPanic(error);
  return withCause(fromPanic(panic, error), raised);
}

/**
 * @param {Generation} generation @param {unknown} error that left an export @param {string} entry
 * @param {Thrown | null} onPurpose
 * @returns {Diagnosis}
 */
function diagnoseDeath(generation, error, entry, onPurpose) {
  const { owner } = generation;
  if (generation.stopped !== null) return generation.stopped;
  const diagnosis = diagnose(error, generation.panics.pop() ?? null, entry, () => isOutOfMemory(generation));
  if (onPurpose !== null && !owner.active) diagnosis.code = ON_PURPOSE;
  return withCause(diagnosis, owner.lastRaised());
}

/**
 * The cause of a panic is what a callback or a promise of the same call raised.
 * @param {Diagnosis} diagnosis @param {{error: unknown} | null} raised
 */
function withCause(diagnosis, raised) {
  const isPanic = diagnosis.kind === "panic" || diagnosis.code === "unreachable";
  if (isPanic && raised !== null) diagnosis.thrown = { value: raised.error };
  return diagnosis;
}

/**
 * Can the memory hardly grow any more? This makes it grow by a page to find out: the instance is about to go.
 * @param {Generation} generation
 */
function isOutOfMemory({ memory, owner }) {
  if (memory === null || Number.isNaN(owner.memoryPages)) return false;
  if (memory.buffer.byteLength > owner.memoryPages * PAGE_BYTES * NEARLY_FULL) return true;
  try {
    memory.grow(1);
    return false;
  } catch {
    return true;
  }
}
