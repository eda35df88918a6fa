/**
 * The spare: the next generation, made before it is needed. So a reset is a swap, and an engine that makes no instance
 * of that size at once has time for it. None of its code runs before it begins.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { Generation } from "../instance/generation.js";

/** @import {ModuleCore} from "./core.js" */

export class Spare {
  /** @param {ModuleCore} module @param {boolean | null} wanted null: only if the engine makes no instance at once */
  constructor(module, wanted) {
    this.module = module;
    this.wanted = wanted;
    /** @type {Generation | null} being prepared, or ready */
    this.generation = null;
    this.ready = false;
    /** When the preparation began, by `performance.now()`. */
    this.began = 0;
    /** How many milliseconds the engine took for the last one. */
    this.took = 0;
  }

  /** Is a spare kept? A file whose instantiation runs code is prepared only when it is needed. */
  get isKept() {
    return Boolean(this.wanted) && this.module.adapter.canSpare && !this.module.closed;
  }

  /** Has a spare made when nothing else runs. */
  order() {
    if (!this.isKept) return;
    setTimeout(() => {
      if (!this.module.closed && this.generation === null) this.make();
    });
  }

  /** Has a spare made now. The host hears when it is ready, or why it could not be made. */
  make() {
    const { module } = this;
    // The spare can be ready before the module has a host.
    const announce = (/** @type {string} */ failure) => module.closed || module.host?.prepared(failure);
    this.prepare(new Generation(module, module.generation.number + 1, module.unwinds)).then(
      () => announce(""),
      (error) => {
        this.drop();
        announce(describeThrown(error));
      },
    );
  }

  /** @param {Generation} generation */
  async prepare(generation) {
    this.generation = generation;
    this.ready = false;
    this.began = performance.now();
    await this.module.adapter.prepare(generation);
    this.took = performance.now() - this.began;
    this.ready = true;
    if (this.module.closed) this.drop();
  }

  /** Takes the spare out. @returns {Generation | null} null: there is none */
  take() {
    const { generation } = this;
    this.drop();
    return generation;
  }

  drop() {
    this.generation = null;
    this.ready = false;
  }

  get isPreparing() {
    return this.generation !== null && !this.ready;
  }

  /** Milliseconds until the spare will be ready, judged by the last one. */
  get waitMs() {
    return this.isPreparing ? Math.max(0, this.took - (performance.now() - this.began)) : 0;
  }

  /** @returns {"off" | "preparing" | "ready"} */
  get state() {
    if (this.ready) return "ready";
    return this.isPreparing || this.isKept ? "preparing" : "off";
  }

  get memoryBytes() {
    return this.generation?.memoryBytes ?? 0;
  }
}
