/** Data that Python packs is unpacked into JavaScript values. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, entriesOf, longestText, Parcel, unpack } from "../../src/module/parcel.js";

const [ARRAY, OBJECT, MAP, SET, BIG_INTEGER, NULL, RUN] = [0, 1, 2, 3, 4, 5, 6];

/** @param {number[]} plan @param {...unknown} leaves */
const packed = (plan, ...leaves) => [plan.length, ...plan, ...leaves];

test("each kind of container is built from its parts, which lie in a row or at listed places", () => {
  assert.equal(unpack(packed([], 5)), 5);
  assert.deepEqual(unpack(packed([ARRAY + RUN, 2, 0], "a", 1)), ["a", 1]);
  assert.deepEqual(unpack(packed([ARRAY, 3, 1, 0, 1], "a", 1)), [1, "a", 1]);
  assert.deepEqual(unpack(packed([OBJECT + RUN, 4, 0], "a", 1, "b", 2)), { a: 1, b: 2 });
  assert.deepEqual(unpack(packed([MAP + RUN, 2, 0], 1, 2)), new Map([[1, 2]]));
  assert.deepEqual(unpack(packed([SET, 1, 0], "a")), new Set(["a"]));
  assert.deepEqual(unpack(packed([ARRAY, 2, ~1, ~2, BIG_INTEGER + RUN, 1, 0, NULL + RUN, 1, 1], 7, undefined)), [
    7n,
    null,
  ]);
});

test("containers hold each other, and themselves", () => {
  const made = unpack(packed([ARRAY, 2, ~0, ~1, OBJECT, 4, 0, ~0, 1, ~1], "list", "self"));
  assert.equal(made[0], made);
  assert.equal(made[1].list, made);
  assert.equal(made[1].self, made[1]);
});

test("a property of any name is the object's own", () => {
  const keys = ["__proto__", "constructor", "toString", "then", "toJSON", "hasOwnProperty", "a"];
  const made = unpack(packed([OBJECT + RUN, 2 * keys.length, 0], ...keys.flatMap((key) => [key, { admin: true }])));
  assert.deepEqual(Object.keys(made), keys);
  assert.equal(Object.getPrototypeOf(made), Object.prototype);
  assert.equal(made.admin, undefined);
  for (const key of keys)
    assert.deepEqual(Object.getOwnPropertyDescriptor(made, key), {
      value: { admin: true },
      writable: true,
      enumerable: true,
      configurable: true,
    });
});

test("objects of the module are looked up when a parcel is opened", () => {
  const parcel = new Parcel(packed([ARRAY, 2, 0, 2], 12, "Part", "text"), [0]);
  const looked = /** @type {unknown[]} */ ([]);
  const { value, ids } = parcel.open((id, className) => {
    looked.push([id, className]);
    return { id };
  });
  assert.deepEqual([value, ids, looked], [[{ id: 12 }, "text"], [12], [[12, "Part"]]]);
});

test("the changed elements of a typed array are found", () => {
  const before = Float64Array.of(0, NaN, 2, 3);
  for (const [now, span] of [
    [[0, NaN, 2, 3], null],
    [
      [0, NaN, 5, 3],
      [2, 3],
    ],
    [
      [-0, NaN, 2, 4],
      [0, 4],
    ],
    [
      [0, 1, 2, 3],
      [1, 2],
    ],
  ]) {
    assert.deepEqual(changed(Float64Array.from(/** @type {number[]} */ (now)), before), span);
  }
  assert.equal(changed(new Float64Array(0), before), null);
});

test("a plain object is recognised by its prototype, not by a property `constructor`", () => {
  assert.deepEqual(entriesOf({ constructor: 5 }), [["constructor", 5]]);
  assert.deepEqual(entriesOf(Object.create(null)), []);
  // biome-ignore lint/suspicious/noShadowRestrictedNames: the test is about a class of this name
  for (const other of [[], new Map(), new (class Object {})(), Object.prototype, new Date()]) {
    if (other !== Object.prototype) assert.equal(entriesOf(other), null);
  }
});

test("the engine reports how long a text can be", () => {
  const longest = longestText();
  assert.equal("ab".repeat(longest / 2).length, longest);
  assert.throws(() => "ab".repeat(longest / 2 + 1), RangeError);
});
