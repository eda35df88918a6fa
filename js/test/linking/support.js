/** Joins small packages, and has Node itself import the same files. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Linkage } from "../../src/linking/bindings.js";
import { follow } from "../../src/linking/graph.js";
import { exportStatement, Hoisting } from "../../src/linking/hoist.js";
import { linkAtOnce } from "../../src/linking/link.js";
import { Names } from "../../src/linking/names.js";
import { GlueError } from "../../src/shared/errors.js";

const PLACE = "http://localhost/pkg/";

/** Reads from a package that is a table of texts. @param {Record<string, string>} files */
export function reader(files) {
  return (/** @type {string} */ url) => {
    const text = files[decodeURI(url).slice(PLACE.length)];
    if (text === undefined) throw new GlueError(`${url} is not there`);
    return { url, bytes: new TextEncoder().encode(text) };
  };
}

/** What a package becomes. @param {Record<string, string>} files @param {string} [entry] */
export function linked(files, entry = "index.js") {
  return linkAtOnce({ source: files[entry], url: PLACE + entry }, reader(files));
}

/**
 * The files of a package.
 * @param {Record<string, string>} files @param {string} [entry]
 * @param {string[][]} [asked] gets the names of the files that are read at the same time
 */
export function graphOf(files, entry = "index.js", asked = []) {
  const read = reader(files);
  const steps = follow({ source: files[entry], url: PLACE + entry });
  let step = steps.next();
  while (!step.done) {
    asked.push(step.value.map((url) => url.slice(PLACE.length)));
    const answers = step.value.map((url) => {
      try {
        return read(url);
      } catch (error) {
        return { error };
      }
    });
    step = steps.next(answers);
  }
  return step.value;
}

/**
 * One module that is a whole package, without glue.
 * @param {Record<string, string>} files @param {boolean} waits do its statements run at the end of the text?
 */
export function joined(files, waits, entry = "index.js") {
  const graph = graphOf(files, entry);
  const linkage = new Linkage(graph.modules);
  const names = new Names(linkage, graph.modules);
  const hoisting = new Hoisting(linkage, names, {
    webAssembly: "WebAssembly",
    wasm: () => "null",
    meta: ({ url }) => `({ url: ${JSON.stringify(url)} })`,
    load: () => null,
    wait: () => ["((it) => { if (it?.then) throw new TypeError('a promise'); return it; })(", ")"],
  });
  for (const module of graph.modules) hoisting.add(module, () => waits);
  const exported = hoisting.exportsOf(graph.entry);
  const rest = `function $rest() {\n${hoisting.rest.join("\n")}\n}\n$rest();`;
  return [hoisting.namespaces, ...hoisting.texts, rest, exportStatement(exported)].join("\n");
}

/** A folder for files that Node imports. */
export class Folder {
  constructor() {
    this.path = mkdtempSync(join(tmpdir(), "linking-"));
    this.count = 0;
  }

  /** @param {Record<string, string>} files @param {string} [entry] */
  import(files, entry = "index.js") {
    const folder = join(this.path, String(this.count++));
    for (const [name, text] of Object.entries({ "package.json": '{"type": "module"}', ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return import(pathToFileURL(join(folder, entry)).href);
  }

  remove() {
    rmSync(this.path, { recursive: true });
  }
}

/** The value of an export as it can be compared: functions are called, and objects looked into. @param {any} value */
export function shown(value, depth = 0) {
  if (depth > 4) return "…";
  if (typeof value === "function") {
    const source = String(value);
    try {
      if (source.startsWith("class"))
        return { made: shown(new value(), depth + 1), parts: shown({ ...value }, depth + 1) };
      return { result: shown(value(), depth + 1) };
    } catch (error) {
      return { throws: /** @type {Error} */ (error).constructor.name };
    }
  }
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.keys(value).map((key) => {
    try {
      return [key, shown(value[key], depth + 1)];
    } catch (error) {
      return [key, { throws: /** @type {Error} */ (error).constructor.name }];
    }
  });
  return Object.fromEntries(parts);
}
