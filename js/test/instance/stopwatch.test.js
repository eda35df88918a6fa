/** The stopwatch: whose time counts, when it looks at the clock, and how what runs ends. The clock is the test's. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { makeFacade } from "../../src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../src/hosts/plain/supervisor.js";
import { countEntries, Stopwatch } from "../../src/instance/stopwatch.js";
import { StartError } from "../../src/shared/errors.js";
import { loadModuleSync } from "../loading.js";
import { fixture, thrown } from "../support.js";

const { now } = performance;
let clock = 0;
beforeEach(() => {
  clock = 1000;
  performance.now = () => clock;
});
afterEach(() => {
  performance.now = now;
});

/** A generation as far as the stopwatch looks at it. @returns {any} */
const makeGeneration = (active = 1) => ({
  dead: null,
  gone: false,
  depth: 1,
  stopped: null,
  inFlight: new Map(),
  owner: { active },
});

/** Asks for fuel after so many milliseconds. @param {Stopwatch} stopwatch @param {any} generation @param {number} ms */
function ask(stopwatch, generation, ms) {
  clock += ms;
  return stopwatch.refuel(generation);
}

test("an entry ends at its limit, by 0 and with a diagnosis; the next one begins at nothing", () => {
  const stopwatch = new Stopwatch(
    () => 2,
    () => false,
  );
  const generation = makeGeneration();
  const fuels = [];
  for (let entry = 0; entry < 2; entry++) {
    stopwatch.entries++;
    for (const ms of [0, 1, 0.9]) fuels.push(ask(stopwatch, generation, ms) > 0);
  }
  assert.deepEqual(fuels, new Array(6).fill(true));
  assert.equal(generation.stopped, null);
  assert.equal(ask(stopwatch, generation, 0.2), 0);
  const { kind, code, message } = generation.stopped;
  assert.deepEqual([kind, code, message], ["timeout", "", "stopped after 0.0021 s"]);
});

test("the limit is asked once for each entry, with who called", () => {
  /** @type {boolean[]} */
  const asked = [];
  const stopwatch = new Stopwatch(
    (attended) => {
      asked.push(attended);
      return 100;
    },
    () => false,
  );
  for (const active of [1, 0]) {
    stopwatch.entries++;
    for (let count = 0; count < 3; count++) ask(stopwatch, makeGeneration(active), 1);
  }
  assert.deepEqual(asked, [true, false]);
});

test("a dead generation gets nothing, and nothing is asked for it", () => {
  const stopwatch = new Stopwatch(
    () => assert.fail("asked"),
    () => assert.fail("asked"),
  );
  const generation = { ...makeGeneration(), dead: {}, gone: true };
  assert.equal(stopwatch.importFor(generation)(), 0);
});

test("the abort handler of a call that was stopped runs, but not for ever", () => {
  const stopwatch = new Stopwatch(
    () => assert.fail("asked"),
    () => assert.fail("asked"),
  );
  const generation = { ...makeGeneration(), dead: {} };
  const refuel = stopwatch.importFor(generation);
  const fuels = [0, 50, 49, 2].map((ms) => {
    clock += ms;
    return refuel() > 0;
  });
  assert.deepEqual(fuels, [true, true, true, false]);
});

test("imports that take long make the code look at the clock", () => {
  const stopwatch = new Stopwatch(
    () => Infinity,
    () => false,
  );
  const generation = { ...makeGeneration(), fuel: { value: 7 } };
  stopwatch.entries++;
  ask(stopwatch, generation, 0);
  const { fuel } = stopwatch;
  for (let count = 0; count < 100; count++) stopwatch.importReturned(generation);
  assert.equal(generation.fuel.value, 7, "no time has gone by");
  for (let count = 0; count < 8; count++) {
    clock += 1;
    stopwatch.importReturned(generation);
  }
  assert.equal(generation.fuel.value, 0);
  ask(stopwatch, generation, 0);
  assert.equal(stopwatch.fuel, fuel, "what imports take says nothing about instructions");
});

test("a start section is an entry of its own, although it passes no export", () => {
  const stopwatch = new Stopwatch(
    () => 10,
    () => false,
  );
  stopwatch.entries++;
  ask(stopwatch, makeGeneration(), 1);
  ask(stopwatch, makeGeneration(), 8);
  clock += 5000;
  const refuel = stopwatch.importFor(makeGeneration());
  assert.ok(refuel() > 0, "the time since the last call counted");
});

test("what the event loop runs is asked for by the calls of which it may be one", () => {
  /** @type {number[][]} */
  const asked = [];
  const stopwatch = new Stopwatch(
    (_attended, polled) => {
      asked.push(polled);
      return 100;
    },
    () => false,
  );
  for (const ids of [[], [7], [7, 8]]) {
    stopwatch.entries++;
    const inFlight = new Map(ids.map((id) => [id, { id, name: "wait", path: "wait" }]));
    ask(stopwatch, { ...makeGeneration(0), inFlight }, 1);
  }
  assert.deepEqual(asked, [[], [7], [7, 8]]);
});

test("a limit that a callback sets is for the calls in it, whatever was asked before", () => {
  let limit = 1000;
  const stopwatch = new Stopwatch(
    () => limit,
    () => false,
  );
  const generation = makeGeneration();
  stopwatch.entries++;
  ask(stopwatch, generation, 0);
  ask(stopwatch, generation, 50);
  let inside = -1;
  const inner = countEntries(
    () => {
      assert.ok(ask(stopwatch, generation, 9) > 0, "the time before the callback counted");
      inside = ask(stopwatch, generation, 2);
    },
    null,
    generation,
    stopwatch,
  );
  stopwatch.pauseFor(generation, () => {
    limit = 10;
    generation.depth = 2;
    inner();
    limit = 1000;
  });
  assert.equal(inside, 0);
  assert.equal(generation.stopped.message, "stopped after 0.011 s");
  assert.ok(ask(stopwatch, generation, 900) > 0, "the limit of the callback holds outside");
  assert.equal(ask(stopwatch, generation, 100), 0);
  assert.equal(generation.stopped.message, "stopped after 1.1 s");
});

test("the calls of many callbacks together end with the call around them, also where that does nothing itself", () => {
  const stopwatch = new Stopwatch(
    () => 10,
    () => false,
  );
  const generation = makeGeneration();
  stopwatch.entries++;
  /** @type {boolean[]} */
  const fuels = [];
  const inner = countEntries(
    () => {
      ask(stopwatch, generation, 0);
      fuels.push(ask(stopwatch, generation, 4) > 0);
    },
    null,
    generation,
    stopwatch,
  );
  for (let count = 0; count < 3; count++) {
    stopwatch.pauseFor(generation, () => {
      generation.depth = 2;
      inner();
      generation.depth = 1;
    });
  }
  assert.deepEqual(fuels, [true, true, false]);
});

for (const active of [0, 1]) {
  test(`the user's interrupt ends what ${active ? "somebody" : "the event loop"} called`, () => {
    let requests = 1;
    const take = () => requests-- > 0;
    const stopwatch = new Stopwatch(() => Infinity, take);
    stopwatch.entries++;
    const generation = makeGeneration(active);
    assert.equal(ask(stopwatch, generation, 1), 0);
    assert.deepEqual([generation.stopped.code, requests], ["interrupted", 0]);
  });
}

for (const [speed, ms] of [
  ["fast", 0.01],
  ["slow", 5],
]) {
  test(`on a ${speed} machine the amount comes near what half a millisecond takes`, () => {
    const stopwatch = new Stopwatch(
      () => Infinity,
      () => false,
    );
    const generation = makeGeneration();
    stopwatch.entries++;
    let fuel = ask(stopwatch, generation, 0);
    const perMs = fuel / ms;
    for (let look = 0; look < 20; look++) fuel = ask(stopwatch, generation, fuel / perMs);
    const wanted = Math.max(10_000, perMs / 2);
    assert.ok(Math.abs(fuel / wanted - 1) < 0.01, `${fuel} and not ${wanted}`);
  });
}

test("a clock that stands still, or jumps, leaves an amount that is neither nothing nor without end", () => {
  const stopwatch = new Stopwatch(
    () => Infinity,
    () => false,
  );
  const generation = makeGeneration();
  stopwatch.entries++;
  for (let look = 0; look < 40; look++) assert.ok(ask(stopwatch, generation, 0) <= 2 ** 28);
  // The import returns an i32: more than this would be negative, and would end the call.
  assert.ok(ask(stopwatch, generation, 0) > 0);
  for (let look = 0; look < 40; look++) assert.ok(ask(stopwatch, generation, 1e6) >= 10_000);
});

test("the time of a callback does not count, that of the Rust which it enters does", () => {
  const stopwatch = new Stopwatch(
    () => 10,
    () => false,
  );
  const generation = makeGeneration();
  stopwatch.entries++;
  ask(stopwatch, generation, 0);
  ask(stopwatch, generation, 4);
  const inner = countEntries(
    () => {
      generation.depth = 2;
      assert.ok(ask(stopwatch, generation, 3) > 0);
      clock += 2;
    },
    null,
    generation,
    stopwatch,
  );
  stopwatch.pauseFor(generation, () => {
    clock += 500;
    inner();
    clock += 500;
    stopwatch.pauseFor(generation, () => (clock += 500));
  });
  assert.deepEqual([stopwatch.usedMs, stopwatch.entries, stopwatch.paused], [9, 1, false]);
  assert.ok(ask(stopwatch, generation, 0.5) > 0);
  assert.equal(ask(stopwatch, generation, 1), 0);
});

test("an exception through a callback leaves the watch running, and one through Rust leaves it paused", () => {
  const stopwatch = new Stopwatch(
    () => Infinity,
    () => false,
  );
  const generation = makeGeneration();
  stopwatch.entries++;
  const fail = () => {
    throw new Error("mine");
  };
  const states = [];
  stopwatch.pauseFor(generation, () => {
    thrown(countEntries(fail, null, generation, stopwatch));
    states.push(stopwatch.paused);
  });
  states.push(stopwatch.paused);
  thrown(() => stopwatch.pauseFor(generation, fail));
  states.push(stopwatch.paused);
  assert.deepEqual(states, [true, false, false]);
});

test("a callback that the event loop calls pauses nothing: each call in it is an entry of its own", () => {
  const stopwatch = new Stopwatch(
    () => 10,
    () => false,
  );
  const generation = { ...makeGeneration(), depth: 0 };
  const inner = countEntries(
    () => {
      assert.ok(ask(stopwatch, generation, 0) > 0);
      assert.ok(ask(stopwatch, generation, 7) > 0, "the time of an earlier call counted");
    },
    null,
    generation,
    stopwatch,
  );
  stopwatch.pauseFor(generation, () => {
    for (let call = 0; call < 3; call++) {
      generation.depth = 1;
      inner();
      generation.depth = 0;
    }
  });
  assert.equal(stopwatch.entries, 3);
});

for (const count of [0, 1, 2, 3, 5]) {
  test(`an export of ${count} parameters gets them all, and only the outermost frame is an entry`, () => {
    const stopwatch = new Stopwatch(
      () => Infinity,
      () => false,
    );
    const generation = makeGeneration();
    /** @type {unknown[][]} */
    const got = [];
    const fn = (/** @type {unknown[]} */ ...args) => got.push(args);
    const signature = { params: new Array(count).fill("i32"), results: [] };
    const exported = countEntries(fn, /** @type {any} */ (signature), generation, stopwatch);
    const args = Array.from({ length: count }, (_, index) => index);
    exported(...args);
    generation.depth = 2;
    exported(...args);
    assert.deepEqual([got, stopwatch.entries], [[args, args], 1]);
  });
}

/* ---- with a module ---------------------------------------------------------- */

const rewriter = new Uint8Array(readFileSync(new URL("../../../rust/rewriter/pkg/rewriter.wasm", import.meta.url)));

/** A fixture whose calls end after so many milliseconds. @param {number} limitMs */
function load(limitMs) {
  performance.now = now;
  const module = loadModuleSync({ glue: fixture("loops") }, { rewriter });
  const supervisor = /** @type {any} */ (new DefaultSupervisor(module));
  supervisor.limitMs = () => limitMs;
  module.host = supervisor;
  return { module, exports: /** @type {any} */ (makeFacade(module, supervisor)) };
}

test("a stopped call is a crash of its own kind, with the Rust function in which it was", () => {
  const { module, exports } = load(20);
  for (let round = 0; round < 3; round++) {
    const error = thrown(() => exports.spin());
    assert.equal(error.record?.kind ?? error.kind, "timeout", error.stack);
    assert.match(error.message, /stopped after 0\.0\d+ s, in the Rust function .*spin/);
    assert.equal(exports.add(2, 3), 5);
  }
  assert.equal(module.generation.number, 3);
});

test("a stopped destructor is named by the function of the library in which it was inlined", () => {
  const { exports } = load(20);
  const error = thrown(() => new exports.Wheel(false, true).free());
  assert.match(error.message, /in the Rust function <alloc::rc::Rc<.*Wheel.*::drop_slow/);
});

test("a start function that does not end is a StartError, before there is a host to ask", () => {
  performance.now = now;
  /** @type {any} */ (globalThis).unpanicSpinAtStart = true;
  try {
    const error = thrown(() => loadModuleSync({ glue: fixture("loops"), startMs: 20 }, { rewriter }));
    assert.ok(error instanceof StartError, error.stack);
    assert.equal(error.diagnosis.kind, "timeout");
  } finally {
    delete (/** @type {any} */ (globalThis).unpanicSpinAtStart);
  }
  assert.ok(loadModuleSync({ glue: fixture("loops"), startMs: 20 }, { rewriter }).generation);
});

test("a loop around imports that take long ends soon after its limit", () => {
  const { module, exports } = load(Infinity);
  exports.count_to(20_000_000n); // the amount is now that of code without imports
  /** @type {any} */ (module.host).limitMs = () => 30;
  let late = 0;
  const began = now.call(performance);
  const error = thrown(() =>
    exports.call_for_ever(() => {
      const until = now.call(performance) + 1;
      while (now.call(performance) < until);
      if (until - began > 40) late++;
    }),
  );
  assert.match(String(error.message), /stopped after/);
  assert.ok(late < 500, `it was called ${late} times after its limit`);
});
