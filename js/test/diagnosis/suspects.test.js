/** The suspects of a crash under the event loop: one call, several calls, or none. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { findSuspects } from "../../src/diagnosis/suspects.js";
import { CallInterrupted, Crash } from "../../src/shared/errors.js";
import { describeDeath } from "../../src/shared/messages.js";
import { fixture, supervise } from "../support.js";

const call = (id, path, isAsync = true) => ({ id, name: path, path, isAsync, objects: [], promise: Promise.resolve() });
const SLOW = call(1, "slow");
const CALLS = [
  SLOW,
  call(2, "run"),
  call(3, "Account.pay_later"),
  call(4, "$odd"),
  call(5, "transferLater"),
  call(6, "slow"),
  call(7, "promised", false),
];
const QUEUE = [
  "<js_sys::futures::queue::Queue>::new::{closure#0}",
  "wasm_bindgen::convert::closures::_::invoke::<wasm_bindgen::JsValue, true>",
];
const polled = (body) => `js_sys::futures::future_to_promise::<${body}>::{closure#0}::{closure#0}`;
const generated = (name) => polled(`bank::tasks::_::__wasm_bindgen_generated_${name}::{closure#0}`);
// Names in the older mangling have no types.
const OLD_POLL = "wasm_bindgen_futures::future_to_promise::{{closure}}::{{closure}}";
const OLD_QUEUE = [
  "wasm_bindgen_futures::task::singlethread::Task::run",
  "wasm_bindgen_futures::queue::Queue::new::{{closure}}",
];

const ENGINES = {
  V8: (name, index) => `    at bank.wasm.${name} (wasm://wasm/a:wasm-function[${index}]:0x${index}f)`,
  Gecko: (name, index) => `${name}@http://host/bank_bg.wasm:wasm-function[${index}]:0x${index}f`,
  JavaScriptCore: (name, index) => `${name}@bank.wasm:wasm-function[${index}]`,
  "older JavaScriptCore": (name) => `<?>.wasm-function[${name}]@[wasm code]`,
};
const BELOW = {
  V8: "    at real (http://host/bank.js:9:1)",
  Gecko: "real@http://host/bank.js:9:1",
  JavaScriptCore: "real@http://host/bank.js:9:1",
  "older JavaScriptCore": "real@http://host/bank.js:9:1",
};

// A description, the frames from the innermost, the suspects, and whether one of them is certainly to blame.
const STACKS = [
  ["an export is polled", ["core::panicking::panic_fmt", generated("run"), ...QUEUE], [2], true],
  [
    "a method is polled",
    [
      polled("<bank::Account>::pay_later::{closure#0}::_::__wasm_bindgen_generated_Account_pay_later::{closure#0}"),
      ...QUEUE,
    ],
    [3],
    true,
  ],
  [
    "an export with a name of JavaScript's is polled",
    ["bank::transfer_later::{closure#0}", generated("transferLater"), ...QUEUE],
    [5],
    true,
  ],
  ["an export with a dollar is polled", [generated("$odd"), ...QUEUE], [4], true],
  ["an export is polled of which two calls are in flight", [generated("slow"), ...QUEUE], [1, 6], true],
  [
    "an export waits for another one, which is in flight too",
    ["bank::slow::{closure#0}", generated("run"), ...QUEUE],
    [2],
    true,
  ],
  ["an export is polled that is not in flight", [generated("other"), ...QUEUE], [], true],
  ["a promise that an export made is polled", [polled("bank::promised::{closure#0}"), ...QUEUE], [7], true],
  ["a promise that a helper made is polled", [polled("bank::helper::{closure#0}"), ...QUEUE], [7], false],
  ["a task is polled", ["bank::spawn::{closure#0}", ...QUEUE], [], true],
  ["a task is an export's function", ["bank::slow::{closure#0}", ...QUEUE], [], true],
  ["a timer ticks", ["bank::tick::{closure#0}", "wasm_bindgen::convert::closures::_::invoke::<(), true>"], [], true],
  ["a timer calls an export's function", ["bank::slow", "bank::tick::{closure#0}"], [], true],
  ["older names: an export is polled", ["bank::slow::{{closure}}", OLD_POLL, ...OLD_QUEUE], [1, 6], true],
  [
    "older names: an export's wrapper is polled",
    ["bank::x", "bank::_::__wasm_bindgen_generated_run::{{closure}}", OLD_POLL, ...OLD_QUEUE],
    [2],
    true,
  ],
  ["older names: a method is polled", ["bank::Account::pay_later::{{closure}}", OLD_POLL, ...OLD_QUEUE], [3], true],
  [
    "older names: an export with a name of JavaScript's is polled",
    ["bank::transfer_later::{{closure}}", OLD_POLL, ...OLD_QUEUE],
    [5],
    true,
  ],
  [
    "older names: a method has the name of a function",
    ["bank::Machine::run::{{closure}}", OLD_POLL, ...OLD_QUEUE],
    [1, 2, 3, 4, 5, 6, 7],
    false,
  ],
  ["older names: everything was inlined", [OLD_POLL, ...OLD_QUEUE], [1, 2, 3, 4, 5, 6, 7], false],
  ["older names: a task is polled", ["bank::spawn::{{closure}}", ...OLD_QUEUE], [], true],
];

for (const [engine, line] of Object.entries(ENGINES)) {
  for (const [what, names, ids, isCertain] of STACKS) {
    test(`${engine}: ${what}`, () => {
      const stack = [...names.map(line), BELOW[engine]].join("\n");
      const found = findSuspects(CALLS, { kind: "panic", message: "", stack });
      assert.deepEqual([found.suspects.map(({ id }) => id), found.isCertain], [ids, isCertain]);
    });
  }
}

const UNKNOWN = [
  ["no function has a name", "    at wasm://wasm/a:wasm-function[3]:0x1f\n    at real (http://host/bank.js:9:1)"],
  ["one function has no name", `${ENGINES.V8("bank::x", 1)}\n    at wasm://wasm/a:wasm-function[3]:0x1f\n${BELOW.V8}`],
  ["the stack was too long to see its end", Array(128).fill(ENGINES.V8("bank::descend", 3)).join("\n")],
  ["there is no stack", ""],
];
for (const [what, stack] of UNKNOWN) {
  test(`where ${what}, each call may be to blame`, () => {
    const diagnosis = { kind: "panic", message: "boom", stack };
    assert.deepEqual(findSuspects([SLOW], diagnosis), { suspects: [SLOW], isCertain: false });
    assert.deepEqual(findSuspects([], diagnosis), { suspects: [], isCertain: true });
  });
}

const WORDS = [
  [[], true, "boom"],
  [[SLOW, SLOW, SLOW], true, "boom (in one of 3 calls of bank.slow)"],
  [[SLOW, CALLS[1]], true, "boom (in one of 2 calls: bank.slow, bank.run)"],
  [[SLOW], false, "boom (perhaps in bank.slow)"],
  [[SLOW, SLOW], false, "boom (perhaps in one of 2 calls of bank.slow)"],
  [[call(8, "")], false, "boom (perhaps in bank)"],
];
for (const [suspects, isCertain, expected] of WORDS) {
  test(`the message says "${expected}"`, () => {
    const death = {
      diagnosis: { kind: "panic", message: "boom", stack: "" },
      generation: 0,
      activation: 0,
      call: "",
      suspects,
      isCertain,
      interrupted: [],
    };
    assert.equal(describeDeath(death, "bank"), expected);
  });
}

/** How calls in flight end when a trigger crashes: C for the crash, I for an interruption. */
async function outcomes(mode, inFlight, trigger) {
  const { exports } = await supervise(fixture("blame", mode));
  const tally = new exports.Tally(1);
  const calls = inFlight.map((start) => start(exports, tally));
  trigger(exports);
  const settled = await Promise.allSettled(calls);
  return settled.map(({ reason }) => {
    if (reason instanceof Crash) return `crash of ${reason.record.call || "?"}`;
    return reason instanceof CallInterrupted ? "interrupted" : String(reason);
  });
}

const nothing = () => {};
const slow = (module) => module.slow(300);
const SCENES = [
  [
    "the one that panics, not the one before it",
    [slow, (module) => module.slow_panic(20)],
    nothing,
    ["interrupted", "crash of slow_panic"],
  ],
  ["the one that traps", [slow, (module) => module.slow_trap(20)], nothing, ["interrupted", "crash of slow_trap"]],
  [
    "the one that waits for the function that panics",
    [(module) => module.slow_panic(300), (module) => module.outer(20)],
    nothing,
    ["interrupted", "crash of outer"],
  ],
  [
    "a method, not the function of that name",
    [(module) => module.run(300), (_, tally) => tally.run(20)],
    nothing,
    ["interrupted", "crash of Tally.run"],
  ],
  [
    "nobody named `run`, when another task runs",
    [(module) => module.run(300), (module) => module.slow_panic(20)],
    nothing,
    ["interrupted", "crash of slow_panic"],
  ],
  [
    "one with a name of JavaScript's",
    [slow, (module) => module.transferLater(20)],
    nothing,
    ["interrupted", "crash of transferLater"],
  ],
  [
    "one with another name in Rust",
    [slow, (module) => module.renamed(20)],
    nothing,
    ["interrupted", "crash of renamed"],
  ],
  [
    "a function that gave a promise",
    [slow, (module) => module.promised(20)],
    nothing,
    ["interrupted", "crash of promised"],
  ],
  [
    "each of two calls of one function",
    [(module) => module.slow_panic(300), slow, (module) => module.slow_panic(20)],
    nothing,
    ["crash of ?", "interrupted", "crash of ?"],
  ],
  [
    "none for a timer's panic",
    [slow, (module) => module.slow_panic(300)],
    (module) => module.tick_later(20),
    ["interrupted", "interrupted"],
  ],
  ["none for a timer's trap", [slow], (module) => module.trap_later(20), ["interrupted"]],
  [
    "none for a task's panic",
    [slow, (module) => module.spawn_panic(300) ?? module.run(300)],
    (module) => module.spawn_panic(20),
    ["interrupted", "interrupted"],
  ],
  [
    "none for a task that runs an export's function",
    [(module) => module.slow_panic(300)],
    (module) => module.spawn_slow_panic(20),
    ["interrupted"],
  ],
];
for (const mode of ["abort", "reset"]) {
  for (const [what, inFlight, trigger, expected] of SCENES) {
    test(`${mode}: ${what}`, async () => assert.deepEqual(await outcomes(mode, inFlight, trigger), expected));
  }
}

test("without names each call that may be to blame gets the crash, which names no call", async () => {
  assert.deepEqual(await outcomes("nameless", [slow, (module) => module.slow_panic(20)], nothing), [
    "crash of ?",
    "crash of ?",
  ]);
});
