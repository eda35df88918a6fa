/**
 * The shadow: the memory of an instance as it was when the transaction began that runs now. A module that was rewritten
 * for rollback (rust/rewriter) marks what it writes: its *card table* has a byte for each 4 KiB of memory, a *card*. A
 * mark stands for its card and for the next one. So the shadow is brought up to date, and memory is brought back, by
 * copying the marked cards.
 *
 * What JavaScript writes into memory is marked here, by `mark`, because no instrumented code sees it.
 */

/** @import {CardTable, KeptMemory} from "../types.js" */

const CARD_BITS = 12;
const CARD = 1 << CARD_BITS;
const PAGE = 65536;
/** So many marks are looked at together. */
const WORD = 4;

/** Whether each commit looks first for what was written without a mark. For tests: it takes milliseconds. */
const checks = { on: false };

/** @param {boolean} on */
export function checkCommits(on) {
  checks.on = on;
}

export class Shadow {
  /**
   * @param {WebAssembly.Memory} memory @param {CardTable} table where the marks are
   * @param {number} stackTop where Rust's stack begins
   */
  constructor(memory, { address, length }, stackTop) {
    this.memory = memory;
    this.stackTop = stackTop;
    /** The table lies in the memory that it describes; it is no part of the state. */
    this.table = address;
    this.tableEnd = address + length;
    /** @type {Uint8Array} the memory now; its length is 0 after memory has grown */
    this.bytes = new Uint8Array(memory.buffer);
    /** The marks, one by one and four at a time. */
    this.cards = new Uint8Array(memory.buffer, address, length);
    this.words = new Int32Array(memory.buffer, address, length / WORD);
    /** The copy. Its length is the memory's at the last commit. */
    this.copy = new Uint8Array(0);
    /** @type {Set<KeptMemory>} the earlier states that somebody may go back to */
    this.kept = new Set();
  }

  /** Makes views of a memory that has grown, or of another instance's. */
  look() {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    this.cards = new Uint8Array(buffer, this.table, this.tableEnd - this.table);
    this.words = new Int32Array(buffer, this.table, (this.tableEnd - this.table) / WORD);
  }

  /**
   * The state that memory has now is the one to go back to.
   * @throws {RangeError} the browser has no room for the copy
   */
  commit() {
    if (this.bytes.length === 0) this.look();
    const { bytes, copy } = this;
    if (checks.on) this.check();
    if (copy.length !== bytes.length) {
      if (this.kept.size > 0) this.eachMarked(copy.length, (from, to) => this.save(from, to));
      this.copy = new Uint8Array(bytes.length);
      this.copy.set(bytes);
      this.cards.fill(0);
      return;
    }
    this.eachMarked(bytes.length, (from, to) => {
      if (this.kept.size > 0) this.save(from, to);
      copy.set(bytes.subarray(from, to), from);
    });
  }

  /* ---- earlier states ------------------------------------------------------------ */

  /** Keeps the state of the last commit. It costs what changes later. @returns {KeptMemory} */
  keep() {
    const kept = { size: this.copy.length, cards: new Map() };
    this.kept.add(kept);
    return kept;
  }

  /**
   * Saves a stretch of the copy that will change, for each kept state that does not have it yet.
   * @param {number} from @param {number} to both at the borders of cards
   */
  save(from, to) {
    for (let card = from >>> CARD_BITS; card < to >>> CARD_BITS; card++) {
      /** @type {Uint8Array | undefined} one for all of them */
      let saved;
      for (const { size, cards } of this.kept) {
        if (card * CARD >= size || cards.has(card)) continue;
        saved ??= this.copy.slice(card * CARD, (card + 1) * CARD);
        cards.set(card, saved);
      }
    }
  }

  /**
   * Makes an earlier state the one of the last commit, and writes it to memory where that has the same size. No card
   * may be marked.
   * @param {KeptMemory} kept
   */
  goTo({ size, cards }) {
    const { length } = this.copy;
    for (const card of cards.keys()) if (card * CARD < length) this.save(card * CARD, (card + 1) * CARD);
    this.save(Math.min(size, length), length);
    if (size !== length) {
      const copy = new Uint8Array(size);
      copy.set(this.copy.subarray(0, Math.min(size, length)));
      this.copy = copy;
    }
    for (const [card, saved] of cards) {
      this.copy.set(saved, card * CARD);
      if (size === length) this.bytes.set(saved, card * CARD);
    }
  }

  /** The bytes of a kept state. @param {KeptMemory} kept */
  read({ size, cards }) {
    const bytes = new Uint8Array(size);
    bytes.set(this.copy.subarray(0, Math.min(size, this.copy.length)));
    for (const [card, saved] of cards) bytes.set(saved, card * CARD);
    bytes.fill(0, this.table, this.tableEnd);
    return bytes;
  }

  /**
   * Brings memory back. It keeps the size that it has, because no memory shrinks.
   * @returns {number} how many bytes were brought back
   */
  restore() {
    if (this.bytes.length === 0) this.look();
    const { bytes, copy } = this;
    let count = 0;
    this.eachMarked(bytes.length, (from, to) => {
      const end = Math.min(to, copy.length);
      if (from < end) bytes.set(copy.subarray(from, end), from);
      // What was not there when the transaction began has no content of its own.
      if (to > copy.length) bytes.fill(0, Math.max(from, copy.length), to);
      count += to - from;
    });
    return count;
  }

  hasGrown() {
    return this.memory.buffer.byteLength !== this.copy.length;
  }

  /** Fills the memory of another instance. @param {WebAssembly.Memory} memory */
  moveTo(memory) {
    const missing = this.copy.length - memory.buffer.byteLength;
    if (missing > 0) memory.grow(missing / PAGE);
    this.memory = memory;
    this.look();
    this.visitState(0, this.copy.length, (from, to) => this.bytes.set(this.copy.subarray(from, to), from));
    this.cards.fill(0);
  }

  /**
   * Calls a function with the bounds of each stretch of marked memory, and clears the marks.
   * @param {number} size of the memory @param {(from: number, to: number) => void} visit
   */
  eachMarked(size, visit) {
    const { cards, words } = this;
    const count = size >>> CARD_BITS;
    const last = Math.ceil(count / WORD);
    // The end of the last stretch: a card may be marked and be next to a marked one.
    let done = 0;
    for (let word = 0; word < last; word++) {
      if (words[word] === 0) continue;
      for (let card = word * WORD; card < (word + 1) * WORD; card++) {
        if (cards[card] === 0) continue;
        cards[card] = 0;
        const from = Math.max(card * CARD, done);
        done = Math.min((card + 2) * CARD, size);
        this.visitState(from, done, visit);
      }
    }
  }

  /**
   * Leaves the card table out of a stretch.
   * @param {number} from @param {number} to @param {(from: number, to: number) => void} visit
   */
  visitState(from, to, visit) {
    if (to <= this.table || from >= this.tableEnd) {
      if (from < to) visit(from, to);
      return;
    }
    if (from < this.table) visit(from, this.table);
    if (to > this.tableEnd) visit(this.tableEnd, to);
  }

  /**
   * Marks what JavaScript writes.
   * @param {number} address @param {number} length in bytes
   */
  mark(address, length) {
    if (length <= 0) return;
    if (this.cards.length === 0) this.look();
    this.cards.fill(1, address >>> CARD_BITS, ((address + length - 1) >>> CARD_BITS) + 1);
  }

  /** @throws {Error} something was written without a mark */
  check() {
    const address = this.findDifference();
    if (address < 0) return;
    const error = new Error(`unpanic: a write to address ${address} was not marked`);
    checks.on = false;
    throw error;
  }

  /**
   * The first address at which memory is not what the last commit left, though no mark says so: what wrote there has
   * escaped. For tests.
   * @returns {number} -1: there is none
   */
  findDifference() {
    const { bytes, copy, cards } = this;
    // Below it is Rust's stack, which is no part of the state between two calls.
    for (let at = this.stackTop; at < copy.length; at++) {
      if (bytes[at] === copy[at] || (at >= this.table && at < this.tableEnd)) continue;
      const card = at >>> CARD_BITS;
      if (cards[card] === 0 && (card === 0 || cards[card - 1] === 0)) return at;
    }
    return -1;
  }

  get byteLength() {
    return this.copy.byteLength;
  }
}
