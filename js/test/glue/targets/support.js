/** Helpers for tests of glue that was not written for the web. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseModule } from "../../../src/glue/syntax.js";
import { commonJsToModule, isCommonJs } from "../../../src/glue/targets/commonjs.js";
import { deno } from "../../../src/glue/targets/deno.js";
import { defaultWasmPath } from "../../../src/glue/targets/instantiation.js";
import { nodejs } from "../../../src/glue/targets/nodejs.js";
import { nodejsModule } from "../../../src/glue/targets/nodejsModule.js";
import { noModules } from "../../../src/glue/targets/noModules.js";
import { sourcePhase, withoutPhase } from "../../../src/glue/targets/sourcePhase.js";

export const TARGETS = [nodejs, nodejsModule, deno, noModules, sourcePhase];

/** The names of the targets that take a source for their own. @param {string} source */
export function targetsOf(source) {
  const { program } = parseModule(withoutPhase(source));
  return TARGETS.filter((target) => target.matches(program, source)).map(({ name }) => name);
}

/** What a source is for the web. @param {string} source @param {string} url */
export function toWeb(source, url) {
  const { program } = parseModule(withoutPhase(source));
  const [target] = TARGETS.filter((candidate) => candidate.matches(program, source));
  return target.toWeb(program, source, url);
}

/**
 * A snippet as an ES module.
 * @param {string} snippet @param {string} glue that imports it @param {string} from where
 */
function asModule(snippet, glue, from) {
  const { program } = parseModule(snippet);
  if (!isCommonJs(program, snippet)) return snippet;
  const imports = parseModule(glue).program.body.filter(({ source }) => source?.value === from);
  const names = imports.flatMap(({ specifiers }) => specifiers.map(({ imported }) => imported.name));
  return commonJsToModule(program, snippet, names);
}

/**
 * A glue file as it is for the web, for `supervise`.
 * @param {string} path below the project @param {Record<string, string>} [beside] other files, instead of those there
 */
export function webFile(path, beside = {}) {
  const url = new URL(`../../../../${path}`, import.meta.url);
  const { source, wasmPath, ...inside } = toWeb(readFileSync(url, "utf8"), url.href);
  const readFile = (/** @type {string} */ relative) => {
    if (relative in beside) return new TextEncoder().encode(beside[relative]);
    const isWasm = relative === defaultWasmPath(url.href);
    if (isWasm && inside.bytes) return inside.bytes;
    const file = fileURLToPath(new URL(isWasm ? wasmPath : relative, url));
    if (!existsSync(file)) return null;
    if (isWasm) return new Uint8Array(readFileSync(file));
    return new TextEncoder().encode(asModule(readFileSync(file, "utf8"), source, relative));
  };
  return { source, url: url.href, readFile, wasmPath };
}
