/**
 * The next generation, made ahead of its time: because a reset should be a swap, or because
 * the engine makes none of that size at once. Nothing of it runs before it begins.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { Generation } from "../instance/generation.js";

/** @import {ModuleCore} from "./core.js" */

export class Spare {
  /** @param {ModuleCore} module @param {boolean | null} wanted null: where the engine makes none at once */
  constructor(module, wanted) {
    this.module = module;
    this.wanted = wanted;
    /** @type {Generation | null} on its way, or there */
    this.generation = null;
    this.ready = false;
    /** By `performance.now()`. */
    this.began = 0;
    /** Milliseconds that the engine took for the latest one. */
    this.took = 0;
  }

  /** Whether one is kept: a file whose instantiation runs some of it is prepared when it is needed. */
  get isKept() {
    return Boolean(this.wanted) && this.module.adapter.canSpare && !this.module.closed;
  }

  /** Has one made when nobody waits. */
  order() {
    if (!this.isKept) return;
    setTimeout(() => {
      if (!this.module.closed && this.generation === null) this.make();
    });
  }

  /** Has one made now; the host hears when it is there, or why not. */
  make() {
    const { module } = this;
    // It can be there before the host is.
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

  /** @returns {Generation | null} the one that is there, which is no spare from here on */
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

  /** Milliseconds until it is there, as far as the last one tells. */
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
