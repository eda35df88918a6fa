/**
 * Links a package: from the file that the user named to one text that is glue for the web. Nothing below knows what it
 * was before, except for the name of its target.
 */

import { parseModule } from "../glue/syntax.js";
import { readEntry } from "../glue/targets/bundler.js";
import { toWeb } from "../glue/targets/index.js";
import { withoutPhase } from "../glue/targets/sourcePhase.js";
import { explain } from "./explain.js";

/** @import {FileRead, GlueText, Linked} from "../types.js" */

/**
 * @param {GlueText} entry @param {(url: string) => Promise<FileRead>} read @param {unknown} error why it is no glue for
 *   the web
 * @returns {Promise<Linked>}
 * @throws {GlueError} it is no glue for any target, and wraps none; the message says what it is
 */
export async function link(entry, read, error) {
  const steps = linking(entry, error);
  let step = steps.next();
  while (!step.done) step = steps.next(await read(step.value));
  return step.value;
}

/** As `link`. @param {GlueText} entry @param {(url: string) => FileRead} read @param {unknown} error @returns {Linked} */
export function linkAtOnce(entry, read, error) {
  const steps = linking(entry, error);
  let step = steps.next();
  while (!step.done) step = steps.next(read(step.value));
  return step.value;
}

/**
 * @param {GlueText} text @param {unknown} error
 * @returns {Generator<string, Linked, FileRead>} yields the URLs of the files that it needs
 */
function* linking({ source, url }, error) {
  const entry = readEntry(source);
  if (entry) {
    const file = yield new URL(entry.glue, url).href;
    ({ url } = file);
    source = new TextDecoder().decode(file.bytes);
  }
  const program = parse(source);
  const web = program && toWeb(program, source, url);
  if (!web) throw explain(source, url, error);
  return { url, ...web, wasmPath: entry?.wasmPath ?? web.wasmPath };
}

/** @param {string} source */
function parse(source) {
  try {
    return parseModule(withoutPhase(source)).program;
  } catch {
    return null; // the error of `readGlue` says why
  }
}
