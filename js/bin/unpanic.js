/**
 * The command of the npm package.
 *
 *     npx unpanic factory pkg/bank.js
 */

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { readGlue } from "../src/glue/glue.js";
import { factoryPlace, makeFactory } from "../src/glue/prebuilt.js";
import { linkAtOnce } from "../src/linking/link.js";
import { GlueError } from "../src/shared/errors.js";

const USAGE = `usage: unpanic factory GLUE...

For each glue file that wasm-bindgen wrote (pkg/bank.js), writes the file beside it
(pkg/bank.factory.js) that unpanic imports where a content security policy allows
neither 'unsafe-eval' nor blob: scripts. Run it after every build.
`;

function main() {
  let options;
  try {
    options = parseArgs({ options: { help: { type: "boolean", short: "h" } }, allowPositionals: true });
  } catch (error) {
    return fail(`unpanic: ${error.message}\n\n${USAGE}`, 2);
  }
  if (options.values.help) return void process.stdout.write(USAGE);
  const [command, ...files] = options.positionals;
  if (command !== "factory" || !files.length) return fail(USAGE, 2);
  for (const file of files) {
    try {
      const { source, url, ...link } = linked(file);
      const place = factoryPlace(url);
      writeFileSync(place, makeFactory(source, url, link));
      process.stdout.write(`${place}\n`);
    } catch (error) {
      fail(`unpanic: ${error.message}\n`, 1);
    }
  }
}

/** A glue file as the page sees it: if it is not glue for the web, as that. @param {string} path */
function linked(path) {
  const source = read(path);
  try {
    readGlue(source, path);
    return { source, url: path };
  } catch (error) {
    const link = linkAtOnce({ source, url: pathToFileURL(path).href }, readUrl, error);
    return { ...link, url: join(dirname(path), relative(dirname(resolve(path)), fileURLToPath(link.url))) };
  }
}

/** @param {string} url of a file that a package's other file imports */
function readUrl(url) {
  try {
    return { url, bytes: readFileSync(fileURLToPath(url)) };
  } catch (cause) {
    throw new GlueError(cause.message, { cause });
  }
}

/** @param {string} path @returns {string} without a byte order mark, which a browser drops too */
const read = (path) => new TextDecoder().decode(readFileSync(path));

function fail(text, status) {
  process.stderr.write(text);
  process.exitCode = status;
}

main();
