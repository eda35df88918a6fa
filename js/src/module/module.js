/**
 * A module under supervision: it owns the current generation, and makes and drops generations when its host says so.
 * The host decides what to do about a crash: it is Python's supervisor, or the default one of plain
 * JavaScript.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { isTooLarge } from "../diagnosis/engines.js";
import { diagnoseUnwound } from "../instance/exits.js";
import { Generation } from "../instance/generation.js";
import { Stopwatch } from "../instance/stopwatch.js";
import { StartError } from "../shared/errors.js";
import { describeDeath } from "../shared/messages.js";
import { endBurst } from "./activity.js";
import { reportFulfilled, reportRejected } from "./in-flight.js";
import { Lanes } from "./lanes.js";
import { Objects } from "./objects.js";
import { recoverSoon, retireUnattended } from "./retire.js";
import { Spare } from "./spare.js";
import { reportDeath, reportThrown, reportUnwinding } from "./unattended.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {Thrown} from "../instance/throws.js" */
/** @import {Adapter, CardTable, Death, Description, Diagnosis, EndedCall, Host, InFlightCall} from "../types.js" */
/** @import {Lane} from "../types.js" */

/** The value of `active` while a generation starts: no lane called, and the event loop did not either. */
const STARTING = -1;

/** `renew` returns this while the next instance is being made. */
export const PREPARING = "preparing";

/** @implements {ModuleCore} */
export class SupervisedModule {
  /**
   * Makes a module without an instance: `open` or `openAtOnce` makes the first one.
   * @param {{name: string, adapter: Adapter, description: Description, unwinds: boolean, throwsErr?: boolean,
   *   restoresStack?: boolean, storesException?: string, memoryPages?: number, isInterruptible?: boolean,
   *   cards?: CardTable | null, whyNoRollback?: string, fingerprint?: string, allocators?: Set<string>,
   *   spare?: boolean | null,
   *   startMs?: number, warnings?: string[], movedTo?: string}} parts
   *   throwsErr, restoresStack: see `readHabits`
   *   storesException: see `exceptionStore`
   *   memoryPages: how many pages a memory can have
   *   isInterruptible: whether its Wasm file was rewritten, so that calls can be stopped
   *   cards: where the marks of what was written are, if its Wasm file was rewritten so that calls can be rolled back
   *   whyNoRollback: why it was not, if somebody wanted that
   *   fingerprint: see `RewrittenMark`
   *   allocators: the exports that give the glue memory to write to
   *   spare: whether to keep a generation that is made ahead of need; null: where the engine refuses to make one at
   *     once
   *   startMs: how long the start function may compute while there is no host yet
   *   warnings: what the one who loads the module has to know
   *   movedTo: the URL that the glue's URL was redirected to
   */
  constructor({
    name,
    adapter,
    description,
    unwinds,
    throwsErr = false,
    restoresStack = false,
    storesException = "",
    memoryPages = Infinity,
    isInterruptible = false,
    cards = null,
    whyNoRollback = "",
    fingerprint = "",
    allocators = new Set(),
    spare = null,
    startMs = Infinity,
    warnings = [],
    movedTo = "",
  }) {
    this.name = name;
    this.warnings = warnings;
    this.movedTo = movedTo;
    this.adapter = adapter;
    this.description = description;
    this.unwinds = unwinds;
    this.throwsErr = throwsErr;
    this.restoresStack = restoresStack;
    this.storesException = storesException;
    this.memoryPages = memoryPages;
    this.cards = cards;
    this.rollsBack = cards !== null;
    this.whyNoRollback = whyNoRollback;
    this.allocators = allocators;
    this.fingerprint = fingerprint;
    /** @type {unknown[] | null} the arguments of the call that failed, until the next call begins */
    this.failedArguments = null;
    this.stopwatch = isInterruptible
      ? new Stopwatch(
          (attended, polled) => (this.host ? (this.host.limitMs?.(attended, polled) ?? Infinity) : startMs),
          () => this.host?.isInterrupted?.() ?? false,
        )
      : null;
    /**
     * The last error of a callback or a promise, until the event loop turns.
     * @type {{error: unknown, activation: number} | null}
     */
    this.raised = null;
    /** Whether a timer will forget it. */
    this.forgets = false;
    /** @type {Host} */
    this.host = /** @type {any} */ (null);
    /** The number of the lane call that runs now; 0: none runs. */
    this.active = 0;
    /** @type {Lane | null} */
    this.lane = null;
    this.calls = 0;
    this.returned = 0;
    this.nextId = 1;
    /** The first number of an object of the current generation: an object with a lower number is gone. */
    this.firstId = 1;
    this.closed = false;
    /** Whether the host is asked before a call enters Rust, and before the event loop does. */
    this.isGuarded = false;
    this.isWatched = false;
    /** Whether a dead generation is being replaced in a microtask. */
    this.isRecoveringSoon = false;
    /** Whether the current burst of calls has been noted. */
    this.busy = false;
    /** @type {number[]} for each burst when it began and ended (`performance.now()`), its calls and its generation */
    this.bursts = [];
    /** Whether a timer will end the burst of this turn. */
    this.awaitsTurn = false;
    /** Whether the engine makes instances at once. */
    this.atOnce = true;
    this.generation = new Generation(this, 0, unwinds);
    this.spare = new Spare(this, spare);
    this.objects = new Objects(this);
    this.lanes = new Lanes(this, this.objects);
  }

  /** Makes another module from the same files, with an instance of its own. @throws what `openAtOnce` throws */
  twin() {
    const { stopwatch, adapter, ...rest } = this;
    // It is the one that the first has: what this one lets go of, the first still needs.
    const shared = { ...adapter, release: () => {} };
    const module = new SupervisedModule({
      ...rest,
      adapter: shared,
      isInterruptible: stopwatch !== null,
      spare: false,
    });
    module.openAtOnce();
    return module;
  }

  /** Makes the first generation at once. @throws what `begin` throws, and what the engine says */
  openAtOnce() {
    this.adapter.make(this.generation);
    this.begin(this.generation);
    this.spare.order();
  }

  /** Makes the first generation, at once where the engine allows that. */
  async open() {
    try {
      this.adapter.make(this.generation);
    } catch (error) {
      if (!isTooLarge(describeThrown(error))) throw error;
      this.atOnce = false;
      this.generation = new Generation(this, 0, this.unwinds);
      await this.spare.prepare(this.generation);
      this.spare.drop();
    }
    this.begin(this.generation);
    this.spare.wanted ??= !this.atOnce;
    this.spare.order();
  }

  /* ---- what a host tells the module to do ------------------------------ */

  /**
   * Runs the start function of a generation.
   * @param {Generation} generation that has its instance
   * @throws {StartError} if the start function crashes; what the glue throws otherwise
   */
  begin(generation) {
    const { active, lane } = this;
    this.active = STARTING;
    this.lane = null;
    try {
      this.adapter.begin(generation);
    } catch (error) {
      throw this.endStart(generation, error);
    } finally {
      this.active = active;
      this.lane = lane;
    }
  }

  /**
   * Ends a generation whose start function failed, so that nothing of it runs later or holds the instance.
   * @param {Generation} generation @param {unknown} error
   * @returns {unknown} what is to be thrown
   */
  endStart(generation, error) {
    const { escaped, number } = generation;
    const diagnosis =
      generation.dead?.diagnosis ?? (escaped && diagnoseUnwound(generation, escaped.error, escaped.entry));
    if (generation.dead === null) generation.die(null);
    generation.letGo();
    if (!diagnosis) return error;
    const death = {
      diagnosis,
      call: "",
      generation: number,
      activation: 0,
      suspects: [],
      isCertain: true,
      interrupted: [],
      canRollBack: false,
    };
    const description = describeDeath(death, this.name);
    return new StartError(`The start function of ${this.name} crashed: ${description}.`, diagnosis);
  }

  /**
   * Drops the dead generation and puts the next one in its place.
   * @returns {string} empty; PREPARING if the engine takes its time: then the host hears `prepared`
   */
  renew() {
    if (this.spare.isPreparing) return PREPARING;
    if (!this.spare.ready && !this.atOnce) {
      this.spare.make();
      return PREPARING;
    }
    const last = this.generation;
    last.letGo();
    this.generation = this.nextGeneration();
    last.succeeded();
    this.spare.order();
    return "";
  }

  /** Makes the next generation. @returns {Generation} it has begun */
  nextGeneration() {
    const spare = this.spare.take();
    const generation = spare ?? new Generation(this, this.generation.number + 1, this.unwinds);
    if (!spare) this.adapter.make(generation);
    this.firstId = this.nextId;
    this.failedArguments = null;
    this.begin(generation);
    return generation;
  }

  /**
   * Rolls the call back that failed, so that its generation lives on. No frame of it may be left.
   * @param {boolean} isWanted false: the generation dies of the failure
   * @returns {{obstacle: string, interrupted: EndedCall[]}} obstacle: why that cannot be done, empty if it was;
   *   interrupted: the calls in flight that end, because the failed call had begun them, or their generation dies
   */
  rollBack(isWanted) {
    const { generation } = this;
    try {
      if (isWanted) return { obstacle: "", interrupted: generation.rollBack() };
      return { obstacle: "it was not wanted", interrupted: generation.bury() };
    } catch (error) {
      return { obstacle: describeThrown(error), interrupted: generation.bury() };
    }
  }

  /**
   * Ends the current generation although nothing crashed.
   * @returns {{death: Death, clear: boolean}} clear: no Rust frame is in the way of the next one
   */
  end() {
    const { generation } = this;
    if (generation.dead === null) generation.die(null);
    else if (generation.dead.canRollBack) generation.bury();
    return { death: /** @type {Death} */ (generation.dead), clear: this.isClear() };
  }

  /**
   * Has the current generation replaced when the call that runs now has ended: it cannot go on, although nothing
   * crashed.
   */
  leave() {
    if (this.generation.dead === null) this.generation.retiring = true;
  }

  /** Ends the module: no generation will follow. */
  close() {
    this.end();
    this.closed = true;
    this.spare.drop();
    this.adapter.release();
    this.generation.letGo();
  }

  /** Is no frame of this module on the stack? */
  isClear() {
    return this.active === 0 && this.generation.depth === 0;
  }

  /** Does a generation start now? A new generation needs no replacement. */
  isStarting() {
    return this.active === STARTING;
  }

  activeName() {
    return this.lane?.name ?? "";
  }

  endBurst() {
    endBurst(this);
  }

  recoverSoon() {
    recoverSoon(this);
  }

  /* ---- what a generation reports ----------------------------------------- */

  /** @param {unknown} error of a callback, or of a promise that Rust waits for */
  noteRaised(error) {
    this.raised = { error, activation: this.active };
    if (this.forgets) return;
    this.forgets = true;
    // A panic that it causes comes before the event loop turns.
    setTimeout(() => {
      this.raised = null;
      this.generation.thrown = null;
      this.forgets = false;
    });
  }

  lastRaised() {
    return this.raised?.activation === this.active ? this.raised : null;
  }

  /** @param {InFlightCall} call @param {unknown} value */
  fulfilled(call, value) {
    reportFulfilled(this, call, value);
  }

  /** @param {InFlightCall} call @param {unknown} reason */
  rejected(call, reason) {
    reportRejected(this, call, reason);
  }

  /** @param {Generation} generation */
  diedUnattended(generation) {
    reportDeath(this, generation);
  }

  /** @param {Generation} generation @param {Diagnosis} diagnosis */
  unwoundUnattended(generation, diagnosis) {
    reportUnwinding(this, generation, diagnosis);
  }

  /** @param {Generation} generation @param {Thrown} thrown @param {InFlightCall | undefined} call whose task it was */
  threwUnattended(generation, thrown, call) {
    reportThrown(this, generation, thrown, call);
  }

  /** @param {Generation} generation */
  retireUnattended(generation) {
    retireUnattended(this, generation);
  }

  /** How many calls are in flight. */
  get inFlight() {
    return this.generation.inFlight.size;
  }
}
