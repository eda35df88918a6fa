/** The target `deno`: a module that waits for its instance while it is evaluated. */

import { isScript } from "./exporting.js";
import { makesInstance } from "./instantiation.js";
import { importsBuiltIn, importsGlue, moduleToWeb } from "./modules.js";

/** @param {any} statement */
const foreign = (statement) => importsBuiltIn(statement) || importsGlue(statement);

export const deno = {
  name: "deno",

  /** @param {any} program @param {string} source */
  matches(program, source) {
    if (isScript(program) || program.body.some(foreign)) return false;
    return /\bDeno\.|\bWebAssembly\.instantiateStreaming\b/.test(source) && makesInstance(program.body, source);
  },

  toWeb: moduleToWeb,
};
