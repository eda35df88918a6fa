/**
 * The target `experimental-nodejs-module`: a module that reads its Wasm file at once. Until 0.2.104 this target wrote
 * two files like those for a bundler; these are not read here.
 */

import { findInstantiation } from "./instantiation.js";
import { importsBuiltIn, importsGlue, moduleToWeb } from "./modules.js";

export const nodejsModule = {
  name: "experimental-nodejs-module",

  /** @param {any} program */
  matches({ body }) {
    return !body.some(importsGlue) && body.some(importsBuiltIn) && findInstantiation(body) !== null;
  },

  toWeb: moduleToWeb,
};
