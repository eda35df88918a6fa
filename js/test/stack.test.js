/** Stack texts of the three engines, read as data. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { abovePython, anyFrame, demangle, hasCaller, recurses, rustFrames } from "../src/stack.js";

const SYMBOLS = [
  ["bank.wasm.add", "add"],
  ["my-bank_bg.wasm.bank::add", "bank::add"],
  ["faults.wasm.faults[b3f0c2c4dd41d953]::deaths::middle", "faults::deaths::middle"],
  ["core::panicking::panic_fmt::h0123456789abcdef", "core::panicking::panic_fmt"],
  ["_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"],
  ["_ZN4bank7Account8withdrawE", "bank::Account::withdraw"],
  ["_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE", "<alloc::string::String as core::fmt::Display>::fmt"],
  ["_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "std::rt::lang_start::{{closure}}"],
  ["malloc", "malloc"],
  ["", ""],
];

for (const [symbol, expected] of SYMBOLS) {
  test(`the symbol "${symbol}" is ${expected || "nothing"}`, () => assert.equal(demangle(symbol), expected));
}

const frame = (name) => ({ function: name });

// One panic as each engine tells it.
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
const JSC = `<?>.wasm-function[__rust_start_panic]@[wasm code]
<?>.wasm-function[std::panicking::panic_with_hook::h0123456789abcdef]@[wasm code]
<?>.wasm-function[rust_begin_unwind]@[wasm code]
<?>.wasm-function[core::panicking::panic_fmt::h0123456789abcdef]@[wasm code]
bank.wasm-function[bank::change::h0123456789abcdef]@[wasm code]
<?>.wasm-function[transfer]@[wasm code]
transfer@http://host/bank.js:41:9
global code@http://host/index.html:10:5`;

for (const [engine, stack] of Object.entries({ V8, GECKO, JSC })) {
  test(`${engine}: the frames are Rust's, innermost first, without the panic machinery`, () => {
    assert.deepEqual(rustFrames(stack), [frame("bank::change"), frame("transfer")]);
  });

  test(`${engine}: a frame is found by its name, and a JavaScript function is none`, () => {
    assert.equal(anyFrame(stack, /^core::panicking::/), true);
    assert.equal(anyFrame(stack, /index\.html|^handle_alloc_error/), false);
  });
}

const FRAMES = [
  ["functions without names go by their index", "    at wasm://wasm/af12:wasm-function[12]:0x3f\n    at wasm://wasm/af12:wasm-function[7]:0x11", ["wasm-function[12]", "wasm-function[7]"]],
  ["Gecko's functions without names too", "@http://host/a.wasm:wasm-function[12]:0x3f", ["wasm-function[12]"]],
  ["a stack of machinery alone is kept", "    at a.wasm.core::panicking::panic (wasm://wasm/a:wasm-function[1]:0x1)", ["core::panicking::panic"]],
  ["machinery below the user's code stays", "    at a.wasm.user (wasm://wasm/a:wasm-function[1]:0x1)\n    at a.wasm.core::option::unwrap (wasm://wasm/a:wasm-function[2]:0x1)", ["user", "core::option::unwrap"]],
  ["a crate whose name starts like the standard library's is the user's", "    at a.wasm.core::panicking::panic (wasm://wasm/a:wasm-function[1]:0x1)\n    at a.wasm.stdx::run (wasm://wasm/a:wasm-function[2]:0x1)", ["stdx::run"]],
  ["the hook's own way out is machinery", "    at a.wasm.console_error_panic_hook::hook (wasm://wasm/a:wasm-function[1]:0x1)\n    at a.wasm.std::panicking::panic_with_hook (wasm://wasm/a:wasm-function[2]:0x1)\n    at a.wasm.user::f (wasm://wasm/a:wasm-function[3]:0x1)", ["user::f"]],
  ["no Wasm, no frames", "Error: x\n    at f (http://host/a.js:1:1)", []],
  ["no stack, no frames", "", []],
];

for (const [what, stack, expected] of FRAMES) {
  test(`${what}`, () => assert.deepEqual(rustFrames(stack), expected.map(frame)));
}

const at = (index, offset) => `    at a.wasm.f (wasm://wasm/a:wasm-function[${index}]:0x${offset})`;
const RECURSIONS = [
  ["a function that calls itself", [at(1, "a"), at(1, "b"), at(1, "b"), at(1, "b")], true],
  ["two that call each other", [at(1, "a"), ...Array(3).fill([at(2, "b"), at(1, "c")]).flat()], true],
  ["a function that is called from three places", [at(1, "a"), at(1, "b"), at(1, "c"), at(1, "d")], false],
  ["a function that calls itself twice", [at(1, "a"), at(1, "b"), at(1, "b"), at(3, "b")], false],
  ["three different functions", [at(1, "a"), at(2, "b"), at(3, "b")], false],
];

for (const [what, lines, expected] of RECURSIONS) {
  test(`${what}: ${expected ? "recursion" : "no recursion"}`, () => {
    assert.equal(recurses(["RuntimeError: memory access out of bounds", ...lines].join("\n")), expected);
  });
}

test("JavaScriptCore tells no positions, so a repeated name is recursion", () => {
  const stack = Array(5).fill("<?>.wasm-function[descend]@[wasm code]").join("\n");
  assert.equal(recurses(stack), true);
});

const RUNTIME = "http://host/runtime.js";
const GUARDS = [`    at Generation.left (${RUNTIME}:1:10)`, `    at Object.closure_invoke (${RUNTIME}:1:50)`];
const GLUE = ["    at __wbg_invoke (http://host/bank.js:7:1)", "    at real (http://host/bank.js:9:1)"];
const CALLERS = [
  ["the event loop", [], false],
  ["the page", ["    at onclick (http://host/page.js:3:1)"], true],
  ["the page, from a function without a name", ["    at http://host/page.js:3:1"], true],
  ["built-in code of the engine", ["    at new Promise (<anonymous>)", "    at Array.forEach (<anonymous>)"], false],
  ["Node's own timers", ["    at listOnTimeout (node:internal/timers:581:17)", "    at AsyncResource.runInAsyncScope (node:async_hooks:206:9)", "    at node:internal/process/task_queues:140:7"], false],
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
  ["a listener of the page, set by another", ["onclick@http://host/page.js:3:1", "EventListener.handleEvent*@http://host/page.js:9:1"], true],
]) {
  test(`Gecko and JavaScriptCore: glue called by ${what} ${expected ? "has" : "has no"} caller that could catch`, () => {
    const lines = [`left@${RUNTIME}:1:10`, `@${RUNTIME}:1:50`, "__wbg_invoke@http://host/bank.js:7:1", "real@http://host/bank.js:9:1", ...above];
    assert.equal(hasCaller(lines.join("\n"), 2), expected);
  });
}

test("Gecko: frames of whoever queued the task are not on the stack", () => {
  const wasm = (name) => `faults.wasm.${name}@http://host/faults_bg.wasm:wasm-function[7]:0x11`;
  const stack = [wasm("faults::<*const T>::fail"), "real@http://host/faults.js:9:1", `promise callback*${wasm("faults::wait")}`, wasm("wait")].join("\n");
  assert.deepEqual(rustFrames(stack), [frame("faults::<*const T>::fail")]);
  assert.equal(anyFrame(stack, /wait/), false);
});

test("V8: a line of a message that looks like such a frame is none", () => {
  const stack = "RuntimeError: it is\na * b\n    at a.wasm.user::f (wasm://wasm/a:wasm-function[3]:0x1)";
  assert.deepEqual(rustFrames(stack), [frame("user::f")]);
});

const PYODIDE = "http://host/pyodide/pyodide.asm.mjs";
const ABOVE_PYTHON = [
  ["V8", [`    at a.wasm.f (wasm://wasm/a:wasm-function[1]:0x1)`, "    at call (unpanic/runtime.js:4:1)"], [`    at JsvFunction_CallBound (${PYODIDE}:1:593832)`, `    at ${PYODIDE}:1:2`]],
  [
    "Gecko, where the Wasm was compiled by a script that Pyodide evaluated",
    [`a.wasm.f@${PYODIDE} line 1 > eval line 21 > WebAssembly.compile:wasm-function[1]:0x1`, "call@unpanic/runtime.js:4:1"],
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
