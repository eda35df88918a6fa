/** The real packages that mutations start from: the Rust fixtures, and npm packages of every vintage. */

import { glueFile } from "../../js/test/support.js";

/** @typedef {{name: string, source: string, url: string, wasm: Uint8Array, readFile: Function}} Package */

const FIXTURES = ["bank", "faults", "hookless", "silent", "startup", "texthook"];
const TEXT_CODERS = "export const TextDecoder = globalThis.TextDecoder, TextEncoder = globalThis.TextEncoder;";
const SMALL = [
  ...FIXTURES.flatMap((name) =>
    ["abort", "reset", "unwind"].map((mode) => `../rust/fixtures/${name}/pkg/${mode}/${name}.js`),
  ),
  "node_modules/@jsquash/oxipng/codec/pkg/squoosh_oxipng.js",
  "node_modules/@jsquash/resize/lib/resize/pkg/squoosh_resize.js",
  "node_modules/@jsquash/resize/lib/magic-kernel/pkg/jsquash_magic_kernel.js",
  "node_modules/@jsquash/resize/lib/hqx/pkg/squooshhqx.js",
  "node_modules/@pexip/denoise/denoise.js",
  "node_modules/@ruvector/exotic-wasm/ruvector_exotic_wasm.js",
];
// Compiling one of these takes as long as thirty cases of the others.
const LARGE = ["node_modules/prql-js/dist/web/prql_js.js", "node_modules/@resvg/resvg-wasm/index.mjs"];
const SHARE_OF_LARGE = 0.03;
const WASM = /\w+_bg\.wasm/;

/** @type {Map<string, Package>} */
const read = new Map();

/** @param {string} path @returns {Package} */
function open(path) {
  let contents = read.get(path);
  if (!contents) {
    const { source, url, readFile } = glueFile(path, { "./EncoderDecoder": TEXT_CODERS });
    const wasm = readFile(WASM.exec(source)?.[0] ?? "");
    if (!wasm) throw new Error(`${path} names no Wasm file that is there`);
    contents = { name: path.replace(/^.*?(?=fixtures|node_modules)|node_modules\//g, ""), source, url, wasm, readFile };
    read.set(path, contents);
  }
  return contents;
}

/** @param {import("./random.mjs").Random} random */
export function pickPackage(random) {
  return open(random.pick(random.chance(SHARE_OF_LARGE) ? LARGE : SMALL));
}
