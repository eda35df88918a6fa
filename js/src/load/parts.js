/**
 * The parts of the runtime that `forms.js` uses. Its bundle gets them as an argument when it is loaded, so that it does
 * not hold them a second time (build.mjs).
 */

import { readExports } from "../glue/exports.js";
import { BINDGEN, EXPECTED, explainParseError } from "../glue/formats.js";
import { defaultWasmPath, instantiatingFunctions, parameterKey, topLevelBindings, wasmVariable } from "../glue/glue.js";
import {
  edit,
  findNode,
  isClass,
  isFunction,
  isImportMeta,
  isMember,
  LEAVE_OUT,
  parseModule,
  walk,
} from "../glue/syntax.js";
import { begin } from "../instance/adapters.js";
import { OWN } from "../instance/exports.js";
import { Instantiation } from "../instance/instantiate.js";
import { OWN_MODULE } from "../instance/stopwatch.js";
import { GlueError, LoadError } from "../shared/errors.js";
import { sharedMemory } from "../shared/messages.js";
import { Reader } from "../wasm/reader.js";

export const PARTS = {
  readExports,
  BINDGEN,
  EXPECTED,
  explainParseError,
  defaultWasmPath,
  instantiatingFunctions,
  parameterKey,
  topLevelBindings,
  wasmVariable,
  edit,
  findNode,
  isClass,
  isFunction,
  isImportMeta,
  isMember,
  LEAVE_OUT,
  parseModule,
  walk,
  begin,
  OWN,
  Instantiation,
  OWN_MODULE,
  GlueError,
  LoadError,
  sharedMemory,
  Reader,
};
