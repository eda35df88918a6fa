/** A Wasm file that a package has inside its JavaScript, as base64. */

import { walk } from "../glue/syntax.js";

/** @import {Module} from "./graph.js" */
/** @import {Edit} from "./names.js" */

const BASE64 = /^(data:application\/wasm;base64,)?(AGFz[\w+/=\s-]*)$/;
/** A Wasm file without content. It takes the place of the file, because whoever compiles that gets what is compiled. */
const EMPTY = "AGFzbQEAAAA=";

/**
 * @param {Module[]} modules
 * @returns {{wasm: Uint8Array<ArrayBuffer> | undefined, edits: Map<Module, Edit[]>}} the first file that the engine
 *   takes, and the edits that leave all of them out
 */
export function wasmInside(modules) {
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  let wasm;
  /** @type {Map<Module, Edit[]>} */
  const edits = new Map();
  for (const module of modules) {
    const literals = literalsIn(module);
    for (const { text } of literals) {
      const bytes = wasm ? null : decoded(text);
      if (bytes && WebAssembly.validate(bytes)) wasm = bytes;
    }
    edits.set(
      module,
      literals.map(({ node: { start, end }, head }) => ({ start, end, text: JSON.stringify(head + EMPTY) })),
    );
  }
  return { wasm, edits };
}

/** The Wasm files in a module. @param {Module} module */
function literalsIn({ program, url, wasm }) {
  const found = wasm === null ? [] : [{ node: { start: 0, end: 0 }, ...read(url) }];
  walk(program, (node) => {
    const isText = node.type === "TemplateLiteral" && node.quasis.length === 1;
    const value = isText ? node.quasis[0].value.cooked : node.value;
    if ((isText || node.type === "Literal") && typeof value === "string") found.push({ node, ...read(value) });
  });
  return found.filter(({ text }) => text);
}

/** @param {string} value */
function read(value) {
  // Most texts are short, and a long one is looked at once.
  const [, head = "", text = ""] = (value.length > EMPTY.length && BASE64.exec(value)) || [];
  return { head, text };
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer> | null} null: it is no base64 */
function decoded(text) {
  let binary;
  try {
    binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  } catch {
    return null;
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
