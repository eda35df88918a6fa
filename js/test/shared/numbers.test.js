/** Which numbers cross as they are: each kind takes the lowest and the highest, and nothing beyond. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fits, isNumeric } from "../../src/shared/numbers.js";

const RANGES = {
  i8: [-(2 ** 7), 2 ** 7 - 1],
  u8: [0, 2 ** 8 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  u16: [0, 2 ** 16 - 1],
  s32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i32: [-(2 ** 31), 2 ** 32 - 1],
};

test("an integer is in the range of its type", () => {
  for (const [kind, [low, high]] of Object.entries(RANGES)) {
    assert(isNumeric({ name: kind }), kind);
    for (const value of [low, high, 0, 1, 100]) assert(fits(kind, value), `${value} as ${kind}`);
    const others = [
      low - 1,
      high + 1,
      0.5,
      2 ** 40,
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "1",
      1n,
      true,
      null,
    ];
    for (const value of others) assert(!fits(kind, value), `${String(value)} as ${kind}`);
  }
});

test("an f32 is no number that would become infinite", () => {
  assert(isNumeric({ name: "f32" }));
  const largest = 2 ** 127 * (2 - 2 ** -23);
  for (const value of [0, -0, 0.1, largest, -largest, Number.POSITIVE_INFINITY, Number.NaN, 5e-324]) {
    assert(fits("f32", value), `${value}`);
  }
  for (const value of [2 ** 128, -(2 ** 128), 1e39, "1", 1n, true]) assert(!fits("f32", value), String(value));
});

test("other kinds are none of the short path", () => {
  for (const name of ["i64", "u64", "number", "bigint", "any", "string"]) {
    assert(!isNumeric({ name }), name);
    assert(!fits(name, 1), name);
  }
});
