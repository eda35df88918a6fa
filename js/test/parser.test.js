// The parser of the bundles (js/parser.mjs) against the whole acorn that it is made of.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Parser as Whole } from "acorn";
import { shrinkParser } from "../parser.mjs";
import { withoutPhase } from "../src/glue/targets/sourcePhase.js";

const MODULES = fileURLToPath(new URL("../node_modules/", import.meta.url));
const ACORN = `${MODULES}acorn/dist/acorn.mjs`;
const acorn = readFileSync(ACORN, "utf8");
const text = await shrinkParser(acorn);
const { Parser: Small } = await import(`data:text/javascript,${encodeURIComponent(text)}`);

/** The tree and the comments of a source, or the error. @param {any} parser @param {string} source */
function read(parser, source) {
  /** @type {any[]} */
  const comments = [];
  const onComment = (/** @type {any[]} */ ...comment) => comments.push(comment.slice(0, 4));
  try {
    const program = parser.parse(source, {
      ecmaVersion: "latest",
      sourceType: "module",
      allowHashBang: true,
      onComment,
    });
    return { text: JSON.stringify([program, comments], plain) };
  } catch (error) {
    return { error: /** @type {Error} */ (error) };
  }
}

/** Directives are not told from other texts: nobody asks. @param {string} key @param {any} value */
function plain(key, value) {
  if (key === "directive") return undefined;
  return typeof value === "bigint" || value instanceof RegExp ? String(value) : value;
}

/** @param {URL} folder @param {RegExp} pattern @returns {string[]} */
function filesIn(folder, pattern) {
  const names = readdirSync(folder, { recursive: true }).map(String);
  return names.filter((name) => pattern.test(name)).map((name) => fileURLToPath(new URL(name, folder)));
}

const files = [
  ACORN,
  `${MODULES}terser/dist/bundle.min.js`,
  ...filesIn(new URL("../src/", import.meta.url), /\.js$/),
  ...filesIn(new URL("../../rust/fixtures/", import.meta.url), /\.js$/),
];
// acorn does not know `import source`.
const sources = files.map((path) => withoutPhase(readFileSync(path, "utf8")));

/** What such files may lack. */
const SYNTAX = [
  "#!/usr/bin/env node\nfoo()",
  "class A extends (class {}) { #x = 1; static #y; static { this.#y = 2; } get z() { return this.#x } set z(v) {} }",
  "class A { 'constructor'() {} static async *[x]() {} static static() {} async() {} get; set; #p() { #p in this } }",
  "async function* f({ a, ...b }, [c = 1, , ...d] = [], ...e) { for await (const x of y) yield* x; await e; }",
  "({ a, b = 1, c: [d], ...e } = f); [a, b] = [b, a]; ({ async *m() {}, get x() { return 1 }, set x(v) {} })",
  "a?.b?.[c]?.(d) ?? e; a ||= b &&= c ??= d; a ** b; !(a in b)",
  `\`a\${\`b\${c}\`}d\`; f\`\\unicode \${x}\`; /[/\\]]+(?<n>x)/dgimsuy.test(a) / b / c`,
  "outer: for (let i = 0, j; ; i++) { inner: do { continue outer; } while (0) break; }",
  "switch (a) { case 1: default: { let b; } } try { } catch { } finally { } try { } catch ({ e }) { }",
  "import a, { b as c, default as d, 'x y' as e } from 'x' with { type: 'json' }; import * as n from 'n'; import 's';",
  "export * from 'x'; export * as ns from 'y'; export { a as default, b as 'c d' }; const a = 1, b = 2;",
  "export default async function () { import.meta.url; new.target; await import('x'); }",
  "export default class { }\nexport const { f, g: [h] } = i; export function j() {} export async function k() {}",
  "async x => await x; async (x, y = 1) => ({}); (a, b) => c; async\nx; let async = (of) => of; yield_: 1",
  "1_000n; 0xFFn; 0b11; 0o17; .5e-3; 1e+10; '\\u{1F600}\\x41\\\n'; \u00e4\u{20000} = \\u0061b; var \u{1d4b3}\u200c;",
  "if (a) b\nelse if (c) d; else { } ; debugger\nthrow new Error\nvar x = function y() { return }\n++a\nb--\n",
  "{ using x = f(); } async () => { await using y = g(); for (using z of w) ; for (await using q of r) ; }",
  "x = a ? (b, c) : d => (e, f); new (foo())(1); new a.b.c; super_ = class { constructor() { super.x; } }",
  "let x = { __proto__: null, 'a': 1, 2: 3, get: 4, set: 5, async: 6, await: 7, static: 8 }; void typeof delete a.b;",
  "// line \u2028 /* block */ x /** doc */\n/** doc\r\n */ y",
];

test("it is smaller than the whole by a half", async () => {
  const { minify } = await import("terser");
  const { code } = await minify(acorn, { module: true, ecma: 2020 });
  assert.ok(text.length < /** @type {string} */ (code).length / 2, `${text.length}`);
});

test("it reads files as the whole does", () => {
  assert.ok(sources.length > 100);
  sources.forEach((source, at) => {
    const whole = read(Whole, source);
    assert.equal(whole.error, undefined, files[at]);
    assert.ok(read(Small, source).text === whole.text, files[at]);
  });
});

for (const source of SYNTAX) {
  test(`it reads as the whole does: ${source.slice(0, 60)}`, () => {
    const whole = read(Whole, source);
    assert.equal(whole.error?.message, undefined);
    assert.deepEqual(read(Small, source), whole);
  });
}

test("it refuses what cannot be read with the error of the whole", () => {
  for (const source of [
    "a b",
    "(",
    "'a",
    "`a",
    "/a",
    "/*",
    "a(;",
    "x = {",
    "return 1",
    "{ import 'a' }",
    "\u0007",
    "0x",
    "1e",
  ])
    assert.deepEqual(read(Small, source).error?.message, read(Whole, source).error?.message, source);
});

test("it takes early errors, and the engine refuses them", () => {
  for (const source of ["let a, a", "a = 1; 1 = a", "x: x: 1", "class A { a() { this.#b } }", "for (;;) { break x }"]) {
    assert.ok(read(Whole, source).error);
    assert.ok(read(Small, source).text);
    assert.throws(() => new Function(source), SyntaxError);
  }
});

test("damaged files end in the same tree or in a syntax error", () => {
  const tokens =
    "( ) { } [ ] => ... ` ${ ' \" / * async await yield let class #x ?. ?? = 1n 0x . \\ import export".split(" ");
  let state = 1;
  const random = (/** @type {number} */ limit) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (state >>> 0) % limit;
  };
  let [taken, refused] = [0, 0];
  for (let count = 0; count < 1000; count++) {
    const source = sources[random(sources.length)];
    const start = source.indexOf("\n", random(Math.max(1, source.length - 3000))) + 1;
    const part = source.slice(start, start + 3000);
    const at = random(part.length);
    const damaged = part.slice(0, at) + tokens[random(tokens.length)] + part.slice(at + random(3));
    const [small, whole] = [read(Small, damaged), read(Whole, damaged)];
    if (small.error) assert.equal(small.error.name, "SyntaxError", `${small.error.message}\n${damaged}`);
    if (whole.text) assert.ok(small.text === whole.text, damaged);
    if (whole.text) taken++;
    else refused++;
  }
  assert.ok(taken > 25 && refused > 25, `${taken} ${refused}`); // any change of a source changes both
});
