/**
 * The shadow: the memory of an instance as it was when the transaction began that runs now. A module that was rewritten
 * for rollback (rust/rewriter) marks what it writes: its *card table* has a byte for each 4 KiB of memory, a *card*. A
 * mark stands for its card and for the beginning of the next one. So the shadow is brought up to date, and memory is
 * brought back, by copying what the marks stand for.
 *
 * All of it is JavaScript, although a Wasm file with two memories could do the same (rust/shadow, which the tests of
 * the rewriter use): `set` copies few cards in less time than `memory.copy` from one memory to another.
 *
 * What JavaScript writes into memory is marked here, by `mark`, because no instrumented code sees it.
 */

/** @import {CardTable, KeptMemory} from "../types.js" */

const CARD_BITS = 12;
const CARD = 1 << CARD_BITS;
/** So many bytes of the next card a mark stands for (rust/rewriter/src/bases.rs). */
const REACH = 1024;
const PAGE = 65536;
/**
 * So many marks are looked at together, as a number of 64 bits. It is 0 only if all of its bytes are, because none has
 * the bit for a sign.
 */
const WORD = 8;

/** So many bytes are copied in a millisecond, until it is known better. */
const COPIED_IN_A_MS = 2e7;

const NONE = new Uint8Array(0);
/** So many windows are remembered: calls mostly write where the last ones did, and to make a window takes time. */
const WINDOWS = 64;

/**
 * For tests, which set them before a module is loaded. `unpanicCheckCommits` hears of what was written without a mark:
 * each commit then looks for that, which takes milliseconds. With `unpanicPlain`, of `every` so many calls of exports
 * one runs plain (plain.js), whatever was learned, and `calls` counts those that could. `unpanicNoteDead` hears of each
 * generation that lets go of its instance.
 * @type {{unpanicCheckCommits?: ((error: Error) => void) | null,
 *   unpanicPlain?: {every: number, calls: number} | null,
 *   unpanicNoteDead?: ((generation: any) => void) | null}}
 */
export const tests = /** @type {any} */ (globalThis);

/**
 * Moves what is taken to be usual a bit towards what was measured. It comes to the median, which the few measurements
 * do not disturb in which the machine did something else.
 * @param {number} usual @param {number} measured
 */
export const nudge = (usual, measured) => usual * (measured > usual ? 1.1 : 0.9);

export class Shadow {
  /**
   * @param {WebAssembly.Memory} memory @param {CardTable} table where the marks are
   * @param {number} stackTop where Rust's stack begins
   */
  constructor(memory, { address, length, stackPointer }, stackTop) {
    this.memory = memory;
    this.stackTop = stackTop;
    /** The table lies in the memory that it describes; it is no part of the state. */
    this.table = address;
    this.tableEnd = address + length;
    /**
     * Where the state begins. Below is only Rust's stack, if its pointer is known; between two calls there is nothing
     * on it.
     */
    this.start = stackPointer === null ? 0 : stackTop;
    /** @type {Uint8Array} the memory now; its length is 0 after memory has grown */
    this.bytes = NONE;
    /** The marks, one by one and eight at a time. */
    this.cards = NONE;
    this.words = new Float64Array(0);
    /** @type {Uint8Array[]} parts of the memory, each at the place that its first card has here */
    this.windows = [];
    this.isChecked = !!tests.unpanicCheckCommits;
    /** The copy. Its length is the memory's at the last commit. */
    this.copy = NONE;
    /**
     * The size that memory had when something was undone that had made it grow. As long as it has that size, what is
     * beyond the copy is nobody's.
     */
    this.excess = 0;
    /** Whether JavaScript may write to memory without a mark (giving.js). */
    this.isGivenAway = false;
    /** Whether JavaScript has the memory itself, and not only views of it. */
    this.isLent = false;
    /** @type {Set<KeptMemory>} the earlier states that somebody may go back to */
    this.kept = new Set();
    /** Whether any of it may have changed: code ran that does not mark what it writes (plain.js). */
    this.isStale = false;
    this.look();
    /** How long it takes to copy all of it: what that took lately, or a guess. */
    this.copyMs = this.bytes.length / COPIED_IN_A_MS;
  }

  /** Makes views of a memory that has grown, or of another instance's. */
  look() {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    this.windows = new Array(WINDOWS).fill(NONE);
    this.cards = new Uint8Array(buffer, this.table, this.tableEnd - this.table);
    this.words = new Float64Array(buffer, this.table, (this.tableEnd - this.table) / WORD);
  }

  /**
   * The state that memory has now is the one to go back to.
   * @throws {RangeError} the browser has no room for the copy
   */
  commit() {
    if (this.bytes.length === 0) this.look();
    const { bytes, copy } = this;
    if (this.isGivenAway) this.markChanges();
    else if (this.isChecked) this.check();
    if (copy.length !== bytes.length && !this.hasExcess()) {
      this.excess = 0;
      if (this.kept.size > 0) this.eachMarked(copy.length, (from, to) => this.save(from, to));
      const larger = new Uint8Array(bytes.length);
      // The browser gives no room to bytes that nobody has written: the table's, and the stack's.
      larger.set(bytes.subarray(this.start, this.table), this.start);
      larger.set(bytes.subarray(this.tableEnd), this.tableEnd);
      this.copy = larger;
      this.cards.fill(0);
      this.isStale = false;
      return;
    }
    this.eachMarked(copy.length, (from, to) => {
      if (this.kept.size > 0) this.save(from, to);
      copy.set(this.window(from, to), from);
    });
  }

  /** A part of the memory. @param {number} from @param {number} to */
  window(from, to) {
    const place = (from >>> CARD_BITS) % WINDOWS;
    let window = this.windows[place];
    if (window.byteOffset !== from || window.length !== to - from)
      window = this.windows[place] = this.bytes.subarray(from, to);
    return window;
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
    if (this.isGivenAway) this.markChanges();
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

  /** Is there memory that nobody has? */
  hasExcess() {
    const { byteLength } = this.memory.buffer;
    return this.excess === byteLength && byteLength !== this.copy.length;
  }

  hasGrown() {
    return this.memory.buffer.byteLength !== this.copy.length;
  }

  /** Fills the memory of another instance. @param {WebAssembly.Memory} memory */
  moveTo(memory) {
    const missing = this.copy.length - memory.buffer.byteLength;
    if (missing > 0) memory.grow(missing / PAGE);
    this.memory = memory;
    this.excess = 0;
    this.look();
    const { bytes, copy } = this;
    const fill = (/** @type {number} */ from, /** @type {number} */ to) => bytes.set(copy.subarray(from, to), from);
    fill(this.start, this.table);
    fill(this.tableEnd, copy.length);
    this.cards.fill(0);
    this.isStale = false;
  }

  /**
   * Calls a function with the bounds of each stretch of marked memory, and clears the marks.
   * @param {number} size of the memory @param {(from: number, to: number) => void} visit
   */
  eachMarked(size, visit) {
    const { cards } = this;
    if (this.isStale) {
      const began = performance.now();
      visit(this.start, this.table);
      visit(this.tableEnd, size);
      cards.fill(0);
      this.isStale = false;
      this.copyMs = nudge(this.copyMs, performance.now() - began);
      return;
    }
    // The first card is the next one of the table's last.
    const last = cards.length - 1;
    if (cards[last] !== 0) cards[0] = cards[last]--;
    // The table has 256 cards itself, which need no look.
    this.eachMarkedIn(this.start, this.table, visit);
    this.eachMarkedIn(this.tableEnd, size, visit);
  }

  /**
   * The same for a part of memory.
   * @param {number} begin @param {number} end @param {(from: number, to: number) => void} visit
   */
  eachMarkedIn(begin, end, visit) {
    const { cards, words } = this;
    const last = Math.ceil(end / (CARD * WORD));
    // A stretch ends where the next mark is too far away.
    let from = 0;
    let to = 0;
    // The mark before the first card stands for its beginning.
    for (let word = (Math.max(begin - 1, 0) / (CARD * WORD)) | 0; word < last; word++) {
      if (words[word] === 0) continue;
      for (let card = word * WORD; card < (word + 1) * WORD; card++) {
        if (cards[card] === 0) continue;
        cards[card] = 0;
        const address = card * CARD;
        if (address > to) {
          if (from < to) visit(from, to);
          from = Math.max(address, begin);
        }
        to = Math.min(address + CARD + REACH, end);
      }
    }
    if (from < to) visit(from, to);
  }

  /**
   * Marks what JavaScript writes.
   * @param {number} address @param {number} length in bytes
   */
  mark(address, length) {
    if (length <= 0) return;
    if (this.cards.length === 0) this.look();
    const first = address >>> CARD_BITS;
    const last = (address + length - 1) >>> CARD_BITS;
    // For one byte, a call of `fill` would take ten times as long.
    if (first === last) this.cards[first] = 1;
    else this.cards.fill(1, first, last + 1);
  }

  /** The cards that are marked. @returns {number[]} */
  markedCards() {
    if (this.cards.length === 0) this.look();
    const { cards, words } = this;
    const marked = [];
    // The table has room for 4 GiB: most of it describes memory that is not there.
    const used = Math.ceil(this.bytes.length / (CARD * WORD));
    for (let word = 0; word < used; word++) {
      if (words[word] === 0) continue;
      for (let card = word * WORD; card < (word + 1) * WORD; card++) if (cards[card] !== 0) marked.push(card);
    }
    // The table's last mark stands for the first card (see `eachMarked`).
    const last = cards.length - 1;
    if (used < words.length && cards[last] !== 0) marked.push(last);
    return marked;
  }

  /** @param {number[]} marked */
  markCards(marked) {
    if (this.cards.length === 0) this.look();
    for (const card of marked) this.cards[card] = 1;
  }

  /** From here on nobody knows what was written. @param {boolean} isLent whether JavaScript has the memory itself */
  giveAway(isLent) {
    this.isGivenAway = true;
    this.isLent ||= isLent;
  }

  /** Marks all that differs from the copy, or, where that is as good, everything. */
  markChanges() {
    const { bytes, copy, cards } = this;
    const count = Math.min(bytes.length, copy.length) / CARD;
    if (this.kept.size === 0) cards.fill(1, 0, count);
    else {
      const [now, before] = [new Int32Array(bytes.buffer), new Int32Array(copy.buffer)];
      for (let card = 0; card < count; card++) if (!isSame(now, before, (card * CARD) / 4)) cards[card] = 1;
    }
  }

  /** @throws {Error} something was written without a mark */
  check() {
    const address = this.findDifference();
    if (address < 0) return;
    const error = new Error(`unpanic: a write to address ${address} was not marked`);
    this.isChecked = false;
    tests.unpanicCheckCommits?.(error);
    throw error;
  }

  /**
   * The first address at which memory is not what the last commit left, though no mark says so: what wrote there has
   * escaped. For tests.
   * @returns {number} -1: there is none
   */
  findDifference() {
    const { cards, copy, table, tableEnd } = this;
    if (this.isStale) return -1;
    // Four bytes at a time: tests compare after each call.
    const now = new Int32Array(this.bytes.buffer);
    const then = new Int32Array(copy.buffer);
    // Below it is Rust's stack, which is no part of the state between two calls.
    for (let at = this.stackTop; at < copy.length; at += 4) {
      if (at === table) at = tableEnd;
      // What has been added by a growth, no commit has seen.
      if (at >= copy.length || now[at >>> 2] === then[at >>> 2]) continue;
      const card = at >>> CARD_BITS;
      const before = at % CARD < REACH && card > 0 ? cards[card - 1] : 0;
      if (cards[card] === 0 && before === 0) return at;
    }
    return -1;
  }

  /** How many bytes the copy holds. */
  get byteLength() {
    const { copy, start, table, tableEnd } = this;
    return copy.length === 0 ? 0 : copy.length - start - (tableEnd - table);
  }
}

/** Is a card the same in both? @param {Int32Array} now @param {Int32Array} before @param {number} from */
function isSame(now, before, from) {
  let at = from;
  while (at < from + CARD / 4 && now[at] === before[at]) at++;
  return at === from + CARD / 4;
}
