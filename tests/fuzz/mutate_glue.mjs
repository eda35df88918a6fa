/** Makes wrong glue of every kind: damaged, cut, renamed, of another package, or no glue at all. */

import { pickPackage } from "./corpus.mjs";

/** @import {Random} from "./random.mjs" */

const IDENTIFIER = /[A-Za-z_$][\w$]*/g;
const ODD_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "await",
  "async",
  "arguments",
  "eval",
  "undefined",
  "let",
  "default",
  "static",
  "$default",
  "$imports",
  "$meta",
  "WebAssembly",
  "Promise",
  "FinalizationRegistry",
  "heap",
  "wasm",
  "initSync",
  "exports",
  "globalThis",
  "null",
  "this",
  "class",
  "new",
  "module",
  "then",
  "toString",
  "free",
  "0",
  "",
];
const TEXTS = [
  "",
  " \n\t",
  "<!DOCTYPE html><title>404</title>",
  "\n  <html>",
  '{"error": 404}',
  "[1, 2",
  '"text"',
  "null",
  "\0asm\x01\0\0\0",
  "\ufeff",
  "#!/usr/bin/env node\n",
  "export {};",
  "let wasm;",
  "throw null;",
  "\u2028\u2029",
  "\ud800",
  "export default 1;",
  "#",
  "`",
  "/*",
  "/",
  "'",
];
const STATEMENTS = [
  "throw null;",
  "throw undefined;",
  "throw 'a text';",
  "throw Symbol('it');",
  "throw Object.create(null);",
  "throw { get message() { throw 1; } };",
  "throw new Proxy(function () {}, { get() { throw 2; }, getPrototypeOf() { throw 3; } });",
  "throw new Error();",
  "missing();",
  "return;",
  "await 0;",
  "for await (const a of []) a;",
  "export default class {}",
  "export default function () {}",
  "export default [];",
  "export * from './other.js';",
  "export * as all from './other.js';",
  "export { default } from './other.js';",
  "import late from './late.js';",
  "import './late.js';",
  "import data from 'data:text/javascript,1' with { type: 'json' };",
  "import { 'a b' as ab } from './late.js';",
  "import('./late.js');",
  "import.meta.x = import.meta.url;",
  "export const { a, b: { c = 1 } } = { b: {} };",
  "export const [d, ...e] = [];",
  "export let f, g;",
  "export var wasm2 = wasm;",
  "export { wasm };",
  "export { wasm as 'not a name' };",
  "export { wasm as default };",
  "export { wasm as then };",
  "export { missing };",
  "const one = two, two = one; export { one };",
  "const self1 = self1; export { self1 };",
  "class A1 extends B1 {} class B1 extends A1 {} export { A1, B1 };",
  "export class Own extends Own {}",
  "class Base { go() {} } export class Derived extends Base { constructor() { super(); } }",
  "export class Odd { static { this.x = 1; } #p = 1; get [1 + 1]() { return 1; } static get s() { return 1; } 'a " +
    "b'() {} 5() {} async *g() {} set v({ x }) {} }",
  "export class Proto { __proto__() {} static prototype2() {} get constructor2() {} static name() {} static length() " +
    "{} then() {} }",
  "export class Null extends null {}",
  "export class Computed extends (class {}) { m() {} }",
  "export function params({ a }, [b], c = 1, ...rest) { return wasm.add(a, b, c, ...rest); }",
  "export function* many() { yield 1; }",
  "export async function* stream() { yield 1; }",
  "export const arrow = async ({ x } = {}, ...y) => wasm.add(x, y);",
  "export const wasmAgain = wasm => wasm.exports;",
  "/** @param {{ */ export function cut(a) { return wasm.add(a, 1); }",
  "/** @returns {Promise<} */ export function promised() { return 1; }",
  "/** @returns {Promise<Promise<number>>} */ export function twice() { return 1; }",
  "/** @param {Promise<number>} p @returns {void} */ export function taken(p) {}",
  "/** @param {...number} n */ export function spread(...n) {}",
  "/**\n * @param {toString} a\n * @param {__proto__} b\n * @returns {hasOwnProperty}\n */\n" +
    "export function inherited(a, b) { return a; }",
  "/**\n * @returns {Promise<number>}\n */\nexport function never2() { return new Promise(() => {}); }",
  "/**\n * @returns {Promise<number>}\n */\nexport function thenable() { return { then() { throw 4; } }; }",
  "/**\n * @returns {Promise<number>}\n */\nexport function rejects() { return Promise.reject(null); }",
  "export function constructor() { return 1; }",
  "export function then(resolve) { resolve(1); }",
  "export function toString() { throw 5; }",
  "export const nothing = undefined;",
  "export const throwing = { get x() { throw 6; } };",
  "export const proxy = new Proxy({}, { ownKeys() { throw 7; } });",
  "export function revoked() { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; }",
  "export function hostile() { return new Proxy(function () {}, { get() { throw 8; }, getPrototypeOf() { throw 9; } " +
    "}); }",
  "export function throwsNull() { throw null; }",
  "export function throwsProxy() { throw new Proxy({}, { get() { throw 10; }, getPrototypeOf() { throw 11; } }); }",
  "export function throwsError() { throw Object.defineProperty(new Error('x'), 'message', { get() { throw 12; } }); }",
  "export function symbol() { return Symbol.iterator; }",
  "export function deep() { return deep(); }",
  "export function rejectsLate() { return Promise.reject({ get message() { throw 13; } }); }",
  "export function frozen() { return Object.freeze(Promise.resolve(1)); }",
  "export function ownThen() { return Object.assign(Promise.resolve(1), { then: 5 }); }",
  "export function setPanicHook(hook) { hook(undefined); hook(null); hook({ get message() { throw 14; } }); }",
  "export function setPanicHook() { throw 15; }",
  "export const setPanicHook = (hook) => hook(Symbol('it'));",
  "export function initSync() {}",
  "function initSync(module) { return wasm = { exports: null }; }",
  "wasm = { exports: null };",
  "wasm = null;",
  "let heap = null;",
  "function heap() {}",
  "while (true);",
  "export function endless() { while (true); }",
  "debugger;",
  "with (wasm) {}",
  "label: { break label; }",
  "new.target;",
  "super();",
  "enum E {}",
  "let x: number = 1;",
  "@decorated class D {}",
  "using z = null;",
  "const \\u0061bc = 1;",
  "var \u{20bb7} = 1;",
];
const CHARACTERS = [
  "\0",
  "\ufeff",
  "\u200d",
  "\u2028",
  "\ud800",
  "\udc00",
  "🦀",
  "é",
  "\\",
  "`",
  "${",
  "*/",
  "/*",
  "//",
  "'",
  '"',
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  "=>",
  ";",
  "\r",
  "#",
  "@",
  "?.",
  "...",
  "0x",
  "1n",
  "/",
];
const DEPTHS = [100, 1_000, 5_000, 20_000, 100_000];
const NESTS = /** @type {((depth: number) => string)[]} */ ([
  (n) => "(".repeat(n) + "1" + ")".repeat(n) + ";",
  (n) => "[".repeat(n) + "]".repeat(n) + ";",
  (n) => "({a:".repeat(n) + "1" + "})".repeat(n) + ";",
  (n) => "{".repeat(n) + "}".repeat(n),
  (n) => "1" + "+1".repeat(n) + ";",
  (n) => "a" + ".b".repeat(n) + ";",
  (n) => "a" + "()".repeat(n) + ";",
  (n) => "!".repeat(n) + "1;",
  (n) => "() => ".repeat(n) + "1;",
  (n) => "if (1) ".repeat(n) + ";",
  (n) => "`${".repeat(n) + "1" + "}`".repeat(n) + ";",
  (n) => "function f() {".repeat(n) + "}".repeat(n),
  (n) => "export function nested() { return " + "(".repeat(n) + "wasm.add(1, 2)" + ")".repeat(n) + "; }",
  (n) => "export const long = 0" + " || 0".repeat(n) + ";",
  (n) => "/** @param {" + "{".repeat(n) + " a */ export function braces(a) {}",
  (n) => "/*" + "*".repeat(n) + "*/",
  (n) => "export { " + Array.from({ length: n / 10 }, (_, i) => `wasm as w${i}`).join(", ") + " };",
]);

/** @param {string} source @param {(lines: string[]) => void} change */
function byLines(source, change) {
  const lines = source.split("\n");
  change(lines);
  return lines.join("\n");
}

/**
 * Inserts a text before a line that begins a statement at the top level.
 * @param {Random} random @param {string} source @param {string} text
 */
function insertStatement(random, source, text) {
  const places = [...source.matchAll(/^(?=(?:export|function|async|class|const|let|var|import)\b)/gm)].map(
    ({ index }) => index ?? 0,
  );
  const at = places.length ? random.pick(places) : source.length;
  return `${source.slice(0, at)}${text}\n${source.slice(at)}`;
}

/** @type {Record<string, (random: Random, source: string) => string>} */
const MUTATIONS = {
  "bytes changed"(random, source) {
    const bytes = new TextEncoder().encode(source);
    for (let count = 1 + random.below(8); count--; ) bytes[random.below(bytes.length)] = random.below(256);
    return new TextDecoder().decode(bytes);
  },
  "a line deleted": (random, source) =>
    byLines(source, (lines) => lines.splice(random.below(lines.length), 1 + random.below(3))),
  "a line doubled": (random, source) =>
    byLines(source, (lines) => lines.splice(random.below(lines.length), 0, lines[random.below(lines.length)])),
  "lines swapped": (random, source) =>
    byLines(source, (lines) => {
      const [a, b] = [random.below(lines.length), random.below(lines.length)];
      [lines[a], lines[b]] = [lines[b], lines[a]];
    }),
  "a name changed everywhere"(random, source) {
    const names = source.match(IDENTIFIER) ?? ["a"];
    const [from, to] = [random.pick(names), random.chance(0.5) ? random.pick(names) : random.pick(ODD_NAMES)];
    return source.replace(IDENTIFIER, (name) => (name === from ? to : name));
  },
  "a name changed once"(random, source) {
    const names = [...source.matchAll(IDENTIFIER)];
    if (!names.length) return source;
    const { 0: name, index = 0 } = random.pick(names);
    const to = random.chance(0.5) ? random.pick(names)[0] : random.pick(ODD_NAMES);
    return source.slice(0, index) + to + source.slice(index + name.length);
  },
  "a number changed"(random, source) {
    const numbers = [...source.matchAll(/\b\d+\b/g)];
    if (!numbers.length) return source;
    const { 0: number, index = 0 } = random.pick(numbers);
    return (
      source.slice(0, index) +
      random.pick(["0", "-1", "1e9", "NaN", "4294967296", "1n", "Infinity"]) +
      source.slice(index + number.length)
    );
  },
  "cut at the end": (random, source) => source.slice(0, random.below(source.length + 1)),
  "cut at the start": (random, source) => source.slice(random.below(source.length + 1)),
  "a piece missing"(random, source) {
    const at = random.below(source.length + 1);
    return source.slice(0, at) + source.slice(at + random.below(400));
  },
  "characters put in"(random, source) {
    const at = random.below(source.length + 1);
    return source.slice(0, at) + random.pick(CHARACTERS).repeat(1 + random.below(3)) + source.slice(at);
  },
  "a statement put in": (random, source) => insertStatement(random, source, random.pick(STATEMENTS)),
  "nested deeply": (random, source) => insertStatement(random, source, random.pick(NESTS)(random.pick(DEPTHS))),
  "glue of another package": (random) => pickPackage(random).source,
  "two packages in one": (random, source) => source + pickPackage(random).source,
  "something else": (random) => random.pick(TEXTS),
  "nothing but nesting": (random) => random.pick(NESTS)(random.pick(DEPTHS)),
  "random text": (random) =>
    String.fromCodePoint(...Array.from({ length: random.below(2000) }, () => random.below(0x110000))),
};
const WHOLE = ["something else", "nothing but nesting", "random text"];
const NAMES = Object.keys(MUTATIONS);
const PARTIAL = NAMES.filter((name) => !WHOLE.includes(name));
// Mutations that mostly leave loadable glue.
const GENTLE = [
  "a statement put in",
  "a name changed everywhere",
  "a name changed once",
  "a number changed",
  "a line deleted",
];

/**
 * @param {Random} random @param {string} source
 * @returns {{source: string, how: string[]}}
 */
export function mutateGlue(random, source) {
  const how = [random.chance(0.08) ? random.pick(WHOLE) : random.pick(random.chance(0.5) ? GENTLE : PARTIAL)];
  while (random.chance(0.2)) how.push(random.pick(PARTIAL));
  for (const name of how) source = MUTATIONS[name](random, source);
  return { source, how };
}
