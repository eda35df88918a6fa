/** The target `module`: a module that imports its Wasm file, compiled, with `import source`. */

import { makesInstance } from "./instantiation.js";
import { importsGlue, moduleToWeb } from "./modules.js";

/** How such an import begins. Some parsers do not know it; acorn is one of them. */
const SOURCE_IMPORT = /^(\s*import) source(?=\s+[\w$]+\s+from\b)/gm;

/**
 * Source that the parser takes: of the same length, so that positions in the syntax tree are those in the source. It
 * says `import wasmModule from "./x_bg.wasm"`.
 * @param {string} source
 */
export function withoutPhase(source) {
  return source.replace(SOURCE_IMPORT, "$1       ");
}

/** @param {any} statement */
const importsWasm = ({ type, source }) => type === "ImportDeclaration" && /\.wasm$/.test(String(source.value));

export const sourcePhase = {
  name: "module",

  /** @param {any} program of `withoutPhase(source)` @param {string} source */
  matches({ body }, source) {
    if (withoutPhase(source) === source || body.some(importsGlue)) return false;
    return body.some(importsWasm) && makesInstance(body, source);
  },

  toWeb: moduleToWeb,
};
