/**
 * The target `experimental-nodejs-module`: a module that reads its Wasm file at once. Until 0.2.100 or so this target
 * wrote two files like those for a bundler; they are not read here.
 */

import { makesInstance } from "./instantiation.js";
import { importsBuiltIn, importsGlue, moduleToWeb } from "./modules.js";

export const nodejsModule = {
  name: "experimental-nodejs-module",

  /** @param {any} program @param {string} source */
  matches({ body }, source) {
    return !body.some(importsGlue) && body.some(importsBuiltIn) && makesInstance(body, source);
  },

  toWeb: moduleToWeb,
};
