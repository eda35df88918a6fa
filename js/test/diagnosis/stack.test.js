/** The stack texts of the three engines become data. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { abovePython, afterQuotedFrame, compilesStreams, hasWasmFrames } from "../../src/diagnosis/engines.js";
import { anyFrame, demangle, hasCaller, isWhole, namesOf, recurses, rustFrames } from "../../src/diagnosis/stack.js";
import { exportsBySymbol } from "../../src/diagnosis/symbols.js";
import { Crash } from "../../src/shared/errors.js";
import { fixture, supervise, thrown } from "../support.js";

const SYMBOLS = [
  ["bank.wasm.add", "add"],
  ["my-bank_bg.wasm.bank::add", "bank::add"],
  ["faults.wasm.faults[b3f0c2c4dd41d953]::deaths::middle", "faults::deaths::middle"],
  ["core::panicking::panic_fmt::h0123456789abcdef", "core::panicking::panic_fmt"],
  ["_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"],
  ["_ZN4bank7Account8withdrawE", "bank::Account::withdraw"],
  [
    "_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE",
    "<alloc::string::String as core::fmt::Display>::fmt",
  ],
  ["_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "std::rt::lang_start::{{closure}}"],
  ["malloc", "malloc"],
  ["", ""],
];

for (const [symbol, expected] of SYMBOLS) {
  test(`the symbol "${symbol}" is ${expected || "nothing"}`, () => assert.equal(demangle(symbol), expected));
}

const frame = (name) => ({ function: name });

// The stack of one panic in each engine.
const V8 = `RuntimeError: unreachable
    at bank.wasm.__rust_start_panic (wasm://wasm/bank-0007ae76:wasm-function[90]:0x7e85)
    at bank.wasm.std[41f8972060b3e7b9]::panicking::panic_with_hook (wasm://wasm/bank-0007ae76:wasm-function[88]:0x7e85)
    at bank.wasm.__rustc[b1da763420d39311]::rust_begin_unwind (wasm://wasm/bank-0007ae76:wasm-function[303]:0xd58a)
    at bank.wasm.core[d1c63229f60ee951]::panicking::panic_fmt (wasm://wasm/bank-0007ae76:wasm-function[244]:0xc8ca)
    at bank.wasm.bank[b3f0c2c4dd41d953]::change (wasm://wasm/bank-0007ae76:wasm-function[201]:0xbc35)
    at bank.wasm.transfer (wasm://wasm/bank-0007ae76:wasm-function[226]:0xc3e6)
    at transfer (http://host/bank.js:41:9)
    at http://host/index.html:10:5`;
const GECKO = `__rust_start_panic@http://host/bank.js line 3 > WebAssembly.Module:wasm-function[90]:0x7e85
std::panicking::panic_with_hook::h0123456789abcdef@http://host/bank_bg.wasm:wasm-function[88]:0x7e85
rust_begin_unwind@http://host/bank_bg.wasm:wasm-function[303]:0xd58a
core::panicking::panic_fmt::h0123456789abcdef@http://host/bank_bg.wasm:wasm-function[244]:0xc8ca
bank::change::h0123456789abcdef@http://host/bank_bg.wasm:wasm-function[201]:0xbc35
transfer@http://host/bank_bg.wasm:wasm-function[226]:0xc3e6
transfer@http://host/bank.js:41:9
@http://host/index.html:10:5`;
// Recorded in WebKitGTK 2.50.
const JSC = `__rustc[b1da763420d39311]::rust_panic@bank.wasm:wasm-function[548]
std[41f8972060b3e7b9]::panicking::panic_with_hook@bank.wasm:wasm-function[88]
__rustc[b1da763420d39311]::rust_begin_unwind@bank.wasm:wasm-function[303]
core[d1c63229f60ee951]::panicking::panic_fmt@bank.wasm:wasm-function[244]
bank[b3f0c2c4dd41d953]::change@bank.wasm:wasm-function[226]
transfer@bank.wasm:wasm-function[531]
transfer@http://host/bank.js:711:32
@`;
const OLD_JSC = `<?>.wasm-function[__rust_start_panic]@[wasm code]
<?>.wasm-function[std::panicking::panic_with_hook::h0123456789abcdef]@[wasm code]
<?>.wasm-function[rust_begin_unwind]@[wasm code]
<?>.wasm-function[core::panicking::panic_fmt::h0123456789abcdef]@[wasm code]
bank.wasm-function[bank::change::h0123456789abcdef]@[wasm code]
<?>.wasm-function[transfer]@[wasm code]
transfer@http://host/bank.js:41:9
global code@http://host/index.html:10:5`;

for (const [engine, stack] of Object.entries({ V8, GECKO, JSC, OLD_JSC })) {
  test(`${engine}: the frames are Rust's, innermost first, without the panic machinery`, () => {
    assert.deepEqual(rustFrames(stack), [frame("bank::change"), frame("transfer")]);
  });

  test(`${engine}: a frame is recognised by its name, and a JavaScript function is no frame of Rust`, () => {
    assert.equal(anyFrame(stack, /^core::panicking::/), true);
    assert.equal(anyFrame(stack, /index\.html|^handle_alloc_error/), false);
  });
}

const FRAMES = [
  [
    "functions without names go by their index",
    "    at wasm://wasm/af12:wasm-function[12]:0x3f\n    at wasm://wasm/af12:wasm-function[7]:0x11",
    ["wasm-function[12]", "wasm-function[7]"],
  ],
  ["Gecko's functions without names too", "@http://host/a.wasm:wasm-function[12]:0x3f", ["wasm-function[12]"]],
  [
    "JavaScriptCore's functions without names too",
    "366@<?>:wasm-function[366]\ntrap_divide_by_zero@http://host/faults.js:842:41",
    ["wasm-function[366]"],
  ],
  [
    "a stack of machinery alone shows nothing",
    "    at a.wasm.core::panicking::panic (wasm://wasm/a:wasm-function[1]:0x1)",
    [],
  ],
  [
    "machinery below the user's code stays",
    "    at a.wasm.user (wasm://wasm/a:wasm-function[1]:0x1)\n" +
      "    at a.wasm.core::option::unwrap (wasm://wasm/a:wasm-function[2]:0x1)",
    ["user", "core::option::unwrap"],
  ],
  [
    "a crate whose name starts like the standard library's is the user's",
    "    at a.wasm.core::panicking::panic (wasm://wasm/a:wasm-function[1]:0x1)\n" +
      "    at a.wasm.stdx::run (wasm://wasm/a:wasm-function[2]:0x1)",
    ["stdx::run"],
  ],
  [
    "the hook's own way out is machinery",
    "    at a.wasm.console_error_panic_hook::hook (wasm://wasm/a:wasm-function[1]:0x1)\n" +
      "    at a.wasm.std::panicking::panic_with_hook (wasm://wasm/a:wasm-function[2]:0x1)\n" +
      "    at a.wasm.user::f (wasm://wasm/a:wasm-function[3]:0x1)",
    ["user::f"],
  ],
  [
    "what the rewriter adds is machinery",
    "    at a.wasm.user::f (wasm://wasm/a:wasm-function[1]:0x1)\n" +
      "    at a.wasm.unpanic.poll (wasm://wasm/a:wasm-function[2]:0x1)\n" +
      "    at a.wasm.user::g (wasm://wasm/a:wasm-function[3]:0x1)",
    ["user::f", "user::g"],
  ],
  ["no Wasm, no frames", "Error: x\n    at f (http://host/a.js:1:1)", []],
  ["no stack, no frames", "", []],
];

for (const [what, stack, expected] of FRAMES) {
  test(`${what}`, () => assert.deepEqual(rustFrames(stack), expected.map(frame)));
}

const v8 = (names) =>
  names.map((name, index) => `    at a.wasm.${name} (wasm://wasm/a:wasm-function[${index}]:0x1)`).join("\n");
const PANICKING = [
  "std::panicking::panic_with_hook",
  "std::panicking::panic_handler::{closure#0}",
  "std::sys::backtrace::__rust_end_short_backtrace::<std::panicking::panic_handler::{closure#0}, !>",
  "__rustc::rust_begin_unwind",
  "core::panicking::panic_fmt",
];
const QUEUE = [
  "<js_sys::futures::queue::Queue>::new::{closure#0}",
  "wasm_bindgen::convert::closures::_::invoke::<wasm_bindgen::JsValue, core::result::Result<(), " +
    "wasm_bindgen::JsError>, true>",
  "wasm_bindgen::convert::closures::_::invoke::<wasm_bindgen::JsValue, core::result::Result<(), " +
    "wasm_bindgen::JsError>, true> externref shim multivalue shim",
];
const member = (name, shown) => ({ name, shown, params: [], result: { name: "void" }, isAsync: false, doc: "" });
const EXPORTS = exportsBySymbol("ledger", {
  functions: [member("transfer"), member("payLater", "pay_later"), member("run")],
  classes: [
    {
      name: "Tally",
      hidden: false,
      construct: member("constructor"),
      methods: [member("count"), member("countTwice", "count_twice")],
      statics: [member("ofNothing", "of_nothing")],
      getters: [member("total")],
      setters: [member("total")],
      staticGetters: [member("limit")],
      staticSetters: [member("limit")],
    },
  ],
  constants: [],
  enums: {},
  docs: {},
});
const polled = (body) => `js_sys::futures::future_to_promise::<${body}>::{closure#0}::{closure#0}`;
const USERS = [
  [
    "a hook of the user's, which is a closure",
    [
      "<ledger::Error>::new::__wbg_new_12 externref shim",
      "ledger::set_panic_hook::{closure#1}",
      ...PANICKING,
      "ledger::transfer",
      "transfer",
    ],
    ["ledger::transfer"],
  ],
  [
    "a hook of the user's, which is a function",
    [
      "ledger::hooks::report",
      "<ledger::hooks::report as core::ops::function::Fn<(&std::panic::PanicHookInfo,)>>::call",
      ...PANICKING,
      "ledger::change",
    ],
    ["ledger::change"],
  ],
  [
    "a hook around another",
    [
      "unpanic::report",
      "<unpanic::report as core::ops::function::Fn<(&std::panic::PanicHookInfo,)>>::call",
      "ledger::hooks::wrap::{closure#0}",
      ...PANICKING,
      "ledger::change",
    ],
    ["ledger::change"],
  ],
  [
    "the hook that most modules have",
    [
      "console_error_panic_hook::hook",
      "<console_error_panic_hook::hook as core::ops::function::Fn<(&std::panic::PanicHookInfo,)>>::call",
      ...PANICKING,
      "ledger::change",
      "ledger::transfer",
      "transfer",
    ],
    ["ledger::change", "ledger::transfer"],
  ],
  [
    "no hook",
    ["__rustc::rust_panic", ...PANICKING, "core::option::unwrap_failed", "ledger::change"],
    ["ledger::change"],
  ],
  [
    "a function of the standard library that panics",
    [...PANICKING, "alloc::vec::Vec<T,A>::remove::assert_failed", "<alloc::vec::Vec<u32>>::remove", "ledger::change"],
    ["ledger::change"],
  ],
  [
    "a panic in a function that was given to the standard library",
    [...PANICKING, "ledger::sum::{closure#0}", "<core::slice::Iter<u32> as Iterator>::for_each", "ledger::sum"],
    ["ledger::sum::{closure#0}", "<core::slice::Iter<u32> as Iterator>::for_each", "ledger::sum"],
  ],
  [
    "a panic below a place that would catch it",
    [
      ...PANICKING,
      "ledger::change",
      "std::panicking::catch_unwind::do_call::<ledger::a, ()>",
      "std::panicking::try",
      "ledger::transfer",
    ],
    ["ledger::change", "ledger::transfer"],
  ],
  [
    "a trap below a place that would catch a panic",
    ["ledger::change", "std::panicking::catch_unwind::<ledger::a, ()>", "ledger::transfer"],
    ["ledger::change", "ledger::transfer"],
  ],
  [
    "a failed allocation",
    [
      "std::process::abort",
      "std::alloc::rust_oom",
      "__rustc::__rust_alloc_error_handler",
      "alloc::alloc::handle_alloc_error",
      "alloc::raw_vec::handle_error",
      "<alloc::raw_vec::RawVec<u8>>::grow_one",
      "ledger::fill",
    ],
    ["ledger::fill"],
  ],
  ["a method, by one name", [...PANICKING, "<ledger::Tally>::count", "tally_count"], ["<ledger::Tally>::count"]],
  [
    "a method that JavaScript spells in its way, by one name",
    [...PANICKING, "ledger::Tally::count_twice", "tally_countTwice"],
    ["ledger::Tally::count_twice"],
  ],
  ["a method that was inlined", [...PANICKING, "tally_countTwice"], ["ledger.Tally.count_twice"]],
  [
    "a method of the same name as that which called it",
    [...PANICKING, "<ledger::Other>::count", "tally_count"],
    ["<ledger::Other>::count", "ledger.Tally.count"],
  ],
  [
    "a static method, a getter, a setter and a constructor that were inlined",
    [...PANICKING, "tally_ofNothing", "tally_total", "tally_set_total", "tally_new"],
    ["ledger.Tally.of_nothing", "ledger.Tally.total", "ledger.Tally"],
  ],
  ["a constructor", [...PANICKING, "<ledger::Tally>::new", "tally_new"], ["<ledger::Tally>::new"]],
  ["a function that was inlined", [...PANICKING, "ledger::change", "transfer"], ["ledger::change", "ledger.transfer"]],
  [
    "an async function",
    [
      ...PANICKING,
      "ledger::pay_later::{closure#0}",
      polled("ledger::_::__wasm_bindgen_generated_payLater::{closure#0}"),
      ...QUEUE,
    ],
    ["ledger::pay_later"],
  ],
  [
    "an async function that was inlined",
    [...PANICKING, polled("ledger::_::__wasm_bindgen_generated_payLater::{closure#0}"), ...QUEUE],
    ["ledger.pay_later"],
  ],
  [
    "an async method that was inlined",
    [
      ...PANICKING,
      polled("<ledger::Tally>::count::{closure#0}::_::__wasm_bindgen_generated_Tally_count::{closure#0}"),
      ...QUEUE,
    ],
    ["ledger.Tally.count"],
  ],
  [
    "an async function whose wrapper was not inlined",
    [
      ...PANICKING,
      "ledger::run::{{closure}}",
      "ledger::_::__wasm_bindgen_generated_run::{{closure}}",
      "wasm_bindgen_futures::future_to_promise::{{closure}}::{{closure}}",
    ],
    ["ledger::run"],
  ],
  [
    "a promise that Rust made by itself",
    [...PANICKING, polled("ledger::promised::{closure#0}"), ...QUEUE],
    ["ledger::promised::{closure#0}"],
  ],
  [
    "a timer's closure that was inlined",
    [
      ...PANICKING,
      "<<ledger::tick::{closure#0} as wasm_bindgen::closure::WasmClosureFnOnce<dyn core::ops::function::FnMut<(), " +
        "Output = ()>, (), ()>>::into_js_function::{closure#0} as wasm_bindgen::closure::WasmClosure>::invoke",
      "wasm_bindgen::convert::closures::_::invoke::<(), true>",
    ],
    ["ledger::tick::{closure#0}"],
  ],
  [
    "a function that a closure calls at once",
    [
      "ledger::tick",
      "<<ledger::tick as wasm_bindgen::closure::WasmClosureFnOnce<()>>::into_js_function::{closure#0} as X>::f",
    ],
    ["ledger::tick"],
  ],
  [
    "a recursion",
    ["ledger::down", "ledger::down", "ledger::down", "transfer"],
    ["ledger::down", "ledger::down", "ledger::down", "ledger.transfer"],
  ],
];
for (const [what, names, expected] of USERS) {
  test(`frames of ${what}`, () => assert.deepEqual(rustFrames(v8(names), EXPORTS), expected.map(frame)));
}

test("a panic whose place is in the standard library begins there", () => {
  const stack = v8([...PANICKING, "alloc::raw_vec::capacity_overflow", "ledger::fill"]);
  assert.deepEqual(rustFrames(stack, EXPORTS, true), [
    frame("alloc::raw_vec::capacity_overflow"),
    frame("ledger::fill"),
  ]);
  assert.deepEqual(rustFrames(stack, EXPORTS), [frame("ledger::fill")]);
});

test("a stack is whole if JavaScript is below it", () => {
  for (const stack of [V8, GECKO, JSC, OLD_JSC]) {
    assert.equal(isWhole(stack), true);
    assert.equal(isWhole(stack.split("\n").slice(0, 6).join("\n")), false);
  }
  assert.equal(isWhole(""), false);
});

test("functions without names get no name", () => {
  assert.deepEqual(
    namesOf("    at wasm://wasm/af12:wasm-function[12]:0x3f\n    at a.wasm.f (wasm://wasm/a:wasm-function[7]:0x11)"),
    ["", "f"],
  );
});

const PLACES = {
  unwraps: "unwraps",
  expects: "expects",
  indexes: "indexes",
  removes: "removes",
  slices: "slices",
  borrows: "borrows",
  looks_up: "looks_up",
  asserts: "asserts",
  divides: "divides",
  allocates: "allocates",
  deep: "at_the_bottom",
};
for (const mode of ["abort", "unwind"]) {
  for (const [name, expected] of Object.entries(PLACES)) {
    test(`${mode}: the first frame of ${name} is the function that failed`, async () => {
      const { exports } = await supervise(fixture("blame", mode));
      const error = thrown(() => exports[name](2));
      assert.ok(error instanceof Crash);
      assert.deepEqual(rustFrames(error.record.stack)[0], frame(`blame::places::${expected}`));
    });
  }

  for (const hook of ["wrap_hook", "set_own_hook", "set_function_hook", "set_console_hook"]) {
    test(`${mode}: the frames are the same with ${hook}`, async () => {
      const { exports } = await supervise(fixture("blame", mode));
      exports[hook]();
      const { record } = thrown(() => exports.deep(1));
      const frames = rustFrames(record.stack, new Map([["deep", { path: "deep", shown: "" }]])).map(
        (shown) => shown.function,
      );
      assert.deepEqual(
        frames,
        ["at_the_bottom", "descend", "descend", "deep"].map((name) => `blame::places::${name}`),
      );
      assert.equal(record.message, "at the bottom");
    });
  }
}

const at = (index, offset) => `    at a.wasm.f (wasm://wasm/a:wasm-function[${index}]:0x${offset})`;
const RECURSIONS = [
  ["a function that calls itself", [at(1, "a"), at(1, "b"), at(1, "b"), at(1, "b")], true],
  [
    "two that call each other",
    [
      at(1, "a"),
      ...Array(3)
        .fill([at(2, "b"), at(1, "c")])
        .flat(),
    ],
    true,
  ],
  ["a function that is called from three places", [at(1, "a"), at(1, "b"), at(1, "c"), at(1, "d")], false],
  ["a function that calls itself twice", [at(1, "a"), at(1, "b"), at(1, "b"), at(3, "b")], false],
  ["three different functions", [at(1, "a"), at(2, "b"), at(3, "b")], false],
];

for (const [what, lines, expected] of RECURSIONS) {
  test(`${what}: ${expected ? "recursion" : "no recursion"}`, () => {
    assert.equal(recurses(["RuntimeError: memory access out of bounds", ...lines].join("\n")), expected);
  });
}

for (const line of [
  "<?>.wasm-function[descend]@[wasm code]",
  "faults[b3f0c2c4dd41d953]::deaths::descend@faults.wasm:wasm-function[127]",
  "127@<?>:wasm-function[127]",
]) {
  test(`JavaScriptCore records no positions, so a repeated function is recursion: ${line}`, () => {
    assert.equal(recurses(Array(5).fill(line).join("\n")), true);
    const others = [1, 2, 3, 4].map((number) => line.replaceAll("127", `${number}`).replace("descend", `f${number}`));
    assert.equal(recurses(others.join("\n")), false);
  });
}

test("what follows a frame of JavaScriptCore in a text that quotes it", () => {
  const symbol = "<std[41f8972060b3e7b9]::panicking::panic_handler::{closure#0}, !>";
  assert.equal(afterQuotedFrame(`${symbol}@bank.wasm:wasm-function[509]`), "");
  assert.equal(afterQuotedFrame("127@<?>:wasm-function[127])"), ")");
  assert.equal(afterQuotedFrame("mail to ada@bank"), null);
});

test("files are compiled while they arrive, except in JavaScriptCore, whose errors have lines", () => {
  assert.equal(compilesStreams(), true);
  const own = globalThis.Error;
  globalThis.Error = class extends own {
    line = 1;
  };
  try {
    assert.equal(compilesStreams(), false);
  } finally {
    globalThis.Error = own;
  }
});

test("Wasm frames are seen in the stack of every engine", () => {
  for (const stack of [V8, GECKO, JSC, OLD_JSC, "127@<?>:wasm-function[127]"]) assert.equal(hasWasmFrames(stack), true);
  assert.equal(hasWasmFrames("transfer@http://host/bank.js:711:32\n@"), false);
});

const RUNTIME = "http://host/runtime.js";
const GUARDS = [`    at Generation.left (${RUNTIME}:1:10)`, `    at Object.closure_invoke (${RUNTIME}:1:50)`];
const GLUE = ["    at __wbg_invoke (http://host/bank.js:7:1)", "    at real (http://host/bank.js:9:1)"];
const CALLERS = [
  ["the event loop", [], false],
  ["the page", ["    at onclick (http://host/page.js:3:1)"], true],
  ["the page, from a function without a name", ["    at http://host/page.js:3:1"], true],
  ["built-in code of the engine", ["    at new Promise (<anonymous>)", "    at Array.forEach (<anonymous>)"], false],
  [
    "Node's own timers",
    [
      "    at listOnTimeout (node:internal/timers:581:17)",
      "    at AsyncResource.runInAsyncScope (node:async_hooks:206:9)",
      "    at node:internal/process/task_queues:140:7",
    ],
    false,
  ],
  ["an async function that waits", ["    at async run (http://host/page.js:3:1)"], false],
  ["the runtime itself", [`    at Facade.call (${RUNTIME}:9:9)`], false],
  ["another function of the glue", ["    at other (http://host/bank.js:99:1)"], false],
];

for (const [what, above, expected] of CALLERS) {
  test(`V8: glue called by ${what} ${expected ? "has" : "has no"} caller that could catch`, () => {
    assert.equal(hasCaller(["Error", ...GUARDS, ...GLUE, ...above].join("\n"), GUARDS.length), expected);
  });
}

for (const [what, above, expected] of [
  ["the event loop", [], false],
  ["the page", ["onclick@http://host/page.js:3:1"], true],
  ["built-in code", ["forEach@[native code]"], false],
  ["a timer that the page set", ["setTimeout handler*onclick@http://host/page.js:3:1"], false],
  ["an async function of the page", ["async*run@http://host/page.js:3:1", "@http://host/page.js:9:1"], false],
  [
    "a listener of the page, set by another",
    ["onclick@http://host/page.js:3:1", "EventListener.handleEvent*@http://host/page.js:9:1"],
    true,
  ],
]) {
  test(`Gecko, JavaScriptCore: glue called by ${what} ${expected ? "has" : "has no"} caller that could catch`, () => {
    const lines = [
      `left@${RUNTIME}:1:10`,
      `@${RUNTIME}:1:50`,
      "__wbg_invoke@http://host/bank.js:7:1",
      "real@http://host/bank.js:9:1",
      ...above,
    ];
    assert.equal(hasCaller(lines.join("\n"), 2), expected);
  });
}

test("Gecko: the frames that queued the task are not on the stack", () => {
  const wasm = (name) => `faults.wasm.${name}@http://host/faults_bg.wasm:wasm-function[7]:0x11`;
  const stack = [
    wasm("faults::<*const T>::fail"),
    "real@http://host/faults.js:9:1",
    `promise callback*${wasm("faults::wait")}`,
    wasm("wait"),
  ].join("\n");
  assert.deepEqual(rustFrames(stack), [frame("faults::<*const T>::fail")]);
  assert.equal(anyFrame(stack, /wait/), false);
});

test("V8: a line of a message that looks like such a frame is no frame", () => {
  const stack = "RuntimeError: it is\na * b\n    at a.wasm.user::f (wasm://wasm/a:wasm-function[3]:0x1)";
  assert.deepEqual(rustFrames(stack), [frame("user::f")]);
});

const PYODIDE = "http://host/pyodide/pyodide.asm.mjs";
const ABOVE_PYTHON = [
  [
    "V8",
    [`    at a.wasm.f (wasm://wasm/a:wasm-function[1]:0x1)`, "    at call (unpanic/runtime.js:4:1)"],
    [`    at JsvFunction_CallBound (${PYODIDE}:1:593832)`, `    at ${PYODIDE}:1:2`],
  ],
  [
    "Gecko, where the Wasm was compiled by a script that Pyodide evaluated",
    [
      `a.wasm.f@${PYODIDE} line 1 > eval line 21 > WebAssembly.compile:wasm-function[1]:0x1`,
      "call@unpanic/runtime.js:4:1",
    ],
    [`JsvFunction_CallBound@${PYODIDE}?v=314:1:593832`, `@${PYODIDE} line 1 > eval:1:2`],
  ],
  ["a stack without Python", ["@http://host/page.js:1:1"], []],
];

for (const [what, above, below] of ABOVE_PYTHON) {
  test(`${what}: the stack ends at the call from Python`, () => {
    const first = what === "V8" ? ["Error: x"] : [];
    assert.equal(abovePython([...first, ...above, ...below].join("\n")), [...first, ...above].join("\n"));
  });
}
