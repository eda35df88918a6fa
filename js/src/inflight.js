/**
 * Which async call failed? All futures of a module are polled from one microtask,
 * and in a `panic=abort` build nothing is cleaned up that could tell them apart
 * (an unwound task is known exactly: Generation.abandonedCall). What tells is the
 * Rust stack: an `async fn` is polled in a frame that carries its name.
 */

import { anyFrame } from "./stack.js";

/** @import {Diagnosis, InFlightCall} from "./types.js" */

const POLLING = /futures|::poll\b|\{\{?(?:async_fn_)?(?:closure|env)/;

/**
 * @param {InFlightCall[]} calls in flight when Rust died under the event loop, oldest first
 * @param {Diagnosis} diagnosis
 * @returns {InFlightCall[]} those that may be to blame
 */
export function suspectsAmong(calls, { stack }) {
  const named = calls.find(({ name }) => {
    const parts = name.replace(/\$/g, "\\$&").split(".");
    // Its own frame, or, where that was inlined, the wrapper that wasm-bindgen generates for it.
    return anyFrame(stack, new RegExp(`(?:^|::)(?:${parts.at(-1)}|.*__wasm_bindgen_generated_${parts.join("_")})(?:::|$)`));
  });
  if (named) return [named];
  const hasNames = anyFrame(stack, /^(?!wasm-function\[)/);
  return !hasNames || anyFrame(stack, POLLING) ? calls.slice(0, 1) : [];
}
