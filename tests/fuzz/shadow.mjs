/**
 * The memory of a tracked module as its last good call left it. What the functions mean is written down in
 * rust/shadow/shadow.wat; here they are once more, in JavaScript, for engines that do not know several memories in a
 * module, and to be compared with.
 */

import { readFileSync } from "node:fs";

const CARD = 4096;
const REACH = 1024;
const CARDS = 2 ** 20;
const TABLE_BYTES = CARDS;

const wasm = readFileSync(new URL("../../rust/shadow/pkg/shadow.wasm", import.meta.url));
const module = WebAssembly.validate(wasm) ? new WebAssembly.Module(wasm) : null;

/** Plain JavaScript. */
class PlainShadow {
  /** @param {WebAssembly.Memory} memory @param {number} cards the address of the table */
  constructor(memory, cards) {
    this.memory = memory;
    this.cards = cards;
    this.copy = Buffer.alloc(0);
  }

  grow() {
    const { byteLength } = this.memory.buffer;
    if (byteLength > this.copy.length) this.copy = Buffer.concat([this.copy], byteLength);
    return Buffer.from(this.memory.buffer);
  }

  /**
   * The parts of a range that are copied and compared.
   * @param {number} begin @param {number} end @param {number} from @param {number} to
   */
  *parts(begin, end, from, to) {
    const left = [
      [from, to],
      [this.cards, this.cards + TABLE_BYTES],
    ].sort(([a], [b]) => a - b);
    for (const [start, stop] of left) {
      if (start >= stop) continue;
      if (begin < start) yield [begin, Math.min(end, start)];
      begin = Math.max(begin, stop);
      if (begin >= end) return;
    }
    if (begin < end) yield [begin, end];
  }

  /** @param {number} from @param {number} to @param {boolean} back */
  move(from, to, back) {
    const memory = this.grow();
    const marks = memory.subarray(this.cards, this.cards + TABLE_BYTES);
    const cards = memory.length / CARD;
    if (marks[CARDS - 1]) marks[0] = 1;
    /** @type {Map<number, number>} how many bytes of each card */
    const dirty = new Map();
    for (let card = 0; card < cards; card++) {
      if (!marks[card]) continue;
      dirty.set(card, CARD);
      if (card + 1 < cards) dirty.set(card + 1, REACH);
    }
    marks.fill(0);
    for (const [card, bytes] of dirty) {
      for (const [start, stop] of this.parts(card * CARD, card * CARD + bytes, from, to)) {
        if (back) this.copy.copy(memory, start, start, stop);
        else memory.copy(this.copy, start, start, stop);
      }
    }
    return dirty.size;
  }

  /** @param {number} from @param {number} to */
  initialise(from, to) {
    const memory = this.grow();
    for (const [start, stop] of this.parts(0, memory.length, from, to)) memory.copy(this.copy, start, start, stop);
    memory.fill(0, this.cards, this.cards + TABLE_BYTES);
    return 0;
  }

  /** @param {number} from @param {number} to */
  commit(from, to) {
    return this.move(from, to, false);
  }

  /** @param {number} from @param {number} to */
  rollback(from, to) {
    return this.move(from, to, true);
  }

  /** @param {number} from @param {number} to */
  differs(from, to) {
    const memory = Buffer.from(this.memory.buffer);
    const copy = Buffer.concat([this.copy], memory.length);
    for (const [start, stop] of this.parts(0, memory.length, from, to)) {
      if (!memory.compare(copy, start, stop, start, stop)) continue;
      for (let at = start; at < stop; at++) if (memory[at] !== copy[at]) return at;
    }
    return -1;
  }
}

/**
 * @param {WebAssembly.Memory} memory @param {WebAssembly.Global} cards
 * @param {{plain?: boolean}} [how] in JavaScript also where the engine can do better
 * @returns {any}
 */
export function makeShadow(memory, cards, { plain = false } = {}) {
  if (plain || !module) return new PlainShadow(memory, cards.value >>> 0);
  const shadow = new WebAssembly.Memory({ initial: 0 });
  return new WebAssembly.Instance(module, { module: { memory, cards }, shadow: { memory: shadow } }).exports;
}
