/** Random numbers that are the same in every run: the number of a case determines everything in it. */

export class Random {
  /** @param {number} seed */
  constructor(seed) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  }

  /** mulberry32: a number from 0 (inclusive) to 1. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} limit @returns {number} an integer from 0 to limit - 1 */
  below(limit) {
    return Math.floor(this.next() * limit);
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** @param {number} count */
  bytes(count) {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}
