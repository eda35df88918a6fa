/**
 * Links a package: from the file that the user named to one text that is glue for the web. Nothing below knows what it
 * was before, except for the name of its target.
 */

import { explainParseError } from "../glue/formats.js";
import { parseModule } from "../glue/syntax.js";
import { readEntry } from "../glue/targets/bundler.js";
import { toWeb } from "../glue/targets/index.js";
import { withoutPhase } from "../glue/targets/sourcePhase.js";

/** @import {FileRead, GlueText, Linked} from "../types.js" */

/**
 * @param {GlueText} entry @param {(url: string) => Promise<FileRead>} read
 * @returns {Promise<Linked | null>} null: that is no glue, for no target
 */
export async function link(entry, read) {
  const steps = linking(entry);
  let step = steps.next();
  while (!step.done) step = steps.next(await read(step.value));
  return step.value;
}

/** @param {GlueText} entry @param {(url: string) => FileRead} read @returns {Linked | null} as `link` */
export function linkAtOnce(entry, read) {
  const steps = linking(entry);
  let step = steps.next();
  while (!step.done) step = steps.next(read(step.value));
  return step.value;
}

/**
 * @param {GlueText} text
 * @returns {Generator<string, Linked | null, FileRead>} yields the URLs of the files that it needs
 */
function* linking({ source, url }) {
  const entry = readEntry(source);
  if (entry) {
    const file = yield new URL(entry.glue, url).href;
    ({ url } = file);
    source = new TextDecoder().decode(file.bytes);
  }
  const web = toWeb(parse(source, url), source, url);
  return web && { url, ...web, wasmPath: entry?.wasmPath ?? web.wasmPath };
}

/** @param {string} source @param {string} url */
function parse(source, url) {
  try {
    return parseModule(withoutPhase(source)).program;
  } catch (error) {
    throw explainParseError(source, url, error);
  }
}
