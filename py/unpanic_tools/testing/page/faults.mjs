// What makes a call die: small functions of Wasm, which die in the ways in which Rust's do. Their names are what the
// runtime reads in a stack.

import { leb, section, text, vector } from "./encoding.mjs";

const UNREACHABLE = 0x00;
const END = 0x0b;
const CALL = 0x10;
const I32 = 0x7f;
const NO_RESULT = 0x40;
// How many instructions the inner loop of `hang` has.
const TURN = 5;

/** The functions: a name, the instructions, and whether there is a local. The function 0 is the import `refuel`. */
const FUNCTIONS = {
  trap: ["injected::trap", [UNREACHABLE]],
  // i32.const 1, i32.const 0, i32.div_u, drop
  divide: ["injected::trap", [0x41, 1, 0x41, 0, 0x6e, 0x1a]],
  overflow: ["injected::overflow", [CALL, 3]],
  panic: ["rust_panic", [UNREACHABLE]],
  oom: ["alloc::alloc::handle_alloc_error", [UNREACHABLE]],
  // A loop as the rewriter leaves it: it uses up its fuel, and asks for more; where there is none, it ends by a trap.
  // loop, (local.tee 0 (call 0)), i32.eqz, if, unreachable, end,
  //   loop, (local.tee 0 (i32.sub (local.get 0) TURN)), i32.const 0, i32.gt_s, br_if 0, end, br 0, end
  hang: [
    "injected::hang",
    [
      ...[0x03, NO_RESULT, CALL, 0, 0x22, 0, 0x45, 0x04, NO_RESULT, UNREACHABLE, END],
      ...[0x03, NO_RESULT, 0x20, 0, 0x41, TURN, 0x6b, 0x22, 0, 0x41, 0, 0x4a, 0x0d, 0, END, 0x0c, 0, END],
    ],
  ],
};

const compiled = new WebAssembly.Module(new Uint8Array(encode(Object.entries(FUNCTIONS))));

function encode(functions) {
  const types = [
    [0x60, ...vector([]), ...vector([])],
    [0x60, ...vector([]), ...vector([[I32]])],
  ];
  const body = (code) => [...vector([[1, I32]]), ...code, END];
  const bodies = functions.map(([, [, code]]) => body(code)).map((code) => [...leb(code.length), ...code]);
  const names = ["unpanic.refuel", ...functions.map(([, [name]]) => name)];
  return [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([[...text("page"), ...text("refuel"), 0, 1]])),
    ...section(3, vector(functions.map(() => [0]))),
    ...section(7, vector(functions.map(([kind], at) => [...text(kind), 0, at + 1]))),
    ...section(10, vector(bodies)),
    ...section(0, [...text("name"), ...section(1, vector(names.map((name, at) => [...leb(at), ...text(name)])))]),
  ];
}

/**
 * Dies, or never returns.
 * @param {string} name of one of the functions
 * @param {() => number} refuel where a loop asks whether it may go on
 */
export function die(name, refuel) {
  new WebAssembly.Instance(compiled, { page: { refuel } }).exports[name]();
}
