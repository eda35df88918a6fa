/** The target `deno`: a module that waits for its instance while it is evaluated. */

import { isScript } from "./exporting.js";
import { findInstantiation } from "./instantiation.js";
import { importsBuiltIn, moduleToWeb } from "./modules.js";

export const deno = {
  name: "deno",

  /** @param {any} program @param {string} source */
  matches(program, source) {
    if (isScript(program) || program.body.some(importsBuiltIn)) return false;
    return /\bDeno\.|\bWebAssembly\.instantiateStreaming\b/.test(source) && findInstantiation(program.body) !== null;
  },

  toWeb: moduleToWeb,
};
