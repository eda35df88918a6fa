/** What a browser gives glue that was written for Node, in place of Node's own modules. */

const TEXT_CODERS = "TextDecoder: globalThis.TextDecoder, TextEncoder: globalThis.TextEncoder";

/** The parts of `util` that wasm-bindgen uses. Classes have a method `[inspect.custom]`, which nothing calls here. */
const UTIL = `({ ${TEXT_CODERS}, inspect: { custom: Symbol.for("nodejs.util.inspect.custom") } })`;

/** Modules that Node has and browsers have not. */
const BUILT_IN = new Set(
  (
    "assert async_hooks buffer child_process crypto events fs fs/promises http https module net os path " +
    "perf_hooks process stream tls url util v8 vm wasi worker_threads zlib"
  ).split(" "),
);

/** @param {string} name of a module */
export function isBuiltIn(name) {
  return name.startsWith("node:") || BUILT_IN.has(name);
}

/** The expression that stands for one of Node's modules; null: browsers have nothing like it. @param {string} name */
export function builtIn(name) {
  return /^(node:)?util$/.test(name) ? UTIL : null;
}

/** A `require` for what is left: Rust may call functions that only Node has, and the error must say which. */
export const REQUIRE =
  "const require = ($name) => new Proxy(() => {}, { get: ($_, $key) => () => { " +
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
  "throw new Error(`${$name}.${String($key)} exists in Node, not in browsers.`); } }); ";
