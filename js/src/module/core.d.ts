import type { Generation } from "../instance/generation.js";
import type { Adapter, Description, Lane, Owner } from "../types.js";

/** The parts of a module under supervision need this of it. `SupervisedModule` in module.js implements it. */
export interface ModuleCore extends Owner {
  name: string;
  adapter: Adapter;
  description: Description;
  unwinds: boolean;
  /** No exception leaves frames on the shadow stack, see `readHabits`. */
  restoresStack: boolean;
  /** The current one. */
  generation: Generation;
  /** The first number of an object of the current generation: an object with a lower number is gone. */
  firstId: number;
  closed: boolean;
  /** Whether the host is asked before a call begins. */
  isGuarded: boolean;
  /** The arguments of the call that failed, until the next call begins. */
  failedArguments: unknown[] | null;
  /** The lane of the call that runs now. */
  lane: Lane | null;
  /** How many calls have begun, and how many have returned. */
  calls: number;
  returned: number;
  /** Whether the current burst of calls has been noted, see activity.js. */
  busy: boolean;
  /** For each burst when it began and ended (`performance.now()`), its calls and its generation. */
  bursts: number[];
  /** Whether a timer will end the burst of this turn. */
  awaitsTurn: boolean;
  /** Whether a dead generation is being replaced in a microtask. */
  isRecoveringSoon: boolean;
  /** Whether the engine makes instances at once. */
  atOnce: boolean;
  /** Is no frame of this module on the stack? */
  isClear(): boolean;
  /** Ends the current generation although nothing crashed. */
  end(): { death: import("../types.js").Death; clear: boolean };
}
