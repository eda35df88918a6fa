/** For users of plain JavaScript, a crash costs the caller one error and nothing else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as unpanic from "../../../src/index.js";
import { CallInterrupted, Crash, ModuleTerminated, StaleObjectError, StartError } from "../../../src/shared/errors.js";
import { fixture, rejection, supervise, thrown } from "../../support.js";

/** Returns the errors that are reported while a test runs, through the function that browsers have. @returns {any[]} */
function reported(context) {
  const errors = [];
  globalThis.reportError = (/** @type {unknown} */ error) => errors.push(error);
  context.after(() => delete globalThis.reportError);
  return errors;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (const mode of ["abort", "reset", "unwind"]) {
  test(`${mode}: a panic is a Crash with its location, and the next call works`, async () => {
    const heard = [];
    const { module, exports: bank } = await supervise(fixture("bank", mode), { onPanic: (panic) => heard.push(panic) });
    const { add } = bank;
    const account = new bank.Account("ada", 100);
    const error = thrown(() => account.withdraw(1000));
    assert.ok(error instanceof Crash, error.stack);
    assert.deepEqual([error.name, error.kind, error.location.file], ["Crash", "panic", "src/lib.rs"]);
    const { line, column } = error.location;
    assert.equal(error.message, `insufficient funds (in bank.Account.withdraw, src/lib.rs:${line}:${column})`);
    assert.deepEqual(
      [error.record.call, error.record.generation, error.record.payload],
      ["Account.withdraw", 0, "&str"],
    );
    assert.deepEqual(
      heard.map(({ message, location }) => [message, location]),
      [["insufficient funds", error.location]],
    );
    assert.equal(add(2, 3), 5);
    assert.equal(module.generation.number, mode === "unwind" ? 0 : 1);
  });
}

test("a class has its static getters and setters, in each generation", async () => {
  const { exports } = await supervise(fixture("gauges"));
  const { Gauge } = exports;
  const Mine = class extends Gauge {};
  assert.deepEqual([Gauge.upperLimit, Gauge.unit, Mine.usualGauge.level], [100, "bar", 50]);
  Mine.upperLimit = 20;
  assert.deepEqual([Gauge.upperLimit, new Mine(30).level], [20, 20]);
  assert.equal(thrown(() => Gauge.brokenLimit).record.call, "Gauge.brokenLimit");
  assert.deepEqual([Gauge.upperLimit, Gauge.usualGauge instanceof Gauge], [100, true]);
  assert.throws(() => void (Gauge.usualGauge = 1), TypeError);
});

test("an unwind build keeps its state and its objects after a panic", async () => {
  const { exports: bank } = await supervise(fixture("bank", "unwind"));
  const account = new bank.Account("ada", 100);
  bank.open("ada", 7n);
  assert.ok(thrown(() => account.withdraw(1000)) instanceof Crash);
  assert.deepEqual([account.balance, bank.total()], [100n, 7n]);
});

test("an abort build loses its state at a panic, and onReset can bring it back", async () => {
  let refill = () => {};
  const { exports: bank } = await supervise(fixture("bank"), { onReset: () => refill() });
  bank.open("ada", 7n);
  assert.ok(thrown(() => bank.transfer("ada", "bob", 100n)) instanceof Crash);
  assert.equal(bank.total(), 0n);
  refill = () => bank.open("ada", 7n);
  assert.ok(thrown(() => bank.transfer("ada", "bob", 100n)) instanceof Crash);
  assert.equal(bank.total(), 7n);
});

test("an object of the dead generation is refused, and a new one works", async () => {
  const { exports: bank } = await supervise(fixture("bank"));
  const account = new bank.Account("ada", 100);
  thrown(() => account.withdraw(1000));
  const error = thrown(() => account.balance);
  assert.ok(error instanceof StaleObjectError, error.stack);
  assert.equal(error.message, "This bank.Account was made by generation 0, which is gone: make a new one.");
  account.free(); // does nothing, also the second time
  account.free();
  const next = new bank.Account("bob", 5);
  assert.ok(next instanceof bank.Account);
  assert.deepEqual([next.balance, next.owner], [5n, "bob"]);
});

test("an object from an async function has its class, and is refused when its generation is gone", async () => {
  const glue = fixture("bank");
  glue.source += `
    /** @returns {Promise<Account>} */
    export async function later() { return new Account("ada", 100n); }`;
  const { exports: bank } = await supervise(glue);
  const account = await bank.later();
  assert.ok(account instanceof bank.Account);
  assert.equal(account.balance, 100n);
  assert.equal(thrown(() => account.withdraw(1000)).record.call, "Account.withdraw");
  assert.ok(thrown(() => account.balance) instanceof StaleObjectError);
});

test("a class survives: methods, properties, statics and instanceof", async () => {
  const { exports: bank } = await supervise(fixture("bank"));
  const { Account } = bank;
  for (let round = 0; round < 2; round++) {
    const account = Account.named("ada");
    assert.ok(account instanceof Account);
    account.deposit(10n);
    account.owner = "eve";
    assert.deepEqual([account.balance, account.owner], [10n, "eve"]);
    thrown(() => account.withdraw(11));
  }
});

for (const [what, run, fate] of [
  ["freed", (thing) => thing.free(), "freed"],
  ["consumed by its method", (thing) => thing.consume(), "moved into faults.Thing.consume, which consumed it"],
  [
    "moved into a function",
    (thing, faults) => faults.consume_thing(thing),
    "moved into faults.consume_thing, which consumed it",
  ],
]) {
  test(`an object that was ${what} says so, and nothing is reset`, async () => {
    const { module, exports: faults } = await supervise(fixture("faults"));
    const thing = new faults.Thing(3);
    run(thing, faults);
    const error = thrown(() => faults.sum(thing, thing));
    assert.ok(error instanceof StaleObjectError, error.stack);
    assert.equal(error.message, `This faults.Thing was ${fate}; it cannot be used in faults.sum.`);
    assert.deepEqual([module.generation.number, faults.drops()], [0, 1]);
  });
}

const DEATHS = [
  ["panic_formatted", [7], "panic", "formatted with 7"],
  ["divide", [1, 0], "panic", "attempt to divide by zero"],
  ["trap_unreachable", [], "trap", "unreachable"],
  ["trap_divide_by_zero", [1], "trap", "divide by zero"],
  ["wild_read", [2 ** 32 - 16], "trap", "memory access out of bounds"],
  ["indirect_call_mismatch", [], "trap", null],
  ["shadow_stack_overflow", [], "stack_overflow", "stack overflow"],
  ["engine_stack_overflow", [], "stack_overflow", "stack overflow"],
  ["out_of_memory", [], "out_of_memory", "out of memory"],
];

for (const [name, args, kind, message] of DEATHS) {
  test(`${name} is a crash of kind ${kind}, and the next call works`, async () => {
    const { module, exports: faults } = await supervise(fixture("faults"));
    faults.bump();
    const error = thrown(() => faults[name](...args));
    assert.ok(error instanceof Crash, error.stack);
    assert.equal(error.kind, kind);
    if (message) assert.ok(error.message.startsWith(`${message} (in faults.${name}`), error.message);
    assert.deepEqual([module.generation.number, faults.bump(), faults.string_len("héé")], [1, 1, 5]);
  });
}

test("a Rust Err is no crash and arrives unchanged", async () => {
  const { module, exports: faults } = await supervise(fixture("faults"));
  assert.equal(
    thrown(() => faults.err_string()),
    "an ordinary string",
  );
  assert.equal(
    thrown(() => faults.err_value()),
    42,
  );
  assert.equal(thrown(() => faults.err_js_error()).message, "an ordinary error");
  assert.equal((await rejection(faults.err_later(1))).message, "an ordinary error, later");
  assert.equal(module.generation.number, 0);
});

test("an exception that a callback throws is the cause of the crash, or comes back as the Err", async () => {
  const { exports: faults } = await supervise(fixture("faults"));
  const mine = new TypeError("mine");
  const fail = () => {
    throw mine;
  };
  assert.equal(
    thrown(() => faults.call_catch(fail)),
    mine,
  );
  const error = thrown(() => faults.call_through(fail));
  assert.deepEqual([error.kind, error.cause], ["foreign", mine]);
});

test("when one call crashes, every promise in flight is settled", async () => {
  const { module, exports: faults } = await supervise(fixture("faults"));
  const others = [faults.never(), faults.wait(300), faults.wait_text(300, "x")].map(rejection);
  const failed = rejection(faults.fail_later(1));
  const crash = await failed;
  assert.ok(crash instanceof Crash, crash.stack);
  assert.match(crash.message, /^in a future \(in faults\.fail_later, src\/tasks\.rs:\d+:\d+\)$/);
  for (const error of await Promise.all(others)) assert.ok(error instanceof CallInterrupted, error.stack);
  await sleep(5);
  assert.deepEqual([module.generation.number, module.inFlight, await faults.wait(1)], [1, 0, 1]);
});

test("a synchronous crash interrupts promises in flight too", async () => {
  const { exports: bank } = await supervise(fixture("bank"));
  const waiting = rejection(bank.slow(300));
  thrown(() => bank.transfer("ada", "bob", 1n));
  const error = await waiting;
  assert.ok(error instanceof CallInterrupted);
  assert.match(error.message, /^bank\.slow was interrupted: insufficient funds \(in bank\.transfer, /);
});

test("a timer that panics has no caller, and the next call works", async () => {
  const heard = [];
  const { module, exports: faults } = await supervise(fixture("faults"), {
    onPanic: ({ message }) => heard.push(message),
  });
  faults.timer(1, true);
  await sleep(20);
  assert.deepEqual([heard, module.generation.number, faults.timer_count()], [["in a timer"], 1, 0]);
});

test("a Rust closure works until its generation is gone", async () => {
  const { exports: faults } = await supervise(fixture("faults"));
  const add = faults.make_adder(10);
  assert.equal(add(5), 15);
  assert.ok(thrown(faults.make_panicking_closure()) instanceof Crash);
  const stale = thrown(() => add(5));
  assert.ok(stale instanceof StaleObjectError, stale.stack);
  assert.equal(stale.message, "This faults.closure was made by generation 0, which is gone: make a new one.");
  assert.equal(faults.make_adder(1)(2), 3);
});

test("a reset in a callback interrupts the call around it", async () => {
  const { supervisor, module, exports: faults } = await supervise(fixture("faults"));
  const error = thrown(() => faults.call(() => supervisor.reset()));
  assert.ok(error instanceof CallInterrupted, error.stack);
  assert.deepEqual([module.generation.number, faults.add(1, 2)], [1, 3]);
});

test("after a crash in a callback, the callback's calls into the module are interrupted", async () => {
  const { module, exports: faults } = await supervise(fixture("faults"));
  const inner = [];
  const error = thrown(() =>
    faults.call_catch(() => {
      inner.push(
        thrown(() => faults.panic_message()),
        thrown(() => faults.bump()),
      );
    }),
  );
  assert.deepEqual(
    [inner[0] instanceof Crash, inner[1] instanceof CallInterrupted, error instanceof CallInterrupted],
    [true, true, true],
  );
  assert.deepEqual([module.generation.number, faults.bump()], [1, 1]);
});

test("reset() drops the state and interrupts calls in flight, and leaves nothing to do", async () => {
  const { supervisor, module, exports: bank } = await supervise(fixture("bank"));
  bank.open("ada", 7n);
  const waiting = rejection(bank.slow(300));
  supervisor.reset();
  assert.ok((await waiting) instanceof CallInterrupted);
  assert.deepEqual([module.generation.number, bank.total(), await bank.slow(1)], [1, 0n, 1]);
});

test("a promise that settles when its generation is gone counts for nothing", async () => {
  const { supervisor, module, exports: faults } = await supervise(fixture("faults"));
  let resolve = () => {};
  const waiting = rejection(faults.call(() => new Promise((settle) => (resolve = settle))));
  supervisor.reset();
  const { returned } = module;
  resolve();
  assert.ok((await waiting) instanceof CallInterrupted);
  await sleep(1);
  assert.deepEqual([module.returned, module.inFlight], [returned, 0]);
});

test("after unload every call is ModuleTerminated, and promises are settled", async () => {
  const { supervisor, exports: bank } = await supervise(fixture("bank"));
  const account = new bank.Account("ada", 1);
  const waiting = rejection(bank.slow(300));
  supervisor.terminate("unloaded");
  const error = thrown(() => bank.add(1, 2));
  assert.ok(error instanceof ModuleTerminated, error.stack);
  assert.equal(error.message, "bank.add: the module has ended (unloaded).");
  assert.ok(thrown(() => account.balance) instanceof StaleObjectError);
  const settled = await Promise.race([waiting, sleep(100).then(() => "still pending")]);
  assert.ok(settled instanceof CallInterrupted, String(settled));
});

test("an unloaded module stays unloaded after a reset, and after the callback that unloaded it", async () => {
  for (const end of [
    ({ supervisor }) => {
      supervisor.terminate("unloaded");
      assert.ok(thrown(() => supervisor.reset()) instanceof ModuleTerminated);
    },
    ({ supervisor, exports: faults }) => {
      const outer = thrown(() => faults.call(() => supervisor.terminate("unloaded")));
      assert.ok(outer instanceof CallInterrupted, outer.stack);
    },
  ]) {
    const loaded = await supervise(fixture("faults"));
    end(loaded);
    assert.ok(thrown(() => loaded.exports.add(1, 2)) instanceof ModuleTerminated);
    assert.equal(loaded.module.generation.number, 0);
  }
});

test("crashes that have a caller never end a module", async () => {
  const { module, exports: faults } = await supervise(fixture("faults"));
  for (let count = 0; count < 150; count++) assert.ok(thrown(() => faults.trap_unreachable()) instanceof Crash);
  for (let count = 0; count < 25; count++) assert.ok((await rejection(faults.fail_now())) instanceof Crash);
  assert.deepEqual([module.closed, faults.add(1, 2)], [false, 3]);
});

test("more than 20 crashes without a caller in ten seconds end a module, even if calls return meanwhile", async () => {
  let resets = 0;
  const hooks = {
    onReset() {
      resets++;
      loaded.exports.add(1, 2);
      loaded.exports.timer(0, true);
    },
  };
  const loaded = await supervise(fixture("faults"), hooks);
  loaded.supervisor.reset();
  while (!loaded.module.closed) await sleep(5);
  const error = thrown(() => loaded.exports.add(1, 2));
  assert.ok(error instanceof ModuleTerminated, error.stack);
  assert.match(
    error.message,
    new RegExp(
      String.raw`^faults\.add: the module has ended \(21 crashes that nobody called for within 10 seconds: ` +
        String.raw`in a timer \(src/callbacks\.rs:\d+:\d+\)\)\.$`,
    ),
  );
  assert.equal(resets, 21);
});

for (const [how, again] of [
  ["throws", ({ exports: faults }) => faults.trap_unreachable()],
  ["is caught", ({ exports: faults }) => thrown(() => faults.trap_unreachable())],
  [
    "is caught, and the hook goes on",
    ({ exports: faults }) => [thrown(() => faults.trap_unreachable()), faults.bump()],
  ],
  ["is a reset", ({ supervisor }) => supervisor.reset()],
]) {
  test(`a generation that died in onReset is followed by one that is filled: the crash ${how}`, async (context) => {
    const uncaught = reported(context);
    for (const times of [1, 1000]) {
      let runs = 0;
      const onReset = () => {
        loaded.exports.bump();
        if (++runs <= times) again(loaded);
        loaded.exports.bump();
      };
      const loaded = await supervise(fixture("faults"), { onReset });
      assert.ok(thrown(() => loaded.exports.panic_message()) instanceof Crash);
      if (times === 1) assert.deepEqual([runs, loaded.exports.bump()], [2, 3]);
      else assert.deepEqual([runs, loaded.module.closed], [21, true]);
      await sleep(1);
    }
    // The hook's exception is reported and stops nothing. Here it is the crash, or says that the module has ended.
    assert.ok(uncaught.every((error) => error instanceof Crash || error instanceof ModuleTerminated));
  });
}

test("a start function that panics at load is a StartError, and at every reset it ends the module", async (context) => {
  context.after(() => delete globalThis.__unpanicFailStart);
  const { exports: startup } = await supervise(fixture("startup"));
  globalThis.__unpanicFailStart = true;
  const error = await rejection(supervise(fixture("startup")));
  assert.ok(error instanceof StartError, error.stack);
  assert.match(
    error.message,
    /^The start function of startup crashed: in the start function \(src\/lib\.rs:\d+:\d+\)\.$/,
  );
  assert.ok(thrown(() => startup.boom("x")) instanceof Crash);
  const ended = thrown(() => startup.add(1, 2));
  assert.ok(ended instanceof ModuleTerminated);
  assert.match(
    ended.message,
    /21 crashes that nobody called for within 10 seconds: The start function of startup crashed/,
  );
});

test("a hook that throws stops no recovery", async (context) => {
  const uncaught = reported(context);
  const fail = (/** @type {string} */ what) => {
    throw new Error(what);
  };
  const { exports: faults } = await supervise(fixture("faults"), {
    onPanic: () => fail("hook"),
    onReset: () => fail("reset"),
  });
  const waiting = rejection(faults.never());
  assert.ok(thrown(() => faults.panic_message()) instanceof Crash);
  assert.ok((await waiting) instanceof CallInterrupted);
  faults.timer(0, true);
  await sleep(20);
  assert.deepEqual([faults.add(1, 2), uncaught.map(({ message }) => message)], [3, ["hook", "reset", "hook", "reset"]]);
});

test("two modules of one file do not share a generation", async () => {
  const [one, two] = await Promise.all([supervise(fixture("faults")), supervise(fixture("faults"))]);
  one.exports.bump();
  thrown(() => one.exports.trap_unreachable());
  assert.deepEqual([one.module.generation.number, two.module.generation.number, two.exports.bump()], [1, 0, 1]);
});

test("the package exports its functions, and the errors by their names", () => {
  const errors = Object.entries(unpanic).filter(([name]) => !/^(load|makeFactory|npm)$/.test(name));
  assert.deepEqual(Object.keys(unpanic).sort(), [
    "CallInterrupted",
    "CompileError",
    "Crash",
    "FetchError",
    "GlueError",
    "LoadError",
    "ModuleTerminated",
    "StaleObjectError",
    "StartError",
    "UnpanicError",
    "load",
    "makeFactory",
    "npm",
  ]);
  for (const [name, error] of errors)
    assert.ok(error === unpanic.UnpanicError || error.prototype instanceof unpanic.UnpanicError, name);
});
