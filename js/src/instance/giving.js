/**
 * Does a module give its memory away? Rust may hand a view of it, its buffer or the memory itself to JavaScript that
 * keeps it (`Uint8Array::view`, `wasm_bindgen::memory`), and writes to it whenever it likes, without a mark. From then
 * on nobody knows what was written, so the shadow takes the whole memory for changed (shadow.js).
 *
 * Mostly such a view only serves to copy: Rust makes it, hands it to `set` or `getRandomValues`, and drops it. So the
 * imports are told apart by their text, which wasm-bindgen has written: what is not known to be harmless keeps what it
 * gets.
 */

/** @import {Holder} from "../types.js" */
/**
 * A generation, as far as it matters here.
 * @typedef {{holder: Holder | null, memory: WebAssembly.Memory | null, glueExports: unknown, heap: () => unknown[]}}
 *   Generation
 */

/** A view that glue makes of an argument, which is a slice in Rust. */
const SLICE = String.raw`\bget\w*Array(?!JsValue)\w+FromWasm\d*\([^()]*\)`;
/** Such a view is only copied from, or written to at once. */
const COPIED = new RegExp(
  String.raw`(?:new \w+Array|\.(?:getRandomValues|randomFillSync|decode))\(${SLICE}\)|\.set\.call\(${SLICE},`,
  "g",
);
/** The same method of a map, or of anything else, may keep what it gets. */
const SETS = /\.set\(/;
/** It becomes a value of Rust's own. So do the memory, the exports, and a part of a buffer. */
const BEARS = new RegExp(String.raw`= ${SLICE};\s*return|\bwasm(?:\.memory)?;|new \w+(?:Array|View)\([^;]*,`);
const PASSES = new RegExp(SLICE);
/** The functions of wasm-bindgen that look at a value, and those of JavaScript that copy or look at views. */
const HARMLESS_NAME = /__wbindgen_(?!.*throw)/;
const HARMLESS = new RegExp(
  String.raw`new \w+(?:Array|DataView)\(|instanceof|` +
    String.raw`\.(?:length|byte\w+|buffer|getRandomValues|randomFillSync|subarray|slice|fill|decode|encodeInto)\b`,
);

/**
 * The imports, with those watched that may give the memory away.
 * @param {[name: string, fn: Function][]} imports of the glue @param {Generation} generation
 * @returns {Map<string, Function>} those that are replaced, by name
 */
export function watchGiving(imports, generation) {
  /** @type {Map<string, Function>} */
  const watched = new Map();
  const texts = imports.map(([, fn]) => Function.prototype.toString.call(fn).replace(COPIED, ""));
  const canBear = texts.some((text) => BEARS.test(text));
  imports.forEach(([name, fn], at) => {
    const text = texts[at];
    if (BEARS.test(text)) watched.set(name, bears(fn, generation));
    else if (PASSES.test(text)) watched.set(name, passes(fn, SETS.test(text), generation));
    else if (canBear && !HARMLESS_NAME.test(name) && !HARMLESS.test(text))
      watched.set(name, takes(fn, SETS.test(text), generation));
  });
  return watched;
}

/** @param {Function} fn an import that may make something of the memory for Rust @param {Generation} generation */
function bears(fn, generation) {
  return (/** @type {unknown[]} */ ...args) => {
    const result = fn(...args);
    const { holder } = generation;
    if (holder !== null && isMemory(resolve(result, generation), generation)) holder.lendsMemory = true;
    return result;
  };
}

/**
 * @param {Function} fn an import that passes a view of the memory on @param {boolean} sets whether it calls `set`,
 *   which copies, if it is that of an array @param {Generation} generation
 */
function passes(fn, sets, generation) {
  return (/** @type {unknown[]} */ ...args) => {
    if (!(sets && isView(args[0], generation))) generation.holder?.shadow?.giveAway(false);
    return fn(...args);
  };
}

/** @param {Function} fn an import that may keep what it gets @param {boolean} sets @param {Generation} generation */
function takes(fn, sets, generation) {
  return (/** @type {unknown[]} */ ...args) => {
    if (generation.holder?.lendsMemory && !(sets && isView(args[0], generation)))
      for (const arg of args) noteGiven(resolve(arg, generation), generation);
    return fn(...args);
  };
}

/** @param {unknown} arg @param {Generation} generation */
const isView = (arg, generation) => ArrayBuffer.isView(resolve(arg, generation));

/**
 * What an import gets or returns is a value, or its place in the glue's heap.
 * @param {unknown} value @param {Generation} generation
 */
const resolve = (value, generation) => (typeof value === "number" ? generation.heap()[value] : value);

/** @param {any} value @param {Generation} generation */
function isMemory(value, { memory, glueExports }) {
  if (value === null || typeof value !== "object") return false;
  if (value === memory || value === glueExports) return true;
  return memory !== null && (ArrayBuffer.isView(value) ? value.buffer : value) === memory.buffer;
}

/**
 * JavaScript gets a value from Rust.
 * @param {any} value @param {Generation} generation
 */
export function noteGiven(value, generation) {
  const { holder } = generation;
  if (!holder?.lendsMemory || holder.shadow === null) return;
  const given = [value, ...(Array.isArray(value) ? value : [])].filter((part) => isMemory(part, generation));
  const { memory, glueExports } = generation;
  if (given.length > 0) holder.shadow.giveAway(given.includes(memory) || given.includes(glueExports));
}
