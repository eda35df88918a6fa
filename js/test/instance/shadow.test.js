/** The copy of memory: what marks stand for, what is no state, and what has grown. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { markingStore, markingViews } from "../../src/instance/marking.js";
import { Shadow } from "../../src/instance/shadow.js";
import { loadModuleSync } from "../loading.js";
import { fixture } from "../support.js";

const PAGE = 65536;
const CARD = 4096;
const REACH = 1024;
const TABLE = 4 * PAGE;
const TABLE_BYTES = 2 ** 20;
const AFTER = TABLE + TABLE_BYTES;

/** A shadow of a memory of four pages, the table and two pages, whose stack ends after the first page. */
function shadowOf({ stackPointer = /** @type {number | null} */ (0), top = PAGE } = {}) {
  const memory = new WebAssembly.Memory({ initial: AFTER / PAGE + 2 });
  const shadow = new Shadow(memory, { address: TABLE, length: TABLE_BYTES, stackPointer }, top);
  shadow.commit();
  return { memory, shadow };
}

/** Writes as rewritten code does. @param {Shadow} shadow @param {number} at @param {number} [marked] the address */
function store({ bytes, cards }, at, marked = at) {
  bytes[at] = 7;
  cards[(marked / CARD) | 0] = 1;
}

/**
 * Which of these bytes come back.
 * @param {number[]} places @param {(at: number) => number} [markFor] @param {any} [how]
 */
function restored(places, markFor, how) {
  return places.filter((at) => {
    const { shadow } = shadowOf(how);
    store(shadow, at, markFor?.(at));
    shadow.restore();
    return shadow.bytes[at] === 0;
  });
}

test("a mark stands for its card, and for the beginning of the next one", () => {
  const begin = 3 * PAGE;
  const places = [begin, begin + CARD - 1, begin + CARD, begin + CARD + REACH - 1];
  assert.deepEqual(
    restored([...places, begin + CARD + REACH, begin - 1], () => begin),
    places,
  );
});

test("the marks at all ends of the state count", () => {
  const places = [PAGE, PAGE + CARD, TABLE - 1, AFTER, AFTER + 2 * PAGE - 1];
  assert.deepEqual(restored(places), places);
  // Of the card before it.
  assert.deepEqual(
    restored([PAGE], () => PAGE - 1),
    [PAGE],
  );
});

test("the stack is no state if it is known", () => {
  assert.deepEqual(restored([0, PAGE - 1]), []);
  assert.deepEqual(restored([0, PAGE - 1], undefined, { stackPointer: null }), [0, PAGE - 1]);
  // Where it ends in the middle of a card, the rest of that is state.
  const top = PAGE + 100;
  assert.deepEqual(restored([top - 1, top], undefined, { top }), [top]);
});

test("the first card is the next one of the table's last", () => {
  assert.deepEqual(
    restored([5], () => 2 ** 32 - 1, { stackPointer: null }),
    [5],
  );
});

test("the table is never copied", () => {
  const { shadow } = shadowOf();
  store(shadow, TABLE - 1);
  shadow.bytes[TABLE + 1] = 3;
  shadow.commit();
  assert.equal(shadow.copy[TABLE - 1], 7);
  assert.equal(shadow.copy[TABLE + 1], 0);
});

test("what was committed stays, and its marks are gone", () => {
  const { shadow } = shadowOf();
  for (let at = PAGE; at < TABLE; at += 3 * CARD) store(shadow, at);
  shadow.commit();
  assert.equal(shadow.cards.indexOf(1), -1);
  store(shadow, PAGE + 1);
  shadow.bytes[PAGE] = 8;
  shadow.restore();
  for (let at = PAGE; at < TABLE; at += 3 * CARD) assert.equal(shadow.bytes[at], 7);
  assert.equal(shadow.bytes[PAGE + 1], 0);
});

test("memory that has grown is part of the next commit, and zero before it", () => {
  const { memory, shadow } = shadowOf();
  const at = memory.buffer.byteLength + 5;
  memory.grow(1);
  assert.ok(shadow.hasGrown());
  shadow.look();
  store(shadow, at);
  shadow.restore();
  assert.equal(shadow.bytes[at], 0);
  store(shadow, at);
  shadow.commit();
  assert.equal(shadow.copy[at], 7);
  assert.ok(!shadow.hasGrown());
});

test("what was written without a mark is found", () => {
  /** @type {any} */
  const tests = globalThis;
  /** @type {Error[]} */
  const reported = [];
  tests.unpanicCheckCommits = (/** @type {Error} */ error) => reported.push(error);
  try {
    const { shadow } = shadowOf();
    store(shadow, 2 * PAGE + CARD + REACH - 1, 2 * PAGE);
    shadow.commit();
    store(shadow, 2 * PAGE + CARD + REACH, 2 * PAGE);
    assert.throws(() => shadow.commit(), /a write to address \d+ was not marked/);
    assert.equal(reported.length, 1);
  } finally {
    delete tests.unpanicCheckCommits;
  }
});

test("each way in which glue writes to memory marks what it writes", () => {
  const { memory, shadow } = shadowOf();
  const holder = { shadow, transaction: null };
  const [Bytes, Words, View] = /** @type {any[]} */ (markingViews(holder, ["Uint8Array", "Uint32Array", "DataView"]));
  const place = 2 * PAGE;
  /** @type {(() => void)[]} */
  const ways = [
    () => new Bytes(memory.buffer).set([7], place),
    () => new Bytes(memory.buffer).fill(7, place, place + 1),
    () => (new Bytes(memory.buffer).subarray(place, place + 1)[0] = 7),
    () => (new Bytes(memory.buffer, place, 1)[0] = 7),
    () => new View(memory.buffer).setUint32(place, 7, true),
    () => markingStore(holder)(new Words(memory.buffer), place / 4, 7),
  ];
  for (const way of ways) {
    way();
    assert.equal(shadow.bytes[place], 7);
    shadow.restore();
    assert.equal(shadow.bytes[place], 0, String(way));
  }
});

test("glue that reads a string marks nothing", () => {
  const rewriter = new Uint8Array(readFileSync(new URL("../../../rust/rewriter/pkg/rewriter.wasm", import.meta.url)));
  const module = loadModuleSync({ glue: fixture("values"), rollsBack: true }, { rewriter, rewrites: 2 });
  module.host = /** @type {any} */ ({ failed: (/** @type {unknown} */ error) => error });
  const { shadow } = /** @type {any} */ (module.generation.transaction);
  /** @type {number[]} */
  const marked = [];
  const { mark } = shadow;
  shadow.mark = (/** @type {number} */ address, /** @type {number} */ length) => {
    marked.push(length);
    mark.call(shadow, address, length);
  };
  const index = module.description.functions.findIndex(({ name }) => name === "text_of_u128");
  assert.equal(module.lanes.functionLane(index)(12345n), "12345");
  assert.deepEqual(marked, []);
});

test("the copy has what is state", () => {
  const { shadow } = shadowOf();
  assert.equal(shadow.byteLength, 5 * PAGE);
  assert.equal(shadowOf({ stackPointer: null }).shadow.byteLength, 6 * PAGE);
});

test("after plain code, all memory is copied, or brought back", () => {
  const places = [PAGE, 2 * PAGE + 5, TABLE - 1, AFTER, AFTER + 2 * PAGE - 1];
  for (const isKept of [true, false]) {
    const { shadow } = shadowOf();
    for (const at of [...places, PAGE - 1, TABLE + TABLE_BYTES - 1]) shadow.bytes[at] = 1;
    shadow.isStale = true;
    assert.equal(shadow.findDifference(), -1);
    if (isKept) shadow.commit();
    else shadow.restore();
    const [from, to] = isKept ? [shadow.bytes, shadow.copy] : [shadow.copy, shadow.bytes];
    assert.deepEqual(
      places.map((at) => to[at]),
      places.map((at) => from[at]),
    );
    assert.deepEqual([shadow.isStale, shadow.findDifference(), shadow.cards.some(Boolean)], [false, -1, false]);
    // What comes later is marked again.
    store(shadow, PAGE + 1);
    shadow.commit();
    assert.equal(shadow.copy[PAGE + 1], 7);
  }
});

test("earlier states are kept although plain code has run since", () => {
  const { shadow } = shadowOf();
  const kept = shadow.keep();
  shadow.bytes[2 * PAGE] = 1;
  shadow.isStale = true;
  shadow.commit();
  assert.equal(shadow.copy[2 * PAGE], 1);
  assert.equal(shadow.read(kept)[2 * PAGE], 0);
});
