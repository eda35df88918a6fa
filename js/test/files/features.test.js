/** A CompileError explains an engine's message. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { explainCompileError } from "../../src/files/compiling.js";

const gecko = (rest) => `wasm validation error: at offset 12: ${rest}`;
const V8 = "WebAssembly.compile(): ";
// Recorded in WebKitGTK 2.50.
const jsc = (rest) => `WebAssembly.Module doesn't parse at byte 12: ${rest}`;
const FEATURES = [
  [V8 + "invalid value type 'stringref', enable with --experimental-wasm-stringref @+14", "stringref"],
  [
    V8 + "invalid memory limits flags 0x8 (enable with --experimental-wasm-custom-page-sizes) @+11",
    "custom-page-sizes",
  ],
  [V8 + "invalid memory limits flags 0x9 @+11", "custom page sizes"],
  [V8 + "invalid memory limits flags 0x40 @+11", "a memory type"],
  [gecko("stack switching is not enabled"), "stack switching"],
  [gecko("relaxed SIMD not enabled"), "relaxed SIMD"],
  [gecko("unexpected bits set in flags: 8"), "custom page sizes"],
  [gecko("unexpected bits set in flags: 64"), "a memory type"],
  [gecko("bad type"), "a newer kind of type"],
  [gecko("expected type form"), "a newer kind of type"],
  [jsc("resizable limits flag should be 0x00, 0x01, or 0x03 but 0x08"), "custom page sizes"],
  [jsc("resizable limits flag should be 0x00, 0x01, or 0x03 but 0x04"), "64-bit memory"],
  [jsc("resizable limits flag should be 0x00, 0x01, or 0x03 but 0x40"), "a memory type"],
  [jsc("Memory section has more than one memory, WebAssembly currently only allows zero or one"), "multiple memories"],
  [jsc("1th Type is non-Func, non-Struct, and non-Array -35"), "a newer kind of type"],
  [jsc("can't get 0th argument Type"), "a newer kind of type"],
];

for (const [message, feature] of FEATURES) {
  test(`"${message}" is about ${feature}`, () => {
    const error = explainCompileError(new WebAssembly.CompileError(message), "a.wasm");
    assert.equal(
      error.message,
      `Cannot compile a.wasm: it needs a feature that this browser lacks: ${feature} ` +
        `(${message.replace(V8, "")}). Update the browser.`,
    );
  });
}

test("a message about no feature is reported unchanged", () => {
  const message = gecko("failed to read section size");
  const error = explainCompileError(new WebAssembly.CompileError(message), "a.wasm");
  assert.equal(error.message, `Cannot compile a.wasm: ${message}.`);
});

test("a file that ends too early is reported, also if only the engine noticed it", () => {
  const words =
    'WebAssembly.compileStreaming(): section (code 0, "Unknown") extends past end of the module (length 148, ' +
    "remaining bytes 147) @+16326";
  const error = explainCompileError(new WebAssembly.CompileError(words), "some.wasm");
  assert.equal(error.name, "CompileError");
  assert.equal(error.message, `some.wasm is truncated or damaged: ${words}. Take the whole file.`);
});

for (const rest of ["can't get Type section's length", "Type section of size 5 would overflow Module's size"]) {
  test(`JavaScriptCore: "${rest}" is a file that ends too early, without the call that it quotes`, () => {
    const error = new WebAssembly.CompileError(`${jsc(rest)} (evaluating 'new WebAssembly.Module(x)')`);
    assert.equal(
      explainCompileError(error, "a.wasm").message,
      `a.wasm is truncated or damaged: ${jsc(rest)}. Take the whole file.`,
    );
  });
}
