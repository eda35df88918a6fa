/** For users of plain JavaScript, the error for a moved object names class, consumer and call. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { StaleObjectError } from "../../src/shared/errors.js";
import { fixture, supervise, thrown } from "../support.js";

const WAYS = {
  take: (moves, part) => moves.take(part),
  take_and_fail: (moves, part) => thrown(() => moves.take_and_fail(part)),
  take_maybe: (moves, part) => moves.take_maybe(part),
  take_all: (moves, part) => moves.take_all([part]),
  take_later: (moves, part) => moves.take_later(part, 1),
  take_value: (moves, part) => moves.take_value(part),
  "Bolt.fix": (moves, part) => new moves.Bolt().fix(part),
  "Part.into_name": (_moves, part) => part.into_name(),
  "Part.into_error": (_moves, part) => thrown(() => part.into_error()),
  "Part.into_name_later": (_moves, part) => part.into_name_later(1),
};

const USES = {
  "Part.name": (_moves, part) => part.name,
  "Part.length": (_moves, part) => part.length(),
  borrow: (moves, part) => moves.borrow(part),
  take_all: (moves, part) => moves.take_all([new moves.Part("a"), part]),
  take_value: (moves, part) => moves.take_value(part),
};

for (const mode of ["abort", "reset", "unwind"]) {
  for (const [consumer, take] of Object.entries(WAYS)) {
    test(`${mode}: an object that ${consumer} took says so wherever it is used, and nothing is reset`, async () => {
      const { module, exports: moves } = await supervise(fixture("moves", mode));
      const part = new moves.Part("p");
      await take(moves, part);
      for (const [call, use] of Object.entries(USES)) {
        const error = thrown(() => use(moves, part));
        assert.ok(error instanceof StaleObjectError, error.stack);
        const fate = `This moves.Part was moved into moves.${consumer}, which consumed it`;
        assert.equal(error.message, `${fate}; it cannot be used in moves.${call}.`);
      }
      assert.equal(module.generation.number, 0);
    });
  }
}

test("the same object for two parameters is refused if one of them consumes it", async () => {
  const { module, exports: moves } = await supervise(fixture("moves"));
  const part = new moves.Part("p");
  for (const run of [() => moves.take_both(part, part), () => moves.take_all([part, part])]) {
    assert.ok(thrown(run) instanceof StaleObjectError);
  }
  assert.deepEqual([moves.borrow_both(part, part), module.generation.number], ["pp", 0]);
});

test("a list of objects goes in and comes out as objects of the class", async () => {
  const { exports: moves } = await supervise(fixture("moves"));
  const passed = moves.pass_all([new moves.Part("a"), new moves.Part("b")]);
  assert.ok(passed.every((part) => part instanceof moves.Part));
  assert.deepEqual([passed.map((part) => part.name), moves.take_all(passed)], [["a", "b"], "ab"]);
});

test("after a reset the error still names the consumer of an object", async () => {
  const { supervisor, exports: moves } = await supervise(fixture("moves"));
  const part = new moves.Part("p");
  moves.take(part);
  supervisor.reset();
  assert.match(thrown(() => part.name).message, /^This moves\.Part was moved into moves\.take, /);
});

test("a null pointer that only Rust noticed is the caller's mistake", async () => {
  const { module, supervisor } = await supervise(fixture("moves"));
  const error = supervisor.gone("f", "");
  assert.ok(error instanceof StaleObjectError);
  assert.equal(error.message, "An object was used that had been freed, or moved into a Rust call (in moves.f).");
  assert.equal(module.generation.retiring, false);
});

for (const mode of ["abort", "reset"]) {
  test(`${mode}: an object that a call in flight borrows can be freed, and nothing is reset`, async () => {
    const { module, exports: moves } = await supervise(fixture("moves", mode));
    const part = new moves.Part("oak");
    const call = part.rename_later("elm", 5);
    part.free();
    assert.equal(await call, 3);
    assert.equal(module.generation.number, 0);
    assert.ok(thrown(() => part.name) instanceof StaleObjectError);
  });
}
